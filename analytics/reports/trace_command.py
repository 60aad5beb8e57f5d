"""The command `perpscope trace`."""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated

import polars as pl
import typer
from polars.exceptions import InvalidOperationError

from analytics import load
from analytics.computations import Computation
from analytics.compute import collected
from analytics.errors import UserError, unknown
from analytics.export import form_of, table_text, write
from analytics.formats import Format, format_option
from analytics.metrics import METRICS
from analytics.plain_text import visible
from analytics.queries import queries, typed
from analytics.reports.asked import Asked, AskedQuery, queried
from analytics.reports.chain_names import chain_name, chain_number
from analytics.reports.evidence import added, evidence, places, subtotals
from analytics.reports.indexed import check_indexed, indexed
from analytics.reports.numerals import counted
from analytics.reports.options import (
    Chain,
    CutWindows,
    Database,
    Output,
    Protocol,
    SincePast,
    Until,
    among,
    limited,
    pairs,
    typed_settings,
    warn,
)
from analytics.reports.scope import Limits, Scope
from analytics.trace import Question, Together, traced, traced_together

_KINDS = {
    pl.String: "text",
    pl.Date: "date",
    pl.Boolean: "boolean",
    pl.Datetime: "timestamp",
    pl.Decimal: "decimal",
    pl.Float64: "number",
}
# Of a block: half a thousand digits that no terminal has room for.
_UNREADABLE = "logs_bloom"
# `date>=2025-10-10` is cut at its sign of equality; what is left before it says how to compare.
_COMPARED = {">": operator.ge, "<": operator.le}


def trace(
    name: Annotated[
        str,
        typer.Argument(help="The metric or query.", autocompletion=among(METRICS.keys, queries)),
    ],
    *,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", metavar="COLUMN=VALUE", help="Of which row, also >= and <=; repeatable."
        ),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Only this number of the row; by default all of it.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            *("--setting", "--param"),
            metavar="K=V",
            help="A setting of the metric, a parameter of the query; repeatable.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows may be traced at once.")] = 10,
    together: Annotated[
        bool, typer.Option("--together", help="Trace what all these rows add up to, as one number.")
    ] = False,
    protocol: Protocol = None,
    chain: Chain = None,
    since: SincePast = None,
    until: Until = None,
    cut_windows: CutWindows = False,
    form: Annotated[Format, format_option("How the facts are written")] = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Show the facts and transactions a number rests on, proven by computing it from them again."""
    form = form_of(form, output)
    given = pairs(setting, "--setting")
    asked = pairs(where, "--where")
    limits = limited(protocol, chain, since, until)
    narrowed, about = _asked(name, given, limits, is_cut=cut_windows)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), protocol, limits.chain_id)
        warn(Scope(con, narrowed))
        wanted = about(Scope(con, limits))
        whole = collected(wanted.rows)
        kept = _kept(name, whole, asked) & wanted.is_meant(whole.schema)
        rows = _chosen(name, whole.filter(kept), asked, None if together else limit)
        if column is not None and column not in rows.columns:
            raise UserError(f"{name} has no column {column}: it has {', '.join(rows.columns)}")
        computed = wanted.computed
        if together:
            evident = traced_together(Together(computed, rows, kept), wanted.facts)
            what = f"{counted(rows.height, 'row')} of {name}"
            found = [(what, rows, _summed(computed, rows, column), evident)]
        else:
            found = [
                (name, row, row, traced(Question(computed, row, column), wanted.facts))
                for row in rows.iter_slices(1)
            ]
        told = _told(con, [evident for *_, evident in found])
        head = "\n".join((*_warned(con), *(_head(*each, column) for each in found)))
        write(_spoken(told) if form is Format.TABLE else told, form, output, head)


def _asked(
    name: str, given: dict[str, str], limits: Limits, *, is_cut: bool
) -> tuple[Limits, Callable[[Scope], Asked | AskedQuery]]:
    """Return of which time a number is, and what is asked for once a database is open."""
    if name in METRICS:
        settings = typed_settings(name, given)
        return limits, partial(Asked, metric=name, settings=settings, is_cut=is_cut)
    if name in queries():
        return queried(limits, name, given), partial(AskedQuery, query=name, given=given)
    raise unknown("metric or query", name, METRICS.keys() | queries().keys())


def _told(con: load.Connection, found: Sequence[Mapping[str, pl.DataFrame]]) -> pl.DataFrame:
    coverage, made_up = load.facts(con, "coverage").collect(), frozenset(_simulated(con))
    frames = [
        evidence(facts, coverage, made_up=made_up).with_columns(number=pl.lit(place, pl.Int64))
        for place, facts in enumerate(found, 1)
    ]
    return pl.concat(frames, how="diagonal_relaxed").select("number", pl.exclude("number"))


def _simulated(con: load.Connection) -> list[int]:
    is_made_up = pl.col("kind") == "simulated"
    return load.facts(con, "origins").filter(is_made_up).collect()["chain_id"].to_list()


def _warned(con: load.Connection) -> list[str]:
    chains = ", ".join(chain_name(chain) for chain in sorted(_simulated(con)))
    return [f"SIMULATED DATA: {chains}; no explorer knows these transactions\n"] if chains else []


def _kept(what: str, rows: pl.DataFrame, asked: Mapping[str, str]) -> pl.Expr:
    kept = pl.lit(value=True)
    for key, text in asked.items():
        name = key.rstrip("<>").strip()
        if name not in rows.columns:
            raise UserError(f"{what} has no column {name}: it has {', '.join(rows.columns)}")
        if "\\" in text and rows.schema[name] == pl.String:
            kept &= pl.col(name).is_in(_shown_as(rows[name], text))
        else:
            compared = _COMPARED.get(key[-1], pl.Expr.eq_missing)
            kept &= compared(pl.col(name), _value(name, text, rows.schema[name]))
    return kept


def _shown_as(column: pl.Series, text: str) -> list[str]:
    # Pages and commands write out what nobody sees, so that is how a reader names it; in commands
    # what is called null has a backslash before it.
    return [each for each in column.drop_nulls().unique() if text in {visible(each), f"\\{each}"}]


def _chosen(
    what: str, rows: pl.DataFrame, asked: Mapping[str, str], limit: int | None
) -> pl.DataFrame:
    if rows.is_empty():
        said = " and ".join(f"{_compared_as(name)} {text}" for name, text in asked.items())
        raise UserError(f"no row of {what} has {said}" if said else f"{what} has no rows")
    if limit is not None and rows.height > limit:
        raise UserError(
            f"{rows.height:,} rows of {what} fit, --limit allows {limit}: say with --where which "
            f"({', '.join(rows.columns)}), or --together"
        )
    return rows


def _compared_as(key: str) -> str:
    sign = key[-1] if key[-1] in _COMPARED else ""
    return f"{key.removesuffix(sign).strip()} {sign}="


def _value(name: str, text: str, dtype: pl.DataType) -> pl.Expr:
    if text == "null":
        return pl.lit(None, dtype)
    if name.endswith("chain_id"):
        return pl.lit(chain_number(text), dtype)
    try:
        value = pl.lit(typed(_KINDS.get(dtype.base_type(), "integer"), text), dtype)
        pl.select(value)
    except ValueError as error:
        raise UserError(f"--where {name}: {error}") from error
    except InvalidOperationError as error:
        raise UserError(f"--where {name}: {text!r} is no {dtype} as the column holds") from error
    return value


def _summed(computed: Computation, rows: pl.DataFrame, column: str | None) -> pl.DataFrame:
    sums = added(computed, rows)
    if column is not None and column not in sums.columns:
        others = f", or {', '.join(sums.columns)}" if sums.width else ""
        raise UserError(f"{column} of these rows does not add up: trace one row{others}")
    same = [
        name
        for name, dtype in rows.schema.items()
        if rows[name].n_unique() == 1 and (name.endswith("_id") or not dtype.is_numeric())
    ]
    return pl.concat([rows.select(same).head(1), sums], how="horizontal")


def _head(
    what: str,
    rows: pl.DataFrame,
    row: pl.DataFrame,
    facts: Mapping[str, pl.DataFrame],
    column: str | None,
) -> str:
    numbers = [name for name, dtype in row.schema.items() if dtype.is_numeric()]
    numbers = [name for name in numbers if not name.endswith("_id")] if column is None else [column]
    keys = [name for name in row.columns if name not in numbers and row[name].item() is not None]
    about = ", ".join(
        f"{name} {row[name].item()}" for name in keys if not row[name].dtype.is_float()
    )
    return "\n".join(
        (
            f"{what}: {about or 'all'}",
            *(f"  {name} = {_exact(row[name].item())}" for name in numbers),
            *_lower_bounds(rows.select(numbers)),
            f"rests on {_counts(facts)}; from these alone it is computed again to the last digit",
            table_text(subtotals(facts, row)),
        )
    )


def _lower_bounds(rows: pl.DataFrame) -> Iterator[str]:
    """Say which sums of rows are of some of them, because the others do not know their part."""
    for column in rows:
        if 0 < column.null_count() < rows.height:
            lacking = f"{column.null_count():,} of {rows.height:,} rows"
            yield f"  {column.name} is the sum of what is known: unknown in {lacking}"


def _counts(facts: Mapping[str, pl.DataFrame]) -> str:
    return ", ".join(_counted(table, rows) for table, rows in sorted(facts.items()))


def _counted(table: str, rows: pl.DataFrame) -> str:
    return f"{counted(rows.height, 'row')} of {table}{places(rows)}"


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "not known" if value is None else str(value)


def _spoken(told: pl.DataFrame) -> pl.DataFrame:
    kept = (name for name in told.columns if told[name].null_count() < told.height)
    return told.select(*(name for name in kept if name != _UNREADABLE))

"""The command `perpscope trace`."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Annotated

import polars as pl
import typer

from analytics import load
from analytics.compute import collected, compute
from analytics.errors import UserError
from analytics.export import Format, table_text, write
from analytics.queries import typed
from analytics.reports.chain_names import chain_name, chain_number
from analytics.reports.evidence import evidence, subtotals
from analytics.reports.options import (
    Database,
    Output,
    Setting,
    Until,
    limited,
    pairs,
    typed_settings,
)
from analytics.reports.scope import Scope, check_indexed, indexed
from analytics.trace import Question, traced

_KINDS = {
    pl.String: "text",
    pl.Date: "date",
    pl.Boolean: "boolean",
    pl.Datetime: "timestamp",
    pl.Decimal: "decimal",
    pl.Float64: "number",
}


def trace(
    metric: Annotated[str, typer.Argument(help="The metric.")],
    *,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Of which row; repeatable."),
    ] = None,
    column: Annotated[
        str | None, typer.Option(help="Only this number of the row; by default all of it.")
    ] = None,
    setting: Setting = None,
    limit: Annotated[int, typer.Option(min=1, help="How many rows may be traced at once.")] = 10,
    protocol: Annotated[str | None, typer.Option(help="Only this protocol's events.")] = None,
    chain: Annotated[str | None, typer.Option(help="Only this chain's, by name or id.")] = None,
    until: Until = None,
    form: Annotated[
        Format, typer.Option("--format", help="How the facts are written.")
    ] = Format.TABLE,
    output: Output = None,
    database: Database = None,
) -> None:
    """Show the facts and transactions a number rests on, proven by computing it from them again."""
    settings = typed_settings(metric, pairs(setting, "--setting"))
    asked = pairs(where, "--where")
    limits = limited(protocol, chain, None, until)
    with load.database(load.database_path(database)) as con:
        check_indexed(indexed(con), protocol, limits.chain_id)
        facts = partial(Scope(con, limits).read, metric)
        rows = _chosen(metric, collected(compute(metric, facts, **settings)), asked, limit)
        if column is not None and column not in rows.columns:
            raise UserError(f"{metric} has no column {column}: it has {', '.join(rows.columns)}")
        found = [
            (row, traced(Question(metric, row, settings, column), facts))
            for row in rows.iter_slices(1)
        ]
        told = _told(con, [facts for _, facts in found])
        head = "\n".join(
            (*_warned(con), *(_head(metric, row, each, column) for row, each in found))
        )
        write(_spoken(told) if form is Format.TABLE else told, form, output, head)


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


def _chosen(metric: str, rows: pl.DataFrame, asked: Mapping[str, str], limit: int) -> pl.DataFrame:
    for name, text in asked.items():
        if name not in rows.columns:
            raise UserError(f"{metric} has no column {name}: it has {', '.join(rows.columns)}")
        rows = rows.filter(pl.col(name).eq_missing(_value(name, text, rows.schema[name])))
    if rows.is_empty():
        said = " and ".join(f"{name} = {text}" for name, text in asked.items())
        raise UserError(f"no row of {metric} has {said}" if said else f"{metric} has no rows")
    if rows.height > limit:
        raise UserError(
            f"{rows.height:,} rows of {metric} fit, --limit allows {limit}: say with --where which "
            f"({', '.join(rows.columns)})"
        )
    return rows


def _value(name: str, text: str, dtype: pl.DataType) -> pl.Expr:
    if text == "null":
        return pl.lit(None, dtype)
    if name.endswith("chain_id"):
        return pl.lit(chain_number(text), dtype)
    try:
        return pl.lit(typed(_KINDS.get(dtype.base_type(), "integer"), text), dtype)
    except ValueError as error:
        raise UserError(f"--where {name}: {error}") from error


def _head(
    metric: str, row: pl.DataFrame, facts: Mapping[str, pl.DataFrame], column: str | None
) -> str:
    numbers = [name for name, dtype in row.schema.items() if dtype.is_numeric()]
    numbers = [name for name in numbers if not name.endswith("_id")] if column is None else [column]
    keys = [name for name in row.columns if name not in numbers and row[name].item() is not None]
    about = ", ".join(
        f"{name} {row[name].item()}" for name in keys if not row[name].dtype.is_float()
    )
    return "\n".join(
        (
            f"{metric}: {about}",
            *(f"  {name} = {_exact(row[name].item())}" for name in numbers),
            f"rests on {_counts(facts)}; from these alone it is computed again to the last digit",
            table_text(subtotals(facts, row)),
        )
    )


def _counts(facts: Mapping[str, pl.DataFrame]) -> str:
    return ", ".join(_counted(table, rows) for table, rows in sorted(facts.items()))


def _counted(table: str, rows: pl.DataFrame) -> str:
    if "tx_hash" not in rows.columns:
        return f"{rows.height:,} rows of {table}"
    hashes = rows.select("chain_id", "tx_hash").n_unique()
    return f"{rows.height:,} rows of {table} in {hashes:,} transactions"


def _exact(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "not known" if value is None else str(value)


def _spoken(told: pl.DataFrame) -> pl.DataFrame:
    names: Iterable[str] = (name for name in told.columns if told[name].null_count() < told.height)
    return told.select(*names)

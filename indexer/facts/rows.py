"""From a declared event and a scope to rows of its table, and to rejects."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from indexer.facts import conditions
from indexer.facts.flags import flags
from indexer.facts.moments import moments
from indexer.facts.numbers import numbers
from indexer.facts.routes import title
from indexer.facts.scope import Fault, Scope, narrowed
from indexer.facts.texts import texts
from indexer.facts.wholes import wholes
from indexer.spec import Entry, Event, EventName, Read, Rest, Value
from indexer.tables import DECIMAL, columns_of, empty, tables

REJECTS = (
    "chain_id",
    "block_number",
    "log_index",
    "tx_hash",
    "protocol",
    "event",
    "fact",
    "reason",
)

# Entries of files have a line, which goes with what is made of them.
_OF_FILES = frozenset({"line"})

Said = Event | Read | Entry
"""What says how rows of a table are made."""

_READERS: dict[type[pl.DataType], Callable[[Value, Scope], pl.Series]] = {
    pl.Decimal: numbers,
    pl.String: texts,
    pl.Boolean: flags,
    pl.Datetime: moments,
    pl.Int32: wholes,
}


def rows_of(said: Said, scope: Scope, item_index: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Return the declared rows in schema order, without the automatic columns' constants, and its
    rejects (columns: row of the scope's frame plus `reason`).

    Args:
        said: the declaration.
        scope: accepted logs of the event, answers or entries.
        item_index: which of the rows that one log puts into the table this is.
    """
    keep = np.logical_and.reduce(
        [conditions.holding(condition, scope) for condition in said.where]
        or [np.ones(len(scope), dtype=np.bool_)]
    )
    kept = narrowed(scope, keep)
    if kept.ambiguous.any():
        kept.faults.append((kept.ambiguous, "more than one companion event matches"))
    evaluated = _evaluated(said, kept)
    framed = _framed(said, kept, evaluated, item_index)
    reasons = _reasons(kept, framed, said.into)
    if reasons.null_count() == len(reasons) and not _OF_FILES.intersection(kept.frame.columns):
        return framed, empty("rejects")
    lost = kept.frame.filter(reasons.is_not_null())
    return framed.filter(reasons.is_null()), rejects(
        lost, said.name, said.into, reasons.drop_nulls()
    )


def _evaluated(said: Said, scope: Scope) -> dict[str, pl.Series]:
    done: dict[str, pl.Series] = {}
    # What is the rest of other columns comes after them.
    for name, value in sorted(said.columns.items(), key=lambda item: isinstance(item[1], Rest)):
        try:
            done[name] = _column(said.into, name, value, done, scope)
        except (KeyError, TypeError) as error:
            error.add_note(f"column {name} of {said.into}, made of {title(said.name)}")
            raise
    return done


def _column(
    table: str, name: str, value: Value, done: Mapping[str, pl.Series], scope: Scope
) -> pl.Series:
    if isinstance(value, Rest):
        return _rest(value, done, len(scope))
    return _READERS[type(columns_of(table)[name])](value, scope)


def _rest(value: Rest, done: Mapping[str, pl.Series], rows: int) -> pl.Series:
    total = done[value.of]
    for name in value.less:
        total = total - done[name]
    return total.cast(DECIMAL) if rows else pl.Series([], dtype=DECIMAL)


def _framed(
    said: Said, scope: Scope, evaluated: Mapping[str, pl.Series], item_index: int
) -> pl.DataFrame:
    frame = scope.frame
    automatic: dict[str, pl.Series | pl.Expr] = {
        "block_number": frame["block_number"],
        "log_index": frame["log_index"],
        # An entry of a file brings the place of its items; a log's are counted from zero.
        "item_index": frame["item_index"] + item_index
        if "item_index" in frame.columns
        else pl.lit(item_index, pl.Int32),
        "tx_hash": frame["tx_text"],
        "block_timestamp": frame["block_timestamp"],
        "version": pl.lit(said.version) if said.version else frame["version"],
        "evidence": pl.lit(said.evidence),
    }
    values: dict[str, pl.Series | pl.Expr] = {
        **dict.fromkeys(columns_of(said.into), pl.lit(None)),
        **automatic,
        **evaluated,
        "chain_id": pl.col("chain_id"),
        "protocol": pl.col("protocol"),
    }
    return frame.select(
        **{name: values[name].cast(dtype) for name, dtype in columns_of(said.into).items()},
        **{name: frame[name] for name in _OF_FILES if name in frame.columns},
    )


def _reasons(scope: Scope, framed: pl.DataFrame, table: str) -> pl.Series:
    faults = [*scope.faults, *_unknown(framed, table)]
    if not faults:
        return pl.Series([None], dtype=pl.String).new_from_index(0, len(scope))
    reasons = np.full(len(scope), None, dtype=object)
    for mask, reason in reversed(faults):
        reasons[mask] = reason if isinstance(reason, str) else reason[mask]
    return pl.Series(reasons.tolist(), dtype=pl.String)


def _unknown(framed: pl.DataFrame, table: str) -> Iterator[Fault]:
    for name, column in tables()[table].items():
        if column.required and framed[name].null_count():
            yield framed[name].is_null().to_numpy(), f"{name.replace('_', ' ')} is not known"


def rejects(
    frame: pl.DataFrame, event: EventName, fact: str | None, reasons: pl.Series
) -> pl.DataFrame:
    """Return rows of `rejects` for these logs."""
    return frame.select(
        "chain_id",
        "block_number",
        "log_index",
        pl.col("tx_text").alias("tx_hash"),
        "protocol",
        pl.lit(title(event)).alias("event"),
        pl.lit(fact, pl.String).alias("fact"),
        reasons.alias("reason"),
        *(name for name in _OF_FILES if name in frame.columns),
    ).select(*REJECTS, *(name for name in _OF_FILES if name in frame.columns))

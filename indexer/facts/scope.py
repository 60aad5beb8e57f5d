"""
The rows an expression is evaluated on: logs of one event, their arguments, what is known.

A scope is narrowed by row numbers, never changed. Faults are reasons that reject single rows;
they gather while columns are evaluated, so that one bad value costs one row of one table.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.decode.columns import Column
from indexer.facts.known import Known
from indexer.facts.operands import match_key
from indexer.spec import Arg, Companion, Contract

Mask = NDArray[np.bool_]
Rows = NDArray[np.int64]
Places = tuple[int | Rows, Mask | np.bool_]
"""How many decimals, and of which rows that is known."""

Fault = tuple[Mask, str | NDArray[np.object_]]
"""The rows that are wrong, and why: in the same words, or in a text for each row of the scope."""

SHOWN = 80
"""How much a reason says of a text: a name may be megabytes, in every log of a block."""

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True)
class Match:
    """For each row of a scope, the row of a companion's frame; -1 where there is none."""

    rows: Rows
    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Scope:
    """
    Attributes:
        frame: one row per log: block_number, log_index, tx_hash, address (Binary),
            block_timestamp, version, contract (index into `contracts`; of a child, the one that it
            goes back to).
        columns: decoded arguments by name, as many rows as `frame`.
        matches: companions by what identifies their match.
        contracts: the protocol's contracts on this chain.
        known: tokens, markets and children of the chain; `markets` of this protocol only.
        policies: rows of `policies` of this protocol.
        ambiguous: logs for which a companion matched more than once.
        faults: gathered while evaluating; one list per table row set.
        missing: token addresses whose decimals or symbol were asked for and not known.
        decimals: places by what they were asked of, once asked; and the faults of rows whose
            places are not known.
    """

    frame: pl.DataFrame
    columns: Mapping[str, Column]
    matches: Mapping[str, Match]
    contracts: tuple[Contract, ...]
    known: Known
    policies: pl.DataFrame
    ambiguous: Mask
    faults: list[Fault] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    decimals: dict[str, tuple[Places, list[Fault]]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of logs."""
        return len(self.frame)


def narrowed(scope: Scope, keep: Mask) -> Scope:
    """Return the scope with only the rows that `keep` marks, and no faults yet."""
    if keep.all():
        return replace(scope, faults=[], decimals={})
    rows = np.flatnonzero(keep)
    return replace(
        scope,
        frame=scope.frame[rows],
        columns={name: taken(column, rows) for name, column in scope.columns.items()},
        matches={
            key: Match(match.rows[rows], match.columns) for key, match in scope.matches.items()
        },
        ambiguous=scope.ambiguous[rows],
        faults=[],
        decimals={},
    )


def on(rows: Mask, scope: Scope, read: Callable[[], T]) -> T:
    """Return what is read for these rows: what is wrong with others is no fault of theirs."""
    before = len(scope.faults)
    found = read()
    scope.faults[before:] = [(mask & rows, reason) for mask, reason in scope.faults[before:]]
    return found


def blame(scope: Scope, rows: Mask, reason: str, names: pl.Series) -> None:
    """Make rows faults for a reason with a place for the name that each of them has."""
    if rows.any():
        named = names.str.slice(0, SHOWN).to_frame("name")
        reasons = named.select(pl.format(reason, "name")).to_series()
        scope.faults.append((rows, reasons.to_numpy()))


def first_of(values: Sequence[V], scope: Scope, read: Callable[[V], pl.Series]) -> pl.Series:
    """Return the first value present; of later ones nothing is wrong where an earlier one is."""
    found = read(values[0])
    for value in values[1:]:
        lacks = found.is_null().to_numpy()
        found = found.zip_with(pl.Series(~lacks), on(lacks, scope, partial(read, value)))
    return found


def taken(column: Column, rows: Rows) -> Column:
    """Return the column at these rows; a negative row number gives an absent value."""
    there = rows >= 0
    at = np.where(there, rows, 0)
    if len(column.present) == 0:
        return _absent(column, len(rows))
    values = None if column.values is None else only(column.values.gather(at), there)
    return Column(
        kind=column.kind,
        words=None if column.words is None else column.words[at],
        values=values,
        present=column.present[at] & there,
        signed=column.signed[at],
        width=column.width,
    )


def _absent(column: Column, rows: int) -> Column:
    none = np.zeros(rows, dtype=np.bool_)
    return Column(
        kind=column.kind,
        words=None if column.words is None else np.zeros((rows, 32), dtype=np.uint8),
        values=None
        if column.values is None
        else pl.Series([None] * rows, dtype=column.values.dtype),
        present=none,
        signed=none,
        width=column.width,
    )


def column_of(value: str | Arg | Companion, scope: Scope) -> Column:
    """Return an argument of the logs or of their companions, row by row of the scope."""
    if isinstance(value, Companion):
        match = scope.matches[match_key(value)]
        return taken(match.columns[value.take], match.rows)
    return scope.columns[value if isinstance(value, str) else value.name]


def only(series: pl.Series, there: Mask) -> pl.Series:
    """Return the series with null where the mask does not hold."""
    return pl.select(pl.when(pl.Series(there)).then(series)).to_series()


def note_kind(scope: Scope, column: Column, expected: str) -> None:
    """Make every row that has this argument a fault: its type is not what the column needs."""
    if column.present.any():
        scope.faults.append((column.present, f"a {column.kind} argument is not a {expected}"))

"""
Entries of a file as columns, and the checks that every reader makes of them.

An entry that is not what it should be costs itself: it is named with its line and its reason. A
number is decimal text, read exactly: no sign but a minus, no exponent, at most 20 digits before
the point and 18 behind it, so that DECIMAL(38,18) holds it to the last digit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import polars as pl

from indexer.tables import DECIMAL

ENTRIES = 50_000
"""How many entries make a batch: memory is bounded by it, and by the longest line."""

NUMBER = r"^-?[0-9]{1,20}(\.[0-9]{1,18})?$"

REFUSED = {"line": pl.Int64(), "reason": pl.String()}
PLACE = {
    "line": pl.Int64(),
    "block_number": pl.Int64(),
    "log_index": pl.Int32(),
    "item_index": pl.Int32(),
    "tx_text": pl.String(),
    "block_timestamp": pl.Datetime("us"),
}

_LOW = 1 << 31
_HIGHEST = 1 << 60


@dataclass(frozen=True)
class Batch:
    """
    Some entries of a file.

    Attributes:
        count: how many there were.
        place: of each that can be used: columns of `PLACE`. `log_index` and `item_index` hold the
            number of its trade and its side, see `schema.sql`.
        fields: what it says: numbers (Decimal), text (String), flags (Boolean); as many rows.
        refused: of each that cannot be used: columns of `REFUSED`.
    """

    count: int
    place: pl.DataFrame
    fields: pl.DataFrame
    refused: pl.DataFrame


@dataclass
class Notes:
    """What is worth saying of a file beside its entries: fields nobody knows, and their line."""

    unknown: dict[str, int] = field(default_factory=dict)

    def meet(self, names: Iterable[str], line: int) -> None:
        """Remember fields that are not known, with the line of the first entry that had them."""
        for name in names:
            self.unknown.setdefault(name, line)


def checked(
    read: pl.DataFrame, numbers: Mapping[str, bool], *faults: pl.Expr
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Return the entries that can be used, their numbers as Decimal, and those that cannot.

    Args:
        read: `line`, and the fields of each entry; numbers are text.
        numbers: which fields are numbers, and whether they must be above zero.
        faults: further expressions that are a reason on the rows they refuse, else null.
    """
    reasons = [_fault(name) for name in numbers]
    reasons += [not_above_zero(name) for name, is_positive in numbers.items() if is_positive]
    told = read.with_columns(reason=pl.coalesce(*reasons, *faults))
    refused = told.filter(pl.col("reason").is_not_null()).select(*REFUSED)
    good = told.filter(pl.col("reason").is_null()).drop("reason")
    return good.with_columns(pl.col(name).cast(DECIMAL) for name in numbers), refused


def unlike(name: str, pattern: str, expected: str) -> pl.Expr:
    """Return the reason that refuses rows whose text does not match a pattern."""
    shown = pl.format(f"{name} is {{}}: expected {expected}", shortly(name))
    return pl.when(~pl.col(name).str.contains(pattern)).then(shown)


def shortly(name: str) -> pl.Expr:
    """Return what a reason shows of a text: it may be as long as its file."""
    return pl.col(name).str.slice(0, 80)


def not_above_zero(name: str) -> pl.Expr:
    """Return the reason that refuses rows whose number is zero or below it."""
    is_above = pl.col(name).str.contains("[1-9]") & ~pl.col(name).str.starts_with("-")
    shown = pl.format(f"{name} is {{}}: expected a number above zero", pl.col(name))
    return pl.when(~is_above).then(shown)


def outside(name: str, least: int, beyond: int) -> pl.Expr:
    """Return the reason that refuses rows whose integer is not in [least, beyond)."""
    expected = f"expected a number from {least} to {beyond - 1}"
    # What does not fit 64 bits is null.
    shown = pl.col(name).cast(pl.String).fill_null("beyond 64 bits")
    is_inside = pl.col(name).is_between(least, beyond - 1).fill_null(value=False)
    return pl.when(~is_inside).then(pl.format(f"{name} is {{}}: {expected}", shown))


def trade_place(trade: pl.Expr, is_seller: pl.Expr) -> dict[str, pl.Expr]:
    """
    Return `log_index` and `item_index` of a side of a trade.

    Args:
        trade: the trade's number, from 0 to 2**60 - 1; see `numbered`.
        is_seller: which side it is.
    """
    high = (trade // _LOW) * 4 + pl.when(is_seller).then(2).otherwise(0)
    return {"log_index": (trade % _LOW).cast(pl.Int32), "item_index": high.cast(pl.Int32)}


def numbered(name: str) -> pl.Expr:
    """Return the reason that refuses rows whose trade has no number that a place can hold."""
    return outside(name, 0, _HIGHEST)


def _fault(name: str) -> pl.Expr:
    return unlike(name, NUMBER, "a decimal number of at most 20 digits and 18 decimals")

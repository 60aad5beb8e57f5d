"""What a report is made of: sections with words, charts, tables and the rows behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl

from analytics.reports import numerals
from analytics.reports.chain_names import chain_name

Kind = Literal["metric", "query", "facts", "check"]

# By the end of a column's name, which carries its unit; the first that fits decides.
_SHOWN: Sequence[tuple[str, Callable[[Any], str]]] = (
    ("price_usd", numerals.price),
    ("price_quote", numerals.price),
    ("price_tokens", numerals.price),
    ("_usd", numerals.usd),
    ("_per_second", numerals.number),
    ("_tokens", numerals.tokens),
    ("_ratio", numerals.percent),
    ("take_rate", numerals.percent),
    ("absolute_bps", numerals.number),
    ("_bps", numerals.bps),
    ("_count", numerals.count),
    ("blocks", numerals.count),
    ("_seconds", numerals.number),
    ("seconds_off", numerals.number),
    ("moments_off", numerals.count),
    ("_at", numerals.moment),
    ("_timestamp", numerals.moment),
    ("date", numerals.day),
    ("valid_from", numerals.moment),
    ("valid_to", numerals.moment),
    ("chain_id", lambda value: numerals.UNKNOWN if value is None else chain_name(value)),
)
_UNITS = {
    "_per_second": "per second",
    "_usd": "USD",
    "_tokens": "tokens",
    "_bps": "bps",
    "_seconds": "s",
}
_HEADERS = {
    "tx_hash": "transaction",
    "block_timestamp": "time, UTC",
    "chain_id": "chain",
    "date": "day, UTC",
    "unpriced_count": "without price",
    "unsplit_count": "split unknown",
    "is_long": "long",
    "adl_count": "ADLs",
    "ordinary_count": "other events",
    "is_covered": "covered",
    "seconds_off": "off for, s",
    "moments_off": "moments",
    "peak_at": "peak in period from, UTC",
    "median_absolute_bps": "median size, bps",
    "insolvent_count": "with bad debt",
    "example_tx_hash": "example transaction",
    "take_rate": "take rate",
    "bucket_at": "period from, UTC",
    "valid_from": "in force from, UTC",
    "valid_to": "in force until, UTC",
    "velocity_usd_per_second": "velocity, USD per second",
}
HASHES = frozenset({"account", "feed", "reference_feed", "loan", "pool", "asset_token"})
TEXTS = ("_at", "_timestamp", "date", "valid_from", "valid_to", "chain_id")


@dataclass(frozen=True)
class Source:
    """
    Rows behind a section, as they are exported.

    Attributes:
        name: name of the exported files.
        kind: metric, query, facts, or check: what must hold of the facts.
        asked: name of the metric, query or table.
        settings: values of its settings or parameters.
        frame: the rows, exact.
    """

    name: str
    kind: Kind
    asked: str
    frame: pl.DataFrame
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Column:
    """One column of a table: its header, and how its cells are set."""

    header: str
    is_number: bool
    is_hash: bool


@dataclass(frozen=True)
class Table:
    """A table as a reader sees it, finished text in every cell."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    left_out: int = 0


@dataclass(frozen=True)
class Chart:
    """A chart: the name of its file, what it shows, and its SVG."""

    name: str
    caption: str
    svg: str


@dataclass(frozen=True)
class Section:
    """
    One heading of a report and what stands under it.

    Attributes:
        slug: its anchor.
        title: its heading.
        words: paragraphs, each plain text.
        charts: charts in order.
        tables: tables in order.
        sources: the rows behind it.
    """

    slug: str
    title: str
    words: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True)
class Card:
    """One of the five numbers: what it is, its value, and what to know about it."""

    label: str
    value: str
    second_label: str
    second_value: str
    details: tuple[str, ...]


def table(
    caption: str,
    frame: pl.DataFrame,
    columns: Sequence[str] = (),
    *,
    rows: int = 20,
    headers: Mapping[str, str] | None = None,
) -> Table:
    """
    Return rows as a table to read: numbers by the unit their column's name carries.

    Args:
        caption: what the table shows.
        frame: the rows, in the order to show.
        columns: which columns, in order; all by default.
        rows: how many rows at most; the rest is in the exported files.
        headers: other headers than the columns' own.
    """
    shown = frame.select(columns or frame.columns).head(rows)
    names = _HEADERS | dict(headers or {})
    return Table(
        caption,
        tuple(_column(name, names, shown.schema[name]) for name in shown.columns),
        tuple(_cells(shown.columns, row) for row in shown.iter_rows()),
        max(0, frame.height - rows),
    )


def _column(name: str, headers: Mapping[str, str], dtype: pl.DataType) -> Column:
    is_number = dtype.is_numeric() and not name.endswith(TEXTS)
    return Column(
        headers.get(name) or _header(name), is_number, name in HASHES or name.endswith("tx_hash")
    )


def _header(name: str) -> str:
    for ending, unit in _UNITS.items():
        if name.endswith(ending):
            return f"{name.removesuffix(ending).replace('_', ' ')}, {unit}"
    plain = name.removeprefix("is_").removesuffix("_ratio")
    if name.endswith("_count"):
        return plain.removesuffix("_count").replace("_", " ") + "s"
    return plain.replace("_at", ", UTC").replace("_", " ")


def _cells(names: Sequence[str], row: Sequence[object]) -> tuple[str, ...]:
    return tuple(_cell(name, value) for name, value in zip(names, row, strict=True))


def _cell(name: str, value: Any) -> str:
    if isinstance(value, bool) or name.startswith("is_"):
        return numerals.flag(value)
    for ending, shown in _SHOWN:
        if name.endswith(ending):
            return shown(value)
    return numerals.text(value)

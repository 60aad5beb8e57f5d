"""What a report is made of: sections with words, charts, tables and the rows behind them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import polars as pl

from analytics.plain_text import shortened
from analytics.reports import numerals
from analytics.reports.chain_names import chain_name
from analytics.reports.headers import header
from analytics.reports.scope import Limits, Span

Kind = Literal["metric", "query", "facts", "check", "figure"]
Reach = tuple[float, float]

_PRICES = ("price_usd", "price_quote", "price_tokens")
# By the end of a column's name, which carries its unit; the first that fits decides.
_SHOWN: Sequence[tuple[str, Callable[[Any], str]]] = (
    *((ending, numerals.price) for ending in _PRICES),
    ("_usd", numerals.usd),
    ("_per_second", numerals.number),
    ("_per_second_squared", numerals.number),
    ("_tokens", numerals.tokens),
    ("_change_ratio", numerals.rate),
    ("carry_ratio", numerals.rate),
    ("correlation_ratio", numerals.coefficient),
    ("payoff_ratio", numerals.number),
    ("gini_ratio", numerals.coefficient),
    ("_ratio", numerals.percent),
    ("take_rate", numerals.percent),
    ("_share", numerals.percent),
    ("utilisation", numerals.percent),
    ("_8h", numerals.rate),
    ("correlation", numerals.coefficient),
    ("burstiness", numerals.coefficient),
    ("gini", numerals.coefficient),
    ("ptsr", numerals.coefficient),
    ("pmr", numerals.coefficient),
    ("significance", numerals.number),
    ("_leverage", numerals.number),
    ("absolute_bps", numerals.number),
    ("threshold_bps", numerals.number),
    ("_move_bps", numerals.number),
    ("_bps", numerals.bps),
    ("_years", numerals.number),
    ("_count", numerals.count),
    ("blocks", numerals.count),
    ("_seconds", numerals.number),
    *((name, numerals.count) for name in ("rows", "entries_read", "entries_used", "rejects")),
    ("_ms", numerals.count),
    ("milliseconds", numerals.count),
    ("seconds_off", numerals.number),
    ("moments_off", numerals.count),
    ("_at", numerals.moment),
    ("_timestamp", numerals.moment),
    ("date", numerals.day),
    ("valid_from", numerals.moment),
    ("valid_to", numerals.moment),
    ("chain_id", lambda value: numerals.UNKNOWN if value is None else chain_name(value)),
)
HASHES = frozenset(
    {
        "account",
        "counterparty",
        "feed",
        "reference_feed",
        "other_feed",
        "loan",
        "pool",
    }
)
TEXTS = ("_at", "_timestamp", "date", "valid_from", "valid_to", "chain_id")


@dataclass(frozen=True)
class Source:
    """
    Rows behind a section, as they are exported.

    Attributes:
        name: name of the exported files.
        kind: metric, query, facts, check (what must hold of the facts) or figure (of a study).
        asked: name of the metric, query, table or figure.
        settings: values of its settings or parameters.
        frame: the rows, exact.
        between: the time its facts are from; the report's where it is None.
        with_past: whether its facts are also from before the report's start.
        is_summed: whether its rows are made of several of the metric's.
        limits: what it is limited to; as the report where it is None.
    """

    name: str
    kind: Kind
    asked: str
    frame: pl.DataFrame
    settings: Mapping[str, object] = field(default_factory=dict)
    between: Span | None = None
    with_past: bool = False
    is_summed: bool = False
    limits: Limits | None = None


@dataclass(frozen=True)
class Column:
    """One column of a table: its name and header, and how its cells are set."""

    name: str
    header: str
    is_number: bool
    is_hash: bool


@dataclass(frozen=True)
class Cell:
    """
    One value as readers see it.

    Attributes:
        text: rounded, with separators.
        short: for the page: four digits and a letter, long names cut.
        exact: every digit.
        rank: its place in its column from the smallest on; None where it is not known.
    """

    text: str
    short: str
    exact: str
    rank: int | None = None


@dataclass(frozen=True)
class Table:
    """
    A table as a reader sees it.

    Attributes:
        caption: what it shows.
        columns: its columns.
        rows: its cells, finished.
        left_out: how many more rows there are.
        source: the rows it was made from.
        keys: the columns that tell its rows apart, where a column does; two tables are compared
            row by row with them.
        frame: the rows it shows, before they were text, with all their columns; of two that are
            laid side by side only the first, on this side.
        beside: the other side, with a source, keys and a frame of its own.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    left_out: int = 0
    source: Source | None = None
    keys: tuple[str, ...] = ()
    frame: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False, compare=False)
    beside: "Table | None" = None


@dataclass(frozen=True)
class Chart:
    """
    A chart.

    Attributes:
        name: the name of its files.
        caption: what it shows.
        draw: draws it for a page and for a phone, as SVG, its axis of values as far as it reaches.
        source: the rows it was made from.
        reach: the least and the most of its values, zero between them; None where it has no axis.
        shown: what its axis reaches to instead; its own values where nothing is said.
        traced: rows of a metric to trace in place of the source, where that is of none.
    """

    name: str
    caption: str
    draw: Callable[[Reach | None], tuple[str, str]] = field(repr=False, compare=False)
    source: Source
    reach: Reach | None = None
    shown: Reach | None = None
    traced: Source | None = None

    @property
    def svg(self) -> str:
        """The drawing for a page and a file."""
        return self._drawn[0]

    @property
    def narrow(self) -> str:
        """The drawing for a phone."""
        return self._drawn[1]

    @cached_property
    def _drawn(self) -> tuple[str, str]:
        # Only now: a chart that is laid beside another reaches as far as both.
        return self.draw(self.shown)


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
class Origin:
    """
    Which rows of a metric a number of a card is.

    Attributes:
        metric: the metric.
        where: which row of it; empty where the number is made of all of them.
        settings: settings of the metric.
        with_past: whether the metric looks back before the report's start.
        said: which number; empty where it is the first of its card.
        limits: what it is limited to; as the report where it is None.
        is_empty: whether there is no row to trace.
    """

    metric: str
    where: Mapping[str, object] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    with_past: bool = False
    said: str = ""
    limits: Limits | None = None
    is_empty: bool = False


@dataclass(frozen=True)
class Card:
    """
    One of the numbers that matter.

    Attributes:
        label: what it is.
        value: the number, rounded.
        second_label: what the number beside it is.
        second_value: the number beside it, rounded.
        details: what to know about it.
        short: the number as a page shows it; empty where that is how it is rounded.
        exact: the number with every digit; empty where there is no more to say.
        second_short: as `short`, of the number beside it.
        second_exact: as `exact`, of the number beside it.
        origins: where its numbers come from, the first of them first; one that tells both is told
            once.
        change: how it changed against what the report compares with; empty without a comparison.
    """

    label: str
    value: str
    second_label: str
    second_value: str
    details: tuple[str, ...]
    short: str = ""
    exact: str = ""
    second_short: str = ""
    second_exact: str = ""
    origins: tuple[Origin, ...] = ()
    change: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """
    Everything a page shows.

    Attributes:
        title: what the page is about.
        extent: first and last moment of what it rests on, in words.
        stamp: what kind of data it rests on.
        is_simulated: whether any of it is simulated.
        kinds: where each chain's rows came from, by chain name.
        warnings: what a reader must know first.
        cards: the numbers a person would ask for.
        sections: the rest, in order.
        methods: kind, name and explanation of each metric and query used.
        limits: what it is limited to.
        compared: what changes are against, in a sentence; empty without a comparison.
        against: the same in a few words; empty without a comparison.
        is_comparison: whether it lays two reports side by side.
    """

    title: str
    extent: str
    stamp: str
    is_simulated: bool
    kinds: Mapping[str, str]
    warnings: tuple[str, ...]
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    methods: tuple[tuple[str, str, str], ...]
    limits: Limits = field(default_factory=Limits)
    compared: str = ""
    against: str = ""
    is_comparison: bool = False


def table(
    caption: str,
    frame: pl.DataFrame,
    columns: Sequence[str] = (),
    *,
    rows: int = 20,
    headers: Mapping[str, str] | None = None,
    source: Source | None = None,
    keys: Sequence[str] = (),
    nothing: Mapping[str, str] | None = None,
) -> Table:
    """
    Return rows as a table to read: numbers by the unit their column's name carries.

    Args:
        caption: what the table shows.
        frame: the rows, in the order to show.
        columns: which columns, in order; all by default.
        rows: how many rows at most; the rest is in the exported files.
        headers: other headers than the columns' own.
        source: the rows behind it, for a link to how they were made.
        keys: the columns that tell its rows apart.
        nothing: what null says in a column where it is known, in words; it is n/k in others.
    """
    shown = frame.select(columns or frame.columns).head(rows)
    names, said = headers or {}, nothing or {}
    cells = [_cells(name, shown[name].to_list(), said.get(name)) for name in shown.columns]
    return Table(
        caption,
        tuple(_column(name, names, shown.schema[name]) for name in shown.columns),
        tuple(zip(*cells, strict=True)),
        max(0, frame.height - rows),
        source,
        tuple(keys),
        frame,
    )


def _column(name: str, headers: Mapping[str, str], dtype: pl.DataType) -> Column:
    is_number = dtype.is_numeric() and not name.endswith(TEXTS)
    is_hash = name in HASHES or name.endswith("tx_hash")
    return Column(name, headers.get(name) or header(name), is_number, is_hash)


def ranks(values: Sequence[Any]) -> list[int | None]:
    """Return the place of each value among the known ones, from the smallest on."""
    known = sorted({value for value in values if value is not None})
    places = {value: place for place, value in enumerate(known)}
    return [None if value is None else places[value] for value in values]


def cell(name: str, value: Any) -> Cell:
    """Return a value as the name of its column says it is shown."""
    return Cell(_text(name, value), _short(name, value), numerals.exact(value))


def _cells(name: str, values: Sequence[Any], nothing: str | None) -> list[Cell]:
    pairs = zip(values, ranks(values), strict=True)
    return [
        Cell(nothing, nothing, nothing)
        if nothing is not None and value is None
        else replace(cell(name, value), rank=rank)
        for value, rank in pairs
    ]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or name.startswith("is_"):
        return numerals.flag(value)
    for ending, shown in _SHOWN:
        if name.endswith(ending):
            return shown(value)
    return numerals.text(value)


def _short(name: str, value: Any) -> str:
    if isinstance(value, Decimal | float) and not name.endswith(_PRICES):
        for ending, places in (("_usd", 2), ("_tokens", 4)):
            if name.endswith(ending):
                return numerals.short(Decimal(value), places)
    if isinstance(value, datetime):
        return numerals.clock(value)
    text = _text(name, value)
    is_whole = name in HASHES or name.endswith(("tx_hash", "source"))
    return text if is_whole or not isinstance(value, str) else shortened(text)

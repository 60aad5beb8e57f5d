"""
From a row of a metric or query back to its facts, proven by computing the row from them again.

Nothing is registered: which facts a row rests on is read off its columns. Keys that the row shares
with a table say whose facts they are; `date`, `bucket_at` or `block_timestamp` say when; a setting
that begins with `window` widens that. What this leaves is tried, from the narrowest to the widest,
and accepted only when what is computed of these facts and no others has the row again, to the last
digit. A row that nothing fits rests on everything, which is never wrong, only long.

Where a row needs what was before its period (a level that holds until it changes, the latest price
of another source), the past is cut piece by piece, the oldest first. A piece goes only if the row
stays what it is without it, and with either half of it: facts that cancel out are not left out.

Several rows together rest on the facts of what they share, keys and time, and are proven alike.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from hashlib import sha256

import polars as pl

from analytics.computations import Computation
from analytics.compute import Load, collected
from analytics.errors import WorldError
from analytics.expressions import EVENT_ORDER, INSTANT

Facts = Mapping[str, pl.DataFrame]

_EVENT = ("chain_id", *EVENT_ORDER)
_MOMENT = "block_timestamp"
_TIMES = ("date", "bucket_at", _MOMENT)
# Whole numbers that the rows of a metric are told apart by, as others are by names.
_STEPS = frozenset({"event", "gap_seconds", "lag_days", "share_percent"})
# How often the past of one table is cut; each time the metric is computed up to three times.
_CUTS = 64
# Up to so many facts it costs less to compute all rows than to leave out those of other keys.
_FEW = 10_000
# Where in its table a fact stands, while the table is narrowed.
_PLACE = "_place"


@dataclass(frozen=True)
class Question:
    """
    One row, and how it is computed.

    Attributes:
        computed: how.
        row: one of its rows, all columns.
        column: the one number asked about; None for all of the row.
    """

    computed: Computation
    row: pl.DataFrame
    column: str | None = None

    def is_answered_by(self, facts: Facts) -> bool:
        """Tell whether what is computed of these facts, and no others, has the very same row."""
        again, of_row = self.computed.rows(lambda table: facts[table].lazy()), self._is_the_row
        # A condition that is pushed down parts what the branches of a plan have in common.
        is_few = _height(facts) <= _FEW
        found = collected(again).filter(of_row) if is_few else collected(again.filter(of_row))
        wanted = self.row.select(self._compared())
        return any(
            found[at].select(wanted.columns).equals(wanted, null_equal=True)
            for at in range(found.height)
        )

    @cached_property
    def _is_the_row(self) -> pl.Expr:
        keys = [name for name, dtype in self.row.schema.items() if _is_key(name, dtype)]
        return _equals(self.row, {name: name for name in keys})

    def _compared(self) -> list[str]:
        return self.row.columns if self.column is None else [self.column]

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """When the row's own facts happened, the end excluded; None where no column says it."""
        told = {name: self.row[name].item() for name in _TIMES if name in self.row.columns}
        match told:
            case {"block_timestamp": datetime() as moment}:
                return moment, moment + INSTANT
            case {"bucket_at": datetime() as moment}:
                seconds = self.computed.settings.get("bucket_seconds")
                if isinstance(seconds, int):
                    return moment, moment + timedelta(seconds=seconds)
            case {"date": date() as day}:
                first = datetime.combine(day, time.min)
                return first, first + timedelta(days=1)
        return None

    @property
    def window(self) -> timedelta | None:
        """How far the row looks beyond its own moment; None where no setting says it."""
        lengths = [
            timedelta(**{name.rpartition("_")[2]: value})
            for name, value in self.computed.settings.items()
            if name.startswith("window")
            and name.endswith(("_days", "_seconds"))
            and isinstance(value, int)
        ]
        return max(lengths, default=None)


@dataclass(frozen=True)
class Together:
    """
    Several rows, for a number that is made of all of them.

    Attributes:
        computed: how they are computed.
        rows: the rows, one or more, all columns.
        kept: which of all rows these are.
    """

    computed: Computation
    rows: pl.DataFrame
    kept: pl.Expr

    def is_answered_by(self, facts: Facts) -> bool:
        """Tell whether what is computed of these facts, and no others, has the very same rows."""
        again = self.computed.rows(lambda table: facts[table].lazy())
        return collected(again.filter(self.kept)).equals(self.rows, null_equal=True)

    @property
    def shared(self) -> Question:
        """The question about what all rows have in common."""
        same = [name for name in self.rows.columns if self.rows[name].n_unique() == 1]
        return self._question(self.rows.select(same).head(1))

    @property
    def times(self) -> Iterator[pl.Expr]:
        """When the facts happened, from the first row's period to the last one's."""
        name = next((each for each in _TIMES if each in self.rows.columns), None)
        if name is None or self.rows[name].has_nulls():
            return
        ends = self.rows.select(name).sort(name)
        first, last = self._question(ends.head(1)), self._question(ends.tail(1))
        if first.period is None or last.period is None:
            return
        moment, back = pl.col(_MOMENT), first.window or timedelta()
        ahead = timedelta() if name == "date" else back
        yield (moment >= first.period[0] - back) & (moment < last.period[1] + ahead)

    def _question(self, row: pl.DataFrame) -> Question:
        return Question(self.computed, row)


def traced_together(asked: Together, load: Load) -> dict[str, pl.DataFrame]:
    """
    Return the facts that rows rest on together, by table; from them alone all rows come again.

    Args:
        asked: the rows.
        load: returns a fact table by name; what is computed of these tables has the rows.

    Raises:
        WorldError: the rows cannot be computed again from the facts they were computed from.
    """
    tables, shared = asked.computed.tables, asked.shared
    for span in (*asked.times, pl.lit(value=True)):
        facts = {table: _guess(shared, load(table), span).collect() for table in tables}
        if asked.is_answered_by(facts):
            return facts
    facts = {table: load(table).collect() for table in tables}
    if not asked.is_answered_by(facts):
        raise _unsteady(asked.computed.name)
    return facts


def traced(asked: Question, load: Load) -> dict[str, pl.DataFrame]:
    """
    Return the facts a row rests on, by table; from them alone it is computed again.

    Args:
        asked: the row.
        load: returns a fact table by name; what is computed of these tables has the row.

    Raises:
        WorldError: the row cannot be computed again from the facts it was computed from.
    """
    tables = asked.computed.tables
    guesses = [
        {table: _guess(asked, load(table), span).collect() for table in tables}
        for span in list(_spans(asked)) or [pl.lit(value=True)]
    ]
    for guess in sorted(guesses, key=_height):
        if asked.is_answered_by(guess):
            return guess
    facts = {table: load(table).collect() for table in tables}
    if not asked.is_answered_by(facts):
        raise _unsteady(asked.computed.name)
    for table in tables:
        facts[table] = _narrowed(asked, facts, table)
    return facts


def _unsteady(name: str) -> WorldError:
    return WorldError(
        f"{name} gave other rows when it was computed again from all its facts: "
        "a trace would be wrong, so there is none; this is a defect of what is computed"
    )


def _narrowed(asked: Question, facts: Facts, table: str) -> pl.DataFrame:
    """Return the least of a table's rows that suffice beside the rows of all other tables."""
    whole = facts[table].with_row_index(_PLACE)
    # Each of these is a part of the whole, which is known to suffice; many come up more than once.
    known = {_identity(whole): True}

    def suffices(rows: pl.DataFrame) -> bool:
        which = _identity(rows)
        if which not in known:
            known[which] = asked.is_answered_by({**facts, table: rows.drop(_PLACE)})
        return known[which]

    if asked.column is not None and suffices(whole.clear()):
        return facts[table].clear()
    whose = _whose(asked, whole, suffices)
    return _when(asked, whose, suffices).drop(_PLACE)


def _identity(rows: pl.DataFrame) -> bytes:
    """Return what no other choice of the rows of a table has, in whatever order they stand."""
    return sha256(rows[_PLACE].sort().to_numpy().tobytes()).digest()


def _whose(
    asked: Question, whole: pl.DataFrame, suffices: Callable[[pl.DataFrame], bool]
) -> pl.DataFrame:
    names = _shared(asked.row, whole.schema)
    narrowest = whole.filter(_is_same(asked.row, names, whole.schema))
    if suffices(narrowest):
        return narrowest
    kept: list[str] = []
    for name in names:
        if suffices(whole.filter(_is_same(asked.row, [*kept, name], whole.schema))):
            kept.append(name)
    return whole.filter(_is_same(asked.row, kept, whole.schema))


def _when(
    asked: Question, rows: pl.DataFrame, suffices: Callable[[pl.DataFrame], bool]
) -> pl.DataFrame:
    if asked.period is None or _MOMENT not in rows.columns:
        return rows
    moment, (start, end) = pl.col(_MOMENT), asked.period
    spans = [rows.filter(within) for within in _spans(asked)]
    for inside in sorted(spans, key=lambda frame: frame.height):
        if suffices(inside):
            return inside
    if not suffices(rows.filter(moment < end)):
        return rows
    past = rows.filter(moment < start).sort(_MOMENT, *_EVENT)
    return _cut(past, rows.filter(moment >= start, moment < end), suffices)


def _cut(
    past: pl.DataFrame, present: pl.DataFrame, suffices: Callable[[pl.DataFrame], bool]
) -> pl.DataFrame:
    """Return the present, and of the past what cannot be left out, the oldest tried first."""
    length, cuts = past.height, 0
    while length > 1 and cuts < _CUTS:
        length, at = (length + 1) // 2, 0
        while at < past.height and cuts < _CUTS:
            piece, rest = past[at : at + length], pl.concat([past[:at], past[at + length :]])
            halves = [piece[::2], piece[1::2]] if piece.height > 1 else []
            cuts += 1
            if all(suffices(pl.concat([rest, half, present])) for half in (piece.clear(), *halves)):
                past = rest
            else:
                at += length
    return pl.concat([past, present])


def _guess(asked: Question, table: pl.LazyFrame, span: pl.Expr) -> pl.LazyFrame:
    schema = table.collect_schema()
    rows = table.filter(_is_same(asked.row, _shared(asked.row, schema), schema))
    return rows.filter(span) if _MOMENT in schema else rows


def _height(facts: Facts) -> int:
    return sum(frame.height for frame in facts.values())


def _spans(asked: Question) -> Iterator[pl.Expr]:
    """
    Yield what the row's period and window may mean: in it, before, after or around it.

    A window of days ends with the row's own. What comes after a row is none of its facts, though it
    gives the row as well where what was before adds up to nothing.
    """
    if asked.period is None:
        return
    (start, end), window = asked.period, asked.window
    match window:
        case None:
            spans = [(start, end)]
        case _ if "date" in asked.row.columns:
            spans = [(end - window, end), (start - window, end)]
        case _:
            around = (start - window, start + window)
            spans = [(end - window, end), (start, start + window), around]
    for first, stop in spans:
        yield (pl.col(_MOMENT) >= first) & (pl.col(_MOMENT) < stop)


def _shared(row: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> list[str]:
    return [
        name
        for name in row.columns
        if name in schema and name != _MOMENT and _is_key(name, row.schema[name])
    ]


def _is_same(row: pl.DataFrame, names: list[str], schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Whether a fact is of the row's own keys, or of a second set of them: `reference_feed`."""
    own = {name: name for name in names}
    others = _prefixed(row, schema).values() if names else ()
    return pl.any_horizontal(_equals(row, pairs) for pairs in (own, *others))


def _equals(row: pl.DataFrame, pairs: Mapping[str, str]) -> pl.Expr:
    same = (
        pl.col(key).eq_missing(pl.lit(row[name].item(), row.schema[name]))
        for key, name in pairs.items()
    )
    return pl.all_horizontal(pl.lit(value=True), *same)


def _prefixed(row: pl.DataFrame, schema: Mapping[str, pl.DataType]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name in row.columns:
        for key in schema:
            if name.endswith(f"_{key}") and name not in schema and _is_key(key, row.schema[name]):
                found.setdefault(name.removesuffix(key), {})[key] = name
    return {prefix: pairs for prefix, pairs in found.items() if "protocol" in pairs}


def _is_key(name: str, dtype: pl.DataType) -> bool:
    """Whether a column says which row this is; any other integer than these is a number."""
    if dtype.is_integer():
        return name in _STEPS or name.endswith(("_id", "_number", "_index"))
    return not dtype.is_numeric() and not dtype.is_nested()

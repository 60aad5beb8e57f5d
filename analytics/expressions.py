"""
The expressions metrics share: exact sums that keep unknown apart from zero, one float division.

Two kinds of sums, because null means "not known":

    known_total   adds what is known: a lower bound, shown beside a count of the unknown rows
    whole_total   null as soon as one addend is unknown: for numbers that divide or balance

What is told as an absolute value, by several tellers of one sum, is added up as its changes: a
level at any moment is the sum of the changes before it (`changes_by_day`, `level`).
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import inf

import polars as pl

CENTURY_DAYS = 36_600
_CENTURY_SECONDS = CENTURY_DAYS * 86_400
CENTURY_MILLISECONDS = _CENTURY_SECONDS * 1_000
_YEAR_DAYS = 365

# The resolution of times in the database: what ends an instant earlier ends before.
INSTANT = timedelta(microseconds=1)

EVENT_ORDER = ("block_number", "log_index", "item_index", "tx_hash")

# What a protocol keeps of a fee, also where nobody tells how treasury and holders share it.
REVENUE = pl.col("fee_usd") - pl.col("supply_side_usd")

# What is read at a block has a log index below zero and comes after what the block logged.
STATE_ORDER = ("block_number", pl.col("log_index") < 0, *EVENT_ORDER[1:])

# A price by a fund's terms stands for every day alike: it says nothing of what a share earned.
IS_MEASURED = pl.col("evidence") != "assumed"

# The last moment of `date`: what is of the next midnight is of the next day.
END_OF_DAY = pl.col("date").cast(pl.Datetime("us")) + pl.duration(days=1, microseconds=-1)

# A pool and the asset it is told in, of which it may have several.
POOL = ("chain_id", "protocol", "pool", "asset_token")

# Kinds of `pool_flows` that bring money into a pool, and that take it out.
INTO_POOL, OUT_OF_POOL = ("deposit", "mint"), ("withdrawal", "redemption")


def check(setting: str, value: float, *, least: float, most: float = _CENTURY_SECONDS) -> None:
    """Raise ValueError unless a setting is between two bounds; the most is a century of seconds."""
    if not value >= least:
        raise ValueError(f"{setting} must be at least {least}, got {value}")
    if value > most:
        raise ValueError(f"{setting} must be at most {most}, got {value}")


def check_positive(setting: str, value: float, *, most: float = inf) -> None:
    """Raise ValueError unless a setting is above zero, a number, and no more than the most."""
    if not value > 0:
        raise ValueError(f"{setting} must be positive, got {value}")
    check(setting, value, least=0, most=most)


def check_named(setting: str, value: str, known: Sequence[str]) -> None:
    """Raise ValueError unless a setting is one of some names."""
    if value not in known:
        raise ValueError(f"{setting} must be one of {', '.join(known)}, got {value}")


def known_total(value: pl.Expr) -> pl.Expr:
    """Return the sum of the known values; null where there are rows and none is known."""
    return _where_known(value, value.sum())


def whole_total(value: pl.Expr) -> pl.Expr:
    """Return the sum of all values; null as soon as one of them is unknown."""
    return pl.when(value.null_count() == 0).then(value.sum())


def row_count() -> pl.Expr:
    """Return the number of rows of a group, Int64 like a count in SQL."""
    return pl.len().cast(pl.Int64)


def unknown_count(column: str) -> pl.Expr:
    """Return how many rows of a group do not know a column, Int64."""
    return pl.col(column).null_count().cast(pl.Int64)


def distinct_count(column: str) -> pl.Expr:
    """Return how many different values rows know of a column, Int64; null where none knows any."""
    value = pl.col(column)
    return _where_known(value, value.drop_nulls().n_unique().cast(pl.Int64))


def account_count() -> pl.Expr:
    """Return how many accounts a group knows, as `distinct_count`; each chain has its own ones."""
    value = pl.col("account")
    accounts = pl.struct("chain_id", "account").filter(value.is_not_null())
    return _where_known(value, accounts.n_unique().cast(pl.Int64))


def _where_known(value: pl.Expr, answer: pl.Expr) -> pl.Expr:
    """Return what is said of a group; null where it has rows and none knows the value."""
    return pl.when((value.count() > 0) | (value.len() == 0)).then(answer)


def divided(numerator: pl.Expr, denominator: pl.Expr | float) -> pl.Expr:
    """
    Return a division of Float64 as IEEE 754 has it, rounded once.

    Where one denominator serves many rows, Polars multiplies by its inverse, which rounds twice. It
    does so for a literal, and also where a join brings all rows of a piece the same single row: a
    number's last digit would depend on what lies beside it, and on how rows are cut into pieces.
    """
    above = numerator.cast(pl.Float64)
    below = denominator.cast(pl.Float64) if isinstance(denominator, pl.Expr) else denominator
    return above / (above * 0 + below)


def raised(base: pl.Series, exponent: pl.Series) -> pl.Series:
    """
    Return a power of Float64 as C has it.

    In a piece of one row Polars multiplies by itself what is raised to a small whole number, which
    rounds every time: a number's last digit would depend on how rows are cut into pieces.
    """
    return base.extend_constant(1.0, 1).pow(exponent.extend_constant(1.0, 1)).head(-1)


def powered(base: pl.Expr, exponent: pl.Expr) -> pl.Expr:
    """Return a power of Float64 as `raised` does."""
    return pl.map_batches(
        [base, exponent],
        lambda pair: raised(pair[0], pair[1]),
        return_dtype=pl.Float64,
        is_elementwise=True,
    )


def ratio(numerator: pl.Expr, denominator: pl.Expr) -> pl.Expr:
    """Return the one float division of two exact sums; null unless the denominator is positive."""
    return pl.when(denominator > 0).then(divided(numerator, denominator))


def millionths(whole: pl.Expr) -> pl.Expr:
    """Return whole millionths, of a second or of a dollar, as Float64: one division of integers."""
    return divided(whole, 1_000_000)


def seconds_between(first: str, last: str) -> pl.Expr:
    """Return the time from one column of moments to another, in seconds, Float64."""
    return millionths((pl.col(last) - pl.col(first)).dt.total_microseconds())


def day() -> pl.Expr:
    """Return the UTC day of an event as `date`."""
    return pl.col("block_timestamp").dt.date().alias("date")


def place() -> pl.Expr:
    """
    Return where an event is on its chain as one number, in the order of EVENT_ORDER, Int128.

    No transaction is in it, which would have to be read: nothing is declared on a chain whose log
    indexes restart inside a block, and places of trades are their numbers.
    """
    block, log, item = (pl.col(name).cast(pl.Int128) for name in EVENT_ORDER[:3])
    return block * 2**64 + log * 2**32 + item


def progress() -> pl.Expr:
    """
    Return what orders changes of one side of a position in one moment where `place` does not.

    A venue that is no EVM chain numbers its trades in no order, and one order is filled by many of
    them at once: what is taken off leaves less with each, what is added more. Null on chains.
    """
    size = pl.col("size_tokens")
    left = pl.when(pl.col("size_delta_tokens") < 0).then(-size).otherwise(size)
    return pl.when(pl.col("chain_id") < 0).then(left)


def bucket(seconds: int) -> pl.Expr:
    """
    Return the start of the bucket an event falls into, counted from 1970-01-01, as `bucket_at`.

    Raises:
        ValueError: seconds is below 1 or longer than a century.
    """
    check("bucket_seconds", seconds, least=1)
    return pl.col("block_timestamp").dt.truncate(f"{seconds}s").alias("bucket_at")


def trailing(
    flows: pl.LazyFrame, keys: Sequence[str], columns: Sequence[str], window_days: int
) -> pl.LazyFrame:
    """
    Return what flowed over the days up to each day: sums over (date - window_days, date].

    Args:
        flows: one row per flow: keys, date, columns (Decimal); a column may be zero in a row.
        keys: whose flows they are.
        columns: what is summed; null as soon as one addend is unknown.
        window_days: how many UTC days count, the day itself being the last of them.

    Returns:
        One row per key and day with a flow, sorted.

    Raises:
        ValueError: window_days is below 1 or above 36,600.
    """
    check("window_days", window_days, least=1, most=CENTURY_DAYS)
    sums = [whole_total(pl.col(name)).alias(name) for name in columns]
    return (
        flows.group_by(*keys, "date")
        .agg(sums)
        .sort(*keys, "date")
        .rolling("date", period=f"{window_days}d", group_by=list(keys))
        .agg(sums)
        .sort(*keys, "date")
    )


def where_told(
    rows: pl.LazyFrame,
    columns: Sequence[str],
    fact: str,
    events: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
) -> pl.LazyFrame:
    """
    Return rows, in order, with columns null where nothing that is indexed could tell of a fact.

    No event is a measured zero only of a protocol whose declarations would have told of one.

    Args:
        rows: rows with protocol and the columns.
        columns: what sums up the fact.
        fact: the table of facts.
        events: rows of the fact, with protocol: who has some can tell of them.
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact.
    """
    declared = declared_facts.filter(pl.col("fact") == fact)
    tellers = pl.concat([declared.select("protocol"), events.select("protocol")])
    return where_any(rows, columns, tellers, ["protocol"])


def where_any(
    rows: pl.LazyFrame, columns: Sequence[str], others: pl.LazyFrame, keys: Sequence[str]
) -> pl.LazyFrame:
    """Return rows, in order, with columns null where no row of others has their keys."""
    there = others.select(keys).unique().with_columns(is_there=pl.lit(value=True))
    return (
        rows.join(there, on=keys, how="left", maintain_order="left")
        .with_columns(pl.when("is_there").then(pl.col(columns)))
        .drop("is_there")
    )


def annualised(column: str, window_days: int) -> pl.Expr:
    """Return the sum of a window as a year's, Float64; null until `first_on` is a window ago."""
    reached = (pl.col("date") - pl.col("first_on")).dt.total_days() + 1
    year = pl.col(column).cast(pl.Float64) * _YEAR_DAYS
    return pl.when(reached >= window_days).then(divided(year, window_days))


def moment(setting: str, text: str) -> datetime:
    """
    Return the UTC time an ISO text says, or a notebook's datetime; without an offset it is UTC.

    Raises:
        ValueError: the text is no time.
    """
    try:
        said = datetime.fromisoformat(str(text))
        return said.astimezone(UTC).replace(tzinfo=None) if said.tzinfo else said
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{setting} must be a time like 2025-10-10T21:15:00, got {text}"
        ) from error


def window(event_start: str, event_end: str) -> tuple[datetime, datetime]:
    """
    Return the first moment of an event and the first one after it.

    Raises:
        ValueError: one of the texts is no time, or the event ends before it begins.
    """
    start, end = moment("event_start", event_start), moment("event_end", event_end)
    if start >= end:
        raise ValueError(f"event_end must be after event_start, got {event_start} and {event_end}")
    return start, end


def changes_by_day(states: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """
    Return by day how much a value moved that pools, or parts of them, tell as it stands.

    Args:
        states: a frame of `pool_states`.
        column: the value, absolute after each event, null where an event is silent about it.

    Returns:
        One row per day and pool where it was told: own_change (of the pool itself), parts_change
        (of its parts), Decimal; null where none of them spoke.
    """
    is_own = pl.col("part") == pl.col("pool")
    value = pl.col(column)
    change = (value - value.shift(1).fill_null(0)).over([*POOL, "part"])
    return (
        states.filter(value.is_not_null())
        .sort(STATE_ORDER)
        .with_columns(change=change)
        .group_by(day(), *POOL)
        .agg(
            own_change=pl.when(is_own.any()).then(pl.col("change").filter(is_own).sum()),
            parts_change=pl.when(~is_own.all()).then(pl.col("change").filter(~is_own).sum()),
        )
    )


def level(change: str, keys: Sequence[str]) -> pl.Expr:
    """Return the sum of changes so far in sorted rows; null before the first known one."""
    is_begun = pl.col(change).is_not_null().cum_sum() > 0
    return pl.when(is_begun.over(keys)).then(pl.col(change).fill_null(0).cum_sum().over(keys))


def pool_level() -> pl.Expr:
    """Return what a pool told of itself so far, else what its parts told: never both."""
    return pl.coalesce(level("own_change", POOL), level("parts_change", POOL))


def held(open_interest: pl.Expr) -> pl.Expr:
    """
    Return open interest, null where it is less than nothing.

    Changes alone come to that where what was open before them is missing: nobody holds less.
    """
    return pl.when(open_interest >= 0).then(open_interest)

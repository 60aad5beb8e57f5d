"""
Prices as of a moment: what each source of an asset said last, and how far two prices are apart.

A source is a feed of a protocol on a chain. What it says in one second counts as known in that
second, and of several prices in one second the last one counts.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta

import polars as pl

from analytics.expressions import divided, place, ratio

SOURCE = ("chain_id", "protocol", "feed")
PAIR = ("asset", "quote")
# What one source says of one asset in one quote is a series of prices.
SERIES = (*PAIR, *SOURCE)
REFERENCE = tuple(f"reference_{name}" for name in SOURCE)

MICROSECONDS = 1_000_000

DOLLAR = "USD"
# What an amount may be told in that is no token, as the share prices of many funds are.
_CURRENCIES = (DOLLAR, "EUR", "GBP", "CHF", "ETH")

# The words in place of a quote where a feed tells no price, as in `queries/parts/unpriced.sql`.
UNPRICED = (
    *("DOWN", "HEALTH", "STATUS"),  # a state, which moves by all of itself
    *("AUM", "COUNT", "MARKET CAP", "RESERVES"),  # how much there is of something
    *("INDEX", "LEVEL", "PERCENT", "RATE", "RATIO"),  # a statistic
    "UNSTATED",  # nobody says what
)
# NAV and SHARE PRICE are none of them: what a share is worth moves and compares as a price does.
IS_PRICE = ~pl.col("quote").is_in(UNPRICED)

_MARKET = ("chain_id", "protocol", "market")


def latest_prices(oracle_updates: pl.LazyFrame, *, by: Sequence[str] = SERIES) -> pl.LazyFrame:
    """
    Return the last price of every source and second in which it spoke.

    Args:
        oracle_updates: one row per update.
        by: what tells sources apart.

    Returns:
        One row per source and second: the columns of `by`, price_at, price_quote (Decimal), and
        seen_at, when the source says it saw the price or else the time of the block.
    """
    # The last of each group is found without sorting all rows, in a quarter of the time.
    return oracle_updates.group_by(*by, price_at="block_timestamp").agg(
        price_quote=pl.col("oracle_price_quote").max_by(place()),
        seen_at=pl.coalesce("observed_at", "block_timestamp").max_by(place()),
    )


def is_current(tolerance_seconds: int) -> pl.Expr:
    """
    Return whether an update was news when it was told: what is read at a block may be long past.

    Args:
        tolerance_seconds: how long before it was read a source may have seen its price, inclusive.
    """
    return is_seen_since(pl.col("block_timestamp") - timedelta(seconds=tolerance_seconds))


def is_seen_since(moment: pl.Expr) -> pl.Expr:
    """Return whether an update was logged, or its source saw what is read from a moment on."""
    is_recent = (pl.col("observed_at") >= moment).fill_null(value=True)
    return (pl.col("log_index") >= 0) | is_recent


def told_of(updates: pl.LazyFrame, asked: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """
    Return the updates whose column is one of those asked about, as a semi join would.

    What is asked about is known before an update is read: where there is nothing of it none is, and
    a table that has none of it is read by this column alone.

    Args:
        updates: rows with the column, and only what is needed of them.
        asked: rows with the column; fewer by far.
        name: the column.
    """
    schema = updates.collect_schema()

    def read(keys: pl.DataFrame) -> pl.DataFrame:
        wanted = keys[name].drop_nulls()
        if wanted.is_empty():
            return schema.to_frame()
        return updates.filter(pl.col(name).is_in(wanted.implode())).collect(engine="streaming")

    return asked.select(name).unique().map_batches(read, schema=schema)


def with_symbols(amounts: pl.LazyFrame, tokens: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return amounts with the symbol of what they are told in, upper case, and how it is known.

    A currency is no token: it is its own symbol, which the declaration states.

    Args:
        amounts: rows with chain_id and token.
        tokens: the table.

    Returns:
        The rows with symbol and symbol_known_by; null where nobody named the token.
    """
    symbols = tokens.group_by("chain_id", pl.col("address").alias("token")).agg(
        symbol=pl.col("symbol").str.to_uppercase().max(),
        symbol_known_by=pl.col("known_by").max(),
    )
    is_currency = pl.col("token").is_in(_CURRENCIES)
    known_by = pl.when(is_currency).then(pl.lit("declaration"))
    return amounts.join(symbols, on=["chain_id", "token"], how="left").with_columns(
        symbol=pl.when(is_currency).then("token").otherwise("symbol"),
        symbol_known_by=known_by.otherwise("symbol_known_by"),
    )


def assets_of(markets: pl.LazyFrame) -> pl.LazyFrame:
    """Return asset and index_token of each market; null where its symbol or token is not known."""
    symbol = pl.col("symbol").str.to_uppercase()
    return markets.group_by(_MARKET).agg(
        asset=symbol.max(), index_token=pl.col("index_token").max()
    )


def of_own_feeds(markets: pl.LazyFrame, told: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return what the venue's own feeds tell of each market.

    A venue may price two tokens of one asset, or have a second price to check with: the feed of the
    market's own index token, or of its own number, is the one it uses from when it first speaks.

    Args:
        markets: the table.
        told: rows with chain_id, protocol, asset, feed and block_timestamp; asset null while it is
            unknown.

    Returns:
        The rows with market, index_token and used_until, once for each market of their asset; null
        where it is still the one, else when the market's own first spoke.
    """
    feed, own_at = pl.col("feed"), pl.col("own_at")
    is_index = (feed == pl.col("index_token")).fill_null(value=False) | (feed == pl.col("market"))
    return (
        assets_of(markets)
        .join(told, on=["chain_id", "protocol", "asset"])
        .with_columns(own_at=pl.when(is_index).then("block_timestamp"))
        .with_columns(used_until=pl.when(own_at.is_null()).then(own_at.min().over(_MARKET)))
        .drop("own_at")
    )


def is_used() -> pl.Expr:
    """Return whether a market used a feed of `of_own_feeds` at the moment of a row."""
    until = pl.col("used_until")
    return until.is_null() | (pl.col("block_timestamp") < until)


def with_reference_names(sources: pl.LazyFrame) -> pl.LazyFrame:
    """Return a frame whose sources have the names of references."""
    return sources.rename(dict(zip(SOURCE, REFERENCE, strict=True)))


def as_reference(prices: pl.LazyFrame, *more: str) -> pl.LazyFrame:
    """Return latest prices under the names of a reference: reference_price_quote, reference_at."""
    return prices.select(
        *PAIR,
        *(pl.col(name).alias(f"reference_{name}") for name in (*SOURCE, *more)),
        reference_at="price_at",
        reference_price_quote="price_quote",
    )


def as_of(
    moments: pl.LazyFrame, prices: pl.LazyFrame, *, on: str, price_at: str, by: Iterable[str]
) -> pl.LazyFrame:
    """
    Return moments with the latest price of their key at or before them; others are left out.

    Args:
        moments: rows with a time and the key.
        prices: rows with the key, at most one per key and time.
        on: the time of a moment.
        price_at: the time of a price, which the answer keeps.
        by: the columns of the key.
    """
    return (
        moments.sort(on)
        .join_asof(
            prices.sort(price_at),
            left_on=on,
            right_on=price_at,
            by=list(by),
            coalesce=False,
            check_sortedness=False,
        )
        .filter(pl.col(price_at).is_not_null())
    )


def beside_reference(events: pl.LazyFrame, prices: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return events of a source and a reference with the latest price of both, and their deviation.

    Args:
        events: rows with block_timestamp, asset, quote, the source and the reference.
        prices: latest prices.

    Returns:
        The events at which both had spoken, with price_at, price_quote, reference_at,
        reference_price_quote and deviation_bps.
    """
    last = prices.select(*SERIES, "price_at", "price_quote")
    on = "block_timestamp"
    own = as_of(events, last, on=on, price_at="price_at", by=SERIES)
    references = as_reference(prices)
    return as_of(
        own, references, on=on, price_at="reference_at", by=[*PAIR, *REFERENCE]
    ).with_columns(deviation_bps=deviation_bps("price_quote", "reference_price_quote"))


def pairs_of_sources(sources: pl.LazyFrame) -> pl.LazyFrame:
    """Return each source of an asset and quote beside every other one, in both directions."""
    own = sources.select(SERIES).unique()
    is_same = pl.all_horizontal(
        pl.col(name) == pl.col(reference) for name, reference in zip(SOURCE, REFERENCE, strict=True)
    )
    return own.join(with_reference_names(own), on=[*PAIR]).filter(~is_same)


def deviation_bps(price: str, reference: str) -> pl.Expr:
    """Return how far a price is from a reference in bps; null unless the reference is positive."""
    return ratio(pl.col(price) - pl.col(reference), pl.col(reference)) * 10_000


def microseconds_between(earlier: str, later: str) -> pl.Expr:
    """Return the time from one moment to another in microseconds, Int64."""
    return (pl.col(later) - pl.col(earlier)).dt.total_microseconds()


def in_seconds(microseconds: pl.Expr) -> pl.Expr:
    """Return whole microseconds as seconds, Float64."""
    return divided(microseconds, MICROSECONDS)

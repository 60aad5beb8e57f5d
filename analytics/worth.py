"""
What amounts of tokens are worth: the latest price an oracle had told of them, and the product.

`metrics.valuation` says how a price is chosen; here it is done.
"""

import polars as pl

from analytics.expressions import EVENT_ORDER, check
from analytics.prices import (
    DOLLAR,
    MICROSECONDS,
    SOURCE,
    as_of,
    in_seconds,
    is_current,
    microseconds_between,
    told_of,
    with_symbols,
)

EVENT = ("chain_id", "protocol", "version", *EVENT_ORDER)
_AMOUNT = ("fact", "measure", *EVENT)
# Contracts that give one coin of their chain for each of theirs, and take it back.
_WRAPPED = {
    "WETH": "ETH",
    "WBNB": "BNB",
    "WAVAX": "AVAX",
    "WMATIC": "MATIC",
    "WPOL": "POL",
    "WHYPE": "HYPE",
}
PRICE = (
    *("price_usd", "price_chain_id", "price_protocol", "price_feed", "price_at"),
    *("price_tx_hash", "price_evidence"),
)
_TOLD = (
    *("asset", "quote", *SOURCE, "oracle_price_quote", "block_timestamp", "evidence"),
    *EVENT_ORDER,
)
_DOLLARS = pl.Decimal(38, 18)
# Above it a product may not fit DECIMAL(38,18), which holds 20 digits before the point.
_MOST = 9e19


def amounts_of(fact: str, frame: pl.LazyFrame, measure: str, token: str) -> pl.LazyFrame:
    """
    Return the known amounts of a column, as `valued` takes them.

    Args:
        fact: the name of the table.
        frame: its rows.
        measure: the column of the amounts.
        token: the column of the tokens that they are of.
    """
    return frame.filter(pl.col(measure).is_not_null()).select(
        pl.lit(fact).alias("fact"),
        pl.lit(measure).alias("measure"),
        *EVENT,
        "block_timestamp",
        pl.col(token).alias("token"),
        pl.col(measure).alias("amount_tokens"),
    )


def valued(
    amounts: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    tolerance_seconds: int,
    par_symbols: str,
    *,
    by: tuple[str, ...] = _AMOUNT,
) -> pl.LazyFrame:
    """
    Return amounts with the price of each, where it is from, and what they are worth.

    Args:
        amounts: by, block_timestamp, token, amount_tokens.
        tokens: symbol of a token, and how it is known.
        oracle_updates: one row per update.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough; - for none.
        by: what tells amounts apart.

    Returns:
        The rows, sorted, with symbol, symbol_known_by, the columns of `PRICE`, age_seconds and
        value_usd.
    """
    check("tolerance_seconds", tolerance_seconds, least=0)
    named = with_symbols(amounts, tokens)
    at_par = par_symbols.upper().replace(" ", "").split(",")
    return (
        named.join(_prices_of(named, oracle_updates, tolerance_seconds, by), on=by, how="left")
        .with_columns(_price_or_one(at_par))
        .select(
            *(*by, "block_timestamp", "token", "symbol", "symbol_known_by", "amount_tokens"),
            *PRICE,
            age_seconds=in_seconds(microseconds_between("price_at", "block_timestamp")),
            value_usd=value_usd(pl.col("amount_tokens")),
        )
        .sort(by)
    )


def _prices_of(
    named: pl.LazyFrame, oracle_updates: pl.LazyFrame, tolerance_seconds: int, by: tuple[str, ...]
) -> pl.LazyFrame:
    """Return the price of each amount that has one near enough, and where it is from."""
    asked = named.select(*by, "block_timestamp", asset=pl.col("symbol").replace(_WRAPPED)).filter(
        pl.col("asset").is_not_null()
    )
    current = oracle_updates.filter(is_current(tolerance_seconds)).select(*_TOLD)
    prices = _prices(told_of(current, asked, "asset"))
    moments = prices.select("asset", "price_at").unique()
    is_of_chain = pl.col("price_chain_id") == pl.col("chain_id")
    is_own = is_of_chain & (pl.col("price_protocol") == pl.col("protocol"))
    return (
        as_of(asked, moments, on="block_timestamp", price_at="price_at", by=["asset"])
        .filter(
            microseconds_between("price_at", "block_timestamp") <= tolerance_seconds * MICROSECONDS
        )
        .join(prices, on=["asset", "price_at"])
        .sort(
            *(~is_own, ~is_of_chain, "price_chain_id", "price_protocol", "price_feed"),
        )
        .group_by(by, maintain_order=True)
        .agg(pl.col(PRICE).first())
    )


def _prices(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """Return the last dollar price of every source and second, with the update that told it."""
    return (
        oracle_updates.filter((pl.col("asset") != DOLLAR) & (pl.col("quote") == DOLLAR))
        .sort(*EVENT_ORDER)
        .group_by("asset", *SOURCE, price_at="block_timestamp")
        .agg(
            price_usd=pl.col("oracle_price_quote").last(),
            price_tx_hash=pl.col("tx_hash").last(),
            price_evidence=pl.col("evidence").last(),
        )
        .rename({name: f"price_{name}" for name in SOURCE})
    )


def _price_or_one(at_par: list[str]) -> list[pl.Expr]:
    # By the token, not by its symbol: a contract may call itself USD.
    is_dollar = pl.col("token") == DOLLAR
    is_assumed = pl.col("price_at").is_null() & pl.col("symbol").is_in(at_par)
    one = pl.when(is_dollar | is_assumed).then(pl.lit(1).cast(_DOLLARS))
    rests_on = pl.when(is_dollar).then(pl.lit("denomination")).when(is_assumed)
    return [
        one.otherwise("price_usd").alias("price_usd"),
        rests_on.then(pl.lit("assumed")).otherwise("price_evidence").alias("price_evidence"),
    ]


def value_usd(amount: pl.Expr) -> pl.Expr:
    """Return what an amount is worth at price_usd; null unless the price is positive."""
    price = pl.col("price_usd")
    return product(pl.when(price > 0).then(amount), price)


def product(amount: pl.Expr, price: pl.Expr) -> pl.Expr:
    """Return what an amount is worth, exact, then rounded; null where that may not fit a column."""
    is_sound = (price.cast(pl.Float64) * amount.cast(pl.Float64)).abs() < _MOST
    # The factor is taken out, not the product: Polars multiplies what `when` leaves out as well.
    return pl.when(is_sound).then(amount) * price


def managed_tokens() -> pl.Expr:
    """Return what a pool manages by a row of `tvl`, exact: as it says, else its shares' worth."""
    return pl.coalesce(
        "assets_tokens", product(pl.col("supply_tokens"), pl.col("share_price_tokens"))
    )

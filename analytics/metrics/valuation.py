"""What amounts in tokens were worth when they moved, by the latest price an oracle had told."""

import polars as pl

from analytics.expressions import (
    END_OF_DAY,
    INTO_POOL,
    OUT_OF_POOL,
    POOL,
    day,
    known_total,
    ratio,
    row_count,
    unknown_count,
    whole_total,
)
from analytics.prices import deviation_bps
from analytics.worth import EVENT, PRICE, amounts_of, managed_tokens, valued

_POOL_DAY = ("date", *POOL)


def income_valuations(
    fees: pl.LazyFrame,
    buybacks: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What fees and buybacks that are told in tokens only were worth in dollars when they were paid.

    The price is the latest one any source has told by then of the asset the token's symbol names,
    in US dollars; of several at one moment that of the protocol itself on its chain counts, then
    one of its chain. No price of a later moment than the event's is used, and none older than the
    tolerance, which is as long as the longest usual heartbeat and an hour; nor one that was read at
    a block and seen longer than that before, for a dead feed answers for ever. Nothing is taken to
    be worth a dollar that no source priced, unless its symbol is named. A wrapped coin of a chain
    is worth what the coin is. An amount may be told in a currency and in no token, as the share
    prices of many funds are: a dollar is worth one, whatever sources say, and euro and ether what
    they say.

    Formula:
        value_usd = amount_tokens * price_usd, exact, then rounded half to even at 1e-18

    Args:
        fees: fee_tokens of fee_token, where fee_usd is not told.
        buybacks: spent_tokens of spent_token, where spent_usd is not told.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per event and amount, sorted: fact (the table), measure (the column), the event,
        block_timestamp, token, symbol (upper case), symbol_known_by, amount_tokens (Decimal),
        price_usd (Decimal), price_chain_id, price_protocol, price_feed, price_at, price_tx_hash,
        price_evidence (assumed: at par; denomination: told in dollars), age_seconds (Float64,
        >= 0), value_usd (Decimal, USD; null where no price is near enough, where it is not
        positive, or above 9e19 dollars).

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        As-of valuation; each row names the update its price was told by.
    """
    amounts = [
        amounts_of("fees", fees.filter(pl.col("fee_usd").is_null()), "fee_tokens", "fee_token"),
        amounts_of(
            "buybacks",
            buybacks.filter(pl.col("spent_usd").is_null()),
            "spent_tokens",
            "spent_token",
        ),
    ]
    return valued(pl.concat(amounts), tokens, oracle_updates, tolerance_seconds, par_symbols)


def pool_valuations(
    credit_events: pl.LazyFrame,
    pool_flows: pl.LazyFrame,
    pool_states: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What every amount of a loan or a pool was worth in dollars at its moment.

    Loans and pools are told in tokens only. Their price is chosen as `income_valuations` does.
    What a share is worth, `share_valuations` tells.

    Formula:
        value_usd = amount_tokens * price_usd, exact, then rounded half to even at 1e-18

    Args:
        credit_events: principal, interest, paid and loss of asset_token, collateral of its own.
        pool_flows: asset_tokens of asset_token.
        pool_states: assets, principal and unrealized loss of asset_token.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per event and amount, with the columns of `income_valuations`, sorted.

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        As-of valuation; each row names the update its price was told by.
    """
    of_asset = (
        ("credit_events", credit_events, ("principal", "interest", "paid", "loss")),
        ("pool_flows", pool_flows, ("asset",)),
        ("pool_states", pool_states, ("assets", "principal", "unrealized_loss")),
    )
    amounts = [
        amounts_of(fact, frame, f"{name}_tokens", "asset_token")
        for fact, frame, names in of_asset
        for name in names
    ]
    pledged = amounts_of("credit_events", credit_events, "collateral_tokens", "collateral_token")
    every = pl.concat([*amounts, pledged])
    return valued(every, tokens, oracle_updates, tolerance_seconds, par_symbols)


def share_valuations(
    share_prices: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What one share of a pool was worth in dollars whenever its price in assets was told.

    Pools tell what a share is worth in their asset; the asset is valued as `income_valuations`
    does. What a pool says and what an oracle says are both in the row, so either can be checked.

    Formula:
        value_usd = share_price_tokens * price_usd, exact, then rounded half to even at 1e-18

    Args:
        share_prices: share_price_tokens of asset_token, per share.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per reading, with the columns of `income_valuations`, sorted.

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        As-of valuation; each row names the update its price was told by.
    """
    told = amounts_of("share_prices", share_prices, "share_price_tokens", "asset_token")
    return valued(told, tokens, oracle_updates, tolerance_seconds, par_symbols)


def fees_valued(fees: pl.LazyFrame, income_valuations: pl.LazyFrame) -> pl.LazyFrame:
    """
    Everything users paid to a protocol in a day, with fees in tokens at the price of the moment.

    What the events tell in dollars and what a price makes of tokens stay apart, so that a reader
    sees how much rests on prices. A fee without a price near enough is counted and not added.

    Formula:
        fees_usd(d) = told_usd + valued_usd over UTC day d

    Args:
        fees: one row per fee charged: fee_usd (USD, null while it is told in tokens only).
        income_valuations: the value of each fee that is told in tokens only.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough; - for none.

    Returns:
        One row per day, chain, protocol, version, market and fee kind, sorted: fees_usd, told_usd,
        valued_usd (Decimal, USD; sums of what is known; fees_usd is null when nothing is,
        valued_usd when none of the fees in tokens is), fee_count, valued_count, unpriced_count
        (Int64).

    Source:
        As `fees`, whose lower bound this one raises by what an oracle can price.
    """
    grain = ("date", "chain_id", "protocol", "version", "market", "fee_kind")
    return _summed(fees, income_valuations, "fees", "fee_usd", grain).select(
        *grain, "fees_usd", "told_usd", "valued_usd", "fee_count", "valued_count", "unpriced_count"
    )


def buybacks_valued(buybacks: pl.LazyFrame, income_valuations: pl.LazyFrame) -> pl.LazyFrame:
    """
    What a protocol paid for its own token in a day, with tokens spent at the price of the moment.

    What the events tell in dollars and what a price makes of tokens stay apart. A purchase without
    a price near enough is counted and not added.

    Formula:
        spent_usd(d) = told_usd + valued_usd over UTC day d

    Args:
        buybacks: one row per purchase: spent_usd (USD, null while it is told in tokens only).
        income_valuations: the value of what each purchase spent that is told in tokens only.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough; - for none.

    Returns:
        One row per day, chain, protocol, version, destination kind, bought and spent token,
        sorted: spent_usd, told_usd, valued_usd (Decimal, USD; sums of what is known; spent_usd is
        null when nothing is, valued_usd when none of the purchases with tokens is), buyback_count,
        valued_count, unpriced_count (Int64).

    Source:
        As `buybacks`, whose lower bound this one raises by what an oracle can price.
    """
    grain = (
        *("date", "chain_id", "protocol", "version"),
        *("destination_kind", "bought_token", "spent_token"),
    )
    return _summed(buybacks, income_valuations, "buybacks", "spent_usd", grain).select(
        *grain,
        *("spent_usd", "told_usd", "valued_usd"),
        *("buyback_count", "valued_count", "unpriced_count"),
    )


def buyback_prices(
    buybacks: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What a protocol paid for its own token in each purchase, beside what an oracle said it is worth.

    A premium has many reasons: a thin market that the purchase itself moved, an auction that had to
    be won, an oracle that lags. Its price is chosen as `income_valuations` does, and may be as old
    as the tolerance: of an age above some minutes a premium says what the market did meanwhile.

    Formula:
        paid_price_usd = spent_usd / bought_tokens
        value_usd = bought_tokens * price_usd, exact, then rounded half to even at 1e-18
        premium_bps = (spent_usd - value_usd) / value_usd * 10,000

    Args:
        buybacks: one row per purchase: bought_tokens of bought_token, spent_usd, or spent_tokens of
            spent_token, which are valued likewise.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per purchase, sorted: the event, block_timestamp, bought_token, symbol (upper case),
        bought_tokens (Decimal), spent_usd (Decimal, USD; null where it is not told and what was
        spent has no price), price_usd (Decimal, of the bought token), price_chain_id,
        price_protocol, price_feed, price_at, price_tx_hash, price_evidence, age_seconds (Float64,
        >= 0), value_usd (Decimal, USD; null without a positive price), paid_price_usd (Float64, USD
        per token; null where nothing was bought), premium_bps (Float64, > 0: more was paid than the
        oracle said; null while either is unknown).

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        Execution against an as-of price; each row names the update that price was told by.
    """
    bought = amounts_of("buybacks", buybacks, "bought_tokens", "bought_token")
    unpriced = buybacks.filter(pl.col("spent_usd").is_null())
    spent = amounts_of("buybacks", unpriced, "spent_tokens", "spent_token")
    both = pl.concat([bought, spent])
    values = valued(both, tokens, oracle_updates, tolerance_seconds, par_symbols)
    of_spent = values.filter(measure="spent_tokens").select(*EVENT, spent_value_usd="value_usd")
    told = buybacks.select(*EVENT, "spent_usd").join(of_spent, on=EVENT, how="left")
    paid = told.select(*EVENT, spent_usd=pl.coalesce("spent_usd", "spent_value_usd"))
    return (
        values.filter(measure="bought_tokens")
        .rename({"token": "bought_token", "amount_tokens": "bought_tokens"})
        .join(paid, on=EVENT)
        .select(
            *(*EVENT, "block_timestamp", "bought_token", "symbol", "bought_tokens", "spent_usd"),
            *(*PRICE, "age_seconds", "value_usd"),
            paid_price_usd=ratio(pl.col("spent_usd"), pl.col("bought_tokens")),
            premium_bps=deviation_bps("spent_usd", "value_usd"),
        )
        .sort(EVENT)
    )


def net_flows_valued(pool_flows: pl.LazyFrame, pool_valuations: pl.LazyFrame) -> pl.LazyFrame:
    """
    Money that entered and left a pool in a day, in dollars at the price of each flow's moment.

    In dollars pools of different assets can be added and compared, and a flow counts at what it was
    worth when it happened; what the price did to the money that stayed is not in it. Dividends paid
    in shares and requests are no flows.

    Formula:
        net_usd(d) = Σ value of deposits and mints - Σ of withdrawals and redemptions over UTC day d

    Args:
        pool_flows: one row per flow: kind.
        pool_valuations: the value of each flow's asset_tokens.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough; - for none.

    Returns:
        One row per day with a flow, chain, protocol, pool and asset, sorted: flow_count,
        valued_count, unpriced_count (Int64), inflow_usd, outflow_usd (Decimal, USD; sums of what is
        known, zero without a flow that way, null when none of its flows has a value), net_usd
        (Decimal, USD; null while a value is unknown).

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        As `net_flows`, by the as-of valuation of `pool_valuations`.
    """
    is_in, is_out = (pl.col("kind").is_in(kinds) for kinds in (INTO_POOL, OUT_OF_POOL))
    of_flows = (pl.col("fact") == "pool_flows") & (pl.col("measure") == "asset_tokens")
    value = pl.col("value_usd")
    return (
        pool_flows.filter(is_in | is_out)
        .join(pool_valuations.filter(of_flows).select(*EVENT, value), on=EVENT, how="left")
        .group_by(day(), *POOL)
        .agg(
            flow_count=row_count(),
            valued_count=value.count().cast(pl.Int64),
            unpriced_count=unknown_count("value_usd"),
            inflow_usd=known_total(value.filter(is_in)),
            outflow_usd=known_total(value.filter(is_out)),
            net_usd=whole_total(pl.when(is_in).then(value).otherwise(-value)),
        )
        .sort("date", *POOL, nulls_last=True)
    )


def tvl_valued(
    tvl: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What a pool manages at the end of a day, in dollars at the latest price before midnight.

    In dollars pools of different assets can be added and compared, and the price of the asset moves
    the number: what flowed is `net_flows_valued`, what the pool manages in its asset is `tvl`. What
    a pool that holds shares of other pools manages is in theirs as well: leave it out of sums. The
    price is chosen as `income_valuations` does, for the day's last microsecond. A day on which the
    pool told nothing has no row.

    Formula:
        tvl_tokens(d) = assets_tokens, else share_price_tokens * supply_tokens, as `tvl` chooses
        tvl_usd(d) = tvl_tokens * price_usd; both exact, then rounded half to even at 1e-18

    Args:
        tvl: what each pool manages by day: assets_tokens, share_price_tokens, supply_tokens.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per row of `tvl`, sorted: date, chain_id, protocol, pool, asset_token, basis (state,
        shares), holds_pools (Boolean, as in `tvl`), symbol (upper case), symbol_known_by,
        tvl_tokens (Decimal; null above 9e19), price_usd (Decimal), price_chain_id, price_protocol,
        price_feed, price_at, price_tx_hash, price_evidence (assumed: at par; denomination: told in
        dollars), age_seconds (Float64, >= 0, until the end of the day), tvl_usd (Decimal, USD; null
        where no price is near enough, where it is not positive, or above 9e19 dollars).

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        As-of valuation of `tvl`; each row names the update its price was told by.
    """
    by = (*_POOL_DAY, "basis", "holds_pools")
    amounts = tvl.select(
        *by,
        pl.col("asset_token").alias("token"),
        block_timestamp=END_OF_DAY,
        amount_tokens=managed_tokens(),
    )
    worth = valued(amounts, tokens, oracle_updates, tolerance_seconds, par_symbols, by=by)
    return (
        worth.drop("block_timestamp", "token")
        .rename({"amount_tokens": "tvl_tokens", "value_usd": "tvl_usd"})
        .sort(_POOL_DAY, nulls_last=True)
    )


def _summed(
    events: pl.LazyFrame, valuations: pl.LazyFrame, fact: str, told: str, grain: tuple[str, ...]
) -> pl.LazyFrame:
    """Return sums by grain: told, valued, both, and counts."""
    values = valuations.filter(pl.col("fact") == fact).select(*EVENT, "value_usd")
    both, valued = pl.coalesce(told, "value_usd"), pl.col("value_usd")
    singular = fact.removesuffix("s")
    return (
        events.join(values, on=EVENT, how="left")
        .with_columns(day(), both_usd=both)
        .group_by(grain)
        .agg(
            known_total(pl.col("both_usd")).alias("fees_usd" if fact == "fees" else told),
            told_usd=pl.col(told).sum(),
            # Zero where all events tell dollars, unknown where none of the others has a price.
            valued_usd=pl.when(valued.is_not_null().any() | (pl.col(told).null_count() == 0)).then(
                valued.sum()
            ),
            valued_count=valued.count().cast(pl.Int64),
            unpriced_count=unknown_count("both_usd"),
            **{f"{singular}_count": row_count()},
        )
        .sort(grain, nulls_last=True)
    )

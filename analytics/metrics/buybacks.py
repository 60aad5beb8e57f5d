"""Value that returns to token holders: tokens bought, where they went, and how it compares."""

import polars as pl

from analytics.expressions import (
    EVENT_ORDER,
    REVENUE,
    check,
    day,
    known_total,
    ratio,
    row_count,
    trailing,
    unknown_count,
    where_told,
    whole_total,
)

_GRAIN = (
    *("date", "chain_id", "protocol", "version"),
    *("destination_kind", "bought_token", "spent_token"),
)
_DOLLARS = pl.Decimal(38, 18)
_PARTS = ("spent_usd", "revenue_usd", "holders_usd")


def buybacks(buybacks: pl.LazyFrame) -> pl.LazyFrame:
    """
    Tokens a protocol bought back in a day, what it paid, and where the tokens went.

    A buyback is not a burn: tokens sent to a treasury or to stakers come back when these sell.
    `burned_tokens` is what nobody can take any more: destroyed, or sent to a dead address, where
    `totalSupply()` still counts it.

    Formula:
        spent_usd(d) = Σ spent_usd, bought_tokens(d) = Σ bought_tokens over UTC day d

    Args:
        buybacks: one row per purchase: bought_tokens, spent_tokens, spent_usd, burned_tokens,
            destination_kind (zero_burn, dead_burn, treasury, distribution, mixed).

    Returns:
        One row per day, chain, protocol, version, destination kind, bought and spent token,
        sorted: bought_tokens, spent_tokens, spent_usd, burned_tokens (Decimal; the last three are
        sums of what is known, null when nothing is), buyback_count, unpriced_count (Int64).

    Source:
        Token flows as in each token's own Transfer events; four destinations occur in practice.
    """
    return (
        buybacks.group_by(day(), *_GRAIN[1:])
        .agg(
            bought_tokens=pl.col("bought_tokens").sum(),
            spent_tokens=known_total(pl.col("spent_tokens")),
            spent_usd=known_total(pl.col("spent_usd")),
            burned_tokens=known_total(pl.col("burned_tokens")),
            buyback_count=row_count(),
            unpriced_count=unknown_count("spent_usd"),
        )
        .sort(_GRAIN, nulls_last=True)
    )


def buybacks_by_destination(buybacks: pl.LazyFrame, tokens: pl.LazyFrame) -> pl.LazyFrame:
    """
    What a protocol has bought back in all, at what price, and where the tokens went.

    Formula:
        average_price_usd = Σ spent_usd / Σ bought_tokens, over purchases whose cost is known

    Args:
        buybacks: one row per purchase: bought_tokens, burned_tokens, spent_usd, destination_kind
            (zero_burn, dead_burn, treasury, distribution, mixed).
        tokens: one row per token: chain_id, address, symbol.

    Returns:
        One row per protocol, chain, bought token and destination kind, sorted: buyback_count
        (Int64), bought_tokens, burned_tokens, spent_usd (Decimal; the last two are sums of what is
        known, null when nothing is), first_at, last_at (UTC), symbol (null when unknown),
        average_price_usd (Float64, USD per token; null unless tokens of known cost were bought).

    Source:
        Token flows as in each token's own Transfer events; four destinations occur in practice.
    """
    keys = ["protocol", "chain_id", "bought_token", "destination_kind"]
    symbols = tokens.group_by("chain_id", pl.col("address").alias("bought_token")).agg(
        pl.col("symbol").max()
    )
    priced = pl.col("bought_tokens").filter(pl.col("spent_usd").is_not_null()).sum()
    return (
        buybacks.group_by(keys)
        .agg(
            buyback_count=row_count(),
            bought_tokens=pl.col("bought_tokens").sum(),
            burned_tokens=known_total(pl.col("burned_tokens")),
            spent_usd=known_total(pl.col("spent_usd")),
            first_at=pl.col("block_timestamp").min(),
            last_at=pl.col("block_timestamp").max(),
            priced=priced,
        )
        .join(symbols, on=["chain_id", "bought_token"], how="left")
        .with_columns(average_price_usd=ratio(pl.col("spent_usd"), pl.col("priced")))
        .drop("priced")
        .sort(keys)
    )


def buyback_ratio(
    buybacks: pl.LazyFrame,
    fees: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    window_days: int = 30,
) -> pl.LazyFrame:
    """
    What part of its revenue a protocol put into its own token, over the days up to this one.

    Purchases come in lumps, paid for by revenue that built up before, so a single day on its own
    says little; the window holds both. Beside the executed ratio stands the declared one: what the
    splits in force set aside for holders, bought back or not. Where nothing that is indexed could
    tell of a protocol's purchases, or of its fees, they are null and not zero.

    Formula:
        buyback_ratio(d) = Σ spent_usd / Σ revenue_usd over (d - window_days, d]
        revenue_usd of each fee as in protocol_revenue
        declared_ratio(d) = Σ holders_usd / Σ revenue_usd over (d - window_days, d]

    Args:
        buybacks: one row per purchase: spent_usd (USD).
        fees: one row per fee charged: fee_usd, supply_side_usd, holders_usd (USD, null while
            unknown).
        declared_facts: which facts the declarations of a protocol can tell: fact.
        window_days: how many UTC days count, this day being the last of them.

    Returns:
        One row per protocol and day on which it earned or bought, sorted: spent_usd, revenue_usd,
        holders_usd (Decimal, USD, over the window; null when any part is unknown), declared_ratio,
        buyback_ratio (Float64, 0.25 = 25 %; null while unknown or while revenue is zero or
        negative).

    Raises:
        ValueError: window_days is below 1 or above 36,600.

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md, which lets holders' revenue be booked on
        another day than the revenue behind it.
    """
    earned = fees.group_by("protocol", day()).agg(
        revenue_usd=whole_total(REVENUE),
        holders_usd=whole_total(pl.col("holders_usd")),
    )
    sums = trailing(_spent_and_earned(buybacks, earned), ["protocol"], _PARTS, window_days)
    revenue = pl.col("revenue_usd")
    earning = where_told(sums, _PARTS[1:], "fees", earned, declared_facts)
    return where_told(earning, _PARTS[:1], "buybacks", buybacks, declared_facts).with_columns(
        declared_ratio=ratio(pl.col("holders_usd"), revenue),
        buyback_ratio=ratio(pl.col("spent_usd"), revenue),
    )


def _spent_and_earned(buybacks: pl.LazyFrame, earned: pl.LazyFrame) -> pl.LazyFrame:
    # A purchase earns nothing and a fee spends nothing: these zeros are true, not unknown.
    spent, *incomes = _PARTS
    nothing = pl.lit(0).cast(_DOLLARS)
    return pl.concat(
        [
            buybacks.select("protocol", day(), spent, *(nothing.alias(name) for name in incomes)),
            earned.select("protocol", "date", nothing.alias(spent), *incomes),
        ]
    )


_TOKEN = ("protocol", "token")
_NOTHING = pl.lit(0).cast(_DOLLARS)


def supply_share(
    buybacks: pl.LazyFrame,
    token_supplies: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    *,
    window_days: int = 30,
) -> pl.LazyFrame:
    """
    What part of its supply a protocol bought back over the days up to this one, gross and net.

    A token is told by its protocol and name: HYPE is bought on HyperCore, and HyperEVM tells its
    supply. A programme that buys two per cent while five are minted shrinks nothing. What was
    issued is what the supply within reach grew by, and what was burned meanwhile on top of it. A
    purchase that tells of no burn burned nothing. A burn on another chain than the reading's puts
    out of reach what a bridge holds, and the reading does not fall by it: SNX is burned on Base,
    where it was bridged to from Ethereum. Where nothing that is indexed could tell of a protocol's
    purchases, neither they nor what was issued are known: null and not zero.

    Formula:
        supply_share_gross_ratio(d) = Σ bought_tokens / supply_tokens(d)
        supply_share_net_ratio(d) = (Σ bought_tokens - issued_tokens) / supply_tokens(d)
        issued_tokens(d) = reach(d) - reach(d - window_days) + Σ burned_tokens between these two
        readings, on their chain
        reach = supply_tokens - dead_tokens; other sums over (d - window_days, d]

    Args:
        buybacks: one row per purchase: bought_token, bought_tokens, burned_tokens.
        token_supplies: one row per reading: token, supply_tokens, dead_tokens.
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact.
        window_days: how many UTC days count, this day being the last of them.

    Returns:
        One row per protocol, token and UTC day with a reading (the day's last counts; chain_id is
        where it was read), sorted: bought_tokens, burned_tokens, supply_tokens, dead_tokens,
        issued_tokens (Decimal), supply_share_gross_ratio, supply_share_net_ratio (Float64,
        0.01 = 1 %). issued_tokens and the net share are null without a reading of the day before
        the window: an older one would count what was issued before it.

    Raises:
        ValueError: window_days is below 1 or above 36,600.

    Source:
        totalSupply() and the dead address's balance of each token; issuance runs against most
        programmes (GNS, LDO, CAKE, SYRUP).
    """
    check("window_days", window_days, least=1, most=36_600)
    readings = (
        # By time and chain first: heights of two chains do not compare.
        token_supplies.sort("block_timestamp", "chain_id", *EVENT_ORDER)
        .group_by(*_TOKEN, day())
        .agg(pl.col("chain_id", "block_number", "supply_tokens", "dead_tokens").last())
    )
    issued, supply = pl.col("made") - pl.col("made_before"), pl.col("supply_tokens")
    shares = (
        _flows(buybacks, readings, window_days)
        .join(_made(readings, buybacks, window_days), on=[*_TOKEN, "date"], how="inner")
        .with_columns(issued_tokens=issued)
    )
    unknown = ["bought_tokens", "burned_tokens", "issued_tokens"]
    return (
        where_told(shares, unknown, "buybacks", buybacks, declared_facts)
        .select(
            *("date", "chain_id", *_TOKEN, "bought_tokens", "burned_tokens"),
            *("supply_tokens", "dead_tokens", "issued_tokens"),
            supply_share_gross_ratio=ratio(pl.col("bought_tokens"), supply),
            supply_share_net_ratio=ratio(pl.col("bought_tokens") - pl.col("issued_tokens"), supply),
        )
        .sort("date", *_TOKEN)
    )


def _made(readings: pl.LazyFrame, buybacks: pl.LazyFrame, window_days: int) -> pl.LazyFrame:
    """
    Return readings with all that is within reach or was burned up to them, and up to the day before
    the window: `made`, `made_before`. A day's reading is before most of what the day burns.
    """
    place = [*_TOKEN, "chain_id"]
    burned = (
        buybacks.rename({"bought_token": "token"})
        .group_by(*place, "block_number")
        .agg(pl.col("burned_tokens").sum())
        .sort("block_number")
        .with_columns(pl.col("burned_tokens").cum_sum().over(place))
    )
    reach = pl.col("supply_tokens") - pl.col("dead_tokens")
    made = (
        readings.sort("block_number")
        .join_asof(burned, on="block_number", by=place, check_sortedness=False)
        .with_columns(made=reach + pl.col("burned_tokens").fill_null(_NOTHING))
        .drop("burned_tokens")
    )
    begins_on = pl.col("date").dt.offset_by(f"-{window_days}d")
    before = made.select(*_TOKEN, made_before="made", begins_on="date")
    return made.with_columns(begins_on=begins_on).join(
        before, on=[*_TOKEN, "begins_on"], how="left"
    )


def _flows(buybacks: pl.LazyFrame, readings: pl.LazyFrame, window_days: int) -> pl.LazyFrame:
    sums = ("bought_tokens", "burned_tokens")
    bought = buybacks.rename({"bought_token": "token"}).with_columns(
        pl.col("burned_tokens").fill_null(_NOTHING), date=day()
    )
    read = readings.select(*_TOKEN, "date", **dict.fromkeys(sums, _NOTHING))
    flows = pl.concat([bought.select(*_TOKEN, "date", *sums), read])
    return trailing(flows, _TOKEN, sums, window_days)

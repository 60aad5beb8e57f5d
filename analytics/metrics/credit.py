"""What is lent, what it earns, what is written down, lost and recovered: pools of credit by day."""

import polars as pl

from analytics.expressions import (
    POOL,
    STATE_ORDER,
    changes_by_day,
    day,
    distinct_count,
    known_total,
    level,
    pool_level,
    row_count,
    unknown_count,
)

_GRAIN = ("date", *POOL)
_MARKET = ("chain_id", "protocol", "market")
_FEE_KINDS = (
    *("interest", "origination", "service", "management", "subscription", "redemption"),
    *("penalty", "flash_loan", "reserve"),
)


def loans_outstanding(credit_events: pl.LazyFrame, pool_states: pl.LazyFrame) -> pl.LazyFrame:
    """
    What a pool has lent and not got back, two ways: from its loans' events and from its state.

    The events know what happened since indexing began, and are below zero where more came back than
    was lent since; the state knows the whole. A difference that stays is what was lent before, one
    that appears is a change nobody logged with its amount (a refinancing), or interest and
    recoveries inside a default. Where repayments are logged with interest inside (Aave, Compound)
    the events give what was drawn net of payments, less than owed. Bad debt that is written off
    (Aave, Morpho Blue) is a shortfall and no default, and stays. Where no loan is read, what is
    repaid or liquidated (Maker's ordinary vaults) says nothing of what is lent.

    Formula:
        events(d) = Σ funded - Σ principal of payments and liquidations - Σ loss of defaults, to
        the end of UTC day d; difference = events - state
        state(d) = the last principal the pool told, else the sum of the last ones of its parts

    Args:
        credit_events: one row per event: kind, principal_tokens, interest_tokens, paid_tokens,
            loss_tokens (whole tokens of the asset). A payment of interest alone repays nothing; a
            liquidation without an amount is only set going, its end is another event.
        pool_states: one row per pool or part and moment: principal_tokens (absolute).

    Returns:
        One row per day with either, chain, protocol, pool and asset, sorted: unknown_count (Int64,
        events so far that do not tell their amount), principal_state_tokens (Decimal; null before
        the first state), principal_events_tokens (Decimal; null before the day of the first loan
        funded and from the first unknown event on), difference_tokens (Decimal, null while either
        is unknown).

    Source:
        Maple PrincipalOutUpdated beside Funded and PaymentMade; Clearpool principal().
    """
    moved = (
        credit_events.filter(pl.col("kind").is_in(["funded", "payment", "liquidation", "default"]))
        .with_columns(lent_change=_lent())
        .group_by(day(), *POOL)
        .agg(
            pl.col("lent_change").sum(),
            unknown_count=unknown_count("lent_change"),
            funded_count=(pl.col("kind") == "funded").sum(),
        )
    )
    told = changes_by_day(pool_states, "principal_tokens")
    is_known = (pl.col("unknown_count") == 0) & (pl.col("funded_count") > 0)
    counts = pl.col("unknown_count", "funded_count")
    return (
        _by_day(moved, told)
        .with_columns(counts.fill_null(0).cum_sum().over(POOL))
        .with_columns(
            principal_events_tokens=pl.when(is_known).then(level("lent_change", POOL)),
            principal_state_tokens=pool_level(),
        )
        .with_columns(
            difference_tokens=pl.col("principal_events_tokens") - pl.col("principal_state_tokens")
        )
        .select(
            *(*_GRAIN, "unknown_count", "principal_state_tokens", "principal_events_tokens"),
            "difference_tokens",
        )
    )


def interest_paid(credit_events: pl.LazyFrame) -> pl.LazyFrame:
    """
    What borrowers paid in a day, by what of it is interest.

    Gross: before the pool's own fees, which are `credit_fees`. Some venues log principal and
    interest in one; that is shown apart, never split by guess. Where a debt grows by its interest
    (Aave, Compound), all that is repaid of it is principal.

    Formula:
        interest_tokens(d) = Σ interest_tokens of the payments on UTC day d

    Args:
        credit_events: one row per event, payments used: interest_tokens, principal_tokens,
            paid_tokens (both in one), in whole tokens of the asset; account.

    Returns:
        One row per day with a payment, chain, protocol, pool and asset, sorted: payment_count,
        account_count (Int64, null where none is told), interest_tokens, principal_tokens (Decimal;
        sums of what is known, null when nothing is), unsplit_tokens (Decimal, paid and not told
        apart), unknown_interest_count (Int64).

    Source:
        Maple PaymentMade, Goldfinch PaymentApplied, Clearpool RepayedInterest.
    """
    return (
        credit_events.filter(pl.col("kind") == "payment")
        .group_by(day(), *POOL)
        .agg(
            payment_count=row_count(),
            account_count=distinct_count("account"),
            interest_tokens=known_total(pl.col("interest_tokens")),
            principal_tokens=known_total(pl.col("principal_tokens")),
            unsplit_tokens=pl.col("paid_tokens").sum(),
            unknown_interest_count=unknown_count("interest_tokens"),
        )
        .sort(_GRAIN, nulls_last=True)
    )


def credit_fees(fees: pl.LazyFrame, markets: pl.LazyFrame) -> pl.LazyFrame:
    """
    What lending and managing other people's money earned in a day, and who got it.

    Only kinds of fees that credit knows (interest, origination, service, management, subscription,
    redemption, penalty, flash_loan, reserve), in tokens and, where a price is known, dollars.
    A fee of a loan is its pool's; `fees` has it by loan.

    Formula:
        fee_usd = supply_side_usd + treasury_usd + holders_usd, where the split is known
        pool = the parent of the market's parent, else its parent, else the market

    Args:
        fees: one row per fee charged: market (a pool, its manager or a loan), fee_kind, fee_token,
            fee_tokens, fee_usd, supply_side_usd, treasury_usd, holders_usd (null while unknown).
        markets: parent of a market, those of credit used: a loan's manager, a manager's pool.

    Returns:
        One row per day, chain, protocol, pool, fee kind and token, sorted: fee_count (Int64),
        fee_tokens, fees_usd, supply_side_usd, treasury_usd, holders_usd (Decimal; sums of what is
        known, null when nothing is), unpriced_count, unsplit_count (Int64, fees without dollars and
        fees whose split is not known).

    Source:
        DefiLlama/dimension-adapters fees/GUIDELINES.md; for Maple the LoanFeeManager's split.
    """
    grain = ("date", "chain_id", "protocol", "pool", "fee_kind", "fee_token")
    dollars = ("supply_side_usd", "treasury_usd", "holders_usd")
    split = pl.sum_horizontal(*dollars, ignore_nulls=False)
    return (
        fees.filter(pl.col("fee_kind").is_in(_FEE_KINDS))
        .join(_pools(markets), on=_MARKET, how="left")
        .with_columns(day(), pool=pl.coalesce("pool", "market"))
        .group_by(grain)
        .agg(
            row_count().alias("fee_count"),
            known_total(pl.col("fee_tokens")).alias("fee_tokens"),
            known_total(pl.col("fee_usd")).alias("fees_usd"),
            *(known_total(pl.col(name)).alias(name) for name in dollars),
            unknown_count("fee_usd").alias("unpriced_count"),
            split.null_count().cast(pl.Int64).alias("unsplit_count"),
        )
        .sort(grain, nulls_last=True)
    )


def impairments(credit_events: pl.LazyFrame, pool_states: pl.LazyFrame) -> pl.LazyFrame:
    """
    Loans a pool marked down before they defaulted, and the loss that stands unrealised.

    Some venues log the amount with the event, some only in the pool's state: both are shown. A
    pool that is read once a day knows of an impairment the next day, its manager logs it at once.

    Formula:
        written_down_tokens(d) = Σ loss_tokens of impairments and of their removals, which are < 0
        unrealized_loss_tokens(d) = the last the pool told + Σ what its parts changed in later
        blocks, else the sum of the last of its parts; a part that had told nothing had lost before
        what the pool's last was above all other parts: from zero to what it tells

    Args:
        credit_events: one row per event: kind, loss_tokens (whole tokens of the asset).
        pool_states: one row per pool or part and moment: unrealized_loss_tokens (absolute).

    Returns:
        One row per day with an impairment, a removal or a state, chain, protocol, pool and asset,
        sorted: impairment_count, removed_count, unknown_loss_count (Int64), unrealized_loss_tokens
        (Decimal, >= 0, at the end of the day; null before the first), written_down_tokens (Decimal;
        a sum of what is known, zero without an event, null when there are some and none tells).

    Source:
        Maple UnrealizedLossesUpdated and LoanImpaired; Goldfinch PrincipalWrittenDown; Maker
        RwaLiquidationOracle Tell and Cure.
    """
    kind = pl.col("kind")
    counts = ("impairment_count", "removed_count", "unknown_loss_count")
    marked = (
        credit_events.filter(kind.is_in(["impairment", "impairment_removed"]))
        .group_by(day(), *POOL)
        .agg(
            impairment_count=(kind == "impairment").sum().cast(pl.Int64),
            removed_count=(kind == "impairment_removed").sum().cast(pl.Int64),
            unknown_loss_count=unknown_count("loss_tokens"),
            loss_tokens=pl.col("loss_tokens").sum(),
        )
    )
    told = changes_by_day(_standing(pool_states), "unrealized_loss_tokens")
    total = pl.col("impairment_count") + pl.col("removed_count")
    is_told = (total == 0) | (total > pl.col("unknown_loss_count"))
    return (
        _by_day(marked, told)
        .with_columns(pl.col(*counts, "loss_tokens").fill_null(0))
        .with_columns(
            written_down_tokens=pl.when(is_told).then(pl.col("loss_tokens")),
            unrealized_loss_tokens=pool_level(),
        )
        .select(*_GRAIN, *counts, "unrealized_loss_tokens", "written_down_tokens")
    )


def defaults(credit_events: pl.LazyFrame) -> pl.LazyFrame:
    """
    Loans that were declared lost in a day, and what the lenders lose by them.

    A call or an impairment is no default. A liquidation of collateral is one only where the venue
    says so.

    Formula:
        loss_tokens(d) = Σ loss_tokens of the defaults on UTC day d

    Args:
        credit_events: one row per event, defaults used: loss_tokens (whole tokens of the asset;
            null where the venue does not say), account, loan.

    Returns:
        One row per day with a default, chain, protocol, pool and asset, sorted: default_count,
        account_count, loan_count (Int64, null where none is told), loss_tokens (Decimal; a sum of
        what is known, null when nothing is), unknown_loss_count (Int64).

    Source:
        Maple CollateralLiquidationFinished net of CoverLiquidated, TrueFi and Clearpool Defaulted.
    """
    return (
        credit_events.filter(pl.col("kind") == "default")
        .group_by(day(), *POOL)
        .agg(
            default_count=row_count(),
            account_count=distinct_count("account"),
            loan_count=distinct_count("loan"),
            loss_tokens=known_total(pl.col("loss_tokens")),
            unknown_loss_count=unknown_count("loss_tokens"),
        )
        .sort(_GRAIN, nulls_last=True)
    )


def recoveries(credit_events: pl.LazyFrame) -> pl.LazyFrame:
    """
    What came back after a default or a liquidation, and what sales of collateral brought.

    The two are never added: what a sale brings may be handed on as a recovery.

    Formula:
        recovered_tokens(d) = Σ principal_tokens of the recoveries on UTC day d

    Args:
        credit_events: one row per event, recoveries and collateral sales used: principal_tokens
            (whole tokens of the asset).

    Returns:
        One row per day with either, chain, protocol, pool and asset, sorted: recovery_count,
        sale_count, unknown_count (Int64, events of either kind without an amount),
        recovered_tokens, sale_tokens (Decimal; sums of what is known, zero without such an event,
        null when none tells).

    Source:
        Maple CoverLiquidated, LiquidatedFundsDistributed and PortionLiquidated; Maker Clipper Take.
    """
    kind, amount = pl.col("kind"), pl.col("principal_tokens")
    is_sale = kind == "collateral_sale"
    return (
        credit_events.filter(is_sale | (kind == "recovery"))
        .group_by(day(), *POOL)
        .agg(
            recovery_count=(kind == "recovery").sum().cast(pl.Int64),
            sale_count=is_sale.sum().cast(pl.Int64),
            unknown_count=unknown_count("principal_tokens"),
            recovered_tokens=known_total(amount.filter(kind == "recovery")),
            sale_tokens=known_total(amount.filter(is_sale)),
        )
        .sort(_GRAIN, nulls_last=True)
    )


def _lent() -> pl.Expr:
    kind, principal = pl.col("kind"), pl.col("principal_tokens")
    is_interest = pl.col("interest_tokens").is_not_null() & pl.col("paid_tokens").is_null()
    repaid = pl.when(principal.is_null() & is_interest).then(0).otherwise(principal)
    return (
        pl.when(kind == "funded")
        .then(principal)
        .when(kind == "default")
        .then(-pl.col("loss_tokens"))
        .when(kind == "liquidation")
        .then(-principal.fill_null(0))
        .otherwise(-repaid)
    )


def _pools(markets: pl.LazyFrame) -> pl.LazyFrame:
    """Return the pool of each market of credit: a loan's by its manager, or its own."""
    is_credit = pl.col("asset_class") == "credit"
    own = markets.filter(is_credit).group_by(_MARKET).agg(pl.col("parent").max())
    mothers = own.select(*_MARKET[:2], parent="market", pool="parent")
    return own.join(mothers, on=[*_MARKET[:2], "parent"], how="left").select(
        *_MARKET, pl.coalesce("pool", "parent", "market").alias("pool")
    )


def _standing(pool_states: pl.LazyFrame) -> pl.LazyFrame:
    """Return what pools said and their parts changed since; of pools that never did, the parts."""
    loss, is_own = pl.col("unrealized_loss_tokens"), pl.col("part") == pl.col("pool")
    before, is_since = pl.col("before"), ~is_own & (pl.col("block_number") > pl.col("said_in"))
    is_first = is_since & before.is_null()
    # A part that had not spoken had no loss but what the pool said and no other part explains.
    earlier = (pl.when(is_first).then(loss).otherwise(0).cum_sum() - loss).over(*POOL, "words")
    unexplained = pl.col("said") - pl.col("said_of_parts")
    rest = (unexplained - earlier).clip(0)
    first = pl.when(loss > rest).then(loss - rest).otherwise(0)
    change = pl.when(before.is_not_null()).then(loss - before).otherwise(first)
    has_spoken = pl.col("words") > 0
    stands = (pl.col("said") + pl.col("since").cum_sum().over(*POOL, "words")).clip(0)
    return (
        _words(pool_states.filter(loss.is_not_null()).sort(STATE_ORDER), loss, is_own)
        .with_columns(since=pl.when(is_since).then(change).fill_null(0))
        .with_columns(
            part=pl.when(has_spoken).then("pool").otherwise("part"),
            unrealized_loss_tokens=pl.when(has_spoken).then(stands).otherwise(loss),
        )
    )


def _words(states: pl.LazyFrame, loss: pl.Expr, is_own: pl.Expr) -> pl.LazyFrame:
    """Return states in their order with what their pool and their part had said before."""
    said = pl.when(is_own)
    of_parts = said.then(0).otherwise(loss - pl.col("before").fill_null(0))
    last = {"said": loss, "said_in": pl.col("block_number"), "said_of_parts": pl.col("of_parts")}
    return (
        states.with_columns(
            before=loss.shift(1).over(*POOL, "part"), words=is_own.cum_sum().over(POOL)
        )
        .with_columns(of_parts=of_parts.cum_sum().over(POOL))
        .with_columns(
            said.then(value).forward_fill().over(POOL).alias(name) for name, value in last.items()
        )
    )


def _by_day(events: pl.LazyFrame, states: pl.LazyFrame) -> pl.LazyFrame:
    return (
        pl.concat([events, states], how="diagonal")
        .group_by(_GRAIN)
        .agg(known_total(pl.exclude(_GRAIN)))
        .sort(_GRAIN, nulls_last=True)
    )

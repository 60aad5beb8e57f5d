"""Figures of the ADL policies: what was needed, what was taken, what others would have taken."""

import polars as pl

from analytics.expressions import ratio

_OVERSHOOT = "overshoot_prod_minus_needed_usd"


def needed_budget(price_gaps: pl.LazyFrame) -> pl.LazyFrame:
    """
    What the losers' positions were short of at the mark: the budget ADLs had to raise.

    Formula:
        B = Σ |mark - execution| x quantity, by wave and coin

    Args:
        price_gaps: one row per wave and coin: gap_usd_x_qty (USD).

    Returns:
        One row: rows (Int64), needed_usd (Decimal, USD).

    Source:
        pluriholonomic/autodeleveraging-analysis, two_pass_wave_coin_gap_per_contract.csv.
    """
    return price_gaps.select(rows=pl.len().cast(pl.Int64), needed_usd=pl.col("gap_usd_x_qty").sum())


def production(horizon_0: pl.LazyFrame) -> pl.LazyFrame:
    """
    What the venue took from winners beyond what was needed, in all and wave by wave.

    A sum hides that some waves took too little: overshoot and under-coverage stand apart.

    Formula:
        overshoot = Σ (taken - needed); under-coverage = Σ of the waves where it is negative

    Args:
        horizon_0: one row per wave, evaluated at its end: wave, budget_prod_usd, budget_needed_usd,
            overshoot_prod_minus_needed_usd (USD).

    Returns:
        One row: taken_usd, needed_usd, overshoot_usd, under_usd (Decimal, USD), under_waves
        (Int64), wave13_ratio (Float64, wave 13 of all overshoot).

    Source:
        pluriholonomic/autodeleveraging-analysis, two-pass replay; arXiv 2602.15182.
    """
    over = pl.col(_OVERSHOOT)
    return horizon_0.select(
        taken_usd=pl.col("budget_prod_usd").sum(),
        needed_usd=pl.col("budget_needed_usd").sum(),
        overshoot_usd=over.sum(),
        under_usd=over.filter(over < 0).sum(),
        under_waves=(over < 0).sum().cast(pl.Int64),
        wave13_ratio=ratio(over.filter(pl.col("wave") == 13).sum(), over.sum()),
    )


def horizon_band(
    horizon_0: pl.LazyFrame,
    horizon_500: pl.LazyFrame,
    horizon_1000: pl.LazyFrame,
    horizon_2000: pl.LazyFrame,
    horizon_5000: pl.LazyFrame,
) -> pl.LazyFrame:
    """
    The overshoot when winners are valued so many milliseconds after each wave.

    Formula:
        overshoot(h) = Σ (taken valued h later - needed)

    Args:
        horizon_0: one row per wave: overshoot_prod_minus_needed_usd (USD), at its end.
        horizon_500: the same half a second later.
        horizon_1000: the same a second later.
        horizon_2000: the same two seconds later.
        horizon_5000: the same five seconds later.

    Returns:
        One row: overshoot_0_usd to overshoot_5000_usd (Decimal, USD).

    Source:
        pluriholonomic/autodeleveraging-analysis, evaluation horizon sweep.
    """
    sweep = {0: horizon_0, 500: horizon_500, 1000: horizon_1000, 2000: horizon_2000}
    sweep[5000] = horizon_5000
    return pl.concat(
        [
            waves.select(pl.col(_OVERSHOOT).sum().alias(f"overshoot_{ms}_usd"))
            for ms, waves in sweep.items()
        ],
        how="horizontal",
    )


def queue_overshoot(queue_clusters: pl.LazyFrame) -> pl.LazyFrame:
    """
    What a queue by rank takes beyond the deficit, and how much of it where there is no deficit.

    Formula:
        multiple = Σ overshoot / Σ deficit

    Args:
        queue_clusters: one row per coin and cluster: deficit_usd, overshoot_queue_usd (USD).

    Returns:
        One row: clusters, no_deficit_clusters (Int64), overshoot_usd, deficit_usd (Decimal, USD),
        overshoot_multiple, no_deficit_ratio (Float64).

    Source:
        pluriholonomic/autodeleveraging-analysis, per_shock_metrics_queue.csv.
    """
    over, deficit = pl.col("overshoot_queue_usd"), pl.col("deficit_usd")
    return queue_clusters.select(
        clusters=pl.len().cast(pl.Int64),
        no_deficit_clusters=(deficit == 0).sum().cast(pl.Int64),
        overshoot_usd=over.sum(),
        deficit_usd=deficit.sum(),
        overshoot_multiple=ratio(over.sum(), deficit.sum()),
        no_deficit_ratio=ratio(over.filter(deficit == 0).sum(), over.sum()),
    )


def other_policies(policy_waves: pl.LazyFrame) -> pl.LazyFrame:
    """
    What two other policies would have taken beyond what was needed.

    Formula:
        Σ overshoot by wave; the worst wave is the lowest

    Args:
        policy_waves: one row per wave: wave, overshoot_contract_pr (pro rata by contract),
            overshoot_fixed_point_ilp_integer (integer programme) (USD).

    Returns:
        One row: contract_worst_usd, contract_usd, programme_usd (Decimal, USD),
        contract_first_usd (Decimal, USD, of wave 1), contract_worst_wave (Int64).

    Source:
        pluriholonomic/autodeleveraging-analysis, policy_per_wave_metrics.csv.
    """
    contract = pl.col("overshoot_contract_pr")
    return policy_waves.select(
        contract_worst_usd=contract.min(),
        contract_worst_wave=pl.col("wave").sort_by(contract).first(),
        contract_first_usd=contract.filter(pl.col("wave") == 1).sum(),
        contract_usd=contract.sum(),
        programme_usd=pl.col("overshoot_fixed_point_ilp_integer").sum(),
    )


def reacting_accounts(reactions: pl.LazyFrame) -> pl.LazyFrame:
    """
    Accounts that traded against their ADLs, and accounts that did nothing.

    The two published lists are what these bounds select from all accounts.

    Formula:
        strategic: at least 5 ADLs, other fills within a minute of at least 50 % of them, which
            undo at least 25 % of what was cut on average
        passive: at least 5 ADLs and other fills within 5 minutes of at most 5 % of them

    Args:
        reactions: one row per account: n_adl_events, share_any_nonadl_fill_60000ms,
            mean_undo_frac_60000ms, share_any_nonadl_fill_300000ms.

    Returns:
        One row: accounts, strategic_accounts, passive_accounts (Int64).

    Source:
        pluriholonomic/autodeleveraging-analysis, per_user_reaction_metrics.csv and report.md.
    """
    is_often = pl.col("n_adl_events") >= 5
    is_quick = pl.col("share_any_nonadl_fill_60000ms") >= 0.5
    is_strategic = is_often & is_quick & (pl.col("mean_undo_frac_60000ms") >= 0.25)
    is_passive = is_often & (pl.col("share_any_nonadl_fill_300000ms") <= 0.05)
    return reactions.select(
        accounts=pl.len().cast(pl.Int64),
        strategic_accounts=is_strategic.sum().cast(pl.Int64),
        passive_accounts=is_passive.sum().cast(pl.Int64),
    )

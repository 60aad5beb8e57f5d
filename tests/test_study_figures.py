"""The figures of the published record on rows small enough to compute in the head."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from analytics.studies.corrections import (
    all_waves,
    both_sides,
    covered_majors,
    deficit_once,
    equity_leverage,
    executed_buybacks,
    one_sided_liquidations,
)
from analytics.studies.exits import (
    adl_holders,
    adl_progress,
    adl_sample,
    adl_totals,
    liquidation_rows,
    trigger_lag,
)
from analytics.studies.files import FILES
from analytics.studies.income import (
    aster_buybacks,
    aster_days,
    declared_shares,
    fees_of_the_day,
    funding_signs,
    open_interest_change,
    open_interest_drawdown,
)
from analytics.studies.prices import usde_deviation, usde_lows, usde_pool
from analytics.studies.waves import (
    horizon_band,
    needed_budget,
    other_policies,
    production,
    queue_overshoot,
    reacting_accounts,
)

NOON = datetime(2025, 10, 10, 21, 16)
MS = 1_760_130_960_000  # NOON, in milliseconds


def rows(file: str, **columns: Sequence[object]) -> pl.LazyFrame:
    """Return rows of a file of the study, with the columns a test gives."""
    dtypes = FILES[file].columns
    return pl.LazyFrame(
        {name: pl.Series(values).cast(dtypes[name]) for name, values in columns.items()}
    )


def only(frame: pl.LazyFrame) -> dict[str, object]:
    """Return the one row of an answer; decimals and whole floats as short numbers."""
    row = frame.collect().row(0, named=True)
    return {
        name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()
    }


def minutes(*offsets: float) -> Sequence[object]:
    """Return moments so many minutes after 21:16."""
    return [NOON + timedelta(minutes=offset) for offset in offsets]


def test_totals_come_from_three_tables() -> None:
    """Coins and accounts are added up apart, so that a lost row shows."""
    coins = rows(
        "adl_coins",
        coin=["BTC", "ETH", "XPL", "DOGE"],
        adl_notional=[50, 30, 10, 10],
        closed_pnl=[5, 3, 1, 0],
        pnl_percent=[100, 50, 25, -25],
        is_negative_equity=[2, 1, 0, 0],
        num_events=[3, 2, 1, 1],
    )
    accounts = rows(
        "adl_accounts",
        user=["0xa", "0xb"],
        adl_notional=[60, 39],
        closed_pnl=[6, 3],
        pnl_percent=[70, 40],
        is_negative_equity=[True, False],
        num_adl_events=[4, 3],
    )

    found = only(adl_totals(coins, accounts))

    assert (found["coins"], found["fills"], found["notional_usd"]) == (4, 7, 100)
    assert (found["top3_ratio"], found["btc_usd"], found["sol_usd"]) == (0.9, 50, 0)
    assert (found["accounts"], found["account_notional_usd"]) == (2, 99)
    assert (found["negative_equity_rows"], found["negative_equity_accounts"]) == (3, 1)
    assert (found["mean_pnl_ratio"], found["account_mean_pnl_ratio"]) == (4 / 7, 4 / 7)


def test_one_of_four_accounts_holds_all() -> None:
    """Shares are 1, the Gini coefficient of one holder in four is 3/4."""
    found = only(adl_holders(rows("adl_accounts", adl_notional=[0, 8, 0, 0])))

    assert found == {"top1_ratio": 1, "top10_ratio": 1, "top100_ratio": 1, "gini_ratio": 0.75}


def test_progress_by_minute_and_percent() -> None:
    """Of 10 + 70 + 20 the quarter and the half are there with the second event."""
    found = only(
        adl_progress(
            rows(
                "adl_seconds",
                time=[MS, MS + 60_000, MS + 120_000],
                notionalInBucket=[10, 70, 20],
                eventCount=[9, 1, 1],
            )
        )
    )

    assert (found["m2116_usd"], found["m2117_usd"], found["m2120_usd"]) == (10, 70, 0)
    assert (found["p25_at"], found["p90_at"]) == (*minutes(1, 2),)
    assert (found["largest_at"], found["peak_minute_at"]) == (*minutes(0, 1),)
    assert (found["window70_ms"], found["largest_fills"], found["fills"]) == (0, 9, 11)


def test_the_sample_ends_at_2117() -> None:
    """A coin of two seconds counts once, and what is later does not."""
    seconds = rows(
        "adl_seconds",
        time=[MS, MS + 59_000, MS + 60_000],
        notionalInBucket=[1, 2, 4],
        eventCount=[1, 1, 1],
    )
    coins = rows(
        "adl_coin_seconds", time_ms=[MS, MS + 59_000, MS + 60_000], coin=["BTC", "BTC", "ETH"]
    )

    assert only(adl_sample(seconds, coins)) == {"notional_usd": 3, "fills": 2, "coins": 1}


def test_published_liquidations_are_sums() -> None:
    """Nothing is halved here: this is what was published."""
    found = only(liquidation_rows(tickers()))

    assert (found["rows"], found["notional_usd"], found["total_usd"]) == (14, 140, 180)
    assert found["published_ratio"] == 40 / 140


def tickers() -> pl.LazyFrame:
    """Return 2 ADLs and 4 take-overs, 2 ADLs alone, a take-over alone, and a ticker without."""
    return rows(
        "tickers",
        ticker=["BTC", "MET", "DOGE", "ADA"],
        liq_notional=[100, 20, 20, 0],
        adl_notional=[20, 20, 0, 0],
        total_notional=[120, 40, 20, 0],
        liq_events=[10, 2, 2, 0],
        adl_events=[2, 2, 0, 0],
        total_events=[12, 4, 2, 0],
    )


def test_the_lag_is_to_the_first_adl() -> None:
    """Seconds without a liquidation do not begin it."""
    timeline = rows("timeline", ts=minutes(0, 1), liq_rows=[0, 4])
    waves = rows("deficit_waves", t_start_ms=[MS + 300_000, MS + 61_704])

    assert only(trigger_lag(timeline, waves))["lag_ms"] == 1704


def test_one_side_of_each_liquidation() -> None:
    """(10 - 2) / 2 + 0 + 1 fills; the notional of a ticker with ADLs alone is none."""
    timeline = rows("timeline", liq_rows=[4, 5], adl_fills=[2, 2])

    found = only(one_sided_liquidations(tickers(), timeline))

    assert (found["fills"], found["notional_usd"], found["both_usd"]) == (5, 50, 90)
    assert (found["tickers"], found["even_tickers"], found["adl_only_tickers"]) == (4, 4, 1)
    assert (found["seconds"], found["even_seconds"]) == (2, 1)
    assert (found["adl_ratio"], found["median_adl_ratio"]) == (0.8, 0.25)


def test_both_sides_carry_the_liquidation() -> None:
    """Spot pairs do not count; a trade with one row shows."""
    fills = rows(
        "node_fills",
        coin=["BTC", "BTC", "ETH", "@107", "PURR/USDC"],
        tid=[1, 1, 2, 3, 4],
        liq_user=["0xa", "0xa", None, None, None],
    )

    assert only(both_sides(fills)) == {
        "perp_trades": 2,
        "two_row_trades": 1,
        "liquidations": 1,
        "liquidation_rows": 2,
    }


def test_a_loss_that_repeats_is_one_account() -> None:
    """11 + 10 + 12 hold the same 10 three times: 13 is left."""
    waves = rows("deficit_waves", deficit_usd=[11, 10, 12], max_loss_usd=[10, 10, 10])

    assert only(deficit_once(waves)) == {
        "summed_usd": 33,
        "repeated_usd": 10,
        "repeated_waves": 3,
        "once_usd": 13,
    }


def test_losses_that_differ_are_all_counted() -> None:
    """Nothing repeats, so nothing is taken away."""
    waves = rows("deficit_waves", deficit_usd=[11, 10], max_loss_usd=[10, 9])

    found = only(deficit_once(waves))

    assert (found["once_usd"], found["repeated_waves"]) == (21, 1)


def test_waves_without_a_deficit_are_waves() -> None:
    """Three bursts, the second was left out; it held 6 of 10."""
    timeline = rows("timeline", ts=minutes(0, 1, 2, 3), adl_fills=[3, 5, 0, 2])
    waves = published_waves()
    seconds = rows(
        "adl_seconds",
        time=[MS, MS + 60_000, MS + 180_000],
        notionalInBucket=[3, 6, 1],
    )

    found = only(all_waves(timeline, waves, seconds))

    assert (found["waves"], found["published_waves"], found["equal_waves"]) == (3, 2, 1)
    assert (found["left_out_waves"], found["left_out_usd"]) == (1, 6)
    assert (found["left_out_ratio"], found["largest_left_out_at"]) == (0.6, minutes(1)[0])


def published_waves() -> pl.LazyFrame:
    """Return the first and the third burst, the latter with another count of rows."""
    return rows(
        "deficit_waves",
        wave=[1, 3],
        n_rows=[3, 9],
        t_start_ms=[MS + 831, MS + 180_100],
        t_end_ms=[MS + 831, MS + 180_900],
    )


def test_coverage_of_a_coin_is_by_notional() -> None:
    """The second that a wave begins in is inside it; a coin without ADLs has no coverage."""
    seconds = rows(
        "adl_coin_seconds",
        time_ms=[MS, MS + 60_000, MS],
        coin=["BTC", "BTC", "ETH"],
        adl_notional_usd=[1, 3, 5],
    )

    assert only(covered_majors(seconds, published_waves())) == {
        "btc_ratio": 0.25,
        "eth_ratio": 1.0,
        "sol_ratio": None,
    }


def test_leverage_over_equity() -> None:
    """100 over cash of 1 is 100; with a profit of 24 the equity is 25 and the leverage 4."""
    outliers = rows(
        "outliers",
        position_size=[-2, 1],
        adl_price=[50, 100],
        account_value_realtime=[1, 10],
        total_equity=[25, 25],
        leverage_realtime=[100, 11],
        position_unrealized_pnl=[24, 15],
        pnl_percent=[24, 15],
    )

    assert only(equity_leverage(outliers)) == {
        "rows": 2,
        "cash_rows": 1,
        "profit_rows": 2,
        "median_cash_leverage": 55.5,
        "median_equity_leverage": 4.0,
    }


def test_purchases_against_revenue() -> None:
    """3 x 20 bought on the 11th of 100 earned; the day after the window is not in it."""
    declared = declared_days(
        ["hyperliquid", "hyperliquid", "gmx"],
        [date(2026, 2, 11), date(2026, 2, 13), date(2026, 2, 11)],
        fees=[0, 0, 0],
        revenue=[100, 50, 7],
        holders=[100, 5, 0],
    )
    bought = rows(
        "hype_days",
        date=[date(2026, 2, 11), date(2026, 2, 13)],
        usd=[100, 50],
        hype=[3, 9],
        avg_price=[20, 20],
        data_type=["onchain", "estimated"],
    )

    found = only(executed_buybacks(declared, bought))

    assert (found["declared_ratio"], found["executed_ratio"], found["executed_usd"]) == (1, 0.6, 60)
    assert found["booked_days"] == 1


def declared_days(
    protocols: Sequence[object],
    days: Sequence[object],
    *,
    fees: Sequence[object],
    revenue: Sequence[object],
    holders: Sequence[object],
) -> pl.LazyFrame:
    """Return what DefiLlama says of protocols and days."""
    return rows(
        "declared_days",
        protocol=protocols,
        date=days,
        fees_usd=fees,
        revenue_usd=revenue,
        holders_revenue_usd=holders,
    )


def test_needed_budget_is_a_sum() -> None:
    """Of the gaps of all waves and coins."""
    gaps = rows("price_gaps", gap_usd_x_qty=[1.0, 2.5])

    assert only(needed_budget(gaps)) == {"rows": 2, "needed_usd": 3.5}


def test_too_little_stands_apart_from_too_much() -> None:
    """A wave that took 2 less is not hidden by one that took 10 more."""
    waves = rows(
        "horizon_0",
        wave=[1, 13],
        budget_prod_usd=[1, 30],
        budget_needed_usd=[3, 20],
        overshoot_prod_minus_needed_usd=[-2, 10],
    )

    assert only(production(waves)) == {
        "taken_usd": 31,
        "needed_usd": 23,
        "overshoot_usd": 8,
        "under_usd": -2,
        "under_waves": 1,
        "wave13_ratio": 1.25,
    }


def test_each_horizon_is_summed_apart() -> None:
    """Five files, five sums."""
    sweep = [
        rows("horizon_0", overshoot_prod_minus_needed_usd=[number, 10])
        for number in (0, 1, 2, 3, 4)
    ]

    assert [*only(horizon_band(*sweep)).values()] == [10, 11, 12, 13, 14]


def test_a_queue_takes_also_where_no_deficit_is() -> None:
    """9 of 12 fall where the deficit is zero; 12 is three times the deficit of 4."""
    clusters = rows("queue_clusters", deficit_usd=[4, 0], overshoot_queue_usd=[3, 9])

    found = only(queue_overshoot(clusters))

    assert (found["overshoot_multiple"], found["no_deficit_ratio"]) == (3.0, 0.75)
    assert (found["clusters"], found["no_deficit_clusters"]) == (2, 1)


def test_the_worst_wave_is_the_lowest() -> None:
    """Not the first one."""
    policies = rows(
        "policy_waves",
        wave=[1, 13],
        overshoot_contract_pr=[-3, -14],
        overshoot_fixed_point_ilp_integer=[1, -2],
    )

    assert only(other_policies(policies)) == {
        "contract_worst_usd": -14,
        "contract_worst_wave": 13,
        "contract_first_usd": -3,
        "contract_usd": -17,
        "programme_usd": -1,
    }


def test_who_reacts_has_five_adls() -> None:
    """All bounds are inclusive; four ADLs are too few for either list, each bound is one alone."""
    reactions = rows(
        "reactions",
        n_adl_events=[5, 5, 4, 5, 5],
        share_any_nonadl_fill_60000ms=[0.5, 0.0, 1.0, 1.0, 0.49],
        mean_undo_frac_60000ms=[0.25, 0.0, 1.0, 0.24, 1.0],
        share_any_nonadl_fill_300000ms=[0.6, 0.05, 0.0, 1.0, 0.5],
    )

    assert only(reacting_accounts(reactions)) == {
        "accounts": 5,
        "strategic_accounts": 1,
        "passive_accounts": 1,
    }


def test_a_wick_comes_before_the_close() -> None:
    """0.90 traded at 21:20 and closed below at 21:36; what is before 20:50 is another story."""
    lows = rows(
        "usde_minutes",
        ts=minutes(-60, 4, 20, 25, 30),
        low=[0.1, 0.9, 0.85, 0.88, 0.65],
        close=[0.1, 0.97, 0.84, 0.89, 0.9],
    )

    assert only(usde_lows(lows)) == {
        "low_usdt": 0.65,
        "low_at": minutes(30)[0],
        "lowest_close_usdt": 0.84,
        "lowest_close_at": minutes(20)[0],
        "severe_at": minutes(20)[0],
        "last_severe_at": minutes(25)[0],
        "wick_at": minutes(4)[0],
    }


def test_a_close_is_compared_at_the_end_of_its_minute() -> None:
    """
    The block of the same second counts, a later one does not; without a block nothing does.

    1.5 % off is beyond 100 bps, half a percent is not.
    """
    second = MS // 1000
    traded = rows(
        "usde_minutes",
        ts=minutes(0, 1, 5),
        low=[0.5, 1.8, 0.1],
        close=[0.985, 1.99, 0.1],
    )
    blocks = rows("usde_blocks", timestamp=[second + 60, second + 61], token1Price=[1.0, 2.0])

    found = only(usde_deviation(traded, blocks))

    assert (found["minutes"], found["beyond_minutes"]) == (2, 1)
    assert found["worst_close_bps"] == pytest.approx(-150)
    assert found["worst_low_bps"] == pytest.approx(-5000)
    assert (found["first_at"], found["last_at"]) == (NOON, NOON)


def test_liquidity_is_that_at_the_lowest_price() -> None:
    """Of 100 before the event 5 are left where the price is lowest."""
    second = MS // 1000
    blocks = rows(
        "usde_blocks",
        timestamp=[second - 7200, second, second + 60],
        token1Price=[1.0, 0.99, 0.995],
        liquidity=[100, 5, 1],
    )

    found = only(usde_pool(blocks))

    assert (found["low_usdt"], found["low_at"]) == (0.99, NOON)
    assert found["liquidity_change_ratio"] == pytest.approx(-0.95)


def test_the_day_against_those_before_it() -> None:
    """30 is three times the mean of 8 and 12, and higher than every other day but one."""
    declared = declared_days(
        ["hyperliquid"] * 4 + ["gmx"],
        [date(2025, 9, 10), *(date(2025, 10, day) for day in (9, 10, 11, 10))],
        fees=[8, 12, 30, 31, 99],
        revenue=[0] * 5,
        holders=[0] * 5,
    )

    assert only(fees_of_the_day(declared)) == {
        "fees_usd": 30,
        "days": 4,
        "rank": 2,
        "multiple": 3.0,
    }


def test_declared_shares_begin_with_their_programme() -> None:
    """GMX from September, Maple from November: what was before is not in it."""
    declared = declared_days(
        ["gmx", "gmx", "maple", "maple"],
        [date(2025, 8, 31), date(2025, 9, 1), date(2025, 10, 31), date(2025, 11, 1)],
        fees=[100, 100, 100, 100],
        revenue=[50, 37, 10, 12],
        holders=[50, 27, 0, 3],
    )

    assert only(declared_shares(declared)) == {
        "gmx_holders_ratio": 0.27,
        "gmx_revenue_ratio": 0.37,
        "maple_holders_ratio": 0.25,
    }


def test_aster_of_a_stage_and_of_days() -> None:
    """The transfer that begins the count is in it; another stage is not; a day is UTC."""
    transfers = rows(
        "aster_transfers",
        stage=[5, 5, 6],
        block_timestamp=[
            datetime(2025, 12, 25, 3, 41, 48),
            datetime(2025, 12, 25, 3, 41, 49),
            datetime(2025, 12, 26),
        ],
        transaction_hash=["0x1", "0x2", "0x2"],
        log_index=[1, 1, 1],
        value=[1, 2, 4],
    )

    found = only(aster_buybacks(transfers))
    days = aster_days(transfers).collect()

    assert (found["stage5_tokens"], found["counted_tokens"], found["lost_tokens"]) == (3, 2, 1)
    assert (found["transfers"], found["distinct_transfers"], found["days"]) == (3, 2, 2)
    assert days["transfers"].to_list() == [2, 1]


def test_open_interest_needs_both_days() -> None:
    """Of 200 there are 150 left; a perp without the second day is in none of it."""
    days = rows(
        "open_interest_days",
        symbol=["BTCUSD_PERP.A", "BTCUSD_PERP.A", "ETHUSD_PERP.A", "ETHUSD_PERP.A", "X"],
        date=[date(2025, 10, 10), date(2025, 10, 11)] * 2 + [date(2025, 10, 10)],
        oi_open=[100, 1, 100, 1, 900],
        oi_close=[1, 100, 1, 50, 1],
    )

    found = only(open_interest_change(days))

    assert (found["perps"], found["change_ratio"], found["median_ratio"]) == (2, -0.25, -0.25)
    assert (found["btc_ratio"], found["eth_ratio"], found["sol_ratio"]) == (0, -0.5, None)


def test_a_drawdown_is_to_a_later_close() -> None:
    """100, 200, 120, 150: two fifths went; a perp that lacks a day is in none of the sums."""
    days = [date(2025, 10, day) for day in (9, 10, 11, 12)]
    closes = rows(
        "open_interest_days",
        symbol=["BTC"] * 4 + ["NEW"],
        date=[*days, days[0]],
        oi_close=[100, 200, 120, 150, 900],
    )

    assert only(open_interest_drawdown(closes)) == {
        "perps": 1,
        "drawdown_ratio": -0.4,
        "peak_on": days[1],
        "lowest_on": days[2],
    }


def test_funding_of_zero_is_not_negative() -> None:
    """One of two on the day after; a perp without a rate is not counted."""
    days = rows(
        "funding_days",
        date=[date(2025, 10, 11)] * 3 + [date(2025, 10, 8)],
        funding_rate=[-0.1, 0.0, None, 0.1],
    )

    assert only(funding_signs(days)) == {"perps": 2, "negative_ratio": 0.5, "quiet_ratio": 0.0}

"""10 October 2025: the figures that were recomputed by hand, to the digits that were noted."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from analytics.studies.record import Study, hyperliquid

# Of each figure the value with the digits that are given: half of the last one is the tolerance.
RECOMPUTED: Mapping[str, str] = {
    "adl_totals.fills": "34983",
    "adl_totals.coins": "162",
    "adl_totals.accounts": "19337",
    "adl_totals.notional_usd": "2103111431",
    "adl_totals.account_notional_usd": "2103111431",
    "adl_progress.notional_usd": "2103111431",
    "adl_totals.closed_pnl_usd": "834295749",
    "adl_totals.account_closed_pnl_usd": "834295749",
    "adl_totals.btc_usd": "620.9e6",
    "adl_totals.eth_usd": "458.0e6",
    "adl_totals.sol_usd": "276.2e6",
    "adl_totals.hype_usd": "189.9e6",
    "adl_totals.xpl_usd": "65.8e6",
    "adl_totals.top3_ratio": "0.6443",
    "adl_totals.mean_pnl_ratio": "0.85932103291",
    "adl_totals.account_mean_pnl_ratio": "0.85932103291",
    "adl_totals.negative_equity_accounts": "165",
    "adl_totals.negative_equity_rows": "302",
    "trigger_lag.lag_ms": "61704",
    "adl_progress.largest_fills": "11279",
    "adl_sample.notional_usd": "285.547e6",
    "adl_sample.fills": "14194",
    "adl_sample.coins": "64",
    "liquidation_rows.rows": "63637",
    "liquidation_rows.notional_usd": "5511042925",
    "liquidation_rows.total_usd": "7614154356",
    "deficit_once.summed_usd": "100.063e6",
    "needed_budget.needed_usd": "15079669.61",
    "needed_budget.rows": "728",
    "production.taken_usd": "60108335.33",
    "horizon_band.overshoot_0_usd": "45028665.72",
    "horizon_band.overshoot_500_usd": "51.67e6",
    "horizon_band.overshoot_1000_usd": "51.01e6",
    "horizon_band.overshoot_2000_usd": "47.45e6",
    "horizon_band.overshoot_5000_usd": "49.27e6",
    "queue_overshoot.overshoot_usd": "653552663.51",
    "queue_overshoot.overshoot_multiple": "28.18",
    "reacting_accounts.strategic_accounts": "31",
    "reacting_accounts.passive_accounts": "758",
    "other_policies.contract_worst_usd": "-1460533",
    "other_policies.contract_worst_wave": "13",
    "other_policies.contract_usd": "-3020121",
    "other_policies.programme_usd": "92187",
    "usde_lows.low_usdt": "0.6500",
    "usde_lows.lowest_close_usdt": "0.6651",
    "aster_buybacks.stage5_tokens": "21115174",
    "aster_buybacks.days": "53",
    "declared_shares.gmx_holders_ratio": "0.27000",
    "declared_shares.gmx_revenue_ratio": "0.36999",
    "declared_shares.maple_holders_ratio": "0.25000",
    # new figures, nobody published them
    "fees_of_the_day.fees_usd": "10751400",
    "fees_of_the_day.rank": "1",
    "fees_of_the_day.days": "414",
    "fees_of_the_day.multiple": "2.77",
    "adl_progress.m2116_usd": "285.5e6",
    "adl_progress.m2117_usd": "765.8e6",
    "adl_progress.m2118_usd": "236.5e6",
    "adl_progress.m2119_usd": "738.3e6",
    "adl_progress.m2120_usd": "75.8e6",
    "adl_holders.top1_ratio": "0.157",
    "adl_holders.top10_ratio": "0.458",
    "adl_holders.top100_ratio": "0.776",
    "adl_holders.gini_ratio": "0.982",
    "usde_deviation.worst_close_bps": "-3347",
    "usde_deviation.worst_low_bps": "-3499",
    "usde_deviation.beyond_minutes": "75",
    "usde_pool.low_usdt": "0.99413",
    "usde_pool.liquidity_change_ratio": "-0.997",
    "open_interest_change.perps": "33",
    "open_interest_change.change_ratio": "-0.206",
    "open_interest_change.median_ratio": "-0.361",
    "open_interest_change.btc_ratio": "-0.061",
    "open_interest_change.sol_ratio": "-0.472",
    "open_interest_change.xrp_ratio": "-0.547",
    "open_interest_change.doge_ratio": "-0.698",
    "open_interest_change.four_ratio": "-0.147",
    "funding_signs.negative_ratio": "0.69",
    "funding_signs.quiet_ratio": "0.04",
    # errors of the published record, corrected
    "one_sided_liquidations.fills": "14327",
    "one_sided_liquidations.notional_usd": "1703965747",
    "one_sided_liquidations.both_usd": "3807077178",
    "one_sided_liquidations.events": "49310",
    "one_sided_liquidations.adl_ratio": "1.234",
    "one_sided_liquidations.median_adl_ratio": "0.97",
    "one_sided_liquidations.even_tickers": "171",
    "one_sided_liquidations.even_seconds": "186",
    "one_sided_liquidations.adl_only_tickers": "2",
    "both_sides.two_row_trades": "3383",
    "both_sides.perp_trades": "3383",
    "deficit_once.once_usd": "12.66e6",
    "deficit_once.repeated_usd": "10925707.16",
    "deficit_once.repeated_waves": "9",
    "all_waves.waves": "36",
    "all_waves.equal_waves": "16",
    "all_waves.left_out_waves": "20",
    "all_waves.left_out_usd": "684.0e6",
    "all_waves.left_out_ratio": "0.325",
    "all_waves.largest_left_out_usd": "386.6e6",
    "all_waves.second_left_out_usd": "296.1e6",
    "production.under_waves": "6",
    "production.under_usd": "-4.38e6",
    "production.wave13_ratio": "0.73",
    "queue_overshoot.no_deficit_ratio": "0.52",
    "queue_overshoot.no_deficit_clusters": "955",
    "equity_leverage.rows": "480",
    "equity_leverage.cash_rows": "480",
    "equity_leverage.profit_rows": "480",
    "equity_leverage.median_equity_leverage": "3.7",
    "executed_buybacks.declared_ratio": "1.0",
    "executed_buybacks.revenue_usd": "5.945e6",
}
MOMENTS: Mapping[str, str] = {
    "adl_progress.largest_at": "2025-10-10T21:16:04Z",
    "adl_progress.peak_minute_at": "2025-10-10T21:17:00Z",
    "adl_progress.p25_at": "2025-10-10T21:17:06Z",
    "adl_progress.p50_at": "2025-10-10T21:18:15Z",
    "adl_progress.p75_at": "2025-10-10T21:19:22Z",
    "adl_progress.p90_at": "2025-10-10T21:19:40Z",
    "adl_progress.p99_at": "2025-10-10T21:20:08Z",
    "all_waves.largest_left_out_at": "2025-10-10T21:17:06Z",
    "usde_lows.low_at": "2025-10-10T21:54:00Z",
    "usde_lows.lowest_close_at": "2025-10-10T21:43:00Z",
    "usde_lows.severe_at": "2025-10-10T21:36:00Z",
    "usde_lows.last_severe_at": "2025-10-10T21:56:00Z",
    "usde_lows.wick_at": "2025-10-10T21:20:00Z",
    "usde_deviation.last_at": "2025-10-10T22:45:00Z",
}
DIFFERS = {
    "adl_sample.coins",
    "adl_totals.negative_equity_accounts",
    "adl_progress.peak_minute_at",
    "other_policies.contract_worst_usd",
    "other_policies.contract_worst_wave",
    "other_policies.contract_usd",
    "other_policies.programme_usd",
    "aster_buybacks.stage5_tokens",
    "one_sided_liquidations.notional_usd",
    "one_sided_liquidations.fills",
    "one_sided_liquidations.both_usd",
    "one_sided_liquidations.events",
    "one_sided_liquidations.adl_ratio",
    "deficit_once.once_usd",
    "all_waves.waves",
    "equity_leverage.median_equity_leverage",
    "executed_buybacks.executed_ratio",
}


@pytest.fixture(scope="module")
def study(shared: Path) -> Study:
    """Return the study of the recorded rows, computed once."""
    return hyperliquid(shared / "data")


@pytest.fixture(scope="module")
def values(study: Study) -> Mapping[str, str]:
    """Return the computed values by key."""
    lines = study.figures.filter(pl.col("key").is_not_null())
    return dict(lines.select("key", "computed").iter_rows())


@pytest.mark.parametrize("key", RECOMPUTED)
def test_a_figure_is_what_was_recomputed_by_hand(values: Mapping[str, str], key: str) -> None:
    """To half of the last digit that was noted."""
    given = Decimal(RECOMPUTED[key])
    half = Decimal((0, (5,), int(given.as_tuple().exponent) - 1))

    assert abs(Decimal(values[key]) - given) <= half


@pytest.mark.parametrize("key", MOMENTS)
def test_a_moment_is_what_was_recomputed_by_hand(values: Mapping[str, str], key: str) -> None:
    """To the second."""
    assert values[key] == MOMENTS[key]


def test_what_differs_is_what_was_found_to_differ(study: Study) -> None:
    """Every other published figure that has rows matches them."""
    found = study.figures.filter(pl.col("verdict") == "differs")["key"]

    assert {*found} == DIFFERS
    assert study.counts == {"match": 50, "differs": 17, "unpublished": 81, "not testable": 33}


def test_every_file_was_read_and_is_named_by_its_bytes(study: Study) -> None:
    """The recorded rows hold every file the study looks for."""
    assert study.files["problem"].null_count() == study.files.height
    assert study.files["sha256"].str.len_chars().unique().to_list() == [64]


def test_what_cannot_be_tested_says_what_it_needs(study: Study) -> None:
    """With all files there, a figure without a value is one without rows."""
    lines = study.figures.filter(pl.col("verdict") == "not testable")

    assert lines["computed"].null_count() == lines.height
    assert lines["key"].null_count() == lines.height
    assert lines["note"].str.starts_with("needs ").all()


def test_a_publication_is_no_evidence_for_itself(study: Study) -> None:
    """Purchases of HYPE that are known from the published table alone are not testable."""
    bought = study.figures.filter(pl.col("figure").str.starts_with("HYPE bought"))

    assert bought["verdict"].to_list() == ["not testable"] * 4


def test_the_aster_total_lost_what_came_before_one_transfer(values: Mapping[str, str]) -> None:
    """The published total of the stage is, to the token, the sum from that transfer on."""
    parts = [Decimal(values[f"aster_buybacks.{name}_tokens"]) for name in ("counted", "lost")]

    assert round(parts[0]) == 19_936_071
    assert sum(parts) == Decimal(values["aster_buybacks.stage5_tokens"])


def test_aster_was_bought_back_on_53_days(study: Study) -> None:
    """From 23 December to 13 February no day is missing, and no transfer is left over."""
    days = study.frames["aster_days"]

    assert days.height == (days["date"][-1] - days["date"][0]).days + 1 == 53
    assert days["transfers"].sum() == 3606

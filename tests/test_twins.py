"""Every metric and its SQL twin give exactly the same answer, on whatever rows they meet."""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import duckdb
import polars as pl
import pytest
from handmade import T0, at, load, table, units
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from analytics.compute import collected, compute, defaults_of, facts_of
from analytics.expressions import EVENT_ORDER
from analytics.load import rows
from analytics.metrics import METRICS
from analytics.queries import arguments, queries
from indexer.tables import columns_of, fact_tables

# Of each test of each metric; `make soak` asks for more.
EXAMPLES = int(os.environ.get("PERPSCOPE_EXAMPLES", "4"))

CHOICES: Mapping[str, list[object]] = {
    "chain_id": [1, 42161],
    "protocol": ["gmx", "snx"],
    "version": ["v1", "v1", "v1", "v2"],
    "market": ["BTC", "ETH"],
    "account": ["0xa", "0xb", "0xc"],
    "liquidator": ["0xb", None],
    "counterparty": ["0xa", "0xb", None],
    "name": ["a fund", "a vault"],
    "source": ["test"],
    "basis": ["assumed"],
    "fee_kind": ["position", "borrow"],
    "asset": ["BTC", None],
    "quote": ["USD", "USDT"],
    "feed": ["0x1", "0x2", "BTC"],
    "is_long": [True, False],
    "is_enabled": [True, False],
    "impact_parameters.market": ["BTC", "ETH", "all"],
    "is_positive": [True, False, None],
    "is_in_tokens": [True, False, None],
    "exponent": [Decimal(one) for one in ("1", "1.5", "2")] + [None],
    "collateral_token": ["0xusdc", None],
    "destination_kind": ["treasury", "zero_burn"],
    "bought_token": ["GOV"],
    "token": ["GOV", "0xt"],
    "spent_token": ["0xusdc", None],
    "kind": ["buyback_share", "holders_share", "holders_share_of_revenue", "start"],
    "credit_events.kind": [
        *("funded", "payment", "liquidation", "default", "impairment", "impairment_removed"),
        *("recovery", "collateral_sale", "call", "repossession", "seizure"),
    ],
    "shortfalls.kind": ["bad_debt", "bad_debt", "insurance_out", "debt_queued"],
    "pool_flows.kind": [
        *("deposit", "mint", "withdrawal", "redemption", "dividend", "withdrawal_request"),
    ],
    "share_price_tokens": [
        Decimal(one) for one in ("1", "1.01", "0.98", "1.000000000000000001", "1.37", "3", "0")
    ],
    "fees.fee_kind": ["position", "borrow", "interest", "origination"],
    "loan": ["0xloan", None],
    "fact": ["credit_events", "fees", None],
    "declared_facts.fact": [
        *("buybacks", "fees", "markets", "liquidations", "adls", "open_interest", "credit_events"),
    ],
    "number": [1, 2, 3, 4],
    "from_block": [1, 2, 3],
    "to_block": [1, 2, 3, 4],
    "proof": ["bloom", "fetched"],
    "rejects.block_number": [1, 3, 4],
    "cause": ["trade", "liquidation", "adl", "takeover"],
    "position_id": ["1", None],
    "part": ["0xpool", "0xmanager", "0xstrategy"],
    "split_basis": ["event", "none"],
    # Ends of ranges on both sides of a price, near enough to be met on the way.
    "pool": ["0xpool"],
    "tick": [-1, 0, None],
    "tick_lower": [-150, -50, 0, 50],
    "tick_upper": [0, 50, 100, None],
    "price_quote": [Decimal(one) for one in ("0.9975", "1", "1.0000000000000001", "0")],
    "lower_price_quote": [Decimal(one) for one in ("0.9851", "0.9950", "1", "1.0050")],
    "upper_price_quote": [Decimal(1), Decimal("1.0050"), Decimal("1.01"), None],
    "heartbeat_seconds": [1, 60, 3600, None],
    "threshold_bps": [0, 50, None],
    "execution_price_usd": [Decimal(one) for one in ("0.9975", "1", "2.5")] + [None],
    "mark_price_usd": [Decimal(one) for one in ("0.9975", "1", "2.5")] + [None],
    "observed_at": [at(-1), at(58), at(3599.000001), None],
    "symbol": ["BTC", "btc", "WETH", "GOV", None],
    "index_token": ["0x1", None],
    "parent": ["BTC", "0xpool", None],
    "asset_class": ["crypto", "credit"],
    "funding_rate_daily_ratio": [Decimal(one) for one in ("0", "0.003", "-1.7")] + [units(1), None],
    "address": ["GOV", "0xusdc", "0xt"],
    "fee_token": ["0xusdc", "USD", None],
    "asset_token": ["0xusdc", "0xt", "USD", None],
    # A token that calls itself a dollar is none, and what prices one is not asked.
    "tokens.symbol": ["BTC", "btc", "WETH", "GOV", "USD", None],
    "oracle_updates.asset": ["BTC", "BTC", "USD", None],
}
# What a row of these tables needs besides what is drawn.
TEXTS: Mapping[str, dict[str, object]] = {
    "policies": {"source": "test", "basis": "assumed"},
    "feeds": {"name": "a feed", "asset": "BTC", "kind": "price"},
    "tokens": {"decimals": 18, "known_by": "call"},
    "markets": {"known_by": "declaration"},
}
UNUSED = ("observed",)
SIGNED = ("pnl_usd", "_delta_usd", "_delta_tokens", "cumulative_ratio", "paid_usd")
NEVER_NULL = {
    *("oracle_price_quote", "bought_tokens", "value", "supply_tokens", "dead_tokens"),
    "share_price_tokens",
}
# Metrics of one event, one strategy or one book: nobody asks for them in SQL.
TWINLESS = frozenset(
    {
        "asset_correlation",
        "cascade_stages",
        "event_drops",
        "event_shape",
        "executed_depth",
        "depth_change",
        "impact_depth",
        "impact_depth_change",
        "kelly",
        "liquidation_move",
        "survival",
        "venue_lead_lag",
    }
)
# Their twins add up periods, which is right while periods are in the order of blocks.
IN_TIME = frozenset(
    {
        *("open_interest", "open_interest_total"),
        *("open_interest_drawdown", "open_interest_reconciliation"),
    }
)
TWINNED = sorted(METRICS.keys() - TWINLESS)


def amount(random: Random, *, is_signed: bool) -> Decimal:
    """Return an amount up to 1e15 with all its 18 places, often zero, the tiniest or the most."""
    most = 10**33
    found = random.choice((0, 1, most, random.randrange(10**18), random.randrange(most)))
    return units(-found if is_signed and random.random() < 0.5 else found)


def moment(random: Random) -> datetime:
    """Return a moment of 70 days: many are equal, some have microseconds."""
    seconds = random.choice((0, 1, 59, 60, 61, 3599, 3600, 86_400, 2_592_000, 6_000_000))
    return T0 + timedelta(seconds=seconds, microseconds=random.choice((0, 0, 0, 1, 999_999)))


def choices(table: str, column: str) -> list[object] | None:
    """Return what a column may hold where that is chosen: of its table, else of all."""
    return CHOICES.get(f"{table}.{column}", CHOICES.get(column))


def value(table: str, name: str, dtype: pl.DataType, random: Random) -> object:
    """Return something for a column: few keys, so that rows meet, and hostile amounts."""
    if (chosen := choices(table, name)) is not None:
        return random.choice(chosen)
    if isinstance(dtype, pl.Decimal):
        known = amount(random, is_signed=name.endswith(SIGNED))
        return known if name in NEVER_NULL else random.choice((None, known))
    if isinstance(dtype, pl.Datetime):
        return random.choice((None, moment(random))) if name == "valid_to" else moment(random)
    return None


@cache
def used(name: str) -> Mapping[str, pl.DataType]:
    """Return the columns of a table that are filled, and their types."""
    return {
        column: dtype
        for column, dtype in columns_of(name).items()
        if choices(name, column) or column == "oracle_price_quote" or _is_used(column, dtype)
    }


def row(name: str, seed: int) -> dict[str, object]:
    """Return the row of a table that a number stands for."""
    random = Random(seed)
    drawn = {column: value(name, column, dtype, random) for column, dtype in used(name).items()}
    if name in fact_tables():
        drawn["block_number"] = random.randint(1, 3)
    if name == "oracle_updates" and random.random() < 0.3:
        drawn["log_index"] = -1  # read at a block
    return drawn | TEXTS.get(name, {})


# A row is one number to hypothesis, which leaves out rows: to draw each value took longer than to
# compute the metric.
@cache
def generated(name: str) -> st.SearchStrategy[pl.DataFrame]:
    """Return tables of this name with up to 12 rows; no two rows are the same event."""
    seeds = st.lists(st.integers(0, 2**32 - 1), max_size=12)
    return seeds.map(lambda drawn: table(name, *(row(name, seed) for seed in drawn)))


def _is_used(column: str, dtype: pl.DataType) -> bool:
    is_amount = isinstance(dtype, pl.Decimal | pl.Datetime)
    return is_amount and not any(word in column for word in UNUSED)


@st.composite
def situations(draw: st.DrawFn, metric: str) -> dict[str, pl.DataFrame]:
    """Return generated rows for every fact a metric rests on."""
    return possible(metric, {name: draw(generated(name)) for name in sorted(facts_of(metric))})


def possible(metric: str, frames: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the rows as a metric may meet them."""
    return {name: in_time(frame) for name, frame in frames.items()} if metric in IN_TIME else frames


def in_time(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows of a chain on which time does not run backwards, as on any real one."""
    moment = pl.col("block_timestamp")
    return frame.sort(*EVENT_ORDER).with_columns(moment.sort().over("chain_id"))


def by_python(metric: str, frames: dict[str, pl.DataFrame], **given: object) -> pl.DataFrame:
    """Return the metric as the Python function computes it."""
    return collected(compute(metric, load(**frames), **given))


def by_sql(
    con: duckdb.DuckDBPyConnection,
    metric: str,
    frames: dict[str, pl.DataFrame],
    **given: float | str,
) -> pl.DataFrame:
    """Return the metric as its SQL twin computes it, on these rows."""
    twin = queries()[f"metrics/{metric}"]
    for name, frame in frames.items():
        con.execute(f"delete from {name}")
        con.register("incoming", frame.to_arrow())
        con.execute(f"insert into {name} select * from incoming")
    return rows(con, twin.sql, arguments(twin, {key: str(value) for key, value in given.items()}))


@pytest.mark.parametrize("metric", TWINNED)
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_twins_agree_to_the_last_digit(
    metric: str, empty: duckdb.DuckDBPyConnection, data: st.DataObject
) -> None:
    """Python and SQL give the same rows, types, decimals and floats, in the same order."""
    frames = data.draw(situations(metric))

    computed, selected = by_python(metric, frames), by_sql(empty, metric, frames)

    assert_frame_equal(computed, selected, check_exact=True)


@cache
def _many(name: str) -> pl.DataFrame:
    return table(name, *(row(name, seed) for seed in range(1000, 1060)))


@pytest.mark.parametrize("metric", TWINNED)
def test_twins_agree_on_many_rows(metric: str, empty: duckdb.DuckDBPyConnection) -> None:
    """
    Of sixty rows of each table several meet in a group, and groups have an order.

    Of words that CHOICES does not draw both engines would make nothing, and agree on anything.
    """
    frames = possible(metric, {name: _many(name) for name in facts_of(metric)})

    computed, selected = by_python(metric, frames), by_sql(empty, metric, frames)

    assert not computed.is_empty()
    assert_frame_equal(computed, selected, check_exact=True)


@pytest.mark.parametrize("metric", sorted(METRICS))
@settings(max_examples=EXAMPLES // 2)
@given(data=st.data())
def test_row_order_never_matters(metric: str, data: st.DataObject) -> None:
    """Facts in any order give the same metric."""
    frames = data.draw(situations(metric))

    shuffled = {
        name: frame.sample(fraction=1, shuffle=True, seed=7) for name, frame in frames.items()
    }

    assert_frame_equal(by_python(metric, frames), by_python(metric, shuffled), check_exact=True)


@pytest.mark.parametrize("metric", TWINNED)
def test_twins_agree_on_nothing(metric: str, empty: duckdb.DuckDBPyConnection) -> None:
    """Without rows both give no rows, with the same columns and types."""
    frames = {name: table(name) for name in facts_of(metric)}

    computed = by_python(metric, frames)

    assert computed.is_empty()
    assert_frame_equal(computed, by_sql(empty, metric, frames))


SETTINGS: list[tuple[str, str, float | str]] = [
    ("buyback_ratio", "window_days", 1),
    ("buyback_ratio", "window_days", 31),
    ("run_rate", "window_days", 1),
    ("run_rate", "window_days", 31),
    ("buyback_lag", "most_lag_days", 0),
    ("buyback_lag", "least_days", 2),
    ("price_multiples", "window_days", 1),
    ("price_multiples", "tolerance_seconds", 6_000_000),
    ("discounted_cash_flow", "growth_ratio", -0.1),
    ("discounted_cash_flow", "discount_ratio", 0.3),
    ("discounted_cash_flow", "terminal_growth_ratio", 0.01),
    ("discounted_cash_flow", "years", 0),
    ("discounted_cash_flow", "window_days", 1),
    ("discounted_cash_flow", "tolerance_seconds", 6_000_000),
    ("supply_share", "window_days", 1),
    ("supply_share", "window_days", 31),
    ("open_interest", "bucket_seconds", 7),
    ("open_interest", "bucket_seconds", 604_800),
    ("open_interest_total", "bucket_seconds", 604_800),
    ("liquidations", "bucket_seconds", 1),
    ("liquidations", "bucket_seconds", 604_800),
    ("adls", "bucket_seconds", 60),
    ("oracle_deviation", "tolerance_seconds", 0),
    ("oracle_deviation", "tolerance_seconds", 59),
    ("oracle_deviation_area", "threshold_bps", 0),
    ("oracle_deviation_area", "tolerance_seconds", 59),
    ("oracle_deviation_area", "bucket_seconds", 1800),
    ("oracle_deviation_area", "bucket_seconds", 604_800),
    ("oracle_deviation_extremes", "tolerance_seconds", 59),
    ("oracle_deviation_extremes", "bucket_seconds", 604_800),
    ("oracle_deviation_interval", "grid_seconds", 1),
    ("oracle_deviation_interval", "tolerance_seconds", 0),
    ("oracle_deviation_interval", "block_count", 2),
    ("oracle_update_lag", "grid_seconds", 1),
    ("oracle_update_lag", "max_lag_seconds", 0),
    ("oracle_staleness", "bucket_seconds", 7),
    ("heartbeat_breaches", "grace_seconds", 59),
    ("oracle_wicks", "bucket_seconds", 604_800),
    ("liquidations_off_oracle", "threshold_bps", 0),
    ("liquidations_off_oracle", "tolerance_seconds", 0),
    ("mark_oracle_basis", "tolerance_seconds", 0),
    ("mark_oracle_basis", "bucket_seconds", 604_800),
    ("funding_rate_8h", "bucket_seconds", 7),
    ("funding_rate_8h", "bucket_seconds", 604_800),
    ("funding_paid", "bucket_seconds", 604_800),
    ("funding_carry", "bucket_seconds", 60),
    ("income_valuations", "tolerance_seconds", 0),
    ("income_valuations", "par_symbols", "usdt, btc"),
    ("pool_valuations", "par_symbols", "WETH"),
    ("pool_valuations", "tolerance_seconds", 60),
    ("share_valuations", "par_symbols", "WETH"),
    ("share_valuations", "tolerance_seconds", 60),
    ("fees_valued", "tolerance_seconds", 60),
    ("fees_valued", "par_symbols", "usdt, btc"),
    ("buyback_prices", "par_symbols", "GOV"),
    ("buyback_prices", "tolerance_seconds", 60),
    ("buybacks_valued", "par_symbols", "BTC"),
    ("buybacks_valued", "tolerance_seconds", 60),
    ("net_flows_valued", "tolerance_seconds", 60),
    ("net_flows_valued", "par_symbols", "usdt, btc"),
    ("tvl_growth", "window_days", 1),
    ("tvl_growth_valued", "window_days", 1),
    ("tvl_growth_valued", "tolerance_seconds", 6_000_000),
    ("tvl_growth_valued", "par_symbols", "usdt, btc"),
    ("tvl_valued", "tolerance_seconds", 60),
    ("tvl_valued", "par_symbols", "usdt, btc"),
    ("depth", "bucket_seconds", 1),
    ("depth", "move_bps", 0),
    ("depth", "move_bps", 10_000),
    ("share_price_yield", "window_days", 1),
    ("share_price_yield", "reset_ratio", 9.0),
    ("open_interest_drawdown", "bucket_seconds", 7),
    ("open_interest_against_closed", "bucket_seconds", 7),
    ("open_interest_reconciliation", "bucket_seconds", 7),
    ("zero_liquidations", "event_start", "2025-10-10T21:00:01"),
    ("zero_liquidations", "event_end", "2025-10-10T22:00:00"),
    ("pool_resilience", "event_start", "2025-10-10T21:01:00"),
    ("pool_resilience", "event_end", "2025-12-20"),
    ("resilience", "event_start", "2025-10-10T21:01:00"),
    ("resilience", "event_end", "2025-12-20"),
    ("yield_stability", "event_start", "2025-10-10T21:00:01"),
    ("yield_stability", "event_end", "2025-12-20"),
    ("yield_stability", "before_days", 1),
    ("liquidation_velocity", "window_seconds", 1),
    ("liquidation_velocity", "window_seconds", 3600),
    ("liquidation_concentration", "share_percent", 1),
    ("liquidation_concentration", "share_percent", 100),
    ("liquidation_waves", "gap_milliseconds", 1),
    ("liquidation_waves", "gap_milliseconds", 3_600_000),
    ("liquidation_fee_yield", "bucket_seconds", 604_800),
    ("adl_deficits", "gap_milliseconds", 3_600_000),
    ("adl_deficits", "tolerance_seconds", 0),
    ("adl_solvency", "gap_milliseconds", 3_600_000),
    ("adl_solvency", "tolerance_seconds", 0),
    ("adl_ranks", "tolerance_seconds", 0),
    ("adl_ranks", "tolerance_seconds", 86_400),
    ("adl_allocation", "gap_milliseconds", 3_600_000),
    ("adl_allocation", "horizon_milliseconds", 60_000),
    ("adl_allocation", "tolerance_seconds", 86_400),
    ("adl_allocation", "rank", "profit"),
    ("adl_allocation", "rank", "documented"),
    ("adl_allocation", "rank", "side_aware"),
    ("adl_budget", "gap_milliseconds", 3_600_000),
    ("adl_budget", "horizon_milliseconds", 60_000),
    ("adl_budget", "tolerance_seconds", 0),
    ("adl_budget", "tolerance_seconds", 86_400),
    ("adl_undo", "gap_milliseconds", 1),
    ("adl_undo", "window_seconds", 1),
    ("adl_waves", "gap_milliseconds", 1),
    ("adl_waves", "gap_milliseconds", 3_600_000),
    ("forced_closes", "tolerance_seconds", 60),
    ("forced_closes", "par_symbols", "usdt, btc"),
    ("cascade_sessions", "gap_seconds", 1),
    ("cascade_sessions", "gap_seconds", 3_600),
    ("cascade_sessions", "tolerance_seconds", 60),
    ("cascade_sessions", "par_symbols", "usdt, btc"),
    ("session_sensitivity", "tolerance_seconds", 60),
    ("session_sensitivity", "par_symbols", "usdt, btc"),
]


@pytest.mark.parametrize(("metric", "setting", "value"), SETTINGS)
@settings(max_examples=EXAMPLES // 2)
@given(data=st.data())
def test_twins_agree_on_every_setting(
    metric: str,
    setting: str,
    value: float | str,
    empty: duckdb.DuckDBPyConnection,
    data: st.DataObject,
) -> None:
    """A setting means the same in Python and as a parameter of the query."""
    frames = data.draw(situations(metric))

    computed = by_python(metric, frames, **{setting: value})

    assert_frame_equal(
        computed, by_sql(empty, metric, frames, **{setting: value}), check_exact=True
    )


@pytest.mark.parametrize("metric", TWINNED)
def test_every_metric_has_a_twin_with_its_settings(metric: str) -> None:
    """The parameters of a twin are the settings of the metric, with the same defaults."""
    assert arguments(queries()[f"metrics/{metric}"], {}) == defaults_of(metric)


def test_every_setting_is_tried() -> None:
    """Whoever adds one to a metric with a twin holds the two to each other by it."""
    settings_there = {(metric, name) for metric in TWINNED for name in defaults_of(metric)}

    tried = {(metric, name) for metric, name, _ in SETTINGS}
    assert tried == settings_there, "give SETTINGS a value of each setting, and of no other"


def test_a_window_ends_where_it_says(empty: duckdb.DuckDBPyConnection) -> None:
    """Thirty days ago is outside a window of 30 days, 29 days ago is inside."""
    earned = {"fee_usd": 100, "supply_side_usd": 0, "holders_usd": 0}
    frames = {
        "fees": table("fees", earned, earned | {"block_timestamp": at(days=30)}),
        "buybacks": table("buybacks", {"spent_usd": 30, "block_timestamp": at(days=29)}),
        "declared_facts": table("declared_facts"),
    }

    computed = by_python("buyback_ratio", frames)

    assert computed["buyback_ratio"].to_list() == [0.0, 0.3, 0.3]
    assert_frame_equal(computed, by_sql(empty, "buyback_ratio", frames))

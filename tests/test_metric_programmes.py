"""Promised, spent and burned, and how late, on tables small enough to compute in the head."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

import polars as pl
import pytest
from both_engines import agreed, buyback_columns, buybacks_by_destination
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st
from simulated_world import world

from analytics.errors import UserError

FEE = {"fee_usd": 100, "supply_side_usd": 60, "treasury_usd": 30, "holders_usd": 10}
MIDNIGHT = datetime(2025, 10, 11)


def charged(*days: float, **cells: object) -> pl.LazyFrame:
    """Return a fee of a hundred dollars, of it 40 revenue, on each of these days."""
    rows = [FEE | {"block_timestamp": at(days=day)} | cells for day in days]
    return table("fees", *rows).lazy()


def bought(*spent: tuple[float, object], **cells: object) -> pl.LazyFrame:
    """Return purchases: days after the first, dollars."""
    rows = [{"block_timestamp": at(days=day), "spent_usd": usd} | cells for day, usd in spent]
    return table("buybacks", *rows).lazy()


def policies(*rows: Mapping[str, object]) -> pl.LazyFrame:
    """Return policies of the venue, in force from long ago unless they say otherwise."""
    always = {"valid_from": datetime(2020, 1, 1), "source": "test", "basis": "assumed"}
    return table("policies", *(always | {**row} for row in rows)).lazy()


def columns(
    spent: pl.LazyFrame,
    fees: pl.LazyFrame,
    *rows: Mapping[str, object],
    told: tuple[str, ...] = ("buybacks", "fees"),
) -> pl.DataFrame:
    """Return the three columns under these policies."""
    declared = table("declared_facts", *({"fact": fact} for fact in told)).lazy()
    return buyback_columns(spent, fees, policies(*rows), declared).collect()


def promised(*rows: Mapping[str, object], days: tuple[float, ...] = (0,)) -> list[object]:
    """Return what these policies make of a day's hundred dollars."""
    result = columns(bought(), charged(*days), *rows)
    return column(result, "policy_usd")


# --- three columns --------------------------------------------------------------------------------


def test_promised_spent_and_burned_stand_side_by_side() -> None:
    """A quarter of 40 dollars was promised, 7 were spent, and 2 tokens burned."""
    spent = bought((0, 7), burned_tokens=2)

    result = columns(spent, charged(0), {"kind": "holders_share_of_revenue", "value": "0.25"})

    assert column(result, "policy_usd") == [10.0]
    assert column(result, "spent_usd") == ["7"]
    assert column(result, "burned_tokens") == ["2"]
    assert column(result, "policy_kind") == ["holders_share_of_revenue"]


def test_a_share_of_fees_is_of_the_fees_it_covers() -> None:
    """A tenth of a hundred dollars; the other hundred is a liquidation's, and all for the fund."""
    fund = {"fee_kind": "liquidation", "treasury_usd": 100, "holders_usd": 0}
    fees = pl.concat([charged(0), charged(0, supply_side_usd=0, split_basis="event", **fund)])
    of_fees = {"kind": "holders_share", "value": "0.1"}
    half = {"kind": "buyback_share", "value": "0.5"}

    whole, bought_half = columns(bought(), fees, of_fees), columns(bought(), fees, of_fees, half)

    assert whole.select("policy_kind", "policy_ratio").rows() == [("holders_share", Decimal("0.1"))]
    assert column(whole, "policy_usd") == [10.0]
    assert column(bought_half, "policy_usd") == [5.0]


def test_what_comes_off_a_fee_first_is_promised_to_nobody() -> None:
    """Of a hundred dollars twenty are a builder's: half of the other eighty is forty."""
    fees = charged(0, supply_side_usd=60, treasury_usd=0, holders_usd=40)

    result = columns(bought(), fees, {"kind": "holders_share", "value": "0.5"})

    assert column(result, "policy_usd") == [40.0]


@pytest.mark.parametrize("kind", ["holders_share", "holders_share_of_revenue"])
def test_a_share_promises_nothing_known_of_a_fee_without_a_split(kind: str) -> None:
    """Whether it covers the fee nobody states: the promise is unknown, though revenue is known."""
    fees = pl.concat([charged(0), charged(0, treasury_usd=None, holders_usd=None)])

    result = columns(bought(), fees, {"kind": kind, "value": "0.1"})

    assert column(result, "revenue_usd") == ["80"]
    assert column(result, "policy_usd") == [None]


def test_a_share_of_revenue_goes_before_a_share_of_fees() -> None:
    """Where a protocol states both, what it says of revenue counts."""
    assert promised(
        {"kind": "holders_share", "value": "1"},
        {"kind": "holders_share_of_revenue", "value": "0.5"},
    ) == [20.0]


def test_without_a_policy_the_split_is_the_promise() -> None:
    """What the fees set aside for holders, 10 of 40 dollars; a share of treasury says nothing."""
    assert promised() == [10.0]
    assert promised({"kind": "treasury_share", "value": "1"}) == [10.0]


def test_a_rate_changes_at_its_midnight() -> None:
    """A fifth until the day the quarter begins, from that day on the quarter."""
    fifth = {"kind": "holders_share_of_revenue", "value": "0.2", "valid_to": MIDNIGHT}
    quarter = {"kind": "holders_share_of_revenue", "value": "0.25", "valid_from": MIDNIGHT}

    assert promised(fifth, quarter, days=(0, 1)) == [8.0, 10.0]


def test_a_policy_that_ended_promises_nothing_more() -> None:
    """After the end of a rate that nothing follows, the split is all there is."""
    ended = {"kind": "holders_share_of_revenue", "value": "1", "valid_to": MIDNIGHT}

    assert promised(ended, days=(0, 1)) == [40.0, 10.0]


def test_a_day_of_purchases_alone_earned_nothing() -> None:
    """No fee is zero dollars promised, and no purchase zero spent: both are measured."""
    result = columns(bought((1, 5)), charged(0))

    assert column(result, "policy_usd") == [10.0, 0.0]
    assert column(result, "spent_usd") == ["0", "5"]
    assert column(result, "burned_tokens") == ["0", None]


def test_unknown_income_promises_an_unknown_amount() -> None:
    """A fee whose split nobody states leaves the promise of its day null; so does a lost price."""
    unsplit = charged(0, treasury_usd=None, holders_usd=None)

    result = columns(bought((0, None)), unsplit)

    assert column(result, "policy_usd") == [None]
    assert column(result, "spent_usd") == [None]


def test_what_nothing_could_tell_of_is_null_in_all_columns() -> None:
    """Without declared purchases none is counted as zero, and without fees nothing is promised."""
    earned = columns(bought(), charged(0), told=("fees",))
    spent = columns(bought((0, 5)), charged(), told=("buybacks",))

    assert earned.select("spent_usd", "burned_tokens", "buyback_count").rows() == [(None,) * 3]
    assert earned["policy_usd"].to_list() == [10.0]
    assert spent.select("fees_usd", "fee_count", "policy_usd").rows() == [(None,) * 3]
    assert spent["spent_usd"].to_list() == [5]


# --- lags -----------------------------------------------------------------------------------------

EARNED = (3, 1, 4, 1.5, 9, 2, 6, 5, 3.5, 8, 7, 9.5)


def lags(spent: pl.LazyFrame, paid: pl.LazyFrame, *declared: str, **settings: int) -> pl.DataFrame:
    """Return the scan of purchases beside fees where declarations tell some facts."""
    facts = table("declared_facts", *({"fact": fact} for fact in declared))
    frames = {"buybacks": spent.collect(), "fees": paid.collect(), "declared_facts": facts}
    return agreed("buyback_lag", frames, **settings)


def lagged(lag: int, *, share: float = 0.5, least_days: int = 5) -> pl.DataFrame:
    """Return the scan of a protocol that spends a share of what it earned some days before."""
    fees = [
        {"block_timestamp": at(days=day), "fee_usd": usd, "supply_side_usd": 0}
        for day, usd in enumerate(EARNED)
    ]
    spent = bought(*((day + lag, share * usd) for day, usd in enumerate(EARNED)))
    return lags(spent, table("fees", *fees).lazy(), most_lag_days=6, least_days=least_days)


@pytest.mark.parametrize("lag", [0, 1, 4])
def test_the_lag_is_found(lag: int) -> None:
    """Half of each day's revenue, spent some days later: ρ is 1 there, and the ratio a half."""
    result = lagged(lag)

    best = result.filter("is_best")
    assert best["lag_days"].to_list() == [lag]
    assert best["spent_rank_correlation"].item() == pytest.approx(1.0)
    assert best["buyback_ratio"].item() == 0.5


def test_few_days_correlate_nothing() -> None:
    """Two points always lie on a line: below the least number of days ρ is null, and none best."""
    result = lagged(0, least_days=13)

    assert result["spent_rank_correlation"].null_count() == result.height
    assert not result["is_best"].any()
    assert result["buyback_ratio"][0] == 0.5


def test_days_that_are_all_alike_correlate_with_nothing() -> None:
    """The same purchase every day follows no revenue: null, not one."""
    spent = bought(*((day, 5) for day in range(12)))

    result = lags(spent, charged(*range(12)), most_lag_days=0)

    assert column(result, "spent_rank_correlation") == [None]
    assert column(result, "buyback_ratio") == [0.125]


def test_a_day_of_unknown_cost_is_left_out() -> None:
    """The pair goes, and the count says that it went."""
    spent = bought((0, 4), (1, None), (2, 4))

    result = lags(spent, charged(0, 1, 2), most_lag_days=0)

    assert result.select("day_count", "buyback_ratio").rows() == [(2, 0.1)]


def test_a_protocol_that_buys_nothing_has_no_lag() -> None:
    """Fees alone give no row."""
    assert lags(bought(), charged(0, 1)).is_empty()


def test_who_tells_no_fees_has_no_lag() -> None:
    """What was earned is not known, so no day is a pair; declared fees without one are zero."""
    spent, nothing = bought((0, 4), (1, 5)), charged()

    assert lags(spent, nothing, most_lag_days=0).is_empty()
    assert lags(spent, nothing, "fees", most_lag_days=0)["day_count"].to_list() == [2]


@pytest.mark.parametrize("settings", [{"most_lag_days": -1}, {"least_days": 1}])
def test_a_lag_is_no_prophecy(settings: dict[str, int]) -> None:
    """A negative lag and a correlation of one day are refused."""
    with pytest.raises(UserError, match=f"{next(iter(settings))} must be at least"):
        lags(bought(), charged(), **settings)


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 99)), min_size=1, max_size=20))
def test_a_correlation_is_between_minus_one_and_one(spends: list[tuple[int, int]]) -> None:
    """Whatever was spent when; and dollars ten times as large change no rank."""
    paid = charged(*range(0, 20, 3))
    once = lags(bought(*spends), paid, least_days=2)
    tenfold = lags(bought(*((d, 10 * usd) for d, usd in spends)), paid, least_days=2)

    found = once["spent_rank_correlation"].drop_nulls()
    assert ((found >= -1.000_000_001) & (found <= 1.000_000_001)).all()
    assert once["spent_rank_correlation"].equals(tenfold["spent_rank_correlation"])


# --- destinations ---------------------------------------------------------------------------------


def test_a_price_is_over_what_has_one() -> None:
    """Ten dollars bought five of the six tokens of known cost: two each; a burn is another row."""
    rows: list[dict[str, object]] = [
        {"bought_tokens": 5, "spent_usd": 10},
        {"bought_tokens": 1},
        {"bought_tokens": 3, "burned_tokens": 3, "destination_kind": "dead_burn"},
    ]
    named = {"address": "GOV", "symbol": "GOV", "decimals": 18, "known_by": "call"}

    result = buybacks_by_destination(
        table("buybacks", *rows).lazy(), table("tokens", named).lazy()
    ).collect()

    assert column(result, "destination_kind") == ["dead_burn", "treasury"]
    assert column(result, "average_price_usd") == [None, 2.0]
    assert column(result, "burned_tokens") == ["3", None]
    assert column(result, "symbol") == ["GOV", "GOV"]


def test_the_simulated_programme_spends_what_it_spent() -> None:
    """By day, by destination and by lag zero the simulated market spent the same dollars."""
    facts = world().ledger
    spent, fees = facts.table("buybacks").lazy(), facts.table("fees").lazy()
    total = facts.table("buybacks")["spent_usd"].sum()

    days = columns(spent, fees)
    places = buybacks_by_destination(spent, table("tokens").lazy()).collect()
    found = lags(spent, fees, most_lag_days=0)

    assert total > 0
    assert days["spent_usd"].sum() == places["spent_usd"].sum() == found["spent_usd"].sum() == total

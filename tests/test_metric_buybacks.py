"""Buybacks and what share of revenue they are, on tables small enough to compute in the head."""

from decimal import Decimal

import polars as pl
import pytest
from both_engines import buyback_ratio, buybacks, supply_share
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

amounts = st.decimals("0.01", "1000000", places=2)


def bought(*spent: tuple[float, object]) -> pl.LazyFrame:
    """Return purchases: days after the first, dollars."""
    rows = [{"block_timestamp": at(days=day), "spent_usd": usd} for day, usd in spent]
    return table("buybacks", *rows).lazy()


def charged(*revenue: tuple[float, object], holders: object = 0) -> pl.LazyFrame:
    """Return fees: days after the first, dollars of revenue, of which some for holders."""
    rows = [
        {
            "block_timestamp": at(days=day),
            "fee_usd": usd,
            "supply_side_usd": 0,
            "holders_usd": holders,
        }
        for day, usd in revenue
    ]
    return table("fees", *rows).lazy()


def compared(
    spent: pl.LazyFrame,
    fees: pl.LazyFrame,
    *,
    window_days: int = 30,
    told: tuple[str, ...] = ("buybacks", "fees"),
) -> pl.DataFrame:
    """Return the metric of these purchases and fees, told by declarations of these facts."""
    return buyback_ratio(spent, fees, declared(*told), window_days=window_days).collect()


def declared(*facts: str) -> pl.LazyFrame:
    """Return that the venue's declarations tell of these facts."""
    return table("declared_facts", *({"fact": fact} for fact in facts)).lazy()


def ratios(spent: pl.LazyFrame, fees: pl.LazyFrame, *, window_days: int = 30) -> list[object]:
    """Return the executed ratio of every day."""
    return column(compared(spent, fees, window_days=window_days), "buyback_ratio")


def test_what_nothing_could_tell_of_is_null_and_not_zero() -> None:
    """Fees alone, purchases not declared: spent is unknown; the other way round revenue is."""
    earned = compared(bought(), charged((0, 10)), told=("fees",))
    spent = compared(bought((0, 5)), charged(), told=("buybacks",))
    none = compared(bought(), charged((0, 10)))

    assert earned.select("spent_usd", "revenue_usd", "buyback_ratio").rows() == [(None, 10, None)]
    assert spent.select("spent_usd", "revenue_usd", "holders_usd").rows() == [(5, None, None)]
    assert none.select("spent_usd", "buyback_ratio").rows() == [(0, 0.0)]


def test_buybacks_are_added_by_destination() -> None:
    """Tokens burnt and tokens kept are different rows."""
    rows = [
        {"destination_kind": "zero_burn", "bought_tokens": 2, "burned_tokens": 2},
        {"destination_kind": "treasury", "bought_tokens": 5, "spent_usd": 50},
        {"destination_kind": "treasury", "bought_tokens": 1},
    ]

    result = buybacks(table("buybacks", *rows).lazy()).collect()

    assert column(result, "destination_kind") == ["treasury", "zero_burn"]
    assert column(result, "bought_tokens") == ["6", "2"]
    assert column(result, "burned_tokens") == [None, "2"]
    assert column(result, "spent_usd") == ["50", None]
    assert column(result, "unpriced_count") == [1, 1]


def test_a_batch_is_compared_with_the_days_that_earned_it() -> None:
    """Nothing is bought for two days; what is bought on the third counts against all three."""
    assert ratios(bought((2, 45)), charged((0, 100), (1, 50), (2, 30))) == [0.0, 0.0, 0.25]


def test_a_window_forgets() -> None:
    """With a window of two days, revenue of the day before yesterday no longer counts."""
    assert ratios(bought((2, 40)), charged((0, 100), (1, 50), (2, 30)), window_days=2) == [
        0.0,
        0.0,
        0.5,
    ]


def test_days_without_events_are_inside_the_window() -> None:
    """The window is 30 days long, not 30 rows."""
    assert ratios(bought((30, 10)), charged((0, 100), (1, 40))) == [0.0, 0.0, 0.25]


def test_no_revenue_has_no_ratio() -> None:
    """A buyback before any revenue has no ratio: null, not infinite."""
    assert ratios(bought((0, 45)), charged((1, 90))) == [None, 0.5]


def test_an_unpriced_buyback_makes_the_window_unknown() -> None:
    """Unknown dollars are not zero dollars: the ratio is null until the window passes them."""
    spent = bought((0, None), (1, 10), (2, 10))

    assert ratios(spent, charged((0, 40), (1, 40), (2, 40)), window_days=2) == [None, None, 0.25]


def test_the_declared_ratio_is_what_is_set_aside_for_holders() -> None:
    """Three of ten dollars of each day's revenue are the holders', whatever was bought."""
    result = compared(bought((1, 5)), charged((0, 10), (1, 10), holders=3))

    assert column(result, "declared_ratio") == [0.3, 0.3]
    assert column(result, "buyback_ratio") == [0.0, 0.25]


def test_an_unknown_split_has_no_declared_ratio() -> None:
    """A fee whose split is not known leaves both ratios unknown: null, not zero."""
    unknown = table("fees", {"block_timestamp": at()}).lazy()

    result = compared(bought((0, 5)), unknown)

    assert column(result, "declared_ratio") == [None]
    assert column(result, "buyback_ratio") == [None]


def test_protocols_do_not_mix() -> None:
    """One protocol's buyback is not compared with another's revenue."""
    spent = bought((0, 10)).with_columns(protocol=pl.lit("other"))

    result = compared(spent, charged((0, 100)))

    assert column(result, "protocol") == ["other", "venue"]
    assert column(result, "buyback_ratio") == [None, 0.0]


def test_a_window_has_at_least_a_day() -> None:
    """A window of zero days is refused."""
    with pytest.raises(ValueError, match="window_days must be at least 1, got 0"):
        ratios(bought(), charged(), window_days=0)


@given(st.lists(st.tuples(st.integers(0, 70), amounts), min_size=1, max_size=12), amounts)
def test_splitting_a_buyback_changes_nothing(
    spends: list[tuple[int, Decimal]], revenue: Decimal
) -> None:
    """Buying in two halves on one day is the same as buying the whole at once."""
    whole = bought(*((day, 2 * usd) for day, usd in spends))
    income = charged(*((day, revenue) for day in range(0, 70, 3)))

    assert_frame_equal(
        compared(whole, income),
        compared(bought(*spends, *spends), income),
    )


@given(st.lists(st.tuples(st.integers(0, 70), amounts), min_size=1, max_size=8), amounts)
def test_scaling_dollars_leaves_the_ratio_alone(
    spends: list[tuple[int, Decimal]], revenue: Decimal
) -> None:
    """Doubling every dollar doubles the sums and keeps the ratios."""
    once = compared(bought(*spends), charged((0, revenue)))
    doubled = [(day, 2 * usd) for day, usd in spends]

    twice = compared(bought(*doubled), charged((0, 2 * revenue)))

    assert once["buyback_ratio"].equals(twice["buyback_ratio"])
    assert (once["spent_usd"] + once["spent_usd"]).equals(twice["spent_usd"])


# --- shares of supply -----------------------------------------------------------------------------


def purchases(*rows: tuple[float, object, object]) -> pl.LazyFrame:
    """Return purchases: days after the first, tokens bought, tokens burned."""
    named = [
        {
            "block_timestamp": at(days=day),
            "block_number": int(day * 24),
            "bought_tokens": tokens,
            "burned_tokens": burned,
        }
        for day, tokens, burned in rows
    ]
    return table("buybacks", *named).lazy()


def supplies(*rows: tuple[float, object, object]) -> pl.LazyFrame:
    """Return readings: days after the first, supply, what of it is at the dead address."""
    named = [
        {
            "block_timestamp": at(days=day),
            "block_number": int(day * 24),
            "supply_tokens": supply,
            "dead_tokens": dead,
        }
        for day, supply, dead in rows
    ]
    return table("token_supplies", *named).lazy()


def shares(
    bought: pl.LazyFrame, read: pl.LazyFrame, *told: str, window_days: int = 10
) -> list[tuple[object, ...]]:
    """Return issued tokens, gross and net share of every day with a reading."""
    found = supply_share(bought, read, declared(*told), window_days=window_days).collect()
    return found.select(
        "issued_tokens", "supply_share_gross_ratio", "supply_share_net_ratio"
    ).rows()


def test_issuance_runs_against_a_buyback() -> None:
    """20 of 1,050 were bought while 50 were minted: 1.9 % gross, and less than nothing net."""
    found = shares(purchases((3, 20, None)), supplies((0, 1_000, 0), (10, 1_050, 0)))

    assert found == [(None, 0.0, None), (Decimal(50), 20 / 1_050, -30 / 1_050)]


def test_purchases_that_nothing_could_tell_of_are_no_share_of_nothing() -> None:
    """Declared and none made, they are zero; else they are not known, nor is what was issued."""
    read = supplies((0, 1_000, 0), (10, 1_050, 0))

    assert shares(purchases(), read, "buybacks")[1] == (Decimal(50), 0.0, -50 / 1_050)
    assert shares(purchases(), read, "fees") == [(None, None, None)] * 2


def test_issuance_is_unknown_without_a_reading_where_the_window_begins() -> None:
    """An older reading would count what was minted before the window."""
    found = shares(purchases((18, 20, None)), supplies((0, 1_000, 0), (20, 1_300, 0)))

    assert found[1] == (None, 20 / 1_300, None)


def test_a_burn_is_no_lack_of_issuance() -> None:
    """Supply fell by 10 though 20 were burned: 10 were minted, and 10 is what was taken out."""
    found = shares(purchases((3, 20, 20)), supplies((0, 1_000, 0), (10, 990, 0)))

    assert found[1] == (Decimal(10), 20 / 990, 10 / 990)


def test_what_burns_after_a_reading_is_of_the_next_one() -> None:
    """Read as a day begins: 7 burned the day the window begins, 20 the day it ends; none issued."""
    burned = purchases((0.1, 7, 7), (10, 3, 3), (10.1, 20, 20))
    read = supplies((0, 1_000, 0), (10, 990, 0), (11, 970, 0), (20, 970, 0))

    found = shares(burned, read)

    assert found[1] == (Decimal(0), 23 / 990, 23 / 990)
    assert found[3][0] == Decimal(0)


def test_tokens_at_the_dead_address_are_burned_though_supply_stays() -> None:
    """20 went there: nothing was minted, and the supply that everybody quotes did not move."""
    found = shares(purchases((3, 20, 20)), supplies((0, 1_000, 100), (10, 1_000, 120)))

    assert found[1] == (Decimal(0), 20 / 1_000, 20 / 1_000)


def test_the_last_reading_of_a_day_counts() -> None:
    """Whatever was read earlier that day."""
    found = shares(purchases((0.1, 1, None)), supplies((0.0, 10, 0), (0.1, 20, 0)))

    assert found == [(None, 1 / 20, None)]


def test_the_last_reading_is_the_latest_one_whichever_chain_is_higher() -> None:
    """Read on a chain of many blocks in the morning, and on one of few in the evening."""
    morning, evening = supplies((0.0, 10, 0)), supplies((0.1, 20, 0))
    high = morning.with_columns(chain_id=pl.lit(2, pl.Int64), block_number=pl.lit(10**9, pl.Int64))

    found = supply_share(purchases((0, 1, None)), pl.concat([high, evening]), declared()).collect()

    assert found.select("chain_id", "supply_tokens").rows() == [(1, Decimal(20))]


def test_a_purchase_before_the_window_is_forgotten() -> None:
    """A window of one day holds that day's purchases alone."""
    found = shares(
        purchases((0, 5, None), (1, 7, None)), supplies((0, 100, 0), (1, 100, 0)), window_days=1
    )

    assert found == [(None, 0.05, None), (Decimal(0), 0.07, 0.07)]


def test_a_token_without_supply_has_no_share() -> None:
    """Zero supply divides nothing."""
    assert shares(purchases((0, 5, None)), supplies((0, 0, 0))) == [(None, None, None)]


def test_a_token_is_one_across_chains() -> None:
    """HYPE is bought where no chain tells its supply; the reading's chain is what is shown."""
    bought = purchases((3, 20, None)).with_columns(chain_id=pl.lit(-1, pl.Int64))

    found = supply_share(bought, supplies((10, 1_000, 0)), declared(), window_days=10).collect()

    assert found.select("chain_id", "bought_tokens").rows() == [(1, Decimal(20))]


def test_of_two_readings_of_a_second_that_of_the_later_block_counts() -> None:
    """A chain may have several blocks in one."""
    read = [
        supplies((0.0, supply, 0)).with_columns(block_number=pl.lit(block, pl.Int64))
        for block, supply in ((8, 20), (7, 10))
    ]

    assert shares(purchases((0, 1, None)), pl.concat(read)) == [(None, 1 / 20, None)]


@pytest.mark.parametrize(("day", "share"), [(0, 0.0), (4, 1 / 9)])
def test_a_burn_of_another_token_is_not_seen_in_the_supply(day: int, share: float) -> None:
    """20 of another one are burned, before or after a purchase of this one: none was minted."""
    other = purchases((3, 20, 20)).with_columns(bought_token=pl.lit("OTHER"))

    found = shares(pl.concat([purchases((day, 1, None)), other]), supplies((0, 9, 0), (10, 9, 0)))

    assert found[-1] == (Decimal(0), share, share)


def test_a_burn_on_another_chain_is_not_seen_in_the_supply() -> None:
    """20 bridged tokens are burned elsewhere: the reading stays, nothing was minted."""
    elsewhere = purchases((3, 20, 20)).with_columns(chain_id=pl.lit(8453, pl.Int64))

    read = supplies((0, 1_000, 0), (10, 1_000, 0))

    found = supply_share(elsewhere, read, declared(), window_days=10)

    last = found.collect().tail(1)
    assert last.select("burned_tokens", "issued_tokens").rows() == [(Decimal(20), Decimal(0))]
    assert last["supply_share_net_ratio"].to_list() == [20 / 1_000]

"""Funding: rates of eight hours, settlements and carry, on numbers checked in the head."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest
from both_engines import funding_carry, funding_paid, funding_rate_8h
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

HOUR = 3600
USDC = {"collateral_token": "0xusdc"}


def daily(hours: float, rate: object, **said: object) -> dict[str, object]:
    """Return a rate a day, announced so many hours after 21:00."""
    return {"block_timestamp": at(hours * HOUR), "funding_rate_daily_ratio": rate} | said


def index(hours: float, value: object, **said: object) -> dict[str, object]:
    """Return a reading of a running index so many hours after 21:00."""
    return {"block_timestamp": at(hours * HOUR), "funding_rate_cumulative_ratio": value} | said


def settled(usd: object, seconds: float = 0, account: str | None = "0xa") -> dict[str, object]:
    """Return what an account paid, or received where it is below zero."""
    return {"block_timestamp": at(seconds), "paid_usd": usd, "account": account}


def funding(*rows: Mapping[str, object]) -> pl.LazyFrame:
    """Return these events; rates are of no account and no side unless they say so."""
    return table("funding", *({"is_long": None} | dict(row) for row in rows)).lazy()


def test_an_announced_rate_is_a_third_of_a_day() -> None:
    """0.3 % a day is 0.1 % in eight hours; the last of an hour counts."""
    result = funding_rate_8h(funding(daily(0, "0.9"), daily(0.5, "0.003"))).collect()

    assert column(result, "basis") == ["announced"]
    assert column(result, "update_count") == [2]
    assert column(result, "funding_rate_8h") == [0.001]
    assert column(result, "elapsed_seconds") == [None]


def test_an_index_tells_a_rate_by_its_rise() -> None:
    """From 0.10 to 0.11 in an hour, and on to 0.15 in four: 0.08 in eight hours, both times."""
    result = funding_rate_8h(
        funding(index(0, "0.10"), index(1, "0.11"), index(5, "0.15"))
    ).collect()

    assert column(result, "elapsed_seconds") == [None, 3600.0, 14_400.0]
    assert column(result, "funding_rate_8h") == [None, pytest.approx(0.08), pytest.approx(0.08)]


@pytest.mark.parametrize(
    "other",
    [
        {"chain_id": 42161},
        {"protocol": "another"},
        {"version": "v2"},
        {"market": "ETH"},
        {"collateral_token": "0xusdc"},
        {"is_long": True},
    ],
)
def test_every_index_rises_by_itself(other: Mapping[str, object]) -> None:
    """One rises by 0.01 an hour, the other begins again between its readings and rises by 0.02."""
    own = (index(0, "0.1"), index(1, "0.11"), index(2, "0.12"))
    others = (index(0, "0.3", **other), index(0.5, 0, **other), index(1.5, "0.02", **other))

    found = funding_rate_8h(funding(*own, *others)).collect()["funding_rate_8h"].to_list()

    rates = {rate and round(rate, 9) for rate in found}
    assert (len(found), rates) == (5, {None, 0.08, 0.16})


def test_an_index_that_begins_again_tells_no_rate_of_the_period() -> None:
    """ApolloX deletes a pair nobody is in: from 0.5 to zero and on to 0.02 is no fall of 0.48."""
    told = funding(
        *(index(0, "0.4"), index(1, "0.5"), index(2, 0), index(2.5, "0.02"), index(3.5, "0.03")),
        *(index(hour, 0, market="ETH") for hour in (0, 1)),
    )

    rates, carry = funding_rate_8h(told).collect(), funding_carry(told).collect()

    eighth = pytest.approx(0.8), None, pytest.approx(0.08)
    assert column(rates, "funding_rate_8h") == [None, *eighth, None, 0.0]
    assert column(rates, "elapsed_seconds") == [None, 3600.0, None, 3600.0, None, 3600.0]
    assert column(carry, "carry_ratio") == [0.0, pytest.approx(0.1), 0.02, 0.03, 0.0, 0.0]
    assert column(carry, "since_at") == [at(0), at(0), at(2 * HOUR), at(2 * HOUR), at(0), at(0)]


def test_a_rate_has_the_sign_of_who_pays() -> None:
    """An index that falls, and a rate below zero: the side receives."""
    result = funding_rate_8h(
        funding(index(0, 1), index(8, "0.5"), daily(0, -3, market="ETH"))
    ).collect()

    assert column(result, "funding_rate_8h") == [None, -0.5, -1.0]


def test_sides_and_collaterals_have_rates_of_their_own() -> None:
    """An index of longs is not continued by one of shorts, nor by one of another collateral."""
    result = funding_rate_8h(
        funding(
            index(0, 1, is_long=True),
            index(1, 9, is_long=False),
            index(2, 9, is_long=True, **USDC),
        )
    ).collect()

    assert column(result, "funding_rate_8h") == [None, None, None]


def test_paid_and_received_are_kept_apart() -> None:
    """10 and 5 paid, 3 received, one not told in dollars: 15, 3 and 12."""
    result = funding_paid(
        funding(settled(10), settled(5, account="0xb"), settled(-3), settled(None))
    ).collect()

    assert column(result, "paid_usd") == ["15"]
    assert column(result, "received_usd") == ["3"]
    assert column(result, "net_paid_usd") == ["12"]
    assert result.select("settlement_count", "account_count", "unknown_count").row(0) == (4, 2, 1)


def test_unknown_payments_are_not_zero() -> None:
    """Of settlements whose dollars nobody tells nothing is known; one of zero is zero."""
    result = funding_paid(funding(settled(None), settled(0, HOUR))).collect()

    assert column(result, "paid_usd") == [None, "0"]
    assert column(result, "received_usd") == [None, "0"]
    assert column(result, "net_paid_usd") == [None, "0"]


def test_a_rate_is_no_payment() -> None:
    """An announced rate is of no account and pays nothing."""
    assert funding_paid(funding(daily(0, 1), index(0, 1))).collect().is_empty()


def test_carry_is_what_each_rate_cost_while_it_held() -> None:
    """2.4 a day for an hour is 0.1, then 1.2 for ten hours 0.5, and what follows is not known."""
    result = funding_carry(funding(daily(0, "2.4"), daily(1, "1.2"), daily(11, 1000))).collect()

    assert column(result, "carry_ratio") == [0.0, pytest.approx(0.1), pytest.approx(0.6)]
    assert column(result, "since_at") == [at(0)] * 3
    assert column(result, "until_at") == [at(0), at(HOUR), at(11 * HOUR)]


def test_carry_of_an_index_is_its_rise() -> None:
    """From 5 to 7 a position has paid twice its notional."""
    result = funding_carry(funding(index(0, 5), index(1, 6), index(2, 7))).collect()

    assert column(result, "carry_ratio") == [0.0, 1.0, 2.0]


def test_carry_of_a_large_index_is_its_rise() -> None:
    """An index of 10^14, as a contract may count it, is no rate that was held."""
    result = funding_carry(funding(index(0, 10**14), index(1000, 10**14 + 1))).collect()

    assert column(result, "carry_ratio") == [0.0, 1.0]


def test_carry_does_not_compound() -> None:
    """Two hours at 12 a day cost 1, not 1.25: what was paid is not borrowed."""
    result = funding_carry(funding(daily(0, 12), daily(1, 12), daily(2, 12))).collect()

    assert column(result, "carry_ratio") == [0.0, 0.5, 1.0]


rates = st.lists(
    st.tuples(st.integers(0, 400), st.decimals(-2, 2, places=6)), min_size=1, max_size=8
)


@given(rates)
def test_an_index_carries_as_the_rates_behind_it(told: list[tuple[int, Decimal]]) -> None:
    """Rates, and an index that rises by them, cost the same."""
    hours = sorted(dict(told).items())
    events, total = [daily(hours[0][0], hours[0][1]), index(hours[0][0], 0)], Decimal(0)
    for (before, rate), (hour, following) in pairwise(hours):
        total += rate * (hour - before)
        events += [daily(hour, following), index(hour, (total / 24).quantize(Decimal("1e-18")))]

    result = funding_carry(funding(*events)).collect()

    announced, read = result.filter(basis="announced"), result.filter(basis="index")
    assert column(announced, "carry_ratio") == pytest.approx(column(read, "carry_ratio"))


@pytest.mark.parametrize("metric", [funding_rate_8h, funding_paid, funding_carry])
def test_a_period_has_a_length(metric: object) -> None:
    """A period of no seconds is refused."""
    with pytest.raises(ValueError, match="bucket_seconds must be at least 1, got 0"):
        metric(funding(), bucket_seconds=0)  # type: ignore[operator]

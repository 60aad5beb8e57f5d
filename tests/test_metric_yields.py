"""What pools are worth, what flows and what shares earn, with numbers known beforehand."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from both_engines import (
    agreed,
    net_flows,
    share_price_yield,
    tvl,
    utilisation,
    yield_stability,
)
from handmade import at, column, table, units
from hypothesis import given
from hypothesis import strategies as st

Row = Mapping[str, object]


def on_day(day: int, price: object, **more: object) -> dict[str, object]:
    """Return a share price so many days after the first."""
    moment = {"block_timestamp": at(days=day), "block_number": day + 100}
    return moment | {"share_price_tokens": price} | more


def yields(*rows: Row, window_days: int = 30, reset_ratio: float = 0.5) -> pl.DataFrame:
    """Return the yields of these prices."""
    prices = table("share_prices", *rows).lazy()
    return share_price_yield(prices, window_days=window_days, reset_ratio=reset_ratio).collect()


def worth(states: Sequence[Row], prices: Sequence[Row]) -> pl.DataFrame:
    """Return what these states and prices say pools manage."""
    return tvl(
        table("pool_states", *states).lazy(), table("share_prices", *prices).lazy()
    ).collect()


def test_a_pool_manages_what_it_says() -> None:
    """What it says goes before shares times price; parts are inside it."""
    part = {"part": "0xstrategy", "assets_tokens": 70}

    result = worth([{"assets_tokens": 100}, part], [on_day(0, 2, supply_tokens=9)])

    assert result.select("tvl_tokens", "basis").rows() == [(100.0, "state")]


def test_a_pool_of_pools_says_so_and_manages_what_it_says() -> None:
    """One word of it is enough for all its days, by whatever asset; a strategy's is another's."""
    vault = {"pool": "0xvault", "part": "0xvault", "assets_tokens": 40}
    states = (
        vault | {"holds_pools": True, "asset_token": None},
        vault | {"block_timestamp": at(days=1)},
        vault | {"chain_id": 42161},
        {"assets_tokens": 100},
        {"part": "0xstrategy", "holds_pools": True},
    )

    told = agreed("tvl", {"pool_states": table("pool_states", *states)})

    rows = told.select("chain_id", "pool", "tvl_tokens", "holds_pools").rows()
    assert sorted(rows) == [
        (1, "0xpool", 100.0, False),
        *[(1, "0xvault", 40.0, True)] * 2,
        (42161, "0xvault", 40.0, False),
    ]


def grown(*states: Row, window_days: int = 365) -> list[Any]:
    """Return by how much the pool of these states grew on each of its days."""
    tables = {"pool_states": table("pool_states", *states)}
    return agreed("tvl_growth", tables, window_days=window_days).select("growth_ratio").rows()


def managing(day: int, assets: object, **more: object) -> dict[str, object]:
    """Return what a pool says that it manages so many days after the first."""
    moment = {"block_timestamp": at(days=day), "block_number": day + 100}
    return moment | {"assets_tokens": assets} | more


def test_growth_is_against_a_year_before() -> None:
    """300 million were 30: nine times more; a day short of a year there is nothing to compare."""
    days = (managing(0, 30), managing(364, 200), managing(365, 300))

    assert grown(*days) == [(None,), (None,), (9.0,)]


def test_growth_is_against_the_last_day_that_is_old_enough() -> None:
    """Where no day is just as old the one before it counts; a fall is below zero."""
    days = (managing(0, 50), managing(3, 80), managing(5, 100), managing(12, 60))

    assert grown(*days, window_days=8)[-1] == (-0.25,)


@pytest.mark.parametrize(
    "other",
    [{"pool": "0xother", "part": "0xother"}, {"asset_token": "0xusdc"}, {"chain_id": 42161}],
)
def test_each_pool_and_asset_grows_by_itself(other: Row) -> None:
    """What began as one is twice as much, what began as four half, though nobody says the asset."""
    none: Row = {"asset_token": None}
    rows = (managing(0, 1, **none), managing(0, 4, **{**none, **other}))
    later = (managing(9, 2, **none), managing(9, 2, **{**none, **other}))

    assert sorted(grown(*rows, *later, window_days=9)[2:]) == [(-0.5,), (1.0,)]


def test_out_of_nothing_there_is_no_growth() -> None:
    """A pool that managed zero has no rate."""
    assert grown(managing(0, 0), managing(9, 5), window_days=9) == [(None,), (None,)]


def test_shares_times_price_where_the_pool_is_silent() -> None:
    """9 shares of 2; a price without a supply does not change what is known of both."""
    result = worth([], [on_day(0, 2, supply_tokens=9), on_day(1, 3)])

    assert result.select("tvl_tokens", "basis").rows() == [(18.0, "shares")]


def test_what_was_told_stands_until_it_is_told_again() -> None:
    """A state of the first day is still what is managed on the second."""
    result = worth([{"assets_tokens": 100}], [on_day(1, 2, supply_tokens=9)])

    assert result["tvl_tokens"].to_list() == [100.0, 100.0]

    result = worth(
        [{"assets_tokens": 90, "block_timestamp": at(days=1)}], [on_day(0, 2, supply_tokens=9)]
    )

    assert result["tvl_tokens"].to_list() == [18.0, 90.0]
    assert column(result, "supply_tokens") == ["9", "9"]


@pytest.mark.parametrize(("logs", "last"), [((0, 1), 7), ((1, 0), 5), ((0, -1), 7)])
def test_the_last_word_of_a_block_counts(logs: tuple[int, int], last: int) -> None:
    """The higher log is later, and what was read at the block is later than all its logs."""
    said = tuple(zip(logs, (5, 7), strict=True))

    states = worth([{"log_index": log, "assets_tokens": number} for log, number in said], [])
    shares = worth([], [{"log_index": log, "supply_tokens": number} for log, number in said])

    assert (states["tvl_tokens"].item(), shares["tvl_tokens"].item()) == (last, last)


def test_requests_are_no_flows_and_dividends_no_money() -> None:
    """10 in, 4 out, a request of 3 that only queues, a dividend of 1 share."""
    flows = table(
        "pool_flows",
        {"kind": "deposit", "asset_tokens": 7, "share_tokens": 7},
        {"kind": "mint", "asset_tokens": 3, "share_tokens": 3},
        {"kind": "redemption", "asset_tokens": 4, "share_tokens": 4},
        {"kind": "withdrawal_request", "share_tokens": 3},
        {"kind": "dividend", "share_tokens": 1},
    )

    result = net_flows(flows.lazy()).collect()

    names = ("inflow_tokens", "outflow_tokens", "net_tokens", "net_shares_tokens")
    assert [column(result, name) for name in names] == [["10"], ["4"], ["6"], ["6"]]
    assert column(result, "dividend_shares_tokens") == ["1"]
    assert result.select("inflow_count", "outflow_count", "unknown_count").row(0) == (2, 1, 0)


def test_a_flow_without_an_amount_makes_the_net_unknown() -> None:
    """What is known is still shown."""
    flows = table("pool_flows", {"kind": "deposit", "asset_tokens": 7}, {"kind": "withdrawal"})

    result = net_flows(flows.lazy()).collect()

    assert column(result, "inflow_tokens") == ["7"]
    assert column(result, "outflow_tokens") == [None]
    assert column(result, "net_tokens") == [None]


@given(st.lists(st.integers(1, 10**24), min_size=2, max_size=10))
def test_flows_telescope_to_what_is_managed(supplies: list[int]) -> None:
    """At a price of one, what flowed since the first day is the change of supply times price."""
    moves = [later - earlier for earlier, later in pairwise(supplies)]
    flows = table(
        "pool_flows",
        *(
            {
                "kind": "deposit" if move > 0 else "withdrawal",
                "asset_tokens": units(abs(move)),
                "block_timestamp": at(days=day),
            }
            for day, move in enumerate(moves, 1)
        ),
    )

    flowed = sum(net_flows(flows.lazy()).collect()["net_tokens"].to_list())
    told = worth(
        [], [on_day(day, 1, supply_tokens=units(supply)) for day, supply in enumerate(supplies)]
    )["supply_tokens"]

    assert flowed == told[-1] - told[0]


def test_a_yield_is_fixed_and_compounded() -> None:
    """1 % in a fifth of a year is 5 % fixed and 1.01 to the fifth compounded."""
    result = yields(on_day(0, 1), on_day(73, "1.01"), window_days=73)

    assert result["yield_simple_ratio"].to_list() == [None, pytest.approx(0.05, rel=1e-12)]
    assert result["yield_compounded_ratio"][1] == pytest.approx(1.01**5 - 1, rel=1e-12)
    assert result["elapsed_seconds"].to_list() == [None, 73 * 86_400]


def test_a_price_that_is_assumed_earns_nothing_known() -> None:
    """A fund whose share is a dollar by its terms pays in shares: no zero was measured."""
    dollar = [on_day(day, 1, supply_tokens=5, evidence="assumed") for day in (0, 18, 19, 20, 21)]

    assert yields(*dollar, window_days=1).is_empty()
    assert stability(*dollar).is_empty()
    assert worth([], dollar[:1])["tvl_tokens"].to_list() == [5.0]


def test_the_earlier_price_is_at_least_so_old() -> None:
    """Ten days back from the twelfth day is the second, where the price of the first stands."""
    result = yields(on_day(1, 1), on_day(5, 4), on_day(12, 5), window_days=10, reset_ratio=9)

    assert column(result, "earlier_price_tokens") == [None, None, "1"]
    assert result["elapsed_seconds"][2] == 11 * 86_400


def test_a_posted_value_counts_from_when_it_was_true() -> None:
    """Posted a day and three days late, the value of day 30 is 30 days after that of day 0."""
    rows = on_day(1, 1, nav_at=at(days=0)), on_day(33, "1.01", nav_at=at(days=30))

    assert yields(*rows)["elapsed_seconds"][1] == 30 * 86_400


@pytest.mark.parametrize(("days", "told"), [(1 / 86_400, False), (14.9, False), (15, True)])
def test_values_true_at_nearly_one_time_earn_nothing_known(days: float, told: bool) -> None:
    """Posted 30 days apart, values must be true half of that apart, or a year of it is nonsense."""
    rows = on_day(0, 1, nav_at=at(days=0)), on_day(30, "1.4", nav_at=at(days=days))

    result = yields(*rows)

    assert result["elapsed_seconds"][1] == round(days * 86_400)
    assert (result["yield_simple_ratio"][1] is not None) == told
    assert (result["yield_compounded_ratio"][1] is not None) == told


def test_a_new_denomination_is_no_yield() -> None:
    """A price a thousand times as high resets: no rate until the step has left the window."""
    prices = [on_day(0, 1), on_day(1, 1000), on_day(2, 1001), on_day(3, 1002)]

    result = yields(*prices, window_days=2)

    assert result["reset_count"].to_list() == [None, None, 1, 0]
    assert result["yield_simple_ratio"][2] is None
    assert result["yield_simple_ratio"][3] == pytest.approx(0.002 * 365 / 2)


def test_a_loss_is_a_yield_below_zero() -> None:
    """A fall of 10 % in a day is no reset."""
    result = yields(on_day(0, 1), on_day(1, "0.9"), window_days=1)

    assert result["yield_simple_ratio"][1] == pytest.approx(-36.5)


def test_a_price_of_zero_earns_nothing_known() -> None:
    """Nothing is divided by zero."""
    result = yields(on_day(0, 0), on_day(1, 1), window_days=1)

    assert result["yield_compounded_ratio"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"window_days": 0}, "window_days must be at least 1"), ({"reset_ratio": 0.0}, "reset_ratio")],
)
def test_a_window_has_a_day_and_a_reset_a_size(settings: dict[str, Any], message: str) -> None:
    """Bad settings are refused."""
    with pytest.raises(ValueError, match=message):
        yields(**settings)


def test_utilisation_is_what_is_lent_of_what_is_managed() -> None:
    """Managers lent 30 and 15 of the 50 that the pool manages, then the second 5 more of 100."""
    later = {"block_timestamp": at(days=1), "block_number": 2}
    states = table(
        "pool_states",
        {"assets_tokens": 50},
        {"part": "0x1", "principal_tokens": 30},
        {"part": "0x2", "principal_tokens": 15},
        later | {"assets_tokens": 100},
        later | {"part": "0x2", "principal_tokens": 20},
    )

    assert utilisation(states.lazy()).collect()["utilisation"].to_list() == [0.9, 0.5]


def test_utilisation_needs_both() -> None:
    """Null, not zero, while either is unknown; 4 of 5 once both are known."""
    assets, principal = {"assets_tokens": 5}, {"principal_tokens": 4, "block_timestamp": at(days=1)}

    for states, expected in (((principal,), [None]), ((assets, principal), [None, 0.8])):
        result = utilisation(table("pool_states", *states).lazy()).collect()

        assert result["utilisation"].to_list() == expected


def test_a_pool_that_lends_nothing_has_no_utilisation() -> None:
    """What never told of loans is no lender: a perp venue's pool, a fund that buys back."""
    other = {"pool": "0xother", "part": "0xother", "asset_token": None}
    states = ({"assets_tokens": 5, **other}, {"assets_tokens": 9}, {"principal_tokens": 9})

    result = agreed("utilisation", {"pool_states": table("pool_states", *states)})

    assert result.select("pool", "utilisation").rows() == [("0xpool", 1.0)]


def test_utilisation_does_not_depend_on_the_unit() -> None:
    """A thousand times as many tokens are used as much."""
    found = [
        utilisation(
            table("pool_states", {"principal_tokens": 3 * k, "assets_tokens": 7 * k}).lazy()
        ).collect()["utilisation"]
        for k in (1, 1000)
    ]

    assert found[0].equals(found[1])


def stability(*rows: Row, **settings: Any) -> pl.DataFrame:
    """Return how steady these prices are through the 20th day and the two days before."""
    event: dict[str, Any] = {
        "event_start": at(days=19.5).isoformat(),
        "event_end": at(days=21.5).isoformat(),
    }
    prices = table("share_prices", *rows).lazy()
    return yield_stability(prices, **({"before_days": 3} | event | settings)).collect()


def test_an_event_is_compared_with_the_days_before() -> None:
    """Before it 1 % a day, in it a fall of 10 % and a rise."""
    prices = [on_day(17, 100), on_day(18, 101), on_day(19, "102.01"), on_day(20, "91.809")]

    end = on_day(22, 1) | {"block_timestamp": at(days=21.5)}
    result = stability(*prices, on_day(21, "100.9899"), end)

    assert result["period"].to_list() == ["before", "event"]
    assert result["change_count"].to_list() == [2, 2]
    assert result["mean_change_ratio"].to_list() == pytest.approx([0.01, 0.0])
    assert result["sd_change_ratio"].to_list() == pytest.approx([0.0, 0.02**0.5], abs=1e-15)
    assert result["worst_drawdown_ratio"].to_list() == pytest.approx([0.0, -0.1])


@pytest.mark.parametrize(("days", "prices", "changes"), [(3, 2, [0.01]), (4, 3, [0.505])])
def test_no_more_days_before_are_compared_than_asked(
    days: int, prices: int, changes: list[float]
) -> None:
    """A price of three and a half days before counts in four days, and not in three."""
    told = (on_day(16, 50), on_day(17, 100), on_day(18, 101))

    result = stability(*told, before_days=days)

    assert result["price_count"].to_list() == [prices]
    assert result["mean_change_ratio"].to_list() == pytest.approx(changes)


def test_a_change_is_of_each_day_since_the_last_price() -> None:
    """2 % in two days are 1 % a day, before the event, and 3 % in three days of it are."""
    prices = [on_day(17, 100), on_day(19, 102), on_day(22, "105.06")]

    result = stability(*prices, event_end=at(days=22.5).isoformat())

    assert result["change_count"].to_list() == [1, 1]
    assert result["mean_change_ratio"].to_list() == pytest.approx([0.01, 0.01])


def test_an_event_that_begins_within_a_day_has_that_change() -> None:
    """From 100 in the morning to 101 at noon of the same day is 1 % a day."""
    noon = on_day(19, 101) | {"block_timestamp": at(days=19.6), "block_number": 120}

    result = stability(on_day(19, 100) | {"block_timestamp": at(days=19.4)}, noon)

    assert result["mean_change_ratio"].to_list() == [None, pytest.approx(0.01)]


def test_a_dip_within_a_day_is_a_drawdown() -> None:
    """Every price counts for the drawdown, the last of a day for the changes."""
    dip = on_day(20, 50) | {"block_number": 119}

    result = stability(on_day(19, 100), dip, on_day(20, 100))

    assert result["worst_drawdown_ratio"].to_list() == [0.0, -0.5]
    assert result["mean_change_ratio"].to_list() == [None, 0.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"event_end": "2025-10-01"}, "event_end must be after event_start"),
        ({"event_start": "2025-11-01", "event_end": "2025-11-01"}, "event_end must be after"),
        ({"event_start": "soon"}, "event_start must be a time"),
        ({"before_days": 0}, "before_days must be at least 1"),
    ],
)
def test_an_event_has_a_beginning_and_an_end(settings: dict[str, object], message: str) -> None:
    """Bad settings are refused."""
    with pytest.raises(ValueError, match=message):
        stability(**settings)

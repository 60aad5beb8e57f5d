"""What protocols manage in dollars over all pools, and how it grows, on numbers in the head."""

from collections.abc import Mapping
from datetime import timedelta

import polars as pl
import pytest
from both_engines import agreed
from handmade import T0, at, column, load, table

from analytics.compute import compute
from analytics.errors import UserError

Row = Mapping[str, object]
WETH = {"address": "0xweth", "symbol": "WETH", "decimals": 18, "known_by": "declaration"}


def held(day: int, tokens: object, pool: str = "0xpool", **more: object) -> dict[str, object]:
    """Return what a pool of WETH says that it manages so many days after the first."""
    moment = {"block_timestamp": at(days=day), "block_number": day + 100}
    named = {"pool": pool, "part": pool, "asset_token": "0xweth", "assets_tokens": tokens}
    return moment | named | more


def eth(day: int, usd: object) -> dict[str, object]:
    """Return a price of ETH of that day."""
    told = {"block_timestamp": at(1, days=day), "oracle_price_quote": usd}
    return {"protocol": "chainlink", "feed": "0xagg", "asset": "ETH"} | told


def protocols(
    *states: Row,
    prices: tuple[Row, ...] = (eth(0, 10), eth(9, 10)),
    window_days: int = 9,
    **given: float | str,
) -> pl.DataFrame:
    """Return what protocols of these pools manage; ETH is at 10 dollars on days 0 and 9."""
    tables = {
        "pool_states": table("pool_states", *states),
        "tokens": table("tokens", WETH, WETH | {"chain_id": 42161}),
        "oracle_updates": table("oracle_updates", *prices),
    }
    return agreed("tvl_growth_valued", tables, window_days=window_days, **given)


def last(*states: Row, prices: tuple[Row, ...] = (eth(0, 10), eth(9, 10))) -> dict[str, object]:
    """Return the last day of these pools."""
    told = protocols(*states, prices=prices)
    return {name: column(told, name)[-1] for name in told.columns}


def test_pools_of_all_chains_add_up() -> None:
    """3 WETH on one chain and 1 on another are 40 dollars; another protocol has its own row."""
    other = held(0, 1, "0xother", chain_id=42161)

    told = protocols(held(0, 3), other, held(0, 9, protocol="other"))

    assert column(told, "protocol") == ["other", "venue"]
    assert column(told, "tvl_usd") == ["90", "40"]
    assert column(told, "pool_count") == [1, 2]
    assert column(told, "earlier_date") == [None, None]
    names = ("growth_ratio", "revaluation_usd", "quantity_change_usd", "younger_count")
    assert told.select(*names, "younger_usd").row(0) == (None,) * 5


def test_what_pools_of_pools_hold_counts_once() -> None:
    """A vault holds 2 of a pool's 3: 30 dollars, not 50, then as now, and its days are no days."""
    vault = ("0xvault", {"holds_pools": True})

    told = protocols(
        held(0, 3),
        held(0, 2, vault[0], **vault[1]),
        held(8, 9, vault[0], **vault[1]),
        held(9, 6),
    )

    assert column(told, "tvl_usd") == ["30", "60"]
    assert column(told, "pool_count") == [1, 1]
    assert column(told, "earlier_tvl_usd") == [None, "30"]


def test_money_that_moves_between_pools_is_no_growth() -> None:
    """All 3 of one pool go to another, which takes 27 more: 30 of 3 are nine times more."""
    told = last(held(0, 3), held(9, 0), held(9, 30, "0xnew"))

    assert (told["tvl_usd"], told["earlier_tvl_usd"]) == ("300", "30")
    assert told["earlier_date"] == T0.date()
    assert told["growth_ratio"] == 9.0
    assert (told["younger_count"], told["younger_usd"]) == (1, "300")


def test_a_day_short_of_the_window_there_is_nothing_to_compare() -> None:
    """The last day that is old enough counts, whichever pool spoke then."""
    told = protocols(held(0, 1), held(3, 2, "0xother"), held(8, 4), held(11, 4), prices=())

    days = [None if day is None else (day - T0.date()).days for day in told["earlier_date"]]
    assert days == [None, None, None, 0]
    told = protocols(held(0, 1), held(3, 2, "0xother"), held(12, 4), prices=())
    assert told["earlier_date"].to_list()[-1] == T0.date() + timedelta(days=3)


def test_what_prices_did_is_apart_from_what_moved() -> None:
    """2 WETH at 10 became 5 at 30: the 2 gained 40 by the price, the 3 that came are 90 now."""
    told = last(held(0, 2), held(9, 5), prices=(eth(0, 10), eth(9, 30)))

    assert (told["earlier_tvl_usd"], told["tvl_usd"]) == ("20", "150")
    assert (told["revaluation_usd"], told["quantity_change_usd"]) == ("40", "90")
    assert told["growth_ratio"] == 6.5


def test_a_silent_pool_has_its_last_tokens_at_the_price_of_today() -> None:
    """4 WETH told on day 0 and never again are 120 dollars on day 9, and nine days old."""
    told = last(held(0, 4), held(9, 1, "0xother"), prices=(eth(0, 10), eth(9, 30)))

    assert told["tvl_usd"] == "150"
    assert (told["pool_count"], told["oldest_days"]) == (2, 9)


@pytest.mark.parametrize(
    ("tokens", "token", "tvl", "oldest"),
    [(0, "0xweth", "10", 0), (0, "0xnobody", "10", 0), (4, "0xnobody", None, 9)],
)
def test_an_ended_pool_is_zero_only_where_it_said_so(
    tokens: int, token: str, tvl: str | None, oldest: int
) -> None:
    """Nothing is nothing at any price, or at none, and does not age; what had 4 still has."""
    told = last(held(0, tokens, asset_token=token), held(9, 1, "0xother"))

    assert (told["tvl_usd"], told["oldest_days"]) == (tvl, oldest)


def test_with_an_unpriced_pool_the_sum_is_unknown() -> None:
    """3 WETH are 30 dollars, of 5 of another token nobody knows: what is known is a lower bound."""
    unpriced = held(9, 5, "0xother", asset_token=None)

    told = last(held(0, 3), held(9, 3), unpriced)

    assert (told["tvl_usd"], told["known_usd"]) == (None, "30")
    assert (told["pool_count"], told["unpriced_count"]) == (2, 1)
    assert (told["earlier_tvl_usd"], told["growth_ratio"]) == ("30", None)
    assert (told["revaluation_usd"], told["quantity_change_usd"]) == ("0", None)
    assert (told["younger_count"], told["younger_usd"]) == (1, None)


def test_where_no_pool_has_a_value_none_is_known() -> None:
    """A price of day 0 is too old on day 9, unless a reader takes it or calls WETH a dollar."""
    days = (held(0, 3), held(9, 3))
    stale = (eth(0, 10),)

    told = protocols(*days, prices=stale)
    assert told.select("tvl_usd", "known_usd", "unpriced_count").row(-1) == (None, None, 1)
    assert column(protocols(*days, prices=stale, tolerance_seconds=10**6), "tvl_usd")[-1] == "30"
    assert column(protocols(*days, prices=stale, par_symbols="weth"), "tvl_usd")[-1] == "3"


def test_out_of_nothing_there_is_no_growth() -> None:
    """A protocol that managed zero has no rate."""
    told = last(held(0, 0), held(9, 5))

    assert (told["earlier_tvl_usd"], told["growth_ratio"]) == ("0", None)
    assert told["quantity_change_usd"] == "50"


def test_it_is_the_sum_of_what_pools_manage() -> None:
    """On a day on which all pools speak it is what `tvl_valued` has of them, and shares count."""
    shares = {"pool": "0xshares", "asset_token": "0xweth", "supply_tokens": "0.333333333333333333"}
    tables = {
        "pool_states": table("pool_states", held(0, "0.1"), held(0, "0.7", "0xother")),
        "share_prices": table("share_prices", shares | {"share_price_tokens": "1.1"}),
        "tokens": table("tokens", WETH),
        "oracle_updates": table("oracle_updates", eth(0, "3.000000000000000001")),
    }

    pools, total = (agreed(name, tables) for name in ("tvl_valued", "tvl_growth_valued"))

    assert pools.height == 3
    assert total["tvl_usd"].to_list() == [pools["tvl_usd"].sum()]


def test_a_window_of_no_days_is_refused() -> None:
    """The earlier day lies before."""
    with pytest.raises(UserError, match="window_days must be at least 1"):
        compute("tvl_growth_valued", load(), window_days=0)

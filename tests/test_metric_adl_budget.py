"""What ADLs took and needed to take, from facts and from any frame, computed in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import adl_budget
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

from analytics.budgets import deficits, haircuts, needed_budgets

Rows = tuple[Mapping[str, object], ...]

# Two longs bought lower are cut at 90 while the mark is 92: each gives up two dollars a token.
LONG: dict[str, object] = {
    "is_long": True,
    "size_tokens": 5,
    "execution_price_usd": 90,
    "realized_pnl_usd": 40,
}
SHORT = LONG | {"is_long": False, "account": "0xb"}
MARK = {"mark_price_usd": 92, "shortfall_usd": 0}
MARKET = {"symbol": "btc", "asset_class": "crypto", "known_by": "declaration"}
MONEY = ("needed_budget_usd", "haircut_usd", "overshoot_usd", "under_coverage_usd")


def trade(price: object, second: float = 0) -> dict[str, object]:
    """Return a trade at this price."""
    return {"execution_price_usd": price, "block_timestamp": at(second)}


def price(dollars: object, second: float = 0, **also: object) -> dict[str, object]:
    """Return what the venue's own feed of the market says."""
    told = {"asset": "BTC", "oracle_price_quote": dollars, "block_timestamp": at(second)}
    return told | also


def budget(
    *cut: Mapping[str, object],
    marks: Rows = (MARK,),
    trades: Rows = (),
    oracle: Rows = (),
    markets: Rows = (MARKET,),
    **settings: int,
) -> pl.DataFrame:
    """Return the metric of these ADLs, liquidations and position changes."""
    return adl_budget(
        table("adls", *cut).lazy(),
        table("liquidations", *marks).lazy(),
        table("position_changes", *trades).lazy(),
        table("oracle_updates", *oracle).lazy(),
        table("markets", *markets).lazy(),
        **settings,
    ).collect()


def money(result: pl.DataFrame) -> list[object]:
    """Return needed budget, haircut, overshoot and under-coverage of the only wave."""
    return [result[name].item() for name in MONEY]


def test_what_is_needed_is_the_distance_to_the_mark() -> None:
    """Five tokens cut at 90 with the mark at 92 give 10; at 95 later 25 were lost: 15 too much."""
    result = budget(LONG, trades=(trade(95),))

    assert money(result) == [10.0, 25.0, 15.0, 0.0]
    assert column(result, "capacity_usd") == ["40"]
    assert column(result, "haircut_ratio") == [0.625]


def test_taking_less_than_needed_is_under_coverage() -> None:
    """A market that comes back to 91 leaves a loss of 5 where 10 were needed."""
    assert money(budget(LONG, trades=(trade(91),))) == [10.0, 5.0, 0.0, 5.0]


def test_a_short_loses_when_the_market_falls_on() -> None:
    """Cut at 90, the market at 88: 10 lost by the short; the long was spared as much."""
    trades = (trade(88),)

    assert budget(SHORT, trades=trades)["haircut_usd"].item() == 10.0
    assert budget(LONG, trades=trades)["haircut_usd"].item() == 0.0
    assert budget(LONG, SHORT, trades=trades)["haircut_usd"].item() == 10.0


def test_what_one_account_was_spared_is_set_against_what_it_lost() -> None:
    """Both sides of one account in one market: nothing was lost."""
    result = budget(LONG, SHORT | {"account": "0xa"}, trades=(trade(88),))

    assert column(result, "haircut_usd") == [0.0]
    assert column(result, "capacity_usd") == ["80"]


def test_an_address_is_an_account_of_each_chain() -> None:
    """Spared 25 on one chain, it lost 25 on another; a profit of 40 beside a loss of 40."""
    there = SHORT | {"account": "0xa", "chain_id": 10, "realized_pnl_usd": -40}
    of_both = (MARK, MARK | {"chain_id": 10})
    trades = (trade(95), trade(95) | {"chain_id": 10})

    result = budget(LONG | {"account": "0xa"}, there, marks=of_both, trades=trades)

    assert money(result)[1] == 25.0
    assert column(result, "capacity_usd") == ["40"]


def test_the_deficit_is_what_liquidations_of_the_wave_left_unpaid() -> None:
    """4 and 6 unpaid during the wave, nothing of the next hour: 25 taken for 10 is 2.5."""
    left = ({"shortfall_usd": 4}, {"shortfall_usd": 6})
    later = {"shortfall_usd": 99, "block_timestamp": at(3600)}

    result = budget(LONG, marks=(MARK, *left, later), trades=(trade(95),))

    assert column(result, "deficit_usd") == ["10"]
    assert column(result, "severity_ratio") == [2.5]


def test_a_deficit_that_a_liquidation_does_not_tell_is_unknown() -> None:
    """Null, not zero; without any liquidation it is zero."""
    silent = budget(LONG, marks=(MARK, {}))
    alone = budget(LONG, LONG, marks=())

    assert column(silent, "deficit_usd") == [None]
    assert column(silent, "severity_ratio") == [None]
    assert column(alone, "deficit_usd") == ["0"]
    assert column(alone, "unmarked_count") == [2]
    assert column(alone, "needed_budget_usd") == [None]


@pytest.mark.parametrize(
    ("lacking", "counts"),
    [
        ("size_tokens", [1, 1]),
        ("execution_price_usd", [1, 1]),
        ("is_long", [0, 1]),
        ("account", [0, 1]),
    ],
)
def test_an_adl_that_does_not_tell_leaves_the_sum_unknown(lacking: str, counts: list[int]) -> None:
    """One of two is silent: it is counted, and its wave has no sum of what it is silent about."""
    result = budget(LONG, LONG | {lacking: None}, trades=(trade(95),))

    assert [result[name].item() for name in ("unmarked_count", "unpriced_count")] == counts
    assert [value is None for value in money(result)] == [bool(counts[0]), True, True, True]


def test_an_unknown_profit_leaves_the_capacity_unknown() -> None:
    """Of an account that is not told nobody can say what it gained in all."""
    for silent in ({"realized_pnl_usd": None}, {"account": None}):
        result = budget(LONG, LONG | silent)

        assert column(result, "capacity_usd") == [None]


def test_losses_of_one_account_take_nothing_from_the_profit_of_another() -> None:
    """Profit of 40 and a loss of 15 of another account: a capacity of 40."""
    result = budget(LONG, SHORT | {"realized_pnl_usd": -15})

    assert column(result, "capacity_usd") == ["40"]


def test_prices_are_the_latest_within_the_tolerance() -> None:
    """A mark of 5 s ago is used, one of 6 s ago is not; the latest event of a moment stands."""
    old = {"block_timestamp": at(-5)}
    marks = (MARK | old, MARK | old | {"mark_price_usd": 91})

    assert budget(LONG, marks=marks)["needed_budget_usd"].item() == 5.0
    assert budget(LONG, marks=marks, tolerance_seconds=4)["unmarked_count"].item() == 1
    assert budget(LONG, marks=marks, tolerance_seconds=4)["needed_budget_usd"].item() is None


def test_the_horizon_looks_past_the_end_of_the_wave() -> None:
    """At the end of the wave the market is at 95, two seconds later at 100."""
    trades = (trade(95, 4), trade(100, 6))
    cut = (LONG, LONG | {"block_timestamp": at(4)})

    assert budget(*cut, trades=trades)["haircut_usd"].item() == 50.0
    assert budget(*cut, trades=trades, horizon_milliseconds=2000)["haircut_usd"].item() == 100.0


def test_only_trades_of_the_market_tell_its_later_price() -> None:
    """Neither another market nor another forced exit says where this market stands."""
    elsewhere = (trade(1) | {"market": "ETH"}, trade(1) | {"cause": "liquidation"})

    result = budget(LONG, trades=elsewhere)

    assert column(result, "unpriced_count") == [1]


def test_the_venues_own_oracle_tells_marks_and_later_prices() -> None:
    """Without a liquidation or a trade its 92 is the mark, and its 95 a minute later the market."""
    oracle = (price(92), price(95, 60))

    result = budget(LONG, marks=(), oracle=oracle, horizon_milliseconds=60_000)

    assert money(result) == [10.0, 25.0, 15.0, 0.0]


def test_the_youngest_of_both_counts() -> None:
    """A mark of 2 s ago stands before the oracle's of 3 s ago and behind its of 1 s ago."""
    marks, trades = (MARK | {"block_timestamp": at(-2)},), (trade(95, -2),)

    older = budget(LONG, marks=marks, trades=trades, oracle=(price(91, -3),))
    younger = budget(LONG, marks=marks, trades=trades, oracle=(price(91, -1),))

    assert money(older) == [10.0, 25.0, 15.0, 0.0]
    assert money(younger) == [5.0, 5.0, 0.0, 0.0]


def test_of_one_moment_the_last_event_counts() -> None:
    """The oracle's price is beaten by what comes after it, and by an event in the same place."""
    later = price(91, log_index=7)

    assert budget(LONG, oracle=(price(91),))["needed_budget_usd"].item() == 10.0
    assert budget(LONG, oracle=(later,))["needed_budget_usd"].item() == 5.0


@pytest.mark.parametrize(
    "also",
    [{"protocol": "other"}, {"chain_id": 2}, {"quote": "USDT"}, {"asset": "ETH"}, {"asset": None}],
)
def test_no_other_oracle_tells_where_the_market_stands(also: dict[str, object]) -> None:
    """Not of another venue, chain or asset, nor in another currency."""
    result = budget(LONG, marks=(), oracle=(price(92) | also,))

    assert money(result) == [None] * 4


def test_another_version_of_the_venue_has_the_same_oracle() -> None:
    """The oracle of a venue is numbered on its own."""
    assert money(budget(LONG, marks=(), oracle=(price(92, version="v9"),)))[0] == 10.0


def test_an_oracles_price_is_no_older_than_any_other() -> None:
    """One of 5 s ago is used, one of 6 s ago is not."""
    found = [budget(LONG, marks=(), oracle=(price(92, -age),)) for age in (5, 6)]

    assert [column(each, "needed_budget_usd") for each in found] == [[10.0], [None]]
    assert [column(each, "haircut_usd") for each in found] == [[10.0], [None]]


@pytest.mark.parametrize("markets", [(), (MARKET | {"symbol": None},), (MARKET | {"chain_id": 2},)])
def test_without_the_asset_of_a_market_no_oracle_is_its_own(markets: Rows) -> None:
    """Of which asset the market is nobody says."""
    assert money(budget(LONG, marks=(), oracle=(price(92),), markets=markets)) == [None] * 4


def test_of_two_tokens_of_an_asset_the_index_token_is_the_one() -> None:
    """A wrapped token may be worth less; the youngest of both counts where none is the index."""
    oracle = (price(92, -1, feed="0xindex"), price(91, feed="0xwrapped"))
    named = (MARKET | {"index_token": "0xindex"},)

    indexed = budget(LONG, marks=(), oracle=oracle, markets=named)

    assert column(indexed, "needed_budget_usd") == [10.0]
    assert column(budget(LONG, marks=(), oracle=oracle), "needed_budget_usd") == [5.0]


def test_until_the_index_token_is_priced_another_one_is_the_price() -> None:
    """What is told later changes no mark of before."""
    oracle = (price(92, 1, feed="0xindex"), price(91, feed="0xwrapped"))
    named = (MARKET | {"index_token": "0xindex"},)

    found = budget(LONG, marks=(), oracle=oracle, markets=named)

    assert column(found, "needed_budget_usd") == [5.0]


def test_settings_are_not_negative() -> None:
    """Neither the horizon nor the tolerance goes backwards."""
    with pytest.raises(ValueError, match="horizon_milliseconds must be at least 0, got -1"):
        budget(LONG, horizon_milliseconds=-1)
    with pytest.raises(ValueError, match="tolerance_seconds must be at least 0, got -1"):
        budget(LONG, tolerance_seconds=-1)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_splitting_an_adl_changes_only_counts(first: int, second: int) -> None:
    """One cut of x + y tokens and two of x and y took the same, to a millionth a row."""
    sizes = [{"size_tokens": size, "realized_pnl_usd": size} for size in (first, second)]
    both = {"size_tokens": first + second, "realized_pnl_usd": first + second}

    parts = budget(*(LONG | size for size in sizes), trades=(trade(95),))
    whole = budget(LONG | both, trades=(trade(95),))

    assert parts.drop("adl_count").equals(whole.drop("adl_count"))


def test_an_account_owes_once_however_often_it_is_seen() -> None:
    """Nine snapshots of one account 11 below zero and one of another at -2: 13, not 101."""
    seen = [{"account": "0xv", "equity_usd": -11.0}] * 9 + [{"account": "0xw", "equity_usd": -2.0}]
    solvent = [{"account": "0xs", "equity_usd": 5.0}]

    result = deficits(pl.LazyFrame([*seen, *solvent]).with_columns(event=1), ["event"]).collect()

    assert result["deficit_usd"].item() == 13.0
    assert result["account_count"].item() == 2


def test_an_equity_that_is_not_known_leaves_the_deficit_unknown() -> None:
    """It may be below zero."""
    rows = pl.LazyFrame({"account": ["a", "b"], "equity_usd": [-1.0, None], "event": [1, 1]})

    assert deficits(rows, ["event"]).collect()["deficit_usd"].item() is None


def test_budgets_and_haircuts_of_any_frame() -> None:
    """|10 - 8| x 3 and |5 - 6| x 4 need 10; losses of 7 and -9 of two accounts are 7."""
    closes = pl.LazyFrame(
        {
            "coin": ["A", "A"],
            "mark_price_usd": [10.0, 5.0],
            "execution_price_usd": [8.0, 6.0],
            "size_tokens": [3.0, 4.0],
        }
    )
    losses = pl.LazyFrame({"coin": ["A", "A"], "account": ["x", "y"], "lost_usd": [7.0, -9.0]})

    assert needed_budgets(closes, ["coin"]).collect()["needed_budget_usd"].item() == 10.0
    assert haircuts(losses, ["coin"]).collect()["haircut_usd"].item() == 7.0

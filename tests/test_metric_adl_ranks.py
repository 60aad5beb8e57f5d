"""Places in the queue of ADLs, on positions small enough to value in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import adl_ranks
from handmade import at, column, table
from simulated_world import world

PLACES = ("place_profit", "place_documented", "place_side_aware", "place_bitmex")


def change(
    account: str, size: float, price: float, margin: float | None, **also: object
) -> dict[str, object]:
    """Return an opening of a position: tokens, dollars a token, collateral."""
    return {
        "account": account,
        "size_delta_tokens": size,
        "size_tokens": size,
        "execution_price_usd": price,
        "collateral_delta_usd": margin,
        "block_timestamp": at(0),
        "is_long": True,
    } | also


def cut(account: str, **also: object) -> dict[str, object]:
    """Return an ADL a minute later, at 100 dollars a token."""
    return {
        "account": account,
        "is_long": True,
        "execution_price_usd": 100,
        "block_timestamp": at(60),
    } | also


def ranked(
    *cuts: Mapping[str, object],
    changes: tuple[Mapping[str, object], ...],
    marks: tuple[Mapping[str, object], ...] = (),
    tolerance_seconds: int = 60,
) -> pl.DataFrame:
    """Return the places of these ADLs among these positions."""
    adls, liquidations = table("adls", *cuts), table("liquidations", *marks)
    position_changes = table("position_changes", *changes)
    return adl_ranks(
        adls.lazy(),
        liquidations.lazy(),
        position_changes.lazy(),
        tolerance_seconds=tolerance_seconds,
    ).collect()


def places(result: pl.DataFrame) -> list[list[object]]:
    """Return the four places of each row."""
    return [[row[name] for name in PLACES] for row in result.to_dicts()]


def test_value_entry_profit_and_leverage() -> None:
    """Two tokens bought at 50 with 20 dollars: worth 200, profit 100 %, equity 120."""
    result = ranked(cut("0xa"), changes=(change("0xa", 2, 50, 20),))

    assert column(result, "mark_price_usd") == ["100"]
    assert column(result, "size_tokens") == ["2"]
    assert column(result, "entry_usd") == [100.0]
    assert column(result, "profit_ratio") == [1.0]
    assert column(result, "leverage") == [200 / 120]
    assert places(result) == [[1, 1, 1, 1]]


def test_the_place_is_among_all_that_are_open_on_the_side() -> None:
    """Of three longs the second best was cut; a short and another market stand in other queues."""
    longs = (change("0xa", 1, 50, 10), change("0xb", 1, 80, 40), change("0xc", 1, 90, 90))
    others = (
        change("0xd", 1, 10, 1, market="ETH"),
        change("0xe", 1, 900, 1, is_long=False),
    )

    result = ranked(cut("0xb"), changes=(*longs, *others))

    assert column(result, "open_count") == [3]
    assert places(result) == [[2, 2, 2, 2]]


def test_the_documented_formula_falls_for_shorts_that_win() -> None:
    """Shorts from 200 and 110 at half leverage: as written 0.25 < 0.45, side-aware 1 > 0.55."""
    better = change("0xa", 1, 200, 100, is_long=False)
    worse = change("0xb", 1, 110, 190, is_long=False)

    result = ranked(cut("0xa", is_long=False), changes=(better, worse))

    assert column(result, "leverage") == [0.5]
    assert places(result) == [[1, 2, 1, 1]]


def test_bitmex_divides_a_loss_by_the_leverage() -> None:
    """Two longs from 125 lose a fifth: the one with leverage 4 loses less by the formula."""
    high, low = change("0xa", 1, 125, 50), change("0xb", 1, 125, 125)

    result = ranked(cut("0xa"), cut("0xb"), changes=(high, low))

    assert column(result, "leverage") == [4.0, 1.0]
    assert [row[3] for row in places(result)] == [1, 2]
    assert [row[0] for row in places(result)] == [1, 1]


def test_entry_is_averaged_and_a_decrease_keeps_it() -> None:
    """One at 40 and one at 80, one sold at 100 with 40 gained: 60 is left at entry."""
    changes = (
        change("0xa", 1, 40, 10),
        change("0xa", 1, 80, 10, size_tokens=2),
        change("0xa", -1, 100, 0, size_tokens=1, realized_pnl_usd=40),
    )

    assert column(ranked(cut("0xa"), changes=changes), "entry_usd") == [60.0]


def test_dollars_that_balance_are_the_entry() -> None:
    """A venue that keeps 60 of 120 dollars after half was closed, whatever price that was at."""
    changes = (
        change("0xa", 2, 60, 10, notional_delta_usd=120, notional_usd=120),
        change("0xa", -1, 99, 0, size_tokens=1, notional_delta_usd=-60, notional_usd=60),
    )

    assert column(ranked(cut("0xa"), changes=changes), "entry_usd") == [60.0]


def test_dollars_at_other_prices_do_not_balance() -> None:
    """A venue that values what is left at the latest price says 99 where 60 were spent."""
    changes = (
        change("0xa", 2, 60, 10, notional_delta_usd=120, notional_usd=120),
        change(
            "0xa",
            *(-1, 99, 0),
            size_tokens=1,
            notional_delta_usd=-99,
            notional_usd=99,
            realized_pnl_usd=39,
        ),
    )

    assert column(ranked(cut("0xa"), changes=changes), "entry_usd") == [60.0]


def test_a_position_that_was_closed_begins_again() -> None:
    """What the first one gained or lost has no part in the second."""
    changes = (
        change("0xa", 1, 40, 10),
        change("0xa", -1, 50, 0, size_tokens=0, realized_pnl_usd=7),
        change("0xa", 1, 80, 20),
    )

    result = ranked(cut("0xa"), changes=changes)

    assert column(result, "entry_usd") == [80.0]
    assert column(result, "leverage") == [100 / 40]


@pytest.mark.parametrize(
    "changes",
    [
        (change("0xa", 1, 40, 10, size_tokens=3),),
        (change("0xa", 1, 40, 10, execution_price_usd=None),),
        (change("0xa", 2, 40, 10), change("0xa", -1, 50, 0, size_tokens=1)),
    ],
    ids=["begins before the data", "unknown price", "unknown profit"],
)
def test_a_history_with_a_hole_gives_no_place(changes: tuple[Mapping[str, object], ...]) -> None:
    """The position is open and counted; its entry is not known, nor what follows from it."""
    result = ranked(cut("0xa"), changes=changes)

    assert column(result, "open_count") == [1]
    assert column(result, "profit_count") == [0]
    assert column(result, "entry_usd") == [None]
    assert places(result) == [[None] * 4]


def test_without_collateral_there_is_a_place_by_profit_alone() -> None:
    """An account with cross margin: what stands behind the position no event tells."""
    result = ranked(cut("0xa"), changes=(change("0xa", 1, 50, None), change("0xb", 1, 40, 9)))

    assert column(result, "leverage_count") == [1]
    assert places(result) == [[2, None, None, None]]


def test_an_insolvent_position_has_no_leverage() -> None:
    """One whose loss is larger than its collateral has lost more than all."""
    result = ranked(cut("0xa"), changes=(change("0xa", 1, 150, 50),))

    assert column(result, "leverage") == [None]
    assert column(result, "profit_ratio") == [-1 / 3]


def test_only_what_was_before_the_moment_counts() -> None:
    """A change at the moment of the cut is not before it, nor is a position closed earlier open."""
    changes = (
        change("0xa", 1, 50, 10),
        change("0xa", 1, 50, 10, size_tokens=2, block_timestamp=at(60)),
        change("0xb", 1, 50, 10),
        change("0xb", -1, 60, 0, size_tokens=0, realized_pnl_usd=10, block_timestamp=at(59)),
    )

    result = ranked(cut("0xa"), changes=changes)

    assert column(result, "size_tokens") == ["1"]
    assert column(result, "open_count") == [1]


def test_a_liquidation_tells_the_mark() -> None:
    """The latest of the market, unless it is older than the tolerance."""
    marks = (
        {"mark_price_usd": 75, "block_timestamp": at(30)},
        {"mark_price_usd": 1, "market": "ETH", "block_timestamp": at(40)},
    )
    changes = (change("0xa", 1, 50, 10),)

    near = ranked(cut("0xa"), changes=changes, marks=marks)
    old = ranked(cut("0xa"), changes=changes, marks=marks, tolerance_seconds=29)

    assert column(near, "mark_price_usd") == ["75"]
    assert column(old, "mark_price_usd") == ["100"]


def test_of_one_moment_the_last_mark_counts() -> None:
    """A cascade liquidates twice in a block: the mark of the second is the newer one."""
    marks = tuple(
        {"mark_price_usd": usd, "block_timestamp": at(30), "log_index": log}
        for usd, log in ((75, 9), (80, 8))
    )

    result = ranked(cut("0xa"), changes=(change("0xa", 1, 50, 10),), marks=marks)

    assert column(result, "mark_price_usd") == ["75"]


def test_a_position_nobody_saw_opening_has_no_place() -> None:
    """It is a row all the same, beside what is open."""
    result = ranked(cut("0xz"), cut("0xz"), changes=(change("0xa", 1, 50, 10),))

    assert column(result, "adl_count") == [2]
    assert column(result, "open_count") == [1]
    assert places(result) == [[None] * 4]


def test_positions_are_summed_each_on_its_own() -> None:
    """All of them together may be more than a decimal holds."""
    vast = 60_000_000_000_000_000_000

    result = ranked(
        cut("0xa"), changes=(change("0xa", vast, 0.5, 10), change("0xb", vast, 0.5, 10))
    )

    assert column(result, "open_count") == [2]


def test_positions_of_unknown_account_or_side_are_left_out() -> None:
    """Nobody can find them in a queue."""
    cuts = (cut("0xa") | {"account": None}, cut("0xa") | {"is_long": None})

    assert ranked(*cuts, changes=(change("0xa", 1, 50, 10),)).is_empty()


def test_a_tolerance_is_not_negative() -> None:
    """A mark from later is none."""
    with pytest.raises(ValueError, match="tolerance_seconds must be at least 0, got -1"):
        ranked(cut("0xa"), changes=(), tolerance_seconds=-1)


def test_the_simulated_venue_cuts_the_first_by_profit() -> None:
    """Its keeper takes the position with the largest profit per dollar, by books of its own."""
    tables = ("adls", "liquidations", "position_changes")

    result = adl_ranks(*(world().ledger.table(name).lazy() for name in tables)).collect()

    assert result.height > 0
    assert set(result["place_profit"]) == {1}
    assert result["profit_count"].equals(result["open_count"], check_names=False)

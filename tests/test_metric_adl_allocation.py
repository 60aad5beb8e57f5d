"""Who bears the budget of an ADL, by queue and pro rata, on positions valued in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import agreed
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st
from simulated_world import told_by, world
from test_metric_adl_ranks import change, cut

from analytics.compute import facts_of
from analytics.errors import UserError

Rows = tuple[Mapping[str, object], ...]

# At 100 a token: 50 won with equity 70, 20 won with equity 40, 10 lost.
BEST = change("0xa", 1, 50, 20)
NEXT = change("0xb", 1, 80, 20)
LOSER = change("0xc", 1, 110, 30)
BOOK = (BEST, NEXT, LOSER)
MARK = {"mark_price_usd": 100, "block_timestamp": at(58)}
# One token closed at 40 while it is worth 100 gives 60; it is worth 95 a moment later.
CUT = cut("0xb", size_tokens=1, execution_price_usd=40)
LATER = change("0xz", 1, 95, 5, is_long=False, block_timestamp=at(60), block_number=2)
RULES = ("haircut_usd", "queue_usd", "pro_rata_usd")


def allocated(
    *cuts: Mapping[str, object], book: Rows = BOOK, marks: Rows = (MARK,), **settings: int | str
) -> pl.DataFrame:
    """Return who bears what of these ADLs of these positions, a trade at 95 being the last."""
    facts = {
        "adls": table("adls", *cuts),
        "liquidations": table("liquidations", *marks),
        "position_changes": table("position_changes", *book, LATER),
    }
    return agreed("adl_allocation", facts, **settings)


def borne(result: pl.DataFrame) -> dict[str, list[object]]:
    """Return per account what it lost, and would have lost in a queue and pro rata."""
    return {row["account"]: [row[name] for name in RULES] for row in result.to_dicts()}


def test_a_queue_takes_all_of_the_first_and_pro_rata_a_part_of_each() -> None:
    """60 of 70 won: 50 and 10 in a queue, six sevenths of each pro rata; 55 were lost by one."""
    result = allocated(CUT)

    assert borne(result) == {
        "0xa": [0.0, 50.0, 50 * (60 / 70)],
        "0xb": [55.0, 10.0, 20 * (60 / 70)],
    }
    assert column(result, "overshoot_queue_usd") == [-50.0, 45.0]
    assert column(result, "overshoot_pro_rata_usd")[1] == 55 - 20 * (60 / 70)
    assert column(result, "haircut_ratio") == [0.0, 2.75]
    assert result.select("budget_usd", "capacity_usd", "gain_usd").row(0) == (60.0, 70.0, 50.0)
    assert result.select("adl_count", "open_count", "known_count").rows() == [(0, 3, 3), (1, 3, 3)]


def test_nobody_gives_more_than_he_won() -> None:
    """200 are needed of 70 won: both rules take all of it."""
    result = allocated(CUT | {"size_tokens": 4, "execution_price_usd": 50})

    assert [each[1:] for each in borne(result).values()] == [[50.0, 50.0], [20.0, 20.0]]


def test_a_loser_that_was_cut_is_shown_and_owes_nothing() -> None:
    """Whom a venue cut at a loss is in the answer; no rule takes from him."""
    result = allocated(cut("0xc", size_tokens=1, execution_price_usd=70))

    assert borne(result)["0xc"] == [25.0, 0.0, 0.0]
    assert result.filter(account="0xc").select("gain_usd", "haircut_ratio").row(0) == (-10.0, None)


def test_where_nobody_won_no_rule_takes_anything() -> None:
    """A side of losers alone has no profit: a queue takes nothing of it, nor does pro rata."""
    result = allocated(cut("0xc", size_tokens=1, execution_price_usd=70), book=(LOSER,))

    assert borne(result) == {"0xc": [25.0, 0.0, 0.0]}
    assert column(result, "overshoot_pro_rata_usd") == column(result, "overshoot_queue_usd") == [25]


def test_whom_a_cut_spared_lost_nothing() -> None:
    """Cut at 99 and worth 95 a moment later: four dollars won, and none lost."""
    result = allocated(cut("0xb", size_tokens=1, execution_price_usd=99))

    assert borne(result)["0xb"] == [0.0, 0.0, 20 * (1 / 70)]


def test_the_rank_is_a_setting() -> None:
    """Who won 10 with a leverage of nine stands behind who won 50, but first by leverage."""
    book = (BEST, change("0xd", 1, 90, 1))
    needed = cut("0xd", size_tokens=1, execution_price_usd=60)

    by_profit = allocated(needed, book=book)
    by_leverage = allocated(needed, book=book, rank="side_aware")

    assert column(by_profit, "queue_usd") == [40.0, 0.0]
    assert column(by_leverage, "queue_usd") == [30.0, 10.0]
    with pytest.raises(UserError, match="rank must be one of profit, documented, side_aware"):
        allocated(CUT, rank="size")


def test_equal_places_stand_in_the_order_of_accounts() -> None:
    """Of two alike the first in the alphabet gives first."""
    twins = (change("0xb", 1, 50, 20), change("0xa", 1, 50, 20))

    result = allocated(CUT, book=twins)

    assert {account: each[1] for account, each in borne(result).items()} == {
        "0xa": 50.0,
        "0xb": 10.0,
    }


def test_sides_bear_their_own_budgets() -> None:
    """A short that wins gives nothing where longs are cut."""
    short = change("0xs", 1, 150, 20, is_long=False)

    assert "0xs" not in borne(allocated(CUT, book=(*BOOK, short)))


def test_waves_have_budgets_of_their_own() -> None:
    """A minute later another wave takes of what is won then; the first one's budget stays."""
    again = CUT | {"block_timestamp": at(120), "execution_price_usd": 90}
    marks = (MARK, MARK | {"block_timestamp": at(119)})

    result = allocated(CUT, again, marks=marks)

    assert result.group_by("wave").agg(pl.col("queue_usd").sum()).sort("wave").rows() == [
        (1, 60.0),
        (2, 10.0),
    ]


def test_two_cuts_of_a_wave_are_one_budget() -> None:
    """Two halves of a token are one token; who won is asked before the first of them."""
    half = CUT | {"size_tokens": "0.5"}

    parts = allocated(half, half | {"block_timestamp": at(60.5)})

    assert borne(parts) == borne(allocated(CUT))


@pytest.mark.parametrize("untold", ["size_delta_tokens", "size_tokens"])
def test_a_gain_that_is_not_known_leaves_all_parts_unknown(untold: str) -> None:
    """Of a position from before the data nobody knows what it would have given, so of none."""
    before = change("0xe", 1, 50, 20) | {untold: None}

    result = allocated(CUT, book=(*BOOK, before))

    assert borne(result) == {"0xa": [0.0, None, None], "0xb": [55.0, None, None]}
    assert result.select("open_count", "known_count").row(0) == (4, 3)
    assert column(result, "capacity_usd") == [None, None]


def test_a_cut_of_a_position_that_was_not_open_leaves_all_parts_unknown() -> None:
    """Whoever was cut and is not in the book: the book is not whole."""
    result = allocated(cut("0xf", size_tokens=1, execution_price_usd=40))

    assert borne(result)["0xa"] == [0.0, None, None]
    assert borne(result)["0xf"] == [55.0, None, None]


def test_a_winner_without_leverage_has_no_place_and_its_part() -> None:
    """Margin that nobody tells leaves the queue unknown, pro rata and a queue by profit known."""
    book = (BEST, NEXT | {"collateral_delta_usd": None})

    by_leverage, by_profit = allocated(CUT, book=book), allocated(CUT, book=book, rank="profit")

    assert borne(by_leverage)["0xa"] == [0.0, None, 50 * (60 / 70)]
    assert by_leverage["unplaced_count"].to_list() == [1, 1]
    assert borne(by_profit)["0xa"] == [0.0, 50.0, 50 * (60 / 70)]


def test_a_winner_without_a_place_leaves_other_sides_their_queue() -> None:
    """A short of unknown margin is in no line; nor is a long that won nothing, and needs none."""
    short, idle = change("0xs", 1, 150, None, is_long=False), change("0xi", 1, 100, None)
    of_shorts = cut("0xs", size_tokens=1, execution_price_usd=140, is_long=False)

    result = allocated(CUT, of_shorts, book=(*BOOK, short, idle))

    assert result.select("account", "unplaced_count", "queue_usd").rows() == [
        ("0xs", 1, None),
        ("0xa", 0, 50.0),
        ("0xb", 0, 10.0),
    ]


def test_without_a_mark_nothing_is_allocated() -> None:
    """A mark too old tells neither what was needed nor what was won; who was cut is shown."""
    result = allocated(CUT, marks=(MARK | {"block_timestamp": at(50)},))

    assert result.select("account", "gain_usd", "budget_usd", "queue_usd").rows() == [
        ("0xb", None, None, None)
    ]


@pytest.mark.parametrize(("seconds", "budget"), [(2, 60.0), (1, None)])
def test_a_mark_is_as_old_as_is_allowed(seconds: int, budget: float | None) -> None:
    """It was told two seconds before the cut."""
    result = allocated(CUT, tolerance_seconds=seconds)

    assert result["budget_usd"].unique().to_list() == [budget]


@pytest.mark.parametrize(("milliseconds", "lost"), [(1999, 55.0), (2000, 60.0)])
def test_a_loss_is_told_by_the_price_of_the_horizon(milliseconds: int, lost: float) -> None:
    """A token cut at 40 is worth 95, and two seconds after the wave 100."""
    after = LATER | {"account": "0xy", "execution_price_usd": 100, "block_timestamp": at(62)}

    result = allocated(CUT, book=(*BOOK, after), horizon_milliseconds=milliseconds)

    assert borne(result)["0xb"][0] == lost


def test_the_venues_own_oracle_is_a_mark() -> None:
    """No liquidation is near; the feed says 100 a token as the mark did."""
    market = {"symbol": "BTC", "asset_class": "crypto", "known_by": "declaration"}
    prices = [{"asset": "BTC", "oracle_price_quote": 100, "block_timestamp": at(58)}]
    facts = {
        "adls": table("adls", CUT),
        "position_changes": table("position_changes", *BOOK, LATER),
        "oracle_updates": table("oracle_updates", *prices),
        "markets": table("markets", market),
    }

    result = agreed("adl_allocation", facts)

    assert borne(result) == borne(allocated(CUT))


def test_an_unknown_account_has_no_row_and_its_budget_counts() -> None:
    """The venue took it from somebody."""
    result = allocated(CUT, CUT | {"account": None, "execution_price_usd": 95})

    assert column(result, "budget_usd") == [65.0, 65.0]
    assert result["account"].to_list() == ["0xa", "0xb"]


def test_a_cut_of_an_unknown_side_is_no_sides_budget() -> None:
    """Nor has it a row: nobody knows whose counterparty would have borne it."""
    untold = CUT | {"is_long": None}

    assert allocated(CUT, untold).equals(allocated(CUT))
    assert allocated(untold).is_empty()


@given(
    st.lists(st.tuples(st.integers(1, 150), st.integers(1, 99)), min_size=1, max_size=8),
    st.integers(1, 200),
)
def test_both_rules_take_the_budget_or_all_there_is(
    positions: list[tuple[int, int]], price: int
) -> None:
    """The sum over the winners is the smaller of what is needed and what was won."""
    book = tuple(
        change(f"0x{place}", 1, entry, margin) for place, (entry, margin) in enumerate(positions)
    )
    won = sum(max(0, 100 - entry) for entry, _ in positions)

    result = allocated(cut("0x0", size_tokens=1, execution_price_usd=price), book=book)

    needed = min(won, abs(100 - price))
    assert result["queue_usd"].sum() == needed
    assert result["pro_rata_usd"].sum() == pytest.approx(needed)


@pytest.mark.soak
def test_twins_agree_on_a_simulated_crash() -> None:
    """Positions of a whole market: the queue takes the budget, and SQL says the same."""
    frames = {name: told_by(world(), name) for name in facts_of("adl_allocation")}
    result = agreed("adl_allocation", frames)
    sides = result.drop_nulls("queue_usd").group_by("wave", "market", "is_long")
    taken = sides.agg(
        pl.col("queue_usd", "pro_rata_usd").sum(),
        needed=pl.min_horizontal("budget_usd", "capacity_usd").first(),
    )

    assert taken.height > 3
    assert taken["queue_usd"].to_list() == pytest.approx(taken["needed"].to_list())
    assert taken["pro_rata_usd"].to_list() == pytest.approx(taken["needed"].to_list())

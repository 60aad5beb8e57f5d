"""What winners had left against what losers owed, on positions one can value in the head."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from both_engines import agreed
from handmade import at, column, table
from simulated_world import world
from test_metric_adl_ranks import change, cut

from analytics.compute import collected, compute
from analytics.errors import UserError

Rows = tuple[Mapping[str, object], ...]

FACTS = ("adls", "liquidations", "position_changes")
RATIOS = ("gains_usd", "deficit_usd", "ptsr", "pmr", "needed_ratio")
# One token bought at 50, worth 100; a short of two tokens sold at 80, with 10 and with 25 dollars.
WON = change("0xa", 1, 50, 20)
LOST = change("0xb", 2, 80, 10, is_long=False)
LESS = change("0xc", 2, 80, 25, is_long=False)

# What is known and not open, what is of another chain, and what nobody can place.
CLOSED = change("0xd", 0, 50, 0)
ELSEWHERE = WON | {"chain_id": 10}
SIDELESS = WON | {"is_long": None}


def left(*changes: Mapping[str, object], marks: Rows = (), **settings: float | str) -> pl.DataFrame:
    """Return what positions have left after an ADL at 100, a minute after they were opened."""
    facts = {
        "adls": table("adls", cut("0xa")),
        "liquidations": table("liquidations", *marks),
        "position_changes": table("position_changes", *changes),
    }
    return agreed("adl_solvency", facts, **settings)


def test_profit_left_is_set_against_debt_left() -> None:
    """50 to win; losses of 40 with 10 and with 25 posted leave debts of 30 and 15."""
    result = left(WON, LOST, LESS)

    assert [column(result, name) for name in RATIOS] == [
        [50.0],
        [45.0],
        [50 / 45],
        [50 / 30],
        [0.9],
    ]
    assert result.select("open_count", "known_count").rows() == [(3, 3)]
    assert column(result, "mark_price_usd") == ["100"]


def test_without_a_debt_there_is_no_ratio() -> None:
    """Who owes nothing needs nobody's profit; and of nobody's profit there is no part."""
    paid, alone = left(WON, change("0xb", 1, 90, 10, is_long=False)), left(LOST)

    assert [column(paid, name) for name in RATIOS] == [[50.0], [0.0], [None], [None], [0.0]]
    assert [column(alone, name) for name in RATIOS] == [[0.0], [30.0], [0.0], [0.0], [None]]


def test_nobody_gives_more_than_there_is() -> None:
    """A debt of 30 against 10 to win: all of it is needed."""
    result = left(change("0xa", 1, 90, 20), LOST)

    assert column(result, "needed_ratio") == [1.0]


def test_positions_count_as_they_stand_after_the_wave() -> None:
    """What the last ADL itself closed is gone, what was opened later is not there yet."""
    closed = WON | {"size_delta_tokens": -1, "size_tokens": 0, "realized_pnl_usd": 50}
    closed |= {"block_timestamp": at(60), "block_number": 2}
    later = change("0xd", 1, 10, 5, block_timestamp=at(61), block_number=3)

    assert column(left(WON, closed, LOST, later), "open_count") == [1]


def test_a_position_that_is_not_known_leaves_the_sums_unknown() -> None:
    """Of a history that began before the data neither profit nor debt is known."""
    result = left(WON, LOST, change("0xe", 1, 50, None))

    assert [column(result, name) for name in RATIOS] == [[None]] * 5
    assert result.select("open_count", "known_count").rows() == [(3, 2)]


def test_a_position_of_unknown_size_may_be_open() -> None:
    """A venue that tells what it closed and not what is left does not tell that nothing is owed."""
    closed = WON | {"size_delta_tokens": -1, "size_tokens": None}

    result = left(closed)

    assert [column(result, name) for name in RATIOS] == [[None]] * 5
    assert result.select("open_count", "known_count").rows() == [(1, 0)]
    assert owed(closed).rows() == [("venue", 9, 1, 0, 0, None)]


def test_a_wave_without_a_position_has_zeros() -> None:
    """Nothing is open in the market: nothing to win, nothing owed."""
    result = left(CLOSED)

    assert [column(result, name) for name in RATIOS] == [[0.0], [0.0], [None], [None], [None]]
    assert result.select("open_count", "known_count").rows() == [(0, 0)]


@pytest.mark.parametrize("changes", [(), (ELSEWHERE,), (SIDELESS,)], ids=["none", "other", "side"])
def test_a_venue_that_tells_no_position_tells_no_zero(
    changes: Sequence[Mapping[str, object]],
) -> None:
    """Its ADLs alone are stored: who owes what is not known, nor how many there are."""
    result = left(*changes)

    assert [column(result, name) for name in RATIOS] == [[None]] * 5
    assert result.select("open_count", "known_count").rows() == [(None, None)]
    assert owed(*changes).rows() == [("venue", 9, None, None, None, None)]


def test_the_whole_book_of_a_simulated_crash_is_known() -> None:
    """Every position has its history from the first block on, so no sum is unknown."""
    result = collected(compute("adl_solvency", lambda name: world().ledger.table(name).lazy()))

    assert result["open_count"].sum() > 0
    assert result["known_count"].to_list() == result["open_count"].to_list()
    assert result["gains_usd"].null_count() == 0


def owed(
    *changes: Mapping[str, object], waves: int = 9, marks: Rows = (), **settings: float | str
) -> pl.DataFrame:
    """Return what positions owe over an episode of ADLs at 100, a wave a minute."""
    moments = [
        {"block_timestamp": at(60 * wave), "block_number": wave} for wave in range(1, waves + 1)
    ]
    facts = {
        "adls": table("adls", *(cut("0xa") | moment for moment in moments)),
        "liquidations": table("liquidations", *marks),
        "position_changes": table("position_changes", *changes),
    }
    return agreed("adl_deficits", facts, **settings)


def test_a_position_owes_once_however_many_waves_it_stands_through() -> None:
    """Debts of 30 and 15 through nine waves are 45 dollars; a sum over waves says 405."""
    result = owed(WON, LOST, LESS)

    assert result.rows() == [("venue", 9, 3, 3, 2, 45.0)]


def test_an_episode_counts_a_position_at_its_lowest() -> None:
    """Opened after the fourth wave it owes as much; what was closed since owed it, too."""
    late = LOST | {"account": "0xd", "block_timestamp": at(250), "block_number": 4}
    closed = LESS | {"size_delta_tokens": -2, "size_tokens": 0, "realized_pnl_usd": -40}
    closed |= {"block_timestamp": at(250), "block_number": 4}

    assert owed(LESS, closed, late)["deficit_usd"].to_list() == [45.0]


def test_two_debts_of_one_account_are_two() -> None:
    """A long of the same account does not pay for its short, nor is one debt the other."""
    long = change("0xb", 1, 120, 5)

    result = owed(LOST, long)

    assert result.select("owing_count", "deficit_usd").rows() == [(2, 45.0)]


def test_a_position_that_is_not_known_leaves_the_deficit_unknown() -> None:
    """It may owe anything; without an open position nothing is owed."""
    counts = ("position_count", "known_count", "owing_count", "deficit_usd")

    assert owed(LOST, change("0xe", 1, 50, None)).select(counts).rows() == [(2, 1, 1, None)]
    assert owed(CLOSED).select(counts).rows() == [(0, 0, 0, 0.0)]


def test_a_chain_that_tells_no_position_leaves_the_deficit_unknown() -> None:
    """ADLs on two chains, positions on one: the debt of 30 there is not that of the protocol."""
    facts = {
        "adls": table("adls", cut("0xa"), cut("0xa", chain_id=10)),
        "position_changes": table("position_changes", LOST),
    }

    result = agreed("adl_deficits", facts)

    assert result["deficit_usd"].to_list() == [None]


@pytest.mark.parametrize(
    ("seconds", "mark", "won", "debt"), [(2, "90", 40.0, 10.0), (1, "100", 50.0, 30.0)]
)
def test_a_liquidation_tells_the_mark_while_it_is_young(
    seconds: int, mark: str, won: float, debt: float
) -> None:
    """Told two seconds before the ADL it is 90; an older one leaves the ADL's own price, 100."""
    marks = ({"mark_price_usd": 90, "block_timestamp": at(58)},)

    after = left(WON, LOST, marks=marks, tolerance_seconds=seconds)
    episode = owed(LOST, waves=1, marks=marks, tolerance_seconds=seconds)

    assert column(after, "mark_price_usd") == [mark]
    assert after.select("gains_usd", "deficit_usd").rows() == [(won, debt)]
    assert column(episode, "deficit_usd") == [debt]


def test_the_deficit_of_a_simulated_crash_is_less_than_that_of_its_waves() -> None:
    """No more than the sum over waves and no less than the largest wave."""
    frames = {name: world().ledger.table(name).lazy() for name in FACTS}
    (whole,) = collected(compute("adl_deficits", frames.__getitem__))["deficit_usd"]
    by_wave = collected(compute("adl_solvency", frames.__getitem__))["deficit_usd"]

    assert by_wave.max() <= whole <= by_wave.sum()


def test_settings_are_not_negative() -> None:
    """A mark is not of the future."""
    with pytest.raises(UserError, match="tolerance_seconds must be at least 0, got -1"):
        left(WON, tolerance_seconds=-1)
    with pytest.raises(UserError, match="tolerance_seconds must be at least 0, got -1"):
        owed(WON, tolerance_seconds=-1)

"""Whose losses ADLs were for, and what was taken again, computed in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import adl_counterparty_share, adl_undo
from handmade import at, column, table

VAULT = {"account": "0xv", "name": "Liquidator", "source": "a page"}
CUT: dict[str, object] = {"size_tokens": 8, "is_long": True}

# Who tells that the venue's trades are told.
SOMEBODY: dict[str, object] = {"account": "0xz", "size_delta_tokens": 1, "is_long": True}


def shares(
    *cut: Mapping[str, object], named: tuple[Mapping[str, object], ...] = (VAULT,)
) -> pl.DataFrame:
    """Return whose losses these ADLs were for."""
    return adl_counterparty_share(
        table("adls", *cut).lazy(), table("accounts", *named).lazy()
    ).collect()


def undone(
    *cut: Mapping[str, object], changes: tuple[Mapping[str, object], ...] = (), **settings: int
) -> pl.DataFrame:
    """Return what was taken again after these ADLs."""
    adls, position_changes = table("adls", *cut), table("position_changes", *changes)
    return adl_undo(adls.lazy(), position_changes.lazy(), **settings).collect()


def added(size: object, second: float) -> dict[str, object]:
    """Return a trade that changes the position's size."""
    return {"size_delta_tokens": size, "is_long": True, "block_timestamp": at(second)}


def test_a_counterparty_has_a_share_and_a_name() -> None:
    """30 for a vault whose name is known, 10 for another account, 10 for nobody knows whom."""
    result = shares(
        {"notional_usd": 20, "counterparty": "0xv"},
        {"notional_usd": 10, "counterparty": "0xv"},
        {"notional_usd": 10, "counterparty": "0xw"},
        {"notional_usd": 10},
    )

    assert column(result, "counterparty") == [None, "0xv", "0xw"]
    assert column(result, "name") == [None, "Liquidator", None]
    assert column(result, "adl_count") == [1, 2, 1]
    assert column(result, "notional_share") == [0.2, 0.6, 0.2]


def test_two_names_of_an_account_count_it_once() -> None:
    """The first in the alphabet is shown, and nothing is counted twice."""
    result = shares(
        {"notional_usd": 1, "counterparty": "0xv"}, named=(VAULT, VAULT | {"name": "A vault"})
    )

    assert column(result, "name") == ["A vault"]
    assert column(result, "notional_share") == [1.0]


def test_a_name_is_of_its_venue() -> None:
    """Another protocol's account of the same address is another one."""
    result = shares({"counterparty": "0xv"}, named=(VAULT | {"protocol": "other"},))

    assert column(result, "name") == [None]


def test_an_unknown_notional_leaves_no_share() -> None:
    """Neither of the counterparty that does not tell nor of the others of its venue."""
    result = shares(
        {"notional_usd": 1, "counterparty": "0xv"},
        {"counterparty": "0xw"},
        {"notional_usd": 1, "protocol": "other"},
    )

    assert column(result, "notional_share") == [1.0, None, None]


def test_what_was_taken_again_is_a_part_of_what_was_cut() -> None:
    """Of 8 tokens 2 were bought back: a quarter; of what was bought beyond 8, no more than all."""
    a_part = undone(CUT, changes=(added(2, 1),))
    more = undone(CUT, changes=(added(6, 1), added(6, 2)))

    assert column(a_part, "regained_tokens") == ["2"]
    assert column(a_part, "undo_ratio") == [0.25]
    assert column(more, "regained_tokens") == ["12"]
    assert column(more, "undo_ratio") == [1.0]


@pytest.mark.parametrize(
    "other",
    [
        added(8, 0),
        added(8, 3601),
        added(-8, 1),
        added(8, 1) | {"cause": "adl"},
        added(8, 1) | {"is_long": False},
        added(8, 1) | {"account": "0xb"},
        added(8, 1) | {"market": "ETH"},
        added(8, 1) | {"version": "v2"},
    ],
    ids=str,
)
def test_only_trades_that_take_the_position_again_count(other: Mapping[str, object]) -> None:
    """Not before, too late, a sale or an ADL; of no other side, account, market or version."""
    result = undone(CUT, changes=(other, SOMEBODY))

    assert column(result, "regained_tokens") == ["0"]
    assert column(result, "undo_ratio") == [0.0]


def test_without_a_told_trade_nobody_knows_what_was_traded_back() -> None:
    """Of a venue that tells closes by force alone, and of another chain's: null, and not zero."""
    forced = added(-8, 1) | {"cause": "adl"}

    for changes in ((), (forced,), (SOMEBODY | {"chain_id": 7},)):
        result = undone(CUT, changes=changes)

        assert column(result, "cut_tokens") == ["8"]
        assert column(result, "regained_tokens") == column(result, "undo_ratio") == [None]


def test_the_window_runs_from_the_last_cut_of_a_wave() -> None:
    """Cuts at 0 and 4 s: 64 s is within a window of 60 s, 65 s is not, a second wave is apart."""
    cuts = (CUT, CUT | {"block_timestamp": at(4)}, CUT | {"block_timestamp": at(90)})

    result = undone(*cuts, changes=(added(4, 64), added(4, 65)), window_seconds=60)

    assert column(result, "wave") == [1, 2]
    assert column(result, "cut_tokens") == ["16", "8"]
    assert column(result, "undo_ratio") == [0.25, 0.0]


@pytest.mark.parametrize(("milliseconds", "waves"), [(4000, [1]), (3999, [1, 2])])
def test_a_longer_silence_parts_waves(milliseconds: int, waves: list[int]) -> None:
    """Cuts at 0 and 4 s are of one wave, unless four seconds part it."""
    result = undone(CUT, CUT | {"block_timestamp": at(4)}, gap_milliseconds=milliseconds)

    assert column(result, "wave") == waves


def test_an_unknown_size_leaves_the_part_unknown() -> None:
    """Of the cut, or of a trade within the window."""
    of_cut = undone(CUT, CUT | {"size_tokens": None}, changes=(added(1, 1),))
    of_trade = undone(CUT, changes=(added(None, 1), added(1, 1)))

    assert column(of_cut, "cut_tokens") == [None]
    assert column(of_trade, "regained_tokens") == [None]
    assert column(of_cut, "undo_ratio") == column(of_trade, "undo_ratio") == [None]


def test_positions_of_unknown_account_or_side_are_left_out() -> None:
    """Nobody can follow them."""
    assert undone(CUT | {"account": None}, CUT | {"is_long": None}).is_empty()


def test_splitting_a_cut_changes_only_the_count() -> None:
    """Two cuts of 4 are a cut of 8."""
    whole, parts = (
        undone(*cuts, changes=(added(2, 1),)).drop("adl_count")
        for cuts in ((CUT,), (CUT | {"size_tokens": 4},) * 2)
    )

    assert whole.equals(parts)


def test_a_window_has_at_least_a_second() -> None:
    """A window of zero seconds is refused."""
    with pytest.raises(ValueError, match="window_seconds must be at least 1, got 0"):
        undone(CUT, window_seconds=0)

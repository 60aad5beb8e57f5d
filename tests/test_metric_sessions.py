"""Forced exits of all protocols in one schema and in sessions, computed in the head."""

from collections.abc import Sequence

import polars as pl
import pytest
from both_engines import agreed
from handmade import at, column, load, table
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from test_twins import by_python

from analytics.compute import compute
from analytics.errors import UserError

Row = dict[str, object]
Facts = dict[str, pl.DataFrame]

GMX: Row = {"protocol": "gmx_v2", "chain_id": 42161}
AAVE: Row = {"protocol": "aave", "account": "0xborrower"}
LOAN: Row = AAVE | {"kind": "liquidation", "asset_token": "USD"}
DEBT: Row = AAVE | {"kind": "bad_debt"}
GAPS = [5, 12, 30, 60, 300, 900]


def after(seconds: float, usd: object, **also: object) -> Row:
    """Return an exit of gmx_v2: so long after the start, so many dollars."""
    return GMX | {"block_timestamp": at(seconds), "notional_usd": usd} | also


def lent(seconds: float, usd: object) -> Row:
    """Return a loan of Aave that was liquidated, told in dollars."""
    return LOAN | {"block_timestamp": at(seconds), "principal_tokens": usd}


def owed(seconds: float, usd: object) -> Row:
    """Return bad debt of Aave."""
    return DEBT | {"block_timestamp": at(seconds), "shortfall_usd": usd}


def facts(**rows: Sequence[Row]) -> Facts:
    """Return tables of these rows."""
    return {name: table(name, *each) for name, each in rows.items()}


def sessions(of: Facts, gap_seconds: int = 60) -> pl.DataFrame:
    """Return the sessions of these facts, as both engines say."""
    return agreed("cascade_sessions", of, gap_seconds=gap_seconds)


def sensitivity(of: Facts) -> pl.DataFrame:
    """Return how many sessions other gaps give, as both engines say."""
    return agreed("session_sensitivity", of)


def test_one_cascade_runs_through_two_protocols() -> None:
    """A position, 20 s later an ADL, then a loan of another chain: 20, 30 and 50 of 100 dollars."""
    result = sessions(
        facts(liquidations=[after(0, 20)], adls=[after(20, 30)], credit_events=[lent(50, 50)])
    )

    assert result["session"].to_list() == [1, 1, 1]
    assert result["kind"].to_list() == ["liquidation", "adl", "lending_liquidation"]
    assert result["protocol"].to_list() == ["gmx_v2", "gmx_v2", "aave"]
    assert result["lag_seconds"].to_list() == [0, 20, 50]
    assert result["notional_share"].to_list() == [0.2, 0.3, 0.5]
    assert column(result, "notional_usd") == ["20", "30", "50"]
    assert result["session_seconds"].to_list() == [50] * 3
    assert result["protocol_count"].to_list() == [2] * 3


def test_a_silence_of_the_gap_is_within_a_session() -> None:
    """Sixty seconds part nothing, a millionth of a second more does; the last session is alone."""
    exits = facts(liquidations=[after(0, 1)], credit_events=[lent(60, 1), lent(120.000001, 3)])

    result = sessions(exits)

    assert result["session"].to_list() == [1, 1, 2]
    assert result["protocol_count"].to_list() == [2, 2, 1]
    assert result["session_seconds"].to_list() == [60, 60, 0]
    assert result["notional_share"].to_list() == [0.5, 0.5, 1]
    assert sessions(exits, gap_seconds=59)["session"].to_list() == [1, 2, 3]


def test_another_protocol_keeps_a_session_going() -> None:
    """Liquidations 100 s apart are of one session while loans are liquidated between them."""
    alone = facts(liquidations=[after(0, 1), after(100, 1)])

    assert sessions(alone)["session"].to_list() == [1, 2]
    result = sessions(alone | facts(credit_events=[lent(50, 1)]))
    assert result.select("protocol", "event_count").rows() == [("gmx_v2", 2), ("aave", 1)]


def test_an_unknown_notional_leaves_no_share_in_its_session() -> None:
    """What is known is summed and what is not counted; the next session has its shares."""
    result = sessions(
        facts(
            liquidations=[after(0, 20), after(1, None), after(500, 4)],
            adls=[after(2, 30), after(501, 4)],
            credit_events=[lent(3, None)],
        )
    )

    assert result["unknown_count"].to_list() == [1, 0, 1, 0, 0]
    assert column(result, "notional_usd") == ["20", "30", None, "4", "4"]
    assert result["notional_share"].to_list() == [None, None, None, 0.5, 0.5]


def test_bad_debt_stands_beside_a_session_and_is_no_exit() -> None:
    """Of 10 s and of the last second it is within; a second later it is of none, nor a session."""
    exits = facts(liquidations=[after(0, 20)], credit_events=[lent(20, 60)])
    debts = facts(shortfalls=[owed(when, 7) for when in (-1, 10, 20, 21)])

    result = sessions(exits | debts)

    assert result["kind"].to_list() == ["liquidation", "bad_debt", "lending_liquidation"]
    assert result["event_count"].to_list() == [1, 2, 1]
    assert column(result, "bad_debt_usd") == ["0", "14", "0"]
    assert column(result, "notional_usd") == ["20", "0", "60"]
    assert result["notional_share"].to_list() == [0.25, 0, 0.75]
    assert result["session_seconds"].to_list() == [20] * 3
    assert sessions(debts).is_empty()
    assert sensitivity(exits | debts).equals(sensitivity(exits))


def test_bad_debt_does_not_bridge_a_silence() -> None:
    """Exits 100 s apart are two sessions, though a debt was told between them."""
    result = sessions(facts(liquidations=[after(0, 1), after(100, 1)], shortfalls=[owed(50, None)]))

    assert result["session"].to_list() == [1, 2]


def test_unknown_bad_debt_leaves_shares_of_what_was_closed() -> None:
    """Nobody tells how much was lost, and it is counted: what was closed is known all the same."""
    result = sessions(facts(liquidations=[after(0, 1)], shortfalls=[owed(0, None)]))

    assert column(result, "bad_debt_usd") == [None, "0"]
    assert result["unknown_count"].to_list() == [1, 0]
    assert result["notional_share"].to_list() == [0, 1]


def test_an_account_counts_once_and_nobody_is_not_counted() -> None:
    """Two liquidations of one account are of one; of ADLs that name none the number is unknown."""
    result = sessions(
        facts(liquidations=[after(0, 1), after(1, 1)], adls=[after(2, 1, account=None)])
    )

    assert result["account_count"].to_list() == [1, None]


def test_an_address_is_an_account_of_each_chain() -> None:
    """One address that is liquidated on two chains is two accounts."""
    result = sessions(facts(liquidations=[after(0, 1), after(1, 1) | {"chain_id": 8453}]))

    assert result["account_count"].to_list() == [2]


def test_one_exit_is_a_session_of_no_length() -> None:
    """By whatever gap it is one, and has all of the notional."""
    exits = facts(adls=[after(0, 5)])

    assert sessions(exits).select("session", "lag_seconds", "notional_share").rows() == [(1, 0, 1)]
    assert sensitivity(exits).rows() == [(gap, 1, 1, 1, 0, 1, 0.0, 1.0) for gap in GAPS]


def test_where_nothing_was_forced_there_is_no_session() -> None:
    """Payments and defaults of loans and cover that was used are no exits: there is no row."""
    calm = facts(
        credit_events=[LOAN | {"kind": kind} for kind in ("payment", "default", "seizure")],
        shortfalls=[DEBT | {"kind": "insurance_out"}],
    )

    assert sessions(calm).is_empty()
    assert sensitivity(calm).is_empty()
    assert agreed("forced_closes", calm).is_empty()


def test_how_many_sessions_there_are_depends_on_the_gap() -> None:
    """Silences of 10 s within a protocol, of 60 and 300 s between two: four sessions to one."""
    result = sensitivity(
        facts(
            liquidations=[after(0, 10), after(10, 10), after(370, 20)],
            credit_events=[lent(70, 60)],
        )
    )

    assert result["gap_seconds"].to_list() == GAPS
    assert result["event_count"].to_list() == [4] * 6
    assert result["session_count"].to_list() == [4, 3, 3, 2, 1, 1]
    assert result["single_count"].to_list() == [4, 2, 2, 1, 0, 0]
    assert result["shared_count"].to_list() == [0, 0, 0, 1, 1, 1]
    assert result["most_protocol_count"].to_list() == [1, 1, 1, 2, 2, 2]
    assert result["longest_seconds"].to_list() == [0, 10, 10, 70, 370, 370]
    assert result["largest_share"].to_list() == [0.6, 0.6, 0.6, 0.8, 1, 1]


def test_every_session_of_several_protocols_is_counted() -> None:
    """Two sessions, half an hour apart, each of a position and a loan: two are shared."""
    exits = facts(
        liquidations=[after(0, 1), after(2_000, 1)], credit_events=[lent(1, 1), lent(2_001, 1)]
    )

    assert sensitivity(exits)["shared_count"].to_list() == [2] * 6


def test_an_unknown_notional_leaves_no_largest_share() -> None:
    """The session that nobody can size may be the largest; how many there are is known."""
    result = sensitivity(facts(liquidations=[after(0, 10), after(400, None)]))

    assert result["largest_share"].to_list() == [None] * 6
    assert result["session_count"].to_list() == [2, 2, 2, 2, 2, 1]


def test_what_is_told_in_tokens_is_worth_its_price() -> None:
    """Two ETH of debt repaid at 3,000 are 6,000 dollars; half an ETH of bad debt is 1,500."""
    spoken = {"asset": "ETH", "oracle_price_quote": 3000, "block_timestamp": at(0)}
    named = {"address": "0xeth", "symbol": "ETH", "decimals": 18, "known_by": "declaration"}
    half = {"asset_token": "0xeth", "shortfall_tokens": "0.5"}

    told = facts(
        credit_events=[lent(1, 2) | {"asset_token": "0xeth"}],
        shortfalls=[owed(1, None) | half, owed(1, 9) | half],
        oracle_updates=[spoken],
        tokens=[named],
    )
    result = agreed("forced_closes", told)

    assert column(result, "notional_usd") == ["0", "0", "6000"]
    assert column(result, "bad_debt_usd") == ["1500", "9", "0"]
    assert result["market"].to_list() == [None, None, "0xpool"]


@given(seconds=st.lists(st.integers(0, 300), min_size=1, max_size=8))
def test_an_event_split_in_two_changes_nothing_but_counts(seconds: list[int]) -> None:
    """Twice half of each exit: the same sessions, moments, dollars and shares, twice the events."""
    events = facts(liquidations=[after(each, 2) for each in seconds])
    split = facts(liquidations=[after(each, 1) for each in seconds for _ in range(2)])

    whole, halves = by_python("cascade_sessions", events), by_python("cascade_sessions", split)

    assert_frame_equal(whole.drop("event_count"), halves.drop("event_count"))
    assert (2 * whole["event_count"]).to_list() == halves["event_count"].to_list()


@given(seconds=st.lists(st.integers(0, 2_000), min_size=1, max_size=8))
def test_a_longer_gap_parts_less(seconds: list[int]) -> None:
    """Every session of a gap is within one of a longer gap."""
    exits = facts(liquidations=[after(each, 2) for each in seconds])

    counts = by_python("session_sensitivity", exits)["session_count"].to_list()

    assert counts == sorted(counts, reverse=True)


def test_a_gap_is_a_second_at_least() -> None:
    """Without a silence between them all exits would be sessions of their own."""
    with pytest.raises(UserError, match="gap_seconds must be at least 1, got 0"):
        compute("cascade_sessions", load(), gap_seconds=0)

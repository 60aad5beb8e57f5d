"""Loans, interest, fees, losses and recoveries of pools, on rows a reader adds up in the head."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from both_engines import (
    credit_fees,
    defaults,
    impairments,
    interest_paid,
    loans_outstanding,
    recoveries,
)
from handmade import at, column, shown, table, units
from hypothesis import given
from hypothesis import strategies as st

Row = Mapping[str, object]
TOMORROW: dict[str, object] = {"block_timestamp": at(days=1), "block_number": 2}
MANAGER: dict[str, object] = {"part": "0xmanager"}


def funded(tokens: object) -> dict[str, object]:
    """Return a loan of these tokens being paid out."""
    return {"kind": "funded", "principal_tokens": tokens}


def paid(principal: object, interest: object = None) -> dict[str, object]:
    """Return a payment of principal and interest."""
    return {"kind": "payment", "principal_tokens": principal, "interest_tokens": interest}


def outstanding(events: Sequence[Row], states: Sequence[Row]) -> pl.DataFrame:
    """Return what these events and states say is lent."""
    return loans_outstanding(
        table("credit_events", *events).lazy(), table("pool_states", *states).lazy()
    ).collect()


def both_ways(result: pl.DataFrame) -> list[tuple[object, ...]]:
    """Return what is lent by events, by state, and the difference, of every row."""
    names = ("principal_events_tokens", "principal_state_tokens", "difference_tokens")
    return list(zip(*(column(result, name) for name in names), strict=True))


def test_what_is_lent_is_what_was_paid_out_less_what_came_back() -> None:
    """100 lent, 30 repaid, 20 liquidated, 10 lost: 40 are left."""
    lost = {"kind": "default", "loss_tokens": 10}
    liquidated = {"kind": "liquidation", "principal_tokens": 20}

    result = outstanding([funded(100), paid(30, 5), liquidated, lost], [])

    assert both_ways(result) == [("40", None, None)]


def test_events_and_state_are_shown_side_by_side() -> None:
    """Events that begin late leave a difference that stays."""
    result = outstanding(
        [funded(10), paid(4) | TOMORROW],
        [{"principal_tokens": 110}, {"principal_tokens": 106} | TOMORROW],
    )

    assert both_ways(result) == [("10", "110", "-100"), ("6", "106", "-100")]


@pytest.mark.parametrize("event", [{"kind": "liquidation", "principal_tokens": 20}, paid(20)])
def test_what_comes_back_of_loans_nobody_reads_is_no_loan_below_zero(event: Row) -> None:
    """Unknown until a loan is funded; then all that moved since indexing began."""
    result = outstanding([event, funded(100) | TOMORROW], [{"principal_tokens": 500}])

    assert both_ways(result) == [(None, "500", None), ("80", "500", "-420")]


def test_parts_are_added_where_the_pool_itself_is_silent() -> None:
    """Two managers hold 7 and 5; the next day one of them holds 1."""
    result = outstanding(
        [],
        [
            MANAGER | {"principal_tokens": 7},
            {"part": "0xother", "principal_tokens": 5},
            MANAGER | TOMORROW | {"principal_tokens": 1},
        ],
    )

    assert column(result, "principal_state_tokens") == ["12", "6"]


def test_a_pool_and_its_parts_are_never_added() -> None:
    """What managers hold is inside what the pool says."""
    result = outstanding([], [{"principal_tokens": 12}, MANAGER | {"principal_tokens": 7}])

    assert column(result, "principal_state_tokens") == ["12"]


def test_what_is_read_at_a_block_comes_after_its_logs() -> None:
    """Reads have a log index below zero."""
    result = outstanding(
        [], [{"principal_tokens": 9, "log_index": -1}, {"principal_tokens": 5, "log_index": 3}]
    )

    assert column(result, "principal_state_tokens") == ["9"]


@pytest.mark.parametrize(
    "event",
    [{"kind": "payment", "paid_tokens": 3}, funded(None), {"kind": "default"}, paid(None)],
)
def test_an_event_without_its_amount_makes_the_sum_unknown(event: dict[str, object]) -> None:
    """From then on; before it the sum stands."""
    result = outstanding([funded(10), event | TOMORROW], [])

    assert column(result, "principal_events_tokens") == ["10", None]
    assert result["unknown_count"].to_list() == [0, 1]


@pytest.mark.parametrize(
    "event", [paid(None, 5), {"kind": "liquidation"}, {"kind": "call"}, {"kind": "recovery"}]
)
def test_interest_and_calls_repay_nothing(event: Row) -> None:
    """A payment of interest alone, a liquidation that only begins, a call, a recovery."""
    result = outstanding([funded(10), event], [])

    assert column(result, "principal_events_tokens") == ["10"]


@given(st.lists(st.integers(0, 10**33), min_size=1, max_size=12))
def test_a_state_told_at_every_event_is_the_sum_of_the_events(amounts: list[int]) -> None:
    """A pool that tells its principal after each loan differs from its events by nothing."""
    sums = [sum(amounts[: place + 1]) for place in range(len(amounts))]
    events = [funded(units(amount)) | {"block_number": n} for n, amount in enumerate(amounts)]
    states = [{"principal_tokens": units(total), "block_number": n} for n, total in enumerate(sums)]

    result = outstanding(events, states)

    assert both_ways(result) == [(shown(units(sums[-1])), shown(units(sums[-1])), "0")]


def test_interest_is_kept_apart_from_what_is_not_split() -> None:
    """Two payments with interest of 3 and 4, one of 50 in one amount."""
    events = [paid(10, 3), paid(0, 4), {"kind": "payment", "paid_tokens": 50}, funded(9)]

    result = interest_paid(table("credit_events", *events).lazy()).collect()

    assert column(result, "interest_tokens") == ["7"]
    assert column(result, "unsplit_tokens") == ["50"]
    assert result.select("payment_count", "unknown_interest_count").row(0) == (3, 1)


def test_who_pays_interest_twice_is_one_account() -> None:
    """Three payments of two accounts."""
    events = [paid(0, 1) | {"account": account} for account in ("0xa", "0xb", "0xa")]

    result = interest_paid(table("credit_events", *events).lazy()).collect()

    assert column(result, "account_count") == [2]


def test_interest_nobody_told_is_unknown_and_not_zero() -> None:
    """A payment in one amount may hold interest."""
    events = table("credit_events", {"kind": "payment", "paid_tokens": 50}).lazy()

    assert interest_paid(events).collect()["interest_tokens"].to_list() == [None]


def test_fees_of_credit_leave_out_those_of_trading() -> None:
    """Interest of 10 is split; the fee of a position is not credit's."""
    split = {"supply_side_usd": 7, "treasury_usd": 3, "holders_usd": 0}
    rows = table(
        "fees",
        {"fee_kind": "interest", "fee_usd": 10, "fee_tokens": 10} | split,
        {"fee_kind": "interest", "fee_tokens": 5},
        {"fee_kind": "position", "fee_usd": 99},
    )

    result = credit_fees(rows.lazy(), table("markets").lazy()).collect()

    names = ("fee_tokens", "fees_usd", "supply_side_usd", "treasury_usd", "holders_usd")
    assert [column(result, name) for name in names] == [["15"], ["10"], ["7"], ["3"], ["0"]]
    assert result.select("fee_count", "unpriced_count", "unsplit_count").row(0) == (2, 1, 1)


def member(market: str, parent: str | None, asset_class: str = "credit") -> dict[str, object]:
    """Return a market that belongs to another."""
    return {
        "market": market,
        "parent": parent,
        "asset_class": asset_class,
        "known_by": "event",
    }


def test_the_fee_of_a_loan_is_its_pools() -> None:
    """Of a loan by its manager, of the manager and of the pool itself; others are their own."""
    markets = table(
        "markets",
        member("0xloan", "0xmanager"),
        member("0xmanager", "0xpool"),
        member("0xpool", None),
        member("0xyield", "0xprincipal", "crypto"),
    )
    names = ("0xloan", "0xmanager", "0xpool", "0xyield", "0xstranger")
    fees = table(
        "fees", *({"market": name, "fee_kind": "interest", "fee_tokens": 1} for name in names)
    )

    result = credit_fees(fees.lazy(), markets.lazy()).collect()

    assert result["pool"].to_list() == ["0xpool", "0xstranger", "0xyield"]
    assert column(result, "fee_tokens") == ["3", "1", "1"]


def test_a_removed_impairment_is_taken_off() -> None:
    """Marked down by 8 and back up by 3, while the state says 5."""
    events = table(
        "credit_events",
        {"kind": "impairment", "loss_tokens": 8},
        {"kind": "impairment_removed", "loss_tokens": -3},
    )
    states = table("pool_states", {"unrealized_loss_tokens": 5})

    result = impairments(events.lazy(), states.lazy()).collect()

    assert column(result, "written_down_tokens") == ["5"]
    assert column(result, "unrealized_loss_tokens") == ["5"]
    assert result.select("impairment_count", "removed_count").row(0) == (1, 1)


def standing(*states: Row) -> list[object]:
    """Return the loss that stands at the end of each day with a state."""
    told = ({"log_index": 1, **state} for state in states)
    result = impairments(table("credit_events").lazy(), table("pool_states", *told).lazy())
    return column(result.collect(), "unrealized_loss_tokens")


MARKED = MANAGER | {"block_number": 5, "unrealized_loss_tokens": 8}
OTHER = MARKED | {"part": "0xother", "block_number": 6, "unrealized_loss_tokens": 4}
THIRD = {"part": "0xthird", "block_number": 2, "unrealized_loss_tokens": 3}
READ = {"block_number": 3, "log_index": -1, "unrealized_loss_tokens": 1}


@pytest.mark.parametrize(
    ("states", "losses"),
    [
        ((MANAGER | {"unrealized_loss_tokens": 0}, READ, MARKED), ["9"]),
        ((MANAGER | {"unrealized_loss_tokens": 1}, READ, MARKED), ["8"]),
        ((READ | {"unrealized_loss_tokens": 0}, MARKED), ["8"]),
        ((READ, MARKED), ["8"]),
        ((READ | {"unrealized_loss_tokens": 9}, MARKED), ["9"]),
        ((READ, MARKED, MARKED | {"block_number": 6, "unrealized_loss_tokens": 5}), ["5"]),
        ((MANAGER | {"unrealized_loss_tokens": 0}, READ, MARKED | {"block_number": 3}), ["1"]),
        ((READ, MARKED, OTHER), ["12"]),
        ((READ | {"unrealized_loss_tokens": 10}, MARKED, OTHER), ["12"]),
        ((READ | {"unrealized_loss_tokens": 20}, MARKED, OTHER), ["20"]),
        ((THIRD, READ, MARKED, OTHER), ["13"]),
    ],
    ids=[
        *("another part's loss", "its own", "its first", "its first of the index"),
        *("its first, below the pool's", "taken back", "same block"),
        *("two firsts", "two firsts that share the pool's", "two firsts, below the pool's"),
        "two firsts, after one above the pool's",
    ],
)
def test_what_a_part_marks_down_after_the_pools_word_adds_to_it(
    states: tuple[dict[str, object], ...], losses: list[str]
) -> None:
    """A pool is read in the morning, its manager marks a loan down at noon."""
    assert standing(*states) == losses


def test_the_next_word_of_the_pool_replaces_all_that_was_added() -> None:
    """The reading of the next day has the impairment in it."""
    before = MANAGER | {"unrealized_loss_tokens": 0}
    after = READ | TOMORROW | {"block_number": 9, "unrealized_loss_tokens": 9}

    assert standing(before, READ, MARKED, after) == ["9", "9"]


def test_an_impairment_without_an_amount_is_counted_and_unknown() -> None:
    """The event says that, the state of the next day how much; that day had no event."""
    events = table("credit_events", {"kind": "impairment"})
    states = table("pool_states", TOMORROW | {"unrealized_loss_tokens": 4})

    result = impairments(events.lazy(), states.lazy()).collect()

    assert column(result, "written_down_tokens") == [None, "0"]
    assert column(result, "unrealized_loss_tokens") == [None, "4"]
    assert result["unknown_loss_count"].to_list() == [1, 0]


def test_defaults_count_loans_and_add_what_is_known() -> None:
    """Two loans of one borrower, one of them in two parts, and the other without an amount."""
    events = table(
        "credit_events",
        {"kind": "default", "loan": "0x1", "account": "0xa", "loss_tokens": 4},
        {"kind": "default", "loan": "0x1", "account": "0xa", "loss_tokens": 2},
        {"kind": "default", "loan": "0x2", "account": "0xa"},
        {"kind": "call", "loan": "0x3"},
    )

    result = defaults(events.lazy()).collect()

    counts = ("default_count", "account_count", "loan_count", "unknown_loss_count")
    assert result.select(counts).row(0) == (3, 1, 2, 1)
    assert column(result, "loss_tokens") == ["6"]


def test_recoveries_and_sales_are_not_added() -> None:
    """A sale brings 9, of which 8 come back."""
    events = table(
        "credit_events",
        {"kind": "collateral_sale", "principal_tokens": 9},
        {"kind": "recovery", "principal_tokens": 8},
        {"kind": "recovery"},
    )

    result = recoveries(events.lazy()).collect()

    assert column(result, "recovered_tokens") == ["8"]
    assert column(result, "sale_tokens") == ["9"]
    assert result.select("recovery_count", "sale_count", "unknown_count").row(0) == (2, 1, 1)

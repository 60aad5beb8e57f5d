"""That a pool went without liquidations is proven, or what stands in the way is counted."""

from collections.abc import Iterator, Mapping

import duckdb
import pytest
from handmade import at, fill, table

from analytics.load import rows
from analytics.queries import arguments, query_named
from analytics.reports.scope import Limits, Scope

MAPLE: dict[str, object] = {"chain_id": 1, "protocol": "maple"}
CREDIT = MAPLE | {"asset_class": "credit", "known_by": "event", "block_number": 2}
WINDOW = {"since": at(0).isoformat(), "until": at(100).isoformat()}
CLEAN = {"pool": "0xpool", "loan_count": 2, "auction_count": 0, "is_covered": True}
MARKETS: tuple[dict[str, object], ...] = (
    CREDIT | {"market": "0xpool"},
    CREDIT | {"market": "0xmanager", "parent": "0xpool"},
    CREDIT | {"market": "0xloan1", "parent": "0xmanager", "borrower": "0xa"},
    CREDIT | {"market": "0xloan2", "parent": "0xmanager", "borrower": "0xb", "long_token": "0xbtc"},
    CREDIT | {"market": "0xlate", "parent": "0xmanager", "borrower": "0xc", "block_number": 12},
    CREDIT | {"market": "0xorphan", "borrower": "0xd"},
    MAPLE | {"market": "0xperp", "asset_class": "crypto", "known_by": "event"},
)
NO_LOSS: dict[str, object] = {"block_timestamp": at(-5), "unrealized_loss_tokens": 0}
AUCTION = CREDIT | {"market": "0xauction", "parent": "0xpool", "long_token": "0xbtc"}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield an empty database."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def asked(
    con: duckdb.DuckDBPyConnection,
    *,
    events: tuple[dict[str, object], ...] = (),
    states: tuple[dict[str, object], ...] = (NO_LOSS,),
    markets: tuple[dict[str, object], ...] = MARKETS,
    rejects: tuple[dict[str, object], ...] = (),
    told: tuple[str, ...] = ("credit_events",),
    covered: tuple[tuple[int, int], ...] = ((1, 5), (6, 10)),
    window: Mapping[str, str] = WINDOW,
) -> list[dict[str, object]]:
    """Return the answer about blocks 1 to 10 of this world, a row per pool."""
    digests = {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "h"}
    proof = {"finality": "finalized", "proof": "receipts"}
    spans = [{"from_block": first, "to_block": last} for first, last in covered]
    header = {"chain_id": 1, "hash": b"h", "parent_hash": b"p"}
    ends = [{"number": 1, "timestamp": at(-1)}, {"number": 10, "timestamp": at(101)}]
    world = {
        "markets": table("markets", *markets),
        "coverage": table("coverage", *(MAPLE | digests | proof | span for span in spans)),
        "blocks": table("blocks", *(header | end for end in ends)),
        "credit_events": table("credit_events", *(MAPLE | event for event in events)),
        "pool_states": table("pool_states", *(MAPLE | state for state in states)),
        "rejects": table("rejects", *(MAPLE | reject for reject in rejects)),
        "declared_facts": table("declared_facts", *(MAPLE | {"fact": fact} for fact in told)),
    }
    fill(con, world)
    query = query_named("pool_zero_liquidations")
    return rows(con, query.sql, arguments(query, window)).to_dicts()


def first(answers: list[dict[str, object]]) -> dict[str, object]:
    """Return the row of the pool whose manager lends."""
    (row,) = (one for one in answers if one["pool"] == "0xpool")
    return row


def moment(seconds: float) -> dict[str, object]:
    """Return the time of an event this long after the window opens."""
    return {"block_timestamp": at(seconds)}


def test_a_pool_without_events_and_without_gaps_is_proven(con: duckdb.DuckDBPyConnection) -> None:
    """Loans are found through their manager; one made after the window is not its loan yet."""
    row = first(asked(con))

    assert {name: row[name] for name in CLEAN} == CLEAN
    assert row["is_proven"] is True


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("liquidation", "liquidation_count"),
        ("default", "default_count"),
        ("repossession", "seizure_count"),
        ("collateral_sale", "seizure_count"),
        ("seizure", "seizure_count"),
        ("impairment", "impairment_count"),
    ],
)
def test_an_event_stands_in_the_way_and_is_counted(
    con: duckdb.DuckDBPyConnection, kind: str, column: str
) -> None:
    """Whichever of them it was."""
    row = first(asked(con, events=(moment(50) | {"kind": kind},)))

    assert (row[column], row["is_covered"], row["is_proven"]) == (1, True, False)


@pytest.mark.parametrize(
    "event",
    [
        moment(50) | {"kind": "call"},
        moment(50) | {"kind": "payment"},
        moment(50) | {"kind": "default", "pool": "0xother"},
        moment(-5) | {"kind": "default"},
        moment(105) | {"kind": "default"},
    ],
)
def test_calls_payments_other_pools_and_other_times_do_not(
    con: duckdb.DuckDBPyConnection, event: dict[str, object]
) -> None:
    """A call is no default, and what is outside the window is not asked about."""
    assert first(asked(con, events=(event,)))["is_proven"] is True


def test_an_unrealised_loss_disproves_it(con: duckdb.DuckDBPyConnection) -> None:
    """The highest that stood in the window is shown, gone or not."""
    losses = (moment(5) | {"unrealized_loss_tokens": 7}, moment(6) | {"unrealized_loss_tokens": 0})

    row = first(asked(con, states=losses))

    assert (str(row["unrealized_loss_tokens"])[:2], row["is_proven"]) == ("7.", False)


LOSS = {"part": "0xmanager", "unrealized_loss_tokens": 7, "block_number": 1, "log_index": 3}
LIFTED = LOSS | {"unrealized_loss_tokens": 0, "log_index": -1}


@pytest.mark.parametrize(
    ("states", "is_proven"),
    [
        ((moment(-9) | LOSS,), False),
        ((moment(-9) | LOSS, moment(-1) | {"part": "0xmanager", "principal_tokens": 9}), False),
        ((moment(-9) | LIFTED, moment(-9) | LOSS), True),
        ((moment(101) | LOSS,), True),
    ],
)
def test_a_loss_from_before_the_window_stands_in_it(
    con: duckdb.DuckDBPyConnection, states: tuple[dict[str, object], ...], is_proven: bool
) -> None:
    """Of each part the last that was told before it counts; a reading comes after the logs."""
    assert first(asked(con, states=(NO_LOSS, *states)))["is_proven"] is is_proven


def test_a_beginning_forgets_no_loss_that_stands(con: duckdb.DuckDBPyConnection) -> None:
    """`--from` leaves in the answer what was told before; with `--to` it is the window."""
    answers = asked(con, states=(moment(-9) | LOSS, moment(5) | {"unrealized_loss_tokens": 0}))

    begun = Scope(con, Limits(since=at(0))).query("pool_zero_liquidations", **WINDOW)
    limited = Scope(con, Limits(since=at(0), until=at(100))).query("pool_zero_liquidations")

    assert begun.to_dicts() == limited.to_dicts() == answers
    assert first(answers)["is_proven"] is False


def test_a_loss_that_nobody_told_is_not_zero(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing happened, but whether no loss stood is not known."""
    row = first(asked(con, states=(moment(5) | {"principal_tokens": 9},)))

    assert (row["unrealized_loss_tokens"], row["is_proven"]) == (None, None)


def test_an_event_refutes_it_whatever_loss_stood(con: duckdb.DuckDBPyConnection) -> None:
    """A default is one, also where nobody told an unrealised loss."""
    row = first(asked(con, states=(), events=(moment(50) | {"kind": "default"},)))

    assert row["is_proven"] is False


@pytest.mark.parametrize("fact", ["credit_events", "liquidations", "pool_states", None])
def test_a_log_that_could_not_be_read_leaves_it_unproven(
    con: duckdb.DuckDBPyConnection, fact: str | None
) -> None:
    """It might have been the impairment, or the loss."""
    row = first(asked(con, rejects=({"block_number": 5, "fact": fact},)))

    assert (row["reject_count"], row["is_proven"]) == (1, False)


@pytest.mark.parametrize(
    "reject",
    [
        {"block_number": 5, "fact": "fees"},
        {"block_number": 11},
        {"block_number": 5, "protocol": "other"},
    ],
)
def test_other_rejects_do_not(con: duckdb.DuckDBPyConnection, reject: dict[str, object]) -> None:
    """An unreadable fee, a later block, another protocol."""
    assert first(asked(con, rejects=(reject,)))["is_proven"] is True


def test_who_could_not_tell_of_a_loss_proves_nothing(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing that is indexed of the protocol would have told of a default."""
    row = first(asked(con, told=("pool_flows",)))

    assert (row["is_told"], row["is_proven"]) == (False, False)


def test_who_told_of_credit_once_can_tell(con: duckdb.DuckDBPyConnection) -> None:
    """What no declaration says, rows do."""
    payment = moment(-50) | {"kind": "payment"}

    assert first(asked(con, told=(), events=(payment,)))["is_proven"] is True


@pytest.mark.parametrize("covered", [((1, 4), (6, 10)), ((1, 9),), ((2, 10),)])
def test_a_gap_leaves_it_unproven(
    con: duckdb.DuckDBPyConnection, covered: tuple[tuple[int, int], ...]
) -> None:
    """In the middle, at the end or at the beginning: one block is enough."""
    row = first(asked(con, covered=covered))

    assert (row["is_covered"], row["is_proven"]) == (False, False)


def test_an_end_that_no_block_is_known_of_is_not_covered(con: duckdb.DuckDBPyConnection) -> None:
    """Nothing tells how far the window reaches: it is no proof, and no loss would make it one."""
    row = first(asked(con, window=WINDOW | {"until": at(102).isoformat()}))

    assert (row["is_covered"], row["is_proven"]) == (False, False)


def test_auctions_are_counted(con: duckdb.DuckDBPyConnection) -> None:
    """An auction that was set up is named even where nothing was sold."""
    row = first(asked(con, markets=(*MARKETS, AUCTION)))

    assert (row["auction_count"], row["loan_count"]) == (1, 2)


def test_a_loan_whose_lender_nobody_named_is_a_pool_of_its_own(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """It is shown rather than left out of somebody's proof unseen."""
    pools = [row["pool"] for row in asked(con)]

    assert pools == ["0xorphan", "0xpool"]


@pytest.mark.parametrize(
    "event",
    [
        {"pool": "0xfund", "loan": "0xloan1"},
        {"pool": "0xmanager", "loan": "0xloan1"},
        {"pool": "0xmanager"},
        {"pool": "0xpool", "loan": "0xloan1"},
    ],
)
def test_an_event_counts_once_for_the_pool_of_its_loan_or_of_a_member(
    con: duckdb.DuckDBPyConnection, event: dict[str, object]
) -> None:
    """A fund writes down what it lent to the pool; a manager stands for the pool it belongs to."""
    row = first(asked(con, events=(moment(50) | {"kind": "impairment"} | event,)))

    assert (row["impairment_count"], row["is_proven"]) == (1, False)


def test_an_event_of_a_class_of_shares_is_one_of_its_pool(con: duckdb.DuckDBPyConnection) -> None:
    """Centrifuge values a holding of a share class; the pool is the class's parent."""
    share_class = CREDIT | {"market": "0xclass", "parent": "77", "index_token": "0xtoken"}
    written_down = moment(50) | {"kind": "impairment", "pool": "0xclass", "loan": "5"}

    (row,) = (
        one
        for one in asked(con, markets=(share_class,), events=(written_down,))
        if one["pool"] == "77"
    )

    assert (row["impairment_count"], row["is_proven"]) == (1, False)

"""Whether nothing is a measured zero: every state a source can be in, and what the cards say."""

from pathlib import Path

import polars as pl
import pytest
from handmade import at, table, write_database
from report_rows import GMX, written_market

from analytics import load
from analytics.queries import arguments, query_named
from analytics.reports import summary
from analytics.reports.cards import cards

COVERED: dict[str, object] = {
    "from_block": 1,
    "to_block": 9,
    "proof": "fetched",
    "finality": "finalized",
}
COVERED |= {"declaration_digest": "d", "logs_digest": "ab", "to_block_hash": "0xff"}
READ: dict[str, object] = {
    "read": "prices",
    "call": "price",
    "address": b"a",
    "input": b"i",
    "block_hash": b"h",
}
READ |= {"log_index": -1, "block_number": 5, "block_timestamp": at(0)}


def state(tmp_path: Path, fact: dict[str, object], **frames: pl.DataFrame) -> str:
    """Return the state of the one declared table of a covered venue."""
    rows = {
        "coverage": table("coverage", GMX | COVERED),
        "blocks": table(
            "blocks",
            {"chain_id": 42161, "number": 9, "timestamp": at(7200), "hash": b"h"}
            | {"parent_hash": b"p"},
        ),
        "declared_facts": table("declared_facts", GMX | fact),
    }
    path = write_database(tmp_path / "a.duckdb", rows | frames)
    asked = query_named("availability")
    with load.database(path) as con:
        return str(load.rows(con, asked.sql, arguments(asked, {}))["state"].item())


def test_nothing_where_everything_was_looked_at_is_a_zero(tmp_path: Path) -> None:
    """A declared table without rows, of a covered venue, is available."""
    assert state(tmp_path, {"fact": "adls"}) == "available"


def test_what_is_not_covered_is_not_collected(tmp_path: Path) -> None:
    """A declaration whose blocks nobody fetched has told nothing."""
    assert state(tmp_path, {"fact": "adls"}, coverage=table("coverage")) == "not_collected"


def test_what_could_not_be_read_is_an_error(tmp_path: Path) -> None:
    """No row, but a log that was meant for it and became none."""
    lost = table("rejects", GMX | {"block_number": 2, "event": "E", "fact": "adls", "reason": "r"})

    assert state(tmp_path, {"fact": "adls"}, rejects=lost) == "source_error"


@pytest.mark.parametrize("said", ["source_error", "not_collected", "not_applicable", "available"])
def test_a_read_is_in_the_state_of_its_last_answer(tmp_path: Path, said: str) -> None:
    """What a contract or an endpoint refused the last time stands, whatever it said before."""
    answers = table(
        "reads",
        GMX | READ | {"state": said},
        GMX | READ | {"state": "available", "block_number": 4},
    )

    assert state(tmp_path, {"fact": "share_prices", "read": "prices"}, reads=answers) == said


@pytest.mark.parametrize(("interval", "said"), [(3600, "available"), (3599, "stale")])
def test_a_reading_that_is_two_intervals_old_is_stale(
    tmp_path: Path, interval: int, said: str
) -> None:
    """Two hours before the last covered block: fine for hourly readings, not for shorter ones."""
    fact = {"fact": "share_prices", "read": "prices", "every_seconds": interval}
    prices = table("share_prices", GMX | {"block_timestamp": at(0)})

    assert state(tmp_path, fact, share_prices=prices) == said


def shown(tmp_path: Path, *facts: str, **frames: pl.DataFrame) -> dict[str, str]:
    """Return value and details of each card of a market without buybacks, by label."""
    declared = table("declared_facts", *(GMX | {"fact": fact} for fact in facts))
    empty = {name: table(name) for name in ("buybacks", "adls")}
    path = written_market(tmp_path, declared_facts=declared, **(empty | frames))
    return {card.label: f"{card.value}, {card.details[0]}" for card in cards(summary(path))}


def test_a_card_of_what_nobody_tells_is_not_zero(tmp_path: Path) -> None:
    """No declared protocol buys back: not known, with the state; ADLs are declared: zero."""
    found = shown(tmp_path, "adls", rejects=table("rejects"))

    assert found["Buybacks"] == "n/k, not_applicable: nothing that is indexed tells of it"
    assert found["Closed by ADL"] == "$0, 0 accounts"


def test_a_card_of_a_source_that_failed_is_not_zero(tmp_path: Path) -> None:
    """The one log of an ADL was rejected: not known, and whose it was."""
    found = shown(tmp_path, "adls", "fees")

    assert found["Closed by ADL"] == "n/k, source_error: gmx_v2 on arbitrum"
    assert found["Total fees"] == "$25.00, 3 fees charged"

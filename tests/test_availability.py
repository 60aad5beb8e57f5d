"""Whether nothing is a measured zero: every state a source can be in, and what the cards say."""

from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from handmade import at, insert, table, write_database
from report_rows import GMX, report_of, written_market

from analytics import load
from analytics.queries import arguments, query_named
from analytics.reports import Limits, summary
from analytics.reports.cards import cards
from analytics.reports.report import Report
from analytics.reports.scope import Scope
from indexer.tables import fact_tables

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


@pytest.mark.parametrize(("read", "said"), [(None, "source_error"), ("prices", "available")])
def test_what_could_not_be_decoded_may_have_been_anything(
    tmp_path: Path, read: str | None, said: str
) -> None:
    """A log that became nothing leaves no zero measured, but of what is read and not logged."""
    lost = table("rejects", GMX | {"block_number": 2, "event": "E", "reason": "r"})
    answers = table("reads", GMX | READ | {"state": "available"})

    found = state(tmp_path, {"fact": "share_prices", "read": read}, rejects=lost, reads=answers)

    assert found == said


def test_what_only_a_read_tells_and_nobody_asked_is_not_collected(tmp_path: Path) -> None:
    """Blocks are covered and no reading was due among them: that is no zero."""
    assert state(tmp_path, {"fact": "share_prices", "read": "prices"}) == "not_collected"


@pytest.mark.parametrize(("about", "said"), [(None, "available"), ("0xaa", "not_collected")])
def test_files_of_a_whole_venue_look_at_all_of_it(
    tmp_path: Path, about: str | None, said: str
) -> None:
    """A file of one account or market looks at that alone."""
    file: dict[str, object] = {"file": "a.lz4", "sha256": "aa", "kind": "fills", "about": about}
    file |= {"entries_read": 1, "entries_used": 1, "rejects": 0, "imported_at": at(0)}
    brought = table("imports", GMX | file)

    assert state(tmp_path, {"fact": "adls"}, coverage=table("coverage"), imports=brought) == said


@pytest.mark.parametrize("fact", fact_tables())
def test_what_is_there_is_counted(empty: duckdb.DuckDBPyConnection, fact: str) -> None:
    """Every table of facts is looked into: one with a row is not told as an empty one."""
    told = {"declared_facts": table("declared_facts", GMX | {"fact": fact}), fact: table(fact, GMX)}
    insert(empty, told)

    counts = [
        Scope(empty).query(name)["row_count"].item() for name in ("availability", "evidence_mix")
    ]
    done = load.rows(empty, query_named("transaction_facts").sql, {"tx_hash": f"0x{0:064x}"})
    for name in told:
        empty.execute(f"delete from {name}")

    assert counts == [1, 1]
    assert done["fact"].item() == fact


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


@pytest.mark.parametrize("given", [{}, {"until": at(3600).isoformat()}], ids=["limit", "param"])
def test_a_reading_is_as_old_as_it_was_at_the_end_that_is_asked_about(
    tmp_path: Path, given: dict[str, str]
) -> None:
    """Read each hour and covered for ten: at the end of the first hour its reading was new."""
    hours = range(11)
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    every_hour = {"fact": "share_prices", "read": "prices", "every_seconds": 3600}
    frames = {
        "coverage": table("coverage", GMX | COVERED | {"to_block": 10}),
        "blocks": table(
            "blocks", *(block | {"number": hour, "timestamp": at(3600 * hour)} for hour in hours)
        ),
        "declared_facts": table("declared_facts", GMX | every_hour),
        "share_prices": table(
            "share_prices", *(GMX | {"block_timestamp": at(3600 * hour)} for hour in hours)
        ),
    }
    limits = Limits() if given else Limits(until=at(3600))

    with load.database(write_database(tmp_path / "a.duckdb", frames)) as con:
        found = Scope(con, limits).query("availability", **given).row(0, named=True)

    assert (found["state"], found["row_count"]) == ("available", 2)
    assert found["last_at"] == found["covered_at"] == at(3600)


def shown(tmp_path: Path, *facts: str, **frames: pl.DataFrame) -> dict[str, str]:
    """Return value and details of each card of a market without buybacks, by label."""
    declared = table("declared_facts", *(GMX | {"fact": fact} for fact in facts))
    told = {"declared_facts": declared, "buybacks": table("buybacks"), "adls": table("adls")}
    path = written_market(tmp_path, **(told | frames))
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


def test_a_source_that_failed_is_among_the_warnings(tmp_path: Path) -> None:
    """The last price of a share was refused: older ones stand on the page, and a sentence above."""
    facts = ({"fact": "share_prices", "read": "prices"}, {"fact": "fees"})
    path = written_market(
        tmp_path,
        declared_facts=table("declared_facts", *(GMX | fact for fact in facts)),
        share_prices=table("share_prices", GMX | {"block_timestamp": at(0), "pool": "0x1"}),
        reads=table("reads", GMX | READ | {"state": "source_error"}),
        rejects=table("rejects"),
    )

    said = [text for text in report_of(path).warnings if text.startswith("Failed")]

    assert said == [
        "Failed: share_prices of gmx_v2 on arbitrum could not be read: the contract refused when "
        "it was asked last, or what it logged became no fact. Totals lack that, and a zero of it "
        "is none."
    ]


def test_the_zero_of_one_is_no_zero_of_two(tmp_path: Path) -> None:
    """Gains had no ADL, the one log of GMX's was rejected: nobody knows how many both had."""
    facts = (who | {"fact": "adls"} for who in (GMX, GMX | {"protocol": "gains"}))
    found = shown(
        tmp_path,
        declared_facts=table("declared_facts", *facts),
        coverage=table("coverage", GMX | COVERED, GMX | COVERED | {"protocol": "gains"}),
    )

    assert found["Closed by ADL"] == "n/k, source_error: gmx_v2 on arbitrum"


def dated(tmp_path: Path, since: datetime | None = None, until: datetime | None = None) -> Report:
    """Return the report of a venue covered from 21:00 to 22:00 and from 23:00 to 24:00 of a day."""
    hours = ((1, 0), (10, 3600), (21, 7200), (30, 10_800))
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    blocks = [block | {"number": number, "timestamp": at(time)} for number, time in hours]
    ranges = [GMX | COVERED | {"from_block": low, "to_block": low + 9} for low in (1, 21)]
    frames = {
        "origins": table("origins", {"chain_id": 42161, "client_version": "n", "kind": "node"}),
        "coverage": table("coverage", *ranges),
        "blocks": table("blocks", *blocks),
        "declared_facts": table("declared_facts", GMX | {"fact": "fees"}, GMX | {"fact": "adls"}),
    }
    return report_of(
        write_database(tmp_path / "dated.duckdb", frames), Limits(since=since, until=until)
    )


@pytest.mark.parametrize(
    "limits",
    [
        {"since": at(10_801)},
        {"until": at(-1)},
        {"since": at(3601), "until": at(7199)},
    ],
    ids=["after the last", "before the first", "in the gap"],
)
def test_outside_the_covered_blocks_nothing_is_a_zero(
    tmp_path: Path, limits: dict[str, datetime]
) -> None:
    """No number is known of a time that nobody looked at, and a warning says so first."""
    found = dated(tmp_path, **limits)
    states = next(each for each in found.sources if each.name == "availability").frame["state"]

    assert {card.value for card in found.cards} == {"n/k"}
    assert found.cards[0].details[0].startswith("not_collected: outside the covered blocks")
    assert set(states) == {"not_collected"}
    assert any(text.startswith("Outside: of gmx_v2 on arbitrum ") for text in found.warnings)


@pytest.mark.parametrize("since", [at(10_800), at(3600)], ids=["the last block", "before a gap"])
def test_a_time_that_meets_a_covered_block_is_measured(tmp_path: Path, since: datetime) -> None:
    """One second that both have is enough: nothing happened, and that is known."""
    found = dated(tmp_path, since=since, until=since)

    assert [
        card.value for card in found.cards if card.label in {"Total fees", "Closed by ADL"}
    ] == [
        "$0",
        "$0",
    ]
    assert not any(text.startswith("Outside") for text in found.warnings)


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return the report of the venue without limits."""
    return dated(tmp_path_factory.mktemp("covered"))


def test_a_section_of_what_nobody_tells_says_so(covered: Report) -> None:
    """Liquidations are not declared, so none in the covered blocks means nothing; ADLs are."""
    words = next(each for each in covered.sections if each.slug == "exits").words

    assert (
        "No liquidations can be told: not_applicable: nothing that is indexed tells of it." in words
    )
    assert words[-1].startswith("No ADLs in the covered blocks")


def test_of_no_row_there_is_no_last_one(covered: Report) -> None:
    """Beside 0 rows the time of the last one is none, which is known."""
    found = next(each for each in covered.sections if each.slug == "covered").tables
    told = next(each for each in found if each.caption == "What each source has told")

    assert [row[3].text for row in told.rows] == ["none", "none"]

"""`perpscope import` as people type it, and what every other command then shows of it."""

from pathlib import Path

import pytest
from commands import perpscope
from import_rig import (
    LOSER,
    VAULT,
    WINNER,
    brought,
    by_block,
    by_line,
    document,
    facts,
    fill,
    liquidation,
    rows,
    written,
)
from sync_rig import FIRST, blocks, served

from indexer.simulation.node import serve
from indexer.store import alone_in

EVENTS = [
    (
        LOSER,
        fill(tid=1, side="A", startPosition="1", dir="Liquidated Cross Long", closedPnl="-5")
        | liquidation(),
    ),
    (VAULT, fill(tid=1, dir="Open Long", fee="0.0") | liquidation()),
    (
        WINNER,
        fill(tid=2, sz="3", startPosition="-3", dir="Auto-Deleveraging", closedPnl="9")
        | liquidation(user=VAULT),
    ),
    (
        VAULT,
        fill(tid=2, sz="3", side="A", startPosition="3", dir="Close Long")
        | liquidation(user=VAULT),
    ),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database with a file of a liquidation and an ADL."""
    return brought(tmp_path, "hyperliquid", written(tmp_path, "21.lz4", by_block(EVENTS)))


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """Run a command that succeeds, and return what it printed."""
    capsys.readouterr()
    assert perpscope(*words) == 0
    return capsys.readouterr().out


def test_import_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Entries, what kind they are, from when to when, how many were new; then rows by table."""
    file = written(tmp_path, "21.lz4", by_block(EVENTS))

    out = said(capsys, "import", "hyperliquid", file, "--database", tmp_path / "a.duckdb")

    first = out.splitlines()[0]
    assert first.startswith(f"{file}: 4 entries (node_fills_by_block), 2025-10-10 21:16:04.831000Z")
    assert first.endswith("; 4 told something new")
    assert [line.split() for line in out.splitlines()[2:]] == [
        ["position_changes", "4"],
        ["liquidations", "1"],
        ["adls", "1"],
        ["fees", "4"],
    ]


def test_the_same_file_again_changes_nothing(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever it is called now: its bytes are known."""
    before = facts(path)
    again = written(tmp_path, "copy.lz4", by_block(EVENTS))

    out = said(capsys, "import", "hyperliquid", again, "--database", path)

    assert out == f"{again}: imported before, nothing to do\n"
    assert facts(path) == before
    assert len(rows(path, "imports", "file")) == 1


def test_what_killed_imports_left_is_removed(tmp_path: Path) -> None:
    """Rows in a folder that nobody holds go; those of an import at work, or of no import, stay."""
    names = ("aaaaaaaa", "bbbbbbbb", "cccccccc", "files")
    killed, begun, works, other = (tmp_path / f"a.duckdb.import.{name}" for name in names)
    for folder in (killed, begun, works, other):
        folder.mkdir()
    with alone_in(works):
        for folder in (killed, works, other):
            (folder / "fees-0.parquet").touch()
        brought(tmp_path, "hyperliquid", written(tmp_path, "21.lz4", by_block(EVENTS)))

    assert sorted(tmp_path.glob("*.import.*")) == [begun, works, other]


def test_status_says_what_imports_rest_on(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files, entries, and from when to when; no block, no proof, no gap is claimed."""
    out = said(capsys, "status", "--database", path)

    line = next(line.split() for line in out.splitlines() if line.startswith("hypercore"))
    assert line[:7] == ["hypercore", "hyperliquid", "node_fills_by_block", "1", "4", "4", "0"]
    assert line[7:9] == ["2025-10-10T21:16:04Z", "2025-10-10T21:16:04Z"]
    assert "nothing shows what they lack" in out
    assert "fetched" not in out


def test_status_shows_the_longest_pause_between_files(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An hour that nobody brought shows as a pause."""
    later = [(WINNER, fill(tid=9, time=1_760_130_964_831 + 7_200_000))]
    brought(tmp_path, "hyperliquid", written(tmp_path, "23.lz4", by_block(later)))

    assert "7,200 s" in said(capsys, "status", "--database", path)


def test_metrics_and_queries_see_imported_rows(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Like any other's: by name of the protocol and of the venue, ratios and names included."""
    adls = said(
        capsys,
        *("metric", "adls", "--protocol", "hyperliquid", "--chain", "hypercore"),
        *("--format", "csv", "--database", path),
    ).splitlines()
    fees = said(
        capsys, "metric", "fees", "--chain", "hypercore", "--format", "csv", "--database", path
    )
    whose = said(
        capsys, "metric", "adl_counterparty_share", "--format", "csv", "--database", path
    ).splitlines()
    files = said(capsys, "query", "imported_files", "--format", "csv", "--database", path)

    found = dict(zip(adls[0].split(","), adls[1].split(","), strict=True))
    assert float(found["notional_usd"]) == 300
    assert float(found["liquidation_notional_usd"]) == 100
    assert float(found["adl_to_liquidation_ratio"]) == 3
    assert "position" in fees
    assert VAULT in whose[1]
    assert "HLP Liquidator" in whose[1]
    assert "21.lz4" in files


def test_a_report_says_that_it_rests_on_files(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stamped as imported, with the files in it, and a warning that nothing proves them."""
    said(capsys, "report", "--output", tmp_path / "report", "--database", path)

    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "IMPORTED DATA" in page
    assert "Nothing proves that they are complete" in page
    assert "21.lz4" in page


@pytest.mark.parametrize(
    ("venue", "content", "whose", "is_zero"),
    [
        ("hyperliquid", by_line((WINNER, fill())), {}, True),
        ("hyperliquid", document([fill()]), {"account": WINNER}, False),
        ("dydx", document({"trades": []}), {"market": "ETH-USD"}, False),
    ],
)
def test_what_whole_files_lack_did_not_happen(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    venue: str,
    content: bytes,
    whose: dict[str, str],
    *,
    is_zero: bool,
) -> None:
    """Fills of all accounts without an ADL are none; of one account or market they do not tell."""
    path = brought(tmp_path, venue, written(tmp_path, "told", content), **whose)
    capsys.readouterr()

    assert perpscope("metric", "adls", "--database", path) == 0

    assert ("adls is not_applicable" not in capsys.readouterr().err) is is_zero
    assert (("adls",) in rows(path, "declared_facts", "fact")) is is_zero


def test_what_is_indexed_and_what_is_imported_live_side_by_side(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Indexing a chain, rewinding it and deriving it again leaves what was imported alone."""
    before = facts(path)["fees"]
    with serve([served(blocks(40))]) as node:
        more = ("--chain", "ethereum", "--database", path)
        named = ("--protocol", "chainlink", "--from", FIRST)
        said(capsys, "index", "--rpc", node.url, *named, *more)
    said(capsys, "redecode", *more)
    said(capsys, "rewind", "--to-block", 0, *more)

    assert facts(path)["fees"] == before


def test_a_venue_without_nodes_cannot_be_indexed(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, and the command that reads its files is named."""
    code = perpscope("index", "--chain", "dydx", "--protocol", "dydx", "--database", path)

    assert code == 2
    assert "it is read from files (`perpscope import`)" in capsys.readouterr().err

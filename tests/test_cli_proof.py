"""`perpscope verify` and `perpscope repair` as people type them: what they print, how they exit."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from shutil import copy

import duckdb
import pytest
from commands import perpscope
from proof_rig import Json, changed_data, lying, true_blocks
from sync_rig import FIRST, blocks, rows, served

from indexer.simulation.blocks import Block
from indexer.simulation.node import serve
from indexer.store import read_stored

COUNT = 80
WRONG = FIRST + 20


@pytest.fixture(scope="module")
def chain() -> list[Block]:
    """Return the chain of this file."""
    return true_blocks(COUNT)


@pytest.fixture(scope="module")
def url(chain: list[Block]) -> Iterator[str]:
    """Serve the chain, honestly."""
    with serve([served(chain)]) as node:
        yield node.url


def index(path: Path, url: str, *more: object) -> int:
    """Run `perpscope index` for the feed."""
    named = ("--protocol", "chainlink", "--from", FIRST, "--database", path)
    return perpscope("index", "--chain", "ethereum", "--rpc", url, *named, *more)


def test_verify_and_repair(
    tmp_path: Path, chain: Sequence[Block], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with a sentence per wrong range; after repair exit 0, and status says how proven."""
    path = tmp_path / "a.duckdb"
    with lying(chain, {"eth_getLogs": changed_data(WRONG)}) as node:
        assert index(path, node) == 0
    on = ("--rpc", url, "--database", path)

    assert perpscope("verify", "--level", "receipts", *on) == 1
    told = capsys.readouterr()
    assert f"chainlink on ethereum, block {WRONG} is wrong: 1 log changed" in told.err
    assert "`perpscope repair` fetches them again" in told.err
    perpscope("status", "--database", path)
    told = capsys.readouterr()
    assert "receipts 98.7 %, fetched 1.2 %" in told.out
    assert "ethereum holds wrong blocks in 1 of the ranges" in told.out

    assert perpscope("repair", *on) == 0
    assert "blocks repaired: 1, wrong logs moved to orphans: 1" in capsys.readouterr().out
    assert perpscope("repair", *on) == 0
    assert "nothing to repair" in capsys.readouterr().out
    assert perpscope("verify", "--level", "receipts", *on) == 0
    assert f"{COUNT} receipts; wrong: 0" in capsys.readouterr().out
    assert rows(path, "select distinct proof from coverage") == [("receipts",)]


def test_endpoints_that_disagree(
    tmp_path: Path, chain: Sequence[Block], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with a sentence per disputed range, or where too few answered; status tells of it."""
    path = tmp_path / "a.duckdb"
    assert index(path, url) == 0
    on = ("--level", "agreed", "--database", path, "--rpc", url)

    with serve([served(chain)]) as node:
        assert perpscope("verify", *on, "--rpc", node.url) == 0
    assert f"{COUNT} blocks verified (agreed)" in capsys.readouterr().out
    with lying(chain, {"eth_getLogs": changed_data(WRONG)}) as odd:
        assert perpscope("verify", *on, "--rpc", odd) == 1
        told = capsys.readouterr()
        said = f"block {WRONG} is disputed: compared with {odd.rstrip('/')}, 1 log changed"
        assert f"chainlink on ethereum, {said}" in told.err
        assert "disputed ranges of stored blocks: 1, expected none" in told.err
        assert "disputed: 1" in told.out
        assert "wrong" not in told.out
    perpscope("status", "--database", path)
    told = capsys.readouterr()
    assert "ethereum holds disputed blocks in 1 of the ranges" in told.out
    assert "wrong" not in told.out

    with serve([served(chain[:-9])]) as node:
        assert perpscope("verify", *on, "--rpc", node.url) == 1
    told, most = capsys.readouterr(), f"blocks {FIRST + COUNT - 9} to {FIRST + COUNT - 1}"
    assert f"{most} not checked: fewer than two endpoints told of them" in told.out
    assert f"{most} not told: {node.url.rstrip('/')} has not seen" in told.out
    assert "blocks that fewer than two endpoints told of: 9, expected none" in told.err


def test_what_cannot_be_repaired_is_told(
    tmp_path: Path, chain: Sequence[Block], url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with a sentence per range, and what would help: an endpoint that proves its answer."""
    path = tmp_path / "a.duckdb"
    with lying(chain, {"eth_getLogs": changed_data(WRONG)}) as node:
        index(path, node)
        perpscope("verify", "--level", "receipts", "--rpc", url, "--database", path)
        capsys.readouterr()

        assert perpscope("repair", "--rpc", node, "--database", path) == 1

    told = capsys.readouterr()
    assert "ethereum: blocks repaired: 0, wrong logs moved to orphans: 0" in told.out
    assert f"chainlink on ethereum, block {WRONG} could not be repaired: " in told.err
    assert "ranges that could not be repaired: 1; expected a node that proves its" in told.err


def test_of_very_many_failures_the_first_are_told(
    tmp_path: Path,
    chain: Sequence[Block],
    url: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """How many more there are, and what lists them; against another chain every block fails."""
    monkeypatch.setattr("indexer.cli.proving._MOST_TOLD", 3)
    path = tmp_path / "a.duckdb"

    def odd(logs: Json) -> Json:
        """Change every log."""
        return [log | {"data": log["data"][:-1] + "7"} for log in logs]

    with lying(chain, {"eth_getLogs": odd}) as node:
        index(path, node)
    assert perpscope("verify", "--level", "receipts", "--rpc", url, "--database", path) == 1

    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0][-9:] for line in told[:3]] == ["are wrong"] * 3
    left = len(rows(path, "select from_block from audits where verdict = 'failed'")) - 3
    assert told[3] == f"and {left} more on ethereum: `perpscope query failed_audits` lists all"


def test_an_endpoint_is_of_one_chain(
    tmp_path: Path, few_blocks: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where several are stored, or none, it is not guessed which is meant."""
    path, empty = Path(copy(few_blocks, tmp_path / "a.duckdb")), tmp_path / "empty.duckdb"
    read_stored(empty, 1)
    with duckdb.connect(path) as connection:
        another = "select * replace (42161 as chain_id) from coverage"
        connection.execute(f"insert into coverage {another}")
    capsys.readouterr()

    assert perpscope("verify", "--rpc", "http://127.0.0.1:9", "--database", path) == 2
    said = capsys.readouterr().err
    assert "--rpc is one chain's, and ethereum, arbitrum are stored: name one" in said
    assert perpscope("verify", "--rpc", "http://127.0.0.1:9", "--database", empty) == 2
    assert "nothing is indexed yet: expected stored blocks" in capsys.readouterr().err


def test_a_reorg_is_told_and_is_no_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 0: blocks that left the chain wait for `index`, which follows it."""
    path, before = tmp_path / "a.duckdb", blocks(COUNT)
    with serve([served(before)]) as node:
        assert index(path, node.url) == 0
    with serve([served(blocks(COUNT, below=before[:-3], fork=b"fork"))]) as node:
        on = ("--rpc", node.url, "--database", path)
        assert perpscope("verify", "--level", "linked", *on) == 0

    gone = f"blocks {FIRST + COUNT - 3} to {FIRST + COUNT - 1} not checked: a reorg took them"
    assert gone in capsys.readouterr().out


def test_index_proves_as_configured(tmp_path: Path, url: str) -> None:
    """`proof` under the chain is what `--proof` is; the option goes first."""
    config = tmp_path / "a.toml"
    config.write_text('[chains.ethereum]\nproof = "bloom"\n', encoding="utf-8")

    assert index(tmp_path / "a.duckdb", url, "--config", config) == 0
    assert index(tmp_path / "b.duckdb", url, "--config", config, "--proof", "receipts") == 0

    for name, proof in (("a", "bloom"), ("b", "receipts")):
        path = tmp_path / f"{name}.duckdb"
        assert rows(path, "select distinct proof from coverage") == [(proof,)]


@pytest.fixture(scope="module")
def few_blocks(tmp_path_factory: pytest.TempPathFactory, url: str) -> Path:
    """Return a database of the feed's first blocks; never to be changed."""
    path = tmp_path_factory.mktemp("few") / "a.duckdb"
    index(path, url, "--to", FIRST + 5)
    return path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "--from", 9, "--to", 3), "--from 9 is after --to 3"),
        (("verify", "--rpc", "URL", "--from", 9, "--to", 9), "none of the blocks asked for"),
        (("verify", "--chain", "arbitrum", "--rpc", "http://127.0.0.1:9"), "cannot be reached"),
        (("verify",), "no endpoint for ethereum"),
        (("verify", "--level", "agreed", "--rpc", "URL"), "1, expected at least 2"),
        (("repair", "--chain", "ethereum"), "no endpoint for ethereum"),
    ],
)
def test_mistakes_are_one_line(
    words: tuple[object, ...],
    said: str,
    *,
    tmp_path: Path,
    url: str,
    few_blocks: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be done is said in one line, without a traceback."""
    monkeypatch.chdir(tmp_path)
    copy(few_blocks, tmp_path / "perpscope.duckdb")
    quick = tmp_path / "quick.toml"
    quick.write_text("[retries]\ntries = 1\n", encoding="utf-8")
    capsys.readouterr()

    code = perpscope(*(url if word == "URL" else word for word in words), "--config", quick)

    err = capsys.readouterr().err
    assert code in {1, 2}
    assert said in err
    assert err.count("\n") == 1


def test_without_a_database_there_is_nothing_to_verify(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1; asking does not make a file."""
    assert perpscope("verify", "--database", tmp_path / "a.duckdb") == 1
    assert "there is no database" in capsys.readouterr().err
    assert not (tmp_path / "a.duckdb").exists()

"""The indexer's commands as people type them: what they print, and how they fail."""

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from shutil import copy
from threading import Thread

import duckdb
import pytest
from commands import perpscope
from proof_rig import lying
from sync_rig import FIRST, blocks, contents, pruned_below, rows, served

from indexer.simulation.node import serve
from indexer.store import SCHEMA, open_database

COUNT = 200
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a small chain of Ethereum to every test of this file."""
    with serve([served(blocks(COUNT))]) as node:
        yield node.url


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, url: str) -> Path:
    """Return the database of the whole chain; never to be changed."""
    path = tmp_path_factory.mktemp("made") / "a.duckdb"
    index(path, url)
    return path


@pytest.fixture
def held(tmp_path: Path, made: Path) -> Path:
    """Return a database of the whole chain."""
    return Path(copy(made, tmp_path))


def index(path: Path, url: str, *more: object) -> int:
    """Run `perpscope index` for the chain's two protocols."""
    named = ("--protocol", "chainlink", "--protocol", "maple", "--from", FIRST)
    return perpscope(
        "index", "--chain", "ethereum", "--rpc", url, "--database", path, *named, *more
    )


def patient(folder: Path) -> tuple[str, Path]:
    """Return the option that makes a command give up quickly on a broken node."""
    path = folder / "quick.toml"
    path.write_text("[retries]\ntries = 1\nfirst_wait_seconds = 0.01\n", encoding="utf-8")
    return "--config", path


def test_index_says_what_it_did(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with blocks, logs, facts, rejects and requests, then the facts by table."""
    code = index(tmp_path / "a.duckdb", url)

    out = capsys.readouterr().out
    assert code == 0
    assert out.startswith(f"ethereum: {COUNT} blocks, ")
    assert "oracle_updates" in out


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (("--to", FIRST + COUNT + 9), f"; --to is after block {FIRST + COUNT - 1:,}, the head"),
        pytest.param(
            ("--to", "2199-01-01"),
            f"; --to is after block {FIRST + COUNT - 1:,}, the head",
            marks=pytest.mark.soak,
        ),
        (
            ("--from", FIRST + COUNT + 9),
            f"nothing to do: --from is after block {FIRST + COUNT - 1:,}, the head",
        ),
    ],
)
def test_a_span_that_the_chain_does_not_have_is_told(
    span: tuple[object, ...],
    said: str,
    tmp_path: Path,
    url: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who asks for blocks that are not there yet, or before any of the protocol's, hears of it."""
    code = index(tmp_path / "a.duckdb", url, *span)

    assert code == 0
    assert said in capsys.readouterr().out


def test_a_span_before_a_protocol_is_told(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The block is named that the protocol begins at."""
    where = ("--chain", "ethereum", "--rpc", url, "--database", tmp_path / "a.duckdb")

    code = perpscope("index", *where, "--protocol", "maple", "--to", 5)

    assert code == 0
    assert "nothing to do: what was asked for begins at block 13," in capsys.readouterr().out


def test_a_protocol_after_the_head_is_told(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a node that stands still, or of a chain that is young: nothing of it is stored."""
    where = ("--chain", "ethereum", "--rpc", url, "--database", tmp_path / "a.duckdb")

    code = perpscope("index", *where, "--protocol", "ethena")

    said = r"begins at block 1\d,\d{3},\d{3}; block 16,200,199 is the head"
    assert code == 0
    assert re.search(f"ethereum: nothing to do: what was asked for {said}", capsys.readouterr().out)


def test_what_is_stored_is_not_asked_for_again(
    held: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run says that all is there, and whether that reaches what was asked for."""
    head = f"block {FIRST + COUNT - 1:,}"
    for more in ((), ("--to", FIRST + COUNT)):
        index(held, url, *more)

    again, beyond = capsys.readouterr().out.split("ethereum: ")[1:]
    assert again == f"nothing to do: all of it is stored, {head} is the head\n"
    assert f"nothing to do: all up to {head} is stored, which is the head and before" in beyond


def test_a_declaration_that_reads_more_now_is_told(
    held: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was fetched for it is no new block, and all the same not nothing."""
    with duckdb.connect(held) as connection:
        connection.execute(
            "update coverage set declaration_digest = 'old/old' where protocol = 'chainlink'"
        )
        connection.execute("update reaches set reach = 'old' where protocol = 'chainlink'")
    report = held.with_name("run.json")
    told = [perpscope("status", "--database", held)]
    changed = capsys.readouterr().out
    told += [index(held, url, "--report", report), perpscope("status", "--database", held)]

    out = capsys.readouterr().out
    assert told == [0, 0, 0]
    assert "the declaration of chainlink has changed since its blocks on ethereum" in changed
    assert "has changed" not in out
    assert "ethereum: what is new to chainlink was fetched, and their facts were derived" in out
    assert "ethereum: nothing else to do: all of it is stored" in out
    assert json.loads(report.read_bytes())["done"]["renewed"] == ["chainlink"]


def test_status_shows_ranges_gaps_and_rejects(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status says per protocol what is covered, what is missing and how sure it is."""
    code = perpscope("status", "--database", held)

    out = capsys.readouterr().out
    assert code == 0
    assert "ethereum holds simulated blocks" in out
    chainlink = next(line.split() for line in out.splitlines() if "chainlink" in line)
    assert chainlink[:4] == ["ethereum", "chainlink", str(FIRST), str(FIRST + COUNT - 1)]
    assert f"{FIRST:,} in 1" in out


def test_blocks_without_a_time_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the node did not say is a reason and n/k, and what is stored is not planned again."""
    path = tmp_path / "a.duckdb"
    told = {"eth_getBlockByNumber": lambda header: {**header, "timestamp": None}}
    with lying(blocks(40), told) as url:
        done = index(path, url)
        perpscope("status", "--database", path)
        named = ("--protocol", "chainlink", "--from", FIRST, "--database", path)
        perpscope("plan", "--chain", "ethereum", "--rpc", url, *named)

    out = capsys.readouterr().out
    assert done == 0
    assert re.search(r"rejected because +rows\nblock timestamp is not known +\d", out)
    assert re.search("chainlink .* time not known\n", out)
    assert out.endswith("ethereum: nothing to do\n")


def test_state_that_is_gone_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Supplies are read once a day; of a node that keeps no state no call came to an answer."""
    evening = int(datetime(2022, 12, 16, 23, 30, tzinfo=UTC).timestamp())
    chain = blocks(200, start_time=evening)
    where = ("--protocol", "lido", "--from", FIRST + 10, "--database", tmp_path / "a.duckdb")
    with serve([served(chain)], intercept=pruned_below(chain, FIRST + 200)) as node:
        code = perpscope("index", "--chain", "ethereum", "--rpc", node.url, *where)

    out = capsys.readouterr().out
    assert code == 0
    assert re.search(r"\nstate read came to +calls\nnot_collected +2 *\n", out)

    with serve([served(chain)]) as node:
        perpscope("index", "--chain", "ethereum", "--rpc", node.url, *where)
    again = capsys.readouterr().out
    assert "2 calls for state that was gone are answered; nothing else to do: all of it" in again
    assert re.search(r"\nstate read came to +calls\nsource_error +2 *\n", again)


def test_status_tells_of_contracts_that_were_given_other_code(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The code that a contract began with replaced none; what followed its logs did."""
    told = []
    for of in ("min", "max"):
        with duckdb.connect(held) as connection:
            connection.execute(
                f"insert into upgrades select chain_id, {of}(block_number), 0, 0, '0x0', "
                "'2022-12-17 12:34:56', 'chainlink', '1', '0x' || lower(hex(address)), null, '2', "
                "'event' from logs group by chain_id, address having min(block_number) < "
                "max(block_number) order by address limit 1"
            )
        perpscope("status", "--database", held)
        told.append(capsys.readouterr().out)
    perpscope("status", "--database", held, "--format", "json")
    (row,) = json.loads(capsys.readouterr().out)["upgrades"]

    assert "given other code" not in told[0]
    assert re.search(r"given other code .*\nethereum +chainlink +1 +1 +\d+ +2022-12-17T12", told[1])
    assert "`perpscope query upgrades` names the contracts" in told[1]
    assert (row["chain"], row["contracts"], row["upgrades"]) == ("ethereum", 1, 1)


def test_a_database_that_holds_nothing_says_what_to_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No table without rows is shown."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()

    assert perpscope("status", "--database", path) == 0
    assert capsys.readouterr().out == "nothing is indexed yet: run `perpscope index`\n"


def test_status_says_why_blocks_are_not_proven_further(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each reason once, however many ranges have it."""
    with duckdb.connect(held) as connection:
        connection.execute("update coverage set proof = 'waived', waiver = 'nobody can'")

    perpscope("status", "--database", held)

    assert capsys.readouterr().out.count("\nethereum is not proven further: nobody can\n") == 1


def test_status_is_json_as_well(
    held: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a monitor needs is told as numbers and moments; of no data, in empty lists."""
    assert perpscope("status", "--database", held, "--format", "json") == 0

    told = json.loads(capsys.readouterr().out)
    (chainlink,) = (row for row in told["protocols"] if row["protocol"] == "chainlink")
    assert (chainlink["chain"], chainlink["chain_id"]) == ("ethereum", 1)
    assert (chainlink["to_block"], chainlink["missing_blocks"]) == (FIRST + COUNT - 1, FIRST)
    assert chainlink["finalized_to"] == FIRST + COUNT - 65  # the node finalises after 64 blocks
    assert datetime.fromisoformat(chainlink["newest_block_at"]).tzinfo is UTC
    assert told["kinds"] == [{"chain": "ethereum", "chain_id": 1, "kind": "simulated"}]
    assert {row["protocol"]: row["to_block"] for row in told["gaps"]}["chainlink"] == FIRST - 1
    assert (told["snapshot"], told["imports"], told["waivers"], told["wrong"]) == (None, [], [], [])
    assert told["changed"] == []
    assert perpscope("status", "--database", tmp_path / "none.duckdb", "--format", "json") == 1


def test_rewind_and_index_end_where_they_began(
    held: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What rewind takes back, index fetches again; only `orphans` remembers."""
    before = contents(held)

    code = perpscope("rewind", "--chain", "ethereum", "--to-block", FIRST + 100, "--database", held)

    assert code == 0
    assert f"chainlink on ethereum is kept to block {FIRST + 100:,}" in capsys.readouterr().out
    assert rows(
        held, f"select count(*) from oracle_updates where block_number > {FIRST + 100}"
    ) == [(0,)]
    index(held, url)
    after = contents(held)
    assert {name for name in before if before[name] != after[name]} == {"orphans"}


def test_redecode_changes_nothing_without_a_reason(held: Path) -> None:
    """Facts derived again from stored logs are the same facts."""
    before = contents(held)

    code = perpscope("redecode", "--chain", "ethereum", "--database", held)

    assert code == 0
    assert contents(held) == before


def test_a_fact_that_was_changed_is_told_and_left(
    held: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`redecode --diff` exits 0 while facts follow from logs, and 1 where one does not."""
    words = ("redecode", "--chain", "ethereum", "--diff", "--database", held)
    assert perpscope(*words) == 0
    assert "every row is what the stored logs and answers give" in capsys.readouterr().out
    with duckdb.connect(held) as con:
        con.execute("update oracle_updates set oracle_price_quote = 1 where rowid = 0")
    before = contents(held)

    assert perpscope(*words) == 1

    told = capsys.readouterr()
    assert told.out.splitlines()[1].split() == ["oracle_updates", "1", "1"]
    assert "not what its stored logs and answers give: 1, expected none" in told.err
    assert contents(held) == before


def test_protocols_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every declared protocol, with its chains."""
    code = perpscope("protocols")

    out = capsys.readouterr().out
    assert code == 0
    assert "gmx_v2" in out
    assert "arbitrum" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--chain", "arbitrun"), "no chain is called 'arbitrun': did you mean arbitrum"),
        (
            ("--chain", "ethereum", "--protocol", "chainlnk"),
            "did you mean chainlink or chainlink_proxies?",
        ),
        (("--chain", "ethereum", "--protocol", "gmx_v2"), "gmx_v2 is not declared on ethereum"),
        (("--chain", "cronos"), "no protocol is declared on cronos"),
        (("--chain", "hypercore"), "which `perpscope import` takes"),
        (("--chain", "ethereum", "--from", "9", "--to", "3"), "--from 9 is after --to 3"),
        (
            ("--chain", "ethereum", "--from", "soon"),
            "--from soon is not a block: expected a number",
        ),
        (
            ("--chain", "ethereum", "--from", "\u0661"),  # a digit of another alphabet
            "--from \u0661 is not a block: expected a number",
        ),
        (
            ("--chain", "ethereum", "--from", "2025-10-12", "--to", "2025-10-10"),
            "--from 2025-10-12 is after --to 2025-10-10",
        ),
        (("--chain", "ethereum", "--rpc", "ftp://x"), "is not an endpoint"),
        (("--chain", "ethereum"), "no endpoint for ethereum"),
        (("--chain", "ethereum", "--database", "ducklake:x"), "ducklake: databases cannot be used"),
        (("--chain", "ethereum", "--config", "missing.toml"), "there is no settings file"),
    ],
)
def test_the_users_mistakes(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 2, one line that says what was seen and expected, and no file."""
    monkeypatch.chdir(tmp_path)

    code = perpscope("index", *words)

    err = capsys.readouterr().err
    assert code == 2
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


class Babbling(BaseHTTPRequestHandler):
    """Answers every request with the server's text."""

    def do_POST(self) -> None:
        """Send the text."""
        text = self.server.text  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"<html>Bad gateway</html>", "127.0.0.1"),
        (b'{"jsonrpc":"2.0","id":0,"result":{"garbage', "127.0.0.1"),
        (b"", "127.0.0.1"),
    ],
    ids=["html", "cut json", "nothing"],
)
def test_a_broken_node(
    text: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, one line that names the endpoint, no traceback and no database."""
    server = HTTPServer(("127.0.0.1", 0), Babbling)
    server.text = text  # type: ignore[attr-defined]
    Thread(target=server.serve_forever, daemon=True).start()
    path = tmp_path / "a.duckdb"

    code = index(path, f"http://127.0.0.1:{server.server_port}", *patient(tmp_path))

    server.shutdown()
    server.server_close()
    err = capsys.readouterr().err
    assert code == 1
    assert said in err
    assert "Traceback" not in err
    assert not path.exists()


def test_a_node_that_is_down(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 and the endpoint's name; no database is made."""
    path = tmp_path / "a.duckdb"

    code = index(path, NOWHERE, *patient(tmp_path))

    assert code == 1
    assert "127.0.0.1:9" in capsys.readouterr().err
    assert not path.exists()


def test_a_node_of_another_chain(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 and both chain ids; no database is made."""
    path = tmp_path / "a.duckdb"

    code = perpscope(
        "index", "--chain", "arbitrum", "--rpc", url, "--database", path, *patient(tmp_path)
    )

    err = capsys.readouterr().err
    assert code == 1
    assert "42161" in err
    assert not path.exists()


def test_a_file_that_is_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 before a node is asked; notes and what another program wrote stay as they are."""
    path = tmp_path / "a.duckdb"
    for content in (b"my notes\n" * 1_000, b"SQLite format 3\0".ljust(4_096, b"\0")):
        path.write_bytes(content)

        code = index(path, NOWHERE)

        assert code == 2
        assert f"{path} is not a DuckDB database: expected" in capsys.readouterr().err
        assert path.read_bytes() == content


def test_a_database_of_a_newer_perpscope(held: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1 before a node is asked, both versions, and what to do."""
    with duckdb.connect(held) as connection:
        connection.execute(f"update schema_version set version = {SCHEMA + 1}")
    before = contents(held)

    code = index(held, NOWHERE)

    err = capsys.readouterr().err
    assert code == 1
    seen = f"database has schema {SCHEMA + 1}, this perpscope knows up to {SCHEMA}"
    assert f"{seen}: upgrade perpscope" in err
    assert contents(held) == before


def test_a_database_of_an_older_perpscope_gets_the_tables_and_columns_it_lacks(
    tmp_path: Path, url: str, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What reads says what to do or needs none of them; what writes adds them and goes on."""
    path = tmp_path / "a.duckdb"
    index(path, url, "--to", FIRST + 90)
    with duckdb.connect(path) as connection:
        connection.execute(
            "drop table impact_parameters; drop table untold_shares; drop table balances; "
            "drop table upgrades; alter table pool_states drop column holds_pools"
        )
        connection.execute("update schema_version set version = 3, created_by = 'older'")
    metric, outgrown = ("metric", "impact_depth"), ("metric", "tvl")
    capsys.readouterr()

    asked = (metric, outgrown, ("check",), ("status",))
    told = [perpscope(*words, "--database", path) for words in asked]
    err = capsys.readouterr().err

    assert told == [1, 1, 1, 0]
    for table in ("impact_parameters", "balances"):
        assert f"no table {table}: either indexer/schema.sql names none so, or an older" in err
    assert index(path, url) == 0
    assert [perpscope(*words, "--database", path) for words in (metric, outgrown)] == [0, 0]
    versions = "select version, created_by = 'older' from schema_version order by 1"
    assert rows(path, versions) == [(3, True), (SCHEMA, False)]
    mine, clean = contents(path), contents(made)
    assert {name for name in mine if mine[name] != clean[name]} == {"schema_version"}


def test_a_folder_that_is_not_there(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2, as for a folder that is there; none is made on the quiet."""
    none, correct = tmp_path / "no", "correct --database, or database in the settings"
    for path, said in (
        (tmp_path, f"{tmp_path} is a folder: expected a file; {correct}"),
        (none / "a.duckdb", f"no folder {none} for a.duckdb: expected one; make it, or {correct}"),
    ):
        assert index(path, url) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("redecode", "--chain", "ethereum"),
        ("rewind", "--chain", "ethereum", "--to-block", "5"),
    ],
    ids=lambda words: words[0],
)
def test_there_is_no_database(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1; asking about a file does not make it."""
    code = perpscope(*words, "--database", tmp_path / "a.duckdb")

    assert code == 1
    assert "there is no database" in capsys.readouterr().err
    assert not (tmp_path / "a.duckdb").exists()


def test_a_database_that_may_only_be_read(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status reads it; index says in one line, to no node, that it cannot write it."""
    path = tmp_path / "a.duckdb"
    index(path, url, "--to", FIRST + 20)
    before = contents(path)
    path.chmod(0o444)
    if os.access(path, os.W_OK):
        pytest.skip("this user may write everything")

    seen = perpscope("status", "--database", path)
    capsys.readouterr()
    written = index(path, NOWHERE)

    err = capsys.readouterr().err
    assert (seen, written) == (0, 1)
    assert "a.duckdb cannot be used" in err
    assert err.count("\n") == 1
    assert contents(path) == before


@pytest.mark.parametrize("place", ["a.duckdb", "."])
def test_a_place_that_may_not_be_written_is_told_first(
    place: str, held: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file or its folder: no node is asked, also where tests run as one who may do all."""
    refused = held.parent / place
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path) != refused)

    asked = ("verify", "--chain", "ethereum", "--rpc", NOWHERE, "--database", held)
    for ask in (partial(index, held, NOWHERE), partial(perpscope, *asked)):
        code = ask()

        err = capsys.readouterr().err
        assert code == 1
        assert f"({refused} may not be written)" in err
        assert "nothing was asked of anybody" in err
        assert err.count("\n") == 1


def test_a_full_disk_leaves_the_database_as_it_was(tmp_path: Path, url: str) -> None:
    """Writing stops half-way: exit 1, one line, and what was covered before still reads."""
    path = tmp_path / "a.duckdb"
    index(path, url, "--to", FIRST + 20)
    before = contents(path)
    # What DuckDB writes beyond its headers fails, as on a full disk.
    limit = 3 * 4_096

    done = subprocess.run(
        [
            *(sys.executable, "-m", "perpscope", "index", "--chain", "ethereum", "--rpc", url),
            *("--protocol", "chainlink", "--from", str(FIRST), "--database", str(path)),
        ],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(path) == before

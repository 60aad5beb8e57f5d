"""Readers: beside who indexes, and of files that an older perpscope left."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from itertools import accumulate
from pathlib import Path

import duckdb
import pytest
import reader
from commands import perpscope
from report_rows import part_of, whole_coverage, written_market
from sync_rig import FEED_ADDRESS, FIRST, blocks, logs_of, rows, served

from analytics import load
from analytics.excerpt import excerpt
from analytics.reports.sections.covered import covered
from indexer.simulation.node import serve
from perpscope import app, outcome

COUNT = 120
STEPS = 3


def answers() -> dict[int, int]:
    """Return how many answers of the feed there are up to each block of the chain."""
    numbers = range(FIRST, FIRST + COUNT)
    each = (sum(log.address == FEED_ADDRESS for log in logs_of(number)) for number in numbers)
    return dict(zip(numbers, accumulate(each), strict=True))


def index(folder: Path, url: str, last: int) -> int:
    """Index to a block, with many commits, and publish the copy."""
    config = folder / "perpscope.toml"
    config.write_text(
        f'database = "{folder}/a.duckdb"\nstorage.snapshot = "{folder}/s.duckdb"\n'
        f"[chains.ethereum]\nfrom_block = {FIRST}\nprotocols = ['chainlink', 'maple']\n"
        "max_logs = 20\nmax_span = 20\n",
        encoding="utf-8",
    )
    words = ("index", "--chain", "ethereum", "--rpc", url, "--config", config, "--to", last)
    return outcome(partial(app, [str(word) for word in words], standalone_mode=False))


@pytest.mark.parametrize("readers_of_each", [2, pytest.param(4, marks=pytest.mark.soak)])
def test_readers_through_a_whole_backfill(tmp_path: Path, readers_of_each: int) -> None:
    """Some read the database and some the copy, all the time, in processes of their own."""
    expected, stop = tmp_path / "expected.json", tmp_path / "stop"
    expected.write_text(json.dumps(answers()), encoding="utf-8")
    paths = [tmp_path / name for name in ("a.duckdb", "s.duckdb") for _ in range(readers_of_each)]
    with ExitStack() as running, serve([served(blocks(COUNT))]) as node:
        readers = [
            running.enter_context(
                subprocess.Popen(
                    [sys.executable, reader.__file__, str(path), str(expected), str(stop)],
                    stdout=subprocess.PIPE,
                    text=True,
                    env=os.environ | {"POLARS_MAX_THREADS": "1"},
                )
            )
            for path in paths
        ]
        lasts = range(FIRST + COUNT // STEPS - 1, FIRST + COUNT, COUNT // STEPS)
        codes = [index(tmp_path, node.url, last) for last in lasts]
        stop.touch()
        found = [json.loads(process.communicate()[0]) for process in readers]

    assert codes == [0] * STEPS
    stored = rows(tmp_path / "s.duckdb", "select count(*) from oracle_updates")
    assert stored == [(answers()[FIRST + COUNT - 1],)]
    for told in found:
        assert told["errors"] == []
        assert told["torn"] == []
        assert told["numbers"] == sorted(set(told["numbers"]))
        assert told["reads"] > 2
    assert max(len(told["numbers"]) for told in found) > 1


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of schema 6, which knew no upgrades, of a day with trades."""
    path = written_market(tmp_path_factory.mktemp("older"), coverage=whole_coverage())
    with duckdb.connect(path) as con:
        con.execute("drop table upgrades; alter table pool_states drop column holds_pools")
        con.execute("alter table imports drop column declaration_digest")
        con.execute("update schema_version set version = 6")
    return path


@pytest.mark.parametrize(
    "asked",
    [
        *("query availability", "query evidence_mix", "query upgrades --protocol gmx_v2", "check"),
        *("metric tvl_growth_valued", "query pool_states_latest", "status"),
        f"query transaction_facts --param tx_hash=0x{'ab' * 32}",
    ],
)
def test_a_file_of_an_older_perpscope_is_read_as_it_is(older: Path, asked: str) -> None:
    """Nobody has to write to it first, as nobody can to a copy."""
    before = older.read_bytes()

    assert perpscope(*asked.split(), "--database", older) == 0
    assert older.read_bytes() == before


def test_what_a_file_of_an_older_perpscope_lacks_is_no_zero(
    older: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No row of it, no count, and a sentence on each report; the rest is as with an empty table."""
    codes = [
        perpscope("query", *words, "--database", older)
        for words in (["upgrades"], ["--sql", "select count(*) from logs, upgrades"])
    ]
    said = capsys.readouterr()
    with load.database(older) as con:
        coverage = load.facts(con, "coverage").collect()
    with excerpt(older, coverage) as con:
        assert load.facts(con, "upgrades").collect().is_empty()

    assert codes == [0, 1]
    assert "upgrades is not_collected: an older perpscope made the file and knew none" in said.err
    assert "the database has no table upgrades: either" in said.err
    assert "written by a perpscope that knew no upgrades, so that" in part_of(older, covered)


def test_a_table_that_a_file_lost_is_no_older_perpscope(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of today's schema what is not there is damage, and no answer is given without it."""
    path = written_market(tmp_path)
    with duckdb.connect(path) as con:
        con.execute("drop table upgrades; alter table pool_states drop column holds_pools")
    asked = (("query", "availability"), ("metric", "tvl"))

    codes = [perpscope(*words, "--database", path) for words in asked]
    said = capsys.readouterr().err

    assert codes == [1, 1]
    assert "the database has no table upgrades" in said
    assert 'the database lacks a column (unable to find column "holds_pools"' in said

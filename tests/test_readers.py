"""Readers while a chain is indexed: no error, nothing torn, snapshots that only rise."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from itertools import accumulate
from pathlib import Path

import pytest
import reader
from sync_rig import FEED_ADDRESS, FIRST, blocks, logs_of, rows, served

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

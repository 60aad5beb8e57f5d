"""`perpscope watch` from the outside: its port, its signals, and nodes that go away."""

import json
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest
from commands import perpscope
from proof_rig import lying, true_blocks, without_block
from sync_rig import BIRTH, FIRST, rows, served
from watch_rig import WAIT_SECONDS, configure, recent, watching, words

from indexer.simulation.node import Answer, serve

KEY = "0123456789abcdef0123456789abcdef"
GONE = Answer(503, b"away", {"Content-Type": "text/plain"})


def test_watch_follows_a_chain_and_stops_when_asked(tmp_path: Path) -> None:
    """
    Ready once caught up; new blocks arrive, are copied and reported on; SIGTERM ends it well.

    A second one is refused, by whatever name it has the database.
    """
    chain = recent(BIRTH - FIRST + 40)
    last = chain[-1].number
    report, copy = tmp_path / "report", tmp_path / "s.duckdb"
    watch = f'index = "1s"\nreport = "2s"\nreport_folder = "{report}"\nstale_after = "1d"'
    with serve([served(chain[:-20])]) as node:
        url = f"{node.url}ethereum?key={KEY}"
        config = configure(tmp_path, url, watch, f'storage.snapshot = "{copy}"')
        with watching(config) as running:
            before = running.told("/readyz")
            running.until(lambda: running.told("/readyz")[0] == 200)
            first = running.metric("perpscope_logs_total", chain="ethereum")
            node.replace(served(chain))
            running.until(lambda: running.metric("perpscope_indexed_block") == last)
            running.until((report / "manifest.json").exists)
            pages = {path: running.told(path) for path in ("/healthz", "/metrics")}
            second = running.metric("perpscope_logs_total", chain="ethereum")
            ahead = running.metric("perpscope_lag_blocks", chain="ethereum")
            other = tmp_path / "b.duckdb"
            other.symlink_to(tmp_path / "a.duckdb")
            again = [*words(config), "--database", str(other)]
            refused = subprocess.run(
                again, capture_output=True, text=True, check=False, timeout=WAIT_SECONDS
            )
            code, seconds = running.stop()
            said = running.rest()

    assert (before[0], code) == (503, 0)
    assert "has not caught up" in before[1]
    assert first is not None
    assert second is not None
    assert 0 < first < second
    assert ahead == 0
    assert pages["/healthz"] == (200, "ok\n")
    assert 'perpscope_task_runs_total{chain="ethereum",task="index"}' in pages["/metrics"][1]
    assert 'perpscope_covered_blocks{chain="ethereum",proof="fetched"' in pages["/metrics"][1]
    assert seconds < 10
    assert refused.returncode == 1
    assert f"held by process {running.process.pid}" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert refused.stderr.count("expected") == 1
    assert rows(copy, "select max(to_block) from coverage") == [(last,)]
    assert KEY not in json.dumps(said)
    assert said[-1]["event"] == "stopped"


def test_watch_outlives_a_node_that_goes_away(tmp_path: Path) -> None:
    """One sentence, counted, not ready once data are stale; when the node is back, so are we."""
    chain = recent(100)
    is_away = True

    def intercept(_slug: str, _body: bytes) -> Answer | None:
        return GONE if is_away else None

    with serve([served(chain)], intercept=intercept) as node:
        config = configure(tmp_path, node.url, 'index = "1h"\nstale_after = "1d"')
        with watching(config) as running:
            line = running.logged(event="failed", task="index", chain="ethereum")
            errors = running.metric("perpscope_task_errors_total", chain="ethereum", task="index")
            away = running.told("/readyz")[0], running.told("/healthz")[0]
            is_away = False
            running.logged(event="done", task="index")
            back = running.told("/readyz")[0]
            code, seconds = running.stop(signal.SIGINT)

    assert "127.0.0.1" in line["error"]
    assert line["again_in_seconds"] == 2
    assert errors is not None
    assert errors >= 1
    assert (away, back) == ((503, 200), 200)
    assert code == 0
    assert seconds < 10


def test_watch_verifies_what_is_stored(tmp_path: Path) -> None:
    """On its own schedule; what passes is proven, and what does not is a failure that is named."""
    schedule = 'index = "1h"\nverify = "1s"\nverify_level = "receipts"\nverify_sample = 0'
    with serve([served(true_blocks(60))]) as node:
        with watching(configure(tmp_path, node.url, schedule)) as running:
            running.logged(event="done", task="index")
            running.logged(event="done", task="verify")
            code, _ = running.stop()
        proofs = rows(tmp_path / "a.duckdb", "select distinct proof from coverage")
        with duckdb.connect(tmp_path / "a.duckdb") as connection:
            newest = "(select max(block_number) from logs)"
            connection.execute(f"delete from logs where block_number = {newest}")
        with watching(configure(tmp_path, node.url, schedule)) as running:
            line = running.logged(event="failed", task="verify")
            running.stop()

    assert code == 0
    assert proofs == [("receipts",)]
    assert "perpscope repair" in line["error"]


@pytest.mark.soak  # tests/test_sync_agreed.py compares endpoints, and others watch
def test_watch_holds_endpoints_to_each_other(tmp_path: Path) -> None:
    """One that tells otherwise is a failure that is named; with one alone watch does not begin."""
    chain, hidden = true_blocks(60), FIRST + 20
    schedule = 'index = "1h"\nverify = "1s"\nverify_level = "agreed"'
    with (
        serve([served(chain)]) as node,
        lying(chain, {"eth_getLogs": without_block(hidden)}) as odd,
    ):
        alone = configure(tmp_path, node.url, schedule)
        refused = subprocess.run(
            words(alone), capture_output=True, check=False, timeout=WAIT_SECONDS
        )
        with watching(configure(tmp_path, f'{node.url}", "{odd}', schedule)) as running:
            running.logged(event="done", task="index")
            line = running.logged(event="failed", task="verify")
            running.stop()

    assert refused.returncode == 2
    assert f"ethereum {hidden} to {hidden}" in line["error"]


def test_watch_stops_in_the_middle_of_a_backfill(tmp_path: Path) -> None:
    """SIGTERM before the head is reached: exit 0, and what is covered is whole."""
    with serve([served(recent(900))]) as node:
        config = configure(tmp_path, node.url, 'index = "1h"')
        config.write_text(
            config.read_text("utf-8").replace(
                "from_block", "max_span = 5\nmax_logs = 5\nfrom_block"
            ),
            encoding="utf-8",
        )
        with watching(config) as running:
            running.until(lambda: (running.metric("perpscope_logs_total") or 0) > 20)
            code, seconds = running.stop()
            events = [line["event"] for line in running.rest()]

    path = tmp_path / "a.duckdb"
    covered, facts, logs = rows(
        path,
        """select max(to_block), (select max(block_number) from oracle_updates),
        (select max(block_number) from logs) from coverage""",
    )[0]
    assert (code, seconds < 10) == (0, True)
    assert events[-3:] == ["stopping", "stopped in mid-run", "stopped"]
    assert isinstance(covered, int)
    assert FIRST < covered < FIRST + 899
    assert isinstance(facts, int)
    assert facts <= covered
    assert facts == logs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no chain is configured"),
        ("[chains.ethereum]\nprotocols = ['chainlink']", "no endpoint for ethereum"),
        ("watch.index = 'soon'", "watch.index is 'soon' in"),
        ("watch.stale_after = '5 parsecs'", "expected a length of time such as 30s"),
        ("watch.snapshot = '5m'", "storage.snapshot not where: expected a file"),
        ("watch.often = '5s'", '"often" in'),
        ("watch.port = 70000", "watch.port is 70000"),
        ("chains.ethereum.rpc = 'http://x/${NO_SUCH_KEY}'", "environment variable NO_SUCH_KEY"),
    ],
)
def test_the_users_mistakes(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and one sentence, before anything is started or made."""
    config = tmp_path / "perpscope.toml"
    config.write_text(text, encoding="utf-8")

    assert perpscope("watch", "--config", config, "--database", tmp_path / "a.duckdb") == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a.duckdb").exists()


def test_a_port_that_is_taken_is_the_worlds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1, so that what started it tries again: whoever has the port may end."""
    with serve([served(recent(2))]) as node:
        config = configure(tmp_path, node.url, "")
        text = config.read_text(encoding="utf-8").replace("port = 0", f"port = {node.port}")
        config.write_text(text, encoding="utf-8")

        assert perpscope("watch", "--config", config) == 1

    said = "cannot be used (Address already in use): expected a free one"
    assert said in capsys.readouterr().err
    assert not (tmp_path / "a.duckdb").exists()


def test_a_file_that_is_no_database_is_not_tried_again_and_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 at once: it would be a failure of every task, for ever."""
    config = configure(tmp_path, "http://127.0.0.1:9", "")
    (tmp_path / "a.duckdb").write_text("my notes\n" * 1_000, encoding="utf-8")

    assert perpscope("watch", "--config", config) == 2
    assert "a.duckdb is not a DuckDB database" in capsys.readouterr().err

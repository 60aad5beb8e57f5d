"""The loop of `perpscope watch`, with tasks made for the test and real signals."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from threading import Timer
from typing import Self

import duckdb
import pytest
from sync_rig import FEED, FIRST, blocks, indexed, job, run, served

from indexer.errors import NodeUnavailable
from indexer.rpc import Endpoint
from indexer.simulation.node import serve
from indexer.store import open_database, publish, status
from indexer.sync import Summary, Tally, take_back
from indexer.watch import (
    Extra,
    Freshness,
    Metrics,
    Service,
    Task,
    Watched,
    open_journal,
    tasks_of,
)
from indexer.watch.service import DueOnce
from indexer.watch.threads import elsewhere

Run = Callable[[], Awaitable[dict[str, object]]]

NOON = datetime(2025, 10, 10, 12, 0)
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """Give the loggers of the process back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def metrics() -> Metrics:
    """Return the metrics of one chain."""
    return Metrics(Freshness(["ethereum"], 60), {1: "ethereum"})


def worked(run: Run, told: Metrics) -> None:
    """Run a service with one task, in this process, until the task sends SIGTERM."""
    task = Task("try", "1h", run, is_first=True)
    journal = open_journal(is_json=True)
    Service([task], told, Freshness([], 60), journal, first_pause_seconds=0.02).run(0)


def stop() -> None:
    """Ask this process to end."""
    os.kill(os.getpid(), signal.SIGTERM)


def lines(captured: pytest.CaptureFixture[str], event: str) -> list[dict[str, object]]:
    """Return the log lines of an event."""
    said = (json.loads(line) for line in captured.readouterr().err.splitlines())
    return [line for line in said if line["event"] == event]


def sample(told: Metrics, name: str, **labels: str) -> float | None:
    """Return a sample of the metrics."""
    return told.registry.get_sample_value(name, labels)


def test_a_task_that_fails_is_tried_again_after_growing_pauses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence each time, counted, and the schedule of an hour does not matter."""
    told, tries = metrics(), 0

    async def run() -> dict[str, object]:
        """Fail three times."""
        nonlocal tries
        tries += 1
        if tries < 4:
            raise NodeUnavailable("the node\nis away")
        stop()
        return {}

    worked(run, told)

    said = lines(capsys, "failed")
    assert [line["error"] for line in said] == ["the node is away"] * 3
    assert [line["again_in_seconds"] for line in said] == [0.02, 0.04, 0.08]
    assert sample(told, "perpscope_task_errors_total", task="try", chain="") == 3
    assert sample(told, "perpscope_task_runs_total", task="try", chain="") == 1


def test_a_clock_that_is_set_back_puts_nothing_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour back after the first run, and the next comes a second later, not an hour."""
    ahead, runs = timedelta(hours=1), 0

    class Clock(datetime):
        """The time of day of a machine."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            """Return what the machine says."""
            return cls.fromtimestamp(time.time(), tz) + ahead

    for module in ("apscheduler.schedulers.base", "apscheduler.triggers.interval"):
        monkeypatch.setattr(f"{module}.datetime", Clock)
    monkeypatch.setattr("indexer.watch.service.datetime", Clock)
    monkeypatch.setattr("indexer.watch.service._CLOCK_SECONDS", 0.1)

    async def run() -> dict[str, object]:
        """Set the clock right, then stop."""
        nonlocal ahead, runs
        runs, ahead = runs + 1, timedelta()
        if runs == 2:
            stop()
        return {}

    otherwise = Timer(20, stop)  # where nothing else ends it
    otherwise.start()
    task = Task("try", "1s", run, is_first=True)
    try:
        Service([task], metrics(), Freshness([], 60), open_journal(is_json=True)).run(0)
    finally:
        otherwise.cancel()

    assert runs == 2


@pytest.mark.parametrize("when", ["15s", "*/5 * * * *"])
def test_a_clock_that_jumps_ahead_makes_a_task_due_once(when: str) -> None:
    """On a machine that was in 1970 until it heard the time, nothing counts the days between."""
    schedule, began = DueOnce(when), datetime(1970, 1, 1, tzinfo=UTC)
    now = began.replace(year=2026)

    following = schedule.get_next_fire_time(began, now)

    assert now <= following <= now + timedelta(minutes=5)
    assert following < schedule.get_next_fire_time(following, following)


def test_a_terminal_that_closes_stops_it_well() -> None:
    """SIGHUP is as SIGTERM, so that what is half written is removed; under nohup it is nothing."""
    told, heard = metrics(), []

    async def hang_up() -> dict[str, object]:
        """Close the terminal; stop where nobody heard."""
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.2)
        heard.append("not")
        stop()
        return {}

    before = signal.getsignal(signal.SIGHUP)
    try:
        worked(hang_up, told)
        assert heard == []
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        worked(hang_up, told)
        assert heard == ["not"]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_defect_keeps_its_traceback_and_the_loop_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What nobody raised on purpose is logged whole, counted, and ends nothing else."""
    told = metrics()

    async def run() -> dict[str, object]:
        """Stop the service in a moment, and break."""
        asyncio.get_running_loop().call_later(0.1, stop)
        raise ZeroDivisionError

    worked(run, told)

    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert json.loads(err.splitlines()[-1])["event"] == "stopped"
    assert sample(told, "perpscope_task_errors_total", task="try", chain="") == 1


def test_what_is_being_committed_ends_before_the_loop_does() -> None:
    """SIGTERM in the middle of a commit in another thread: the commit is over when we are."""
    committed: list[bool] = []

    def commit() -> None:
        time.sleep(0.3)
        committed.append(True)

    async def index() -> dict[str, object]:
        """Commit while the service is stopped."""
        asyncio.get_running_loop().call_later(0.05, stop)
        await asyncio.to_thread(commit)
        await asyncio.sleep(60)
        return {}

    worked(lambda: elsewhere(index), metrics())

    assert committed == [True]


def test_what_does_not_end_is_left() -> None:
    """A thread that nobody can cancel keeps the process for a few seconds, and no longer."""
    told = (
        "import time; from test_watch_service import *; from indexer.watch import service; "
        "service._STOP_SECONDS = 0.3; "
        "run = lambda: asyncio.to_thread(lambda: stop() or time.sleep(60)); worked(run, metrics())"
    )

    done = subprocess.run(
        [sys.executable, "-c", told],
        cwd=Path(__file__).parent, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(done.stderr.splitlines()[-1])["event"] == "left unfinished"


def test_a_chain_that_waits_for_a_lock_does_not_stop_the_loop(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each chain has a thread and a loop of its own; the service hears the signal meanwhile."""

    async def index() -> dict[str, object]:
        """Hold up its thread."""
        time.sleep(0.5)
        return {}

    async def run() -> dict[str, object]:
        """Stop the service while the other thread is held up."""
        asyncio.get_running_loop().call_later(0.05, stop)
        return await elsewhere(index)

    started = time.monotonic()
    worked(run, metrics())

    said = lines(capsys, "stopping")
    assert said[0]["running"] == ["try"]
    assert time.monotonic() - started < 5


def test_work_is_counted_once_however_often_it_is_looked_at() -> None:
    """A run's totals become increments; the next run starts from nothing."""
    told = metrics()
    tally = Tally(ranges=1, blocks=10, logs=5)

    for logs in (5, 5, 8):
        tally.logs = logs
        told.works("ethereum", Summary(tally, 100, 0, 3, 1.0))
    told.begins("ethereum")
    told.works("ethereum", Summary(Tally(logs=2), 100, 1, 3, 1.0))

    assert sample(told, "perpscope_logs_total", chain="ethereum") == 10
    assert sample(told, "perpscope_requests_total", chain="ethereum") == 6
    assert sample(told, "perpscope_reorgs_total", chain="ethereum") == 1


def test_data_are_stale_when_the_newest_block_is_old() -> None:
    """A node that stays behind and a run that fails look the same: the block grows old."""
    now = NOON
    freshness = Freshness(["ethereum"], 60, now=lambda: now)

    unknown = freshness.stale()
    freshness.reached("ethereum", NOON - timedelta(seconds=50))
    fresh = freshness.stale()
    now += timedelta(seconds=20)
    old = freshness.stale()

    assert unknown == ["ethereum has not caught up with its head since the start"]
    assert fresh == []
    assert old == ["the newest indexed block of ethereum is 70 s old: expected at most 60 s"]


def test_where_a_block_has_no_time_the_moment_of_indexing_counts() -> None:
    """A head without a timestamp is as new as our knowledge of it."""
    freshness = Freshness(["ethereum"], 60)

    freshness.reached("ethereum", None)

    assert freshness.stale() == []
    assert datetime.now(UTC).year > 2000
    assert 0 <= freshness.age("ethereum") < 60


@pytest.mark.parametrize("is_json", [True, False])
def test_no_key_reaches_the_log(is_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    """Not in our words, in a library's, or in a traceback."""
    url = f"https://u:{KEY}@node.example/v2/{KEY}?key={KEY}"
    journal = open_journal(is_json=is_json)

    journal.info("asking", url=url)
    logging.getLogger("library").warning("cannot reach %s", url)
    try:
        raise ValueError(url)
    except ValueError:
        logging.getLogger("library").exception("broken")

    err = capsys.readouterr().err
    assert KEY not in err
    assert err.count("node.example") >= 3


def test_what_is_stored_no_more_is_told_no_more(tmp_path: Path) -> None:
    """A protocol that was taken back leaves no number behind."""
    path, told = tmp_path / "a.duckdb", metrics()
    indexed(path, 40)

    told.stored(status(path, {}))
    before = told.text()
    take_back(job(path).ledger(), [FEED], 0)
    told.stored(status(path, {}))

    assert b'protocol="feed"' in before
    assert b'protocol="feed"' not in told.text()
    assert b'protocol="pools"' in told.text()


@pytest.mark.parametrize(("start", "missing"), [(None, 10), (datetime(2022, 12, 2), 0)])
def test_a_run_that_begins_at_a_moment_misses_nothing_before_it(
    tmp_path: Path, start: datetime | None, missing: int
) -> None:
    """Ten blocks from the contract's own first one on; none that we know of from a day on."""
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(40))]) as node:
        run(job(path, protocols=(FEED,), from_block=FIRST + 10), node.url)
    work = job(path, protocols=(FEED,), from_block=start)
    freshness = Freshness(["ethereum"], 60)
    told = Metrics(freshness, {1: "ethereum"})
    watched = Watched(path, [(work, [])], "1m", None, None, told, freshness)

    look = next(task for task in tasks_of(watched) if task.name == "look")
    asyncio.run(asyncio.wait_for(look.run(), 30))

    line = f'perpscope_missing_blocks{{chain="ethereum",protocol="feed"}} {missing}.0'
    assert line in told.text().decode()


def test_who_reads_long_is_given_the_copy(tmp_path: Path) -> None:
    """It is published if anything has changed; before there is a database nothing is done."""
    path, copy = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    freshness, seen = Freshness(["ethereum"], 60), list[Path]()
    told = Metrics(freshness, {1: "ethereum"})
    watched = Watched(path, [], "1m", copy, "5m", told, freshness)
    extras = [Extra("short", "1h", seen.append), Extra("long", "1h", seen.append, reads_long=True)]
    by_name = {
        task.name: task for task in tasks_of(watched, [*extras, Extra("never", None, print)])
    }

    def done(*names: str) -> list[dict[str, object]]:
        return [asyncio.run(asyncio.wait_for(by_name[name].run(), 30)) for name in names]

    before = done("snapshot", "short", "long"), [*seen]
    open_database(path).close()
    after = done("short", "long", "snapshot", "snapshot", "short", "long")

    assert sorted(by_name) == ["long", "look", "short", "snapshot"]
    assert before == ([{}] * 3, [])
    assert after == [{}, {}, {"snapshot": 1}, {}, {}, {}]
    assert seen == [path, path, path, copy]


def test_a_copy_that_an_earlier_watch_published_is_told_at_once(tmp_path: Path) -> None:
    """Where nothing has changed since, none follows that would say its number."""
    path, copy = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()
    publish(path, copy)
    freshness = Freshness(["ethereum"], 60)
    told = Metrics(freshness, {1: "ethereum"})
    tasks = tasks_of(Watched(path, [], "1m", copy, "5m", told, freshness))

    for task in tasks:
        if task.is_first:
            asyncio.run(asyncio.wait_for(task.run(), 30))

    assert "perpscope_snapshot_number 1.0" in told.text().decode()


def test_a_declaration_that_reads_more_is_told_and_copied_once(tmp_path: Path) -> None:
    """No block is new: the log names the protocol, and a run that finds nothing copies nothing."""
    path, copy = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    with serve([served(blocks(40))]) as node:
        run(job(path, protocols=(FEED,)), node.url)
        with duckdb.connect(path) as connection:
            connection.execute("update coverage set declaration_digest = 'old/old'")
            connection.execute("update reaches set reach = 'old'")
        freshness = Freshness(["ethereum"], 60)
        told = Metrics(freshness, {1: "ethereum"})
        jobs = [
            (job(path, protocols=(FEED,)), [Endpoint(node.url, tries=2, first_wait_seconds=0.01)])
        ]
        index = tasks_of(Watched(path, jobs, "1m", copy, None, told, freshness))[0]
        said = [asyncio.run(asyncio.wait_for(index.run(), 30)) for _ in range(2)]

    assert [(one["blocks"], one.get("renewed")) for one in said] == [(0, ("feed",)), (0, None)]
    text = told.text().decode()
    assert "perpscope_snapshot_number 1.0" in text
    assert 'perpscope_missing_blocks{chain="ethereum",protocol="feed"} 0.0' in text

"""
The loop of `perpscope watch`: it starts tasks on time, and stops when a signal says so.

A task that fails is said in one sentence, counted, and tried again after pauses that double,
whatever its schedule; once it succeeds, its schedule holds again. Whatever fails, the loop goes on.
"""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Timer
from time import monotonic
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from indexer.errors import PerpscopeError
from indexer.schedules import trigger
from indexer.watch.freshness import Freshness
from indexer.watch.metrics import Metrics
from indexer.watch.serving import answering
from indexer.watch.tasks import Task

_LONGEST_PAUSE_SECONDS = 600
_STOP_SECONDS = 8.0
_CLOCK_SECONDS = 5.0


class Service:
    """Tasks, the clock that starts them, and the port that tells about them."""

    def __init__(
        self,
        tasks: Sequence[Task],
        metrics: Metrics,
        freshness: Freshness,
        journal: structlog.typing.FilteringBoundLogger,
        first_pause_seconds: float = 2,
    ) -> None:
        """
        Prepare; nothing is started yet.

        Args:
            tasks: what to do; names differ within a chain.
            metrics: told of every run.
            freshness: asked by `/readyz`.
            journal: where it is written.
            first_pause_seconds: pause after a first failure.
        """
        self._tasks = {f"{task.name} {task.chain}".strip(): task for task in tasks}
        self._metrics, self._freshness, self._journal = metrics, freshness, journal
        self._first_pause_seconds = first_pause_seconds
        self._deadline = Timer(_STOP_SECONDS, self._leave)
        self._deadline.daemon = True
        self._failures: Counter[str] = Counter()
        self._running: dict[str, Any] = {}  # the scheduler runs one of each at a time
        self._clock: Any = None  # apscheduler ships no types

    def run(self, port: int) -> None:
        """
        Work until SIGTERM, SIGINT or SIGHUP, then let commits end, and return.

        Raises:
            WorldError: the port is taken.
            UserError: it cannot be used.
        """
        try:
            asyncio.run(self._run(port))
        finally:
            self._deadline.cancel()

    async def _run(self, port: int) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(len(self._tasks)))  # nobody queues
        for number in _stops():
            loop.add_signal_handler(number, stop.set)
        async with answering(self._metrics, self._freshness, port) as url:
            self._start()
            self._journal.info("watching", url=url, tasks=sorted(self._tasks))
            await self._until(stop)
            self._clock.pause()
            self._journal.info("stopping", running=sorted(self._running))
            # Threads cannot be cancelled. What one has not committed by then leaves no trace.
            self._deadline.start()
            await self._stopped()
        self._journal.info("stopped")

    def _start(self) -> None:
        self._clock = AsyncIOScheduler(
            timezone=UTC,
            # Late is better than never, and once is enough.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._clock.add_listener(self._broke, EVENT_JOB_ERROR)
        for name, task in self._tasks.items():
            self._metrics.expects(task.name, task.chain)
            first = {"next_run_time": datetime.now(UTC)} if task.is_first else {}
            self._clock.add_job(self._perform, DueOnce(task.when), [name], id=name, **first)
        self._clock.start()

    async def _until(self, stop: asyncio.Event) -> None:
        ahead = _ahead()
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _CLOCK_SECONDS)
            before, ahead = ahead, _ahead()
            if ahead < before - 1:
                self._plan_anew()

    def _plan_anew(self) -> None:
        """Plan by a clock that was set back: what was planned before would wait for so long."""
        now = datetime.now(UTC)
        for job in self._clock.get_jobs():
            soon = trigger(self._tasks[job.id].when).get_next_fire_time(None, now)
            job.modify(next_run_time=min(soon, job.next_run_time))

    async def _perform(self, name: str) -> None:
        task = self._tasks[name]
        self._running[name] = asyncio.current_task()
        started = monotonic()
        try:
            told = await task.run()
        except (PerpscopeError, OSError) as error:
            self._failed(name, str(error))
        except asyncio.CancelledError:
            self._journal.info("stopped in mid-run", task=task.name, chain=task.chain)
        else:
            self._succeeded(name, told, monotonic() - started)
        finally:
            del self._running[name]

    def _succeeded(self, name: str, told: dict[str, object], seconds: float) -> None:
        task = self._tasks[name]
        self._failures.pop(name, None)
        self._metrics.succeeded(task.name, task.chain, seconds)
        if not task.is_quiet:
            spent = round(seconds, 2)
            self._journal.info("done", task=task.name, chain=task.chain, seconds=spent, **told)

    def _failed(self, name: str, sentence: str) -> None:
        task = self._tasks[name]
        self._failures[name] += 1
        doubled = self._first_pause_seconds * 2 ** min(self._failures[name] - 1, 20)
        pause = min(doubled, _LONGEST_PAUSE_SECONDS)
        self._metrics.failed(task.name, task.chain)
        self._journal.warning(
            "failed",
            task=task.name,
            chain=task.chain,
            error=" ".join(sentence.split()),
            again_in_seconds=pause,
        )
        self._clock.modify_job(name, next_run_time=datetime.now(UTC) + timedelta(seconds=pause))

    def _broke(self, event: Any) -> None:
        # A defect of ours: apscheduler has logged the traceback, and the schedule goes on.
        task = self._tasks[event.job_id]
        self._metrics.failed(task.name, task.chain)

    async def _stopped(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self._clock.shutdown(wait=False)

    def _leave(self) -> None:
        self._journal.warning("left unfinished", after_seconds=_STOP_SECONDS)
        os._exit(0)


class DueOnce(BaseTrigger):  # type: ignore[misc] # theirs has no types
    """
    A schedule of which all that was missed is due once.

    apscheduler lists each moment in the past before it takes the last: of a machine that started
    in 1970 and then was told the time, for so long, and in so much memory, that all else ended.
    """

    def __init__(self, when: str) -> None:
        self._trigger = trigger(when)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> Any:
        """Return the moment after the previous one; after now, where that is in the past."""
        due = self._trigger.get_next_fire_time(previous, now)
        return due if due >= now else self._trigger.get_next_fire_time(now, now)


def _stops() -> list[signal.Signals]:
    """Return the signals that end the loop; under nohup a terminal that closes is none."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else [])]


def _ahead() -> float:
    """Return by how much the time of day is ahead of a clock that nobody sets, in seconds."""
    return datetime.now(UTC).timestamp() - monotonic()

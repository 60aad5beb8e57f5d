"""`perpscope watch` as a process of its own: its configuration, its port, its logs and its end."""

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from sync_rig import FIRST, blocks

from indexer.simulation.blocks import Block

WAIT_SECONDS = 30.0


def recent(count: int) -> list[Block]:
    """Return a chain whose last block was made a moment ago."""
    return blocks(count, start_time=int(time.time()) - 12 * count)


def configure(folder: Path, url: str, watch: str, more: str = "") -> Path:
    """Write the settings of watching one chain; return their path."""
    path = folder / "perpscope.toml"
    path.write_text(
        f"""
database = "{folder}/a.duckdb"
{more}

[chains.ethereum]
rpc = ["{url}"]
protocols = ["chainlink", "maple"]
from_block = {FIRST}

[retries]
tries = 1
first_wait_seconds = 0.01

[watch]
port = 0
{watch}
""",
        encoding="utf-8",
    )
    return path


class Watch:
    """A running `perpscope watch`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read its log in a thread, so that it never waits for us."""
        self.process = process
        self.log: list[dict[str, Any]] = []
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = str(self.logged(event="watching")["url"])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)

    def logged(self, **wanted: object) -> dict[str, Any]:
        """Wait for the next log line with these values and return it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except Empty:
                break
            self.log.append(json.loads(line))
            if wanted.items() <= self.log[-1].items():
                return self.log[-1]
        raise AssertionError(f"no log line with {wanted} in {self.log}")

    def told(self, path: str) -> tuple[int, str]:
        """Return HTTP status and body of a page."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str, **labels: str) -> float | None:
        """Return a sample's value; None where there is none."""
        for line in self.told("/metrics")[1].splitlines():
            place, _, value = line.rpartition(" ")
            said = place.partition("{")[2]
            if place.partition("{")[0] == name and all(
                f'{key}="{text}"' in said for key, text in labels.items()
            ):
                return float(value)
        return None

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something holds."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, self.told("/metrics")
            time.sleep(0.05)

    def rest(self) -> list[dict[str, Any]]:
        """Return the whole log of a process that has ended."""
        self._reader.join(timeout=10)
        while not self._lines.empty():
            self.log.append(json.loads(self._lines.get()))
        return self.log

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal; return the exit code and how long it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        return code, time.monotonic() - started


def words(config: Path) -> list[str]:
    """Return the command line that watches."""
    command = ("-m", "perpscope", "watch", "--config", str(config), "--log-format", "json")
    return [sys.executable, *command]


@contextmanager
def watching(config: Path) -> Iterator[Watch]:
    """Run `perpscope watch` while the block runs."""
    with subprocess.Popen(words(config), stderr=subprocess.PIPE, text=True) as process:
        try:
            yield Watch(process)
        finally:
            process.kill()

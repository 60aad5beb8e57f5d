"""
A real node: anvil, one process at a time, that is gone when the block of its test ends.

anvil is a Node program that starts a native one and passes signals on; both live in a process
group of their own, so that nothing is left over whatever happens to the test.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from loopback import ask

PROGRAM = Path(__file__).resolve().parent.parent / "node_modules" / ".bin" / "anvil"
START_SECONDS = 30


class Anvil:
    """
    An anvil that can be stopped and started again at the same address.

    Args:
        folder: where its output goes, and its chain when it is stopped politely.
        options: of the command line.
    """

    def __init__(self, folder: Path, options: Sequence[str]) -> None:
        self._said = folder / "anvil.txt"
        self._options = [*options, "--state", str(folder / "state.json")]
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return where it answers."""
        return f"http://127.0.0.1:{self._port}"

    def ask(self, method: str, *params: object) -> Any:
        """Return the result of one call."""
        return ask(self.url, method, *params)

    def start(self) -> None:
        """Start it, with the chain of the last polite stop, and wait until it answers."""
        if not PROGRAM.exists():
            pytest.fail(f"{PROGRAM} is missing: `make test` installs it, and needs npm for that")
        command = [str(PROGRAM), "--port", str(self._port), *self._options]
        with self._said.open("wb") as output:
            self._process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.PIPE, start_new_session=True
            )
        self._port = self._announced(self._process)

    def _announced(self, process: subprocess.Popen[bytes]) -> int:
        until = monotonic() + START_SECONDS
        while monotonic() < until and process.poll() is None:
            if found := re.search(r"Listening on 127\.0\.0\.1:(\d+)", self._said.read_text()):
                return int(found[1])
            sleep(0.01)
        self.kill()
        pytest.fail(f"anvil did not start: {self._said.read_text()[-2000:]}")

    def stop(self) -> None:
        """Stop it politely: it writes its chain to a file before it goes."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=START_SECONDS)  # both programs have closed stderr
            self._process = None

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.communicate()
            self._process = None


@contextmanager
def anvil(folder: Path, *options: str) -> Iterator[Anvil]:
    """Run anvil while the block runs."""
    node = Anvil(folder, options)
    try:
        node.start()
        yield node
    finally:
        node.kill()

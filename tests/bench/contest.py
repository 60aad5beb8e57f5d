"""A node and its clients as processes of their own, each on one core, and what a client costs."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic

import msgspec
from clients import Call
from ten_words import Offer

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORES = sorted(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Cost:
    """
    What one run of a client cost.

    Attributes:
        seconds: of the process, from its start to its end.
        cpu_seconds: of the process, user and system.
        call: of the call alone, without Python's start and imports.
    """

    seconds: float
    cpu_seconds: float
    call: Call


@contextmanager
def node(event: str, logs: int, per_block: int) -> Iterator[Offer]:
    """Serve a chain from the last core while the block runs."""
    process = _started(CORES[-1], "ten_words.py", event, str(logs), str(per_block))
    with process:
        try:
            assert process.stdout is not None
            yield msgspec.json.decode(process.stdout.readline(), type=Offer)
        finally:
            process.terminate()


def cost(client: str, offer: Offer, span: int, *more: str) -> Cost:
    """Run a client on the first core; 0 blocks in one request leave the span to the client."""
    started = monotonic()
    told = msgspec.json.encode(offer).decode()
    process = _started(CORES[0], "clients.py", client, told, str(span), *more)
    assert process.stdout is not None
    with process.stdout as output:
        said = output.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"exit code {process.returncode}: {said.decode()}"
    call = msgspec.json.decode(said.splitlines()[-1], type=Call)
    return Cost(monotonic() - started, used.ru_utime + used.ru_stime, call)


def summary(name: str, costs: Sequence[Cost]) -> dict[str, str]:
    """Return medians with the smallest and the largest value, named for a client."""
    measured = {
        "process_seconds": [one.seconds for one in costs],
        "process_cpu_seconds": [one.cpu_seconds for one in costs],
        "call_seconds": [one.call.seconds for one in costs],
        "call_cpu_seconds": [one.call.cpu_seconds for one in costs],
        "peak_mib": [one.call.peak_mib for one in costs],
    }
    return {
        f"{name}_{what}": f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
        for what, values in measured.items()
    }


def _started(core: int, script: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(HERE / script), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with _pinned(core):
        return subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)


@contextmanager
def _pinned(core: int) -> Iterator[None]:
    # A child keeps the cores of its parent.
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)

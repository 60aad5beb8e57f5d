"""One run of one tool against the node, on a core of its own, and what came of it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TypeVar

import msgspec
from peer_faults import Fault
from peer_node import Asked, Offer, Truth
from peer_places import HERE, ROOT, filled
from peers import Peer

CORES = sorted(os.sched_getaffinity(0))
ALARM = re.compile(
    r"warn|error|fail|reject|incomplete|missing|mismatch|invalid|exception|refus|retr|contradict"
    r"|differ|expected|does not|cannot|no such",
    re.IGNORECASE,
)
Told = TypeVar("Told")
NUMBER = re.compile(r"0x[0-9a-f]+|\d[\d,._]*", re.IGNORECASE)


@dataclass(frozen=True)
class Trial:
    """
    What came of one run.

    Attributes:
        rows: transfers found; None where there is nothing to count.
        total: the sum of their values, as text; "raw" where the tool does not decode them.
        truth: what is there to be found.
        exit_code: of the process; negative is the signal that ended it.
        is_late: whether it was stopped because it took too long.
        seconds: of the process, from its start to its end.
        cpu_seconds: of the process and those it waited for, user and system.
        peak_mib: the most memory that one of its processes ever had resident.
        asked: how often the node was asked, under both of its addresses.
        lines: what it printed.
    """

    rows: int | None
    total: str
    truth: Truth
    exit_code: int
    is_late: bool
    seconds: float
    cpu_seconds: float
    peak_mib: float
    asked: Asked
    lines: tuple[str, ...]

    @property
    def is_right(self) -> bool:
        """Whether every transfer is there, with its value where the tool decodes."""
        return self.rows == self.truth.rows and self.total in {self.truth.total, "raw"}

    def alarms(self, clean: "Trial | None" = None) -> list[str]:
        """Return the lines that say that something is wrong, and not also in a clean run."""
        usual = {_shape(line) for line in clean.lines} if clean else set()
        return [line for line in self.lines if ALARM.search(line) and _shape(line) not in usual]


def _shape(line: str) -> str:
    # "0 rejects" and "1 rejects" differ, "14 requests" and "15 requests" do not.
    return NUMBER.sub(lambda found: "0" if not found[0].strip("0.,x") else "N", line)


@contextmanager
def node(logs: int, per_block: int) -> Iterator[Offer]:
    """Serve a chain from the last core while the block runs."""
    command = [sys.executable, str(HERE / "peer_node.py"), str(logs), str(per_block)]
    environment = os.environ | {"PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}"}
    with _pinned(CORES[-1]):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    with process:
        try:
            assert process.stdout is not None
            yield msgspec.json.decode(process.stdout.readline(), type=Offer)
        finally:
            process.terminate()


def trial(peer: Peer, offer: Offer, fault: Fault, logs: int, seconds: float) -> Trial:
    """
    Run a tool over the first blocks of the chain.

    Args:
        peer: the tool, installed.
        offer: the node.
        fault: what the node does wrong.
        logs: how many are in the range; never more than the node has.
        seconds: after which the tool is stopped.
    """
    last = min(logs // offer.per_block, offer.last) + fault.has_odd_log
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        run = Path(folder).name
        url, clean = f"{offer.url}/{fault.name}/{run}", f"{offer.url}/none/second-{run}"
        values = {
            "url": url,
            "clean": clean,
            "contract": offer.contract,
            "last": last,
            "span": fault.span,
            "folder": folder,
        }
        ended = _run(filled(peer.command, peer, values), Path(folder), seconds)
        rows, total = _counted(filled(peer.counting, peer, values), Path(folder))
        truth = _told(f"{offer.url}/truth/{last}", Truth)
        first, second = _told(url, Asked), _told(clean, Asked)
        asked = Asked(first.requests + second.requests, first.calls + second.calls, first.hits)
        return Trial(rows, total, truth, *ended, asked, _lines(Path(folder)))


def _run(command: list[str], folder: Path, most: float) -> tuple[int, bool, float, float, float]:
    started = monotonic()
    with (folder / "output.txt").open("wb") as output, _pinned(CORES[0]):
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=_environment(),
            start_new_session=True,
        )
    is_late = False
    try:
        while not (ended := os.wait4(process.pid, os.WNOHANG))[0]:
            if monotonic() - started > most and not is_late:
                is_late = True
                os.killpg(process.pid, signal.SIGKILL)
            sleep(0.005)
        seconds = monotonic() - started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it may have left behind
    _, status, used = ended
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu_seconds = used.ru_utime + used.ru_stime
    return process.returncode, is_late, seconds, cpu_seconds, used.ru_maxrss / 1024


def _environment() -> dict[str, str]:
    # Wide lines, no colours: what is printed is searched for words.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return kept | {"COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"}


def _counted(command: list[str], folder: Path) -> tuple[int | None, str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = re.fullmatch(r"(\d+) (\d+|raw)", done.stdout.strip())
    return (int(found[1]), found[2]) if found and not done.returncode else (None, "")


def _told(url: str, kind: type[Told]) -> Told:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - loopback, our own URL
        return msgspec.json.decode(answer.read(), type=kind)


def _lines(folder: Path) -> tuple[str, ...]:
    text = (folder / "output.txt").read_text(encoding="utf-8", errors="replace")
    plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text)
    lines = (line.strip(" \t│╭╮╰╯─") for line in re.split(r"[\r\n]+", plain))
    return tuple(line for line in lines if line)


@contextmanager
def _pinned(core: int) -> Iterator[None]:
    # A child keeps the cores of its parent.
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, CORES)

"""
perpscope beside its peers: `make bench-peers`, with options in ARGS (see --help).

One node, one machine, one run: each tool indexes the same Transfer logs from the same node, on the
first core, while the node has the last. Then each meets a node that loses logs. It prints two
tables for BENCHMARKS.md and what did not run, with the reason; it asserts nothing.
"""

import argparse
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from peer_faults import FAULTS, NONE
from peer_places import NotInstalled, install
from peer_trials import CORES, Trial, node, trial
from peers import PEERS, PERPSCOPE, Peer

SHOWN = 100  # characters of what a tool said


def main() -> None:
    """Measure, and print tables."""
    wanted = _arguments()
    chosen = [peer for peer in (*PERPSCOPE, *PEERS) if _is_chosen(peer, wanted.only)]
    absent: dict[str, str] = {}
    print(_machine(wanted))
    runs = _throughput(chosen, absent, wanted)
    running = [peer for peer in chosen if peer.name in runs]
    print(_speed_table(running, runs))
    if wanted.matrix_logs:
        print(_fault_table(running, wanted))
    for name, reason in absent.items():
        print(f"\nNot measured: {name}: {reason}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers ARGS=...", description=__doc__)
    parser.add_argument("--logs", type=int, default=500_000, help="in the throughput table")
    parser.add_argument("--matrix-logs", type=int, default=20_000, help="0: no fault matrix")
    parser.add_argument("--per-block", type=int, default=25)
    parser.add_argument("--rounds", type=int, default=3, help="of the throughput table")
    parser.add_argument("--seconds", type=float, default=900, help="after which a run is stopped")
    parser.add_argument("--only", default="", help="names' beginnings, separated by commas")
    return parser.parse_args()


def _is_chosen(peer: Peer, only: str) -> bool:
    names = [name.strip() for name in only.split(",") if name.strip()]
    return not names or any(peer.name.startswith(name) for name in names)


def _machine(wanted: argparse.Namespace) -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next(
        (told[2] for line in lines if "model name" in (told := line.partition(": "))[0]), "?"
    )
    packages = ("perpscope", "polars", "duckdb", "pyarrow", "numpy", "web3")
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {len(CORES)} cores of {model}, "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"{', '.join(f'{name} {version(name)}' for name in packages)}. "
        f"{wanted.per_block} logs in a block, {wanted.rounds} rounds; client on core {CORES[0]}, "
        f"node on core {CORES[-1]}."
    )


def _throughput(
    chosen: Sequence[Peer], absent: dict[str, str], wanted: argparse.Namespace
) -> dict[str, list[Trial]]:
    runs: dict[str, list[Trial]] = {}
    for peer in chosen:
        try:
            _say(f"installing {peer.name}")
            install(peer)
        except NotInstalled as reason:
            absent[peer.name] = str(reason)
    with node(wanted.logs, wanted.per_block) as offer:
        for turn in range(wanted.rounds):
            for peer in chosen:
                if peer.name in absent:
                    continue
                _say(f"round {turn + 1}: {peer.name}")
                done = trial(peer, offer, NONE, min(wanted.logs, peer.most_logs), wanted.seconds)
                if done.is_right and not done.exit_code:
                    runs.setdefault(peer.name, []).append(done)
                else:
                    absent[peer.name] = _failure(done)
                    runs.pop(peer.name, None)
    return runs


def _failure(done: Trial) -> str:
    said = (done.alarms() or list(done.lines) or ["nothing"])[-1]
    late = "stopped, too slow; " if done.is_late else ""
    values = "" if done.is_right or done.rows != done.truth.rows else " with wrong values"
    return (
        f"{late}exit code {done.exit_code}, {_found(done)} rows{values} from a node without "
        f"faults; it said: {said[:SHOWN]}"
    )


def _found(done: Trial) -> str:
    rows = "no" if done.rows is None else f"{done.rows:,}"
    return f"{rows} of {done.truth.rows:,}"


def _speed_table(running: Sequence[Peer], runs: dict[str, list[Trial]]) -> str:
    lines = [
        "\n| client | what it does | logs | s | logs/s | beside cryo | client CPU s "
        "| HTTP requests (calls) | peak MiB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    yardstick = next((_speed(runs[name]) for name in runs if name.startswith("cryo")), None)
    for peer in running:
        several = runs[peer.name]
        rows, asked = several[0].truth.rows, several[0].asked
        speed = _speed(several)
        ratio = f"{speed / yardstick:.3f}" if yardstick else "not measured"
        lines.append(
            f"| {peer.name} | {peer.work} | {rows:,} | {_spread([o.seconds for o in several])} "
            f"| {speed:,.0f} | {ratio} | {_spread([o.cpu_seconds for o in several])} "
            f"| {asked.requests:,} ({asked.calls:,}) | {max(o.peak_mib for o in several):,.0f} |"
        )
    return "\n".join(lines)


def _speed(several: Sequence[Trial]) -> float:
    return several[0].truth.rows / median(one.seconds for one in several)


def _spread(values: Sequence[float]) -> str:
    middle = f"{median(values):.2f}"
    return f"{middle} ({min(values):.2f} to {max(values):.2f})" if len(values) > 1 else middle


def _fault_table(running: Sequence[Peer], wanted: argparse.Namespace) -> str:
    lines = [
        "\n| client | " + " | ".join(fault.title for fault in FAULTS) + " |",
        "|---" * (len(FAULTS) + 1) + "|",
    ]
    notes = ["\nWhat was said:"]
    with node(wanted.matrix_logs, wanted.per_block) as offer:
        for peer in running:
            _say(f"{peer.name} without faults")
            clean = trial(peer, offer, NONE, wanted.matrix_logs, wanted.seconds)
            cells = []
            for fault in FAULTS:
                _say(f"{peer.name}: {fault.title}")
                done = trial(peer, offer, fault, wanted.matrix_logs, wanted.seconds)
                said = done.alarms(clean)
                cells.append(_cell(done, is_warned=bool(said)))
                if said and not done.is_right:
                    notes.append(f"- {peer.name}, {fault.title}: `{said[-1][:SHOWN]}`")
            lines.append(f"| {peer.name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, *(notes if len(notes) > 1 else [])])


def _cell(done: Trial, *, is_warned: bool) -> str:
    """Return rows found of expected, how the tool ended, and whether one could know."""
    ending = "stopped, too slow" if done.is_late else f"exit {done.exit_code}"
    if not done.asked.hits:
        return f"{_found(done)}, {ending}: fault never met"
    if done.is_right:
        return f"{_found(done)}, {ending}: complete"
    if done.exit_code or is_warned:
        return f"{_found(done)}, {ending}: told"
    wrong = "wrong values" if done.rows == done.truth.rows else "loss"
    return f"{_found(done)}, {ending}: **silent {wrong}**"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

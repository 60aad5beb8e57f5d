"""Play many seeds at once and say what happened: `python -m soak --seeds 50`, below tests/."""

import argparse
import os
import sys
from collections import Counter
from time import monotonic

from rig.catalogue import FAULTS

from soak.campaign import outcomes

_HAZARDS = {
    "killed": "The process is killed with SIGKILL.",
    "disk_full": "The database cannot grow any more.",
    "clock_jumped": "Wall clock or steady clock jump.",
    "reorg_between_runs": "Blocks are replaced while nobody indexes.",
}


def main() -> int:
    """Play the seeds the command line names; return 1 where one failed."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    asked = parser.parse_args()
    started = monotonic()
    happened, endings, failed = Counter[str](), Counter[str](), 0
    for done, outcome in enumerate(
        outcomes(range(asked.first, asked.first + asked.seeds), asked.jobs), 1
    ):
        happened += outcome.happened
        endings += outcome.endings
        failed += bool(outcome.failures)
        for failure in outcome.failures:
            print(f"seed {outcome.seed}: {failure}")
            print(f"  alone: make soak SEEDS=1 FIRST={outcome.seed}", flush=True)
        if done % 100 == 0:
            print(f"{done} seeds, {failed} failed, {monotonic() - started:.0f} s", flush=True)
    _print_counts(happened, endings)
    seconds = monotonic() - started
    print(f"{asked.seeds - failed} of {asked.seeds} seeds passed in {seconds:.0f} s")
    return 1 if failed else 0


def _print_counts(happened: Counter[str], endings: Counter[str]) -> None:
    print("What happened, and how often:")
    sentences = {name: fault.sentence for name, fault in FAULTS.items()} | _HAZARDS
    for name, count in sorted(happened.items()):
        print(f"  {name:34} {count:6}  {sentences[name]}")
    print("How runs ended while it did:")
    for name, count in endings.most_common():
        print(f"  {name:34} {count:6}")


if __name__ == "__main__":
    sys.exit(main())

"""Seeds on all cores."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING

from soak.runs import prepare
from soak.seeds import Outcome, Undisturbed, play, undisturbed

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized


def outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """Yield what each seed came to, in order."""
    context = get_context("spawn")
    started = context.Value("i", 0)
    with ProcessPoolExecutor(jobs, context, _begin, (started,)) as pool:
        yield from pool.map(_played, seeds)


def _begin(started: "Synchronized[int]") -> None:
    # A core each: processes that share their cores spend much of their time on each other.
    cores = sorted(os.sched_getaffinity(0))
    with started.get_lock():
        os.sched_setaffinity(0, {cores[started.value % len(cores)]})
        started.value += 1
    os.environ["POLARS_MAX_THREADS"] = "1"
    prepare()


def _played(seed: int) -> Outcome:
    try:
        return play(seed, _expected())
    except (OSError, RuntimeError) as error:
        return Outcome(seed, failures=[f"{type(error).__name__}: {error}"])


@cache
def _expected() -> Undisturbed:
    return undisturbed()

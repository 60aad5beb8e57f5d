"""Seeds on all cores."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

from soak.runs import prepare
from soak.seeds import Outcome, Undisturbed, play, undisturbed


def outcomes(seeds: range, jobs: int) -> Iterator[Outcome]:
    """Yield what each seed came to, in order."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), prepare) as pool:
        yield from pool.map(_played, seeds)


def _played(seed: int) -> Outcome:
    try:
        return play(seed, _expected())
    except (OSError, RuntimeError) as error:
        return Outcome(seed, failures=[f"{type(error).__name__}: {error}"])


@cache
def _expected() -> Undisturbed:
    return undisturbed()

"""
Clocks that can be made to jump, in place of Python's own before anything else is imported.

A process whose PYTHONPATH names this folder starts with it. Suspended machines, time servers and
people set clocks; a steady clock only ever jumps forward.
"""

import time
from collections.abc import Sequence

_wall, _steady = time.time, time.monotonic
_jumps: list[tuple[float, float, float]] = []


def schedule(jumps: Sequence[tuple[float, float, float]]) -> None:
    """
    Let the clocks jump.

    Args:
        jumps: for each, seconds from now, and by how much the wall clock and the steady clock
            jump then, seconds.
    """
    now = _steady()
    _jumps[:] = [(now + after, wall, steady) for after, wall, steady in jumps]


def passed() -> int:
    """Return how many jumps there have been."""
    now = _steady()
    return sum(moment <= now for moment, _, _ in _jumps)


def _time() -> float:
    now = _steady()
    return _wall() + sum(wall for moment, wall, _ in _jumps if moment <= now)


def _monotonic() -> float:
    now = _steady()
    return now + sum(steady for moment, _, steady in _jumps if moment <= now)


time.time, time.monotonic = _time, _monotonic

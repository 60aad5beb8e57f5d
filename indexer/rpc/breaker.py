"""
Whether an endpoint is worth asking, as its last answers tell.

    closed ──(a failure)──► resting ──(three in a row)──► open ──(time passes)──► half-open
       ▲                                                                              │
       └────────────────────────── an answer ─────────────────────────────────────────┘

A resting endpoint is asked after the others, an open one only where no other is left. A half-open
one is probed in the background; it closes with the first answer and opens again, for twice as
long, with the next failure.
"""

from typing import Literal

State = Literal["closed", "resting", "open", "half-open"]

_MOST_FAILURES = 3
_REST_SECONDS = 2.0
_OPEN_SECONDS = 15.0
_LONGEST_SECONDS = 300.0


class Breaker:
    """The circuit breaker of one endpoint."""

    def __init__(self) -> None:
        """Begin closed."""
        self._failures = 0
        self._until = 0.0

    def state(self, now: float) -> State:
        """Return how the endpoint stands at this moment."""
        if self._failures >= _MOST_FAILURES:
            return "open" if now < self._until else "half-open"
        return "resting" if self._failures and now < self._until else "closed"

    def failed(self, now: float) -> None:
        """Note that the endpoint gave no answer, or one that cannot be believed."""
        self._failures += 1
        over = self._failures - _MOST_FAILURES
        if over < 0:
            self._until = now + _REST_SECONDS * self._failures
        else:
            self._until = now + min(_OPEN_SECONDS * 2 ** min(over, 9), _LONGEST_SECONDS)

    def shut(self, now: float) -> None:
        """Note that the endpoint will serve nobody with this key: open at once, for long."""
        self._failures = max(self._failures, _MOST_FAILURES)
        self._until = now + _LONGEST_SECONDS

    def answered(self) -> None:
        """Note that the endpoint lives."""
        self._failures = 0

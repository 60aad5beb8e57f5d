"""
How many calls a second an endpoint takes: learned from its refusals, never guessed.

Without a cap the rate is unlimited until the endpoint says "slow down". Then it falls to half of
what was sent in the second before, and grows again by a twentieth of that a second: additive
increase, multiplicative decrease. A first refusal after a quiet second says little about the limit,
so the pace begins no lower than 25 calls a second and halves from there. A refusal that names no
pause is followed by a short one, for the window in which the endpoint counts. Calls are counted,
not requests, because providers bill them so.
"""

from collections import deque

_WINDOW_SECONDS = 1.0  # refusals within it are one refusal: requests under way come back together
_LEAST = 1.0
_GUESS = 50.0
_FALL = 0.5
_GROWTH = 0.05
_PAUSE_SECONDS = 0.5


class Rate:
    """
    The pace of one endpoint.

    Attributes:
        per_second: calls a second; None while no limit is known.
        paused_until: until when the endpoint asked to be left alone, on the pool's clock.
        refusals: how often the endpoint said "slow down"; turns taken before are void.
    """

    def __init__(self, cap: float | None = None) -> None:
        """Never go faster than `cap` calls a second."""
        self.per_second = cap
        self.paused_until = 0.0
        self.refusals = 0
        self._cap = cap
        self._free_at = 0.0
        self._step = 0.0
        self._refused_at = -_WINDOW_SECONDS
        self._sent: deque[tuple[float, int]] = deque()

    def wait(self, now: float) -> float:
        """Return how long a request would wait for its turn, seconds."""
        return max(self._free_at, self.paused_until, now) - now

    def reserve(self, now: float, calls: int) -> float:
        """Take the next turn for a request of that many calls, and return when it begins."""
        begins = now + self.wait(now)
        if self.per_second is not None:
            self._free_at = begins + calls / self.per_second
        self._sent.append((begins, calls))
        while self._sent and self._sent[0][0] <= now - _WINDOW_SECONDS:
            self._sent.popleft()
        return begins

    def served(self, calls: int) -> None:
        """Note that a request was answered: the pace grows a little."""
        if self.per_second is None or not self._step:
            return
        self.per_second += self._step * calls / self.per_second
        if self._cap is not None:
            self.per_second = min(self.per_second, self._cap)

    def refused(self, now: float, pause: float | None) -> None:
        """Note that the endpoint said "slow down" and asked for a pause; None where it did not."""
        wait = _PAUSE_SECONDS if pause is None else pause
        self.paused_until = max(self.paused_until, now + wait)
        self.refusals += 1
        while self._sent and self._sent[-1][0] > now:
            self._sent.pop()
        self._free_at = min(self._free_at, now)
        if now - self._refused_at < _WINDOW_SECONDS:
            return
        self._refused_at = now
        sent = float(sum(calls for at, calls in self._sent if at > now - _WINDOW_SECONDS))
        known = max(sent, _GUESS) if self.per_second is None else self.per_second
        self.per_second = max(known * _FALL, _LEAST)
        self._step = known * _GROWTH

"""How long an endpoint takes to answer, from its last answers."""

from collections import deque

_SAMPLES = 64
_ENOUGH = 8
_FORGET_SECONDS = 300.0


class Latency:
    """
    The answer times of one kind of request at one endpoint.

    What is older than five minutes is forgotten, so that an endpoint which was slow once is
    tried again.
    """

    def __init__(self) -> None:
        """Begin without any answer."""
        self._samples: deque[tuple[float, float]] = deque(maxlen=_SAMPLES)

    def took(self, now: float, seconds: float) -> None:
        """Note an answer that came now, after so many seconds."""
        self._samples.append((now, seconds))

    def typical(self, now: float) -> float | None:
        """Return the median of the answer times, seconds; None where none is known."""
        return self._quantile(now, 0.5, least=1)

    def slow(self, now: float) -> float | None:
        """Return what 19 of 20 answers do not exceed; None where fewer than 8 are known."""
        return self._quantile(now, 0.95, least=_ENOUGH)

    def _quantile(self, now: float, share: float, least: int) -> float | None:
        while self._samples and now - self._samples[0][0] > _FORGET_SECONDS:
            self._samples.popleft()
        if len(self._samples) < least:
            return None
        ordered = sorted(seconds for _, seconds in self._samples)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

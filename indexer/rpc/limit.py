"""How much an endpoint serves at once, as its refusals tell."""

_FORGET_SECONDS = 300.0


class Limit:
    """
    The least that one endpoint is known not to serve at once: blocks of logs, or calls.

    One endpoint with a small limit must not make requests small for all: it is left out where one
    is too large for it. Dense blocks pass, so a refusal is forgotten after five minutes.
    """

    def __init__(self) -> None:
        """Begin without a refusal."""
        self._refused: int | None = None
        self._refused_at = 0.0

    def refused(self, now: float, size: int, most: int | None) -> None:
        """Note that so much was refused, and how much the endpoint said it would serve."""
        self._refused = size if most is None else min(size, most + 1)
        self._refused_at = now

    def answered(self, size: int) -> None:
        """Note that so much was served."""
        if self._refused is not None and size >= self._refused:
            self._refused = None

    def is_refused(self, now: float, size: int) -> bool:
        """Whether so much is likely to be refused."""
        is_recent = now - self._refused_at <= _FORGET_SECONDS
        return self._refused is not None and is_recent and size >= self._refused

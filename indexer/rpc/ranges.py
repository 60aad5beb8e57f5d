"""How many blocks of logs an endpoint serves at once, as its refusals tell."""

_FORGET_SECONDS = 300.0


class Ranges:
    """
    The longest range one endpoint is known not to serve.

    One endpoint with a small limit must not make ranges short for all: it is left out where a
    range is too long for it. Dense blocks pass, so a refusal is forgotten after five minutes.
    """

    def __init__(self) -> None:
        """Begin without a refusal."""
        self._refused: int | None = None
        self._refused_at = 0.0

    def refused(self, now: float, blocks: int, suggested: tuple[int, int] | None) -> None:
        """Note that a range of this length was refused, and the range proposed instead."""
        shortest = blocks if suggested is None else suggested[1] - suggested[0] + 2
        self._refused = min(blocks, shortest)
        self._refused_at = now

    def answered(self, blocks: int) -> None:
        """Note that a range of this length was served."""
        if self._refused is not None and blocks >= self._refused:
            self._refused = None

    def are_refused(self, now: float, blocks: int) -> bool:
        """Whether a range of this length is likely to be refused."""
        is_recent = now - self._refused_at <= _FORGET_SECONDS
        return self._refused is not None and is_recent and blocks >= self._refused

"""How old the newest indexed block of each chain is: what `/readyz` judges."""

from collections.abc import Callable, Iterable
from datetime import datetime

from indexer.tables import now


class Freshness:
    """
    The newest block each chain was indexed to.

    A node that stays behind, or a run that fails, lets data grow old alike; a chain that has not
    caught up since the start is not known to be fresh at all.
    """

    def __init__(
        self, chains: Iterable[str], stale_seconds: float, now: Callable[[], datetime] = now
    ) -> None:
        """Watch these chains; data older than `stale_seconds` are stale."""
        self._newest: dict[str, datetime | None] = dict.fromkeys(chains)
        self._stale_seconds = stale_seconds
        self._now = now

    def reached(self, chain: str, head_at: datetime | None) -> None:
        """Note that a chain is indexed to a block of this time; None: where nobody knows, now."""
        self._newest[chain] = head_at or self._now()

    def age(self, chain: str) -> float:
        """Return how many seconds ago the newest indexed block was made; NaN before the first."""
        newest = self._newest[chain]
        return float("nan") if newest is None else (self._now() - newest).total_seconds()

    def stale(self) -> list[str]:
        """Return a sentence per chain whose data are too old, or not there yet."""
        return [
            sentence
            for chain in sorted(self._newest)
            if (sentence := self._complaint(chain)) is not None
        ]

    def _complaint(self, chain: str) -> str | None:
        if self._newest[chain] is None:
            return f"{chain} has not caught up with its head since the start"
        if self.age(chain) <= self._stale_seconds:
            return None
        return (
            f"the newest indexed block of {chain} is {self.age(chain):,.0f} s old: expected at "
            f"most {self._stale_seconds:,.0f} s"
        )

"""How many calls a run may send, whichever endpoint they go to."""

from indexer.errors import RequestsSpent


class Allowance:
    """A number of JSON-RPC calls that is never exceeded."""

    def __init__(self, most: int | None) -> None:
        """Allow `most` calls; None for any number."""
        self._most = most
        self._spent = 0

    def spend(self, calls: int) -> None:
        """
        Take calls from what is left.

        Raises:
            RequestsSpent: there are fewer left; none is taken.
        """
        if self._most is not None and self._spent + calls > self._most:
            raise RequestsSpent(
                f"stopped after {self._spent:,} requests, because {calls:,} more would exceed "
                f"--max-requests {self._most:,}: what is whole is stored; run again to go on"
            )
        self._spent += calls

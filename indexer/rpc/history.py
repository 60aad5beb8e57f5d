"""
How far back an endpoint goes: searched, not asked, for headers, logs and state.

Old blocks are tried from the oldest on; between one that is not served and one that is, a few
bisections find about where it begins. A block whose bloom filter says that it holds logs must not
be answered with none: then history is pruned without a word.
"""

from collections.abc import Awaitable, Callable

from indexer.errors import HistoryPruned, NodeBehind, WorldError
from indexer.rpc.frames import Header
from indexer.rpc.probing import Probe, call, perhaps, returned_bytes

Serves = Callable[[int], Awaitable[bool | None]]

_NEIGHBOURS = 8  # one of so many blocks has a log, on a chain that is used
_BISECTIONS = 6


class History:
    """
    A search through one endpoint's history.

    Attributes:
        lacks_logs: whether it was found to lack the logs of an older block.
        empty_at: a block it answered with no logs although the header says that there are some.
    """

    def __init__(self, probe: Probe, head: int, batch_calls: int) -> None:
        """Search below `head`, with at most `batch_calls` calls in a request."""
        self.lacks_logs = False
        self.empty_at: int | None = None
        self._probe, self._head = probe, head
        self._neighbours = min(_NEIGHBOURS, batch_calls)
        self._headers: dict[int, list[Header]] = {}

    async def headers_from(self) -> int | None:
        """Return about the first block whose header is served."""
        return await self._earliest(self._serves_header)

    async def logs_from(self) -> int | None:
        """Return about the first block whose logs are known to be served."""
        return await self._earliest(self._serves_logs)

    async def state_from(self) -> int | None:
        """Return about the first block after which calls are answered."""
        return await self._earliest(self._serves_state)

    async def _earliest(self, serves: Serves) -> int | None:
        failing: int | None = None
        for point in self._points():
            is_served = await serves(point)
            if is_served:
                return point if failing is None else await self._between(failing, point, serves)
            if is_served is False:
                failing = point
        return None

    async def _between(self, low: int, high: int, serves: Serves) -> int:
        for _ in range(_BISECTIONS):
            if high - low <= 1:
                break
            middle = (low + high) // 2
            if await serves(middle):
                high = middle
            else:
                low = middle
        return high

    def _points(self) -> list[int]:
        head = self._head
        depths = (head // 64, head // 16, head // 4, head // 2, head - 10_000, head - 1_000)
        # Block 0 is kept by nodes that have thrown away all others.
        points = {1, *depths, head - 128, head - 16, head}
        return sorted(point for point in points if 0 < point <= head) or [head]

    async def _serves_header(self, number: int) -> bool:
        return bool(await self._near(number))

    async def _serves_logs(self, number: int) -> bool | None:
        headers = await self._near(number)
        if not headers:
            return False
        if not any(found.logs_bloom and any(found.logs_bloom) for found in headers):
            return None  # no logs would be the right answer
        try:
            count = await self._probe.logs(headers[0].number, headers[-1].number)
        except (HistoryPruned, NodeBehind):
            self.lacks_logs = True
            return False
        except WorldError:
            return None  # it may want an address, or find the blocks too full
        if not count:
            self.lacks_logs, self.empty_at = True, number
        return bool(count)

    async def _serves_state(self, number: int) -> bool:
        asking = self._probe.asked([call(hex(number))], returned_bytes)
        return await perhaps(asking) is not None

    async def _near(self, number: int) -> list[Header]:
        """Return the headers of a few blocks from this one on; none where one is missing."""
        if number not in self._headers:
            last = min(number + self._neighbours - 1, self._head)
            self._headers[number] = await perhaps(self._probe.headers(number, last)) or []
        return self._headers[number]

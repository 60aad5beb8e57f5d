"""What sync asks of a chain's node; `indexer.rpc.Node` answers it."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import polars as pl

from indexer.rpc import EndpointStatistics, Filter, Header, Tag


class Source(Protocol):
    """A chain as its endpoints tell it; see `indexer.rpc.Node` for what each answer promises."""

    @property
    def requests(self) -> int:
        """JSON-RPC calls sent so far."""
        ...

    def statistics(self) -> tuple[EndpointStatistics, ...]:
        """Return each endpoint's account, in order of preference."""
        ...

    async def client_version(self) -> str:
        """Return what the node calls itself."""
        ...

    async def head(self, tag: Tag = "latest") -> Header | None:
        """Return the header a tag points to; None where the node does not know the tag."""
        ...

    async def logs(
        self, wanted: Filter, from_block: int, to_block: int
    ) -> tuple[pl.DataFrame, Header]:
        """Return the logs of a range and the header of its last block, from one request."""
        ...

    async def headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """Return the headers of these blocks, sorted by number."""
        ...

    async def sealed_headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """Return the headers of these blocks, hashes recomputed, sorted by number."""
        ...

    async def receipt_logs(self, headers: pl.DataFrame) -> pl.DataFrame:
        """Return all logs of some blocks, from receipts that give their headers' roots."""
        ...

    def doubt(self, from_block: int, to_block: int) -> None:
        """Leave whoever answered about this range alone for a while."""
        ...

    async def calls(
        self, requests: Sequence[tuple[bytes, bytes]], block: Header
    ) -> list[bytes | None]:
        """Return what contracts answer after one block; None where they revert."""
        ...

    async def state(
        self, requests: Sequence[tuple[bytes, bytes]], block: Header
    ) -> list[bytes | None]:
        """Return what contracts answer after one block, shown to be executed there."""
        ...

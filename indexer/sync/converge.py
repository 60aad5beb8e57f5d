"""
The loop: what is missing, fetch it, land it, until nothing is missing.

One range is fetched while the one before is decoded and written; they land in order. Whatever
stops the loop, the database holds whole ranges and says which, so the next run goes on there.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic

from indexer.chains import Chain
from indexer.errors import NodeBehind, RangeTooLarge
from indexer.facts import Known, declared, first_block
from indexer.spec import Protocol
from indexer.store import Stored
from indexer.sync.coverage import origin_kind
from indexer.sync.declarations import check_unchanged
from indexer.sync.fetching import ChainMoved, Fetched, Piece, fetch, with_children
from indexer.sync.heads import Heads, read_heads
from indexer.sync.landing import Landing, Overtaken, Tally
from indexer.sync.plan import Segment, plan
from indexer.sync.reorgs import Ledger, known_of, reconcile, upgrade
from indexer.sync.source import Source
from indexer.sync.span import Span

Progress = Callable[[int, int, int], None]

_WINDOW_BLOCKS = 200
_ROWS_PER_COMMIT_LOG = 6
_MOST_SETBACKS = 10
_FRESH_SECONDS = 60.0


@dataclass(frozen=True)
class Job:
    """
    What to index.

    Attributes:
        path: the database.
        chain: the chain.
        protocols: whose events; all of them are fetched in one pass.
        declarations: every protocol there is, by slug.
        from_block: first block; None for each protocol's own first block.
        to_block: last block; None for the chain's head.
        max_span: most blocks in one request; None to find out.
        max_logs: logs to aim at in one range, which bounds memory.
    """

    path: Path
    chain: Chain
    protocols: tuple[Protocol, ...]
    declarations: dict[str, Protocol]
    from_block: int | None = None
    to_block: int | None = None
    max_span: int | None = None
    max_logs: int = 25_000

    def ledger(self) -> Ledger:
        """Return the chain's part of the database."""
        return Ledger(self.path, self.chain, self.declarations)


@dataclass(frozen=True)
class Summary:
    """
    What a run did.

    Attributes:
        tally: ranges, blocks, logs, facts and rejects written.
        head: the chain's last block when it was last asked.
        head_at: its time; None where the node could not say.
        reorgs: how often blocks had to be taken back.
        requests: JSON-RPC calls sent.
        seconds: how long it took.
    """

    tally: Tally
    head: int
    reorgs: int
    requests: int
    seconds: float
    head_at: datetime | None = None


Look = Callable[[], Summary]


def _unseen(_look: Look) -> None:
    """Nobody wants to look."""


async def converge(
    node: Source, job: Job, progress: Progress, begun: Callable[[Look], None] = _unseen
) -> Summary:
    """
    Bring the database to the chain's head, or to `job.to_block`.

    Args:
        node: whom to ask.
        job: what to index.
        progress: told blocks done, blocks to do and logs written after each range.
        begun: given, before anything is fetched, a function that returns what was done so far;
            it answers at any time, also after a failure.

    Raises:
        UserError: a declaration has changed since its blocks were indexed.
        ReorgTooDeep: the chain changed below what was final.
        RangeTooLarge: a single block is more than the node will serve.
        RetryableError: the node or the database stayed out of reach; run again later.
        WorldError: the node contradicts itself, or the database cannot be written.
    """
    started = monotonic()
    run = _Run(node, job, progress, await node.client_version())

    def look() -> Summary:
        seconds = monotonic() - started
        return Summary(run.tally, run.head, run.reorgs, node.requests, seconds, run.head_at)

    begun(look)
    while await run.step():
        pass
    return look()


class _Run:
    def __init__(self, node: Source, job: Job, progress: Progress, origin: str) -> None:
        self.tally = Tally()
        self.head = self.reorgs = 0
        self.head_at: datetime | None = None
        self._node, self._job, self._progress, self._origin = node, job, progress, origin
        self._span = Span(job.max_logs, job.max_span)
        self._heads: Heads | None = None
        self._read_at = 0.0
        self._setbacks = 0

    async def step(self) -> bool:
        """Cover what is missing now; return whether to look again."""
        heads = await self._current_heads()
        stored = await self._reconciled(heads)
        segments = _missing(self._job, stored, heads)
        if not segments:
            return False
        before = self.tally.blocks
        try:
            await self._cover(segments, stored, heads)
        except (ChainMoved, NodeBehind, Overtaken) as setback:
            self._setbacks = 0 if self.tally.blocks > before else self._setbacks + 1
            if self._setbacks >= _MOST_SETBACKS and not isinstance(setback, Overtaken):
                raise
            self._heads = None
            await asyncio.sleep(min(0.1 * 2**self._setbacks, 5))
        return True

    async def _current_heads(self) -> Heads:
        if self._heads is None or monotonic() - self._read_at > _FRESH_SECONDS:
            is_whole = origin_kind(self._origin) != "recorded"
            self._heads = await read_heads(self._node, self._job.chain, is_whole=is_whole)
            self._read_at = monotonic()
            self.head, self.head_at = self._heads.latest.number, self._heads.latest.timestamp
        return self._heads

    async def _reconciled(self, heads: Heads) -> Stored:
        ledger = self._job.ledger()
        stored = ledger.stored()
        check_unchanged(self._job.protocols, self._job.chain, stored.coverage)
        rewound = await reconcile(self._node, ledger, heads)
        if rewound is not None:
            self.reorgs += 1
            stored = ledger.stored()
        if await upgrade(self._node, ledger, stored, heads):
            stored = ledger.stored()
        return stored

    async def _cover(self, segments: Sequence[Segment], stored: Stored, heads: Heads) -> None:
        job = self._job
        known = known_of(stored, declared(list(job.declarations.values()), job.chain))
        landing = Landing(
            self._node,
            job.path,
            job.chain,
            job.declarations,
            known,
            origin=self._origin,
            commit_rows=job.max_logs * _ROWS_PER_COMMIT_LOG,
        )
        landing.tally = self.tally
        total = sum(segment.to_block - segment.from_block + 1 for segment in segments)
        fetches = self._fetches(segments, stored, known, heads)
        async with aclosing(fetches):
            await _pipelined(fetches, landing, heads, self._reporting(total))

    def _reporting(self, total: int) -> Callable[[Fetched], None]:
        done = 0

        def report(fetched: Fetched) -> None:
            nonlocal done
            done += fetched.piece.to_block - fetched.piece.from_block + 1
            self._progress(done, total, self.tally.logs)

        return report

    async def _fetches(
        self, segments: Sequence[Segment], stored: Stored, known: Known, heads: Heads
    ) -> AsyncGenerator[Fetched, None]:
        ends = stored.coverage.select("to_block", "to_block_hash").iter_rows()
        hashes = {number: bytes.fromhex(text[2:]) for number, text in ends}
        for segment in segments:
            start = segment.from_block
            while start <= segment.to_block:
                piece = self._piece(segment, start, hashes.get(start - 1), heads)
                try:
                    fetched = await fetch(self._node, self._job.chain, known, piece)
                except RangeTooLarge as refusal:
                    self._span.refused(piece.from_block, piece.to_block, refusal)
                    continue
                self._span.answered(piece.to_block - start + 1, fetched.answered)
                known = with_children(known, fetched.children)
                hashes[piece.to_block] = fetched.last.hash
                hashes.pop(start - 1, None)
                yield fetched
                start = piece.to_block + 1

    def _piece(self, segment: Segment, start: int, parent: bytes | None, heads: Heads) -> Piece:
        blocks = self._span.blocks
        if not segment.is_settled:
            blocks = min(blocks, _WINDOW_BLOCKS)
        return Piece(
            start,
            min(start + blocks - 1, segment.to_block),
            tuple(self._job.declarations[slug] for slug in segment.protocols),
            segment.finality,
            segment.is_settled,
            parent,
            heads.is_whole,
        )


async def _pipelined(
    fetches: AsyncIterator[Fetched],
    landing: Landing,
    heads: Heads,
    report: Callable[[Fetched], None],
) -> None:
    # One range ahead: while it is fetched, the one before is decoded and written.
    landed: asyncio.Task[None] | None = None
    try:
        async for fetched in fetches:
            if landed is not None:
                await landed
            landed = asyncio.create_task(landing.land(fetched, heads.latest.hash))
            report(fetched)
    finally:
        # Also when a fetch failed: what was fetched before is whole and stays.
        if landed is not None:
            await landed
        await landing.flush()


def _missing(job: Job, stored: Stored, heads: Heads) -> list[Segment]:
    last = heads.latest.number if job.to_block is None else min(job.to_block, heads.latest.number)
    wanted = {
        protocol.slug: (max(start, job.from_block or 0), last)
        for protocol in job.protocols
        if (start := first_block(protocol, job.chain)) is not None
    }
    covered: dict[str, list[tuple[int, int]]] = {slug: [] for slug in wanted}
    for slug, low, high in stored.coverage.select("protocol", "from_block", "to_block").iter_rows():
        if slug in covered:
            covered[slug].append((low, high))
    return plan(covered, wanted, heads)

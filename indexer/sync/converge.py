"""
The loop: what is missing, fetch it, land it, until nothing is missing.

Ranges are fetched ahead (`ahead`) while those before are decoded and written; they land in order.
Whatever stops the loop, the database holds whole ranges and says which, so the next run goes on
there.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import aclosing
from datetime import datetime
from pathlib import Path
from time import monotonic

import polars as pl

from indexer.errors import NodeBehind, RequestsSpent
from indexer.facts import Known
from indexer.spec import first_block
from indexer.store import OWNERS, Range, Stored, keep_reaches, swap, write_range
from indexer.sync.ahead import Ahead
from indexer.sync.collecting import collect_again
from indexer.sync.coverage import origin_kind
from indexer.sync.declarations import check_unchanged, is_unchanged
from indexer.sync.heads import Heads, read_heads
from indexer.sync.job import Job, Summary, in_blocks
from indexer.sync.landing import Landing, Overtaken, Tally, Write, pipelined
from indexer.sync.pieces import ChainMoved, Fetched, Piece
from indexer.sync.plan import Segment, intervals, plan
from indexer.sync.proving import last_alike
from indexer.sync.reaches import lines
from indexer.sync.reorgs import Fork, forked, upgrade
from indexer.sync.source import Source
from indexer.sync.span import Span
from indexer.tables import empty

Progress = Callable[[int, int, int], None]
Look = Callable[[], Summary]

_ROWS_PER_COMMIT_LOG = 6
_MOST_SETBACKS = 10
_FRESH_SECONDS = 60.0


def _unseen(_look: Look) -> None:
    """Nobody wants to look."""


async def converge(
    node: Source,
    job: Job,
    progress: Progress,
    begun: Callable[[Look], None] = _unseen,
    stored: Stored | None = None,
) -> Summary:
    """
    Bring the database to the chain's head, or to `job.to_block`.

    Args:
        node: whom to ask.
        job: what to index.
        progress: told blocks done, blocks to do and logs written after each range.
        begun: given, before anything is fetched, a function that returns what was done so far;
            it answers at any time, also after a failure.
        stored: what was just read of the database; None to read it.

    Raises:
        UserError: a declaration has changed since its blocks were indexed.
        ReorgTooDeep: the chain changed below what was final.
        RangeTooLarge: a single block is more than the node will serve.
        RetryableError: the node or the database stayed out of reach; run again later.
        WorldError: the node contradicts itself, or the database cannot be written.
    """
    started = monotonic()
    run = _Run(node, job, progress)
    stopped = None

    def look() -> Summary:
        return Summary(
            run.tally,
            run.head,
            run.reorgs,
            node.requests,
            monotonic() - started,
            stopped,
            run.head_at,
            node.statistics(),
        )

    begun(look)
    try:
        await run.begin(stored)
        while await run.step():
            pass
    except RequestsSpent as spent:
        stopped = str(spent)
    return look()


async def follow(node: Source, job: Job) -> None:
    """
    Replace what is stored of a branch that the node has left; nothing else is added.

    Blocks of declarations that have changed leave without a replacement.

    Raises:
        What `converge` raises.
    """
    run = _Run(node, job, lambda _done, _total, _logs: None)
    while await run.heal():
        pass


class _Run:
    def __init__(self, node: Source, job: Job, progress: Progress) -> None:
        self.tally = Tally()
        self.head = self.reorgs = 0
        self.head_at: datetime | None = None
        self._node, self._job, self._progress = node, job, progress
        self._origin = ""
        self._reaches: pl.DataFrame | None = None
        self._span = Span(job.max_logs, job.max_span)
        self._heads: Heads | None = None
        self._read_at = 0.0
        self._setbacks = 0
        self._stored: Stored | None = None

    async def begin(self, stored: Stored | None) -> None:
        """Ask again for state that was not to be had, before anything is fetched."""
        ledger, wanted = self._job.ledger(), self._job.protocols
        stored = stored or ledger.stored()
        has_asked = await collect_again(self._node, ledger, wanted, stored, self.tally)
        self._stored = None if has_asked else stored

    async def step(self) -> bool:
        """Cover what is missing now; return whether to look again."""
        if not self._origin:
            await self._prepare()
        ledger = self._job.ledger()
        stored, self._stored = self._stored or ledger.stored(), None
        heads = await self._current_heads(stored)
        self._job = await in_blocks(self._node, self._job, heads)
        check_unchanged(self._job.protocols, self._job.chain, stored.coverage)
        if self._reaches is not None:
            keep_reaches(self._job.path, self._job.chain.chain_id, self._reaches, stored)
            self._reaches = None
        fork = await forked(self._node, ledger, stored, heads.latest)
        if fork is not None:
            return await self._weathered(self._swap(fork, heads))
        if await upgrade(self._node, ledger, stored, heads):
            stored = ledger.stored()
        if not (segments := missing(self._job, stored, heads)):
            return False
        return await self._weathered(self._cover(segments, stored, heads, write_range))

    async def heal(self) -> bool:
        """Replace a branch that is left now; return whether to look again."""
        if not self._origin:
            self._origin = await self._node.client_version()
        stored = self._job.ledger().stored()
        heads = await self._current_heads(stored)
        fork = await forked(self._node, self._job.ledger(), stored, heads.latest)
        return fork is not None and await self._weathered(self._swap(fork, heads))

    async def _prepare(self) -> None:
        self._origin = await self._node.client_version()
        reaches = [lines(protocol, self._job.chain) for protocol in self._job.protocols]
        self._reaches = pl.concat([empty("reaches"), *reaches])

    async def _weathered(self, work: Coroutine[None, None, None]) -> bool:
        before = self.tally.blocks
        try:
            await work
        except (ChainMoved, NodeBehind, Overtaken) as setback:
            self._setbacks = 0 if self.tally.blocks > before else self._setbacks + 1
            if self._setbacks >= _MOST_SETBACKS and not isinstance(setback, Overtaken):
                raise
            self._heads = None
            await asyncio.sleep(min(0.1 * 2**self._setbacks, 5))
        return True

    async def _current_heads(self, stored: Stored) -> Heads:
        final = stored.anchors().final  # maybe of another run, which has come further meanwhile
        is_passed = self._heads and final and self._heads.latest.number < final[0]
        if self._heads is None or is_passed or monotonic() - self._read_at > _FRESH_SECONDS:
            self._heads = await read_heads(self._node, self._job.chain, origin_kind(self._origin))
            self._read_at = monotonic()
            self.head, self.head_at = self._heads.latest.number, self._heads.latest.timestamp
        return self._heads

    async def _swap(self, fork: Fork, heads: Heads) -> None:
        # The new branch first: until it is in hand as far as the old one was, nothing leaves.
        job, ledger = self._job, self._job.ledger()
        wanted = {
            slug: (low, min(high, heads.latest.number))
            for slug, (low, high) in fork.lost().items()
            if is_unchanged(job.declarations[slug], job.chain, fork.before.coverage)
        }
        replacement: list[tuple[Range, OWNERS]] = []

        def keep(_: Path, landed: Range, others: OWNERS) -> bool:
            replacement.append((landed, others))
            return True

        segments = plan(intervals(fork.after.coverage), wanted, heads)
        await self._cover(segments, fork.after, heads, keep)
        if not swap(
            job.path,
            job.chain.chain_id,
            fork.cuts,
            fork.reason,
            ledger.owned,
            before=fork.before,
            replacement=replacement,
        ):
            raise Overtaken
        self.reorgs += 1

    async def _cover(
        self,
        segments: Sequence[Segment],
        stored: Stored,
        heads: Heads,
        write: Write,
    ) -> None:
        job = self._job
        ledger = job.ledger()
        known = ledger.known(stored)
        landing = Landing(
            self._node,
            ledger,
            known,
            origin=self._origin,
            commit_rows=job.max_logs * _ROWS_PER_COMMIT_LOG,
            write=write,
            tally=self.tally,
        )
        total = sum(segment.blocks for segment in segments)
        ahead = self._ahead(stored, known, heads)
        async with aclosing(ahead.ranges(segments)) as fetches:
            await pipelined(ahead, fetches, landing, heads, self._reporting(total))

    def _reporting(self, total: int) -> Callable[[Fetched], None]:
        done = 0

        def report(fetched: Fetched) -> None:
            nonlocal done
            done += fetched.piece.blocks
            self._progress(done, total, self.tally.logs)

        return report

    def _ahead(self, stored: Stored, known: Known, heads: Heads) -> Ahead:
        # Of a recorded chain nothing is proven, whatever is asked for.
        level = self._job.proof if heads.is_whole else "fetched"

        def cut(segment: Segment, first: int, last: int, parent: bytes | None) -> Piece:
            return Piece(
                first,
                last_alike(self._job.chain, level, first, last),
                tuple(self._job.declarations[slug] for slug in segment.protocols),
                segment.finality,
                segment.is_settled,
                parent,
                heads.is_whole,
                self._job.max_addresses,
                heads.reason(segment.finality),
                self._job.proof,
            )

        ends = stored.coverage.select("to_block", "to_block_hash").iter_rows()
        return Ahead(
            self._node,
            self._job.chain,
            known,
            self._span,
            cut,
            most=self._job.max_ranges,
            most_requests=self._job.max_requests,
            hashes={number: bytes.fromhex(text[2:]) for number, text in ends},
        )


def missing(job: Job, stored: Stored, heads: Heads) -> list[Segment]:
    """Return what a job whose moments are blocks still has to fetch; one left is no end yet."""
    first = job.from_block if isinstance(job.from_block, int) else 0
    last = heads.latest.number
    if isinstance(job.to_block, int):
        last = min(job.to_block, last)
    wanted = {
        protocol.slug: (max(start, first), last)
        for protocol in job.protocols
        if (start := first_block(protocol, job.chain)) is not None
    }
    return plan(intervals(stored.coverage), wanted, heads)

"""
What a run would take, before it is run: requests, ranges, logs and time.

Nothing is stored. The heads are read as a run reads them, factories are searched for children,
and a few ranges are asked for; the rest is extrapolated, and cut into ranges as a run would cut it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from statistics import median
from time import monotonic
from typing import cast

import polars as pl

from indexer.errors import RangeTooLarge, UserError
from indexer.facts import Known, facts
from indexer.rpc import HEADERS, Header
from indexer.spec import Protocol
from indexer.store import Stored
from indexer.sync.ahead import WINDOW_BLOCKS
from indexer.sync.converge import missing
from indexer.sync.coverage import origin_kind
from indexer.sync.declarations import check_unchanged
from indexer.sync.fetching import filters_of, sample, with_children
from indexer.sync.forecasting import Clock, Forecast
from indexer.sync.heads import read_heads
from indexer.sync.job import Job, in_blocks
from indexer.sync.pieces import Piece
from indexer.sync.plan import Segment
from indexer.sync.rehearsal import Cut, Limit, rehearsed
from indexer.sync.sampling import Cell, Sampler, Seen
from indexer.sync.source import Source
from indexer.sync.span import Span
from indexer.sync.supplement import is_supplemented
from indexer.sync.timetable import Headers
from indexer.tables import empty

_SEARCHES = 40
_SAMPLE_LOGS = 2_000
_DERIVED_PER_SECOND = 50_000
_CALLS_PER_TOKEN = 2
_CALLS_PER_ANSWER = 2
_NEVER = 2**62
_CALLS_PER_REQUEST = 100


@dataclass(frozen=True)
class Estimate:
    """
    What a run would take.

    Attributes:
        blocks: blocks to fetch.
        logs: logs of the protocols among them.
        ranges: ranges they are fetched in.
        span: blocks in the longest of these.
        requests: JSON-RPC calls.
        seconds: how long it would take, roughly.
        asked: JSON-RPC calls sent to find out.
        unsearched: blocks in which children were not searched for, because that takes too long;
            their logs are not in these numbers.
    """

    blocks: int
    logs: int
    ranges: int
    span: int
    requests: int
    seconds: float
    asked: int
    unsearched: int


async def estimate(node: Source, job: Job, *, samples: int = 48) -> Estimate:
    """
    Return what `converge` would take for a job.

    Raises:
        UserError: a declaration has changed since its blocks were indexed.
        WorldError: what asking a node raises.
    """
    origin = await node.client_version()
    heads = await read_heads(node, job.chain, origin_kind(origin))
    job = await in_blocks(node, job, heads)
    overhead = node.requests
    stored = _stored(job)
    for protocol in job.protocols:
        if is_supplemented(protocol, job, stored):
            raise UserError(
                f"{protocol.slug} reads other logs of {job.chain.slug} now than were stored: run "
                "`perpscope index` first, which fetches what is new to it; the rest can be planned "
                "then"
            )
    check_unchanged(job.protocols, job.chain, stored.coverage)
    segments = missing(job, stored, heads)
    settled = [segment for segment in segments if segment.is_settled]
    look = _Looking(node, job, job.ledger().known(stored), is_whole=heads.is_whole)
    unsearched = await look.search(settled)
    sampler = Sampler(look.at, samples, Span(_SAMPLE_LOGS, job.max_span))
    cells = await sampler.cells(settled)
    limit = await _limit(look, cells)
    cuts = rehearsed(cells, job.max_logs, job.max_span, limit)
    cuts += [cut for segment in segments if not segment.is_settled for cut in _steps(segment)]
    overhead += 2 + (2 if len(stored.coverage) else 0)  # to see whether the chain is the same
    overhead += await _reads(look, segments, cuts, heads.latest)
    return _summed(look, cells, cuts, segments, overhead=overhead, unsearched=unsearched)


async def _reads(
    look: "_Looking", segments: Sequence[Segment], cuts: Sequence[Cut], latest: Header
) -> int:
    """Return how many calls reading state will take, at the pace the chain had so far."""
    is_read = look.is_whole and any(protocol.reads for protocol in look.job.protocols)
    if not segments or not is_read:
        return 0
    forecast = Forecast(look.job.chain, await _clock(look, segments, latest))
    calls = 0
    for segment in segments:
        for cut in cuts:
            if not cut.is_refused and segment.from_block <= cut.low <= segment.to_block:
                piece = look.piece(segment, cut.low, cut.low + cut.blocks - 1)
                calls += await forecast.calls(look.known, piece)
    return calls


async def _clock(look: "_Looking", segments: Sequence[Segment], latest: Header) -> Clock:
    first = segments[0].from_block
    at_hand = Headers(look.node, pl.DataFrame(schema=HEADERS), [latest])
    started, now = (
        cast(datetime, end.timestamp) for end in await at_hand.at([first, latest.number])
    )
    pace = timedelta(seconds=look.job.chain.block_seconds)
    if latest.number > first:
        pace = (now - started) / (latest.number - first)
    return lambda number: started + pace * (number - first)


def _steps(segment: Segment) -> list[Cut]:
    starts = range(segment.from_block, segment.to_block + 1, WINDOW_BLOCKS)
    return [
        Cut(start, min(WINDOW_BLOCKS, segment.to_block - start + 1), 0, is_refused=False)
        for start in starts
    ]


def _summed(
    look: "_Looking",
    cells: Sequence[Cell],
    cuts: Sequence[Cut],
    segments: Sequence[Segment],
    *,
    overhead: int,
    unsearched: int,
) -> Estimate:
    blocks = sum(segment.blocks for segment in segments)
    above = blocks - sum(cell.blocks for cell in cells)
    wholes = [cell.whole() for cell in cells]
    logs = sum(seen.logs for seen in wholes)
    busy = sum(seen.busy for seen in wholes)
    is_proven = look.job.proof != "fetched" and look.is_whole
    # Of a range's ends the headers are asked for whether or not there are logs.
    headers = blocks if is_proven else min(busy + 2 * len(cuts), blocks) + above
    if look.job.proof == "receipts" and look.is_whole:
        headers += busy  # a block's receipts are one call, as its header is
    answers = len(cuts) + look.asked_again(cuts)
    requests = overhead + headers + _CALLS_PER_ANSWER * look.filters * answers
    requests += _CALLS_PER_TOKEN * len(look.tokens)
    served = [cut for cut in cuts if not cut.is_refused]
    rounds = answers + len(served) + headers / _CALLS_PER_REQUEST
    pause = median(look.pauses) if look.pauses else 0.0
    seconds = rounds * pause / look.job.max_ranges + logs / _DERIVED_PER_SECOND
    longest = max((cut.blocks for cut in served), default=0)
    return Estimate(
        blocks, logs, len(served), longest, requests, seconds, look.node.requests, unsearched
    )


async def _limit(look: "_Looking", cells: Sequence[Cell]) -> Limit:
    """Ask for ranges as long as a run would, as far as it takes to know what the node refuses."""
    job = look.job
    cuts = rehearsed(cells, job.max_logs, job.max_span, Limit())
    dense = max(cuts, key=attrgetter("blocks"), default=None)
    if dense is None:
        return Limit()
    served, refused = look.borders()
    if served >= refused:  # not about length: look for the border at this place alone
        served, refused = 0, dense.blocks
    refused = min(refused, dense.blocks + 1)
    blocks = refused - 1
    while refused - served > max(refused // 16, 1):
        try:
            await look.range(cells, dense.low, blocks)
            served = blocks
        except RangeTooLarge:
            refused = blocks
        blocks = (served + refused) // 2
    served, refused = look.borders()
    if served >= refused:
        return Limit(logs=look.largest + 1)
    return Limit(blocks=refused if refused <= dense.blocks else None)


def _stored(job: Job) -> Stored:
    if job.path.exists():
        return job.ledger().stored()
    names = ("tokens", "markets", "contracts", "coverage", "reaches")
    frames = [*map(empty, names), empty("blocks").select("number", "hash")]
    return Stored(*frames)


class _Looking:
    """What is asked of the node, and what it taught."""

    def __init__(self, node: Source, job: Job, known: Known, *, is_whole: bool) -> None:
        self.node, self.job = node, job
        self.births: list[int] = []
        self.tokens: set[str] = set()
        self.pauses: list[float] = []
        self.filters = 1
        self.largest = self._served = 0
        self._refused: list[int] = []
        self.known, self.is_whole = known, is_whole

    async def search(self, segments: Sequence[Segment]) -> int:
        """Learn the children that factories announce; return the blocks left unsearched."""
        factories = {
            slug: replace(item, events=())
            for slug, item in self.job.declarations.items()
            if item.discoveries
        }
        span, unsearched = Span(_SAMPLE_LOGS, self.job.max_span), 0
        self._searches = _SEARCHES
        for segment in segments:
            slugs = [slug for slug in segment.protocols if slug in factories]
            if slugs:
                found = [factories[slug] for slug in slugs]
                unsearched += await self._searched(segment, found, span)
        return unsearched

    async def _searched(self, segment: Segment, found: Sequence[Protocol], span: Span) -> int:
        start = segment.from_block
        while start <= segment.to_block and self._searches:
            self._searches -= 1
            end = min(start + span.blocks - 1, segment.to_block)
            piece = replace(self.piece(segment, start, end), protocols=tuple(found))
            try:
                _, children, answered = await sample(self.node, self.job.chain, self.known, piece)
            except RangeTooLarge as refusal:
                span.refused(start, end, refusal)
                continue
            span.answered(end - start + 1, answered)
            self.known = with_children(self.known, children)
            self.births += children["from_block"].to_list()
            start = end + 1
        return segment.to_block - start + 1

    async def at(self, segment: Segment) -> Seen:
        """Ask for a segment's logs."""
        started = monotonic()
        piece = self.piece(segment, segment.from_block, segment.to_block)
        blocks = segment.blocks
        try:
            logs, _, answered = await sample(self.node, self.job.chain, self.known, piece)
        except RangeTooLarge:
            self._refused.append(blocks)
            raise
        self.pauses.append(monotonic() - started)
        self.filters = len(filters_of(piece, self.job.chain, self.known)[0])
        self._served, self.largest = max(self._served, blocks), max(self.largest, answered)
        numbers = logs["block_number"].unique().sort()
        headers = pl.DataFrame({"number": numbers}).select(
            pl.col(name) if name == "number" else pl.lit(None, kind).alias(name)
            for name, kind in HEADERS.items()
        )
        found = facts(piece.protocols, self.job.chain, logs, headers, self.known)
        self.tokens |= set(found.unknown_tokens)
        return Seen(blocks, len(logs), len(numbers), answered)

    def borders(self) -> tuple[int, int]:
        """Return the longest range that was served, and the shortest that was refused."""
        return self._served, min(self._refused, default=_NEVER)

    async def range(self, cells: Sequence[Cell], low: int, blocks: int) -> Seen:
        """Ask for the logs of a range that may span several cells of one segment."""
        segment = next(cell.segment for cell in cells if cell.segment.to_block >= low)
        return await self.at(replace(segment, from_block=low, to_block=low + blocks - 1))

    def asked_again(self, cuts: Sequence[Cut]) -> int:
        """Return how many answers are asked for again, for children born in them or just below."""
        served = [cut for cut in cuts if not cut.is_refused]
        lows = [cut.low for cut in served]
        again: set[int] = set()
        for born in self.births:
            place = bisect_right(lows, born) - 1
            again |= set(range(place, min(place + self.job.max_ranges, len(lows))))
        return len(again)

    def piece(self, segment: Segment, first: int, last: int) -> Piece:
        """Return a range of a segment."""
        protocols = tuple(self.job.declarations[slug] for slug in segment.protocols)
        return Piece(
            first,
            last,
            protocols,
            segment.finality,
            is_settled=True,
            parent=None,
            is_whole=self.is_whole,
            most_addresses=self.job.max_addresses,
        )

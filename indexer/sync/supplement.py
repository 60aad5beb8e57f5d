"""
A declaration that reads more than it did: only what is new to it is asked for.

The protocol is indexed anew into a file beside the database, from a source that takes from the
database what the old declaration read there and from the node what it did not. Then it takes the
old one's place in one transaction. Killed on the way, the file is gone on with.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from glob import escape
from pathlib import Path

import polars as pl

from indexer.errors import DatabaseUnusable, RequestsSpent
from indexer.facts.routes import child_abis, topic0s_of
from indexer.rpc import HEADERS, LOGS, EndpointStatistics, Filter, Header, Tag
from indexer.spec import Protocol, first_block
from indexer.store import Stored, adopt, answers_between, gaps, read_span, read_stored, seed_tokens
from indexer.store.creation import remove
from indexer.sync.converge import Progress, converge, follow
from indexer.sync.declarations import has_same_reach, label, stored_reaches
from indexer.sync.fetching import in_order
from indexer.sync.job import Job
from indexer.sync.pieces import ChainMoved
from indexer.sync.plan import intervals
from indexer.sync.reaches import CHILD, lines, unread
from indexer.sync.source import Source

_ANY_NUMBER = 2**31
_MARK = 24  # characters of the declaration's label in the name of a file
_WINDOW = 100_000  # blocks whose answers are looked up at once
_WINDOWS = 4
_TRIES = 10


async def supplement(node: Source, job: Job, stored: Stored, progress: Progress) -> tuple[str, ...]:
    """
    Bring the stored blocks of protocols that read other logs now under today's declarations.

    Protocols of which it is not known what they read are left as they are.

    Args:
        node: whom to ask.
        job: what to index.
        stored: what was just read of the database.
        progress: as `converge` takes it.

    Returns:
        Their slugs; what is stored about the chain must be read again where there are any.

    Raises:
        RequestsSpent: before all of it was read; the next run goes on there.
        What `converge` raises.
    """
    changed = [item for item in job.protocols if is_supplemented(item, job, stored)]
    _clear(job, changed)
    for protocol in changed:
        await _renewed(node, job, protocol, progress)
    return tuple(protocol.slug for protocol in changed)


def is_supplemented(protocol: Protocol, job: Job, stored: Stored) -> bool:
    """Return whether a protocol reads other logs now, and it is known which it did."""
    reaches = stored_reaches(protocol, stored.coverage)
    known = set(stored.reaches.filter(pl.col("protocol") == protocol.slug)["reach"])
    return (
        first_block(protocol, job.chain) is not None
        and not has_same_reach(protocol, job.chain, stored.coverage)
        and len(reaches) == 1
        and reaches <= known
    )


async def _renewed(node: Source, job: Job, protocol: Protocol, progress: Progress) -> None:
    side, ledger = _side(job, protocol), job.ledger()
    for _ in range(_TRIES):
        # A node that is behind, or on another chain, must not decide what is stored.
        await follow(node, job)
        stored = ledger.stored()
        if not is_supplemented(protocol, job, stored):  # another process was first
            break
        slug, chain_id = protocol.slug, job.chain.chain_id
        try:
            await _brought_up(node, job, protocol, stored, progress)
            if adopt(job.path, side, chain_id, slug, ledger.owned, before=stored):
                break
        except DatabaseUnusable:
            # Who was first has removed the file that both wrote.
            if is_supplemented(protocol, job, ledger.stored()):
                raise
            break
    else:
        raise ChainMoved(
            f"what is stored of {protocol.slug}, or the chain, changed {_TRIES} times while what "
            "is new to it was read: expected both to hold still; index again"
        )
    remove(side)


async def _brought_up(
    node: Source, job: Job, protocol: Protocol, stored: Stored, progress: Progress
) -> None:
    side = _side(job, protocol)
    read_stored(side, job.chain.chain_id)
    seed_tokens(side, stored.tokens)
    source = _Remembering(node, job, protocol, stored)
    # Contracts are named however many there are: most of them are not asked for.
    work = replace(job, path=side, protocols=(protocol,), max_addresses=_ANY_NUMBER)
    for low, high in _joined(intervals(stored.coverage)[protocol.slug]):
        done = await converge(source, replace(work, from_block=low, to_block=high), progress)
        if done.stopped is not None:
            raise RequestsSpent(done.stopped)


def _side(job: Job, protocol: Protocol) -> Path:
    mark = label(protocol, job.chain).replace("/", "")[-_MARK:]
    return job.path.with_name(f"{job.path.name}.{protocol.slug}-{mark}.new")


def _clear(job: Job, changed: Sequence[Protocol]) -> None:
    """Remove what killed runs left of declarations that are done, or have changed again since."""
    needed = {_side(job, protocol) for protocol in changed}
    for protocol in job.protocols:
        name = f"{escape(job.path.name)}.{protocol.slug}-{'?' * _MARK}.new"
        for side in set(job.path.parent.glob(name)) - needed:
            remove(side)


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    holes = list(gaps(spans, low, high))
    starts = [low, *(hole[1] + 1 for hole in holes)]
    return list(zip(starts, [*(hole[0] - 1 for hole in holes), high], strict=True))


class _Remembering:
    """A node whose answers come from the database as far as the old declaration read them."""

    def __init__(self, node: Source, job: Job, protocol: Protocol, stored: Stored) -> None:
        self._node, self._path, self._chain_id = node, job.path, job.chain.chain_id
        self._most_addresses = job.max_addresses
        own = pl.col("protocol") == protocol.slug
        now, before = lines(protocol, job.chain), stored.reaches.filter(own)
        self._topics = _by_emitter(now)
        self._unread = _by_emitter(unread(before, now))
        self._children: dict[str, list[str]] = defaultdict(list)
        children = stored.contracts.filter(own).sort("from_block")
        for address, abi in children.select("address", "abi").iter_rows():
            self._children[address].append(CHILD + abi)
        self._born = dict(children.select("address", "from_block").iter_rows())
        if not _announces_otherwise(protocol, set().union(*self._unread.values())):
            self._born = {}
        kinds = child_abis(protocol, job.chain) - set(children["abi"])
        self._fresh = set().union(*(self._topics.get(CHILD + kind, set()) for kind in kinds))
        finals = stored.coverage.filter(own & (pl.col("finality") == "finalized"))
        top = finals["to_block"].max()
        self._final = top if isinstance(top, int) else -1
        self._windows: dict[int, asyncio.Task[pl.DataFrame]] = {}

    @property
    def requests(self) -> int:
        return self._node.requests

    def statistics(self) -> tuple[EndpointStatistics, ...]:
        return self._node.statistics()

    def doubt(self, from_block: int, to_block: int) -> None:
        self._node.doubt(from_block, to_block)

    async def client_version(self) -> str:
        return await self._node.client_version()

    async def head(self, tag: Tag = "latest") -> Header | None:
        return await self._node.head(tag)

    async def calls(
        self, requests: Sequence[tuple[bytes, bytes]], block: Header
    ) -> list[bytes | None]:
        return await self._node.calls(requests, block)

    async def state(
        self, requests: Sequence[tuple[bytes, bytes]], block: Header
    ) -> list[bytes | None]:
        told = await self._told(block)
        lacking = [request for request in dict.fromkeys(requests) if request not in told]
        answers = await self._node.state(lacking, block) if lacking else []
        told |= dict(zip(lacking, answers, strict=True))
        return [told[request] for request in requests]

    async def _told(self, block: Header) -> dict[tuple[bytes, bytes], bytes | None]:
        """Return what contracts answered when they were asked at this very block."""
        window = block.number // _WINDOW
        if window not in self._windows:
            low, high = window * _WINDOW, (window + 1) * _WINDOW - 1
            found = asyncio.to_thread(answers_between, self._path, self._chain_id, low, high)
            self._windows[window] = asyncio.create_task(found)
            while len(self._windows) > _WINDOWS:
                del self._windows[next(iter(self._windows))]
        rows = (await self._windows[window]).filter(pl.col("block_hash") == block.hash)
        told = rows.select("address", "input", "answer", "state").iter_rows()
        return {
            (address, question): b"" if state == "not_applicable" else answer
            for address, question, answer, state in told
        }

    async def sealed_headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        return await self._node.sealed_headers(numbers)

    async def receipt_logs(self, headers: pl.DataFrame) -> pl.DataFrame:
        return await self._node.receipt_logs(headers)

    async def headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        asked = sorted(set(numbers))
        if not asked or asked[0] > self._final:
            return await self._node.headers(asked)
        _, blocks = await self._stored(asked[0], min(asked[-1], self._final))
        found = blocks.filter(pl.col("number").is_in(asked)).select(*HEADERS)
        lacking = set(asked) - set(found["number"])
        more = await self._node.headers(lacking) if lacking else found.clear()
        return pl.concat([found, more]).sort("number")

    async def logs(
        self, wanted: Filter, from_block: int, to_block: int
    ) -> tuple[pl.DataFrame, Header]:
        stored, _ = await self._stored(from_block, to_block)
        is_wanted = wanted.takes()
        found = stored.filter(is_wanted).select(*LOGS)
        asked = self._asked(wanted)
        if asked is None:
            header = (await self._node.headers([to_block])).row(0)
            more, last = found.clear(), Header(*header)
        else:
            more, last = await self._node.logs(asked, from_block, to_block)
            more = more.filter(is_wanted)
        early = await self._before_birth(wanted, from_block, to_block)
        return in_order([more, early, found]), last

    async def _before_birth(self, wanted: Filter, from_block: int, to_block: int) -> pl.DataFrame:
        """Return what children logged before the old declaration knew of them."""
        births = {address: self._born.get(f"0x{address.hex()}", 0) for address in wanted.addresses}
        unborn = {address: born for address, born in births.items() if born > from_block}
        if not unborn:
            return pl.DataFrame(schema=LOGS)
        asked = replace(wanted, addresses=self._named(unborn))
        last = min(to_block, max(unborn.values()) - 1)
        logs, _ = await self._node.logs(asked, from_block, last)
        return logs.filter(wanted.takes())

    def _asked(self, wanted: Filter) -> Filter | None:
        lacking = {address: self._lacking(address, wanted) for address in wanted.addresses}
        addresses = tuple(address for address, topics in lacking.items() if topics)
        if not addresses:
            return None
        topics = tuple(sorted(set().union(*lacking.values())))
        return Filter(self._named(addresses), topics, wanted.others)

    def _named(self, addresses: Collection[bytes]) -> tuple[bytes, ...]:
        return tuple(addresses) if len(addresses) <= self._most_addresses else ()

    def _lacking(self, address: bytes, wanted: Filter) -> set[bytes]:
        text = f"0x{address.hex()}"
        held = self._children.get(text, [])
        names = [*([text] if text in self._topics else []), *held]
        if not names:  # a child that nobody knew
            return set(wanted.topic0s)
        # Whoever was announced before may be announced as what nobody was before.
        fresh = self._fresh if held else set()
        return fresh.union(*(self._unread.get(name, set()) for name in names))

    async def _stored(self, low: int, high: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        return await asyncio.to_thread(read_span, self._path, self._chain_id, low, high)


def _announces_otherwise(protocol: Protocol, fresh: set[bytes]) -> bool:
    """Return whether children may be announced by what is new, or was read but announced none."""
    read = {(event.abi, event.name) for event in protocol.events}
    return any(
        (item.abi, item.name) in read or not fresh.isdisjoint(topic0s_of(item.name, item.abi))
        for item in protocol.discoveries
    )


def _by_emitter(rows: pl.DataFrame) -> dict[str, set[bytes]]:
    found: dict[str, set[bytes]] = defaultdict(set)
    for emitter, topic0 in rows.select("emitter", "topic0").iter_rows():
        found[emitter].add(bytes.fromhex(topic0))
    return dict(found)

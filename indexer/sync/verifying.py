"""
Does what is stored agree with what the chain commits to? Covered blocks, a thousand at a time.

Nothing stored is changed but how far coverage is proven: what is wrong becomes a failed audit,
which `repair` mends.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from indexer.errors import NodeAnswerWrong, UserError
from indexer.facts import declared, owned
from indexer.proof import LOG_COLUMNS, differences
from indexer.spec import Protocol
from indexer.store import Proven, Stored, fingerprint, read_blocks, record
from indexer.sync.coverage import origin_kind
from indexer.sync.proving import RECORDED, Claim, Finding, check, declared_by
from indexer.sync.rederiving import stored_among
from indexer.sync.reorgs import Ledger, known_of
from indexer.sync.source import Source
from indexer.sync.stretches import Part, Wanted, parts, runs
from indexer.tables import columns_of

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Inspection:
    """
    What to verify.

    Attributes:
        ledger: a chain's part of a database.
        protocols: whose blocks.
        level: linked (headers), bloom, or receipts.
        at: when, UTC without a zone; marks the audits.
        from_block: first block; None for the first covered one.
        to_block: last block; None for the last covered one.
        sample: check only so many blocks, chosen by chance; None for all.
    """

    ledger: Ledger
    protocols: tuple[Protocol, ...]
    level: str
    at: datetime
    from_block: int | None = None
    to_block: int | None = None
    sample: int | None = None

    def blocks(self) -> Wanted:
        """Return which blocks to check."""
        first = self.from_block or 0
        last = 2**62 if self.to_block is None else self.to_block
        return Wanted(self.ledger.chain, self.level, first, last, self.sample)


@dataclass
class Verdict:
    """
    What `verify` found.

    Attributes:
        blocks: how many blocks were checked.
        proven: how many protocols' blocks passed, by proof.
        failures: (protocols, first block, last block, what is wrong), in block order.
        waivers: reasons why blocks could not be proven further.
    """

    blocks: int = 0
    proven: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, int, int, str]] = field(default_factory=list)
    waivers: set[str] = field(default_factory=set)


async def verify(node: Source, wanted: Inspection, progress: Progress) -> Verdict:
    """
    Compare stored blocks with the chain; write audits, and raise coverage that is proven.

    Args:
        node: whom to ask.
        wanted: what to verify.
        progress: told blocks done and blocks to do.

    Raises:
        UserError: nothing of these protocols is stored, or none of the blocks asked for.
        RetryableError: the node or the database stayed out of reach; what was found is kept.
        DatabaseUnusable: the database cannot be read or written.
    """
    stored = wanted.ledger.stored()
    chosen = stored_among(wanted.protocols, wanted.ledger.chain, stored)
    is_whole = origin_kind(await node.client_version()) != "recorded"
    run = _Run(node, wanted, stored, is_whole=is_whole)
    found = list(parts(wanted.blocks(), chosen, stored.coverage))
    total = sum(len(part.numbers) for part in found)
    if not total:
        raise UserError(
            f"none of the blocks asked for is stored on {wanted.ledger.chain.slug}: expected some "
            "that `perpscope status` lists; correct --from or --to"
        )
    for part in found:
        # A chain that cannot be proven is never waited for: Ctrl-C is heard between its parts.
        await asyncio.sleep(0)
        await run.look(part)
        progress(run.verdict.blocks, total)
    return run.verdict


class _Run:
    def __init__(self, node: Source, wanted: Inspection, stored: Stored, *, is_whole: bool) -> None:
        self.verdict = Verdict()
        self._node, self._wanted = node, wanted
        self._ledger, self._is_whole = wanted.ledger, is_whole
        everything = list(self._ledger.declarations.values())
        self._known = known_of(stored, declared(everything, self._ledger.chain))
        self._last: tuple[int, bytes] | None = None

    async def look(self, part: Part) -> None:
        """Check some blocks and write what was found."""
        if not self._is_whole:
            self._write(part, {}, ("waived", RECORDED), None)
            return
        try:
            headers = await self._node.sealed_headers(part.numbers)
            logs, blocks, ends = self._read(part)
            faults = self._moved(part, headers, logs, blocks, ends)
            found = await self._found(part, headers, logs)
        except NodeAnswerWrong as error:
            everything = dict.fromkeys(part.numbers, str(error))
            faults = {protocol.slug: everything for protocol in part.protocols}
            self._write(part, faults, ("fetched", None), None)
            return
        if found is not None:
            for slug, wrong in self._differences(part, logs, found).items():
                faults[slug] = wrong | faults[slug]
        reached = ("fetched", None) if found is None else (found.proof, found.waiver)
        self._write(part, faults, reached, (headers, logs))

    def _read(self, part: Part) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        chain_id = self._ledger.chain.chain_id
        logs, blocks, ends = read_blocks(self._ledger.path, chain_id, part.numbers)
        return logs.drop("chain_id"), blocks, ends

    async def _found(self, part: Part, headers: pl.DataFrame, logs: pl.DataFrame) -> Finding | None:
        if self._wanted.level == "linked":
            return None
        chain = self._ledger.chain

        def ours(some: pl.DataFrame) -> pl.DataFrame:
            masks = owned(part.protocols, chain, some, self._known).values()
            return some.filter(pl.any_horizontal(*masks))

        claim = Claim(
            chain,
            part.numbers[0],
            part.numbers[-1],
            self._wanted.level,
            ours(logs),
            ours,
            declared_by(part.protocols, chain, self._known),
            LOG_COLUMNS,
        )
        return await check(self._node, claim, headers)

    def _moved(
        self,
        part: Part,
        headers: pl.DataFrame,
        logs: pl.DataFrame,
        blocks: pl.DataFrame,
        covered: pl.DataFrame,
    ) -> dict[str, dict[int, str]]:
        # What is stored under another hash than the chain's, and headers that do not link.
        rows = covered.select(
            "protocol",
            number="to_block",
            hash=pl.col("to_block_hash").str.slice(2).str.decode("hex"),
        )
        everywhere = pl.concat(
            [blocks.select("number", "hash"), logs.select(number="block_number", hash="block_hash")]
        ).unique()
        broken = self._unlinked(headers)
        faults = {}
        for protocol in part.protocols:
            ends = rows.filter(pl.col("protocol") == protocol.slug).select("number", "hash")
            told = headers.select("number", now="hash")
            odd = (
                pl.concat([everywhere, ends])
                .join(told, on="number")
                .filter(pl.col("hash") != pl.col("now"))
            )
            faults[protocol.slug] = broken | {
                number: f"stored as block 0x{before.hex()}, the chain's is 0x{now.hex()}"
                for number, before, now in odd.iter_rows()
            }
        return faults

    def _unlinked(self, headers: pl.DataFrame) -> dict[int, str]:
        broken = {}
        for number, block_hash, parent in headers.select("number", "hash", "parent_hash").rows():
            if self._last is not None and self._last[0] + 1 == number and self._last[1] != parent:
                broken[number] = "its header does not continue that of the block before"
            self._last = (number, block_hash)
        return broken

    def _differences(
        self, part: Part, logs: pl.DataFrame, found: Finding
    ) -> dict[str, dict[int, str]]:
        if not found.faults:
            return {}
        there = logs.filter(pl.col("block_number").is_in(found.faults))
        here = owned(part.protocols, self._ledger.chain, there, self._known)
        true = owned(part.protocols, self._ledger.chain, found.truth, self._known)
        return {
            slug: {
                number: f"{fault}, by its receipts"
                for number, fault in differences(
                    there.filter(here[slug]), found.truth.filter(true[slug])
                ).items()
                if number in found.faults
            }
            for slug in here
        }

    def _write(
        self,
        part: Part,
        faults: dict[str, dict[int, str]],
        reached: tuple[str, str | None],
        seen: tuple[pl.DataFrame, pl.DataFrame] | None,
    ) -> None:
        audits, proven = [], []
        for protocol in part.protocols:
            for low, high, fault in runs(part.numbers, faults.get(protocol.slug, {})):
                audits.append(self._audit(protocol.slug, low, high, fault, reached))
                if fault is None and seen is not None and self._raises(reached):
                    proven.append(self._proven(protocol, low, high, reached, seen))
        frame = pl.DataFrame(audits, columns_of("audits"), orient="row")
        record(self._ledger.path, self._ledger.chain.chain_id, frame, proven, self._ledger.owned)
        self.verdict.blocks += len(part.numbers)

    def _raises(self, reached: tuple[str, str | None]) -> bool:
        return self._wanted.sample is None and reached[0] != "fetched"

    def _audit(
        self, slug: str, low: int, high: int, fault: str | None, reached: tuple[str, str | None]
    ) -> tuple[object, ...]:
        proof, waiver = reached
        verdict = "waived" if proof == "waived" else "passed"
        if fault is not None:
            verdict = "failed"
            self.verdict.failures.append((slug, low, high, fault))
        else:
            passed = proof if self._wanted.level != "linked" else "linked"
            self.verdict.proven[passed] = self.verdict.proven.get(passed, 0) + high - low + 1
            self.verdict.waivers |= {waiver} if waiver else set()
        detail = fault or waiver or ""
        chain_id, level = self._ledger.chain.chain_id, self._wanted.level
        return (chain_id, slug, low, high, level, verdict, detail, self._wanted.at)

    def _proven(
        self,
        protocol: Protocol,
        low: int,
        high: int,
        reached: tuple[str, str | None],
        seen: tuple[pl.DataFrame, pl.DataFrame],
    ) -> Proven:
        headers, logs = seen
        inside = logs.filter(pl.col("block_number").is_between(low, high))
        mine = inside.filter(
            owned([protocol], self._ledger.chain, inside, self._known)[protocol.slug]
        )
        before = headers.filter(pl.col("number") == low)["parent_hash"][0]
        last = headers.filter(pl.col("number") == high)["hash"][0]
        return Proven(protocol.slug, low, high, before, last, fingerprint(mine), *reached)

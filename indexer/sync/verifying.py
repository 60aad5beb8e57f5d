"""
Does what is stored agree with what the chain commits to? Covered blocks, a thousand at a time.

Nothing stored is changed but how far coverage is proven: what is wrong becomes a failed audit,
which `repair` mends.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from indexer.errors import NodeAnswerWrong, ReorgTooDeep, UserError
from indexer.facts import Known, owned
from indexer.proof import LOG_COLUMNS, differences
from indexer.spec import Protocol
from indexer.store import Proven, Seen, Stored, audit_time, fingerprint, read_blocks, record
from indexer.sync.coverage import origin_kind
from indexer.sync.proving import RECORDED, Claim, Finding, check, declared_by
from indexer.sync.rederiving import stored_among
from indexer.sync.reorgs import Ledger, forked
from indexer.sync.source import Source
from indexer.sync.stretches import Part, Wanted, parts, runs
from indexer.tables import columns_of, empty

Progress = Callable[[int, int], None]
Faults = dict[str, dict[int, str]]

_LOOKS = 3  # at blocks that change while they are looked at


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
        left: (first block, last block, why) of what was not checked, in block order.
    """

    blocks: int = 0
    proven: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, int, int, str]] = field(default_factory=list)
    waivers: set[str] = field(default_factory=set)
    left: list[tuple[int, int, str]] = field(default_factory=list)


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
    at = audit_time(wanted.ledger.path, wanted.ledger.chain.chain_id, wanted.at)
    run = _Run(node, replace(wanted, at=at), stored, is_whole=is_whole)
    found = list(parts(wanted.blocks(), chosen, stored.coverage, is_whole=is_whole))
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
        self._known = _knowing(stored.contracts)
        final = stored.anchors().final
        self._final = -1 if final is None else final[0]
        self._last: tuple[int, bytes] | None = None

    async def look(self, part: Part) -> None:
        """Check some blocks and write what was found; those that change meanwhile, again."""
        if not self._is_whole:
            self._waive(part)
            return
        before = self._last
        is_settled = part.numbers[-1] <= self._final
        for again in range(_LOOKS):
            self._last = await self._told_now(before) if again else before
            if await self._checked(part, is_patient=again < _LOOKS - 1 and not is_settled):
                return
            await asyncio.sleep(0.05 * 2**again)
        self._leave(part.numbers, "they changed each time they were looked at")

    async def _told_now(self, block: tuple[int, bytes] | None) -> tuple[int, bytes] | None:
        if block is None:
            return None
        number, block_hash = (await self._node.headers([block[0]])).select("number", "hash").row(0)
        return number, block_hash

    async def _checked(self, part: Part, *, is_patient: bool) -> bool:
        """Check and write; return False where the blocks are to be looked at again."""
        before = self._last
        try:
            headers = await self._node.sealed_headers(part.numbers)
            seen = self._read(part)
            part = _covered(part, seen)
            faults = self._moved(part, headers, seen)
            if any(faults.values()):
                if is_patient:
                    return False
                if (rest := await self._without_reorg(part)) is not None:
                    self._last = before
                    return not rest.numbers or await self._checked(rest, is_patient=False)
            logs = seen.logs.drop("chain_id")
            found = await self._found(part, headers, logs)
        except NodeAnswerWrong as error:
            if is_patient:
                return False
            everything = dict.fromkeys(part.numbers, str(error))
            faults = {protocol.slug: everything for protocol in part.protocols}
            return self._write(part, faults, ("fetched", None), None)
        if found is not None:
            for slug, wrong in self._differences(part, logs, found).items():
                faults[slug] = wrong | faults[slug]
        reached = ("fetched", None) if found is None else (found.proof, found.waiver)
        return self._write(part, faults, reached, (headers, seen))

    def _read(self, part: Part) -> Seen:
        seen = read_blocks(self._ledger.path, self._ledger.chain.chain_id, part.numbers)
        # What follows from contracts is worked out once: another frame of the same is not taken.
        if not seen.contracts.equals(self._known.contracts):
            self._known = _knowing(seen.contracts)
        return seen

    async def _without_reorg(self, part: Part) -> Part | None:
        """Return what is left of blocks of which a reorg took some out of the chain, or None."""
        if part.numbers[-1] <= self._final or (head := await self._node.head()) is None:
            return None
        try:
            fork = await forked(self._node, self._ledger, self._ledger.stored(), head)
        except ReorgTooDeep:
            return None
        if fork is None or part.numbers[-1] <= fork.ancestor:
            return None
        gone = [number for number in part.numbers if number > fork.ancestor]
        self._leave(gone, "a reorg took them out of the chain; `perpscope index` follows it")
        return replace(part, numbers=part.numbers[: -len(gone)])

    def _waive(self, part: Part) -> None:
        # Who looks at nothing notes nothing: it would clear what was found wrong before.
        waived = len(part.protocols) * len(part.numbers)
        self.verdict.proven["waived"] = self.verdict.proven.get("waived", 0) + waived
        self.verdict.waivers.add(RECORDED)
        self.verdict.blocks += len(part.numbers)

    def _leave(self, numbers: Sequence[int], why: str) -> None:
        self.verdict.left.append((numbers[0], numbers[-1], why))

    async def _found(self, part: Part, headers: pl.DataFrame, logs: pl.DataFrame) -> Finding | None:
        if self._wanted.level == "linked" or not part.protocols:
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

    def _moved(self, part: Part, headers: pl.DataFrame, seen: Seen) -> Faults:
        # What is stored under another hash or time than the chain's, and headers that do not link.
        broken = self._unlinked(headers) | seen.misdated(headers)
        told = headers.select("number", now="hash")
        faults = {}
        for protocol in part.protocols:
            odd = (
                seen.hashes(protocol.slug)
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

    def _differences(self, part: Part, logs: pl.DataFrame, found: Finding) -> Faults:
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
        faults: Faults,
        reached: tuple[str, str | None],
        checked: tuple[pl.DataFrame, Seen] | None,
    ) -> bool:
        if not part.protocols:
            self._leave(part.numbers, "they were taken back meanwhile")
            return True
        audits, proven = [], []
        for protocol in part.protocols:
            for low, high, fault in runs(part.numbers, faults.get(protocol.slug, {})):
                audits.append(self._audit(protocol.slug, low, high, fault, reached))
                if fault is None and checked is not None and self._raises(reached):
                    proven.append(self._proven(protocol, low, high, reached, checked))
        frame = pl.DataFrame(audits, columns_of("audits"), orient="row")
        path, chain_id = self._ledger.path, self._ledger.chain.chain_id
        seen = checked[1] if checked is not None else None
        if not record(path, chain_id, frame, proven, self._ledger.owned, seen=seen):
            return False
        self._count(frame, reached)
        self.verdict.blocks += len(part.numbers)
        return True

    def _raises(self, reached: tuple[str, str | None]) -> bool:
        return self._wanted.sample is None and reached[0] != "fetched"

    def _audit(
        self, slug: str, low: int, high: int, fault: str | None, reached: tuple[str, str | None]
    ) -> tuple[object, ...]:
        proof, waiver = reached
        verdict = "failed" if fault else "waived" if proof == "waived" else "passed"
        detail = fault or waiver or ""
        chain_id, level = self._ledger.chain.chain_id, self._wanted.level
        return (chain_id, slug, low, high, level, verdict, detail, self._wanted.at)

    def _count(self, audits: pl.DataFrame, reached: tuple[str, str | None]) -> None:
        passed = reached[0] if self._wanted.level != "linked" else "linked"
        told = audits.select("protocol", "from_block", "to_block", "verdict", "detail")
        for slug, low, high, verdict, detail in told.iter_rows():
            if verdict == "failed":
                self.verdict.failures.append((slug, low, high, detail))
            else:
                proven = self.verdict.proven
                proven[passed] = proven.get(passed, 0) + high - low + 1
                self.verdict.waivers |= {detail} if detail else set()

    def _proven(
        self,
        protocol: Protocol,
        low: int,
        high: int,
        reached: tuple[str, str | None],
        checked: tuple[pl.DataFrame, Seen],
    ) -> Proven:
        headers, seen = checked
        inside = seen.logs.filter(pl.col("block_number").is_between(low, high))
        mine = inside.filter(
            owned([protocol], self._ledger.chain, inside, self._known)[protocol.slug]
        )
        before = headers.filter(pl.col("number") == low)["parent_hash"][0]
        last = headers.filter(pl.col("number") == high)["hash"][0]
        return Proven(protocol.slug, low, high, before, last, fingerprint(mine), *reached)


def _covered(part: Part, seen: Seen) -> Part:
    # Another run may have taken blocks back: what is not stored is not wrong.
    still = (protocol for protocol in part.protocols if protocol.slug in seen.protocols)
    return replace(part, protocols=tuple(still))


def _knowing(contracts: pl.DataFrame) -> Known:
    # Whose logs are whose follows from contracts alone.
    return Known(empty("tokens"), empty("markets"), contracts)

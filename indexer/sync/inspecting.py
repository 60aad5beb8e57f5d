"""
The way through what is stored, a thousand blocks at a time, and what is noted on it.

`verifying` compares the blocks with what the chain commits to, `agreeing` with what each endpoint
tells.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from indexer.errors import ReorgTooDeep, UserError
from indexer.facts import Known, owned
from indexer.proof import PROOFS
from indexer.spec import Protocol
from indexer.store import Proven, Seen, Stored, audit_time, fingerprint, read_blocks, record
from indexer.sync.proving import RECORDED
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
        level: linked (headers), bloom, or receipts; or agreed (what each endpoint tells).
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
        return Wanted(self.ledger.chain, first, last, self.sample)


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
        silent: likewise, of what single endpoints did not tell at level agreed.
        unheard: how many blocks were left because fewer than two endpoints told of them.
    """

    blocks: int = 0
    proven: dict[str, int] = field(default_factory=dict)
    failures: list[tuple[str, int, int, str]] = field(default_factory=list)
    waivers: set[str] = field(default_factory=set)
    left: list[tuple[int, int, str]] = field(default_factory=list)
    silent: list[tuple[int, int, str]] = field(default_factory=list)
    unheard: int = 0


class Run(ABC):
    """
    One way through the stored blocks, a part at a time.

    Attributes:
        verdict: what was found so far.
    """

    def __init__(self, wanted: Inspection, stored: Stored, *, is_whole: bool) -> None:
        """Look at what is wanted of what is stored; nobody is asked yet."""
        at = audit_time(wanted.ledger.path, wanted.ledger.chain.chain_id, wanted.at)
        self.verdict = Verdict()
        self._wanted, self._stored = replace(wanted, at=at), stored
        self._ledger, self._is_whole = wanted.ledger, is_whole
        self._known = _knowing(stored.contracts)
        final = stored.anchors().final
        self._final = -1 if final is None else final[0]

    async def through(self, progress: Progress) -> Verdict:
        """Look at every part and return what was found; raises what `verify` raises."""
        wanted, coverage = self._wanted.blocks(), self._stored.coverage
        chosen = stored_among(self._wanted.protocols, wanted.chain, self._stored)
        found = list(parts(wanted, chosen, coverage, is_whole=self._is_whole))
        total = sum(len(part.numbers) for part in found)
        if not total:
            raise UserError(
                f"none of the blocks asked for is stored on {wanted.chain.slug}: expected some "
                "that `perpscope status` lists; correct --from or --to"
            )
        for part in found:
            # A chain that cannot be proven is never waited for: Ctrl-C is heard between its parts.
            await asyncio.sleep(0)
            await self._look(part)
            progress(self.verdict.blocks, total)
        return self.verdict

    async def _look(self, part: Part) -> None:
        # What changes meanwhile is looked at again.
        if not self._is_whole:
            self._waive(part)
            return
        is_settled = part.numbers[-1] <= self._final
        for again in range(_LOOKS):
            if again:
                await self._start_over()
            is_patient = again < _LOOKS - 1 and not is_settled
            if await self._checked(part, is_patient=is_patient):
                return
            await asyncio.sleep(0.05 * 2**again)
        self._leave(part.numbers, "they changed each time they were looked at")

    @abstractmethod
    async def _checked(self, part: Part, *, is_patient: bool) -> bool:
        """Check and write; return False where the blocks are to be looked at again."""

    async def _start_over(self) -> None:  # noqa: B027 - who remembers nothing has nothing to do
        """Forget what the last look at the same blocks told; by default nothing."""

    def _read(self, part: Part) -> Seen:
        seen = read_blocks(self._ledger.path, self._ledger.chain.chain_id, part.numbers)
        # What follows from contracts is worked out once: another frame of the same is not taken.
        if not seen.contracts.equals(self._known.contracts):
            self._known = _knowing(seen.contracts)
        return seen

    async def _without_reorg(self, node: Source, part: Part) -> Part | None:
        """Return what is left of blocks of which a reorg took some out of the chain, or None."""
        if part.numbers[-1] <= self._final or (head := await node.head()) is None:
            return None
        try:
            fork = await forked(node, self._ledger, self._ledger.stored(), head)
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
        leave(self.verdict.left, numbers, why)

    def _write(
        self,
        part: Part,
        faults: Faults,
        reached: tuple[str, str | None],
        seen: Seen | None,
        headers: pl.DataFrame | None = None,
    ) -> bool:
        if not part.protocols:
            self._leave(part.numbers, "they were taken back meanwhile")
            return True
        audits, proven = [], []
        for protocol in part.protocols:
            for low, high, fault in runs(part.numbers, faults.get(protocol.slug, {})):
                audits.append(self._audit(protocol.slug, low, high, fault, reached))
                if fault is None and seen and headers is not None and self._raises(reached):
                    proven.append(self._proven(protocol, low, high, reached, (headers, seen)))
        frame = pl.DataFrame(audits, columns_of("audits"), orient="row")
        path, chain_id = self._ledger.path, self._ledger.chain.chain_id
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
        passed = reached[0] if self._wanted.level in PROOFS else self._wanted.level
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


def leave(left: list[tuple[int, int, str]], numbers: Sequence[int], why: str) -> None:
    """Note why blocks were left, together with those before them that were left for the same."""
    if left and left[-1][1:] == (numbers[0] - 1, why):
        left[-1] = (left[-1][0], numbers[-1], why)
    else:
        left.append((numbers[0], numbers[-1], why))


def covered(part: Part, seen: Seen) -> Part:
    """Return a part without the protocols that do not cover it any more."""
    # Another run may have taken blocks back: what is not stored is not wrong.
    still = (protocol for protocol in part.protocols if protocol.slug in seen.protocols)
    return replace(part, protocols=tuple(still))


def _knowing(contracts: pl.DataFrame) -> Known:
    # Whose logs are whose follows from contracts alone.
    return Known(empty("tokens"), empty("markets"), contracts)

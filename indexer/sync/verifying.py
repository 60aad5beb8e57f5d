"""
Does what is stored agree with what the chain commits to? Covered blocks, a thousand at a time.

Nothing stored is changed but how far coverage is proven: what is wrong becomes a failed audit,
which `repair` mends.
"""

import polars as pl

from indexer.errors import NodeAnswerWrong
from indexer.facts import owned
from indexer.proof import LOG_COLUMNS, differences
from indexer.store import Seen, Stored
from indexer.sync.coverage import origin_kind
from indexer.sync.inspecting import Faults, Inspection, Progress, Run, Verdict, covered
from indexer.sync.proving import Claim, Finding, check, declared_by
from indexer.sync.source import Source
from indexer.sync.stretches import Part


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
    is_whole = origin_kind(await node.client_version()) != "recorded"
    return await _Run(node, wanted, stored, is_whole=is_whole).through(progress)


class _Run(Run):
    def __init__(self, node: Source, wanted: Inspection, stored: Stored, *, is_whole: bool) -> None:
        super().__init__(wanted, stored, is_whole=is_whole)
        self._node = node
        self._last: tuple[int, bytes] | None = None  # block checked, and the one before this look
        self._before: tuple[int, bytes] | None = None

    async def _start_over(self) -> None:
        self._last = self._before
        if self._before is not None:  # which a reorg may have replaced
            told = await self._node.headers([self._before[0]])
            self._last = told.select("number", "hash").row(0)

    async def _checked(self, part: Part, *, is_patient: bool) -> bool:
        before = self._before = self._last
        try:
            headers = await self._node.sealed_headers(part.numbers)
            seen = self._read(part)
            part = covered(part, seen)
            faults = self._moved(part, headers, seen)
            if any(faults.values()):
                if is_patient:
                    return False
                if (rest := await self._without_reorg(self._node, part)) is not None:
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
        return self._write(part, faults, reached, seen, headers)

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
        return {
            protocol.slug: broken | seen.replaced(protocol.slug, headers)
            for protocol in part.protocols
        }

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

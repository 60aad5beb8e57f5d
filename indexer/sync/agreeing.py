"""
Does every endpoint tell what is stored? Each is asked alone for the logs of covered blocks, and for
the headers of those that are stored.

Where headers cannot be recomputed, one endpoint's word is all there is; this holds it to a second
one's. It is no proof: coverage stays as proven as it was.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import islice

import polars as pl

from indexer.chains import Chain
from indexer.errors import (
    HistoryPruned,
    NodeAnswerWrong,
    NodeBehind,
    NodeUnavailable,
    RangeTooLarge,
    UserError,
    WorldError,
)
from indexer.facts import Known, owned
from indexer.proof import differences
from indexer.rpc import HEADERS, LOGS, Endpoint, Node
from indexer.rpc.failures import Refused
from indexer.settings import MOST_LOGS
from indexer.store import Seen, Stored
from indexer.sync.coverage import origin_kind
from indexer.sync.fetching import sample
from indexer.sync.inspecting import Faults, Inspection, Progress, Run, Verdict, covered, leave
from indexer.sync.pieces import Piece
from indexer.sync.proving import RECORDED
from indexer.sync.source import Source
from indexer.sync.span import Span
from indexer.sync.stretches import Part, runs

_ENOUGH = 2  # endpoints that can agree
_ALONE = "fewer than two endpoints told of them"

# Who cannot answer, or contradicts itself, disagrees with nobody. After some of these failures an
# endpoint may tell of the next blocks; after the others it is asked no more.
_OF_BLOCKS = (Refused, NodeAnswerWrong, HistoryPruned, RangeTooLarge)
_SILENT = (*_OF_BLOCKS, NodeUnavailable, NodeBehind)


def each_once(endpoints: Sequence[Endpoint]) -> list[Endpoint]:
    """Return the endpoints without those whose URL an earlier one has."""
    found: dict[str, Endpoint] = {}
    for endpoint in endpoints:
        found.setdefault(endpoint.url.strip().rstrip("/"), endpoint)
    return list(found.values())


def several(endpoints: Sequence[Endpoint], chain: Chain) -> list[Endpoint]:
    """
    Return the endpoints, each once.

    Raises:
        UserError: they are too few to agree on anything.
    """
    found = each_once(endpoints)
    if len(found) < _ENOUGH:
        raise UserError(
            f"endpoints of {chain.slug}: {len(found)}, expected at least {_ENOUGH}, whose answers "
            f"are compared; give --rpc URL for each, or rpc under [chains.{chain.slug}] in the "
            "settings"
        )
    return found


async def agree(endpoints: Sequence[Endpoint], wanted: Inspection, progress: Progress) -> Verdict:
    """
    Compare stored logs, hashes and times of blocks with what each endpoint tells; write audits.

    Args:
        endpoints: whom to ask, each alone.
        wanted: what to verify.
        progress: told blocks done and blocks to do.

    Raises:
        UserError: nothing of these protocols is stored, or none of the blocks asked for.
        WorldError: an endpoint serves another chain.
        DatabaseBusy: another process held the database all the time; what was found is kept.
        DatabaseUnusable: the database cannot be read or written.
    """
    stored = wanted.ledger.stored()
    async with AsyncExitStack() as opened:
        chain = wanted.ledger.chain
        witnesses = [await _witness(opened, endpoint, chain) for endpoint in endpoints]
        is_whole = any(witness.why != RECORDED for witness in witnesses)
        verdict = await _Run(witnesses, wanted, stored, is_whole=is_whole).through(progress)
    verdict.silent = sorted(entry for witness in witnesses for entry in witness.silent)
    return verdict


async def _witness(opened: AsyncExitStack, endpoint: Endpoint, chain: Chain) -> "_Witness":
    node = Node([endpoint], chain)
    try:
        await opened.enter_async_context(node)
        is_recorded = origin_kind(await node.client_version()) == "recorded"
    except _SILENT as error:
        return _Witness(endpoint, node, str(error))
    return _Witness(endpoint, node, RECORDED if is_recorded else None)


@dataclass
class _Word:
    """
    What an endpoint told of some blocks.

    Attributes:
        count: of how many, from the first on.
        logs: their logs.
        headers: of those that are stored.
        failure: why not of all of them.
        faults: how that differs from what is stored.
    """

    count: int = 0
    logs: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=LOGS)])
    headers: list[pl.DataFrame] = field(default_factory=lambda: [pl.DataFrame(schema=HEADERS)])
    failure: WorldError | None = None
    faults: Faults = field(default_factory=dict)


@dataclass
class _Witness:
    """
    An endpoint that is asked alone.

    Attributes:
        endpoint: which one.
        node: it.
        why: why it is asked no more; None while it is.
        silent: (first block, last block, why) of what it did not tell.
    """

    endpoint: Endpoint
    node: Source
    why: str | None
    silent: list[tuple[int, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._span = Span(MOST_LOGS)
        self._said: dict[type, str] = {}  # the first of its kind: others name other blocks

    async def tell(self, chain: Chain, known: Known, part: Part, stored: Sequence[int]) -> _Word:
        """Return what it tells of a part's blocks, headers of those alone that are stored."""
        word = _Word()
        try:
            if self.why is None:
                await self._tell(word, chain, known, part, stored)
        except _SILENT as failure:
            word.failure = failure
        return word

    def note(self, word: _Word, numbers: Sequence[int]) -> None:
        """Note of which blocks nothing was told, and whether it is worth asking on."""
        why, failure, name = self.why, word.failure, str(self.endpoint)
        if failure is not None:
            why = self._said.setdefault(type(failure), str(failure))
            self.why = None if isinstance(failure, _OF_BLOCKS) else why
        if why is not None:
            told = why if why.startswith(name) else f"{name}: {why}"
            leave(self.silent, numbers[word.count :], told)

    async def _tell(
        self, word: _Word, chain: Chain, known: Known, part: Part, stored: Sequence[int]
    ) -> None:
        numbers, behind = part.numbers, None
        while word.count < len(numbers):
            left = numbers[word.count :]
            asked = list(islice(_ranges(left, self._span.blocks), self.endpoint.concurrency))
            pieces = [_piece(low, high, part) for low, high in asked]
            answers = await asyncio.gather(
                *(self._told(chain, known, piece, stored) for piece in pieces),
                return_exceptions=True,
            )
            for (low, high), answer in zip(asked, answers, strict=True):
                if isinstance(answer, RangeTooLarge):
                    self._span.refused(low, high, answer)
                    break
                if isinstance(answer, NodeBehind):
                    behind = answer
                    numbers = await self._seen(numbers, high, behind)
                    break
                if isinstance(answer, BaseException):
                    raise answer
                self._span.answered(high - low + 1, answer[2])
                word.logs.append(answer[0])
                word.headers.append(answer[1])
                word.count = bisect_right(numbers, high)
        if behind is not None:
            raise behind

    async def _told(
        self, chain: Chain, known: Known, piece: Piece, stored: Sequence[int]
    ) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        logs, _, count = await sample(self.node, chain, known, piece)
        inside = stored[
            bisect_left(stored, piece.from_block) : bisect_right(stored, piece.to_block)
        ]
        return logs, await self.node.headers(inside), count

    async def _seen(self, numbers: Sequence[int], high: int, behind: NodeBehind) -> Sequence[int]:
        head = await self.node.head()
        if head is None or head.number >= high:
            raise behind
        return numbers[: bisect_right(numbers, head.number)]


def _ranges(numbers: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    for low, high, _ in runs(numbers, {}):
        for start in range(low, high + 1, most):
            yield start, min(start + most - 1, high)


def _piece(low: int, high: int, part: Part) -> Piece:
    return Piece(low, high, part.protocols, "latest", is_settled=True, parent=None, is_whole=True)


class _Run(Run):
    def __init__(
        self, witnesses: Sequence[_Witness], wanted: Inspection, stored: Stored, *, is_whole: bool
    ) -> None:
        super().__init__(wanted, stored, is_whole=is_whole)
        self._witnesses = witnesses

    async def _checked(self, part: Part, *, is_patient: bool) -> bool:
        if sum(witness.why is None for witness in self._witnesses) < _ENOUGH:
            self._leave_unheard(part, [_Word() for _ in self._witnesses], {}, 0)
            return True
        seen = self._read(part)
        part = covered(part, seen)
        if not part.protocols:
            return self._write(part, {}, ("fetched", None), seen)
        words = await self._words(part, seen)
        faults = self._united(words)
        if is_patient and (faults or any(_is_wrong(word) for word in words)):
            return False
        if (rest := await self._without_reorgs(part, words)) is not None:
            return not rest.numbers or await self._checked(rest, is_patient=False)
        enough = sorted(word.count for word in words)[-_ENOUGH]
        heard = replace(part, numbers=part.numbers[:enough])
        if enough and not self._write(heard, faults, ("fetched", None), seen):
            return False
        self._leave_unheard(part, words, faults, enough)
        return True

    async def _words(self, part: Part, seen: Seen) -> list[_Word]:
        chain, known = self._ledger.chain, self._known
        stored = sorted({*seen.blocks["number"], *seen.ends["to_block"]})
        told = (witness.tell(chain, known, part, stored) for witness in self._witnesses)
        words = await asyncio.gather(*told)
        here = owned(part.protocols, chain, seen.logs, known)
        for word in words:
            logs, headers = pl.concat(word.logs), pl.concat(word.headers)
            true, misdated = owned(part.protocols, chain, logs, known), seen.misdated(headers)
            was_told = seen.logs["block_number"].is_in(part.numbers[: word.count])
            for slug, mine in here.items():
                odd = differences(seen.logs.filter(mine & was_told), logs.filter(true[slug]))
                word.faults[slug] = misdated | seen.replaced(slug, headers) | odd
        return words

    def _united(self, words: Sequence[_Word]) -> Faults:
        faults: Faults = {}
        for witness, word in zip(self._witnesses, words, strict=True):
            for slug, wrong in word.faults.items():
                for number, fault in wrong.items():
                    of = faults.setdefault(slug, {})
                    before = f"{of[number]}; " if number in of else ""
                    of[number] = f"{before}compared with {witness.endpoint}, {fault}"
        return faults

    async def _without_reorgs(self, part: Part, words: Sequence[_Word]) -> Part | None:
        for witness, word in zip(self._witnesses, words, strict=True):
            if max(map(max, filter(None, word.faults.values())), default=-1) <= self._final:
                continue
            try:
                rest = await self._without_reorg(witness.node, part)
            except _SILENT as error:  # whether it tells of another branch cannot be told
                witness.why = str(error)
                return part
            if rest is not None:
                return rest
        return None

    def _leave_unheard(
        self, part: Part, words: Sequence[_Word], faults: Faults, enough: int
    ) -> None:
        for witness, word in zip(self._witnesses, words, strict=True):
            witness.note(word, part.numbers)
        if not (numbers := part.numbers[enough:]):
            return
        odd = [of[number] for of in faults.values() for number in numbers if number in of]
        self._leave(numbers, f"{_ALONE} ({odd[0]})" if odd else _ALONE)
        self.verdict.unheard += len(numbers)


def _is_wrong(word: _Word) -> bool:
    return isinstance(word.failure, NodeAnswerWrong)

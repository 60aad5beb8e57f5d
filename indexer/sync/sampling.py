"""How dense a chain's logs are, from a few real answers: where they differ, it looks closer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from indexer.errors import RangeTooLarge
from indexer.sync.plan import Segment
from indexer.sync.span import Span

_FIRST_CELLS = 12
_TOLERANCE = 0.03


@dataclass(frozen=True)
class Seen:
    """
    What one answer showed.

    Attributes:
        blocks: how many blocks it was about.
        logs: logs that belong to the protocols.
        busy: blocks that carry one of them.
        answered: logs in the answer.
    """

    blocks: int
    logs: int
    busy: int
    answered: int

    def scaled(self, blocks: int) -> "Seen":
        """Return what so many blocks of the same kind would show."""
        share = blocks / self.blocks
        return Seen(
            blocks, round(self.logs * share), round(self.busy * share), round(self.answered * share)
        )


@dataclass(frozen=True)
class Cell:
    """
    Blocks that are taken to be alike.

    Attributes:
        segment: the blocks.
        origin: first block of the segment they were cut from.
        low: first block that was looked at.
        seen: what was seen from there on.
    """

    segment: Segment
    origin: int
    low: int
    seen: Seen

    @property
    def blocks(self) -> int:
        """How many blocks it spans."""
        return self.segment.blocks

    @property
    def unseen(self) -> int:
        """How many of its blocks were not looked at."""
        return self.blocks - self.seen.blocks

    def whole(self) -> Seen:
        """Return what all of it would show."""
        return self.seen.scaled(self.blocks)


Look = Callable[[Segment], Awaitable[Seen]]
"""Ask for a segment's logs; raises RangeTooLarge."""


@dataclass
class Sampler:
    """
    Looks at parts of segments until what is not seen cannot matter much, or often enough.

    Attributes:
        look: asks the node.
        most: how many parts to look at, at most.
        span: how many blocks to look at at once, learned on the way.
    """

    look: Look
    most: int
    span: Span

    async def cells(self, segments: Sequence[Segment]) -> list[Cell]:
        """
        Return cells that cover the segments, in block order.

        Raises:
            RangeTooLarge: a single block is more than the node will serve.
        """
        total = sum(segment.blocks for segment in segments)
        size = max(1, -(-total // _FIRST_CELLS))
        cells = [
            await self._cell(part, segment.from_block)
            for segment in segments
            for part in _cut(segment, size)
        ]
        looks = len(cells)
        while looks < self.most and (worst := _worst(cells)) is not None:
            parts = _split(cells[worst])
            fresh = [
                part if isinstance(part, Cell) else await self._cell(part, cells[worst].origin)
                for part in parts
            ]
            cells[worst : worst + 1] = fresh
            looks += len(parts) - 1
        return cells

    async def _cell(self, segment: Segment, origin: int) -> Cell:
        while True:
            blocks = min(segment.blocks, self.span.blocks)
            low = segment.from_block + (segment.blocks - blocks) // 2
            part = _part(segment, low, low + blocks - 1)
            try:
                seen = await self.look(part)
            except RangeTooLarge as refusal:
                self.span.refused(part.from_block, part.to_block, refusal)
                continue
            self.span.answered(blocks, seen.answered)
            return Cell(segment, origin, low, seen)


def _cut(segment: Segment, size: int) -> list[Segment]:
    starts = range(segment.from_block, segment.to_block + 1, size)
    return [_part(segment, start, min(start + size - 1, segment.to_block)) for start in starts]


def _part(segment: Segment, low: int, high: int) -> Segment:
    return replace(segment, from_block=low, to_block=high)


def _split(cell: Cell) -> list[Cell | Segment]:
    # What was seen is exact; what lies on either side of it is looked at on its own.
    segment, top = cell.segment, cell.low + cell.seen.blocks - 1
    parts: list[Cell | Segment] = []
    if segment.from_block < cell.low:
        parts.append(_part(segment, segment.from_block, cell.low - 1))
    parts.append(Cell(_part(segment, cell.low, top), cell.origin, cell.low, cell.seen))
    if top < segment.to_block:
        parts.append(_part(segment, top + 1, segment.to_block))
    return parts


def _worst(cells: Sequence[Cell]) -> int | None:
    doubts = [_doubt(cells, place) for place in range(len(cells))]
    total = sum(cell.whole().busy for cell in cells)
    if not cells or sum(doubts) <= _TOLERANCE * total:
        return None
    return max(range(len(cells)), key=doubts.__getitem__)


def _doubt(cells: Sequence[Cell], place: int) -> float:
    # How much its unseen blocks would show beyond or below what is assumed, if like a neighbour.
    near = cells[max(place - 1, 0) : place + 2]
    rates = [cell.seen.busy / cell.seen.blocks for cell in near]
    steps = [abs(left - right) for left, right in pairwise(rates)]
    return cells[place].unseen * max(steps, default=0.0) / 2

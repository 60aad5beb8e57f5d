"""A run's ranges without the run: cut on an estimated density, under a node's limit."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from indexer.errors import RangeTooLarge
from indexer.sync.sampling import Cell
from indexer.sync.span import Span


@dataclass(frozen=True)
class Limit:
    """
    What a node refuses.

    Attributes:
        blocks: this many blocks and more; None where it is not about blocks.
        logs: answers of this many logs and more; None where it is not about logs.
    """

    blocks: int | None = None
    logs: int | None = None

    def refuses(self, blocks: int, logs: int) -> bool:
        """Return whether a range of so many blocks with so many logs is refused."""
        too_long = self.blocks is not None and blocks >= self.blocks
        return too_long or (self.logs is not None and logs >= self.logs)


@dataclass(frozen=True)
class Cut:
    """One request for logs: its first block, length, logs in the answer, and whether it fails."""

    low: int
    blocks: int
    logs: int
    is_refused: bool


def rehearsed(cells: Sequence[Cell], target: int, most: int | None, limit: Limit) -> list[Cut]:
    """
    Return the requests a run would send for these blocks.

    Args:
        cells: how dense the blocks are, in block order.
        target: logs to aim at in one answer.
        most: most blocks in one request; None to find out.
        limit: what the node refuses.
    """
    span, cuts = Span(target, most), []
    for run in _runs(cells):
        start, end = run[0].segment.from_block, run[-1].segment.to_block
        while start <= end:
            blocks = min(span.blocks, end - start + 1)
            logs = round(_logs(run, start, start + blocks - 1))
            is_refused = blocks > 1 and limit.refuses(blocks, logs)
            cuts.append(Cut(start, blocks, logs, is_refused))
            if is_refused:
                span.refused(start, start + blocks - 1, RangeTooLarge("as it would"))
                continue
            span.answered(blocks, logs)
            start += blocks
    return cuts


def _runs(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    # A range never crosses from one segment into the next, which is of other protocols.
    for _, run in groupby(cells, key=lambda cell: (cell.origin, cell.segment.protocols)):
        yield list(run)


def _logs(run: Sequence[Cell], low: int, high: int) -> float:
    place = bisect_right([cell.segment.from_block for cell in run], low) - 1
    total = 0.0
    for cell in run[place:]:
        first, last = max(low, cell.segment.from_block), min(high, cell.segment.to_block)
        if first > high:
            break
        total += (last - first + 1) * cell.seen.answered / cell.seen.blocks
    return total

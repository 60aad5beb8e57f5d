"""How many blocks to ask for at once: learned from answers and refusals."""

from indexer.errors import RangeTooLarge

FIRST = 100
_FORGET_AFTER = 256
_MOST = 2_000_000


class Span:
    """
    The length of the next range, in blocks.

    It grows towards `target` logs an answer, falls to what a node proposes or to half when it
    refuses, and then approaches the refused length only as far as bisection goes. A refusal of a
    length that was served before is about what is in the range: then it aims at less than the
    largest answer so far.

    Attributes:
        blocks: the length to ask for.
        proven: the longest that was served; 0 before the first, or when it was refused since.
        bytes_per_block: how large the denser of the last two answers was.
    """

    def __init__(self, target: int, most: int | None = None) -> None:
        """Aim at `target` logs an answer and never ask for more than `most` blocks."""
        self._target = self._aim = target
        self._largest = 0
        self._most = min(most or _MOST, _MOST)
        self.blocks = min(FIRST, self._most)
        self.proven = 0
        self.bytes_per_block = self._last_density = 0.0
        self._bad: int | None = None
        self._calm = 0

    def answered(self, blocks: int, logs: int, size: int = 0) -> None:
        """Note that a range of this length was served with this many logs, `size` bytes of them."""
        self.proven = max(self.proven, blocks)
        density = size / blocks
        self.bytes_per_block, self._last_density = max(density, self._last_density), density
        self._calm += 1
        if self._calm > _FORGET_AFTER:  # a density that has passed, or another endpoint
            self._bad, self._calm, self._aim = None, 0, self._target
        self._largest = max(self._largest, logs)
        # Where few logs are known the next range may be dense: grow with care.
        most = max(blocks * (8 if logs * 8 < self._aim else 2), self.blocks)
        wanted = most
        if logs:
            wanted = max(min(most, self._aim * blocks // logs), self.blocks // 4)
        if self._bad is not None and wanted > self.blocks:
            wanted = min(wanted, (self.blocks + self._bad) // 2)
            wanted = self.blocks if wanted - self.blocks < self.blocks // 16 else wanted
        self.blocks = max(1, min(wanted, self._most))

    def refused(self, from_block: int, to_block: int, refusal: RangeTooLarge) -> None:
        """
        Note that a range was refused.

        Raises:
            RangeTooLarge: it was a single block, which cannot be made smaller.
        """
        blocks = to_block - from_block + 1
        if blocks == 1:
            raise RangeTooLarge(
                f"block {from_block} alone is more than the node will serve ({refusal}): expected "
                "at least one block at a time; use another endpoint"
            ) from refusal
        # Of several under way the shortest that was refused counts, whichever answers last.
        self._bad, self._calm = min(self._bad or blocks, blocks), 0
        if self.proven >= blocks:
            self.proven = 0
            self._aim = max(1, min(self._aim, self._largest * 4 // 5))
        shorter = _proposed(from_block, to_block, refusal) or max(blocks // 2, self.proven)
        self.blocks = min(shorter, self.blocks)


def _proposed(from_block: int, to_block: int, refusal: RangeTooLarge) -> int | None:
    if refusal.suggested is None:
        return None
    low, high = refusal.suggested
    return high - low + 1 if low == from_block and low <= high < to_block else None

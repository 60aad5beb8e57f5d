"""Which block a moment falls on, found on header timestamps in few requests."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import isqrt
from typing import TYPE_CHECKING

from indexer.errors import UserError
from indexer.rpc import Header
from indexer.spec import first_block
from indexer.sync.source import Source

if TYPE_CHECKING:
    from indexer.sync.converge import Job

_TICK = timedelta(microseconds=1)


async def last_until(node: Source, moment: datetime, low: int, high: Header) -> int:
    """
    Return the last block from `low` to `high` that is not younger than a moment.

    Three blocks a step: two around where an even pace would put it, and the middle, so that no
    step leaves more than half. A block without a time counts as younger.

    Returns:
        The block's number; `low - 1` when every block is younger.
    """
    old, young = low - 1, high.number + 1
    stamps = {high.number: high.timestamp}
    asked = [low]
    while True:
        lacking = [number for number in asked if number not in stamps]
        if lacking:
            headers = await node.headers(lacking)
            stamps.update(headers.select("number", "timestamp").iter_rows())
        for number in sorted(stamps):
            stamp = stamps[number]
            if stamp is not None and stamp <= moment:
                old = max(old, number)
            else:
                young = min(young, number)
        if young - old <= 1:
            return old
        asked = _around(moment, old, young, stamps)


def _around(
    moment: datetime, old: int, young: int, stamps: dict[int, datetime | None]
) -> list[int]:
    before, after = stamps.get(old), stamps.get(young)
    share = 0.5
    if before is not None and after is not None and after > before:
        share = (moment - before) / (after - before)
    guess, slack = old + int((young - old) * share), isqrt(young - old) // 2
    wanted = {guess - slack, guess + slack + 1, (old + young) // 2}
    return sorted(min(max(number, old + 1), young - 1) for number in wanted)


async def in_blocks(node: Source, job: "Job", *, has_times: bool) -> "Job":
    """
    Return the job with moments turned into blocks: from the first at or after `from_block`, to
    the last before `to_block`.

    Args:
        node: whom to ask.
        job: what to index.
        has_times: whether every block has a time; those that stand in for unrecorded ones do not.

    Raises:
        UserError: the beginning lies after the end or after the head, or blocks have no times.
        RetryableError: the node did not answer.
    """
    start, end = job.from_block, job.to_block
    if isinstance(start, datetime) or isinstance(end, datetime):
        head = await node.head()
        if not has_times or head is None or head.timestamp is None:
            raise UserError(
                f"the blocks of {job.chain.slug} carry no times at this node: expected --from and "
                "--to as block numbers"
            )
        if isinstance(start, datetime) and start > head.timestamp:
            raise UserError(
                f"--from {start.isoformat()} is after the head, block {head.number} of "
                f"{head.timestamp.isoformat()} UTC: expected an earlier moment"
            )
        lowest = min((first_block(item, job.chain) or 0 for item in job.protocols), default=0)
        low = min(lowest, head.number)
        if isinstance(start, datetime):
            start = await last_until(node, start - _TICK, low, head) + 1
        if isinstance(end, datetime):
            is_past = end <= head.timestamp
            end = await last_until(node, end - _TICK, low, head) if is_past else None
    if start is not None and end is not None and start > end:
        raise UserError(f"--from is block {start}, after --to, block {end}: expected it before")
    return replace(job, from_block=start, to_block=end)

"""Which block a moment falls on, found on header timestamps in few requests."""

from datetime import datetime
from math import isqrt

from indexer.rpc import Header
from indexer.sync.source import Source


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

"""What a run is asked to do, and what it did."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from indexer.chains import Chain
from indexer.errors import UserError
from indexer.rpc import EndpointStatistics
from indexer.settings import MOST_ADDRESSES, MOST_LOGS, MOST_RANGES
from indexer.spec import Protocol, first_block
from indexer.sync.heads import Heads
from indexer.sync.landing import Tally
from indexer.sync.moments import last_until
from indexer.sync.reorgs import Ledger
from indexer.sync.source import Source

_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Job:
    """
    What to index.

    Attributes:
        path: the database.
        chain: the chain.
        protocols: whose events; all of them are fetched in one pass.
        declarations: every protocol there is, by slug.
        from_block: first block, or a moment (UTC) that it is at or after; None for each
            protocol's own first block.
        to_block: last block, or a moment that it is before; None for the chain's head.
        max_span: most blocks in one request; None to find out.
        max_logs: logs to aim at in one range, which bounds memory.
        max_addresses: contracts to name in one request; where there are more, everybody's logs
            of the events are asked for.
        max_ranges: ranges under way at once below finality.
        max_requests: JSON-RPC calls to send at most; None for any number.
        proof: how far to prove logs complete as they come: fetched, bloom or receipts.
    """

    path: Path
    chain: Chain
    protocols: tuple[Protocol, ...]
    declarations: dict[str, Protocol]
    from_block: int | datetime | None = None
    to_block: int | datetime | None = None
    max_span: int | None = None
    max_logs: int = MOST_LOGS
    max_addresses: int = MOST_ADDRESSES
    max_ranges: int = MOST_RANGES
    max_requests: int | None = None
    proof: str = "fetched"

    def ledger(self) -> Ledger:
        """Return the chain's part of the database."""
        return Ledger(self.path, self.chain, self.declarations)


@dataclass(frozen=True)
class Summary:
    """
    What a run did.

    Attributes:
        tally: ranges, blocks, logs, facts and rejects written.
        head: the chain's last block when it was last asked.
        head_at: its time; None where the node could not say.
        reorgs: how often blocks had to be taken back.
        requests: JSON-RPC calls sent.
        seconds: how long it took.
        stopped: why it ended before everything was done; None when it was.
        endpoints: each endpoint's account.
        renewed: protocols whose stored blocks were brought under today's declarations before;
            the tally is without these.
    """

    tally: Tally
    head: int
    reorgs: int
    requests: int
    seconds: float
    stopped: str | None = None
    head_at: datetime | None = None
    endpoints: tuple[EndpointStatistics, ...] = ()
    renewed: tuple[str, ...] = ()


async def in_blocks(node: Source, job: Job, heads: Heads) -> Job:
    """
    Return the job with moments turned into blocks: from the first at or after `from_block`, to
    the last before `to_block`. An end after the newest block stays a moment.

    Args:
        node: whom to ask.
        job: what to index.
        heads: of the chain, as they are now.

    Raises:
        UserError: the beginning lies after the end or after the head, or blocks have no times:
            those that stand in for unrecorded ones do not.
        RetryableError: the node did not answer.
    """
    start, end = job.from_block, job.to_block
    if isinstance(start, datetime) or isinstance(end, datetime):
        head = heads.latest
        if not heads.is_whole or head.timestamp is None:
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
            start = await last_until(node, _before(start), low, head) + 1
        if isinstance(end, datetime) and end <= head.timestamp:
            # A node need not have kept what lies before the beginning.
            low = min(max(low, start or 0), head.number)
            end = await last_until(node, _before(end), low, head)
    if isinstance(start, int) and isinstance(end, int) and start > end:
        raise UserError(f"--from is block {start}, after --to, block {end}: expected it before")
    return replace(job, from_block=start, to_block=end)


def _before(moment: datetime) -> datetime:
    # Before the first moment that there is, there is no block either.
    return moment - _TICK if moment > datetime.min else moment

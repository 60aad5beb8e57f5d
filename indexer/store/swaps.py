"""A branch of the chain for another: old rows leave in the transaction in which theirs come."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from indexer.store.connection import transaction
from indexer.store.landed import Range
from indexer.store.ranges import is_overtaken, write_within
from indexer.store.reading import OWNERS, Stored, stored_in
from indexer.store.rewinds import taken_back


class _Covered(Exception):
    """Another process was first; the transaction must not commit."""


def swap(
    path: Path,
    chain_id: int,
    cuts: Mapping[str, int],
    reason: str,
    owners: OWNERS,
    *,
    before: Stored,
    replacement: Sequence[tuple[Range, OWNERS]],
) -> bool:
    """
    Take back everything of some protocols above a block each, and write what is there instead.

    Args:
        path: the database.
        chain_id: the chain.
        cuts: protocol -> last block to keep.
        reason: written beside the logs that move to `orphans`.
        owners: which logs belong to which protocol of the chain.
        before: what was stored when the cuts were found.
        replacement: ranges in block order, each with the others `write_range` takes.

    Returns:
        False when another process changed what is covered above the cuts meanwhile, or found what
        lives in the blocks of the replacement: nothing was changed.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
        NodeAnswerWrong: a block of the replacement is stored with another hash.
    """
    try:
        with transaction(path) as connection:
            above = pl.col("to_block") > min(cuts.values())
            stored = stored_in(connection, chain_id).coverage.filter(above)
            # The branch may be here already: what is right must not leave as if it were wrong.
            if not stored.equals(before.coverage.filter(above)):
                return False
            taken_back(connection, chain_id, cuts, reason, owners)
            for landed, others in replacement:
                if is_overtaken(connection, landed):
                    raise _Covered
                write_within(connection, landed, others)
    except _Covered:
        return False
    return True

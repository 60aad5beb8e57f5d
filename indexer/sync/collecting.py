"""State that no endpoint had when its blocks were indexed: asked for again in every run."""

from collections.abc import Sequence

import polars as pl

from indexer.facts import Facts, Known, merged
from indexer.facts.questions import ANSWER
from indexer.facts.reads import read_facts
from indexer.spec import Protocol
from indexer.store import Stored, uncollected, write_collected
from indexer.sync.declarations import check_unchanged
from indexer.sync.landing import Tally
from indexer.sync.pieces import ChainMoved
from indexer.sync.reads import NOT_COLLECTED, answered, pinned
from indexer.sync.reorgs import Ledger
from indexer.sync.source import Source
from indexer.sync.tokens import ask_tokens
from indexer.tables import empty


async def collect_again(
    node: Source, ledger: Ledger, protocols: Sequence[Protocol], stored: Stored, tally: Tally
) -> bool:
    """
    Ask again for state that could not be collected; return whether there was any to ask for.

    Args:
        node: whom to ask.
        ledger: a chain's part of a database.
        protocols: whose state.
        stored: what was read of the ledger.
        tally: what is written is counted there.

    Raises:
        UserError: a declaration has changed since its blocks were indexed.
        NodeAnswerWrong: the node executes calls in another block than it is asked to.
        RetryableError: the node did not answer, or the database is busy.
        DatabaseUnusable: the database cannot be written.
    """
    chain_id, covered = ledger.chain.chain_id, set(stored.coverage["protocol"])
    check_unchanged(protocols, ledger.chain, stored.coverage)
    readers = [item.slug for item in protocols if item.reads and item.slug in covered]
    if not readers or (rows := uncollected(ledger.path, chain_id, readers)).is_empty():
        return False
    try:
        told = await answered(node, rows.drop(*ANSWER))
    except ChainMoved:  # the reorg is found, and the rows taken back, before anything is added
        return True
    fresh = told.filter(pl.col("state") != NOT_COLLECTED)
    if fresh.is_empty():
        return True
    found, tokens = await _facts(node, ledger, protocols, fresh, ledger.known(stored))
    tables = {**found.tables, "rejects": found.rejects, "reads": fresh, "tokens": tokens}
    if write_collected(ledger.path, chain_id, tables, stored.coverage):
        tally.count(tables)
    return True


async def _facts(
    node: Source, ledger: Ledger, protocols: Sequence[Protocol], reads: pl.DataFrame, known: Known
) -> tuple[Facts, pl.DataFrame]:
    found = read_facts(protocols, ledger.chain, reads, known)
    if not found.unknown_tokens:
        return found, empty("tokens")
    at = pinned(reads[-1])
    tokens = await ask_tokens(node, ledger.chain, found.unknown_tokens, at, at)
    learned = Known(tokens, empty("markets"), empty("contracts"))
    return read_facts(protocols, ledger.chain, reads, merged(known, learned)), tokens

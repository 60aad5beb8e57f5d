"""State that was asked for in vain, and what another endpoint said of it later."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from indexer.store.connection import delete, insert, select, transaction
from indexer.store.knowledge import write_tokens

_QUESTION = ["protocol", "read", "block_number", "block_hash", "call", "address", "input"]


def uncollected(path: Path, chain_id: int, protocols: Sequence[str]) -> pl.DataFrame:
    """
    Return the rows of `reads` of these protocols that no endpoint could answer so far.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be opened or read.
    """
    where = "chain_id = ? and list_contains(?, protocol) and state = 'not_collected'"
    with transaction(path, read_only=True) as connection:
        return select(connection, "reads", where, [chain_id, list(protocols)])


def answers_between(path: Path, chain_id: int, from_block: int, to_block: int) -> pl.DataFrame:
    """
    Return the rows of `reads` of whole blocks that came to something, whoever asked.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be opened or read.
    """
    where = "chain_id = ? and block_number between ? and ? and state <> 'not_collected'"
    with transaction(path, read_only=True) as connection:
        return select(connection, "reads", where, [chain_id, from_block, to_block])


def write_collected(
    path: Path, chain_id: int, rows: Mapping[str, pl.DataFrame], coverage: pl.DataFrame
) -> bool:
    """
    Put answers in the place of rows that had none, with the facts they make; return whether.

    Nothing is written where another process has changed those rows meanwhile, or brought them under
    another declaration.

    Args:
        path: the database.
        chain_id: the chain.
        rows: table -> its rows: `reads`, `tokens`, `rejects` and facts.
        coverage: rows of `coverage` as they were when the facts were made.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    fresh = rows["reads"]
    with transaction(path) as connection:
        where = "chain_id = ? and state = 'not_collected'"
        waiting = select(connection, "reads", where, [chain_id])
        if len(fresh.join(waiting, on=_QUESTION, how="semi")) < len(fresh):
            return False
        now = select(connection, "coverage", "chain_id = ?", [chain_id])
        if _labels(now, fresh) != _labels(coverage, fresh):
            return False
        connection.register("answered", fresh.select("protocol", "block_number").to_arrow())
        again = "(protocol, block_number) in (select protocol, block_number from answered)"
        delete(connection, "reads", f"{where} and {again}", [chain_id])
        connection.unregister("answered")
        write_tokens(connection, rows["tokens"])
        for table, frame in rows.items():
            if table != "tokens":
                insert(connection, table, frame)
    return True


def _labels(coverage: pl.DataFrame, reads: pl.DataFrame) -> set[tuple[str, str]]:
    here = coverage.filter(pl.col("protocol").is_in(reads["protocol"].unique().implode()))
    return set(here.select("protocol", "declaration_digest").iter_rows())

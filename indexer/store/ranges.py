"""How a range of blocks lands: every table in one transaction, whole or not at all."""

from pathlib import Path

import duckdb
import polars as pl

from indexer.errors import NodeAnswerWrong
from indexer.store.connection import ROW_GROUP, delete, insert, select, transaction
from indexer.store.intervals import merged_coverage
from indexer.store.knowledge import (
    insert_missing,
    is_unheard,
    replace_policies,
    replace_stated,
    write_contracts,
    write_markets,
    write_tokens,
)
from indexer.store.landed import Range
from indexer.store.reading import OWNERS, stored_in, supported
from indexer.tables import block_tables, empty

_ORIGIN = ["chain_id", "client_version", "kind"]

# Row groups of at least a third stay as they are until something small is committed.
_LARGE = ROW_GROUP // 3


def write_range(path: Path, landed: Range, others: OWNERS) -> bool:
    """
    Write a range in one transaction; rows that its protocols had in these blocks are replaced.

    Args:
        path: the database.
        landed: the rows.
        others: which logs belong to which protocol of the chain; stored ones of those that are not
            in this range stay in blocks they cover, and the range's copies of them are left out.

    Returns:
        False when another process covered some of these blocks meanwhile, found what lives in
        them, replaced the branch they continue, or derived what is stored under other
        declarations: nothing was written.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
        NodeAnswerWrong: a block of the range is stored with another hash.
    """
    with transaction(path, is_large=landed.largest() >= _LARGE) as connection:
        if is_overtaken(connection, landed):
            return False
        write_within(connection, landed, others)
    return True


def write_within(connection: duckdb.DuckDBPyConnection, landed: Range, others: OWNERS) -> None:
    """
    Write a range that its protocols do not cover, within a transaction; see `write_range`.

    Raises:
        NodeAnswerWrong: a block of the range is stored with another hash.
    """
    _write_blocks(connection, landed)
    _write_logs(connection, landed, others)
    _replace_facts(connection, landed)
    _write_knowledge(connection, landed)
    _write_coverage(connection, landed)


def _write_knowledge(connection: duckdb.DuckDBPyConnection, landed: Range) -> None:
    write_contracts(connection, landed, _rows(landed, "contracts"))
    write_markets(connection, landed, _rows(landed, "markets"))
    write_tokens(connection, _rows(landed, "tokens"))
    insert_missing(connection, "origins", _rows(landed, "origins"), _ORIGIN)
    if "policies" in landed.rows:
        replace_policies(connection, landed.protocols, landed.rows["policies"])
        replace_stated(connection, landed.chain_id, landed.protocols, landed.rows)


def _rows(landed: Range, table: str) -> pl.DataFrame:
    return landed.rows.get(table, empty(table))


def _blocks(landed: Range) -> list[object]:
    return [landed.chain_id, landed.from_block, landed.to_block]


def is_overtaken(connection: duckdb.DuckDBPyConnection, landed: Range) -> bool:
    """
    Return whether a range is not to be written as it was read.

    Its protocols cover some of the blocks already, cover another branch up to them, hold what it
    was read without, or are stored under other declarations.
    """
    where = "chain_id = ? and list_contains(?, protocol)"
    stored = select(connection, "coverage", where, [landed.chain_id, list(landed.protocols)])
    now = _rows(landed, "coverage").select("protocol", now="declaration_digest")
    if len(stored.join(now, on="protocol").filter(pl.col("declaration_digest") != pl.col("now"))):
        return True
    covered = stored.filter(
        pl.col("to_block") >= landed.from_block - 1, pl.col("from_block") <= landed.to_block
    )
    is_below = pl.col("to_block") < landed.from_block
    below = set(covered.filter(is_below)["to_block_hash"])
    is_other = landed.parent is not None and f"0x{landed.parent.hex()}" not in below
    is_covered = bool(len(covered.filter(~is_below)))
    return is_covered or (bool(below) and is_other) or is_unheard(connection, landed)


def _write_blocks(connection: duckdb.DuckDBPyConnection, landed: Range) -> None:
    inside = "chain_id = ? and number between ? and ?"
    stored = select(connection, "blocks", inside, _blocks(landed))
    incoming = _rows(landed, "blocks")
    if len(stored) and not _is_covered_by_any(connection, landed):
        delete(connection, "blocks", inside, _blocks(landed))
        stored = stored.clear()
    known = incoming.join(stored.select("number", stored="hash"), on="number", how="left")
    other = known.filter(pl.col("stored") != pl.col("hash"))
    if len(other):
        number, now, before = other.select("number", "hash", "stored").row(0)
        raise NodeAnswerWrong(
            f"block {number} is 0x{now.hex()} at the node and 0x{before.hex()} in the database: "
            "expected the same chain; use another endpoint, or `perpscope rewind`"
        )
    insert(connection, "blocks", known.filter(pl.col("stored").is_null()))


def _is_covered_by_any(connection: duckdb.DuckDBPyConnection, landed: Range) -> bool:
    where = "chain_id = ? and to_block >= ? and from_block <= ?"
    return bool(len(select(connection, "coverage", where, _blocks(landed))))


def _write_logs(connection: duckdb.DuckDBPyConnection, landed: Range, others: OWNERS) -> None:
    inside = "chain_id = ? and block_number between ? and ?"
    incoming = _rows(landed, "logs")
    stored = select(connection, "logs", inside, _blocks(landed))
    if len(stored):
        elsewhere = "chain_id = ? and to_block >= ? and from_block <= ?"
        covered = select(connection, "coverage", elsewhere, _blocks(landed)).filter(
            ~pl.col("protocol").is_in(landed.protocols)
        )
        owned = others(stored_in(connection, landed.chain_id))
        kept = stored.filter(supported(stored, owned(stored), covered))
        incoming = incoming.join(kept, on=["tx_hash", "log_index"], how="anti")
        connection.register("kept", kept.select("tx_hash", "log_index").to_arrow())
        unkept = f"{inside} and (tx_hash, log_index) not in (select tx_hash, log_index from kept)"
        delete(connection, "logs", unkept, _blocks(landed))
        connection.unregister("kept")
    insert(connection, "logs", incoming)


def _replace_facts(connection: duckdb.DuckDBPyConnection, landed: Range) -> None:
    where = "chain_id = ? and block_number between ? and ? and list_contains(?, protocol)"
    for table in block_tables():
        delete(connection, table, where, [*_blocks(landed), list(landed.protocols)])
        insert(connection, table, _rows(landed, table))


def _write_coverage(connection: duckdb.DuckDBPyConnection, landed: Range) -> None:
    where = "chain_id = ? and list_contains(?, protocol)"
    values: list[object] = [landed.chain_id, list(landed.protocols)]
    stored = select(connection, "coverage", where, values)
    delete(connection, "coverage", where, values)
    rows = merged_coverage(pl.concat([stored, _rows(landed, "coverage")]))
    insert(connection, "coverage", rows)

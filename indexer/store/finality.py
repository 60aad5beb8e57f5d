"""Coverage grows more final with time, as far as the node confirms the stored hashes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, select, transaction
from indexer.store.fingerprint import subtracted
from indexer.store.intervals import merged_coverage
from indexer.store.proofs import digest_of
from indexer.store.reading import OWNED, OWNERS, stored_in
from indexer.tables import columns_of

FINALITIES = ("latest", "safe", "finalized")
"""From the least to the most final."""


def is_more_final(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """
    Return whether what is known now says more than what stands in a row of `coverage`.

    A node's word (`tag finalized`) says more than the age of a block.
    """
    ranks = [FINALITIES.index(row["finality"]) for row in (now, before)]
    is_told, was_told = (str(row["finality_reason"])[:4] == "tag " for row in (now, before))
    return (ranks[0], is_told) > (ranks[1], was_told)


def settle(
    path: Path,
    chain_id: int,
    borders: Mapping[str, int],
    told: Mapping[int, bytes],
    owners: OWNERS,
    *,
    reasons: Mapping[str, str],
) -> None:
    """
    Say how final covered blocks have become, and drop headers no reorg can need any more.

    An interval that a border crosses is split there, so the rows end as if the blocks had been
    fetched today.

    Args:
        path: the database.
        chain_id: the chain.
        borders: finality (safe, finalized) -> the last block that is so final; -1 for none.
        told: number -> hash of blocks as the node tells them now; only what they confirm is
            raised. Borders and ends of intervals are looked for.
        owners: which logs belong to which protocol of the chain.
        reasons: finality -> how it is known.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    with transaction(path) as connection:
        stored = stored_in(connection, chain_id)
        owned, rows = owners(stored), stored.coverage.rows(named=True)
        for finality in FINALITIES[1:]:
            rows = [
                part
                for row in rows
                for part in _raised(
                    connection,
                    row,
                    now={"finality": finality, "finality_reason": reasons[finality]},
                    border=borders[finality],
                    told=told,
                    owned=owned,
                )
            ]
        delete(connection, "coverage", "chain_id = ?", [chain_id])
        frame = pl.DataFrame(rows, columns_of("coverage"), orient="row")
        insert(connection, "coverage", merged_coverage(frame))
        bare = """chain_id = ? and number <= ? and not exists (
            select 1 from logs as l where l.chain_id = blocks.chain_id and l.block_number = number
        )"""
        delete(connection, "blocks", bare, [chain_id, borders["finalized"]])


def _raised(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    *,
    now: dict[str, str],
    border: int,
    told: Mapping[int, bytes],
    owned: OWNED,
) -> Iterator[dict[str, Any]]:
    if not is_more_final(now, row) or row["from_block"] > border:
        yield row
    elif row["to_block"] <= border:
        is_confirmed = told.get(row["to_block"], b"").hex() == row["to_block_hash"][2:]
        yield row | (now if is_confirmed else {})
    else:
        here = "chain_id = ? and number = ?"
        stored = select(connection, "blocks", here, [row["chain_id"], border])["hash"].to_list()
        if not stored or stored[0] != told.get(border):
            yield row
            return
        lower, upper = _split(connection, row, border, stored[0], owned)
        yield lower | now
        yield upper


def _split(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    border: int,
    border_hash: bytes,
    owned: OWNED,
) -> tuple[dict[str, Any], dict[str, Any]]:
    digest = digest_of(connection, row, border + 1, row["to_block"], owned)
    lower = row | {
        "to_block": border,
        "to_block_hash": f"0x{border_hash.hex()}",
        "logs_digest": subtracted(row["logs_digest"], digest),
    }
    return lower, row | {"from_block": border + 1, "logs_digest": digest}

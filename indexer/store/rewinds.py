"""Taking blocks back: facts go, raw logs move to `orphans`, coverage ends at the cut."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, scalar, select, transaction
from indexer.store.fingerprint import EMPTY, added, fingerprint, subtracted
from indexer.store.reading import OWNED, OWNERS, chunks, logs_between, stored_in, supported
from indexer.tables import block_tables, columns_of


@dataclass(frozen=True)
class Rewound:
    """
    What a rewind did.

    Attributes:
        logs: how many raw logs moved to `orphans`.
        covered: protocol -> the last block it still covers; None when it covers none.
    """

    logs: int
    covered: dict[str, int | None]


def rewind(
    path: Path, chain_id: int, cuts: Mapping[str, int], reason: str, owners: OWNERS
) -> Rewound:
    """
    Take back, in one transaction, everything of some protocols above a block each.

    An interval that spans its cut ends at the highest block at or below it whose hash is known:
    the cut itself inside the finality window, else the last block with logs.

    Args:
        path: the database.
        chain_id: the chain.
        cuts: protocol -> last block to keep.
        reason: written beside the logs that move to `orphans`.
        owners: which logs belong to which protocol of the chain.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    with transaction(path) as connection:
        return taken_back(connection, chain_id, cuts, reason, owners)


def taken_back(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    cuts: Mapping[str, int],
    reason: str,
    owners: OWNERS,
) -> Rewound:
    """Take back inside a transaction; the rest is as `rewind` says."""
    stored = stored_in(connection, chain_id)
    rows = stored.coverage
    ends = _ends(connection, chain_id, cuts, rows)
    moved, digests = _move_logs(
        connection, chain_id, cuts, owners(stored), rows=rows, ends=ends, reason=reason
    )
    _delete_facts(connection, chain_id, cuts, rows, ends)
    _forget_markets(connection, chain_id, cuts, ends)
    _cut_coverage(connection, chain_id, rows, ends, digests)
    _delete_blocks(connection, chain_id, min(cuts.values(), default=-1))
    kept = {slug: [end for (name, _), end in ends.items() if name == slug] for slug in cuts}
    lasts = {
        slug: max((end for end in found if end is not None), default=None)
        for slug, found in kept.items()
    }
    return Rewound(moved, lasts)


def remaining(path: Path, chain_id: int, cuts: Mapping[str, int]) -> pl.DataFrame:
    """
    Return the rows of `coverage` that `rewind` would leave, but for their `logs_digest`.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be read.
    """
    with transaction(path, read_only=True) as connection:
        rows = select(connection, "coverage", "chain_id = ?", [chain_id])
        ends = _ends(connection, chain_id, cuts, rows)
        digests = dict.fromkeys(cuts, EMPTY)
        return _shortened_rows(connection, rows, ends, digests).sort("protocol", "from_block")


Ends = dict[tuple[str, int], int | None]  # (protocol, from_block) -> new to_block, None: gone


def _ends(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    cuts: Mapping[str, int],
    rows: pl.DataFrame,
) -> Ends:
    ends: Ends = {}
    for row in rows.iter_rows(named=True):
        slug, low, high = row["protocol"], row["from_block"], row["to_block"]
        if slug not in cuts:
            continue
        cut = cuts[slug]
        # Only the one interval that spans the cut has blocks to look for.
        known = _known_block(connection, chain_id, low, cut) if low <= cut < high else None
        ends[slug, low] = high if high <= cut else known
    return ends


def _known_block(
    connection: duckdb.DuckDBPyConnection, chain_id: int, low: int, high: int
) -> int | None:
    query = "select max(number) from blocks where chain_id = ? and number between ? and ?"
    found: int | None = scalar(connection, query, [chain_id, low, high])
    return found


def _tops(rows: pl.DataFrame, ends: Ends) -> dict[str, int]:
    # per protocol, the old end of the one interval that its cut shortens
    old = zip(rows["protocol"], rows["from_block"], rows["to_block"], strict=True)
    return {slug: high for slug, low, high in old if ends.get((slug, low)) not in (None, high)}


def _kept(rows: pl.DataFrame, ends: Ends) -> pl.DataFrame:
    kept = [row | {"to_block": end} for row, end in _left(rows, ends)]
    return pl.DataFrame(kept, columns_of("coverage"), orient="row")


def _left(rows: pl.DataFrame, ends: Ends) -> Iterator[tuple[dict[str, Any], int]]:
    for row in rows.iter_rows(named=True):
        end = ends.get((row["protocol"], row["from_block"]), row["to_block"])
        if end is not None:
            yield row, end


def _move_logs(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    cuts: Mapping[str, int],
    owned: OWNED,
    *,
    rows: pl.DataFrame,
    ends: Ends,
    reason: str,
) -> tuple[int, dict[str, str]]:
    lowest = min(cuts.values(), default=-1) + 1
    tops, covered = _tops(rows, ends), _kept(rows, ends)
    digests = dict.fromkeys(tops, EMPTY)
    moved = 0
    for low, high in list(chunks(connection, chain_id, lowest, 2**62)):
        logs = logs_between(connection, chain_id, low, high)
        owners = owned(logs)
        for slug, top in tops.items():
            lost = owners[slug] & logs["block_number"].is_between(cuts[slug] + 1, top)
            digests[slug] = added(digests[slug], fingerprint(logs.filter(lost)))
        gone = logs.filter(~supported(logs, owners, covered))
        moved += len(gone)
        _orphan(connection, gone, reason)
    return moved, digests


def _orphan(connection: duckdb.DuckDBPyConnection, gone: pl.DataFrame, reason: str) -> None:
    if gone.is_empty():
        return
    insert(connection, "orphans", gone.with_columns(reason=pl.lit(reason)))
    connection.register("gone", gone.select(*columns_of("logs")).to_arrow())
    keys = "chain_id, block_number, tx_hash, log_index"
    delete(connection, "logs", f"({keys}) in (select {keys} from gone)", [])
    connection.unregister("gone")


def _delete_facts(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    cuts: Mapping[str, int],
    rows: pl.DataFrame,
    ends: Ends,
) -> None:
    # Down to where coverage ends, which may be below the cut: without logs in between, but state
    # may be read there.
    lost: dict[str, tuple[int, int]] = {}
    for slug, low, high in rows.select("protocol", "from_block", "to_block").iter_rows():
        end = ends.get((slug, low), high)
        kept = low - 1 if end is None else end
        if kept < high:
            first, last = lost.get(slug, (kept + 1, high))
            lost[slug] = min(first, kept + 1), max(last, high)
    # What is lost of a protocol is all above its cut, whatever there is between the intervals.
    for slug, (first, last) in lost.items():
        where = "chain_id = ? and protocol = ? and block_number between ? and ?"
        for table in block_tables():
            delete(connection, table, where, [chain_id, slug, first, last])
    for slug, cut in cuts.items():
        born = "chain_id = ? and protocol = ? and from_block > ?"
        delete(connection, "contracts", born, [chain_id, slug, cut])


def _forget_markets(
    connection: duckdb.DuckDBPyConnection, chain_id: int, cuts: Mapping[str, int], ends: Ends
) -> None:
    for slug, cut in cuts.items():
        is_left = any(end is not None for (name, _), end in ends.items() if name == slug)
        # Of a protocol that is cleared, what its declaration stated goes too.
        where = "chain_id = ? and protocol = ?" + (" and block_number > ?" if is_left else "")
        delete(connection, "markets", where, [chain_id, slug, *([cut] if is_left else [])])


def _cut_coverage(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    rows: pl.DataFrame,
    ends: Ends,
    digests: Mapping[str, str],
) -> None:
    kept = _shortened_rows(connection, rows, ends, digests)
    delete(connection, "coverage", "chain_id = ?", [chain_id])
    insert(connection, "coverage", kept)


def _shortened_rows(
    connection: duckdb.DuckDBPyConnection,
    rows: pl.DataFrame,
    ends: Ends,
    digests: Mapping[str, str],
) -> pl.DataFrame:
    kept = [
        row if end == row["to_block"] else _shortened(connection, row, end, digests)
        for row, end in _left(rows, ends)
    ]
    return pl.DataFrame(kept, columns_of("coverage"), orient="row")


def _shortened(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    end: int,
    digests: Mapping[str, str],
) -> dict[str, Any]:
    where = "chain_id = ? and number = ?"
    found = select(connection, "blocks", where, [row["chain_id"], end])
    return row | {
        "to_block": end,
        "to_block_hash": f"0x{found['hash'][0].hex()}",
        "logs_digest": subtracted(row["logs_digest"], digests[row["protocol"]]),
    }


def _delete_blocks(connection: duckdb.DuckDBPyConnection, chain_id: int, lowest: int) -> None:
    # Headers stay where another protocol's logs are, or its window still needs them.
    unused = """chain_id = ? and number > ? and not exists (
        select 1 from logs as l where l.chain_id = blocks.chain_id and l.block_number = number
    ) and not exists (
        select 1 from coverage as c where c.chain_id = blocks.chain_id
        and number between c.from_block and c.to_block and c.finality <> 'finalized'
    )"""
    delete(connection, "blocks", unused, [chain_id, lowest])

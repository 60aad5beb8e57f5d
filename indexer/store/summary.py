"""What `perpscope status` shows: how complete, how final and how proven each protocol is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from indexer.proof import PROOFS
from indexer.store.connection import frame, scalar, select, transaction
from indexer.store.finality import FINALITIES
from indexer.store.intervals import gaps
from indexer.store.snapshots import Snapshot, read_snapshot

_LINE = {
    "chain_id": pl.Int64(),
    "protocol": pl.String(),
    "from_block": pl.Int64(),
    "to_block": pl.Int64(),
    "intervals": pl.Int64(),
    "gaps": pl.Int64(),
    "missing_blocks": pl.Int64(),
    "finalized_to": pl.Int64(),
    "finality": pl.String(),
    "proof": pl.String(),
    "proofs": pl.String(),
    "rejects": pl.Int64(),
    "newest_block_at": pl.Datetime("us"),
}
_GAP = {
    "chain_id": pl.Int64(),
    "protocol": pl.String(),
    "from_block": pl.Int64(),
    "to_block": pl.Int64(),
}
_UPGRADE = {
    "chain_id": pl.Int64(),
    "protocol": pl.String(),
    "contracts": pl.Int64(),
    "upgrades": pl.Int64(),
    "last_block": pl.Int64(),
    "last_at": pl.Datetime("us"),
}
# Named, because an older perpscope's file lacks what is not asked for.
_IMPORTS = """
select chain_id, protocol, kind, entries_read, entries_used, rejects, from_at, to_at
from imports
"""
# The code that a contract began with replaced none.
_UPGRADES = """
with given as (
    select *, unhex(substr(contract, 3)) as address from upgrades
), begun as (
    select logs.chain_id, logs.address, min(logs.block_number) as block_number
    from logs semi join given using (chain_id, address)
    group by all
)
select
    given.chain_id,
    given.protocol,
    count(distinct given.contract) as contracts,
    count(*) as upgrades,
    max(given.block_number) as last_block,
    max(given.block_timestamp) as last_at
from given inner join begun
    on given.chain_id = begun.chain_id
    and given.address = begun.address
    and given.block_number > begun.block_number
group by all
order by all
"""


@dataclass(frozen=True)
class Status:
    """
    The state of a database.

    Attributes:
        protocols: one row per chain and protocol: first and last covered block, how many
            intervals and gaps, last finalized block, the weakest finality and proof among its
            intervals, the share of its blocks by proof as text, rejects, and the time of the
            newest stored block in its coverage.
        gaps: the blocks between a protocol's first block and the last block anything of the
            chain covers that the protocol does not.
        coverage: rows of `coverage`.
        origins: rows of `origins`.
        imports: one row per chain, protocol and kind of imported files: files, entries_read,
            entries_used, rejects, from_at, to_at (of their entries) and pause_seconds, the longest
            stretch of time between two files of a protocol that follow each other.
        accounts: rows of `accounts`.
        reads: how many calls for state of each protocol's reads came to which state.
        upgrades: one row per chain and protocol with contracts of which logs from before an upgrade
            are stored: how many contracts and upgrades, the last one's block and time.
        snapshot: the copy for readers this is, or the last one made of it; None for neither.
    """

    protocols: pl.DataFrame
    gaps: pl.DataFrame
    coverage: pl.DataFrame
    origins: pl.DataFrame
    imports: pl.DataFrame
    accounts: pl.DataFrame
    reads: pl.DataFrame
    upgrades: pl.DataFrame
    snapshot: Snapshot | None


def status(path: Path, first_blocks: Mapping[tuple[int, str], int]) -> Status:
    """
    Return the state of a database.

    Args:
        path: the database.
        first_blocks: (chain_id, protocol) -> the block its coverage should start at.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: there is none, or it cannot be read.
    """
    with transaction(path, read_only=True) as connection:
        coverage = select(connection, "coverage", "true", []).sort(
            "chain_id", "protocol", "from_block"
        )
        origins = select(connection, "origins", "true", [])
        missing = _missing(coverage, first_blocks)
        groups = coverage.partition_by("chain_id", "protocol", maintain_order=True)
        lines = [_line(connection, rows, missing) for rows in groups]
        imports = _imports(frame(connection, _IMPORTS))
        accounts = select(connection, "accounts", "true", []).sort(pl.all())
        reads = _reads(connection)
        upgrades = _upgrades(connection)
        snapshot = read_snapshot(connection)
    protocols = pl.DataFrame(lines, _LINE, orient="row")
    return Status(
        protocols, missing, coverage, origins, imports, accounts, reads, upgrades, snapshot
    )


def _imports(files: pl.DataFrame) -> pl.DataFrame:
    key = ["chain_id", "protocol"]
    before = pl.col("to_at").cum_max().shift(1).over(key)
    return (
        files.sort(*key, "from_at", "to_at", nulls_last=True)
        .with_columns(pause=(pl.col("from_at") - before).dt.total_seconds())
        .group_by(*key, "kind")
        .agg(
            pl.len().alias("files"),
            pl.col("entries_read", "entries_used", "rejects").sum(),
            pl.col("from_at").min(),
            pl.col("to_at").max(),
            pause_seconds=pl.col("pause").max().clip(lower_bound=0),
        )
        .sort(*key, "kind")
    )


def _reads(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    key = "chain_id, protocol, read, state"
    query = f"select {key}, count(*) as calls from reads group by all order by all"
    return frame(connection, query)


def _upgrades(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    held = "select count(*) from duckdb_tables() where table_name = 'upgrades'"
    if not scalar(connection, held):  # a database of an older perpscope, which is only read here
        return pl.DataFrame(schema=_UPGRADE)
    return frame(connection, _UPGRADES)


def _missing(coverage: pl.DataFrame, first_blocks: Mapping[tuple[int, str], int]) -> pl.DataFrame:
    rows = []
    tops = dict(coverage.group_by("chain_id").agg(pl.col("to_block").max()).iter_rows())
    for group in coverage.partition_by("chain_id", "protocol", maintain_order=True):
        chain_id, slug = group["chain_id"][0], group["protocol"][0]
        low = first_blocks.get((chain_id, slug), group["from_block"][0])
        covered = group.select("from_block", "to_block").rows()
        rows += [(chain_id, slug, *gap) for gap in gaps(covered, low, tops[chain_id])]
    return pl.DataFrame(rows, _GAP, orient="row")


def _line(
    connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame, missing: pl.DataFrame
) -> dict[str, Any]:
    chain_id, slug = rows["chain_id"][0], rows["protocol"][0]
    low, high = rows["from_block"][0], rows["to_block"][-1]
    own = missing.filter(pl.col("chain_id") == chain_id, pl.col("protocol") == slug)
    return {
        "chain_id": chain_id,
        "protocol": slug,
        "from_block": low,
        "to_block": high,
        "intervals": len(rows),
        "gaps": len(own),
        "missing_blocks": (own["to_block"] - own["from_block"] + 1).sum(),
        "finalized_to": rows.filter(pl.col("finality") == "finalized")["to_block"].max(),
        "finality": _weakest(rows["finality"], FINALITIES),
        "proof": _weakest(rows["proof"], PROOFS),
        "proofs": _shares(rows),
        "rejects": scalar(
            connection,
            "select count(*) from rejects where chain_id = ? and protocol = ?",
            [chain_id, slug],
        ),
        "newest_block_at": scalar(
            connection,
            "select max(timestamp) from blocks where chain_id = ? and number between ? and ?",
            [chain_id, low, high],
        ),
    }


def _weakest(values: pl.Series, order: tuple[str, ...]) -> str:
    return order[min(order.index(value) for value in values)]


def _shares(rows: pl.DataFrame) -> str:
    blocks = pl.col("to_block") - pl.col("from_block") + 1
    sums = dict(rows.group_by("proof").agg(blocks.sum()).iter_rows())
    total = sum(sums.values())
    found = [proof for proof in reversed(PROOFS) if proof in sums]
    if len(found) == 1:
        return found[0]
    # Cut off, never rounded: 100 % is said of all blocks only, 0 % never of some.
    shares = [(proof, 1_000 * sums[proof] // total) for proof in found]
    return ", ".join(f"{proof} {max(share, 1) / 10:.1f} %" for proof, share in shares)

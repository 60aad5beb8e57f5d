"""What was checked: audits, and coverage that is proven exactly as far as the check went."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from indexer.proof import PROOFS
from indexer.store.connection import delete, insert, scalar, select, transaction
from indexer.store.fingerprint import EMPTY, added, fingerprint, subtracted
from indexer.store.intervals import Interval, gaps, merged, merged_coverage, touching, unite
from indexer.store.reading import OWNED, OWNERS, chunks, logs_between, stored_in
from indexer.tables import columns_of

HEALED = {
    "linked": ("linked",),
    "bloom": ("linked", "bloom"),
    "receipts": ("linked", "bloom", "receipts"),
    "agreed": ("agreed",),
}
"""Failures of which levels a later audit heals, by its own level."""

PROVEN_HEALS = (*HEALED["receipts"], "agreed")
"""What `receipts` heals where no waiver took anything from it: words about what is proven."""

_SAME_AUDIT = ("protocol", "level", "verdict", "detail", "audited_at")


@dataclass(frozen=True)
class Proven:
    """
    Blocks of one protocol whose stored logs were found to be right.

    Attributes:
        protocol: its slug.
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        before_hash: hash of the block before the first.
        to_block_hash: hash of the last block.
        logs_digest: of the logs that were checked.
        proof: how far they are proven.
        waiver: why not further, or None.
    """

    protocol: str
    from_block: int
    to_block: int
    before_hash: bytes
    to_block_hash: bytes
    logs_digest: str
    proof: str
    waiver: str | None


@dataclass(frozen=True)
class Seen:
    """
    What is stored of some blocks.

    Attributes:
        numbers: the blocks, ascending.
        logs: rows of `logs` in chain order.
        blocks: rows of `blocks` in order.
        ends: rows of `coverage` that end in one of the blocks.
        contracts: rows of `contracts`, whenever they were born.
        protocols: who covers the blocks, and all between them.
    """

    numbers: Sequence[int]
    logs: pl.DataFrame
    blocks: pl.DataFrame
    ends: pl.DataFrame
    contracts: pl.DataFrame
    protocols: frozenset[str]

    def hashes(self, slug: str) -> pl.DataFrame:
        """Return number and hash of blocks as they are stored for a protocol."""
        ends = self.ends.filter(pl.col("protocol") == slug)
        to_block_hash = pl.col("to_block_hash").str.slice(2).str.decode("hex")
        return pl.concat(
            [
                self.blocks.select("number", "hash"),
                self.logs.select(number="block_number", hash="block_hash"),
                ends.select(number="to_block", hash=to_block_hash),
            ]
        )

    def misdated(self, headers: pl.DataFrame) -> dict[int, str]:
        """Return block number -> what is wrong with its time, for headers: number, timestamp."""
        told = self.blocks.join(headers.select("number", now="timestamp"), on="number")
        odd = told.filter(pl.col("timestamp") != pl.col("now"))
        return {
            number: f"stored as of {before} UTC, its header says {now}"
            for number, before, now in odd.select("number", "timestamp", "now").iter_rows()
        }

    def replaced(self, slug: str, headers: pl.DataFrame) -> dict[int, str]:
        """Return block number -> what is wrong with a protocol's hash; headers: number, hash."""
        told = self.hashes(slug).join(headers.select("number", now="hash"), on="number")
        odd = told.filter(pl.col("hash") != pl.col("now"))
        return {
            number: f"stored as block 0x{before.hex()}, its header says 0x{now.hex()}"
            for number, before, now in odd.select("number", "hash", "now").iter_rows()
        }

    def is_still(self, now: "Seen") -> bool:
        """Return whether what is stored now is the same, and is owned by the same protocols."""
        is_born = pl.col("from_block") <= self.numbers[-1]
        return (
            self.logs.equals(now.logs)
            and self.blocks.equals(now.blocks)
            and self.contracts.filter(is_born).equals(now.contracts.filter(is_born))
            and self.protocols == now.protocols
        )


def read_blocks(path: Path, chain_id: int, numbers: Sequence[int]) -> Seen:
    """
    Return what is stored of some blocks.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: there is none, or it cannot be read.
    """
    with transaction(path, read_only=True) as connection:
        return _seen(connection, chain_id, numbers)


def _seen(connection: duckdb.DuckDBPyConnection, chain_id: int, numbers: Sequence[int]) -> Seen:
    here = "chain_id = ? and {} in (select unnest(?::bigint[]))"
    values: list[object] = [chain_id, list(numbers)]
    logs = select(connection, "logs", here.format("block_number"), values)
    blocks = select(connection, "blocks", here.format("number"), values)
    stored = stored_in(connection, chain_id)
    coverage, low, high = stored.coverage, numbers[0], numbers[-1]
    covering = {
        slug
        for (slug,), rows in coverage.group_by("protocol")
        if not list(gaps(rows.select("from_block", "to_block").iter_rows(), low, high))
    }
    return Seen(
        numbers,
        logs.sort("block_number", "tx_index", "log_index", "tx_hash"),
        blocks.sort("number"),
        coverage.filter(pl.col("to_block").is_in(numbers)),
        stored.contracts,
        frozenset(map(str, covering)),
    )


def record(
    path: Path,
    chain_id: int,
    audits: pl.DataFrame,
    proven: Sequence[Proven],
    owners: OWNERS,
    *,
    seen: Seen | None = None,
) -> bool:
    """
    Write what a check found: its audits, and how far coverage is proven now.

    Coverage is split where proof begins and ends, and joined again where neighbours say the same;
    nothing is ever proven less than before.

    Args:
        path: the database.
        chain_id: the chain.
        audits: rows of `audits`.
        proven: what coverage may be raised to, of what was seen.
        owners: which logs belong to which protocol of the chain.
        seen: what was checked; None where nothing stored was.

    Returns:
        False when another process has changed meanwhile what was seen: nothing was written.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    with transaction(path) as connection:
        if seen is not None and not seen.is_still(_seen(connection, chain_id, seen.numbers)):
            return False
        _write_audits(connection, chain_id, audits)
        if not proven:
            return True
        stored = stored_in(connection, chain_id)
        owned, before = owners(stored), stored.coverage
        rows = before.rows(named=True)
        for part in proven:
            rows = [new for row in rows for new in _raised(connection, row, part, owned)]
        after = merged_coverage(pl.DataFrame(rows, columns_of("coverage"), orient="row"))
        if not after.equals(merged_coverage(before)):
            delete(connection, "coverage", "chain_id = ?", [chain_id])
            insert(connection, "coverage", after)
    return True


def _write_audits(
    connection: duckdb.DuckDBPyConnection, chain_id: int, audits: pl.DataFrame
) -> None:
    # Of the run's rows only those that the new ones may continue: a run has as many as it finds.
    run = "chain_id = ? and audited_at = ? and to_block >= ?"
    below = audits["from_block"].to_list()
    values: list[object] = [chain_id, audits["audited_at"][0], min(below) - 1]
    rows = pl.concat([select(connection, "audits", run, values), audits])
    delete(connection, "audits", run, values)
    ordered = rows.sort("protocol", "from_block").rows(named=True)
    whole = merged(ordered, _SAME_AUDIT, lambda _, row: {"to_block": row["to_block"]})
    insert(connection, "audits", pl.DataFrame(list(whole), columns_of("audits"), orient="row"))


def _raised(
    connection: duckdb.DuckDBPyConnection, row: dict[str, Any], part: Proven, owned: OWNED
) -> Iterator[dict[str, Any]]:
    low, high = part.from_block, part.to_block
    is_inside = row["from_block"] <= low and high <= row["to_block"]
    is_higher = PROOFS.index(row["proof"]) < PROOFS.index(part.proof)
    if row["protocol"] == part.protocol and is_inside and is_higher:
        lower, middle, upper = _cut_out(connection, row, part, owned)
        middle |= {"proof": part.proof, "waiver": part.waiver}
        yield from (piece for piece in (lower, middle, upper) if piece)
    else:
        yield row


def _cut_out(
    connection: duckdb.DuckDBPyConnection, row: dict[str, Any], part: Proven, owned: OWNED
) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, Any] | None]:
    """
    Return a row of `coverage` as what is before, in and after a part of it; None for nothing.

    Args:
        connection: to the database whose logs the row is about.
        row: the row.
        part: blocks inside it; `logs_digest` is that of the logs stored in them.
        owned: which of some logs belong to which protocol of the chain.
    """
    low, high, rest = part.from_block, part.to_block, row["logs_digest"]
    rest = subtracted(rest, part.logs_digest)
    has_lower, has_upper = row["from_block"] < low, high < row["to_block"]
    below = rest if has_lower else EMPTY
    if has_lower and has_upper:
        below = digest_of(connection, row, row["from_block"], low - 1, owned)
    lower = {
        "to_block": low - 1,
        "to_block_hash": f"0x{part.before_hash.hex()}",
        "logs_digest": below,
    }
    middle = {"from_block": low, "to_block": high, "logs_digest": part.logs_digest}
    if has_upper:
        middle["to_block_hash"] = f"0x{part.to_block_hash.hex()}"
    upper = {"from_block": high + 1, "logs_digest": subtracted(rest, below)}
    return (row | lower if has_lower else None, row | middle, row | upper if has_upper else None)


def digest_of(
    connection: duckdb.DuckDBPyConnection,
    row: dict[str, Any],
    low: int,
    high: int,
    owned: OWNED,
) -> str:
    """Return the digest of what is stored of a coverage row's protocol in some blocks."""
    total = EMPTY
    for first, last in list(chunks(connection, row["chain_id"], low, high)):
        logs = logs_between(connection, row["chain_id"], first, last)
        total = added(total, fingerprint(logs.filter(owned(logs)[row["protocol"]])))
    return total


def audit_time(path: Path, chain_id: int, now: datetime) -> datetime:
    """
    Return what marks new audits: now, or, where a clock was set back, just after the newest one.

    What is found later must not count as older than what it contradicts.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: there is none, or it cannot be read.
    """
    with transaction(path, read_only=True) as connection:
        query = "select max(audited_at) from audits where chain_id = ?"
        newest: datetime | None = scalar(connection, query, [chain_id])
    return now if newest is None else max(now, newest + timedelta(microseconds=1))


def read_failures(path: Path, chain_id: int) -> pl.DataFrame:
    """
    Return failed audits that no later one has healed; `HEALED` says which levels heal which.

    Returns:
        protocol, from_block, to_block, level, detail: cut down to the blocks not yet healed.

    Raises:
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: there is none, or it cannot be read.
    """
    with transaction(path, read_only=True) as connection:
        audits = select(connection, "audits", "chain_id = ?", [chain_id]).rows(named=True)
    rows = [(*key, detail) for key, detail in sorted(_unhealed(audits).items())]
    names = ["protocol", "from_block", "to_block", "level", "detail"]
    return pl.DataFrame(rows, {name: columns_of("audits")[name] for name in names}, orient="row")


def _unhealed(audits: Sequence[dict[str, Any]]) -> dict[tuple[str, int, int, str], str]:
    """Return detail by protocol, first and last block and level of what is not healed."""
    found: dict[tuple[str, int, int, str], str] = {}
    healed: dict[tuple[str, str], list[Interval]] = defaultdict(list)
    ordered = sorted(audits, key=itemgetter("audited_at"))[::-1]
    # From the newest to the oldest: what is healed of a level only grows.
    for _, group in groupby(ordered, key=itemgetter("audited_at")):
        run = list(group)
        for audit in run:
            if audit["verdict"] == "failed":
                place = audit["protocol"], audit["level"]
                for low, high in _left(audit, healed[place]):
                    found.setdefault((place[0], low, high, place[1]), audit["detail"])
        for audit in run:
            if audit["verdict"] != "failed":
                for level in _healed(audit):
                    unite(healed[audit["protocol"], level], audit["from_block"], audit["to_block"])
    return found


def _healed(audit: dict[str, Any]) -> Sequence[str]:
    is_proven = audit["level"] == "receipts" and not audit["detail"]
    return PROVEN_HEALS if is_proven else HEALED[audit["level"]]


def _left(failed: dict[str, Any], healed: Sequence[Interval]) -> Iterator[Interval]:
    low, high = failed["from_block"], failed["to_block"]
    return gaps(healed[touching(healed, low, high)], low, high)

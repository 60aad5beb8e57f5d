"""
The simulated world's own books: every fact as it became true, before anything was encoded.

Whoever trades, pays or updates a price writes the log with `Draft.emit` and, beside it, the rows
that a reader of the chain must end up with. Where a row stands (block, transaction, log index) is
filled in when the block is made; what it says never passes through an encoding.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal

import polars as pl

from indexer.simulation.blocks import Block
from indexer.simulation.transactions import Log, Transaction
from indexer.tables import columns_of

# Protocols number what they read at a block each for itself.
ROW_ORDER = ("chain_id", "block_number", "log_index", "item_index", "protocol")

_PLACES = 18
_EXACT = Context(prec=76)

Cell = Decimal | str | bool | datetime | None
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Entry:
    """
    A row of a fact table, without its place on the chain.

    Attributes:
        table: the fact table.
        protocol: slug.
        version: of the protocol.
        cells: column -> value; columns left out are null.
        item: tells apart rows of one table that one log makes true.
        evidence: how a reader of the chain knows it.
    """

    table: str
    protocol: str
    version: str
    cells: Mapping[str, Cell]
    item: int = 0
    evidence: str = "event"


@dataclass(frozen=True)
class Draft:
    """
    A transaction that is being written, with the entries its logs make true.

    Attributes:
        sender: 20 bytes.
        to: 20 bytes.
        logs: so far, in order.
        entries: position of the log, entry.
    """

    sender: bytes
    to: bytes
    logs: list[Log] = field(default_factory=list)
    entries: list[tuple[int, Entry]] = field(default_factory=list)

    def emit(self, log: Log, *entries: Entry) -> None:
        """Add a log, and what it makes true."""
        self.entries.extend((len(self.logs), entry) for entry in entries)
        self.logs.append(log)

    def transaction(self) -> Transaction:
        """Return the transaction as the chain executes it."""
        return Transaction(self.sender, self.to, tuple(self.logs))


@dataclass(frozen=True)
class Ledger:
    """
    The books of all chains.

    Attributes:
        rows_by_table: fact table -> its rows, in the order of the chain.
    """

    rows_by_table: dict[str, list[Row]] = field(default_factory=dict)

    def post(self, chain_id: int, block: Block, drafts: Sequence[Draft]) -> None:
        """Enter everything that the transactions of a block made true."""
        timestamp = moment(int(str(block.header["timestamp"]), 16))
        for draft, receipt in zip(drafts, block.receipts, strict=True):
            for position, entry in draft.entries:
                place: Row = {
                    "chain_id": chain_id,
                    "block_number": block.number,
                    "log_index": receipt.first + position,
                    "item_index": entry.item,
                    "tx_hash": receipt.tx_hash,
                    "block_timestamp": timestamp,
                    "protocol": entry.protocol,
                    "version": entry.version,
                    "evidence": entry.evidence,
                }
                self.rows_by_table.setdefault(entry.table, []).append(place | dict(entry.cells))

    def post_state(self, chain_id: int, block: Block, entries: Sequence[Entry]) -> None:
        """Enter what is read of contracts after a block, each protocol's in the order it asks."""
        asked: Counter[str] = Counter()
        for entry in entries:
            asked[entry.protocol] += 1
            place: Row = {
                "chain_id": chain_id,
                "block_number": block.number,
                "log_index": -asked[entry.protocol],
                "item_index": 0,
                "tx_hash": block.hash,
                "block_timestamp": moment(int(str(block.header["timestamp"]), 16)),
                "protocol": entry.protocol,
                "version": entry.version,
                "evidence": entry.evidence,
            }
            self.rows_by_table.setdefault(entry.table, []).append(place | dict(entry.cells))

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a fact table; columns that are null may be missing."""
        return self.rows_by_table.get(table, [])

    def table(self, name: str) -> pl.DataFrame:
        """Return a fact table as the pipeline must fill it, in the order of the chain."""
        rows = self.rows(name)
        return pl.DataFrame(
            [
                pl.Series(column, [row.get(column) for row in rows], dtype=dtype)
                for column, dtype in columns_of(name).items()
            ]
        ).sort(ROW_ORDER)


def exact(value: int, places: int, over: int = 1) -> Decimal:
    """Return `value / 10**places / over`, truncated toward zero at 18 places."""
    units = abs(value) * 10**_PLACES // (10**places * over)
    return _EXACT.scaleb(Decimal(units if value >= 0 else -units), -_PLACES)


def less(whole: Decimal, *parts: Decimal) -> Decimal:
    """Return what is left of a number, to the last digit."""
    for part in parts:
        whole = _EXACT.subtract(whole, part)
    return whole


def moment(seconds: int) -> datetime:
    """Return unix seconds as facts spell them: UTC without a zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def text(value: bytes) -> str:
    """Return an address or a hash as facts spell it."""
    return "0x" + value.hex()

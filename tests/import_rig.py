"""Files of venues, small enough to check by hand, and what a database holds after their import."""

import gzip
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import lz4.frame
from commands import perpscope
from handmade import opened

from indexer.tables import block_tables, tables

WINNER, LOSER = "0x" + "aa" * 20, "0x" + "bb" * 20
VAULT = "0x2e3d94f0562703b25c83308a05046ddaf9a8dd14"
FUND = "0xfefefefefefefefefefefefefefefefefefefefe"
T0 = 1_760_130_964_831
HASH = "0x" + "9a" * 32

Fill = dict[str, Any]
Event = tuple[str, Fill]


def fill(**said: Any) -> Fill:
    """Return a fill of Hyperliquid: one BTC bought at 100 to open a long, and what is said."""
    usual = {
        "coin": "BTC",
        "px": "100.0",
        "sz": "1.0",
        "side": "B",
        "time": T0,
        "startPosition": "0.0",
        "dir": "Open Long",
        "closedPnl": "0.0",
        "hash": HASH,
        "oid": 7,
        "crossed": True,
        "fee": "0.04",
        "tid": 1,
        "feeToken": "USDC",
        "twapId": None,
    }
    return usual | said


def liquidation(method: str = "backstop", user: str = LOSER) -> dict[str, Any]:
    """Return what both sides of a liquidation carry."""
    return {"liquidation": {"liquidatedUser": user, "markPx": "99.5", "method": method}}


def by_block(*blocks: Iterable[Event]) -> bytes:
    """Return a file of node_fills_by_block: a line for each block."""
    return b"".join(
        json.dumps(
            {
                "local_time": "2025-10-10T21:16:04.831874828",
                "block_time": "2025-10-10T21:16:04.831874687",
                "block_number": 758_800_641 + place,
                "events": [list(event) for event in events],
            }
        ).encode()
        + b"\n"
        for place, events in enumerate(blocks)
    )


def by_line(*events: Event) -> bytes:
    """Return a file of node_fills: a line for each fill."""
    return b"".join(json.dumps(list(event)).encode() + b"\n" for event in events)


def document(told: object) -> bytes:
    """Return an answer of an API."""
    return json.dumps(told).encode()


def written(folder: Path, name: str, content: bytes) -> Path:
    """Write a file, compressed as its name says, and return its path."""
    path = folder / name
    packed = {".gz": gzip.compress, ".lz4": lz4.frame.compress}.get(path.suffix, bytes)
    path.write_bytes(packed(content))
    return path


def brought(folder: Path, venue: str, *files: Path, **options: str) -> Path:
    """Import files into a database of the folder, in this order, and return its path."""
    path = folder / "a.duckdb"
    more = [word for name, value in options.items() for word in (f"--{name}", value)]
    assert perpscope("import", venue, *files, "--database", path, *more) == 0
    return path


def rows(path: Path, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return columns of a table, in the order of its events; null and zero as they are."""
    places = {"imports": "imported_at, file", "rejects": "tx_hash, fact, reason"}
    places |= {"declared_facts": "fact", "policies": "valid_from"}
    order = places.get(table, "block_number, log_index, item_index")
    with opened(path) as con:
        found = con.execute(f"select {', '.join(columns)} from {table} order by {order}")
        return [tuple(_shown(value) for value in row) for row in found.fetchall()]


def facts(path: Path) -> Mapping[str, list[tuple[Any, ...]]]:
    """Return every table of facts, whole and sorted; refused rows without their place."""
    with opened(path) as con:
        return {
            name: sorted(con.execute(f"select * from {name}").fetchall(), key=repr)
            for name in block_tables()
            if name in tables() and name != "rejects"
        }


def _shown(value: object) -> object:
    if hasattr(value, "as_tuple"):
        return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"
    return value

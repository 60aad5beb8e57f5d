"""
What a database holds, table by table, as a hash that does not depend on the order of rows.

Columns are named and typed in it: a number stored as text, or a column more, is another hash.
Two tables are no part of what a database says about its chain, they remember how it came to say
so: `orphans` keeps what a reorg took out, `audits` what was looked at. Runs that met different
reorgs rightly differ in them, and in nothing else.
"""

from hashlib import sha256
from pathlib import Path

import duckdb
from sync_rig import opened

from indexer.tables import tables

MEMORIES = ("orphans", "audits")


def digest(path: Path) -> dict[str, str]:
    """Return table -> hash of its columns, types and rows, for every table but memories."""
    with opened(path) as connection:
        return {name: _digest_of(connection, name) for name in tables() if name not in MEMORIES}


def differences(path: Path, expected: dict[str, str]) -> list[str]:
    """Return the names of tables that are not as expected."""
    found = digest(path)
    return sorted(name for name in found | expected if found.get(name) != expected.get(name))


def _digest_of(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    rows = connection.execute(f"select * from {table} order by all")
    hashed = sha256(repr([(name, str(kind)) for name, kind, *_ in rows.description]).encode())
    while chunk := rows.fetchmany(10_000):
        hashed.update("".join(map(repr, chunk)).encode())
    return hashed.hexdigest()

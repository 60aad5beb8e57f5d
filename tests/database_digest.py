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
from handmade import opened
from sync_rig import filled

from indexer.tables import tables

MEMORIES = ("orphans", "audits")


def digest(path: Path) -> dict[str, str]:
    """Return table -> hash of its columns, types and rows, for every table but memories."""
    with opened(path) as connection:
        columns, there = _columns(connection), filled(connection)
        return {
            name: _digest_of(connection, name, columns[name], has_rows=name in there)
            for name in tables()
            if name not in MEMORIES
        }


def differences(path: Path, expected: dict[str, str]) -> list[str]:
    """Return the names of tables that are not as expected."""
    found = digest(path)
    return sorted(name for name in found | expected if found.get(name) != expected.get(name))


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[str, str]]]:
    query = """select table_name, column_name, data_type from duckdb_columns()
        where database_name = 'held' order by column_index"""
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, name, kind in connection.execute(query).fetchall():
        columns.setdefault(table, []).append((name, kind))
    return columns


def _digest_of(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    columns: list[tuple[str, str]],
    *,
    has_rows: bool,
) -> str:
    found = int(sha256(repr(columns).encode()).hexdigest(), 16)
    rows = connection.execute(f"from {table}") if has_rows else None
    # A sum does not depend on the order of rows: DuckDB takes twice as long to sort them.
    while rows and (chunk := rows.fetchmany(10_000)):
        found += sum(int(sha256(repr(row).encode()).hexdigest(), 16) for row in chunk)
    return f"{found % (1 << 256):064x}"

"""What a database of an older perpscope lacks: tables, and columns that may be null."""

import duckdb

from indexer.tables import columns_of, definitions


def tables_in(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names of the tables that a database holds."""
    query = "select table_name from duckdb_tables() where database_name = 'perpscope'"
    return {name for (name,) in connection.execute(query).fetchall()}


def columns_held(connection: duckdb.DuckDBPyConnection, table: str) -> list[str]:
    """Return which columns of a table a database holds; none where it lacks the table."""
    query = """select column_name from duckdb_columns()
        where database_name = 'perpscope' and table_name = ?"""
    there = {name for (name,) in connection.execute(query, [table]).fetchall()}
    return [name for name in columns_of(table) if name in there]


def add_what_is_missing(connection: duckdb.DuckDBPyConnection) -> None:
    """
    Make the tables that are not there, and make anew those that lack a column.

    So columns stand in one order in all databases, by which `analytics.load.digest` hashes.
    """
    held = tables_in(connection)
    for table, definition in definitions().items():
        if table not in held:
            connection.execute(definition)
            continue
        kept = columns_held(connection, table)
        if len(kept) < len(columns_of(table)):
            names = ", ".join(kept)
            connection.execute(f"alter table {table} rename to outgrown")
            connection.execute(definition)
            connection.execute(f"insert into {table} ({names}) select {names} from outgrown")
            connection.execute("drop table outgrown")

"""A copy of what a database holds of some blocks: what a report is made from again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

from analytics import load

_RAW = frozenset({"logs", "orphans", "reaches"})
# The logs that a query compares: before and after a contract got other code.
_OF_REPLACED = """
    exists (
        select 1
        from main.upgrades as given
        inner join kept as span using (chain_id, protocol)
        where
            given.chain_id = held.chain_id
            and unhex(substr(given.contract, 3)) = held.address
            and held.block_number between span.from_block and span.to_block
    )
"""


@contextmanager
def excerpt(path: Path, coverage: pl.DataFrame) -> Iterator[load.Connection]:
    """
    Open a copy of what a database holds of some blocks; raw logs are left behind, but those of
    contracts that were given other code.

    Rows of imported venues, and tables about neither blocks nor protocols, are all there.

    Args:
        path: the DuckDB file.
        coverage: rows of the table `coverage`: the blocks, and what the copy's own table holds.

    Raises:
        WorldError: as `database` does.
    """
    with (
        load.database(path) as source,
        TemporaryDirectory() as folder,
        duckdb.connect(Path(folder).joinpath("excerpt.duckdb")) as con,
    ):
        for each in (source, con):
            load.limit_memory(each)
        source.register("kept", coverage.to_arrow())
        for table in load.heights(source):
            is_asked = table == "logs" and "upgrades" in load.heights(source)
            schema = load.facts(source, table).collect_schema()
            condition = _OF_REPLACED if is_asked else _condition(table, schema)
            rows = source.sql(f"select * from main.{table} as held where {condition}")
            kept = coverage.to_arrow() if table == "coverage" else rows.to_arrow_reader(100_000)
            load.keep(con, table, kept)
        con.execute("set TimeZone = 'UTC'")
        yield con


def _condition(table: str, schema: pl.Schema) -> str:
    if table in _RAW:
        return "false"
    keys = [name for name in ("chain_id", "protocol") if name in schema]
    place = next((name for name in ("block_number", "number") if name in schema), None)
    if place is None and "protocol" not in schema:
        return "true"
    matches = [f"span.{name} = held.{name}" for name in keys]
    if place is not None:
        matches.append(f"held.{place} between span.from_block and span.to_block")
    # What was not covered then and is now has come since; the rest was there, covered or not.
    then, now = (
        f"exists (select 1 from {spans} as span where {' and '.join(matches)})"
        for spans in ("kept", "main.coverage")
    )
    return f"{'false' if place is None else f'held.{place} is null'} or {then} or not {now}"

"""A database that is damaged in the middle: the sentence says that it is, and what helps."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import polars as pl
import pytest
from handmade import table, write_database

from analytics import load
from analytics.errors import WorldError
from analytics.reports.tables import Tables

ROW_COUNT = 100_000


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a database of hashes that nothing makes shorter."""
    chance = Random(1)
    hashes = [f"0x{chance.getrandbits(256):064x}" for _ in range(ROW_COUNT)]
    fees = pl.concat([table("fees", {"fee_usd": 1})] * ROW_COUNT)
    told = fees.with_columns(log_index=pl.int_range(pl.len()), tx_hash=pl.Series(hashes))
    place = tmp_path_factory.mktemp("damaged") / "a.duckdb"
    return write_database(place, {"fees": told}).read_bytes()


@pytest.mark.parametrize(
    "rows",
    [
        lambda con: load.facts(con, "fees"),
        lambda con: Tables(con).window("fees"),
    ],
    ids=["table", "window"],
)
def test_a_damaged_block_is_the_databases(
    content: bytes, tmp_path: Path, rows: Callable[[load.Connection], pl.LazyFrame]
) -> None:
    """Whether the rows are read or copied first: nothing is wrong with what they are copied to."""
    path, middle = tmp_path / "a.duckdb", len(content) // 2
    path.write_bytes(content[:middle] + bytes(9) + content[middle + 9 :])

    with (
        pytest.raises(WorldError, match=r"a\.duckdb cannot be read to the end .*Corrupt") as caught,
        load.database(path) as con,
    ):
        rows(con).collect()

    assert str(caught.value).endswith("or bring a whole copy of the file")

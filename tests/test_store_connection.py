"""Opening the database: one sentence for each way in which it cannot be used."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from duckdb import connect
from handmade import table
from polars.testing import assert_frame_equal

from analytics.load import database
from indexer.errors import DatabaseBusy, DatabaseUnusable, UserError
from indexer.store import SCHEMA, open_database, reading, transaction
from indexer.store.connection import insert, scalar, select
from indexer.store.creation import make_missing
from indexer.tables import tables

FORK = """
import os, sys
from pathlib import Path
from indexer.store import transaction
def commit():
    with transaction(Path(sys.argv[1])):
        pass
commit()
child = os.fork()
if child == 0:
    commit()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
HOLD = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


def origin(client: str) -> pl.DataFrame:
    """Return a row of `origins`."""
    return pl.DataFrame({"chain_id": [1], "client_version": [client], "kind": ["node"]})


def test_a_new_file_gets_every_table(tmp_path: Path) -> None:
    """The schema and its version are there as soon as the file is."""
    open_database(tmp_path / "a.duckdb").close()

    with duckdb.connect(tmp_path / "a.duckdb", read_only=True) as connection:
        names = connection.execute("select table_name from duckdb_tables()").fetchall()
        version = connection.execute("select version from schema_version").fetchall()
    assert {name for (name,) in names} == set(tables())
    assert version == [(SCHEMA,)]


@pytest.mark.parametrize("name", [":memory:", "~", "~x.duckdb"])
def test_a_name_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """DuckDB has words of its own that look like files: what was kept there was gone at once."""
    monkeypatch.chdir(tmp_path)
    path = Path(name)
    make_missing(path)
    with transaction(path) as connection:
        insert(connection, "origins", origin("x"))

    with database(path) as con:
        assert con.execute("select client_version from origins").fetchall() == [("x",)]
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_link_to_a_missing_file_is_filled(tmp_path: Path) -> None:
    """It is made whole in its own folder; a log that was left there of another is not its own."""
    path, link = tmp_path / "disk" / "a.duckdb", tmp_path / "a.duckdb"
    path.parent.mkdir()
    link.symlink_to(path)
    path.with_name("a.duckdb.wal").write_bytes(b"of another")

    make_missing(link)
    was_made = path.is_file()
    with transaction(link) as connection:
        insert(connection, "origins", origin("x"))

    assert was_made
    assert link.is_symlink()
    assert list(path.parent.iterdir()) == [path]


def storage_version(path: Path) -> int:
    """Return the number of the format that the head of a DuckDB file names."""
    return int.from_bytes(path.read_bytes()[12:20], "little")


def write_and_fail(path: Path) -> None:
    """Write a row, then fail inside the transaction."""
    with transaction(path) as connection:
        insert(connection, "origins", origin("x"))
        raise KeyError


def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Rows written before an error are gone after it."""
    path = tmp_path / "a.duckdb"
    with pytest.raises(KeyError):
        write_and_fail(path)

    with transaction(path) as connection:
        assert select(connection, "origins", "true", []).is_empty()


def test_a_reader_that_ends_leaves_others_of_its_process_their_lock(tmp_path: Path) -> None:
    """As in `watch`: two chains, a check and a copy read at once, and `index` runs beside them."""
    path = tmp_path / "a.duckdb"
    make_missing(path)
    words = (sys.executable, "-c", f"import duckdb; duckdb.connect({str(path)!r})")

    def read() -> None:
        with transaction(path, read_only=True):
            pass

    with ThreadPoolExecutor() as threads:
        with transaction(path, read_only=True):
            second = threads.submit(read)
            wait([second], timeout=0.5)
            writer = subprocess.run(words, capture_output=True, text=True, check=False)
        second.result()

    assert "Could not set lock on file" in writer.stderr


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[duckdb.DuckDBPyConnection]:
    """Return the engines that are started from now on; none is idle."""
    engines: list[duckdb.DuckDBPyConnection] = []

    def counted(config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        engines.append(connect(config=config))
        return engines[-1]

    monkeypatch.setattr("indexer.store.connection._idle", {})
    monkeypatch.setattr("indexer.store.connection.duckdb.connect", counted)
    return engines


def test_transactions_start_one_engine(
    tmp_path: Path, started: list[duckdb.DuckDBPyConnection]
) -> None:
    """It is kept without the file: others open that, and nothing temporary stays."""
    path, other = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    make_missing(path)
    for client in ("x", "y"):
        with transaction(path) as connection:
            insert(connection, "origins", origin(client))
            connection.execute("create temp table mine as select 1")
        assert [entry.name for entry in tmp_path.iterdir()] == ["a.duckdb"]
    with transaction(other) as connection:
        insert(connection, "origins", origin("x"))

    assert len(started) == 1
    assert clients(path) == {"x", "y"}
    assert clients(other) == {"x"}
    with pytest.raises(KeyError):
        write_and_fail(path)
    with transaction(path):
        assert len(started) == 2  # what an error did to an engine is nobody's business


def test_a_table_without_a_column_of_today_is_made_anew(tmp_path: Path) -> None:
    """Its rows are as they were, with null in the column, which stands in its place."""
    path = tmp_path / "a.duckdb"
    row = table("pool_states", {"assets_tokens": 5, "status": "active"})
    with transaction(path) as connection:
        insert(connection, "pool_states", row)
        connection.execute(
            "alter table pool_states drop column holds_pools; update schema_version set version = 6"
        )

    with transaction(path) as connection:
        grown = connection.sql("select * from pool_states").pl()
        versions = connection.execute("select version from schema_version").fetchall()

    assert_frame_equal(grown, row)
    assert sorted(versions) == [(6,), (SCHEMA,)]


def test_an_engine_that_ran_out_of_memory_is_not_kept(
    tmp_path: Path, started: list[duckdb.DuckDBPyConnection]
) -> None:
    """It could not leave the temporary folder of its database, which goes with it."""
    path, other = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    with transaction(path) as connection:
        insert(connection, "origins", origin("x"))
        connection.execute("set memory_limit = '40MB'")
        connection.execute("create temp table long as select range || 'ab' from range(3_000_000)")
        assert (tmp_path / "a.duckdb.tmp").is_dir()

    assert [entry.name for entry in tmp_path.iterdir()] == ["a.duckdb"]
    with transaction(other) as connection:
        insert(connection, "origins", origin("y"))
        folder = scalar(connection, "select current_setting('temp_directory')")
    assert folder == f"{other}.tmp"
    assert len(started) == 2
    assert clients(path) == {"x"}


def clients(path: Path) -> set[str]:
    """Return the names of the clients in `origins`, as another engine reads them."""
    with connect(path) as other:
        return {name for (name,) in other.execute("select client_version from origins").fetchall()}


def test_a_fork_starts_an_engine_of_its_own(tmp_path: Path) -> None:
    """The one it inherits has no threads there; it must neither be used nor ended."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path / "a.duckdb")],
        timeout=60,
        check=False,
    )

    assert done.returncode == 0


def append(path: Path, rows: int, *, is_large: bool = False) -> None:
    """Append rows to `origins` in a transaction."""
    with transaction(path, is_large=is_large) as connection:
        insert(connection, "origins", pl.concat([origin("x")] * rows))


def row_groups(path: Path) -> list[int]:
    """Return how many rows each row group of `origins` has."""
    query = """select max(count) from pragma_storage_info('origins')
        where column_name = 'chain_id' and segment_type != 'VALIDITY' group by row_group_id"""
    with duckdb.connect(path, read_only=True) as connection:
        return sorted(count for (count,) in connection.execute(query).fetchall())


def test_large_transactions_are_written_once(tmp_path: Path) -> None:
    """Row groups that are not full stay until a small transaction, which merges them."""
    path = tmp_path / "a.duckdb"
    for _ in range(3):
        append(path, 11_000, is_large=True)
    assert row_groups(path) == [11_000] * 3
    append(path, 1)
    assert sum(row_groups(path)) == 33_001
    assert max(row_groups(path)) > 11_000


def test_small_transactions_share_row_groups(tmp_path: Path) -> None:
    """A head that is followed for long leaves no row group for each of its blocks."""
    for _ in range(30):
        append(tmp_path / "a.duckdb", 1)
    assert len(row_groups(tmp_path / "a.duckdb")) < 10


def test_two_transactions_may_read_at_once(tmp_path: Path) -> None:
    """Each has an engine of its own."""
    path = tmp_path / "a.duckdb"
    with transaction(path) as connection:
        insert(connection, "origins", origin("x"))

    with transaction(path, read_only=True) as one, transaction(path, read_only=True) as other:
        assert select(one, "origins", "true", []).equals(select(other, "origins", "true", []))


def test_a_newer_format_is_written_as_it_is(tmp_path: Path) -> None:
    """A copy that somebody made with DuckDB's own format takes rows; ours opens with older ones."""
    path, copy = tmp_path / "a.duckdb", tmp_path / "b.duckdb"
    open_database(path).close()
    with duckdb.connect() as engine:
        engine.execute(f"attach '{path}' as a; attach '{copy}' as b; copy from database a to b")

    with transaction(copy) as connection:
        insert(connection, "origins", origin("x"))
        assert len(select(connection, "origins", "true", [])) == 1
    assert storage_version(path) < storage_version(copy)


def test_a_held_lock_is_waited_for_and_named(tmp_path: Path) -> None:
    """Another process that writes: wait, then say which process it is."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()

        with pytest.raises(DatabaseBusy, match=f"locked by process {holder.pid}"):
            open_database(path, wait_seconds=0.3)

        holder.communicate(b"\n")
    open_database(path, wait_seconds=0.3).close()


def test_a_long_wait_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Who sees nothing happen reads what is waited for, and which process has it."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(DatabaseBusy):
            open_database(path, wait_seconds=0.3)
        assert caplog.messages == []

        with pytest.raises(DatabaseBusy):
            open_database(path, wait_seconds=2.5)

        holder.communicate(b"\n")
    assert caplog.messages == [f"waiting for {path}, which process {holder.pid} has open"]


def test_a_report_that_keeps_others_of_its_process_waiting_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As in `watch` without a copy for readers: what is indexed next waits for a report's end."""
    path = tmp_path / "a.duckdb"
    make_missing(path)

    def read() -> None:
        with transaction(path, read_only=True):
            pass

    with ThreadPoolExecutor() as threads:
        with reading:
            second = threads.submit(read)
            wait([second], timeout=1.5)
        second.result()
        threads.submit(read).result()

    said = f"waiting for {path}, which a report or another task of this process reads"
    assert caplog.messages == [said]


def test_a_database_that_is_not_ours(tmp_path: Path) -> None:
    """A DuckDB file with other tables is left alone."""
    path = tmp_path / "a.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table mine (x integer)")

    with pytest.raises(UserError, match="not one of perpscope"):
        open_database(path)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    """A missing database is an error for readers."""
    with pytest.raises(DatabaseUnusable, match="there is no database"):
        open_database(tmp_path / "a.duckdb", read_only=True)

    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A path that is a folder says so."""
    with pytest.raises(DatabaseUnusable, match="expected a file"):
        open_database(tmp_path)


def test_a_file_that_may_not_be_written(tmp_path: Path) -> None:
    """A file without write permission is named, also to who may do anything, and is readable."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    path.chmod(0o444)

    with pytest.raises(DatabaseUnusable, match="is protected from writing"):
        open_database(path)
    open_database(path, read_only=True).close()

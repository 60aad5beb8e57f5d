"""The database file when the world fails half-way."""

import errno
import os
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from indexer.store import open_database, read_stored
from indexer.store.creation import make_missing

MAKE = """
import sys
from pathlib import Path
from indexer.errors import DatabaseUnusable
from indexer.store import open_database, read_stored
try:
    read_stored(Path(sys.argv[1]), 1)
except DatabaseUnusable as error:
    sys.exit(f"said: {error}")
"""
# What opens the file, and then the machine is gone.
KILLED = """
import os, sys
import duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("create table stranger (number integer)")
os._exit(9)
"""


def python(code: str, path: Path, most_bytes: int = resource.RLIM_INFINITY) -> str:
    """Run code about a path in a process whose files may not grow beyond a size."""
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stderr


@pytest.mark.parametrize(
    "most_bytes", [0, pytest.param(5_000, marks=pytest.mark.soak), 12_288, 300_000]
)
def test_a_database_that_cannot_be_finished_leaves_no_file(tmp_path: Path, most_bytes: int) -> None:
    """Where the disk is full half-way, one sentence is said, and the next run finds no file."""
    path = tmp_path / "a.duckdb"

    said = python(MAKE, path, most_bytes)

    assert said.startswith(f"said: {path} cannot be")
    assert len(said.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
    read_stored(path, 1)
    assert path.exists()


def test_an_older_database_that_cannot_grow_stays_as_it_is(tmp_path: Path) -> None:
    """Where the disk is full before its new tables are in, one sentence is said."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    with duckdb.connect(path) as connection:
        connection.execute("drop table balances; update schema_version set version = 3")
    before = path.read_bytes()

    said = python(
        MAKE.replace("read_stored(Path(sys.argv[1]), 1)", "open_database(Path(sys.argv[1]))"),
        path,
        0,
    )

    assert said.startswith(f"said: {path} cannot be used (")
    assert len(said.splitlines()) == 1
    assert path.read_bytes() == before
    with closing(open_database(path)) as connection:
        assert connection.execute("select count(*) from balances").fetchall() == [(0,)]


def test_a_new_database_takes_nothing_from_a_deleted_one(tmp_path: Path) -> None:
    """The write-ahead log that a deleted file left is not replayed into a new one."""
    path = tmp_path / "a.duckdb"
    python(KILLED, path)
    path.unlink()
    assert path.with_name("a.duckdb.wal").exists()

    read_stored(path, 1)

    with duckdb.connect(path, read_only=True) as connection:
        names = {name for (name,) in connection.execute("show tables").fetchall()}
    assert "logs" in names
    assert "stranger" not in names


def test_what_a_killed_process_of_the_same_number_left_is_made_anew(tmp_path: Path) -> None:
    """In a container every run has one process id: half a file of the one before is no obstacle."""
    (tmp_path / f"a.duckdb.{os.getpid()}.new").write_bytes(b"half a file" * 1_000)

    assert read_stored(tmp_path / "a.duckdb", 1).coverage.is_empty()

    assert os.listdir(tmp_path) == ["a.duckdb"]  # noqa: PTH208 - names are enough


def test_a_file_system_without_hard_links_holds_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made beside its place is moved there, and nothing stays beside it."""

    def refused(_path: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refused)

    assert read_stored(tmp_path / "a.duckdb", 1).coverage.is_empty()

    assert os.listdir(tmp_path) == ["a.duckdb"]  # noqa: PTH208 - names are enough


def test_what_another_process_has_made_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its file is replaced nor what it has logged and not yet moved there thrown away."""
    path, log = tmp_path / "a.duckdb", tmp_path / "a.duckdb.wal"

    def made(_engine: object) -> None:
        path.write_bytes(b"another's")
        log.write_bytes(b"its log")

    monkeypatch.setattr("indexer.store.creation.put_aside", made)

    make_missing(path)

    assert (path.read_bytes(), log.read_bytes()) == (b"another's", b"its log")
    assert sorted(os.listdir(tmp_path)) == [path.name, log.name]  # noqa: PTH208 - names are enough


def test_two_that_make_the_same_database_share_it(tmp_path: Path) -> None:
    """Processes that start together end with one database, and no file beside it."""
    path = tmp_path / "a.duckdb"

    both = [subprocess.Popen([sys.executable, "-c", MAKE, str(path)]) for _ in range(2)]

    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert os.listdir(tmp_path) == ["a.duckdb"]  # noqa: PTH208 - names are enough

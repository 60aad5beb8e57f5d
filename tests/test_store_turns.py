"""Readers that come and go let a writer that waits go first, and only for a while."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from analytics import load
from indexer.store import open_database
from indexer.store.turns import is_wanted, wish

WAIT_SECONDS = 1.0


def with_store(path: Path) -> None:
    """Read as sync and `status` do."""
    open_database(path, read_only=True, wait_seconds=WAIT_SECONDS).close()


def with_analytics(path: Path) -> None:
    """Read as queries, metrics and reports do."""
    with load.database(path, wait_seconds=WAIT_SECONDS):
        pass


@pytest.mark.parametrize("read", [with_store, with_analytics])
def test_a_reader_lets_a_waiting_writer_go_first(
    read: Callable[[Path], None], tmp_path: Path
) -> None:
    """It waits for half its patience, then reads all the same: another reader may be a long one."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    with ThreadPoolExecutor(1) as pool, closing(open_database(path, read_only=True)) as long:
        writer = pool.submit(open_database, path, wait_seconds=20)
        while not is_wanted(path):
            time.sleep(0.01)

        started = time.monotonic()
        read(path)
        seconds = time.monotonic() - started

        long.close()
        writer.result().close()

    assert seconds >= WAIT_SECONDS / 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.duckdb"]


@pytest.mark.parametrize("read", [with_store, with_analytics])
def test_a_wish_that_nobody_has_any_more_holds_nobody_up(
    read: Callable[[Path], None], tmp_path: Path
) -> None:
    """What a killed writer left behind is a file without a lock."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()
    (tmp_path / "a.duckdb.turn").touch()

    started = time.monotonic()
    read(path)

    assert time.monotonic() - started < WAIT_SECONDS / 2


def test_a_wish_ends_with_its_block(tmp_path: Path) -> None:
    """Two may wish at once; afterwards nobody does."""
    path = tmp_path / "a.duckdb"

    with wish(path), wish(path):
        during = is_wanted(path)

    assert (during, is_wanted(path)) == (True, False)


def test_a_wish_that_cannot_be_told_holds_nobody_up(tmp_path: Path) -> None:
    """Courtesy is all it is: where its file cannot be opened, a writer waits without it."""
    path = tmp_path / "a.duckdb"
    (tmp_path / "a.duckdb.turn").mkdir()

    with wish(path):
        assert not is_wanted(path)

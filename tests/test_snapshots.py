"""The copy for readers: consistent, numbered, whole or not there, and never in the way."""

import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from pathlib import Path
from shutil import copy

import duckdb
import polars as pl
import pytest
from commands import perpscope
from import_rig import WINNER, by_line, fill, written
from sync_rig import FIRST, blocks, contents, job, rows, run, served

from indexer.errors import DatabaseBusy, DatabaseUnusable
from indexer.simulation.node import serve
from indexer.store import held, is_published, open_database, publish, transaction
from indexer.store.connection import insert
from indexer.store.snapshots import is_replaceable, read_snapshot

PUBLISH = (
    "import sys; from pathlib import Path; from indexer.store import publish; "
    "publish(Path(sys.argv[1]), Path(sys.argv[2]))"
)


def settled(folder: Path) -> tuple[Path, Path, Path]:
    """Return a database, its snapshot, and the settings that name both and a feed to index."""
    path, target, config = folder / "a.duckdb", folder / "s.duckdb", folder / "p.toml"
    config.write_text(
        f'database = "{path}"\nstorage.snapshot = "{target}"\n'
        f"chains.ethereum.from_block = {FIRST}\nchains.ethereum.protocols = ['chainlink']\n",
        encoding="utf-8",
    )
    return path, target, config


def filled(path: Path, megabytes: int) -> Path:
    """Make a database of about this size."""
    open_database(path).close()
    noise = [os.urandom(32) for _ in range(megabytes * 2**20 // 170)]
    frame = pl.DataFrame({"block_hash": noise, "tx_hash": noise, "address": noise, "data": noise})
    plain = {"chain_id": 1, "block_number": 1, "tx_index": 0, "log_index": 0}
    logs = frame.with_columns(
        *(pl.lit(value).alias(name) for name, value in plain.items()),
        *(pl.lit(None, pl.Binary).alias(f"topic{index}") for index in range(4)),
    )
    with transaction(path) as connection:
        insert(connection, "logs", logs)
    return path


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database that takes a while to copy."""
    return filled(tmp_path_factory.mktemp("large") / "a.duckdb", 60)


def number_of(path: Path) -> tuple[int, bool]:
    """Return the snapshot number a file says, and whether it says it is a copy."""
    with transaction(path, read_only=True) as connection:
        found = read_snapshot(connection)
    assert found is not None
    return found.number, found.is_copy


def test_a_copy_holds_what_the_database_holds(tmp_path: Path) -> None:
    """Every table is the same, but for the one that says it is a copy."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    with serve([served(blocks(200))]) as node:
        run(job(path), node.url)

    snapshot = publish(path, target)

    ours, theirs = contents(path), contents(target)
    assert {name for name in ours if ours[name] != theirs[name]} == {"snapshots"}
    assert rows(target, "select count(*) from oracle_updates")[0][0]
    assert (snapshot.number, number_of(path), number_of(target)) == (1, (1, False), (1, True))
    assert not target.stat().st_mode & 0o222


def test_numbers_rise_even_when_the_copy_is_gone(tmp_path: Path) -> None:
    """The database counts, not the file that was published."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()

    publish(path, target)
    target.unlink()
    publish(path, target)

    assert number_of(target) == (2, True)


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o444), (0o027, 0o440), (0o077, 0o400)])
def test_a_copy_is_for_those_whom_the_umask_lets_in(tmp_path: Path, mask: int, mode: int) -> None:
    """As the database is; and nobody writes to it."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    before = os.umask(mask)
    try:
        open_database(path).close()
        publish(path, target)
    finally:
        os.umask(before)

    assert target.stat().st_mode & 0o777 == mode
    assert path.stat().st_mode & 0o444 == mode


def test_a_reader_keeps_the_copy_it_opened(tmp_path: Path) -> None:
    """Publishing changes nothing below an open connection; the next one sees the new copy."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()
    publish(path, target)

    with transaction(target, read_only=True) as reader:
        publish(path, target)
        before = read_snapshot(reader)

    assert before is not None
    assert before.number == 1
    assert number_of(target) == (2, True)


def test_two_publishers_take_turns(tmp_path: Path) -> None:
    """Whoever comes second publishes the higher number, and nothing else is left over."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: publish(path, target).number, range(8)))

    assert sorted(found) == list(range(1, 9))
    assert number_of(target) == (8, True)
    left = {entry.name for entry in tmp_path.iterdir()}
    assert left == {"a.duckdb", "s.duckdb", "s.duckdb.lock"}


def test_readers_of_the_database_are_not_in_the_way(large: Path, tmp_path: Path) -> None:
    """While the file is copied, others read it; only the counting needs it alone."""
    path, target = Path(copy(large, tmp_path)), tmp_path / "s.duckdb"
    words = [sys.executable, "-c", PUBLISH, str(path), str(target)]
    fresh = target.with_name("s.duckdb.new")
    read = 0

    with subprocess.Popen(words) as publisher:
        while publisher.poll() is None:
            if fresh.exists():
                open_database(path, read_only=True, wait_seconds=5).close()
                read += 1
            time.sleep(0.002)

    assert publisher.returncode == 0
    assert read > 0
    assert number_of(target) == (1, True)


def test_a_killed_publisher_leaves_the_copy_before(large: Path, tmp_path: Path) -> None:
    """Whenever it is killed, the old copy reads whole, and the next one is published."""
    path, target = Path(copy(large, tmp_path)), tmp_path / "s.duckdb"
    publish(path, target)
    before = target.stat().st_ino
    words = [sys.executable, "-c", PUBLISH, str(path), str(target)]
    fresh = target.with_name("s.duckdb.new")

    with subprocess.Popen(words) as publisher:
        while publisher.poll() is None and not fresh.exists():
            time.sleep(0.0005)
        publisher.send_signal(signal.SIGKILL)

    assert publisher.returncode == -signal.SIGKILL
    assert target.stat().st_ino == before
    assert number_of(target) == (1, True)
    publish(path, target)
    assert number_of(target) == (3, True)
    assert not fresh.exists()


def test_a_full_disk_leaves_the_copy_before(tmp_path: Path) -> None:
    """The copy does not fit: one sentence, and what was published stays."""
    path, target = filled(tmp_path / "a.duckdb", 4), tmp_path / "s.duckdb"
    publish(path, target)
    limit = path.stat().st_size - 2**20

    done = subprocess.run(
        [sys.executable, "-c", PUBLISH, str(path), str(target)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert "DatabaseUnusable: the snapshot" in done.stderr
    assert number_of(target) == (1, True)
    assert not target.with_name("s.duckdb.new").exists()


def test_a_copy_that_cannot_take_its_place_is_told(tmp_path: Path) -> None:
    """Where a folder has the name, one sentence is said, and no copy is left beside it."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()
    target.mkdir()

    with pytest.raises(DatabaseUnusable, match=r"s.duckdb cannot be published \(Is a directory\)"):
        publish(path, target)

    assert not target.with_name("s.duckdb.new").exists()


def test_what_a_killed_writer_left_beside_the_file_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy without it would be older than it says; who publishes again has it in the file."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    killed = (
        "import duckdb, os, sys; con = duckdb.connect(sys.argv[1]); "
        "con.execute('insert into schema_version values (1, 1)'); os._exit(0)"
    )

    def late(database: Path, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
        """Open it, for the copy after somebody else wrote."""
        if read_only:
            subprocess.run([sys.executable, "-c", killed, str(database)], check=True)
        return open_database(database, read_only=read_only)

    open_database(path).close()
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr("indexer.store.snapshots.open_database", late)
        with pytest.raises(DatabaseBusy, match="was killed a moment ago, and not everything is in"):
            publish(path, target)
    before = target.exists()
    publish(path, target)

    assert not before
    assert rows(target, "select count(*) from schema_version") == [(2,)]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A copy needs a folder; none is made on the quiet."""
    path = tmp_path / "a.duckdb"
    open_database(path).close()

    with pytest.raises(DatabaseUnusable, match="expected a folder that can be written"):
        publish(path, tmp_path / "no" / "s.duckdb")


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    """One at a time, and the one that is refused knows who was first."""
    path = tmp_path / "x.lock"

    with (
        held(path),
        pytest.raises(DatabaseBusy, match=f"held by process {os.getpid()}"),
        held(path, wait_seconds=0.1),
    ):
        raise AssertionError("two held it")

    with held(path):
        assert path.read_text(encoding="utf-8") == f"{os.getpid()}\n"


def test_index_publishes_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After a run that changed something; status and query say which copy they read."""
    path, target, config = settled(tmp_path)
    with serve([served(blocks(100))]) as node:
        words = ("index", "--chain", "ethereum", "--rpc", node.url, "--config", config)
        assert perpscope(*words) == 0
        assert perpscope(*words) == 0
    out = capsys.readouterr().out
    assert out.count("snapshot 1 is published") == 1
    assert "snapshot 2" not in out

    codes = [
        perpscope("status", "--config", config),
        perpscope("status", "--database", target),
        perpscope("query", "coverage_gaps", "--database", target),
        perpscope("query", "coverage_gaps", "--database", path),
    ]

    out = capsys.readouterr().out
    assert codes == [0, 0, 0, 0]
    assert out.startswith("snapshot 1 was published at ")
    assert out.count("this is snapshot 1, published at ") == 1
    assert out.count("\nsnapshot 1, published at ") == 1


def test_a_copy_that_could_not_be_made_is_made_by_the_next_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """That run finds nothing to index: readers would have the old copy until the chain moves on."""
    _, target, config = settled(tmp_path)
    with serve([served(blocks(99))]) as node:
        words = ("index", "--chain", "ethereum", "--rpc", node.url, "--config", config)
        assert perpscope(*words, "--to", FIRST + 50) == 0
        (tmp_path / "s.duckdb.new").mkdir()  # in the way, as a disk without room is
        assert perpscope(*words) == 1
        (tmp_path / "s.duckdb.new").rmdir()
        assert [perpscope(*words), perpscope(*words)] == [0, 0]

    assert capsys.readouterr().out.count(" is published: ") == 2
    last = "select max(to_block) from coverage"
    assert rows(target, last) == rows(tmp_path / "a.duckdb", last)


def test_a_copy_without_state_that_was_collected_since_is_old(tmp_path: Path) -> None:
    """An archive node filled in what a pruned one lacked: no block is new, and facts are."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    with serve([served(blocks(9))]) as node:
        run(job(path), node.url)
    with duckdb.connect(path) as connection:
        connection.execute(
            "insert into reads values (1, 'feed', 'r', 1, -1, 'h', '2022-12-01', 'c', 'a', 'i', "
            "null, 'not_collected', null)"
        )
    publish(path, target)
    assert is_published(path, target)

    with duckdb.connect(path) as connection:
        connection.execute("update reads set state = 'available'")

    assert not is_published(path, target)


def test_a_copy_may_be_where_times_have_fewer_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NTFS and shares of it count in 100 ns: each idle run would publish the same copy again."""
    path, target, set_time = tmp_path / "a.duckdb", tmp_path / "s.duckdb", os.utime

    def coarse(path: Path, *, ns: tuple[int, int]) -> None:
        set_time(path, ns=(ns[0] // 100 * 100, ns[1] // 100 * 100))

    monkeypatch.setattr(os, "utime", coarse)
    open_database(path).close()
    publish(path, target)

    assert is_published(path, target)


def test_what_was_written_beside_index_is_published_by_it(tmp_path: Path) -> None:
    """An import, an audit, facts derived anew: no block is new, and the copy lacks their rows."""
    path, target, config = settled(tmp_path)
    fills = written(tmp_path, "fills", by_line((WINNER, fill())))
    with serve([served(blocks(99))]) as node:
        words = ("--chain", "ethereum", "--rpc", node.url, "--config", config)
        assert perpscope("index", *words) == 0
        for other in (
            ("import", "hyperliquid", fills, "--config", config),
            ("verify", *words),
            ("redecode", "--chain", "ethereum", "--config", config),
        ):
            assert perpscope(*other) == 0
            assert not is_published(path, target)
            assert perpscope("index", *words) == 0
            assert is_published(path, target)

    ours, theirs = contents(path), contents(target)
    assert {name for name in ours if ours[name] != theirs[name]} == {"snapshots"}
    assert rows(target, "select count(*) from imports, audits") == [(1,)]


def test_another_database_leaves_the_snapshot_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Readers of the copy are not given a trial's rows, whose number is lower; one line says so."""
    _, target, config = settled(tmp_path)
    with serve([served(blocks(9))]) as node:
        words = ("index", "--chain", "ethereum", "--rpc", node.url, "--config", config)
        assert perpscope(*words, "--database", tmp_path / "trial.duckdb") == 0
        assert not target.exists()
        assert "s.duckdb stays as it is: it is the copy of" in capsys.readouterr().err
        # The same file by another name is the settings' own.
        same = tmp_path / ".." / tmp_path.name / "a.duckdb"
        assert perpscope(*words, "--database", same) == 0

    assert target.exists()
    assert capsys.readouterr().err == ""


def test_a_copy_over_the_database_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user's mistake, before anything is touched."""
    config = tmp_path / "p.toml"
    config.write_text(
        f'database = "{tmp_path}/a.duckdb"\nstorage.snapshot = "{tmp_path}/../{tmp_path.name}/'
        'a.duckdb"\nchains.ethereum.rpc = "http://127.0.0.1:9"',
        encoding="utf-8",
    )

    code = perpscope("index", "--chain", "ethereum", "--config", config)

    assert code == 2
    assert "the database itself: expected another file" in capsys.readouterr().err


def test_a_copy_over_another_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that somebody indexes into, or notes, are no copies; a writable copy is one."""
    path, target, config = settled(tmp_path)
    words = ("index", "--chain", "ethereum", "--config", config)
    with serve([served(blocks(9))]) as node:
        run(job(target), node.url)
        before = target.read_bytes()
        assert perpscope(*words, "--rpc", node.url) == 2
        assert target.read_bytes() == before
        target.write_text("what I found out", encoding="utf-8")
        assert perpscope(*words, "--rpc", node.url) == 2
        assert capsys.readouterr().err.count("which is no copy that was published") == 2
        target.unlink()
        assert perpscope(*words, "--rpc", node.url) == 0
        target.chmod(0o644)
    with serve([served(blocks(19))]) as node:
        assert perpscope(*words, "--rpc", node.url) == 0

    assert number_of(target) == (2, True)
    assert is_published(path, target)


def test_a_file_that_its_owner_protects_is_no_copy(tmp_path: Path) -> None:
    """An archive of the database, or a device, is no more to be replaced than a writable file."""
    path, notes, copied = tmp_path / "a.duckdb", tmp_path / "notes", tmp_path / "s.duckdb"
    open_database(path).close()
    publish(path, copied)
    for protected in (path, notes):
        protected.touch()
        protected.chmod(0o444)

    told = [is_replaceable(each) for each in (path, notes, tmp_path, Path(os.devnull), copied)]

    assert told == [False, False, False, False, True]


def test_a_copy_that_is_damaged_or_open_is_replaced(tmp_path: Path) -> None:
    """Whoever may do anything opens one to write by mistake, and must not stop publishing."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()
    publish(path, target)
    target.chmod(0o644)
    with duckdb.connect(target):
        target.chmod(0o444)
        opened = is_replaceable(target)
    target.chmod(0o644)
    target.write_bytes(target.read_bytes()[:9000])
    target.chmod(0o444)

    assert (opened, is_replaceable(target)) == (True, True)


def test_nobody_writes_to_a_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor who may do anything, as in a container: it would be gone with the next copy."""
    path, target = tmp_path / "a.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()
    publish(path, target)
    before = target.read_bytes()
    fills = written(tmp_path, "fills", by_line((WINNER, fill())))

    assert perpscope("import", "hyperliquid", fills, "--database", target) == 1
    assert "s.duckdb is protected from writing, as a copy" in capsys.readouterr().err
    assert target.read_bytes() == before


def test_a_link_to_the_copy_stays_one(tmp_path: Path) -> None:
    """Readers on the other disk get the new copy; the log that somebody left of the old goes."""
    path, target, link = tmp_path / "a.duckdb", tmp_path / "disk" / "s.duckdb", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to(target)
    open_database(path).close()

    publish(path, link)
    target.with_name("s.duckdb.wal").write_bytes(b"of the old one")
    publish(path, link)

    assert link.is_symlink()
    assert number_of(target) == (2, True)
    assert [each.name for each in sorted(target.parent.iterdir())] == ["s.duckdb", "s.duckdb.lock"]


def test_a_log_is_where_the_file_is(tmp_path: Path) -> None:
    """The copy of a database that is named by a link is as old as one of the file."""
    path, link, target = tmp_path / "a.duckdb", tmp_path / "link.duckdb", tmp_path / "s.duckdb"
    open_database(path).close()
    link.symlink_to(path)
    publish(link, target)
    path.with_name("a.duckdb.wal").touch()

    assert not is_published(link, target)


def test_a_lock_that_has_no_room_for_its_holder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: the system's own words say neither which file nor which disk."""

    def full(*_: object) -> int:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    path = tmp_path / "a.lock"

    with pytest.raises(DatabaseUnusable, match=f"{path} cannot be written .No space"), held(path):
        pass

"""A disk that is full while rows land, or are copied: a sentence, and nothing lost or torn."""

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from database_digest import differences, digest
from handmade import table, write_database
from import_rig import WINNER, brought, by_line, fill, rows, written
from rig.live import BLOCKS, live
from rig.node import Rig, serving
from rig.runs import Told, indexed, job_of, patient
from sync_rig import FIRST

from analytics import load
from analytics.errors import WorldError
from analytics.reports.tables import Tables

HEAD = FIRST + BLOCKS - 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a file system of its own; skip where none may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not mounted(folder, "size=300k"):
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["/bin/umount", folder], check=True)


def mounted(folder: Path, options: str) -> bool:
    """Mount a file system in memory, or change the one there; return whether that is allowed."""
    words = ["/bin/mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def test_a_full_disk_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    """As the disk grows the database does, and ends like one that never met a limit."""
    path, clean = small_disk / "a.duckdb", tmp_path / "clean.duckdb"
    endings: list[Told] = []
    with serving(Rig(live())) as rig:
        indexed(job_of(clean), patient(rig.url))
        for size in ("300k", "800k", "1100k", "1500k", "2m", "3m", "64m"):
            assert mounted(small_disk, f"remount,size={size}")
            endings.append(indexed(job_of(path, max_logs=5, max_span=20), patient(rig.url)))

    failures = [told for told in endings if told.error]
    assert endings[-1] == Told(HEAD)
    assert {told.error for told in failures} == {"DatabaseUnusable"}
    assert "nothing of this step was written" in failures[-1].message
    assert differences(path, digest(clean)) == []


@pytest.mark.parametrize("most_bytes", [0, 4_000])
def test_an_import_without_room_for_its_rows_says_so(tmp_path: Path, most_bytes: int) -> None:
    """They are set down beside the database first: nothing of them stays, nor is a file made."""
    folder = tmp_path / "data"
    folder.mkdir()
    fills = written(tmp_path, "fills", by_line(*((WINNER, fill(tid=tid)) for tid in range(500))))
    words = ("import", "hyperliquid", str(fills), "--database", str(folder / "a.duckdb"))

    done = subprocess.run(
        [sys.executable, "-m", "perpscope", *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "perpscope: [Errno 27] File too large\n")
    assert list(folder.iterdir()) == []
    assert rows(brought(folder, "hyperliquid", fills), "imports", "entries_read") == [(500,)]


def test_a_window_without_room_names_the_place(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a report copies of a large table is no fault of its rows."""
    fees = pl.concat([table("fees", {"fee_usd": 1})] * 20_000)
    hashes = pl.Series([f"0x{os.urandom(32).hex()}" for _ in range(fees.height)])
    told = fees.with_columns(log_index=pl.int_range(pl.len()), tx_hash=hashes)
    path = write_database(tmp_path / "a.duckdb", {"fees": told})
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))

    with (
        pytest.raises(
            WorldError, match=rf"^no room for a window of fees in {small_disk}/.*TMPDIR$"
        ),
        load.database(path) as con,
    ):
        Tables(con).window("fees")

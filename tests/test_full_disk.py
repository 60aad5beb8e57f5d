"""A disk that is full while blocks land: an error in a sentence, and nothing lost or torn."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from database_digest import differences, digest
from rig.live import BLOCKS, live
from rig.node import Rig, serving
from rig.runs import Told, indexed, job_of, patient
from sync_rig import FIRST

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

"""Locks between processes that the operating system lets go of when their holder ends."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from indexer.errors import DatabaseBusy, DatabaseUnusable


@contextmanager
def held(path: Path, *, wait_seconds: float = 0) -> Iterator[None]:
    """
    Hold a lock file, with this process's id in it, while the block runs; the file stays.

    Args:
        path: the lock file.
        wait_seconds: how long to wait for another process to let go of it.

    Raises:
        DatabaseBusy: another process holds it; the message names that process.
        DatabaseUnusable: the file cannot be made or written.
    """
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise DatabaseUnusable(
            f"{path} cannot be made ({error.strerror}): expected a folder that can be written"
        ) from error
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(DatabaseBusy),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            stop=stop_after_delay(wait_seconds),
            reraise=True,
        ):
            with attempt:
                _take(number, path)
        try:
            os.truncate(number, 0)
            os.pwrite(number, b"%d\n" % os.getpid(), 0)
        except OSError as error:  # it would not say where
            raise DatabaseUnusable(
                f"{path} cannot be written ({error.strerror}): make room on the disk, and run the "
                "command again"
            ) from error
        yield
    finally:
        os.close(number)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """
    Let no other process into such a block of the same folder meanwhile; nothing is left there.

    Where the file system has no locks for folders, several may be in it.
    """
    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def remove_abandoned(folders: Iterable[Path]) -> None:
    """Remove folders that processes were `alone_in` from when they were empty until they ended."""
    for folder in folders:
        with suppress(OSError):  # no locks, or nothing that is ours to remove
            number = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if any(folder.iterdir()):  # else it may have been made a moment ago
                    rmtree(folder, ignore_errors=True)
            finally:
                os.close(number)


def _take(number: int, path: Path) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(number, 32, 0).decode(errors="replace").strip()
        raise DatabaseBusy(
            f"{path} is held by process {holder or 'unknown'}: expected nobody; wait for that "
            "process to end, or stop it"
        ) from None

"""A file as bytes, whatever it is compressed with; what is cut off or broken is said so."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import IO, cast

from indexer.errors import FileDamaged, UserError

_GZIP, _LZ4 = b"\x1f\x8b", b"\x04\x22\x4d\x18"
# lz4 says RuntimeError for every frame it cannot read.
_BROKEN = (EOFError, gzip.BadGzipFile, zlib.error, RuntimeError)


def sha256_of(path: Path) -> str:
    """
    Return the sha256 of a file's bytes, as they are, in hex.

    Raises:
        UserError: there is no such file.
    """
    if not path.is_file():
        raise UserError(f"{path} is no file: expected one to import; correct its name")
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """
    Give a file's content, decompressed by what its first bytes say, not by its name.

    Raises:
        FileDamaged: while it is read, it turns out to be cut off or broken.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
        with _stream(path, start) as content:
            yield content
    except _BROKEN as error:
        said = str(error) or type(error).__name__
        raise FileDamaged(
            f"{path} cannot be read to its end ({said}): expected a whole file; fetch it again. "
            "Nothing of it was taken"
        ) from error


def _stream(path: Path, start: bytes) -> IO[bytes]:
    if start.startswith(_GZIP):
        return cast("IO[bytes]", gzip.open(path))
    if start == _LZ4:
        import lz4.frame

        return cast("IO[bytes]", lz4.frame.open(path))
    return path.open("rb")

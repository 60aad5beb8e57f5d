"""One digest per set of rows, the same on every machine and in whatever order the rows come."""

import hashlib
from io import BytesIO
from pathlib import Path

import polars as pl
from polars import selectors


def rows_digest(frame: pl.DataFrame) -> str:
    """
    Return the SHA-256 of rows, as hex.

    The digest is over a line of column names and types and then the rows as CSV lines in byte
    order: decimals with all their digits, times in microseconds, null apart from empty text.
    """
    exact = frame.with_columns(selectors.datetime().dt.epoch("us"))
    buffer = BytesIO()
    exact.write_csv(buffer, include_header=False, null_value="\\N", quote_style="non_numeric")
    head = ",".join(f"{name}:{dtype}" for name, dtype in frame.schema.items())
    lines = sorted(buffer.getvalue().splitlines(keepends=True))
    return hashlib.sha256(b"".join([head.encode(), b"\n", *lines])).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, as hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

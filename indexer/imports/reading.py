"""What a reader is asked for and what it answers, and how it says that a file is another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from indexer.errors import FileDamaged, UserError
from indexer.imports.batches import Batch, Notes

NOT_JSON = (msgspec.DecodeError, UnicodeDecodeError)
"""What msgspec raises of bytes that are no JSON, or no UTF-8."""

_LOOK = 4_096


@dataclass(frozen=True)
class About:
    """
    What a file is of, where it does not say so itself.

    Attributes:
        account: whose entries these are.
        market: of which market.
    """

    account: str | None = None
    market: str | None = None


@dataclass(frozen=True)
class Reading:
    """
    What a file is.

    Attributes:
        kind: as `imports.kind`.
        about: the account or market it is of, if it had to be said.
        entry: the name by which the declaration calls its entries.
        batches: them, read as they are asked for.
        notes: what is worth saying of it, complete once the batches are read.
    """

    kind: str
    about: str | None
    entry: str
    batches: Iterator[Batch]
    notes: Notes


def first_token(stream: IO[bytes]) -> bytes:
    """Return the first one or two characters of JSON that tell its shape, blanks aside."""
    start = b"".join(stream.read(_LOOK).split())
    return start[:1] if start[:1] != b"[" else start[:2]


def not_json(path: Path, line: int, error: Exception) -> FileDamaged:
    """Return the error that a line is not JSON."""
    return FileDamaged(
        f"{path}, line {line} is not JSON ({error}): expected a whole file; it is cut off or "
        "damaged, fetch it again. Nothing of it was taken"
    )


def of_another_kind(path: Path, expected: str) -> UserError:
    """Return the error that a file is not one of the venue's."""
    return UserError(f"{path} holds something else: expected {expected}; correct the venue or file")

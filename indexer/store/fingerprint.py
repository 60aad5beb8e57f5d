"""
The digest of a set of blocks' logs, independent of how the blocks were cut into ranges.

Each block's logs are hashed in order with sha256, and the hashes are added modulo 2**256. So the
digest of two ranges together is the sum of theirs, and taking blocks away is a subtraction: a
run in a thousand small ranges, killed and resumed, ends with the digest of one large range.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

EMPTY = "0" * 64

_MODULUS = 1 << 256
_NUMBERS = ("block_number", "tx_index", "log_index")
_OCTETS = ("block_hash", "tx_hash", "address", "topic0", "topic1", "topic2", "topic3", "data")


class _Part(NamedTuple):
    """A column's bytes, and where each row starts in them and the last one ends."""

    content: memoryview
    places: npt.NDArray[np.int64]


def fingerprint(logs: pl.DataFrame) -> str:
    """
    Return the digest of these logs as 64 hex digits.

    Args:
        logs: LOGS frame of whole blocks, sorted by block_number, tx_index, log_index.
    """
    if logs.is_empty():
        return EMPTY
    logs = logs.rechunk()
    numbers = logs["block_number"].to_numpy()
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(numbers)) + 1, [len(logs)]])
    parts = [_numbers(logs[name].to_numpy()) for name in _NUMBERS]
    parts += [part for name in _OCTETS for part in _octets(logs[name])]
    cuts = [_cuts(part, bounds) for part in parts]
    return f"{sum(map(_block_digest, zip(*cuts, strict=True))) % _MODULUS:064x}"


def added(left: str, right: str) -> str:
    """Return the digest of two disjoint sets of blocks together."""
    return f"{(int(left, 16) + int(right, 16)) % _MODULUS:064x}"


def subtracted(whole: str, part: str) -> str:
    """Return the digest of a set of blocks without some of them."""
    return f"{(int(whole, 16) - int(part, 16)) % _MODULUS:064x}"


def _cuts(part: _Part, bounds: npt.NDArray[np.int64]) -> Iterator[memoryview]:
    """Yield the bytes of each block."""
    return (part.content[low:high] for low, high in pairwise(part.places[bounds].tolist()))


def _block_digest(contents: Iterable[memoryview]) -> int:
    block = sha256()
    for content in contents:
        block.update(content)
    return int.from_bytes(block.digest(), "big")


def _numbers(numbers: npt.NDArray[np.int64]) -> _Part:
    return _Part(numbers.astype("<i8").data.cast("B"), np.arange(len(numbers) + 1) * 8)


def _octets(column: pl.Series) -> tuple[_Part, _Part]:
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest())
    _, offsets, content = array.buffers()
    places = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    # Lengths make the concatenation unambiguous; -1 tells an absent topic from an empty one.
    lengths = np.diff(places)
    if column.null_count():
        lengths[column.is_null().to_numpy()] = -1
    return _numbers(lengths), _Part(memoryview(content), places)

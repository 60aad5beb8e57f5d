"""
What a header's logs bloom says: which logs cannot be in the block, which declared ones may be.

A bloom has no false negatives: a value whose three bits are not all set was not logged. Blooms of
many headers are one matrix of bytes; each distinct value is hashed once and remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import polars as pl
from eth_hash.auto import keccak
from numpy.typing import NDArray

BLOOM_BYTES = 256
LOG_COLUMNS = ("address", "topic0", "topic1", "topic2", "topic3")
"""What of a log is in its block's bloom."""

_BITS = 8 * BLOOM_BYTES
_MOST_LOOKUPS = 1 << 24

Matrix = NDArray[np.uint8]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Declared:
    """
    What declarations wait for: logs of these emitters with these first topics.

    Attributes:
        emitters: group, address (Binary), from_block, to_block (null while it lasts).
        topics: group, topic0, and of topic1, topic2, topic3 those that decide (Binary; null
            where any will do).
    """

    emitters: pl.DataFrame
    topics: pl.DataFrame

    @cached_property
    def bits(self) -> list[tuple[int, int]]:
        """How many bits a declared log sets, and by how many emitters and events it may be."""
        pairs = self.emitters.join(self.topics, on="group")
        bits = 3 * (2 + sum(pairs[name].is_not_null().cast(int) for name in _deciding(pairs)))
        return pl.DataFrame({"bits": bits}).group_by("bits").len().sort("bits").rows()


def outside(logs: pl.DataFrame, headers: pl.DataFrame, columns: tuple[str, ...]) -> set[int]:
    """
    Return the numbers of blocks that hold a log their own header's bloom excludes.

    Args:
        logs: block_number and these columns.
        headers: number, logs_bloom; blocks without a header or a bloom are passed over.
        columns: what to look for: address and topics; null topics are passed over.
    """
    known = _known(headers)
    blooms, places = _matrix(known), known.select("number").with_row_index("place")
    told = [logs.select(number="block_number", value=column).drop_nulls() for column in columns]
    seen = pl.concat(told).unique().join(places, on="number")
    values = seen.select("value").unique(maintain_order=True).with_row_index("code")
    seen = seen.join(values, on="value")
    bits = _bits(values["value"])[seen["code"].to_numpy()]
    is_in = _are_set(blooms, seen["place"].to_numpy(), bits)
    return set(seen["number"].filter(pl.Series(~is_in)))


def hits(headers: pl.DataFrame, declared: Declared) -> pl.DataFrame:
    """
    Return what each bloom does not exclude: number, address and topics of declared logs.

    Args:
        headers: number, logs_bloom (not null).
        declared: what may be logged, and when.
    """
    emitters, topics = declared.emitters, declared.topics
    step = max(1, _MOST_LOOKUPS // (3 * max(len(emitters) + len(topics), 1)))
    parts = [
        _hits(headers[start : start + step], emitters, topics)
        for start in range(0, len(headers), step)
    ]
    return pl.concat(parts) if parts else _hits(headers, emitters, topics)


def _hits(headers: pl.DataFrame, emitters: pl.DataFrame, topics: pl.DataFrame) -> pl.DataFrame:
    blooms, numbers = _matrix(headers), headers["number"]
    wanted = _contain(blooms, topics["topic0"])
    for name in _deciding(topics):
        if topics[name].null_count() < len(topics):
            wanted &= topics[name].is_null().to_numpy() | _contain(blooms, topics[name])
    # Most blooms exclude every topic; only the rest is asked for addresses.
    some = np.flatnonzero(wanted.any(axis=1))
    rows, which = np.nonzero(wanted[some])
    events = topics[which].with_columns(number=numbers.gather(some[rows]))
    rows, who = np.nonzero(_contain(blooms[some], emitters["address"]))
    places = emitters[who].with_columns(number=numbers.gather(some[rows]))
    is_alive = (pl.col("number") >= pl.col("from_block")) & (
        pl.col("to_block").is_null() | (pl.col("number") <= pl.col("to_block"))
    )
    return (
        places.filter(is_alive)
        .join(events, on=["number", "group"])
        .select("number", "address", "topic0", *_deciding(topics))
        .unique()
    )


def _deciding(topics: pl.DataFrame) -> list[str]:
    return [name for name in ("topic1", "topic2", "topic3") if name in topics.columns]


def unheard(
    found: pl.DataFrame, logs: pl.DataFrame, interchangeable: Sequence[bytes] = ()
) -> set[int]:
    """
    Return the numbers of blocks with a hit for which no log is there.

    Args:
        found: of `hits`.
        logs: block_number, address, and the topics of `found`.
        interchangeable: first topics of which any will do for the others. Where GMX v2 logs one
            name in `EventLog1` and another in `EventLog2`, a bloom seems to hold each name in both.
    """
    deciding = _deciding(found)
    told = logs.select("address", "topic0", *deciding, number="block_number")
    one = pl.col("topic0").is_in(interchangeable)
    found, told = (
        rows.with_columns(pl.when(~one).then("topic0").otherwise(b"").alias("topic0"))
        for rows in (found, told)
    )
    there = found.select(pl.col(deciding).is_not_null()).unique()
    silent = [found.clear()]
    for pattern in there.iter_rows(named=True):
        alike = found.filter(pl.col(name).is_not_null() == has for name, has in pattern.items())
        event = ["number", "address", "topic0", *(name for name, has in pattern.items() if has)]
        silent.append(alike.join(told, on=event, how="anti"))
    return set(pl.concat(silent)["number"])


def chances(headers: pl.DataFrame, declared: Declared) -> pl.Series:
    """Return, header by header, how many hits chance alone is expected to give."""
    filled = np.bitwise_count(_matrix(headers)).sum(axis=1) / _BITS
    return pl.Series(sum((pairs * filled**bits for bits, pairs in declared.bits), 0 * filled))


def _known(headers: pl.DataFrame) -> pl.DataFrame:
    return headers.filter(pl.col("logs_bloom").is_not_null())


def _matrix(headers: pl.DataFrame) -> Matrix:
    octets = b"".join(headers["logs_bloom"].to_list())
    return np.frombuffer(octets, np.uint8).reshape(len(headers), BLOOM_BYTES)


def _contain(blooms: Matrix, values: pl.Series) -> NDArray[np.bool_]:
    # Which bloom (row) has which value (column); a null is in none.
    bits = _bits(values.fill_null(b""))
    found: NDArray[np.bool_] = np.ones((len(blooms), len(values)), np.bool_)
    for place in range(3):
        found &= (blooms[:, BLOOM_BYTES - 1 - (bits[:, place] >> 3)] & _mask(bits[:, place])) != 0
    return found


def _are_set(blooms: Matrix, rows: Places, bits: Places) -> NDArray[np.bool_]:
    octets = blooms[rows[:, None], BLOOM_BYTES - 1 - (bits >> 3)]
    found: NDArray[np.bool_] = ((octets & _mask(bits)) != 0).all(axis=1)
    return found


def _mask(bits: Places) -> Matrix:
    mask: Matrix = np.left_shift(1, bits & 7).astype(np.uint8)
    return mask


def _bits(values: pl.Series) -> Places:
    bits = [_three_bits(value) for value in values.to_list()]
    return np.array(bits, np.int64).reshape(len(bits), 3)


@lru_cache(maxsize=1 << 18)
def _three_bits(value: bytes) -> tuple[int, int, int]:
    digest = keccak(value)
    first, second, third = (int.from_bytes(digest[place : place + 2]) for place in (0, 2, 4))
    return first & 2047, second & 2047, third & 2047

"""Intervals and digests: the same blocks say the same, however they were cut."""

from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random

import polars as pl
import pytest
from handmade import write_database
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.rpc import LOGS
from indexer.store import (
    Range,
    added,
    fingerprint,
    gaps,
    joined,
    merged_coverage,
    status,
    subtracted,
)
from indexer.store.intervals import unite
from indexer.tables import columns_of

Interval = tuple[int, int]

INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair)))
)


def logs(blocks: list[int], seed: int = 1) -> pl.DataFrame:
    """Return random logs, the same for the same block and seed."""
    rows = []
    for block in blocks:
        dice = Random(block * 1_000 + seed)
        for log_index in range(dice.randrange(1, 4)):
            topics = [dice.randbytes(32) for _ in range(dice.randrange(5))] + [None] * 4
            hashes = (dice.randbytes(32), dice.randbytes(32), dice.randbytes(20))
            data = dice.randbytes(dice.randrange(70))
            rows.append((block, log_index, log_index, *hashes, *topics[:4], data))
    return pl.DataFrame(rows, schema=LOGS, orient="row")


def coverage(intervals: list[Interval], **columns: str) -> pl.DataFrame:
    """Return rows of `coverage` whose digest counts their blocks."""
    plain = {
        "chain_id": 1,
        "protocol": "p",
        "declaration_digest": "d",
        "finality": "finalized",
        "proof": "fetched",
        "waiver": None,
    }
    rows = [
        plain
        | {
            "from_block": low,
            "to_block": high,
            "logs_digest": f"{high - low + 1:064x}",
            "to_block_hash": f"0x{high:x}",
        }
        | columns
        for low, high in intervals
    ]
    return pl.DataFrame(rows, columns_of("coverage"), orient="row")


@example([(0, 4), (6, 9)], 0, 5)
@example([(0, 5), (7, 9)], 0, 5)
@given(INTERVALS, st.integers(0, 40), st.integers(0, 40))
def test_gaps_and_covered_blocks_are_the_whole(
    covered: list[Interval], low: int, length: int
) -> None:
    """A block of the range is in a gap exactly when no interval covers it."""
    blocks = {block for start, end in covered for block in range(start, end + 1)}

    found = list(gaps(covered, low, low + length))

    missing = [block for start, end in found for block in range(start, end + 1)]
    assert missing == [block for block in range(low, low + length + 1) if block not in blocks]
    assert all(end + 1 < start for (_, end), (start, _) in pairwise(found))
    assert all(start <= end for start, end in found)


@given(st.sets(st.integers(1, 40)))
def test_touching_intervals_become_one(cuts: set[int]) -> None:
    """Wherever a stretch was cut, its rows merge into the same single row."""
    borders = [0, *sorted(cuts), 41]
    parts = [(low, high - 1) for low, high in pairwise(borders)]

    merged = merged_coverage(coverage(parts[::-1]))

    assert merged.equals(coverage([(0, 40)]))


@pytest.mark.parametrize(
    "column", ["protocol", "declaration_digest", "finality", "finality_reason", "proof", "waiver"]
)
def test_intervals_that_differ_stay_apart(column: str) -> None:
    """Another word about the blocks, or a gap between them, keeps rows apart."""
    rows = pl.concat([coverage([(0, 9)]), coverage([(10, 19), (21, 30)], **{column: "z"})])

    merged = merged_coverage(rows)

    assert merged.select("from_block", "to_block").rows() == [(0, 9), (10, 19), (21, 30)]


def test_overlapping_intervals_become_one() -> None:
    """Only those that hold a block of the new one: beside it is not in it."""
    intervals: list[Interval] = []

    for low, high in [(20, 29), (0, 9), (40, 49), (10, 12), (25, 40), (44, 46)]:
        unite(intervals, low, high)

    assert intervals == [(0, 9), (10, 12), (20, 49)]


@given(st.integers(0, 20))
def test_the_digest_of_parts_adds_up(cut: int) -> None:
    """The sum of two parts is the whole, and the whole less one part is the other."""
    blocks = list(range(20))
    whole = fingerprint(logs(blocks))

    low, high = fingerprint(logs(blocks[:cut])), fingerprint(logs(blocks[cut:]))

    assert added(low, high) == whole
    assert subtracted(whole, high) == low


def test_the_digest_sees_every_change() -> None:
    """A log left out, a changed word, an absent topic that becomes empty: another digest."""
    whole = logs(list(range(5)))
    first = whole.with_row_index()["index"] == 0
    empty = pl.lit(b"", pl.Binary)

    odd = [
        whole.with_columns(pl.when(first).then(pl.lit(b"\x01" * 32)).otherwise(name).alias(name))
        for name, kind in LOGS.items()
        if kind == pl.Binary
    ]
    others = [
        *odd,
        whole[1:],
        whole.with_columns(pl.when(first).then(empty).otherwise("data").alias("data")),
        whole.with_columns(pl.col("topic3").fill_null(empty)),
        whole.with_columns(pl.col("log_index") + 1),
    ]

    digests = {fingerprint(frame) for frame in [whole, *others]}
    assert len(digests) == 1 + len(others)


def test_the_digest_is_what_its_definition_says() -> None:
    """Databases keep it: another way to make it would find every stored range changed."""
    frame = logs(list(range(8)))

    def digest(block: pl.DataFrame) -> int:
        said = sha256()
        for name, kind in LOGS.items():
            if kind != pl.Binary:
                said.update(b"".join(number.to_bytes(8, "little") for number in block[name]))
        for name, kind in LOGS.items():
            if kind == pl.Binary:
                values = [
                    (-1 if value is None else len(value), value or b"") for value in block[name]
                ]
                said.update(b"".join(size.to_bytes(8, "little", signed=True) for size, _ in values))
                said.update(b"".join(value for _, value in values))
        return int.from_bytes(said.digest())

    total = sum(digest(block) for block in frame.partition_by("block_number"))
    assert fingerprint(frame) == f"{total % 2**256:064x}"
    assert total >= 2**256


def test_a_slice_has_the_digest_of_its_rows() -> None:
    """Frames that are views into larger ones are hashed by their own rows."""
    whole = logs(list(range(6)))
    half = whole.filter(pl.col("block_number") >= 3)
    start = len(whole) - len(half)

    assert fingerprint(whole[start:]) == fingerprint(logs([3, 4, 5]))


def test_whoever_is_behind_its_chain_has_a_gap(tmp_path: Path) -> None:
    """From where it begins to the last block that anybody of its chain has, and of no other."""
    rows = (
        coverage([(3, 4), (6, 10)]),
        coverage([(1, 20)], protocol="q"),
        coverage([(1, 99)], protocol="r").with_columns(chain_id=pl.lit(2, pl.Int64)),
    )
    path = write_database(tmp_path / "p.duckdb", {"coverage": pl.concat(rows)})

    found = status(path, {(1, "p"): 1})

    assert found.gaps.rows() == [(1, "p", 1, 2), (1, "p", 5, 5), (1, "p", 11, 20)]
    assert found.protocols.select("protocol", "gaps", "missing_blocks").rows() == [
        ("p", 3, 13),
        ("q", 0, 0),
        ("r", 0, 0),
    ]


@pytest.mark.parametrize(
    "odd", [{"from_block": 19}, {"from_block": 21}, {"chain_id": 2}, {"protocols": ("q",)}]
)
def test_ranges_that_do_not_touch_are_not_one(odd: dict[str, object]) -> None:
    """A hole, an overlap, another chain, other protocols: coverage would tell what was not read."""
    low, high = Range(1, 10, 19, ("p",), {}), Range(1, 20, 29, ("p",), {})

    assert joined([low, high]) == Range(1, 10, 29, ("p",), {})
    with pytest.raises(ValueError, match="are not one range"):
        joined([low, replace(high, **odd)])  # type: ignore[arg-type]

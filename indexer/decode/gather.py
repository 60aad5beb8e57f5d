"""
A batch of logs of one layout: values by name, a verdict per row.

Rows are grouped by length (and by what the caller adds), taken in blocks that stay in the cache,
and matched against the shapes seen so far. What matches none is walked alone and may become the
next shape. Shapes that nobody shares stop being tried, and so do new ones after the first few of a
block, so a batch of nothing but odd rows, or of nothing but odd pairs, costs one walk each.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.decode.layout import Kind, Node, is_word, leaf_kind
from indexer.decode.template import Bytes, Mask, Template, matches, places, template
from indexer.decode.walk import Record, Walked, walked

Rows = NDArray[np.int64]

_BLOCK_BYTES = 1 << 21
_BLOCK_ROWS = 8192
_SHAPES = 32  # remembered, and new ones tried in a block
_ONE = np.ones(1, np.bool_)
_ALONE = 3  # shapes in a block that fit no second row before the rest is walked row by row


@dataclass(frozen=True)
class Gathered:
    """
    Values and verdicts of a batch, filled block by block.

    Attributes:
        words: name -> (rows, 32), zero where nothing was found.
        blobs: name -> row -> value of bytes and strings.
        present: name -> whether the row has the value.
        kinds: name -> kind -> rows where the value is of that kind, in pieces.
        accepted: whether the row is canonical.
        reasons: row -> why it is not.
    """

    words: dict[str, Bytes]
    blobs: dict[str, dict[int, bytes]]
    present: dict[str, Mask]
    kinds: dict[str, dict[Kind, list[Rows]]]
    accepted: Mask
    reasons: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """A template and where the wanted values lie in its rows."""

    template: Template
    found: Mapping[str, Record]


def gathered(
    root: Node, wanted: Collection[str], data: pl.Series, groups: pl.DataFrame
) -> Gathered:
    """
    Return the wanted values of every canonical row.

    Args:
        root: the layout of the data.
        wanted: names of leaves or items.
        data: Binary, one row per log.
        groups: what else, beside its length, tells one shape of a row from another; may have no
            columns.
    """
    total = len(data)
    found = Gathered(
        {name: np.zeros((total, 32), np.uint8) for name in wanted},
        {name: {} for name in wanted},
        {name: np.zeros(total, np.bool_) for name in wanted},
        {name: {} for name in wanted},
        np.zeros(total, np.bool_),
    )
    for size, rows in _groups(data, groups):
        if size is None:
            found.reasons.update(dict.fromkeys(rows.tolist(), "data is missing"))
        else:
            _take_group(root, data, size, rows, found)
    return found


def joined(data: pl.Series, size: int) -> Bytes:
    """Return rows of one length as a contiguous (rows, length) array."""
    packed = data.to_arrow()
    _, offsets, values = packed.buffers()
    if values is None or not size:
        return np.zeros((len(data), size), np.uint8)
    start = np.frombuffer(offsets, np.int64)[packed.offset]
    return np.frombuffer(values, np.uint8)[start : start + len(data) * size].reshape(-1, size)


def _groups(data: pl.Series, groups: pl.DataFrame) -> Iterator[tuple[int | None, Rows]]:
    keys = groups.with_columns(data.bin.size().alias("bytes"))
    if all(keys[name].n_unique() == 1 for name in keys.columns):
        yield keys["bytes"][0], np.arange(len(data))
        return
    split = keys.with_row_index("row").group_by(keys.columns, maintain_order=True).agg("row")
    for size, rows in split.select("bytes", "row").iter_rows():
        yield size, np.array(rows, np.int64)


def _take_group(root: Node, data: pl.Series, size: int, rows: Rows, found: Gathered) -> None:
    ordered = data if len(rows) == len(data) else data.gather(rows)
    step = max(1, min(_BLOCK_ROWS, _BLOCK_BYTES // max(size, 1)))
    shapes: list[Shape] = []
    for start in range(0, len(rows), step):
        block = joined(ordered.slice(start, step), size)
        _take_block(root, shapes, block, rows[start : start + step], found)


def _take_block(root: Node, shapes: list[Shape], block: Bytes, rows: Rows, found: Gathered) -> None:
    best, most = 0, 0
    for place, shape in enumerate(shapes):
        hits = matches(shape.template, block)
        _store(shape.found, block, rows, hits, found)
        block, rows = _remaining(block, rows, hits)
        best, most = max((best, most), (place, int(hits.sum())), key=lambda pair: pair[1])
        if not len(rows):
            break
    shapes[:0] = [shapes.pop(best)] if best else []
    _take_unknown(root, shapes, block, rows, found)


def _take_unknown(
    root: Node, shapes: list[Shape], block: Bytes, rows: Rows, found: Gathered
) -> None:
    """Walk the first row; if it is good, let its shape claim others; go on with the rest."""
    alone, tried, left = 0, 0, np.arange(len(rows))
    while len(left):
        first, left = left[0], left[1:]
        row = block[first].tobytes()
        seen = _walked(root, row, int(rows[first]), found)
        if seen is None:
            continue
        where = places(seen, found.words)
        _store(where, block[first : first + 1], rows[first : first + 1], _ONE, found)
        if alone < _ALONE and tried < _SHAPES and len(left):
            shape = Shape(template(seen, row), where)
            others = _selected(block, left)
            hits = matches(shape.template, others)
            _store(where, others, rows[left], hits, found)
            left = left[~hits]
            alone, tried = alone + (not hits.any()), tried + 1
            shapes[:] = [*([shape] if hits.any() else []), *shapes][:_SHAPES]


def _selected(block: Bytes, at: Rows) -> Bytes:
    """The rows of a block at these places, without a copy when they are neighbours."""
    selected: Bytes = block[_places(at)]
    return selected


def _walked(root: Node, data: bytes, row: int, found: Gathered) -> Walked | None:
    try:
        return walked(root, data)
    except ValueError as refusal:
        found.reasons[row] = str(refusal)
        return None


def _remaining(block: Bytes, rows: Rows, hits: Mask) -> tuple[Bytes, Rows]:
    if hits.all():
        return block[:0], rows[:0]
    if not hits.any():
        return block, rows
    return block[~hits], rows[~hits]


def _store(
    where: Mapping[str, Record], block: Bytes, rows: Rows, hits: Mask, found: Gathered
) -> None:
    """Copy the wanted values of matching rows, from their places to their rows."""
    if not hits.any():
        return
    if not hits.all():
        block, rows = block[hits], rows[hits]
    here = _places(rows)
    found.accepted[here] = True
    for name, (node, at, length) in where.items():
        found.present[name][here] = True
        found.kinds[name].setdefault(leaf_kind(node), []).append(rows)
        if is_word(node):
            found.words[name][here] = block[:, at : at + 32]
        else:
            values = (row.tobytes() for row in block[:, at : at + length])
            found.blobs[name].update(zip(rows.tolist(), values, strict=True))


def _places(rows: Rows) -> Rows | slice:
    """Ascending row numbers, as a slice where they are neighbours."""
    if rows[-1] - rows[0] + 1 == len(rows):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows

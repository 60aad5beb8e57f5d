"""
One walked row speaks for all rows of its shape.

In a canonical encoding every byte is either part of a value or follows from the shape: offsets,
lengths, keys, padding. A template is an accepted row together with which is which. Another row of
the same length whose other bytes are all equal has the same shape, so its values lie at the same
places and its padding is clean. What remains to be checked are values whose own bytes are not
free: flags, short signed integers and text.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.decode.layout import Node
from indexer.decode.walk import Record, Walked

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Template:
    """
    A shape.

    Attributes:
        image: the accepted row, as 32-bit units.
        fixed: which units must be equal, as a mask of `image`.
        fixed_at: the same as places.
        bytes_at: places of single bytes that must be equal, beside those units.
        bytes_are: what they must be.
        flags: places of the last byte of each bool.
        signed: (place, sign bytes) of each short signed integer.
        texts: (place, length) of each string that is not a key.
    """

    image: NDArray[np.uint32]
    fixed: Mask
    fixed_at: NDArray[np.int64]
    bytes_at: NDArray[np.int64]
    bytes_are: Bytes
    flags: NDArray[np.int64]
    signed: tuple[tuple[int, int], ...]
    texts: tuple[tuple[int, int], ...]


def template(seen: Walked, row: bytes) -> Template:
    """Return the shape of an accepted row."""
    image = np.frombuffer(row, np.uint8)
    fixed = np.ones(len(row), np.bool_)
    for node, at, length in seen.records:
        start, stop = _free(node, at, length)
        fixed[start:stop] = False
    units: Mask = np.logical_and.reduce(fixed.reshape(-1, 4), axis=1)
    rest = np.flatnonzero(fixed & ~np.repeat(units, 4))
    nodes = seen.records
    return Template(
        image.view(np.uint32),
        units,
        np.flatnonzero(units),
        rest,
        image[rest],
        np.array([at + 31 for node, at, _ in nodes if node.kind == "bool"], np.int64),
        tuple((at, node.left) for node, at, _ in nodes if node.kind == "int" and node.left),
        tuple((at, length) for node, at, length in nodes if node.kind == "string" and length),
    )


def matches(shape: Template, block: Bytes) -> Mask:
    """Return which rows of a contiguous (rows, length) block have this shape and clean values."""
    good = _equal(shape, block.view(np.uint32))
    if len(shape.bytes_at):
        good &= (block[:, shape.bytes_at] == shape.bytes_are).all(axis=1)
    if len(shape.flags):
        good &= (block[:, shape.flags] <= 1).all(axis=1)
    for at, left in shape.signed:
        good &= _sign_extended(block[:, at : at + left + 1])
    for at, length in shape.texts:
        good &= _is_text(block[:, at : at + length])
    return good


def places(seen: Walked, wanted: Collection[str]) -> Mapping[str, Record]:
    """Return where the wanted values of an accepted row lie; absent items are left out."""
    named = {record[0].name: record for record in seen.records} | seen.items
    return {name: named[name] for name in wanted if name in named}


def _equal(shape: Template, units: NDArray[np.uint32]) -> Mask:
    """Compare whole rows where most of them is fixed, else only what is."""
    if not len(shape.fixed_at):
        return np.ones(len(units), np.bool_)
    if 4 * len(shape.fixed_at) < len(shape.image):
        differs = units[:, shape.fixed_at] != shape.image[shape.fixed_at]
    else:
        differs = np.not_equal(units, shape.image)
        np.logical_and(differs, shape.fixed, out=differs)
    good: Mask = ~np.logical_or.reduce(differs, axis=1)
    return good


def _free(node: Node, at: int, length: int) -> tuple[int, int]:
    """The bytes of a leaf that do not follow from the shape."""
    if node.kind == "key":
        return at, at
    if node.kind == "int":
        return at, at + length
    return at + node.left, at + length - node.right


def _sign_extended(word: Bytes) -> Mask:
    """Whether all bytes but the last, the value's first, repeat its sign bit."""
    sign = np.where(word[:, -1:] >= 128, np.uint8(255), np.uint8(0))
    extended: Mask = np.logical_and.reduce(word[:, :-1] == sign, axis=1)
    return extended


def _is_text(text: Bytes) -> Mask:
    good: Mask = np.logical_and.reduce(text < 128, axis=1)
    for row in np.flatnonzero(~good):
        good[row] = _decodes(text[row].tobytes())
    return good


def _decodes(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True

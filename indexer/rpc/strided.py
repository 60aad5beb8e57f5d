"""
Logs read by position, because a node writes all logs of an answer alike.

Objects of equal length whose bytes outside the values are those of one parsed object have its
shape, so their values lie at the same places. What is not plainly so is left to another parser:
nothing is repaired here and nothing raises.
"""

import re
from binascii import Error as HexError
from binascii import unhexlify
from dataclasses import dataclass, field

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from indexer.arrow import series_of

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]
Spans = dict[str, tuple[int, int]]

NUMBERS = {"blockNumber": 15, "transactionIndex": 7, "logIndex": 7}  # digits that always fit
TOPICS = tuple(f"topic{place}" for place in range(4))
WIDTHS = {"blockHash": 64, "transactionHash": 64, "address": 40, **dict.fromkeys(TOPICS, 64)}
OCTETS = (*WIDTHS, "data")

_HEX = rb'"0x[0-9a-fA-F]*"'
_LIST = rb"\[ (?:%b(?: , %b)*)? \]" % (_HEX, _HEX)
_MEMBER = rb'"\w+" : (?:false|%b|%b)' % (_HEX, _LIST)
_SPACE = rb"[ \t\r\n]*"
_OBJECT = re.compile((rb" \{ %b(?: , %b)* \}" % (_MEMBER, _MEMBER)).replace(b" ", _SPACE))
_MEMBERS = re.compile(rb'"(\w+)" : (false|"0x\w*"|\[[^]]*\])'.replace(b" ", _SPACE))
_DIGITS = re.compile(rb'"0x(\w*)"')
_MAX_SHAPES, _MIN_LOGS, _BLOCK_BYTES = 64, 16, 1 << 20
_INLINE = 12  # bytes; a view holds a value up to this length itself
_VIEW = np.dtype([("size", "<i4"), ("start", "V4"), ("buffer", "<i4"), ("offset", "<i4")])
_NIBBLES = np.full(256, 255, np.uint8)
_NIBBLES[np.frombuffer(b"0123456789abcdefABCDEF", np.uint8)] = [*range(16), *range(10, 16)]


@dataclass(frozen=True)
class Shape:
    """
    Where the hex digits of a log's values lie in its JSON object, as (from, to).

    Attributes:
        image: the parsed object.
        octets: of hashes, address, topics (as topic0 and so on) and data.
        numbers: of quantities, among them members that are not asked for.
        fixed: the bytes between the values, as words of one, two, four or eight that may overlap.
    """

    image: bytes
    octets: Spans
    numbers: Spans
    fixed: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Columns:
    """
    The values read so far, by member, `height` rows each.

    Attributes:
        height: how many logs there are.
        numbers: quantities.
        views: Arrow's views into `buffers`, zero where there is no value.
        known: whether a log has the value.
        buffers: decoded bytes, one buffer for each block of logs.
    """

    height: int
    numbers: dict[str, Places]
    views: dict[str, NDArray[np.void]]
    known: dict[str, NDArray[np.bool_]]
    buffers: list[bytes] = field(default_factory=list)

    @classmethod
    def blank(cls, height: int) -> "Columns":
        """Return room for `height` rows."""
        return cls(
            height,
            {name: np.zeros(height, np.int64) for name in NUMBERS},
            {name: np.zeros(height, _VIEW) for name in OCTETS},
            {name: np.zeros(height, np.bool_) for name in OCTETS},
        )

    def series(self, name: str) -> pl.Series:
        """Return a member's column."""
        if name in self.numbers:
            return pl.Series(name, self.numbers[name])
        validity = pa.py_buffer(np.packbits(self.known[name], bitorder="little"))
        buffers = [validity, pa.py_buffer(self.views[name]), *map(pa.py_buffer, self.buffers)]
        return series_of(pa.Array.from_buffers(pa.binary_view(), self.height, buffers), name)


def columns_of(answer: bytes | memoryview) -> Columns | None:
    """Return the logs in a JSON list in its order; None where they are not plainly alike."""
    if answer[:1] != b"[":
        return None
    text = np.frombuffer(answer, np.uint8)
    ends = _ends(text)
    if len(ends) < _MIN_LOGS or answer[ends[-1] :] != b"]" or (text[ends[:-1]] != ord(",")).any():
        return None
    starts = np.concatenate([[0], ends[:-1]]) + 1
    columns, sizes, shapes = Columns.blank(len(ends)), ends - starts, 0
    rest = np.arange(len(ends))
    while len(rest):
        shape, shapes = shape_of(bytes(answer[starts[rest[0]] : ends[rest[0]]])), shapes + 1
        if shape is None or shapes > _MAX_SHAPES:
            return None
        is_long = sizes[rest] == len(shape.image)
        others = _unlike(text, starts, rest[is_long], shape, columns)
        if others is None:
            return None
        rest = np.concatenate([others, rest[~is_long]])
    return columns


def _ends(text: Bytes) -> Places:
    """Return the places behind every closing brace, looked for in pieces that fit the cache."""
    pieces = range(0, len(text), _BLOCK_BYTES)
    found = [np.flatnonzero(text[at : at + _BLOCK_BYTES] == ord("}")) + at + 1 for at in pieces]
    return np.concatenate(found)


def shape_of(image: bytes) -> Shape | None:
    """Return the shape of a JSON object; None unless it is a log in the plainest form."""
    if not _OBJECT.fullmatch(image):
        return None
    found = [(member[1].decode(), member) for member in _MEMBERS.finditer(image)]
    spans: Spans = {}
    for name, member in found:
        if name in TOPICS or (member[2] == b"false") != (name == "removed"):
            return None
        if (member[2][:1] == b"[") != (name == "topics"):
            return None
        digits = [value.span(1) for value in _DIGITS.finditer(image, *member.span(2))]
        names = [f"topic{place}" for place in range(len(digits))] if name == "topics" else [name]
        spans |= dict(zip(names, digits, strict=False))
    names = [name for name, _ in found]
    if len({*names}) < len(names) or not {*NUMBERS, "topics"} <= {*names} or not _fits(spans):
        return None
    edges = [0, *(edge for span in spans.values() for edge in span), len(image)]
    octets = {name: spans.pop(name) for name in OCTETS if name in spans}
    fixed = [word for edge in zip(edges[::2], edges[1::2], strict=True) for word in _words(*edge)]
    return Shape(image, octets, spans, tuple(fixed))


def _words(start: int, stop: int) -> list[tuple[int, int]]:
    # Numbers are compared five times as fast as texts are.
    size = min(8, 1 << (stop - start).bit_length() - 1)
    return [(at, at + size) for at in (*range(start, stop - size, size), stop - size)]


def _fits(spans: Spans) -> bool:
    widths = {name: stop - start for name, (start, stop) in spans.items()}
    needed = {*OCTETS} - {*TOPICS}
    return (
        needed <= widths.keys()
        and "topic4" not in widths
        and widths["data"] % 2 == 0
        and all(widths.get(name, width) == width for name, width in WIDTHS.items())
        and all(0 < widths[name] <= most for name, most in NUMBERS.items())
    )


def _unlike(
    text: Bytes, starts: Places, rows: Places, shape: Shape, columns: Columns
) -> Places | None:
    """Read the rows that have the shape and return the others; None where a value is no hex."""
    size = len(shape.image)
    windows = sliding_window_view(text, size)
    step = max(1, _BLOCK_BYTES // size)
    others = []
    for at in range(0, len(rows), step):
        block = rows[at : at + step]
        objects = windows[starts[block]]
        good = _matches(objects, shape)
        if not good.all():
            others.append(block[~good])
            block, objects = block[good], objects[good]
        if not len(block):
            continue
        if not _numbers_read(objects, block, shape, columns):
            return None
        if not _octets_read(objects, block, shape, columns):
            return None
    return np.concatenate(others) if others else rows[:0]


def _matches(objects: Bytes, shape: Shape) -> NDArray[np.bool_]:
    good = np.ones(len(objects), np.bool_)
    for start, stop in shape.fixed:
        image = np.frombuffer(shape.image, f"u{stop - start}", 1, start)
        good &= _items(objects, start, stop, "u") == image
    return good


def _items(objects: Bytes, start: int, stop: int, kind: str) -> NDArray[np.void]:
    """View the bytes from `start` to `stop` of each row as one item."""
    width = np.dtype(f"{kind}{stop - start}")
    return np.ndarray(len(objects), width, objects, start, (objects.shape[1],))


def _numbers_read(objects: Bytes, rows: Places, shape: Shape, columns: Columns) -> bool:
    for name, (start, stop) in shape.numbers.items():
        digits = _NIBBLES[objects[:, start:stop]]
        if (digits > 15).any():
            return False
        if name in NUMBERS:
            powers = 16 ** np.arange(stop - start, dtype=np.int64)[::-1]
            columns.numbers[name][rows] = digits @ powers
    return True


def _octets_read(objects: Bytes, rows: Places, shape: Shape, columns: Columns) -> bool:
    widths = {name: stop - start for name, (start, stop) in shape.octets.items()}
    digits = np.empty((len(rows), sum(widths.values())), np.uint8)
    at = 0
    for name, (start, stop) in shape.octets.items():
        if widths[name]:
            to = at + widths[name]
            _items(digits, at, to, "V")[:] = _items(objects, start, stop, "V")
            at = to
    try:
        columns.buffers.append(unhexlify(digits.data))
    except HexError:
        return False
    decoded = np.frombuffer(columns.buffers[-1], np.uint8).reshape(len(rows), -1)
    at = 0
    for name, width in widths.items():
        columns.views[name][rows] = _views(decoded, at, width // 2, len(columns.buffers) - 1)
        columns.known[name][rows] = True
        at += width // 2
    return True


def _views(decoded: Bytes, at: int, size: int, buffer: int) -> NDArray[np.void]:
    views = np.zeros(len(decoded), _VIEW)
    views["size"] = size
    if size <= _INLINE:
        views.view(np.uint8).reshape(-1, 16)[:, 4 : 4 + size] = decoded[:, at : at + size]
        return views
    views["start"] = _items(decoded, at, at + 4, "V")
    views["buffer"] = buffer
    views["offset"] = np.arange(len(decoded)) * decoded.shape[1] + at
    return views

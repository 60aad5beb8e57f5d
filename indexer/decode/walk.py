"""
One log, word by word: the definition of what is accepted.

A row is accepted when its data is the canonical encoding of the event's types: every offset
points where the previous tail ended, nothing lies between, behind or twice, and no padding is
dirty. That is what `abi.encode` of Solidity writes, and decoding then has one answer. Each step
checks what is left before it reads, so a row costs no more than its own length.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from indexer.decode.layout import Node, is_word

_SHOWN = 80  # of a key that may be as long as its log

Record = tuple[Node, int, int]
"""A leaf, where its value begins in the data, and its bytes (32 for a word)."""


@dataclass(frozen=True)
class Walked:
    """
    What a walk saw.

    Attributes:
        records: every leaf, in the order of the types.
        items: the record of each item of a keyed event.
    """

    records: list[Record] = field(default_factory=list)
    items: dict[str, Record] = field(default_factory=dict)


def walked(root: Node, row: bytes) -> Walked:
    """
    Return where every value of one log lies.

    Raises:
        ValueError: the data is not the canonical encoding; the message is the reason.
    """
    seen = Walked()
    if not root.dynamic and len(row) != root.head:
        raise ValueError(f"data is {len(row)} bytes, expected {root.head}")
    end = _fields(root, row, 0, seen)
    if end != len(row):
        raise ValueError(f"data is {len(row)} bytes, expected {end}")
    return seen


def check_word(node: Node, row: bytes, at: int) -> None:
    """
    Accept the word of a leaf at a place.

    Raises:
        ValueError: the word is outside the type.
    """
    if node.kind == "int":
        value = int.from_bytes(row[at : at + 32], signed=True)
        bits = 256 - 8 * node.left
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError(f"`{node.name}` is {_shown(value)}, outside int{bits}")
        return
    padded = any(row[at : at + node.left]) or any(row[at + 32 - node.right : at + 32])
    if padded or (node.kind == "bool" and row[at + 31] > 1):
        raise ValueError(_dirty(node, row, at))


def _fields(node: Node, row: bytes, base: int, seen: Walked) -> int:
    """Walk the children of a tuple that begins at `base`; return where its tails end."""
    _demand(node, row, base, node.head)
    return _elements(iter(node.children), row, base, base + node.head, seen)


def _elements(nodes: Iterator[Node], row: bytes, base: int, tail: int, seen: Walked) -> int:
    """Walk values whose heads begin at `base` and whose first tail begins at `tail`."""
    at = base
    for node in nodes:
        if node.dynamic:
            offset = int.from_bytes(row[at : at + 32])
            if offset != tail - base:
                raise ValueError(
                    f"offset of `{node.name}` is {_shown(offset)}, expected {tail - base}"
                )
            tail = _tail(node, row, tail, seen)
        elif node.kind == "tuple":
            _fields(node, row, at, seen)
        else:
            check_word(node, row, at)
            seen.records.append((node, at, 32))
        at += node.size
    return tail


def _tail(node: Node, row: bytes, at: int, seen: Walked) -> int:
    """Walk a dynamic value that begins at `at`; return where it ends."""
    if node.kind == "tuple":
        return _fields(node, row, at, seen)
    if node.kind == "item":
        return _item(node, row, at, seen)
    _demand(node, row, at, 32)
    length = int.from_bytes(row[at : at + 32])
    if node.kind == "array":
        return _array(node, row, at + 32, length, seen)
    return _blob(node, row, at + 32, length, seen)


def _array(node: Node, row: bytes, at: int, length: int, seen: Walked) -> int:
    element = node.children[0]
    if length * element.size > len(row) - at:
        raise ValueError(f"length of `{node.name}` is {_shown(length)}, more than the data holds")
    elements = (element for _ in range(length))
    return _elements(elements, row, at, at + length * element.size, seen)


def _blob(node: Node, row: bytes, at: int, length: int, seen: Walked) -> int:
    end = at + (length + 31) // 32 * 32
    if end > len(row):
        raise ValueError(f"length of `{node.name}` is {_shown(length)}, more than the data holds")
    if any(row[at + length : end]):
        raise ValueError(f"padding of `{node.name}` is not zero")
    if node.kind != "bytes":
        _check_text(node, row[at : at + length])
    seen.records.append((node, at, length))
    return end


def _item(node: Node, row: bytes, at: int, seen: Walked) -> int:
    """Items whose value is one leaf can be asked for by name; array items are walked over."""
    first = len(seen.records)
    end = _fields(node, row, at, seen)
    value = node.children[1]
    if is_word(value) or value.kind in ("bytes", "string"):
        _, start, length = seen.records[first]
        key = row[start : start + length].decode()
        if key in seen.items:
            raise ValueError(f"key `{key[:_SHOWN]}` stands there twice")
        seen.items[key] = seen.records[first + 1]
    return end


def _demand(node: Node, row: bytes, at: int, size: int) -> None:
    if at + size > len(row):
        place = f" inside `{node.name}`" if node.name else ""
        raise ValueError(f"data is {len(row)} bytes and ends{place}, expected {at + size} or more")


def _check_text(node: Node, text: bytes) -> None:
    try:
        text.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"`{node.name}` is not UTF-8 at byte {error.start}") from error


def _dirty(node: Node, row: bytes, at: int) -> str:
    value = int.from_bytes(row[at : at + 32])
    if node.kind == "bool":
        return f"`{node.name}` is {_shown(value)}, expected 0 or 1"
    if node.kind == "uint":
        return f"`{node.name}` is {_shown(value)}, outside uint{256 - 8 * node.left}"
    return f"padding of `{node.name}` is not zero"


def _shown(value: int) -> str:
    """Spell a number shortly: 96, 2^255, about 2^200."""
    if abs(value) < 1 << 64:
        return str(value)
    power = abs(value).bit_length() - 1
    exact = abs(value) == 1 << power
    return f"{'' if exact else 'about '}{'-' if value < 0 else ''}2^{power}"

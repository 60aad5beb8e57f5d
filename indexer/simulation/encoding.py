"""
What contracts write into logs: plain events, and the keyed items of GMX v2's EventEmitter.

Solidity's ABI encoding, for the shapes the simulated protocols need and no more. eth_abi encodes
the same bytes in a hundred times the time; tests hold both equal.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from eth_hash.auto import keccak

from indexer.simulation.transactions import Log

_WORD = 32
_KINDS = 7  # address, uint256, int256, bool, bytes32, bytes, string
_BYTES, _STRING = 5, 6

Array = tuple[bytes, ...]
Value = int | bool | bytes | str | Array
Items = Mapping[str, Value]


class Signed(int):
    """An integer that the contract declares as int256; a plain one is uint256."""


class Blob(bytes):
    """Bytes of any length; plain bytes are an address (20) or a bytes32."""


def word(value: int | bytes) -> bytes:
    """Return an integer, flag or address as 32 bytes; integers below zero in two's complement."""
    if isinstance(value, bytes):
        return value.rjust(_WORD, b"\0")
    return (value % (1 << 256)).to_bytes(_WORD)


def words(values: Iterable[int | bytes]) -> bytes:
    """Return the values as words, one after another."""
    return b"".join(word(value) for value in values)


@lru_cache(maxsize=256)
def topic(signature: str) -> bytes:
    """Return the 32-byte hash of an event's signature or name."""
    return bytes(keccak(signature.encode("ascii")))


def plain(
    emitter: bytes, signature: str, data: Iterable[int | bytes], indexed: Sequence[int | bytes] = ()
) -> Log:
    """
    Return an ordinary event whose arguments are all static.

    Args:
        emitter: 20 bytes.
        signature: name and types, as they are hashed.
        data: arguments that are not indexed, in order.
        indexed: indexed arguments, in order.
    """
    return Log(emitter, (topic(signature), *map(word, indexed)), words(data))


def tail(value: bytes) -> bytes:
    """Return bytes as their length and content, padded to whole words."""
    return word(len(value)) + value + b"\0" * (-len(value) % _WORD)


# --- EventEmitter ---------------------------------------------------------------------------------

_DATA = ",".join(
    f"((string,{kind})[],(string,{kind}[])[])"
    for kind in ("address", "uint256", "int256", "bool", "bytes32", "bytes", "string")
)
ENVELOPES = tuple(
    f"EventLog{number or ''}(address,string,string{',bytes32' * number},({_DATA}))"
    for number in (0, 1, 2)
)


def keyed(
    emitter: bytes, sender: bytes, name: str, items: Items, indexed: Sequence[bytes] = ()
) -> Log:
    """
    Return an event of GMX v2's EventEmitter.

    Args:
        emitter: the EventEmitter, 20 bytes.
        sender: the contract that called it.
        name: the event.
        items: key -> value; the group follows from the value's type: bytes of 20 an address, of 32
            a bytes32, Blob bytes, str a string, bool, Signed an int256, int a uint256, and a tuple
            of addresses an array item.
        indexed: up to two further topics; addresses are padded.
    """
    topics = (topic(ENVELOPES[len(indexed)]), topic(name), *map(word, indexed))
    chunks = _layout(name, tuple((key, _shape(value)) for key, value in items.items()))
    grouped = sorted(items.values(), key=_kind)
    slots = iter(
        [
            word(value)
            for value in grouped
            if isinstance(value, int | bytes) and not isinstance(value, Blob)
        ]
    )
    data = b"".join(next(slots) if chunk is None else chunk for chunk in chunks)
    return Log(emitter, topics, word(sender) + data)


Shape = int | tuple[int, bytes] | Array  # a static kind; a dynamic kind with its value; an array


def _kind(value: Value) -> int:
    if isinstance(value, str):
        return _STRING
    if isinstance(value, Blob):
        return _BYTES
    if isinstance(value, bytes):
        return 0 if len(value) == 20 else 4
    if isinstance(value, tuple):
        return 0
    return 3 if isinstance(value, bool) else 1 + isinstance(value, Signed)


def _shape(value: Value) -> Shape:
    if isinstance(value, tuple):
        return value
    kind = _kind(value)
    if isinstance(value, str):
        return kind, value.encode("utf-8")
    return (kind, bytes(value)) if isinstance(value, Blob) else kind


Chunk = bytes | None  # None is the word of the next static value


@lru_cache(maxsize=4096)
def _layout(name: str, shapes: tuple[tuple[str, Shape], ...]) -> tuple[Chunk, ...]:
    """Return everything after `msgSender`; events of one shape differ only in the slots."""
    title = tail(name.encode("ascii"))
    groups = [_group(shapes, kind) for kind in range(_KINDS)]
    head = [word(3 * _WORD), word(3 * _WORD + len(title)), title, *_heads(groups)]
    return _joined([*head, *(chunk for group in groups for chunk in group)])


def _group(shapes: Sequence[tuple[str, Shape]], kind: int) -> list[Chunk]:
    plain_items = [_item(key, shape) for key, shape in shapes if _is_plain(shape, kind)]
    arrays = [
        _item(key, (kind, word(len(shape)) + words(shape)), is_padded=True)
        for key, shape in shapes
        if kind == 0 and isinstance(shape, tuple) and (not shape or isinstance(shape[0], bytes))
    ]
    parts = [_list(plain_items), _list(arrays)]
    return [*_heads(parts), *parts[0], *parts[1]]


def _is_plain(shape: Shape, kind: int) -> bool:
    return shape == kind or (isinstance(shape, tuple) and shape[:1] == (kind,))


def _item(key: str, shape: Shape, *, is_padded: bool = False) -> list[Chunk]:
    name = tail(key.encode("ascii"))
    if isinstance(shape, int):
        return [word(2 * _WORD), None, name]
    value = shape[1] if is_padded else tail(shape[1])
    return [word(2 * _WORD), word(2 * _WORD + len(name)), name, value]


def _list(items: Sequence[Sequence[Chunk]]) -> list[Chunk]:
    return [word(len(items)), *_heads(items), *(chunk for item in items for chunk in item)]


def _heads(parts: Sequence[Sequence[Chunk]]) -> list[bytes]:
    offsets = []
    place = len(parts) * _WORD
    for part in parts:
        offsets.append(word(place))
        place += sum(_WORD if chunk is None else len(chunk) for chunk in part)
    return offsets


def _joined(chunks: Sequence[Chunk]) -> tuple[Chunk, ...]:
    """Return the chunks with neighbours merged: a row is then joined from few pieces."""
    joined: list[Chunk] = []
    for chunk in chunks:
        if chunk is not None and joined and joined[-1] is not None:
            joined[-1] += chunk
        else:
            joined.append(chunk)
    return tuple(joined)

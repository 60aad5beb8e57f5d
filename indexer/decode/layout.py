"""
ABI types as a tree that says where words lie.

    word leaves     uint int address bool fixed_bytes      32 bytes in the head
    blobs           bytes string key                       an offset in the head, a tail
    branches        tuple (fixed arrays too), array, item  `item` is a (key, value) pair

Names inside tuples and fixed arrays are dotted ("t.leverage", "assets.0"); elements of a dynamic
array have no name of their own and read `assets[]`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.decode.abi import EventAbi, Parameter, canonical

WordKind = Literal["uint", "int", "address", "bool", "fixed_bytes"]
Kind = Literal[WordKind, "bytes", "string"]
NodeKind = Literal[Kind, "key", "tuple", "array", "item"]

_KINDS: Mapping[str, Kind] = {
    "uint": "uint",
    "int": "int",
    "address": "address",
    "bool": "bool",
    "fixed_bytes": "fixed_bytes",
    "bytes": "bytes",
    "string": "string",
}
_WORD = re.compile(r"(uint|int|bytes)(\d+)|address|bool")
_ARRAY = re.compile(r"(.*)\[(\d*)\]")


@dataclass(frozen=True)
class Node:
    """
    One type at one place of an event.

    Attributes:
        kind: what it is.
        name: dotted name, for declarations and for reasons.
        left: zero bytes before the value of a word; sign bytes for `int`.
        right: zero bytes after the value of a word.
        children: fields of a tuple or item; the one element of an array.
        size: bytes in the head: 32, or all of a static tuple.
        head: bytes of the children's heads.
        dynamic: the head holds an offset and the value lies in the tail.
    """

    kind: NodeKind
    name: str
    left: int = 0
    right: int = 0
    children: "tuple[Node, ...]" = ()
    size: int = 32
    head: int = 0
    dynamic: bool = False


def body(event: EventAbi) -> Node:
    """
    Return the layout of a log's data: the arguments that are not indexed.

    Raises:
        ValueError: a type that Solidity events cannot carry.
    """
    return branch("tuple", "", _nodes(event.inputs, "", indexed=False))


def topics(event: EventAbi) -> tuple[Node, ...]:
    """
    Return one word per indexed argument, in topic order; dynamic ones and tuples are a hash.

    Raises:
        ValueError: a type that Solidity events cannot carry.
    """
    nodes = _nodes(event.inputs, "", indexed=True)
    return tuple(node if is_word(node) else Node("fixed_bytes", name=node.name) for node in nodes)


def branch(kind: Literal["tuple", "item"], name: str, children: tuple[Node, ...]) -> Node:
    """Return a tuple of these children; it is dynamic when one of them is."""
    head = sum(child.size for child in children)
    dynamic = any(child.dynamic for child in children)
    return Node(kind, name, 0, 0, children, 32 if dynamic else head, head, dynamic)


def array(name: str, element: Node) -> Node:
    """Return a dynamic array of this element."""
    return Node("array", name, children=(element,), dynamic=True)


def node_of(parameter: Parameter, name: str) -> Node:
    """
    Return the layout of one parameter under a name.

    Raises:
        ValueError: a type that Solidity events cannot carry.
    """
    outer = _ARRAY.fullmatch(parameter.type)
    if outer and outer[2]:
        inner = Parameter("", outer[1], indexed=False, components=parameter.components)
        children = tuple(node_of(inner, f"{name}.{index}") for index in range(int(outer[2])))
        return branch("tuple", name, _filled(children, name))
    if outer:
        inner = Parameter("", outer[1], indexed=False, components=parameter.components)
        return array(name, node_of(inner, f"{name}[]"))
    if parameter.type == "tuple":
        children = _nodes(parameter.components, f"{name}.", indexed=False)
        return branch("tuple", name, _filled(children, name))
    if parameter.type in ("bytes", "string"):
        return Node("bytes" if parameter.type == "bytes" else "string", name, dynamic=True)
    return _word(canonical(parameter), name)


def is_word(node: Node) -> bool:
    """Return whether the value is one word."""
    return node.kind in ("uint", "int", "address", "bool", "fixed_bytes")


def leaf_kind(node: Node) -> Kind:
    """Return what a column of this leaf is."""
    return _KINDS[node.kind]


def leaves(node: Node) -> Iterable[Node]:
    """Yield the named leaves below a node: what a column can be made of."""
    if node.kind == "tuple":
        for child in node.children:
            yield from leaves(child)
    elif node.kind != "array":
        yield node


def _nodes(parameters: Iterable[Parameter], prefix: str, *, indexed: bool) -> tuple[Node, ...]:
    """Nameless parameters are called by their position, like elements of a fixed array."""
    return tuple(
        node_of(parameter, f"{prefix}{parameter.name or position}")
        for position, parameter in enumerate(parameters)
        if parameter.indexed == indexed
    )


def _filled(children: tuple[Node, ...], name: str) -> tuple[Node, ...]:
    """Empty tuples would let an array claim any length in no bytes; Solidity has none either."""
    if not children:
        raise ValueError(f"`{name}` has no fields; such a type cannot be read")
    return children


def _word(solidity_type: str, name: str) -> Node:
    match = _WORD.fullmatch(solidity_type)
    if match is None:
        raise ValueError(f"`{name}` is of type {solidity_type}, which cannot be read")
    if match[1] is None:
        return Node("address" if solidity_type == "address" else "bool", name, _left(solidity_type))
    width = int(match[2])
    if match[1] == "bytes" and 1 <= width <= 32:
        return Node("fixed_bytes", name, right=32 - width)
    if match[1] != "bytes" and width % 8 == 0 and 8 <= width <= 256:
        return Node("uint" if match[1] == "uint" else "int", name, left=32 - width // 8)
    raise ValueError(f"`{name}` is of type {solidity_type}, which cannot be read")


def _left(solidity_type: str) -> int:
    return 12 if solidity_type == "address" else 31

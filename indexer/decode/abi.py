"""Event entries of a JSON ABI as values that can be compared, hashed and named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from eth_hash.auto import keccak


@dataclass(frozen=True)
class Parameter:
    """
    One argument of an event, or one field of a tuple.

    Attributes:
        name: as the ABI says it; may be empty.
        type: as the ABI says it: "uint256", "tuple[2][]".
        indexed: it lives in a topic; false inside tuples.
        components: fields of a tuple, of tuples of an array.
    """

    name: str
    type: str
    indexed: bool
    components: "tuple[Parameter, ...]"


@dataclass(frozen=True)
class EventAbi:
    """
    One event of an ABI.

    Attributes:
        name: without its types.
        inputs: arguments in the order of the declaration.
        anonymous: topic0 is an argument, not the hash of the signature.
        twins: the same event with other arguments indexed, as another release of the emitter had
            it; how many topics a log has tells them apart.
    """

    name: str
    inputs: tuple[Parameter, ...]
    anonymous: bool
    twins: "tuple[EventAbi, ...]" = ()

    @property
    def signature(self) -> str:
        """The canonical signature: "Transfer(address,address,uint256)"."""
        return f"{self.name}({','.join(canonical(parameter) for parameter in self.inputs)})"

    @cached_property
    def topic0(self) -> bytes:
        """The Keccak-256 hash of the signature, 32 bytes."""
        return keccak(self.signature.encode())

    @property
    def indexed_count(self) -> int:
        """How many arguments live in topics."""
        return sum(parameter.indexed for parameter in self.inputs)


def canonical(parameter: Parameter) -> str:
    """Return the type as a signature spells it: tuples in parentheses, `uint` as `uint256`."""
    stem, bracket, rest = parameter.type.partition("[")
    if stem == "tuple":
        stem = f"({','.join(canonical(component) for component in parameter.components)})"
    full = {"uint": "uint256", "int": "int256", "function": "bytes24"}.get(stem, stem)
    return f"{full}{bracket}{rest}"


def event_abis(entries: Sequence[Mapping[str, Any]]) -> dict[str, EventAbi]:
    """
    Return the events of a JSON ABI by name and by signature.

    An overloaded name is no key: its events are found by signature ("Name(type,type)"), and
    `event_named` says so. A signature that stands there twice, with other arguments indexed, is
    one event with a twin.

    Raises:
        ValueError: one signature stands there twice with as many, but other arguments indexed.
    """
    events: dict[str, EventAbi] = {}
    for entry in entries:
        if entry.get("type", "event") == "event":
            event = EventAbi(
                str(entry["name"]), _parameters(entry["inputs"]), bool(entry.get("anonymous"))
            )
            events[event.signature] = _with_twin(events.get(event.signature), event)
    names = [event.name for event in events.values()]
    return events | {event.name: event for event in events.values() if names.count(event.name) == 1}


def _with_twin(known: EventAbi | None, event: EventAbi) -> EventAbi:
    if known is None:
        return event
    shapes = (replace(known, twins=()), *known.twins)
    if event in shapes:
        return known
    if event.indexed_count in {shape.indexed_count for shape in shapes}:
        raise ValueError(
            f"{event.signature} stands twice in one ABI with as many, but other arguments indexed: "
            "no log tells which it is; give each its own file"
        )
    return replace(known, twins=(*known.twins, event))


def event_named(events: Mapping[str, EventAbi], name: str) -> EventAbi:
    """
    Return the event with this name or signature.

    Raises:
        ValueError: there is none, or the bare name is overloaded.
    """
    if name in events:
        return events[name]
    overloads = sorted(event.signature for event in events.values() if event.name == name)
    if overloads:
        raise ValueError(f"`{name}` is overloaded; write one of {', '.join(overloads)}")
    raise ValueError(f"no event `{name}` in this ABI; it has {', '.join(sorted(events))}")


def _parameters(entries: Sequence[Mapping[str, Any]]) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            str(entry.get("name", "")),
            str(entry["type"]),
            bool(entry.get("indexed", False)),
            _parameters(entry.get("components", ())),
        )
        for entry in entries
    )

"""Event entries of a JSON ABI as values that can be compared, hashed and named."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak


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
    """

    name: str
    inputs: tuple[Parameter, ...]
    anonymous: bool

    @property
    def signature(self) -> str:
        """The canonical signature: "Transfer(address,address,uint256)"."""
        return f"{self.name}({','.join(canonical(parameter) for parameter in self.inputs)})"

    @property
    def marked_signature(self) -> str:
        """The signature with its topics marked: "Transfer(address indexed,uint256)"."""
        marks = (
            f"{canonical(parameter)}{' indexed' * parameter.indexed}" for parameter in self.inputs
        )
        return f"{self.name}({','.join(marks)})"

    @property
    def topic0(self) -> bytes:
        """The Keccak-256 hash of the signature, 32 bytes."""
        return keccak(text=self.signature)

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
    `event_named` says so. Twins, of one signature and with more or fewer topics, are found by
    signatures that mark their topics ("Name(type indexed,type)").

    Raises:
        ValueError: two twins have as many topics, so that no log tells them apart.
    """
    events: dict[str, EventAbi] = {}
    for entry in entries:
        if entry.get("type", "event") == "event":
            event = EventAbi(
                str(entry["name"]), _parameters(entry["inputs"]), bool(entry.get("anonymous"))
            )
            events[event.marked_signature] = event
    _refuse_equal_topics(events.values())
    signatures = [event.signature for event in events.values()]
    names = [event.name for event in events.values()]
    found = {
        event.signature if signatures.count(event.signature) == 1 else marked: event
        for marked, event in events.items()
    }
    return found | {event.name: event for event in events.values() if names.count(event.name) == 1}


def _refuse_equal_topics(events: Collection[EventAbi]) -> None:
    shapes = [(event.signature, event.indexed_count) for event in events]
    for signature, topics in shapes:
        if shapes.count((signature, topics)) > 1:
            raise ValueError(
                f"{signature} stands twice in one ABI with {topics} indexed arguments, other ones "
                "each time; give each its own file"
            )


def event_named(events: Mapping[str, EventAbi], name: str) -> EventAbi:
    """
    Return the event with this name or signature.

    Raises:
        ValueError: there is none, or the bare name is overloaded.
    """
    if name in events:
        return events[name]
    overloads = sorted(
        key
        for key, event in events.items()
        if key != name and name in (event.name, event.signature)
    )
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

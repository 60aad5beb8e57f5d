"""What a declaration finds: arguments of a log and of others beside it, and its emitter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from indexer.spec.names import EventName


@dataclass(frozen=True)
class Arg:
    """
    An argument of the log: `name`, a dotted path into a tuple, or an item of a keyed event.

    `absent` is the integer meant when a keyed event leaves the item out; without it, absent is
    null.
    """

    name: str
    absent: int | None = None


@dataclass(frozen=True)
class Companion:
    """
    An argument of another event of the same transaction.

    Attributes:
        event: that event's name, or several where versions differ.
        take: the argument to read from it.
        on: this event's argument -> that event's argument; all must be equal.
        nearest: take the closest match before or after this log; None demands that at most one
            exists, and more than one rejects the row.
        absent: the integer meant when the companion is there and its item is not.
        abi: where another contract of the protocol emits it, that contract's ABI.
    """

    event: EventName | tuple[str, ...]
    take: str
    on: Mapping[str, str] = field(default_factory=dict)
    nearest: Literal["before", "after"] | None = None
    absent: int | None = None
    abi: str | None = None


@dataclass(frozen=True)
class Emitter:
    """The address that emitted the log."""


@dataclass(frozen=True)
class OfContract:
    """
    What the declaration says about the emitting contract under this name; null where nothing.

    Of a discovered child, what it says about the contract that announced it.
    """

    name: str

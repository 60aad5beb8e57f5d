"""Names of events that the hash of a signature does not find."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Keyed:
    """An event inside GMX v2's EventEmitter envelope; its items then read like arguments."""

    name: str


@dataclass(frozen=True)
class Noted:
    """
    A call that a contract notes in an anonymous event, the function's selector as first topic.

    Attributes:
        function: its signature, as `join(uint256)`; the ABI has the event under the bare name.
    """

    function: str


EventName = str | Keyed | Noted
"""An event by its name in the ABI, with its types where that is overloaded, or as one of these."""

"""What a fault is: a function of an exchange that changes it and says whether it did."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from rig.exchange import Exchange

Strike = Callable[[Exchange], bool]


class Phase(Enum):
    """When a fault looks at an exchange."""

    ASKED = "before the chain answers"
    TOLD = "when every call has its answer"
    SENT = "when the answers have become an HTTP reply"


class Kind(Enum):
    """What can be expected of a client that meets the fault."""

    SEEN = "the answer contradicts itself or the request, or is none"
    OMISSION = "the answer is sound in itself and lacks logs"
    MOVE = "the node is sound, its chain changes"


@dataclass(frozen=True)
class Fault:
    """
    One way of misbehaving.

    Attributes:
        strike: changes an exchange, or returns False where it has nothing to change.
        phase: when it is called.
        kind: what can be expected of a client.
    """

    strike: Strike
    phase: Phase
    kind: Kind

    @property
    def name(self) -> str:
        """What it is called on the command line and in counts."""
        return self.strike.__name__

    @property
    def sentence(self) -> str:
        """What it does, in a sentence."""
        return (self.strike.__doc__ or "").strip().splitlines()[0]


@dataclass(frozen=True)
class Planned:
    """
    A fault that is to strike.

    Attributes:
        fault: which.
        rate: share of the exchanges it looks at, 0 to 1.
        most: how often it strikes at most; None for any number.
        after: how many exchanges pass before it begins.
    """

    fault: Fault
    rate: float = 1.0
    most: int | None = None
    after: int = 0

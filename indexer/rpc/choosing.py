"""Which endpoint is asked next: a pure function of what is known of each."""

from collections.abc import Sequence
from dataclasses import dataclass

_TOLERANCE = 2.0


@dataclass(frozen=True)
class Standing:
    """
    What is known of an endpoint at the moment of a choice.

    Attributes:
        expected_seconds: how long an answer would take, its turn in the queue included.
        is_resting: it has just failed.
        is_barred: its circuit is open, it lags behind the blocks asked for, or it has refused a
            range as long as this one.
        is_away: it asked to be left alone for longer than we are willing to wait.
    """

    expected_seconds: float = 0.0
    is_resting: bool = False
    is_barred: bool = False
    is_away: bool = False


def choice(standings: Sequence[Standing], *, is_desperate: bool) -> int | None:
    """
    Return the place of the endpoint to ask, or None where none is worth asking.

    Endpoints come in order of preference: the first one is kept while its answer is expected in
    at most twice the time of the fastest.

    Args:
        standings: of the endpoints not asked yet.
        is_desperate: whether to ask those that are barred as well.
    """
    present = [place for place, standing in enumerate(standings) if not standing.is_away]
    for group in (_healthy, _resting, _barred):
        places = [place for place in present if group(standings[place])]
        if group is _barred and not is_desperate:
            break
        if places:
            fastest = min(standings[place].expected_seconds for place in places)
            limit = fastest * _TOLERANCE
            return next(place for place in places if standings[place].expected_seconds <= limit)
    return None


def _healthy(standing: Standing) -> bool:
    return not standing.is_barred and not standing.is_resting


def _resting(standing: Standing) -> bool:
    return standing.is_resting and not standing.is_barred


def _barred(standing: Standing) -> bool:
    return standing.is_barred

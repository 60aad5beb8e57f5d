"""The error tree of analytics: `UserError` exits 2, `WorldError` exits 1, both in one sentence."""

from collections.abc import Collection
from difflib import get_close_matches

# More names than these are no answer to somebody who asks for one.
_FEW = 20


class AnalyticsError(Exception):
    """Anything perpscope reports in one sentence instead of a traceback."""


class UserError(AnalyticsError):
    """The request is wrong: an unknown metric, query, parameter or format."""


class WorldError(AnalyticsError):
    """The request is right and something outside prevents it: a missing, locked or old database."""


class TooLarge(WorldError):
    """A sum is larger than DECIMAL(38,18) can hold."""


def unknown(what: str, name: str, known: Collection[str]) -> UserError:
    """Return that nothing has a name, and which names are near; of a few names all."""
    said = f"no {what} is called {name or repr(name)}"
    if near := get_close_matches(name, known, n=3):
        return UserError(f"{said}: did you mean {' or '.join(near)}?")
    if len(known) > _FEW:
        lists = [f"`perpscope {each}`" for each in what.split(" or ")]
        return UserError(f"{said}: {' and '.join(lists)} list{'s' * (len(lists) == 1)} them")
    return UserError(f"{said}: there are: {', '.join(sorted(known))}" if known else said)

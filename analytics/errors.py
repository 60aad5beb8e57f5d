"""The error tree of analytics: `UserError` exits 2, `WorldError` exits 1, both in one sentence."""

from collections.abc import Collection, Iterable
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
    there = f": {', '.join(sorted(known))}" if known else " none"
    return UserError(f"{said}: there are{there}")


def check_variables(given: Iterable[str], known: Collection[str]) -> None:
    """
    Check that no environment variable nearly has the name of one that is read.

    Args:
        given: names of all variables; others than ours may begin with PERPSCOPE_ as well.
        known: those that are read, without the prefix.

    Raises:
        UserError: one has; what it was to say would be left as it is in silence.
    """
    for name in sorted(given):
        said = name.removeprefix("PERPSCOPE_")
        near = [each for each in known if said.startswith(f"{each}_")]
        near += get_close_matches(said, known, n=1, cutoff=0.75)
        if near and said not in {name, *known}:
            raise UserError(
                f"the environment variable {name} is no setting: expected PERPSCOPE_{near[0]}; "
                "correct or unset it"
            )

"""What commands share: pairs, moments and settings as a reader types them."""

from datetime import datetime

from analytics.compute import settings_of
from analytics.errors import UserError
from analytics.queries import typed

_KINDS = {int: "integer", float: "number", str: "text", bool: "boolean"}


def moment(option: str, text: str | None) -> datetime | None:
    """
    Return the UTC time an option names.

    Raises:
        UserError: it is none.
    """
    if text is None:
        return None
    try:
        value = typed("timestamp", text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error
    return value if isinstance(value, datetime) else None


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """
    Return names and values that are given as name=value.

    Raises:
        UserError: one has no sign of equality.
    """
    split = [each.partition("=") for each in given or []]
    for key, sign, _ in split:
        if not sign:
            raise UserError(f"{option} takes name=value, got {key}")
    return {key.strip(): value for key, _, value in split}


def typed_settings(metric: str, given: dict[str, str]) -> dict[str, object]:
    """
    Return the settings of a metric as values of their types; unknown ones stay text.

    Raises:
        UserError: no such metric, or a value that is not of its type.
    """
    known = settings_of(metric)
    try:
        return {
            key: typed(_KINDS[known[key]], text) if key in known else text
            for key, text in given.items()
        }
    except ValueError as error:
        raise UserError(f"setting of {metric}: {error}") from error

"""Numbers as a reader sees them: separators, fixed decimals per unit, and `n/k` for not known."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

UNKNOWN = "n/k"


def dollars(value: Decimal | None) -> str:
    """Return US dollars with two decimals."""
    if value is None:
        return UNKNOWN
    if value == 0:
        return "$0"
    return f"{'-' if value < 0 else ''}${fixed(abs(value), 2)}"


def usd(value: Decimal | float | None) -> str:
    """Return US dollars with two decimals and no sign of the currency, for a column of them."""
    return UNKNOWN if value is None else fixed(Decimal(value), 2)


def tokens(value: Decimal | None) -> str:
    """Return token units with four decimals."""
    return UNKNOWN if value is None else fixed(value, 4)


def price(value: Decimal | float | None) -> str:
    """Return a price with six significant digits, and at least two decimals."""
    if value is None:
        return UNKNOWN
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return fixed(exact, max(2, 5 - exact.adjusted()))


def percent(value: float | None) -> str:
    """Return a ratio as a percentage with one decimal."""
    if value is None:
        return UNKNOWN
    return "0 %" if value == 0 else f"{value * 100:,.1f} %"


def bps(value: float | None) -> str:
    """Return basis points with one decimal and their sign."""
    if value is None:
        return UNKNOWN
    return "0" if value == 0 else f"{value:+,.1f}"


def count(value: int | None) -> str:
    """Return a number of things."""
    return UNKNOWN if value is None else f"{value:,}"


def counted(number: int, thing: str) -> str:
    """Return a number of things with their name, plural but for one."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def number(value: float | None) -> str:
    """Return a measured number with one decimal, a whole one without."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def moment(value: datetime | None) -> str:
    """Return a UTC time, ISO 8601."""
    if value is None:
        return UNKNOWN
    return value.isoformat(timespec="seconds") + "Z"


def day(value: date | None) -> str:
    """Return a UTC day, ISO 8601."""
    return UNKNOWN if value is None else value.isoformat()


def flag(value: bool | None) -> str:  # noqa: FBT001 -- a table's cells arrive by position
    """Return yes or no."""
    return UNKNOWN if value is None else "yes" if value else "no"


def text(value: object) -> str:
    """Return a text as it is."""
    return UNKNOWN if value is None else str(value)


def period(seconds: int) -> str:
    """Return the length of a period in the largest unit that divides it."""
    for name, size in (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            return name if seconds == size else f"{seconds // size} {name}s"
    return f"{seconds} seconds"


def fixed(value: Decimal, places: int) -> str:
    """Return a decimal with separators and this many places; zero as 0, the tiniest as a bound."""
    if value == 0:
        return "0"
    smallest = Decimal(1).scaleb(-places)
    if abs(value) < smallest / 2:
        return f"{'-' if value < 0 else ''}<{smallest}"
    with localcontext(prec=60, rounding=ROUND_HALF_EVEN):
        return f"{value.quantize(smallest):,}"

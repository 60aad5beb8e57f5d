"""Numbers as a reader sees them: separators, fixed decimals per unit, and `n/k` for not known."""

from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from analytics.decimal_text import fixed
from analytics.plain_text import visible

UNKNOWN = "n/k"
# From here on a number is shown with four digits and one of these letters.
_LONG = 10_000
_LETTERS = ((3, "k"), (6, "M"), (9, "B"), (12, "T"))


def dollars(value: Decimal | None) -> str:
    """Return US dollars with two decimals."""
    if value is None:
        return UNKNOWN
    return f"{'-' if value < 0 else ''}${fixed(abs(value), 2)}"


def usd(value: Decimal | float | None) -> str:
    """Return US dollars with two decimals and no sign of the currency, for a column of them."""
    return UNKNOWN if value is None else fixed(Decimal(value), 2)


def tokens(value: Decimal | float | None) -> str:
    """Return token units with four decimals."""
    return UNKNOWN if value is None else fixed(Decimal(value), 4)


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
    return "0 %" if value == 0 else f"{_decimals(value * 100, 1)} %"


def rate(value: float | None) -> str:
    """Return a small ratio as a percentage with four decimals and its sign."""
    if value is None:
        return UNKNOWN
    return "0 %" if value == 0 else f"{_decimals(value * 100, 4, '+')} %"


def coefficient(value: float | None) -> str:
    """Return a number that is told apart near 1 or 0, with three decimals."""
    if value is None:
        return UNKNOWN
    return "0" if value == 0 else _decimals(value, 3)


def bps(value: float | None) -> str:
    """Return basis points with one decimal and their sign."""
    if value is None:
        return UNKNOWN
    return "0" if value == 0 else _decimals(value, 1, "+")


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
    return f"{value:,.0f}" if value == round(value) else _decimals(value, 1)


def _decimals(value: float, places: int, positive: str = "") -> str:
    if 0 < abs(value) < 0.5 * 10**-places:  # which rounds to zero, and is none
        return f"{'-' if value < 0 else positive}<{10**-places:.{places}f}"
    return f"{value:{positive},.{places}f}"


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
    """Return a text as it is, with what nobody would see written out."""
    return UNKNOWN if value is None else visible(str(value))


def short(value: Decimal, places: int) -> str:
    """Return a decimal with these many places, or from 10,000 on k, M, B or T."""
    if abs(value) < _LONG:
        return fixed(value, places)
    with localcontext(prec=60, rounding=ROUND_HALF_EVEN):
        for power, letter in _LETTERS:
            scaled = value.scaleb(-power)
            rounded = scaled.quantize(Decimal("0.01" if abs(scaled) < 100 else "0.1"))
            if abs(rounded) < 1000:
                return f"{rounded}{letter}"
        return f"{rounded:,}{letter}"


def short_dollars(value: Decimal | None) -> str:
    """Return US dollars in four digits, for example $26.47M."""
    if value is None:
        return UNKNOWN
    return f"{'-' if value < 0 else ''}${short(abs(value), 2)}"


def clock(value: datetime | None) -> str:
    """Return a UTC time for a column that says so: no T and no Z."""
    return moment(value).replace("T", " ").removesuffix("Z")


def exact(value: object) -> str:
    """Return a value with every digit it has."""
    match value:
        case None:
            return "not known"
        case Decimal():
            digits = f"{value:,f}"
            return digits.rstrip("0").rstrip(".") if "." in digits else digits
        case bool():
            return flag(value)
        case int():
            return f"{value:,}"
        case float():
            return repr(value)
        case datetime():
            return value.isoformat() + "Z"
        case _:
            return text(value)


def change(now: Decimal | float | None, before: Decimal | float | None) -> str:
    """Return how much more or less a number is than before, in per cent, or from what zero."""
    if now is None or before is None or before < 0:
        return UNKNOWN
    if before == 0:
        return "unchanged" if now == 0 else "from 0"
    growth = float(now) / float(before) - 1
    if growth >= 9.995:
        return f"×{growth + 1:,.1f}"
    return "unchanged" if growth == 0 else f"{_decimals(growth * 100, 1, '+')} %"


def period(seconds: int) -> str:
    """Return the length of a period in the largest unit that divides it."""
    for name, size in (("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds % size == 0:
            return name if seconds == size else f"{seconds // size:,} {name}s"
    return f"{seconds:,} seconds"

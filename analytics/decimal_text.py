"""Decimals as text of so many places, for pages and for tables in a terminal."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext


def fixed(value: Decimal, places: int) -> str:
    """Return a decimal with separators and this many places; zero as 0, the tiniest as a bound."""
    if value == 0:
        return "0"
    smallest = Decimal(1).scaleb(-places)
    with localcontext(prec=60, rounding=ROUND_HALF_EVEN):
        rounded = value.quantize(smallest)
    if rounded == 0:
        return f"{'-' if value < 0 else ''}<{smallest:f}"
    return f"{rounded:,f}"

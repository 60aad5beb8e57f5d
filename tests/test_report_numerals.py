"""Numbers as a reader sees them: separators, fixed places, unknown apart from zero."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from analytics.reports import numerals
from analytics.reports.pages import escaped

LARGE = Decimal("12345678901234567890.123456789012345678")


@pytest.mark.parametrize(
    ("shown", "value", "text"),
    [
        (numerals.dollars, Decimal("1234.5"), "$1,234.50"),
        (numerals.dollars, Decimal("-0.5"), "-$0.50"),
        (numerals.dollars, Decimal("0E-18"), "$0"),
        (numerals.usd, LARGE, "12,345,678,901,234,567,890.12"),
        (numerals.usd, Decimal("0.004"), "<0.01"),
        (numerals.usd, Decimal("-0.000000000000000001"), "-<0.01"),
        (numerals.tokens, Decimal(1), "1.0000"),
        (numerals.price, Decimal("61000.123456"), "61,000.12"),
        (numerals.price, Decimal("0.000123456789"), "0.000123457"),
        (numerals.price, 8.96667, "8.96667"),
        (numerals.percent, 0.1234, "12.3 %"),
        (numerals.percent, 0.0, "0 %"),
        (numerals.bps, 1191.66, "+1,191.7"),
        (numerals.bps, 0.0, "0"),
        (numerals.count, 1234, "1,234"),
        (numerals.number, 1080.0, "1,080"),
        (numerals.number, 10.5, "10.5"),
        (numerals.moment, datetime(2025, 10, 10, 21, 0, 1), "2025-10-10T21:00:01Z"),
        (numerals.day, date(2025, 10, 10), "2025-10-10"),
        (numerals.flag, False, "no"),
        (numerals.period, 900, "15 minutes"),
        (numerals.period, 86_400, "day"),
        (numerals.period, 7, "7 seconds"),
    ],
)
def test_a_number_is_shown_by_its_unit(
    shown: Callable[[Any], str], value: object, text: str
) -> None:
    """Each unit has its places and separators, and the tiniest is not shown as zero."""
    assert shown(value) == text


@pytest.mark.parametrize(
    "shown",
    [
        *(numerals.dollars, numerals.usd, numerals.tokens, numerals.price, numerals.percent),
        *(numerals.bps, numerals.count, numerals.number, numerals.moment, numerals.day),
        *(numerals.flag, numerals.text),
    ],
)
def test_unknown_is_said(shown: Callable[[Any], str]) -> None:
    """Null is n/k in every unit, never a zero."""
    assert shown(None) == "n/k"


def test_markdown_shows_text_as_it_is() -> None:
    """Characters that start something in Markdown or HTML do not."""
    assert escaped("a|b*<i>\n[x](y)`\\") == "a\\|b\\*&lt;i&gt; \\[x\\](y)\\`\\\\"

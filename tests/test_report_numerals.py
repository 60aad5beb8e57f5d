"""Numbers as a reader sees them: separators, fixed places, unknown apart from zero."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from analytics.reports import numerals
from analytics.reports.pages import code, escaped, linked
from analytics.reports.parts import table

LARGE = Decimal("12345678901234567890.123456789012345678")


@pytest.mark.parametrize(
    ("shown", "value", "text"),
    [
        (numerals.dollars, Decimal("1234.5"), "$1,234.50"),
        (numerals.dollars, Decimal("-0.5"), "-$0.50"),
        (numerals.dollars, Decimal("0E-18"), "$0"),
        (numerals.dollars, Decimal("0.004"), "$<0.01"),
        (numerals.short_dollars, Decimal("26467261.28"), "$26.47M"),
        (numerals.short_dollars, Decimal(-12), "-$12.00"),
        (numerals.short_dollars, Decimal("0E-18"), "$0"),
        (numerals.usd, LARGE, "12,345,678,901,234,567,890.12"),
        (numerals.usd, Decimal("0.004"), "<0.01"),
        (numerals.usd, Decimal("0.005"), "<0.01"),
        (numerals.usd, Decimal("0.006"), "0.01"),
        (numerals.usd, Decimal("-0.000000000000000001"), "-<0.01"),
        (numerals.tokens, Decimal(1), "1.0000"),
        (numerals.price, Decimal("61000.123456"), "61,000.12"),
        (numerals.price, Decimal("0.000123456789"), "0.000123457"),
        (numerals.price, Decimal("0.000000123456789"), "0.000000123457"),
        (numerals.price, 8.96667, "8.96667"),
        (numerals.percent, 0.1234, "12.3 %"),
        (numerals.percent, 0.0, "0 %"),
        (numerals.percent, 0.0004, "<0.1 %"),
        (numerals.percent, 0.0006, "0.1 %"),
        (numerals.percent, -0.0004, "-<0.1 %"),
        (numerals.rate, 0.0123456, "+1.2346 %"),
        (numerals.rate, 4e-7, "+<0.0001 %"),
        (numerals.rate, 0.0, "0 %"),
        (numerals.bps, 1191.66, "+1,191.7"),
        (numerals.bps, 0.0, "0"),
        (numerals.count, 1234, "1,234"),
        (numerals.number, 1080.0, "1,080"),
        (numerals.number, 10.5, "10.5"),
        (numerals.number, 0.04, "<0.1"),
        (numerals.coefficient, -0.0004, "-<0.001"),
        (numerals.coefficient, 0.8125, "0.812"),
        (numerals.coefficient, 0.0, "0"),
        (numerals.moment, datetime(2025, 10, 10, 21, 0, 1), "2025-10-10T21:00:01Z"),
        (numerals.clock, datetime(2025, 10, 10, 21, 0, 1), "2025-10-10 21:00:01"),
        (numerals.day, date(2025, 10, 10), "2025-10-10"),
        (numerals.flag, True, "yes"),
        (numerals.flag, False, "no"),
        (numerals.text, "0xeth", "0xeth"),
        (numerals.period, 1_209_600, "2 weeks"),
        (numerals.period, 3600, "hour"),
        (numerals.period, 900, "15 minutes"),
        (numerals.period, 86_400, "day"),
        (numerals.period, 7, "7 seconds"),
        (numerals.period, 1606 * 60, "1,606 minutes"),
        (numerals.period, 86_399, "86,399 seconds"),
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
        *(numerals.flag, numerals.text, numerals.rate, numerals.coefficient),
        *(numerals.short_dollars, numerals.clock),
    ],
)
def test_unknown_is_said(shown: Callable[[Any], str]) -> None:
    """Null is n/k in every unit, never a zero."""
    assert shown(None) == "n/k"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 blocks"), (1, "1 block"), (1234, "1,234 blocks")]
)
def test_one_thing_is_no_plural(number: int, text: str) -> None:
    """One is said of one alone: of none there are several."""
    assert numerals.counted(number, "block") == text


def test_a_correlation_is_no_percentage() -> None:
    """Nor is what was won for each dollar lost: one reads them as every table writes them."""
    ratios = {"win_ratio": [0.5], "correlation_ratio": [0.129], "payoff_ratio": [16.31]}

    (row,) = table("", pl.DataFrame(ratios)).rows

    assert [cell.text for cell in row] == ["50.0 %", "0.129", "16.3"]


def test_a_figure_of_a_study_is_shown_as_a_metric_is() -> None:
    """Milliseconds and rows have separators and their unit, and Gini's coefficient is no part."""
    figures = {"trigger_lag_ms": 660_000, "milliseconds": 465_000, "rows": 19_337}
    others = {"owing_count": 2, "gini_ratio": 0.982, "reference_chain_id": 1}

    shown = table("", pl.DataFrame([figures | others]))

    titles = ["trigger lag, ms", "length, ms", "rows", "owing", "Gini", "reference chain"]
    assert [column.header for column in shown.columns] == titles
    (row,) = shown.rows
    texts = ["660,000", "465,000", "19,337", "2", "0.982", "ethereum"]
    assert [cell.text for cell in row] == texts


def test_entries_of_a_file_have_separators() -> None:
    """They are counted by the million, and so may be those that were rejected."""
    entries = {"entries_read": 1_234_567, "entries_used": 1_234_000, "rejects": 1_567}

    (row,) = table("", pl.DataFrame([entries])).rows

    assert [cell.text for cell in row] == ["1,234,567", "1,234,000", "1,567"]


def test_markdown_shows_text_as_it_is() -> None:
    """Characters that start something in Markdown or HTML do not."""
    assert escaped("a|b*<i>[x](y)`\\") == "a\\|b\\*&lt;i&gt;\\[x\\](y)\\`\\\\"
    assert escaped("one\ntwo") == "one\\\\x0atwo"
    assert escaped("gmx_v2 _loud_ ~~gone~~") == "gmx_v2 \\_loud\\_ \\~\\~gone\\~\\~"


@pytest.mark.parametrize("text", ["https://evil.example", "www.evil.example", "me@evil.example"])
def test_markdown_makes_no_link_of_a_name(text: str) -> None:
    """Readers make links of what looks like an address; of a name of the chain they do not."""
    assert not re.search(r"https?:|www\.|@", escaped(text))


def test_a_source_stays_a_link() -> None:
    """The address a declaration states is one to follow; anything around it is text again."""
    assert linked("https://example.org/policy") == "https://example.org/policy"
    assert "https:" not in linked("https://example.org/ <b>")


def test_code_cannot_be_left() -> None:
    """A command with backticks in it stands between more of them."""
    assert code("a") == "`a`"
    assert code("a``b`") == "``` a``b` ```"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("9999.99", "9,999.99"),
        ("10000", "10.00k"),
        ("100000", "100.0k"),
        ("267422.58", "267.4k"),
        ("999999.9", "1.00M"),
        ("1234567", "1.23M"),
        ("26467261.28", "26.47M"),
        ("-2309722.87", "-2.31M"),
        ("999996000", "1.00B"),
        ("12345678901234567890.1", "12,345,678.9T"),
        ("0", "0"),
    ],
)
def test_large_numbers_are_short(value: str, text: str) -> None:
    """From ten thousand on a letter says how many zeros; rounding may reach the next letter."""
    assert numerals.short(Decimal(value), 2) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (LARGE, "12,345,678,901,234,567,890.123456789012345678"),
        (Decimal("2.500000000000000000"), "2.5"),
        (Decimal("100"), "100"),
        (Decimal("100.00"), "100"),
        (datetime(2025, 10, 10, 21), "2025-10-10T21:00:00Z"),
        (0.1, "0.1"),
        (1234, "1,234"),
        (None, "not known"),
    ],
)
def test_exact_has_every_digit(value: object, text: str) -> None:
    """What a reader sees over a number is the number, without rounding."""
    assert numerals.exact(value) == text


@pytest.mark.parametrize(
    ("now", "before", "text"),
    [
        (Decimal(150), Decimal(100), "+50.0 %"),
        (Decimal(50), Decimal(100), "-50.0 %"),
        (Decimal(100_001), Decimal(100_000), "+<0.1 %"),
        (Decimal(99_999), Decimal(100_000), "-<0.1 %"),
        (Decimal(100), Decimal(100), "unchanged"),
        (Decimal(2000), Decimal(100), "×20.0"),
        (Decimal(1), Decimal(0), "from 0"),
        (Decimal(0), Decimal(0), "unchanged"),
        (Decimal(1), Decimal(-1), "n/k"),
        (None, Decimal(1), "n/k"),
        (Decimal(1), None, "n/k"),
    ],
)
def test_a_change_is_relative(now: Decimal | None, before: Decimal | None, text: str) -> None:
    """Per cent more or less, many times as a factor, or from nothing; from below it is none."""
    assert numerals.change(now, before) == text

"""Workbooks: numbers to compute with, every digit somewhere, and the same bytes each time."""

import tomllib
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from io import BytesIO
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import polars as pl
import pytest
from handmade import shown

from analytics.errors import UserError
from analytics.reports.parts import cell
from analytics.workbook import with_exact_text, workbook

_NS = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# Formats that have a number and no entry in a workbook.
_BUILT_IN: dict[str | None, str | None] = {
    "0": "General",
    "1": "0",
    "3": "#,##0",
    "4": "#,##0.00",
}
EXACT = "12345678901234567890.123456789012345678"


def amounts(*texts: str | None) -> pl.Series:
    """Return decimals as a fact has them."""
    values = [None if text is None else Decimal(text) for text in texts]
    return pl.Series("fees_usd", values, dtype=pl.Decimal(38, 18))


def cells(content: bytes, sheet: int = 1) -> list[list[str]]:
    """Return the cells of a sheet as text, rows in order; empty cells are left out."""
    with ZipFile(BytesIO(content)) as book:
        strings = [
            "".join(part.text or "" for part in item.iter(f"{_NS}t"))
            for item in ET.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 -- ours
        ]
        tree = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))  # noqa: S314 -- ours
    return [[_value(cell, strings) for cell in row] for row in tree.iter(f"{_NS}row")]


def _value(cell: ET.Element, strings: list[str]) -> str:
    found = cell.findtext(f"{_NS}v") or ""
    return strings[int(found)] if cell.get("t") == "s" else found


def test_a_number_that_excel_keeps_is_only_a_number() -> None:
    """15 digits need no second column."""
    assert with_exact_text(amounts("123456789012.345", "-0.5", None).to_frame()).columns == [
        "fees_usd"
    ]


def test_a_longer_number_is_written_twice() -> None:
    """A number to add up, and its text with all 38 digits beside it."""
    rows = cells(workbook({"fees": amounts(EXACT, "1.5", None).to_frame()}))

    assert rows[0] == ["fees_usd", "fees_usd_exact"]
    assert float(rows[1][0]) == pytest.approx(1.2345678901234567e19)
    assert rows[1][1] == EXACT
    assert rows[2] == ["1.5", "1.500000000000000000"]
    assert len(rows) == 3


def test_a_double_keeps_all_its_digits() -> None:
    """Some doubles take 17 digits to be told from the next one."""
    doubles = [0.1 + 0.2, 23.110256999772385, -1e-7, 5.0]

    rows = cells(workbook({"ratios": pl.DataFrame({"haircut_ratio": doubles})}))

    assert [float(row[0]) for row in rows[1:]] == doubles


def test_a_large_whole_number_is_written_twice() -> None:
    """Identifiers beyond 15 digits would come back with zeros at their end."""
    frame = with_exact_text(pl.DataFrame({"block_number": [1234567890123456789]}))

    assert [shown(value) for value in frame.row(0)] == [1234567890123456789, "1234567890123456789"]


def test_moments_and_days_are_dates() -> None:
    """A spreadsheet can sort and subtract them; a flag is a flag."""
    frame = pl.DataFrame(
        {"at": [datetime(2025, 10, 10, 12)], "date": [date(2025, 10, 10)], "is_long": [True]}
    )

    assert cells(workbook({"x": frame}))[1] == ["45940.5", "45940", "1"]


def test_before_march_1900_a_date_is_text() -> None:
    """Excel counts 29 February 1900, which was none: from then on days have their numbers."""
    days = [date(1900, 2, 28), date(1900, 3, 1)]
    frame = pl.DataFrame(
        {"date": days, "at": [datetime(one.year, one.month, one.day) for one in days]}
    )

    assert cells(workbook({"x": frame}))[1:] == [
        ["1900-02-28", "1900-02-28 00:00:00"],
        ["61", "61"],
    ]


def test_what_can_be_added_up_is_a_number() -> None:
    """A sum over cells of text is silently zero."""
    columns = {"count": [3], "ratio": [0.25], "fees_usd": amounts("1.5"), "said": ["7"]}

    book = ZipFile(BytesIO(workbook({"x": pl.DataFrame(columns)})))

    sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 -- ours
    row = list(sheet.iter(f"{_NS}row"))[1]
    assert [cell.get("t", "n") for cell in row] == ["n", "n", "n", "s"]


def test_the_same_rows_are_the_same_bytes() -> None:
    """No clock and no random name is in the file."""
    sheets = {"a": amounts(EXACT).to_frame(), "b": pl.DataFrame({"x": ["y"]})}

    assert workbook(sheets) == workbook(sheets)


def test_every_table_has_its_sheet() -> None:
    """Names are kept up to 31 characters, and two that look alike are refused."""
    with ZipFile(
        BytesIO(workbook({"fees": pl.DataFrame({"a": [1]}), "x" * 40: pl.DataFrame()}))
    ) as book:
        names = book.read("xl/workbook.xml").decode()
    assert 'name="fees"' in names
    assert f'name="{"x" * 31}"' in names

    with pytest.raises(UserError, match="differ in 31 characters"):
        workbook({"x" * 40: pl.DataFrame(), "x" * 41: pl.DataFrame()})


def test_what_does_not_fit_is_named() -> None:
    """Of more rows than a sheet may have the first are shown, and how many are elsewhere."""
    rows = cells(workbook({"many": pl.DataFrame({"n": range(22)})}, most_rows=20))

    assert len(rows) == 22
    assert rows[-1] == ["2 more rows are in the CSV and Parquet files"]


def looks(rows: pl.DataFrame) -> dict[str, tuple[str | None, float]]:
    """Return the number format and the width of each column of a sheet, by its name."""
    book = ZipFile(BytesIO(workbook({"x": rows})))
    styles = ET.fromstring(book.read("xl/styles.xml"))  # noqa: S314 -- ours
    sheet = ET.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314 -- ours
    codes = {each.get("numFmtId"): each.get("formatCode") for each in styles.iter(f"{_NS}numFmt")}
    uses = [each.get("numFmtId") for each in styles.findall(f"{_NS}cellXfs/{_NS}xf")]
    columns = [
        each
        for each in sheet.iter(f"{_NS}col")
        for _ in range(int(each.get("min", 0)), int(each.get("max", 0)) + 1)
    ]
    names = with_exact_text(rows).columns
    return {
        name: ((_BUILT_IN | codes)[uses[int(each.get("style", 0))]], float(each.get("width", 0)))
        for name, each in zip(names, columns, strict=True)
    }


def test_numbers_look_as_their_unit_says() -> None:
    """Cents of dollars, per cent of ratios; identifiers have no thousands, counts have."""
    columns = {
        "fees_usd": amounts("1234.5"),
        "take_rate": [0.365],
        "payoff_ratio": [1.5],
        "price_usd": amounts("0.999912"),
        "block_number": [420_000_000_000],
        "fee_count": [12_345],
        "chain_id": [42161],
    }

    assert {name: said for name, (said, _) in looks(pl.DataFrame(columns)).items()} == {
        "fees_usd": "#,##0.00",
        "take_rate": "#,##0.0 %",
        "payoff_ratio": "#,##0.000",
        "price_usd": "#,##0.000000",
        "block_number": "0",
        "fee_count": "#,##0",
        "chain_id": "General",
    }


def test_what_is_not_zero_does_not_look_like_it() -> None:
    """A column with 0.0004 dollars shows them, and none of its numbers as a power of ten."""
    found = looks(
        pl.DataFrame({"fees_usd": amounts("12.5", "0.0004", None), "x_ratio": [0.5, 2e-9, None]})
    )

    assert found["fees_usd"][0] == "#,##0.00###"
    assert found["x_ratio"][0] == f"#,##0.0{'#' * 7} %"


def test_no_cell_is_wider_than_its_column() -> None:
    """Of a number or a moment that does not fit a spreadsheet shows nothing but ####."""
    moment, money = datetime(2026, 1, 7, 18, 30), "12345678901.25"
    hashes = ["0x" + "a" * 64]
    frame = pl.DataFrame({"at": [moment], "tx": hashes, "a_usd": amounts(f"-{money}")})

    widths = {name: width for name, (_, width) in looks(frame).items()}

    assert widths["at"] > len("2026-01-07 18:30:00.000")
    assert widths["tx"] > 66
    assert widths["a_usd"] > len("-12,345,678,901.25")


def test_a_ratio_is_per_cent_where_a_report_says_so() -> None:
    """A workbook and a page never show one number as a share and as a multiple."""
    endings = ("ratio", "rate", "share", "utilisation", "8h", "correlation", "leverage", "bps")
    described = files("analytics.reports").joinpath("columns.toml").read_text(encoding="utf-8")
    names = [name for name in tomllib.loads(described) if name.endswith(endings)]
    frame = pl.DataFrame({name: [0.25] for name in names})

    assert len(names) > 50
    assert {name: str(said).endswith("%") for name, (said, _) in looks(frame).items()} == {
        name: cell(name, 0.25).text.endswith("%") for name in frame.columns
    }


def test_numbers_written_as_text_are_no_error() -> None:
    """A column of exact numbers as text has no warning in each cell."""
    sheet = ZipFile(BytesIO(workbook({"x": amounts(EXACT).to_frame()})))

    assert b'numberStoredAsText="1"' in sheet.read("xl/worksheets/sheet1.xml")

"""Hostile text: what a chain says is shown, and neither run nor hidden, in every kind of export."""

import json
import re
from io import BytesIO, StringIO
from zipfile import ZipFile

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.export import encoded, table_text
from analytics.formats import Format
from analytics.plain_text import for_json, for_spreadsheets, shortened, visible

FORMULAS = (
    *("=1+1", "+1+1", "-1+1", "@SUM(A1)", "  =1", "\uff1d1", "\t=1", "\r=1", "'=1"),
    *("-1+cmd|' /C calc'!A0", "-1\n", "-", "-.", "-1e", "--1", "-1 ", "-\u0661", "-A1"),
)
ESCAPES = "\x1b[31mred\x07\x9b2J\x08\r\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ETH", "ETH"),
        ("naïve – 币", "naïve – 币"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("two\nlines", "two\\x0alines"),
    ],
)
def test_what_nobody_sees_is_written_out(text: str, shown: str) -> None:
    """Controls, direction marks and joiners are text of their own; letters of any script stay."""
    assert visible(text) == shown


@given(st.text())
def test_a_terminal_has_nothing_to_obey(text: str) -> None:
    """Whatever a name is, its table holds no control but the end of a line, and no markup."""
    shown = table_text(pl.DataFrame({"symbol": [f"[red]{text}"]}))

    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", shown)
    assert "[red]" in shown.replace("\n", "")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    """Text that a spreadsheet would compute begins with something that it does not."""
    cell = encoded(pl.DataFrame({"symbol": [text]}), Format.CSV).decode().splitlines()[1]

    assert cell.strip('"')[0] in ("'", "\\")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula_where_semicolons_part_them(text: str) -> None:
    """A spreadsheet that splits lines at semicolons finds no formula behind one either."""
    frame = pl.DataFrame({"symbol": ["ETH"], "name": [f"a;{text};b"]})
    cells = encoded(frame, Format.CSV).decode().splitlines()[1].split(";")

    assert len(cells) == 3
    assert cells[1].strip('"')[0] in ("'", "\\")


def test_numbers_are_no_formulas() -> None:
    """Negative amounts, dates and unknown cells are as they were: only text is guarded."""
    frame = pl.DataFrame(
        {"pnl_usd": ["-12.50", None], "skew": [-1, 2]}, {"pnl_usd": pl.String, "skew": pl.Int64}
    ).with_columns(pl.col("pnl_usd").cast(pl.Decimal(38, 18)))

    lines = encoded(frame, Format.CSV).decode().splitlines()

    assert lines[1:] == ["-12.500000000000000000,-1", ",2"]


@pytest.mark.parametrize("text", ["-1460533.466085552", "+1", "-1", "-0.5", "-.5", "-2.", "-1e-07"])
def test_a_text_that_is_a_number_is_no_formula(text: str) -> None:
    """Figures of several kinds share a column of text; an apostrophe would break those below 0."""
    cells = encoded(pl.DataFrame({"computed": [text]}), Format.CSV).decode().splitlines()

    assert cells == ["computed", text]


@given(
    st.lists(
        st.text(st.sampled_from(";'=-x")) | st.text(st.characters(exclude_categories=["C", "Z"])),
        min_size=1,
    )
)
def test_an_apostrophe_taken_away_gives_the_text_back(texts: list[str]) -> None:
    """The guard is an apostrophe where nothing else has a single one, so it can be undone."""
    guarded = for_spreadsheets(pl.DataFrame({"symbol": texts}))["symbol"].to_list()

    assert [text.removeprefix("'").replace(";'", ";") for text in guarded] == texts


def test_json_and_parquet_keep_the_text() -> None:
    """Formats that nothing runs are exact: hostile text comes back as it was."""
    frame = pl.DataFrame({"symbol": [*FORMULAS, ESCAPES, "a\u202eb\u009b2J\x7f\u200b"]})

    content = encoded(frame, Format.JSON)
    parquet = pl.read_parquet(BytesIO(encoded(frame, Format.PARQUET)))

    assert [row["symbol"] for row in json.loads(content)] == frame["symbol"].to_list()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e]", content.decode())
    assert parquet["symbol"].to_list() == frame["symbol"].to_list()


def test_json_of_one_byte_a_letter_hides_nothing() -> None:
    """The one character of ASCII that nobody sees and JSON leaves as it is."""
    assert for_json('["a\x7f"]') == '["a\\u007f"]'


def test_a_csv_reads_back_row_by_row() -> None:
    """Quotes, separators and ends of lines in a name make neither a cell nor a row."""
    frame = pl.DataFrame({"symbol": ['a,b"c', "two\r\nlines", ESCAPES], "n": [1, 2, 3]})

    back = pl.read_csv(StringIO(encoded(frame, Format.CSV).decode()))

    assert back["n"].to_list() == [1, 2, 3]
    assert back["symbol"][0] == 'a,b"c'


def test_a_workbook_holds_no_formula_and_no_link() -> None:
    """Every text is a shared string, whatever it begins with."""
    texts = [*FORMULAS, ESCAPES, "https://example.org/x", "{=1}"]
    content = encoded(pl.DataFrame({"symbol": texts}), Format.XLSX)

    with ZipFile(BytesIO(content)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        names = book.namelist()

    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert sheet.count('t="s"') == len(texts) + 1
    assert not [name for name in names if "externalLink" in name or "vba" in name]


def test_long_names_leave_room() -> None:
    """A name of a thousand letters is cut where it is shown, with dots."""
    assert len(shortened("x" * 1000)) == 48
    assert shortened("x" * 1000).endswith("…")
    assert shortened("ETH") == "ETH"

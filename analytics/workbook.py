"""
Rows as one Excel workbook: a sheet per table, numbers to compute with, and no digit lost.

Excel keeps 15 digits of a number. A decimal is a number all the same, because sums over cells of
text are silently zero; where a column has a value with more digits, a second column `<name>_exact`
holds every one of them as text. Text is written as text, so that nothing is ever a formula.

Numbers look as the unit in their column's name says. A column of which one would look like zero and
is none shows more digits; no column shows powers of ten.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache, partial
from io import BytesIO
from math import floor, log10
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

from analytics.errors import UserError

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_574
"""What an Excel sheet has room for, with a line of names above and one that counts the rest."""

_NAME, _TEXT = 31, 32_767
_DIGITS = 15
_LEAST_DATE = date(1900, 3, 1)  # Excel believes in 29 February 1900
_MOMENT, _DAY = "yyyy-mm-dd hh:mm:ss.000", "yyyy-mm-dd"
_NARROWEST, _WIDEST = 12, 68
"""Room for characters: a transaction's hash has 66."""

_PERCENT = ("_ratio", "take_rate", "_share", "utilisation")
_SHARES_OF_LITTLE = ("_change_ratio", "carry_ratio", "_8h")
_MULTIPLES = ("correlation_ratio", "payoff_ratio", "gini_ratio")
# By the end of a column's name; the first that fits decides, as where a report shows it.
_DECIMALS = (
    (_MULTIPLES, 3, ""),
    (_SHARES_OF_LITTLE, 4, " %"),
    (_PERCENT, 1, " %"),
    (("price_usd", "price_quote", "price_tokens", "_usd_per_token"), 6, ""),
    (("_usd", "_quote"), 2, ""),
    (("_bps", "_seconds", "_per_second", "_years", "leverage"), 1, ""),
    (("",), 4, ""),
)
_MOST_PLACES = 18
_COUNTED = ("count", "blocks", "seconds", "_ms")


class _Whole(float):
    """A number that is written with as many digits as it needs; xlsxwriter writes 16 of 17."""

    def __format__(self, _: str) -> str:
        return repr(self)


def workbook(sheets: Mapping[str, pl.DataFrame], *, most_rows: int = MOST_ROWS) -> bytes:
    """
    Return a workbook as the bytes of an `.xlsx` file, the same for the same rows.

    Args:
        sheets: the rows of each sheet by its name, of which Excel keeps 31 characters.
        most_rows: how many rows a sheet has at most; below them it says how many more there are.

    Raises:
        UserError: two sheets would have the same name.
    """
    import xlsxwriter

    names = [name[:_NAME] for name in sheets]
    if len({name.lower() for name in names}) < len(names):
        raise UserError(f"sheets need names that differ in {_NAME} characters: {sorted(sheets)}")
    buffer = BytesIO()
    options = {"in_memory": True, "nan_inf_to_errors": True}
    book = xlsxwriter.Workbook(buffer, options)
    book.set_properties({"created": datetime(2000, 1, 1)})
    form = cache(lambda text: book.add_format({"num_format": text}))
    head = book.add_format({"num_format": "@", "bold": True})
    for name, frame in zip(names, sheets.values(), strict=True):
        shown = with_exact_text(frame.head(most_rows))
        sheet = book.add_worksheet(name)
        _head(sheet, shown, head, form)
        _fill(sheet, shown, frame.height)
    book.close()
    return buffer.getvalue()


def with_exact_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `<name>_exact`, as text, beside each column that Excel would round."""
    numbers = [
        name for name, dtype in frame.schema.items() if dtype.is_decimal() or dtype.is_integer()
    ]
    rounded = frame.select(_have_more_digits(numbers))
    shown = {name: [pl.col(name)] for name in frame.columns}
    for name in numbers:
        if rounded[name].item():
            shown[name].append(pl.col(name).cast(pl.String).alias(f"{name}_exact"))
    return frame.select(expression for both in shown.values() for expression in both)


def _have_more_digits(numbers: list[str]) -> pl.Expr:
    digits = pl.col(numbers).cast(pl.String).str.strip_chars_start("-")
    whole = digits.str.contains(".", literal=True)
    trimmed = pl.when(whole).then(digits.str.strip_chars_end("0")).otherwise(digits)
    significant = trimmed.str.replace(".", "", literal=True).str.strip_chars_start("0")
    return (significant.str.len_chars() > _DIGITS).any()


def _head(
    sheet: "Worksheet", frame: pl.DataFrame, head: "Format", form: Callable[[str], "Format"]
) -> None:
    # Of all columns at once: a workbook has a hundred sheets of ten.
    numbers = selectors.numeric()
    sizes = frame.select(
        numbers.cast(pl.Float64).abs().fill_nan(None), selectors.string().str.len_chars()
    )
    largest = _first_row(sizes.select(pl.all().max()))
    least = _first_row(sizes.select(pl.when(numbers > 0).then(numbers).min()))
    for index, (name, dtype) in enumerate(frame.schema.items()):
        sheet.write_string(0, index, name, head)
        text, width = _looks(name, dtype, largest.get(name) or 0, least.get(name) or 0)
        width = min(_WIDEST, max(_NARROWEST, len(name) + 4, width))
        sheet.set_column(index, index, width, form(text) if text else None)
    sheet.freeze_panes(1, 0)
    if frame.width:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)
        sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{frame.height + 1}"})


def _first_row(frame: pl.DataFrame) -> Mapping[str, Any]:
    return next(frame.iter_rows(named=True), {})


def _looks(name: str, dtype: pl.DataType, largest: float, least: float) -> tuple[str, int]:
    """Return the number format of a column, and how many characters its widest cell takes."""
    if dtype.is_temporal():
        text = _DAY if dtype == pl.Date else _MOMENT
        return text, len(text) + 1
    if not dtype.is_numeric():
        return "", int(largest) + 2
    whole = len(f"-{largest:,.0f}") + 1
    if dtype.is_integer():
        # Below these Excel shows them so of itself, and each format of a cell takes its time.
        if name.endswith(_COUNTED):
            return "#,##0" if largest >= 1000 else "", whole
        return "0" if largest >= 10**11 else "", whole
    places, unit = next(
        (places, unit) for endings, places, unit in _DECIMALS if name.endswith(endings)
    )
    more = max(0, _places(least * 100 if unit else least) - places)
    return f"#,##0.{'0' * places}{'#' * more}{unit}", whole + 2 + places + more + len(unit)


def _places(least: float) -> int:
    """Return how many decimals two digits of a number take."""
    return 0 if least == 0 or least >= 1 else min(_MOST_PLACES, 1 - floor(log10(least)))


def _fill(sheet: "Worksheet", frame: pl.DataFrame, height: int) -> None:
    for index, column in enumerate(frame.iter_columns()):
        write = _writer(sheet, column.dtype)
        for row, value in enumerate(_values(column), start=1):
            if value is not None:
                write(row, index, value)
    if height > frame.height:
        more = f"{height - frame.height:,} more rows are in the CSV and Parquet files"
        sheet.write_string(frame.height + 1, 0, more)


def _values(column: pl.Series) -> list[Any]:
    if column.dtype == pl.String:
        return column.str.slice(0, _TEXT).to_list()
    if column.dtype.is_decimal() or column.dtype.is_float():
        # As floats decimals come in a fifth of the time, rounded as Python does.
        floats = column.cast(pl.Float64).to_list()
        return [None if each is None else _Whole(each) for each in floats]
    return column.to_list()


def _writer(sheet: "Worksheet", dtype: pl.DataType) -> Callable[[int, int, Any], object]:
    """Return what writes a value of a column; to ask each value what it is takes as long again."""
    writer: Callable[[int, int, Any], object] = partial(_write, sheet)
    if dtype == pl.Boolean:
        writer = sheet.write_boolean
    elif dtype == pl.String:
        writer = sheet.write_string
    elif dtype.is_numeric():
        writer = sheet.write_number
    return writer


def _write(sheet: "Worksheet", row: int, index: int, value: object) -> None:
    match value:
        case datetime() if value.date() >= _LEAST_DATE:
            sheet.write_datetime(row, index, value)
        case date() if not isinstance(value, datetime) and value >= _LEAST_DATE:
            sheet.write_datetime(row, index, value)
        case _:
            sheet.write_string(row, index, str(value)[:_TEXT])

"""
Rows as one Excel workbook: a sheet per table, numbers to compute with, and no digit lost.

Excel keeps 15 digits of a number. A decimal is a number all the same, because sums over cells of
text are silently zero; where a column has a value with more digits, a second column `<name>_exact`
holds every one of them as text. Text is written as text, so that nothing is ever a formula.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import polars as pl
from polars import selectors

from analytics.errors import UserError

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

MOST_ROWS = 1_048_574
"""What an Excel sheet has room for, with a line of names above and one that counts the rest."""

_NAME, _TEXT = 31, 32_767
_DIGITS = 15
_LEAST_DATE = date(1900, 3, 1)  # Excel believes in 29 February 1900
_FORMATS = {"moment": "yyyy-mm-dd hh:mm:ss.000", "day": "yyyy-mm-dd", "head": "@"}


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
    formats = {name: book.add_format({"num_format": text}) for name, text in _FORMATS.items()}
    formats["head"].set_bold()
    for name, frame in zip(names, sheets.values(), strict=True):
        shown = with_exact_text(frame.head(most_rows))
        _fill(book.add_worksheet(name), shown, frame.height, formats)
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


def _fill(sheet: "Worksheet", frame: pl.DataFrame, height: int, formats: Mapping[str, Any]) -> None:
    for index, name in enumerate(frame.columns):
        sheet.write_string(0, index, name, formats["head"])
        sheet.set_column(index, index, min(40, max(12, len(name) + 2)))
    writers = [_writer(sheet, dtype, formats) for dtype in frame.dtypes]
    # As numbers they come in a fifth of the time, rounded as Python does.
    numbers = frame.with_columns(selectors.decimal().cast(pl.Float64))
    for row, values in enumerate(numbers.iter_rows(), start=1):
        for index, value in enumerate(values):
            if value is not None:
                writers[index](row, index, value)
    sheet.freeze_panes(1, 0)
    if frame.width:
        sheet.autofilter(0, 0, frame.height, frame.width - 1)
    if height > frame.height:
        more = f"{height - frame.height:,} more rows are in the CSV and Parquet files"
        sheet.write_string(frame.height + 1, 0, more)


def _writer(
    sheet: "Worksheet", dtype: pl.DataType, formats: Mapping[str, Any]
) -> Callable[[int, int, Any], object]:
    """Return what writes a value of a column; to ask each value what it is takes as long again."""
    writer: Callable[[int, int, Any], object] = partial(_write, sheet, formats)
    if dtype == pl.Boolean:
        writer = sheet.write_boolean
    elif dtype.is_integer():
        writer = sheet.write_number
    elif dtype.is_numeric():
        writer = partial(_write_whole, sheet)
    return writer


def _write_whole(sheet: "Worksheet", row: int, index: int, value: float) -> None:
    sheet.write_number(row, index, _Whole(value))


def _write(
    sheet: "Worksheet", formats: Mapping[str, Any], row: int, index: int, value: object
) -> None:
    match value:
        case datetime() if value.date() >= _LEAST_DATE:
            sheet.write_datetime(row, index, value, formats["moment"])
        case date() if not isinstance(value, datetime) and value >= _LEAST_DATE:
            sheet.write_datetime(row, index, value, formats["day"])
        case _:
            sheet.write_string(row, index, str(value)[:_TEXT])

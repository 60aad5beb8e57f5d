"""
Answers in the form a reader wants: a table to look at, or CSV, JSON, Parquet, XLSX to go on with.

CSV and JSON are exact: decimals keep all their digits (as text in JSON), times are ISO 8601 UTC.
Only the table rounds, and only CSV and the table change text: see `analytics.plain_text`.
"""

import os
from contextlib import suppress
from decimal import Decimal
from errno import EACCES
from io import BytesIO, StringIO
from pathlib import Path
from uuid import uuid4

import polars as pl
import typer
from polars import selectors
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analytics.decimal_text import fixed
from analytics.errors import UserError, WorldError
from analytics.formats import Format
from analytics.plain_text import for_json, for_spreadsheets, visible
from analytics.workbook import workbook

_SHOWN_ROWS = 100
_MOMENT = "%Y-%m-%dT%H:%M:%S%.fZ"


_BINARY = (Format.PARQUET, Format.XLSX)


def write(
    frame: pl.DataFrame, form: Format, output: Path | None, header: str | None = None
) -> None:
    """
    Write an answer to a file, or to standard output without one. A file appears whole or not.

    Args:
        frame: the answer.
        form: how it is written; a table in a file has all rows.
        output: the file; None for standard output.
        header: a line above a table that is for reading; other forms hold rows only.

    Raises:
        UserError: a binary form is asked for without a file, the file is named as another form,
            or it is a folder or in none, or a database.
        WorldError: the file cannot be written.
    """
    check(form, output)
    form = form_of(form, output)
    is_cut = form is Format.TABLE and output is None
    content = table_text(frame).encode() if is_cut else encoded(frame, form)
    if header is not None and form is Format.TABLE:
        content = f"{header}\n".encode() + content
    if output is None:
        typer.echo(content, nl=False)
    else:
        _replace(output, content)


def check(form: Format, output: Path | None) -> None:
    """
    Refuse what `write` would refuse: for those who change something before they have an answer.

    Raises:
        As `write` does, of what can be seen beforehand.
    """
    form = form_of(form, output)
    if output is not None:
        _check_place(output)
    elif form in _BINARY:
        raise UserError(f"{form} is binary: name a file with --output")


def form_of(form: Format, output: Path | None) -> Format:
    """
    Return how an answer is written: where nothing but a table is asked for, as its file says.

    Raises:
        UserError: a format is asked for, and the file is named as another one.
    """
    named = "" if output is None else output.suffix.removeprefix(".").lower()
    if named not in [*Format] or named == form:
        return form
    if form is not Format.TABLE:
        raise UserError(f"{output} is no name for {form}: leave out --format, or name a .{form}")
    return Format(named)


def encoded(frame: pl.DataFrame, form: Format) -> bytes:
    """Return an answer as the bytes of a file of this format."""
    buffer = BytesIO()
    match form:
        case Format.TABLE:
            return table_text(frame, frame.height).encode()
        case Format.CSV:
            _with_iso_times(for_spreadsheets(frame)).write_csv(buffer)
        case Format.JSON:
            exact = _with_iso_times(frame).with_columns(selectors.decimal().cast(pl.String))
            buffer.write(f"{for_json(exact.write_json())}\n".encode())
        case Format.PARQUET:
            frame.write_parquet(buffer)
        case Format.XLSX:
            buffer.write(workbook({"answer": frame}))
    return buffer.getvalue()


def table_text(frame: pl.DataFrame, most: int = _SHOWN_ROWS) -> str:
    """Return the first rows as a text table, with rounded numbers and a note about the rest."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, dtype in frame.schema.items():
        table.add_column(name, justify="right" if dtype.is_numeric() else "left")
    for row in frame.head(most).iter_rows():
        # Text, not str: brackets of a name are no markup.
        cells = zip(frame.columns, row, strict=True)
        table.add_row(*(Text(_cell(name, value)) for name, value in cells))
    more = frame.height - most
    note = f"… {more:,} more rows; --format csv writes all of them" if more > 0 else ""
    rows = "row" if frame.height == 1 else "rows"
    return _rendered(table) + f"{note or f'{frame.height:,} {rows}'}\n"


def _rendered(table: Table) -> str:
    # A line per row, however wide: what grep and less want, and a terminal folds lines, not cells.
    buffer = StringIO()
    Console(file=buffer, width=10_000, highlight=False).print(table)
    return "".join(f"{line.rstrip()}\n" for line in buffer.getvalue().splitlines())


def _cell(name: str, value: object) -> str:
    match value:
        case None:
            return ""
        case Decimal() if value == 0:
            return "0.00"
        case Decimal():
            is_money = name.endswith("_usd") and not name.endswith("price_usd")
            return fixed(value, 2) if is_money or abs(value) >= 1 else _significant(value)
        case float():
            return f"{value:,.2f}" if abs(value) >= 1000 else _significant(value)
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case _:
            return visible(str(value))


def _significant(value: Decimal | float) -> str:
    # Six digits, as `g` has them, without its powers of ten.
    return f"{Decimal(f'{float(value):.6g}'):f}"


def _with_iso_times(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        selectors.datetime().dt.strftime(_MOMENT), selectors.date().cast(pl.String)
    )


def _check_place(output: Path) -> None:
    if str(output) == "-":
        raise UserError("--output -: expected a file; leave out --output for standard output")
    if output.is_dir():
        raise UserError(f"{output} is a folder: name a file with --output")
    if not output.parent.is_dir():
        raise UserError(f"{output.parent} is no folder: make it, or name another with --output")
    try:
        if _is_database(output):
            raise UserError(f"{output} is a database: name another file with --output")
        if output.is_file() and not output.stat().st_mode & 0o222:
            raise UserError(f"{output} is protected from writing: name another file with --output")
    except OSError as error:
        raise _unwritten(output, error) from error
    if not os.access(output if _is_stream(output) else output.resolve().parent, os.W_OK):
        raise _unwritten(output, PermissionError(EACCES, os.strerror(EACCES)))


def _is_stream(output: Path) -> bool:
    return output.exists() and not output.is_file()


def _replace(output: Path, content: bytes) -> None:
    try:
        if _is_stream(output):  # a device or a pipe is written to, and stays
            output.write_bytes(content)
        else:
            _appear(output.resolve(), content)
    except OSError as error:
        raise _unwritten(output, error) from error


def _unwritten(output: Path, error: OSError) -> WorldError:
    return WorldError(
        f"{output} cannot be written: {error.strerror}; mend that, or name another "
        "file with --output"
    )


def _is_database(output: Path) -> bool:
    if not output.is_file():
        return False
    with output.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"  # where DuckDB says so


def _appear(output: Path, content: bytes) -> None:
    unfinished = output.with_name(f".{output.name}.{uuid4().hex}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(output)
    finally:
        with suppress(OSError):  # it is the answer by now, or what went wrong is said
            unfinished.unlink()

"""The forms an answer can be written in."""

from enum import StrEnum
from typing import Any

import typer


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    PARQUET = "parquet"
    JSON = "json"
    XLSX = "xlsx"


def format_option(said: str) -> Any:
    """Return the option `--format`, its choices in words: a narrow terminal would cut a list."""
    return typer.Option("--format", metavar="FORMAT", help=f"{said}: {', '.join(Format)}.")

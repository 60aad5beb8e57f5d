"""The data dictionary: every exported column with its table, type, unit and meaning."""

import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

import polars as pl

from analytics.reports.parts import Source

_UNITS = (
    ("bps_seconds", "basis points times seconds"),
    ("_per_second", "US dollars per second"),
    ("_per_second_squared", "US dollars per second squared"),
    ("_usd_per_token", "US dollars per token"),
    ("_usd", "US dollars"),
    ("_quote", "units of the quote currency"),
    ("price_tokens", "units of the asset per share"),
    ("_tokens", "whole tokens"),
    ("_trillionths", "1e-12"),
    ("_bps", "basis points, 1 = 0.01 %"),
    ("_ratio", "ratio, 1 = 100 %"),
    ("take_rate", "ratio, 1 = 100 %"),
    ("_share", "ratio, 1 = 100 %"),
    ("utilisation", "ratio, 1 = 100 %"),
    ("_8h", "ratio per 8 hours, 1 = 100 %"),
    ("_percent", "per cent"),
    ("leverage", "a multiple, 1 = unleveraged"),
    ("ptsr", "a multiple"),
    ("pmr", "a multiple"),
    ("milliseconds", "milliseconds"),
    ("_ms", "milliseconds"),
    ("_days", "days"),
    ("_years", "years"),
    ("_seconds", "seconds"),
    ("seconds_off", "seconds"),
    ("_count", "a count"),
    ("blocks", "blocks"),
    ("_block", "block number"),
    ("block_number", "block number"),
)
_TYPES = {
    "String": "text",
    "Boolean": "boolean",
    "Date": "date, UTC",
    "Float64": "float64",
    "Int64": "int64",
    "Int32": "int32",
}


def dictionary(sources: Iterable[Source]) -> pl.DataFrame:
    """
    Return what every exported column is.

    Returns:
        One row per table and column, in the order of the files: table, column, dtype, unit,
        meaning, made_by (the metric, query or table of facts).
    """
    rows = [
        (source.name, name, type_of(dtype), unit_of(name, dtype), meaning(name), made_by(source))
        for source in sources
        for name, dtype in source.frame.schema.items()
    ]
    columns = ("table", "column", "dtype", "unit", "meaning", "made_by")
    return pl.DataFrame(rows, dict.fromkeys(columns, pl.String), orient="row")


def meaning(name: str) -> str:
    """Return what a column means: its line in columns.toml, or else the words of its name."""
    return _meanings().get(name) or name.replace("_", " ")


def unit_of(name: str, dtype: pl.DataType) -> str:
    """Return the unit of a column, from the end of its name; nothing for what has none."""
    if dtype.is_temporal():
        return "UTC"
    if not dtype.is_numeric():
        return ""
    return next((unit for ending, unit in _UNITS if name.endswith(ending)), "")


def type_of(dtype: pl.DataType) -> str:
    """Return the type of a column in words that hold in every format."""
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    return (
        "timestamp, UTC" if isinstance(dtype, pl.Datetime) else _TYPES.get(str(dtype), str(dtype))
    )


def made_by(source: Source) -> str:
    """Return what made a table: a metric, a query or a table of facts, by name."""
    return f"{source.kind} {source.asked}"


@cache
def _meanings() -> Mapping[str, str]:
    text = files("analytics.reports").joinpath("columns.toml").read_text("utf-8")
    return tomllib.loads(text)

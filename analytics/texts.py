"""
Columns of few texts, read as places in a list of them, and grouped by as categories.

DuckDB keeps such texts in dictionaries and works a function of one out once for each entry, so that
to say where in a list ten million of them are takes a tenth of the time of spelling them out. What
spells them is Polars, which points to the list: as texts, or for metrics, which group by them, as
Categorical. That never leaves a metric.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

Ask = Callable[[str], list[Any]]

# What rows are grouped and joined by. Columns that are joined are both here, or neither is.
_KEYS = frozenset({"protocol", "version", "market", "parent", "pool", "fee_kind"})

# Where they are no dictionary, a text is compared with half of the list: no more than it costs.
_MOST = 256
# The rows DuckDB keeps together. Most columns of many texts have too many in the first of them.
_FIRST_ROWS = 122_880
# To look for few texts takes as long as to read so many.
_LARGE_ROWS = 500_000


def is_large(height: int) -> bool:
    """Tell whether a table is worth the look."""
    return height >= _LARGE_ROWS


def few_texts(ask: Ask, table: str, column: str) -> list[str] | None:
    """
    Return the texts of a column, each once; None where there are more than a few.

    Args:
        ask: returns the rows of a SELECT.
        table: its table.
        column: a column of texts.
    """
    first = f"(select {column} from {table} limit {_FIRST_ROWS})"
    ((about,),) = ask(f"select approx_count_distinct({column}) from {first}")
    if about > _MOST:
        return None
    told = f"select distinct {column} from {table} where {column} is not null limit {_MOST + 1}"
    found = [text for (text,) in ask(told)]
    return found if len(found) <= _MOST else None


def as_places(columns: Sequence[str], texts: Mapping[str, Sequence[str]]) -> str:
    """Return what selects columns, those with a list of texts as places in that parameter."""
    return ", ".join(
        f"list_position(?::varchar[], {name})::uinteger as {name}" if name in texts else name
        for name in columns
    )


def as_told(
    rows: pl.DataFrame, texts: Mapping[str, Iterable[str]], schema: pl.Schema
) -> pl.DataFrame:
    """
    Return rows with the texts that such places, from one on, stand for; null stays null.

    Args:
        rows: with places in the columns of `texts`.
        texts: the list of each column.
        schema: what columns of texts are told as, String or Categorical.
    """
    told = {
        name: pl.lit(pl.Series(["", *entries], dtype=schema[name])).gather(name)
        for name, entries in texts.items()
    }
    codes = [name for name in rows.columns if schema[name] == pl.Categorical]
    return rows.with_columns(**told).with_columns(pl.col(codes).cast(pl.Categorical))


def with_codes(schema: pl.Schema) -> pl.Schema:
    """Return a schema with the keys that are texts as Categorical."""
    return pl.Schema(
        {
            name: pl.Categorical() if name in _KEYS and kind == pl.String else kind
            for name, kind in schema.items()
        }
    )


def coded(rows: pl.LazyFrame, keys: Iterable[str]) -> pl.LazyFrame:
    """
    Return rows with the texts among these columns as Categorical: to group by, not to publish.

    Grouping ten million rows by eight texts takes half as long so; `spelled` undoes it.
    """
    schema = rows.collect_schema()
    texts = [name for name in keys if schema[name] == pl.String]
    return rows.with_columns(pl.col(texts).cast(pl.Categorical))


def spelled(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows with every Categorical column as the texts it stands for (String)."""
    return rows.with_columns(pl.col(pl.Categorical).cast(pl.String))

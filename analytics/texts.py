"""
Columns of few texts, read as places in a list of them.

DuckDB keeps such texts in dictionaries and works a function of one out once for each entry, so that
to say where in a list ten million of them are takes a tenth of the time of spelling them out. What
spells them is Polars, which points to the list.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import polars as pl

Ask = Callable[[str], list[Any]]

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


def as_texts(rows: pl.DataFrame, texts: Mapping[str, Iterable[str]]) -> pl.DataFrame:
    """Return rows with the texts that such places, from one on, stand for; null stays null."""
    return rows.with_columns(
        pl.lit(pl.Series(["", *told], dtype=pl.String)).gather(name).alias(name)
        for name, told in texts.items()
    )

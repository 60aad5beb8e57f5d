"""Boolean columns; null where the value is not there."""

import numpy as np
import polars as pl

from indexer.decode.columns import Column
from indexer.facts import conditions, texts
from indexer.facts.scope import Scope, column_of, first_of, note_kind, only
from indexer.spec import (
    All,
    Arg,
    Companion,
    Const,
    Equals,
    Exists,
    First,
    FlagAt,
    IsNegative,
    IsTrue,
    Lookup,
    Nonzero,
    Not,
    OneOf,
    Value,
    When,
)


def flags(value: Value | None, scope: Scope) -> pl.Series:
    """
    Return the expression as a Boolean series.

    Raises:
        TypeError: the expression is not a flag.
    """
    match value:
        case None:
            return pl.Series([None] * len(scope), dtype=pl.Boolean)
        case str() | Arg() | Companion():
            return _of_column(column_of(value, scope), scope)
        case Const(bool() as constant):
            return pl.Series(np.full(len(scope), constant))
        case Lookup():
            return texts.texts(value, scope).replace_strict(
                ["true", "false"], [True, False], return_dtype=pl.Boolean
            )
        case FlagAt(one, word):
            return _in_word(texts.texts(one, scope), word)
        case First(values):
            return first_of(values, scope, lambda one: flags(one, scope))
        case When():
            return conditions.either(value, scope, lambda one: flags(one, scope))
        case Equals() | OneOf() | IsTrue() | IsNegative() | Nonzero() | Exists() | Not() | All():
            return pl.Series(conditions.holding(value, scope))
    raise TypeError(f"{type(value).__name__} is not a flag")


def _in_word(hexadecimal: pl.Series, word: int) -> pl.Series:
    digit = texts.word_at(hexadecimal, word).str.extract("^0{63}([01])$")
    return digit == "1"


def _of_column(column: Column, scope: Scope) -> pl.Series:
    if column.kind != "bool" or column.words is None:
        # An item that no log carries has no type of its own, and a log may carry it as another.
        note_kind(scope, column, "flag")
        return pl.Series([None] * len(scope), dtype=pl.Boolean)
    series = pl.Series(column.words[:, 31] == 1)
    return series if column.present.all() else only(series, column.present)

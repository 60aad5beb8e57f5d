"""Text columns: addresses and bytes as lower-case 0x hex, integers as digits, names as they are."""

from collections.abc import Mapping

import polars as pl

from indexer.decode.columns import Column
from indexer.decode.int256 import Int256, from_column, python_integers
from indexer.facts import conditions
from indexer.facts.bits import sliced
from indexer.facts.hexadecimal import fixed_bytes, hex_text
from indexer.facts.scope import Scope, blame, column_of, first_of, only
from indexer.spec import (
    AddressAt,
    Arg,
    Ascii,
    Bits,
    Companion,
    Const,
    Emitter,
    First,
    Lookup,
    OfContract,
    OfMarket,
    SymbolOf,
    Value,
    When,
)


def texts(value: Value | None, scope: Scope) -> pl.Series:
    """
    Return the expression as a String series; null where it is not there.

    Raises:
        TypeError: the expression is not text.
    """
    match value:
        case None:
            return pl.Series([None] * len(scope), dtype=pl.String)
        case str() | Arg() | Companion():
            return column_text(column_of(value, scope))
        case Const(constant):
            return pl.Series(
                [constant if isinstance(constant, str) else str(constant).lower()]
            ).new_from_index(0, len(scope))
        case Emitter():
            return hex_text(fixed_bytes(scope.frame["address"], 20))
        case OfContract(name):
            return _said(scope, name)
        case First(values):
            return first_of(values, scope, lambda one: texts(one, scope))
        case When():
            return conditions.either(value, scope, lambda one: texts(one, scope))
        case _:
            return _looked_up(value, scope)


def _looked_up(value: Value, scope: Scope) -> pl.Series:
    match value:
        case OfMarket(key, take):
            return _of_market(texts(key, scope), take, scope)
        case SymbolOf(token):
            addresses = texts(token, scope)
            tokens = scope.known.tokens
            symbols = mapped(addresses, tokens["address"], tokens["symbol"])
            note_missing(scope, addresses)
            return symbols.str.to_uppercase()
        case Ascii(one):
            return _ascii(texts(one, scope))
        case AddressAt(one, word):
            return _address_in(texts(one, scope), word)
        case Bits(_, _, count):
            return _sliced_text(sliced(value, scope), count)
        case Lookup(one, table):
            return _chosen_from(texts(one, scope), table, scope)
    raise TypeError(f"{type(value).__name__} is not text")


def _of_market(keys: pl.Series, take: str, scope: Scope) -> pl.Series:
    markets = scope.known.markets.select(key="market", told=take, born="block_number")
    asked = pl.DataFrame({"key": keys, "block": scope.frame["block_number"]})
    found = asked.join(markets, on="key", how="left", maintain_order="left")
    # What is announced in a later block is not known yet, wherever ranges are cut.
    is_known = (pl.col("born") <= pl.col("block")).fill_null(value=True)
    return found.select(pl.when(is_known).then("told")).to_series()


def mapped(keys: pl.Series, known: pl.Series, values: pl.Series) -> pl.Series:
    """Return, for each key, the value beside the equal known key; null where there is none."""
    table = pl.DataFrame({"key": known, "value": values}).unique("key", keep="first")
    return keys.to_frame("key").join(table, on="key", how="left", maintain_order="left")["value"]


def note_missing(scope: Scope, addresses: pl.Series) -> None:
    """Remember tokens that were asked for and are not known."""
    unknown = addresses.drop_nulls().unique()
    scope.missing.update(unknown.filter(~unknown.is_in(scope.known.tokens["address"].implode())))


def column_text(column: Column) -> pl.Series:
    """Return a decoded argument as text by its ABI type; null where it is absent."""
    text = _rendered(column)
    return text if column.present.all() else only(text, column.present)


def _rendered(column: Column) -> pl.Series:
    if column.values is not None:
        if column.kind == "string":
            return column.values.cast(pl.String)
        return "0x" + column.values.bin.encode("hex")
    if column.words is None:
        raise TypeError(f"a {column.kind} argument has neither words nor values")
    if column.kind == "address":
        return hex_text(column.words[:, 12:])
    if column.kind == "fixed_bytes":
        return hex_text(column.words[:, : column.width])
    if column.kind == "bool":
        return pl.Series(column.words[:, 31] == 1).cast(pl.String)
    return _digits(from_column(column))


def _digits(value: Int256) -> pl.Series:
    if not value.magnitude[1:].any() and not value.negative.any():
        return pl.Series(value.magnitude[0]).cast(pl.String)
    return pl.Series([str(number) for number in python_integers(value)], dtype=pl.String)


def _ascii(hexadecimal: pl.Series) -> pl.Series:
    raw = hexadecimal.str.slice(2).str.replace("(00)+$", "").str.decode("hex")
    return raw.cast(pl.String, strict=False)


def word_at(hexadecimal: pl.Series, word: int) -> pl.Series:
    """Return the digits of a 32-byte word of bytes that are written as 0x hex, counted from 0."""
    return hexadecimal.str.slice(2 + 64 * word, 64)


def _address_in(hexadecimal: pl.Series, word: int) -> pl.Series:
    return "0x" + word_at(hexadecimal, word).str.extract("^0{24}([0-9a-f]{40})$")


def _sliced_text(part: Column, count: int) -> pl.Series:
    if part.kind not in ("address", "fixed_bytes") or part.words is None:
        return column_text(part)
    return only(hex_text(part.words[:, 32 - -(-count // 8) :]), part.present)


def _said(scope: Scope, name: str) -> pl.Series:
    said = pl.Series(
        [
            str(said) if (said := contract.says.get(name)) is not None else None
            for contract in scope.contracts
        ],
        dtype=pl.String,
    )
    return said.gather(scope.frame["contract"]) if len(said) else texts(None, scope)


def _chosen_from(
    keys: pl.Series,
    table: "Mapping[int, str | int | bool] | Mapping[str, str | int | bool]",
    scope: Scope,
) -> pl.Series:
    known = pl.Series([_key(key) for key in table], dtype=pl.String)
    found = mapped(
        keys, known, pl.Series([_key(value) for value in table.values()], dtype=pl.String)
    )
    lost = (found.is_null() & keys.is_not_null()).to_numpy()
    blame(scope, lost, "{} is not in the declared table", keys)
    return found


def _key(constant: object) -> str:
    return str(constant).lower() if isinstance(constant, bool) else str(constant)

"""
What ranges teach about a chain: children, markets, tokens, policies.

The earliest announcement stands, and what a declaration states stands before what was learned.
Blocks that were read before an earlier announcement was known are to be fetched again.
"""

from collections.abc import Iterable, Mapping

import duckdb
import polars as pl

from indexer.store.connection import delete, insert, select
from indexer.store.landed import Range
from indexer.tables import block_tables, columns_of, empty

_CHILD = ["chain_id", "protocol", "abi", "address"]
_MARKET = ["chain_id", "protocol", "market"]
_TOKEN = ["chain_id", "address"]
_OF_PROTOCOLS = "chain_id = ? and list_contains(?, protocol)"

STATED = ("feeds", "declared_facts", "untold_shares", "accounts")
"""What declarations state of a chain and nothing that is read changes."""


def is_unheard(connection: duckdb.DuckDBPyConnection, landed: Range) -> bool:
    """
    Return whether blocks were read without a child or market that was announced by their end.

    Who knew it of an earlier block knew more; who knew it otherwise, or of a later one, did not.
    """
    for table, born, key in (
        ("contracts", "from_block", _CHILD),
        ("markets", "block_number", _MARKET),
    ):
        where = f"{_OF_PROTOCOLS} and {born} <= ?"
        stored = select(connection, table, where, [*_place(landed), landed.to_block])
        known = landed.known[table]
        unlike = _unlike(stored, known, table)
        heard = known.select(*key, heard=pl.col(born).fill_null(-1))
        earlier = unlike.join(heard, on=key).filter(pl.col("heard") < pl.col(born))
        if len(unlike.join(earlier, on=key, how="anti")):
            return True
    return False


def _unlike(rows: pl.DataFrame, others: pl.DataFrame, table: str) -> pl.DataFrame:
    return rows.join(others, on=list(columns_of(table)), how="anti", nulls_equal=True)


def write_contracts(
    connection: duckdb.DuckDBPyConnection, landed: Range, children: pl.DataFrame
) -> None:
    """Make the stored children those that these blocks, and all other blocks, announce first."""
    stored = select(connection, "contracts", _OF_PROTOCOLS, _place(landed))
    is_here = pl.col("from_block").is_between(landed.from_block, landed.to_block)
    # What is born here is replaced; a child first met in later blocks is born earlier than known.
    gone = pl.concat([stored.filter(is_here), stored.join(children, on=_CHILD, how="semi")])
    if gone.is_empty() and children.is_empty():
        return
    kept = stored.join(gone, on=[*_CHILD, "from_block"], how="anti", maintain_order="left")
    rows = pl.concat([kept, children])
    _replace(connection, "contracts", _OF_PROTOCOLS, _place(landed), rows, stored=stored)
    fresh = children.join(stored, on=[*_CHILD, "from_block"], how="anti")
    # A birth that these blocks told once and tell no longer was none.
    undone = stored.filter(is_here).join(children, on=[*_CHILD, "from_block"], how="anti")
    _fetch_again(connection, landed, [*fresh["protocol"], *undone["protocol"]])


def write_markets(connection: duckdb.DuckDBPyConnection, landed: Range, rows: pl.DataFrame) -> None:
    """Make the stored markets those that are stated or, in all blocks, announced first."""
    stored = select(connection, "markets", _OF_PROTOCOLS, _place(landed))
    is_here = pl.col("block_number").is_between(landed.from_block, landed.to_block)
    if rows.is_empty() and stored.filter(is_here).is_empty():
        return
    known = rows.unique(_MARKET, keep="first", maintain_order=True)
    now = known.select(*_MARKET, now="block_number", is_known=pl.lit(value=True))
    is_older = pl.col("is_known") & (
        pl.col("now").is_null() | (pl.col("now") < pl.col("block_number"))
    )
    kept = (
        stored.join(now, on=_MARKET, how="left", maintain_order="left")
        .filter(~(is_here.fill_null(value=False) | is_older.fill_null(value=False)))
        .select(*columns_of("markets"))
    )
    fresh = known.join(kept, on=_MARKET, how="anti", maintain_order="left")
    rows = pl.concat([kept, fresh])
    _replace(connection, "markets", _OF_PROTOCOLS, _place(landed), rows, stored=stored)
    announced = fresh.filter(pl.col("block_number").is_not_null())
    unheard = _unlike(announced, stored, "markets")
    # What these blocks announced once, and announce otherwise or no longer, was never so.
    undone = _unlike(stored.filter(is_here), rows, "markets")
    _fetch_again(connection, landed, [*unheard["protocol"], *undone["protocol"]])


def write_tokens(connection: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> None:
    """
    Add tokens that are not known yet.

    Stated ones replace what was known of them; what was stated gives way to what was asked since,
    for nobody is asked of what is stated still.
    """
    if rows.is_empty():
        return
    connection.register("said", rows.unique(_TOKEN, keep="first").to_arrow())
    other = """exists (select 1 from said as s
        where s.chain_id = tokens.chain_id and s.address = tokens.address
        and 'declaration' in (s.known_by, tokens.known_by)
        and (s.symbol, s.decimals, s.known_by)
            is distinct from (tokens.symbol, tokens.decimals, tokens.known_by))"""
    delete(connection, "tokens", other, [])
    connection.unregister("said")
    insert_missing(connection, "tokens", rows, _TOKEN)


def insert_missing(
    connection: duckdb.DuckDBPyConnection, table: str, rows: pl.DataFrame, key: list[str]
) -> None:
    """Append the rows whose key no stored row has."""
    if rows.is_empty():
        return
    stored = select(connection, table, "chain_id = ?", [rows["chain_id"][0]])
    fresh = rows.unique(key, keep="first", maintain_order=True)
    insert(connection, table, fresh.join(stored, on=key, how="anti", maintain_order="left"))


def replace_policies(
    connection: duckdb.DuckDBPyConnection, slugs: Iterable[str], rows: pl.DataFrame
) -> None:
    """Make the stored policies of these protocols the same as the rows."""
    named = list(slugs)
    said = rows.filter(pl.col("protocol").is_in(named))
    of_them = "list_contains(?, protocol)"
    stored = select(connection, "policies", of_them, [named])
    _replace(connection, "policies", of_them, [named], said, stored=stored)


def replace_stated(
    connection: duckdb.DuckDBPyConnection,
    chain_id: int,
    slugs: Iterable[str],
    stated: Mapping[str, pl.DataFrame],
) -> None:
    """Make what is stored of these protocols on the chain, in each of `STATED`, the same rows."""
    named = list(slugs)
    for table in STATED:
        said = stated.get(table, empty(table)).filter(pl.col("protocol").is_in(named))
        stored = select(connection, table, _OF_PROTOCOLS, [chain_id, named])
        _replace(connection, table, _OF_PROTOCOLS, [chain_id, named], said, stored=stored)


def _place(landed: Range) -> list[object]:
    return [landed.chain_id, list(landed.protocols)]


def _replace(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    where: str,
    place: list[object],
    rows: pl.DataFrame,
    *,
    stored: pl.DataFrame,
) -> None:
    if stored.is_empty() and rows.is_empty():
        return
    order = list(columns_of(table))
    if not stored.sort(order).equals(rows.sort(order)):
        delete(connection, table, where, place)
        insert(connection, table, rows)


def _fetch_again(
    connection: duckdb.DuckDBPyConnection, landed: Range, slugs: Iterable[str]
) -> None:
    # Later blocks were read without knowing this: they are no longer covered.
    for slug in set(slugs):
        values: list[object] = [landed.chain_id, slug, landed.to_block]
        later = "chain_id = ? and protocol = ? and from_block > ?"
        if select(connection, "coverage", later, values).is_empty():
            continue
        delete(connection, "coverage", later, values)
        for table in block_tables():
            above = "chain_id = ? and protocol = ? and block_number > ?"
            delete(connection, table, above, values)

"""
How a file that was brought lands: all its rows in one transaction, each of them once.

A row is the same as another of its table if both are of one side of one trade in one market. What
is stored stays: the same row again changes nothing, one that knows a column the stored one does not
fills it in, and one that contradicts it is refused by name; a basis that is `none` is not known. So
whatever files overlap, and in whatever order they come, the rows are those of all their entries,
each counted once.

A trade that cut a profitable position is an ADL, not also a liquidation of the loser: the vault or
trader on its other side has a position change for it and no row of `liquidations`, whichever side
is told first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from glob import escape
from pathlib import Path

import duckdb
import polars as pl

from indexer.errors import UserError
from indexer.store.connection import delete, insert, scalar, select, transaction
from indexer.store.creation import make_missing
from indexer.store.knowledge import insert_missing, replace_policies
from indexer.tables import columns_of, fact_tables, tables

# What DuckDB may keep in memory while it compares: more goes beside the database.
_MEMORY = "512MB"

_PLACE = ("chain_id", "protocol", "block_number", "log_index", "item_index", "market")
_TRADE = ("chain_id", "protocol", "block_number", "log_index", "market")
_ORIGIN = ("files", "imported")
_BASIS = "_basis"


@dataclass(frozen=True)
class Brought:
    """A row of `imports`; `entries_used` and `rejects` are known once it has landed."""

    chain_id: int
    protocol: str
    file: str
    sha256: str
    kind: str
    about: str | None
    entries_read: int
    from_at: datetime | None
    to_at: datetime | None
    imported_at: datetime
    declaration_digest: str
    entries_used: int = 0
    rejects: int = 0


@dataclass(frozen=True)
class Landed:
    """
    What a file added.

    Attributes:
        brought: its row of `imports`.
        rows: fact table -> rows that were not there before; tables without one are left out.
    """

    brought: Brought
    rows: dict[str, int]


def brought_before(
    path: Path, chain_id: int, protocol: str, sha256: str, declaration_digest: str
) -> Brought | None:
    """
    Return what a file with these bytes was imported as before; None if it was not.

    Args:
        path: the database; it need not be there.
        chain_id: the venue.
        protocol: the venue's protocol.
        sha256: of the file.
        declaration_digest: of what its entries would be read as.

    Raises:
        UserError: other files were read otherwise.
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written.
    """
    if not path.exists():
        return None
    with transaction(path) as connection:  # an older database gets what it lacks first
        _demand_unchanged(connection, chain_id, protocol, declaration_digest)
        return _before(connection, chain_id, protocol, sha256)


def land(
    path: Path, brought: Brought, folder: Path, stated: Mapping[str, pl.DataFrame]
) -> Landed | None:
    """
    Write what a file holds, in one transaction.

    Args:
        path: the database; it is made if it is not there.
        brought: the file.
        folder: its rows as Parquet, `<table>-<number>.parquet`, each row with its `line`.
        stated: rows of `accounts`, `policies` and `declared_facts` as the declaration states them;
            the last are kept of a file of the whole venue alone.

    Returns:
        None if another process imported it meanwhile: nothing was written.

    Raises:
        UserError: another file was read otherwise meanwhile.
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written; it is as before.
    """
    make_missing(path)
    with transaction(path) as connection:
        own = (brought.chain_id, brought.protocol)
        _demand_unchanged(connection, *own, brought.declaration_digest)
        if _before(connection, *own, brought.sha256):
            return None
        connection.execute(f"set memory_limit = '{_MEMORY}'")
        staged = [name for name in fact_tables() if _stage(connection, folder, name)]
        _part_adls(connection, brought, staged)
        rows = {name: _merge(connection, name) for name in staged}
        told = replace(
            brought,
            entries_used=_used(connection, staged),
            rejects=_reject(connection, folder, brought, staged),
        )
        insert(connection, "imports", pl.DataFrame([vars(told)], columns_of("imports")))
        _write_knowledge(connection, brought, stated)
    return Landed(told, {name: count for name, count in rows.items() if count})


def _demand_unchanged(
    connection: duckdb.DuckDBPyConnection, chain_id: int, protocol: str, declaration_digest: str
) -> None:
    stored = select(connection, "imports", "chain_id = ? and protocol = ?", [chain_id, protocol])
    if set(stored["declaration_digest"]) - {declaration_digest}:
        raise UserError(
            f"the declaration of {protocol} has changed since its files were imported, or an older "
            "perpscope imported them and did not say by which one; old and new facts are never "
            "mixed: expected the same for all files; import all of them into a new database, for "
            "what is imported cannot be derived again"
        )


def _before(
    connection: duckdb.DuckDBPyConnection, chain_id: int, protocol: str, sha256: str
) -> Brought | None:
    where = "chain_id = ? and protocol = ? and sha256 = ?"
    found = select(connection, "imports", where, [chain_id, protocol, sha256])
    return Brought(**found.row(0, named=True)) if len(found) else None


def _stage(connection: duckdb.DuckDBPyConnection, folder: Path, table: str) -> bool:
    """Make `staged_<table>` of the rows that were set down; return whether there are any."""
    if not any(folder.glob(f"{table}-*.parquet")):
        return False
    files = f"{escape(str(folder.absolute()))}/{table}-*.parquet".replace("'", "''")
    connection.execute(f"create temp table staged_{table} as select * from read_parquet('{files}')")
    return True


def _part_adls(connection: duckdb.DuckDBPyConnection, brought: Brought, staged: list[str]) -> None:
    """Let no trade be an ADL and a liquidation, whichever of its sides is stored already."""
    low, high = _extent(connection, staged)
    own = "chain_id = ? and protocol = ? and block_number between ? and ?"
    names = ", ".join((*_TRADE, "item_index // 4 as trade"))
    others = f"union select {names} from staged_adls" if "adls" in staged else ""
    connection.execute(
        f"create temp table cut as select {names} from adls where {own} {others}",
        [brought.chain_id, brought.protocol, low, high],
    )
    known = {"liquidations", "position_changes"}
    for name in (*sorted(known), *(f"staged_{each}" for each in sorted(known & {*staged}))):
        if name.endswith("liquidations"):
            connection.execute(f"delete from {name} where {_is_cut(name)}")
        else:
            connection.execute(
                f"""update {name} set cause = 'adl'
                where cause = 'liquidation' and {_is_cut(name)}"""
            )


def _extent(connection: duckdb.DuckDBPyConnection, staged: list[str]) -> tuple[int, int]:
    query = "select min(block_number), max(block_number) from staged_{}"
    ends = [end for table in staged for end in connection.execute(query.format(table)).fetchall()]
    return min((low for low, _ in ends), default=0), max((high for _, high in ends), default=0)


def _is_cut(table: str) -> str:
    same = " and ".join(f"cut.{name} = {table}.{name}" for name in _TRADE)
    return f"exists (select 1 from cut where {same} and cut.trade = {table}.item_index // 4)"


def _merge(connection: duckdb.DuckDBPyConnection, table: str) -> int:
    """Add the rows of a table that are new, fill in what stored ones lack; return how many."""
    listed = ", ".join(columns_of(table))
    _set_repeats_apart(connection, table)
    connection.execute(
        f"create temp table refused_{table} (line bigint, block_number bigint, differs varchar)"
    )
    _absorb(connection, table, f"staged_{table}")
    connection.execute(
        f"""create temp table fresh_{table} as select {listed} from staged_{table} as s
        where not exists (from {table} as t where {_same(table)})"""
    )
    connection.execute(f"insert into {table} ({listed}) select {listed} from fresh_{table}")
    _absorb(connection, table, f"later_{table}")
    return int(scalar(connection, f"select count(*) from fresh_{table}"))


def _set_repeats_apart(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Move all but the first of the rows that a file has of one place to `later_<table>`."""
    place = ", ".join(_place(table))
    connection.execute(
        f"""create temp table later_{table} as select rowid as staged_at, * from staged_{table}
        where ({place}) in (select ({place}) from staged_{table} group by all having count(*) > 1)
        qualify row_number() over (partition by {place} order by line) > 1"""
    )
    connection.execute(
        f"delete from staged_{table} where rowid in (select staged_at from later_{table})"
    )


def _absorb(connection: duckdb.DuckDBPyConnection, table: str, source: str) -> None:
    """Hold rows against the stored ones of the same place: refuse, fill in, or leave."""
    # A comparison with null is no contradiction: one of the two does not know.
    differing = {
        name: f"coalesce({_known('s', name)} <> {_known('t', name)}, false)"
        for name in columns_of(table)
    }
    differs = ", ".join(f"case when {why} then '{name}' end" for name, why in differing.items())
    connection.execute(
        f"""insert into refused_{table}
        select s.line, s.block_number, concat_ws(', ', {differs})
        from {source} as s join {table} as t on {_same(table)}
        where {" or ".join(differing.values())}"""
    )
    unsure = [
        name
        for name, column in tables()[table].items()
        if not column.required or name.endswith(_BASIS)
    ]
    filled = ", ".join(f"{name} = coalesce({_known('t', name)}, s.{name})" for name in unsure)
    lacks = " or ".join(
        f"({_known('t', name)} is null and {_known('s', name)} is not null)" for name in unsure
    )
    connection.execute(
        f"""update {table} as t set {filled} from {source} as s
        where {_same(table)} and ({lacks}) and not ({" or ".join(differing.values())})"""
    )


def _known(row: str, name: str) -> str:
    """Return a column of a row; of a basis, `none` is null."""
    return f"nullif({row}.{name}, 'none')" if name.endswith(_BASIS) else f"{row}.{name}"


def _place(table: str) -> list[str]:
    return [name for name in _PLACE if name in columns_of(table)]


def _same(table: str) -> str:
    return " and ".join(f"s.{name} = t.{name}" for name in _place(table))


def _used(connection: duckdb.DuckDBPyConnection, staged: list[str]) -> int:
    sides = "select block_number, log_index, item_index // 2 as side, market from fresh_{}"
    told = [sides.format(table) for table in staged if "market" in columns_of(table)]
    if not told:
        return 0
    return int(scalar(connection, f"select count(*) from ({' union '.join(told)})"))


def _reject(
    connection: duckdb.DuckDBPyConnection, folder: Path, brought: Brought, staged: list[str]
) -> int:
    """Write what was refused of a file to `rejects`; return how many rows."""
    names = ", ".join(columns_of("rejects"))
    told = [
        f"""select {brought.chain_id}, block_number, line, ? || ', line ' || line, ?, ?,
        '{table}', 'contradicts what is stored of the same trade: ' || differs
        from refused_{table}"""
        for table in staged
    ]
    values: list[object] = [brought.file, brought.protocol, brought.kind] * len(told)
    if _stage(connection, folder, "rejects"):
        told.append(f"select {names} from staged_rejects")
    if not told:
        return 0
    connection.execute(f"create temp table refused as {' union all '.join(told)}", values)
    connection.execute(f"insert into rejects ({names}) from refused")
    return int(scalar(connection, "select count(*) from refused"))


def _write_knowledge(
    connection: duckdb.DuckDBPyConnection, brought: Brought, stated: Mapping[str, pl.DataFrame]
) -> None:
    replace_policies(connection, [brought.protocol], stated["policies"])
    own: list[object] = [brought.chain_id, brought.protocol]
    delete(connection, "accounts", "chain_id = ? and protocol = ?", own)
    insert(connection, "accounts", stated["accounts"])
    if brought.about is None:
        # What a file of one account or market lacks says nothing of the venue.
        told = stated["declared_facts"]
        insert_missing(connection, "declared_facts", told, ["chain_id", "protocol", "fact"])
    origin = pl.DataFrame([(brought.chain_id, *_ORIGIN)], columns_of("origins"), orient="row")
    insert_missing(connection, "origins", origin, list(columns_of("origins")))

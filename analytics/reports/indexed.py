"""What a database can be asked about: the protocols and chains that are there, a time in order."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from analytics import load
from analytics.errors import UserError
from analytics.reports.chain_names import CHAIN_NAMES, chain_name


def check_order(since: object, until: object) -> None:
    """Refuse a time that ends before it begins; what is no moment has no order."""
    if isinstance(since, datetime) and isinstance(until, datetime) and since > until:
        raise UserError(
            f"the time would end at {until}, before {since}: swap the times, or name a later end"
        )


def indexed(con: load.Connection) -> pl.DataFrame:
    """Return which protocols are there on which chains, indexed or imported: protocol, chain_id."""
    return pl.concat(
        load.facts(con, table).select("protocol", "chain_id").unique()
        for table in ("coverage", "imports")
    ).collect()


def check_indexed(covered: pl.DataFrame, protocol: str | None, chain_id: int | None) -> None:
    """
    Refuse a protocol or chain that is neither indexed nor imported: its numbers would be empty.

    Args:
        covered: what is there, as `indexed` returns it.
        protocol: the protocol asked for, None for all.
        chain_id: the chain asked for, None for all.

    Raises:
        UserError: it is not indexed; the message says what is.
    """
    names = {each: chain_name(each) for each in covered["chain_id"]}
    chain = None if chain_id is None else names.get(chain_id, CHAIN_NAMES.get(chain_id, chain_id))
    _check_there("protocol", protocol, covered["protocol"].to_list())
    _check_there("chain", chain, list(names.values()))


def _check_there(what: str, wanted: str | int | None, there: Sequence[str]) -> None:
    if wanted is not None and wanted not in there:
        known = ", ".join(sorted({*there})) or "nothing yet"
        raise UserError(f"{what} {wanted or repr(wanted)} is not in this database: it has {known}")

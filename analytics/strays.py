"""Facts that nothing fetched or imported tells of: they stand in no covered block, in no file."""

from collections.abc import Iterable
from datetime import datetime

import polars as pl

from analytics.load import Connection, rows

# What lies between the spans of a chain and protocol, and before and after them all. Files have no
# blocks: of a venue that is no chain, the microseconds from the first to the last of its entries.
_GAPS = """
    with spans as (
        select chain_id, protocol, from_block as low, to_block as high from coverage
        union all
        select chain_id, protocol, epoch_us(min(from_at)), epoch_us(max(to_at)) from imports
        where from_at is not null
        group by chain_id, protocol
    ), gaps as (
        select chain_id, protocol, low - 1 as last, max(high) over (
            partition by chain_id, protocol order by low, high
            rows between unbounded preceding and 1 preceding
        ) + 1 as first
        from spans
        union all
        select chain_id, protocol, null, max(high) + 1 from spans group by chain_id, protocol
    )
"""
_STRAYS = """
    select '{0}' as fact, held.chain_id, held.protocol, count(*) as row_count
    from {0} as held
    left join gaps on held.chain_id = gaps.chain_id and held.protocol = gaps.protocol
    where
        ($protocol is null or held.protocol = $protocol)
        and ($chain_id is null or held.chain_id = $chain_id)
        and ($until is null or held.block_timestamp <= $until)
        and (
            gaps.protocol is null
            or case when held.chain_id < 0 then epoch_us(held.block_timestamp) else block_number end
            between coalesce(gaps.first, -1e18::bigint) and coalesce(gaps.last, 9e18::bigint)
        )
    group by held.chain_id, held.protocol
"""


def strays(
    con: Connection,
    tables: Iterable[str],
    *,
    protocol: str | None = None,
    chain_id: int | None = None,
    until: datetime | None = None,
) -> pl.DataFrame:
    """
    Return how many facts stand in no block that is covered, and not in the time of imported files.

    Files of a chain and protocol are one time, from the first to the last of all their entries.

    Args:
        con: an open database.
        tables: of facts.
        protocol: only of this protocol.
        chain_id: only of this chain.
        until: only events at or before this UTC time.

    Returns:
        One row per table, chain and protocol that has any, sorted: fact, chain_id, protocol,
        row_count.
    """
    asked = " union all ".join(map(_STRAYS.format, tables))
    given = {"protocol": protocol, "chain_id": chain_id, "until": until}
    return rows(con, f"{_GAPS} {asked} order by all", given)

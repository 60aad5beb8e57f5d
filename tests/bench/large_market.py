"""A large database of made-up facts, filled by DuckDB itself, to measure analytics with."""

from pathlib import Path

import duckdb

from analytics.load import SCHEMA_VERSION

ROOT = Path(__file__).parents[2]
DAYS = 60
MARKETS = 40
ACCOUNTS = 100_000
SCALE = 1_000_000

_KEYS = """
    chain_id, block_number, log_index, item_index, tx_hash, block_timestamp, protocol, version
"""
# Rows lie in blocks of 50 as an indexer would have written them, and what they say follows from
# their number alone. An account trades three markets.
_EVENLY = f"i * ({DAYS} * 86400000000 // {{rows}})"
# Exits come in ten minutes of every six hours.
_IN_BURSTS = f"({_EVENLY}) // 21600000000 * 21600000000 + ({_EVENLY}) % 21600000000 // 36"
_EVENTS = f"""
    select
        case when i % 2 = 0 then 42161 else 8453 end as chain_id,
        100000000 + i // 50 as block_number,
        (i % 50)::integer as log_index,
        0 as item_index,
        '0x' || md5((i // 2)::varchar) || md5((-i // 2)::varchar) as tx_hash,
        timestamp '2025-09-01' + to_microseconds({{moment}}) as block_timestamp,
        case when i % 2 = 0 then 'gmx_v2' else 'synthetix_v3' end as protocol,
        case when i % 2 = 0 then 'v2' else 'v3' end as version,
        hash(i * 7) % {ACCOUNTS} as who,
        '0x' || md5('m' || ((who + hash(i) % 3) % {MARKETS})::varchar) || '00000000' as market,
        '0x' || md5('a' || who::varchar) || '00000000' as account,
        hash(i * 3) % 2 = 0 as is_long,
        (hash(i * 5) % 1000000000)::bigint * 0.001::decimal(38, 18) as amount,
        'event' as evidence
    from range({{rows}}) as numbers (i)
"""
_FILLED = {
    "position_changes": (
        10 * SCALE,
        "market, account, 'trade', is_long, if(log_index % 2 = 0, amount, -amount), 'event'",
        "market, account, cause, is_long, notional_delta_usd, evidence",
    ),
    "liquidations": (
        SCALE,
        "market, account, is_long, amount, amount * 0.1, amount * 0.01, 'none', 'direct', 'event'",
        "market, account, is_long, notional_usd, collateral_usd, fee_usd, shortfall_basis, "
        "derivation, evidence",
    ),
    "adls": (
        SCALE // 10,
        "market, account, is_long, amount, 'direct', 'event'",
        "market, account, is_long, notional_usd, derivation, evidence",
    ),
    "oracle_updates": (
        10 * SCALE,
        "market, 'A' || market[3:8], 'USD', 1000 + amount * 0.000001, 'event'",
        "feed, asset, quote, oracle_price_quote, evidence",
    ),
    "open_interest": (
        SCALE,
        "market, is_long, amount + 1000000, 'event'",
        "market, is_long, open_interest_usd, evidence",
    ),
    "funding": (
        SCALE,
        "market, is_long, amount * 0.000000000001, 'event'",
        "market, is_long, funding_rate_daily_ratio, evidence",
    ),
    "fees": (
        SCALE,
        "market, account, 'position', amount, amount * 0.5, amount * 0.25, amount * 0.25, "
        "'event', 'event'",
        "market, account, fee_kind, fee_usd, supply_side_usd, treasury_usd, holders_usd, "
        "split_basis, evidence",
    ),
    "buybacks": (
        SCALE // 100,
        "'0xtoken', amount, amount * 0.125, 'treasury', 'event'",
        "bought_token, bought_tokens, spent_usd, destination_kind, evidence",
    ),
}


def fill(path: Path, scale: int = 1) -> None:
    """
    Write a database of 10 million position changes, a million liquidations and so on.

    Args:
        path: the file to make.
        scale: how many times as many rows.
    """
    with duckdb.connect(str(path)) as con:
        con.execute((ROOT / "indexer" / "schema.sql").read_text(encoding="utf-8"))
        for table, (rows, values, columns) in _FILLED.items():
            con.execute(
                f"insert into {table} ({_KEYS}, {columns}) select {_KEYS}, {values} "
                f"from ({_EVENTS.format(rows=rows * scale, moment=_moment(table, rows * scale))})"
            )
        _cover(con, 10 * SCALE * scale // 50)


def _moment(table: str, rows: int) -> str:
    return (_IN_BURSTS if table in {"liquidations", "adls"} else _EVENLY).format(rows=rows)


def _cover(con: duckdb.DuckDBPyConnection, blocks: int) -> None:
    con.execute("insert into schema_version values (?, 'benchmark')", [SCHEMA_VERSION])
    for chain, protocol in ((42161, "gmx_v2"), (8453, "synthetix_v3")):
        con.execute("insert into origins values (?, 'benchmark', 'simulated')", [chain])
        con.execute(
            "insert into coverage values (?, ?, 100000000, ?, 'd', 'finalized', null, 'bloom', "
            "null, '0', '0x')",
            [chain, protocol, 100_000_000 + blocks],
        )

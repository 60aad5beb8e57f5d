"""Rows of every fact, few and telling enough that every metric has something to say of them."""

import polars as pl
from handmade import at, table

SPLIT = {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
STOOD = {"tick": 0, "price_quote": 1, "liquidity_tokens": 5}
DUE = {"heartbeat_seconds": 1, "threshold_bps": 0}


def every_fact() -> dict[str, pl.DataFrame]:
    """Return the tables by name."""
    return {
        "fees": table(
            "fees",
            SPLIT | {"fee_kind": "interest"},
            {"fee_tokens": 1, "fee_token": "0xusdc", "block_timestamp": at(days=1)},
        ),
        "buybacks": table("buybacks", {"spent_usd": 1}),
        "balances": table("balances", {"balance_tokens": 1}),
        "token_supplies": table("token_supplies", {"supply_tokens": 9}),
        "liquidations": table("liquidations", {"notional_usd": 5}),
        "adls": table("adls", {"notional_usd": 5, "is_long": True}),
        "credit_events": table(
            "credit_events",
            *({"kind": kind} for kind in ("payment", "default", "recovery", "impairment")),
        ),
        "adl_states": table("adl_states", {"pnl_to_pool_ratio": "0.9"}),
        "pool_states": table("pool_states", {"assets_tokens": 5, "principal_tokens": 4}),
        "share_prices": table("share_prices", {"asset_token": "0xusdc", "block_timestamp": at(1)}),
        "blocks": table("blocks", {}),
        "coverage": table("coverage", {}),
        "pool_liquidity": table(
            "pool_liquidity", STOOD, STOOD | {"block_timestamp": at(days=1), "block_number": 2}
        ),
        "open_interest": table(
            "open_interest",
            {"open_interest_usd": 5},
            {"open_interest_usd": 6, "block_timestamp": at(days=1), "block_number": 2},
        ),
        "impact_parameters": table(
            "impact_parameters", {"is_positive": False, "factor_trillionths": 1}, {"exponent": 2}
        ),
        **_priced(),
    }


def _priced() -> dict[str, pl.DataFrame]:
    """Return two feeds that differ for a day, and what is priced by them."""
    later = {"block_timestamp": at(days=1)}
    own: dict[str, object] = {"asset": "BTC"}
    other = own | {"feed": "0xother", "protocol": "other"}
    of_pool = {"asset_token": "0xusdc", "block_timestamp": at(1)}
    return {
        "oracle_updates": table(
            "oracle_updates",
            *(own | {"oracle_price_quote": 2}, other, other | {"block_timestamp": at(1)}),
            *(own | later, other | later | {"oracle_price_quote": 3}),
            *_quotes(),
        ),
        "feeds": table("feeds", own | {"feed": "0xf", "name": "BTC/USD", "kind": "price"} | DUE),
        "markets": table(
            "markets", {"symbol": "BTC", "asset_class": "crypto", "known_by": "event"}
        ),
        "position_changes": table(
            "position_changes",
            {"execution_price_usd": 1, "realized_pnl_usd": 5},
            {"notional_delta_usd": 10, "execution_price_usd": 91, "block_timestamp": at(60)},
            {"notional_delta_usd": 10, "execution_price_usd": 96, "tx_hash": f"0x{6:064x}"}
            | {"block_timestamp": at(60)},
        ),
        "funding": table("funding", {"funding_rate_daily_ratio": 1, "paid_usd": 1}),
        "tokens": table(
            "tokens", {"address": "0xusdc", "symbol": "BTC", "decimals": 6, "known_by": "call"}
        ),
        "pool_flows": table("pool_flows", of_pool | {"kind": "deposit", "asset_tokens": 1}),
    }


def _quotes() -> list[dict[str, object]]:
    return [
        {"asset": asset, "feed": feed, "oracle_price_quote": price, "block_timestamp": at(seconds)}
        for asset, feed in (("BTC", "0xf"), ("BTC", "0xthird"), ("ETH", "0xeth"))
        for seconds, price in ((2, 100), (60, 90), (120, 95), (180, 80))
    ] + [
        # Two venues with enough moves for one to lead.
        {"asset": "SOL", "feed": venue, "protocol": venue, "oracle_price_quote": 20 + step % 3}
        | {"block_timestamp": at(10 * step)}
        for venue in ("venue", "other")
        for step in range(15)
    ]

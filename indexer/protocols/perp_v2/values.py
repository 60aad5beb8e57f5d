"""Perpetual Protocol v2: what several of its tables share."""

from indexer.spec import (
    Fixed,
    Int,
    Value,
)

Columns = dict[str, Value]

HOUSE, BALANCES, VAULT = "perp_v2/ClearingHouse", "perp_v2/AccountBalance", "perp_v2/Vault"
EXCHANGE, REGISTRY = "perp_v2/Exchange", "perp_v2/MarketRegistry"
USDC = "0x7f5c764cbc14f9669b88837ca1490cca17c31607"

PAID_NOTHING = Fixed(Int(0), 0)
OF_TRADER: Columns = {"market": "baseToken", "account": "trader"}

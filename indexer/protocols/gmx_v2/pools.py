"""GMX v2: prices, and what the pools are worth."""

from indexer.protocols.gmx_v2.values import ABI, NAMED, PER_TOKEN, Columns
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Equals,
    Event,
    Exists,
    Fixed,
    Keyed,
    Neg,
    Nonzero,
    Not,
    OfMarket,
    Quotient,
    Sum,
    Time,
    When,
)

ORACLE: Columns = {
    "feed": "token",
    "asset": NAMED["token"],
    "quote": Const("USD"),
    "oracle_price_quote": Fixed(Sum(("minPrice", "maxPrice")), PER_TOKEN, over=2),
    "oracle_price_min_quote": Fixed("minPrice", PER_TOKEN),
    "oracle_price_max_quote": Fixed("maxPrice", PER_TOKEN),
    "observed_at": Time("timestamp"),
    "provider": "provider",
}

VALUED, VAULT_VALUED = Keyed("MarketPoolValueUpdated"), Keyed("GlvValueUpdated")
BY_KEY = {"key": "tradeKey"}
POOL = Companion(VALUED, "market", BY_KEY)
FLOW: Columns = {"pool": POOL, "account": "account"}
IS_OF_A_POOL = Exists(POOL)
LONG, SHORT = "longTokenAmount", "shortTokenAmount"
SHARES = Fixed("receivedMarketTokens", 18)
DEPOSITED_LONG: Columns = {
    **FLOW,
    "kind": Const("deposit"),
    "asset_token": OfMarket(POOL, "long_token"),
    "asset_tokens": Amount(LONG, OfMarket(POOL, "long_token")),
    "share_tokens": SHARES,
}
# Shares of a deposit of both tokens stand on the row of the first.
DEPOSITED_SHORT: Columns = {
    **FLOW,
    "kind": Const("deposit"),
    "asset_token": OfMarket(POOL, "short_token"),
    "asset_tokens": Amount(SHORT, OfMarket(POOL, "short_token")),
    "share_tokens": When(Equals(LONG, 0), SHARES),
}
SUPPLY = "marketTokensSupply"
OF_TRADE = {"tradeKey": "tradeKey"}
BEFORE = Companion(Keyed("MarketPoolValueInfo"), SUPPLY, OF_TRADE)
AFTER = Companion(VALUED, SUPPLY, OF_TRADE)
# What a withdrawal pays out stands beside its fees, a log per token of the pool; the receiver may
# have it swapped, for fees of another type. Its shares stand on the row of the first.
PAID_OUT = Keyed("SwapFeesCollected")
WITHDRAWAL = "0xda1ac8fcb4f900f8ab7c364d553e5b6b8bdc58f74160df840be80995056f3838"
OWNER = Companion(Keyed("WithdrawalExecuted"), "account", {"tradeKey": "key"})
SAME_TYPE = {**OF_TRADE, "swapFeeType": "swapFeeType"}
IS_FIRST = Not(Exists(Companion(PAID_OUT, "market", SAME_TYPE, nearest="before")))
WITHDRAWN: Columns = {
    "pool": "market",
    "account": OWNER,
    "kind": Const("withdrawal"),
    "asset_token": "token",
    "asset_tokens": Amount("amountAfterFees", "token"),
    "share_tokens": When(IS_FIRST, Fixed(Sum((BEFORE, Neg(AFTER))), 18)),
}
MARKET_PRICE: Columns = {
    "pool": "market",
    "asset_token": Const("USD"),
    "share_price_tokens": Fixed(Quotient("poolValue", SUPPLY), 12),
    "supply_tokens": Fixed(SUPPLY, 18),
}
# What shares are worth by their supply has no price without a share: an emptied one says so here.
MARKET_VALUE: Columns = {
    "pool": "market",
    "part": "market",
    "asset_token": Const("USD"),
    "assets_tokens": Fixed("poolValue", 30),
}
VAULT_PRICE: Columns = {
    "pool": "glv",
    "asset_token": Const("USD"),
    "share_price_tokens": Fixed(Quotient("value", "supply"), 12),
    "supply_tokens": Fixed("supply", 18),
}
VAULT_VALUE: Columns = {
    "pool": "glv",
    "part": "glv",
    "asset_token": Const("USD"),
    "assets_tokens": Fixed("value", 30),
    "holds_pools": Const(value=True),
}

POOLS = (
    Event(ABI, Keyed("OraclePriceUpdate"), "oracle_updates", ORACLE, is_confirmed=True),
    Event(
        ABI,
        Keyed("DepositExecuted"),
        "pool_flows",
        DEPOSITED_LONG,
        (IS_OF_A_POOL, Nonzero(LONG)),
        is_confirmed=True,
    ),
    Event(
        ABI,
        Keyed("DepositExecuted"),
        "pool_flows",
        DEPOSITED_SHORT,
        (IS_OF_A_POOL, Nonzero(SHORT)),
        is_confirmed=True,
    ),
    Event(
        ABI,
        PAID_OUT,
        "pool_flows",
        WITHDRAWN,
        (Equals("swapFeeType", WITHDRAWAL), Exists(AFTER)),
        evidence="derived",
        is_confirmed=True,
    ),
    Event(ABI, VALUED, "share_prices", MARKET_PRICE, (Nonzero(SUPPLY),), is_confirmed=True),
    Event(ABI, VALUED, "pool_states", MARKET_VALUE, is_confirmed=True),
    Event(
        ABI,
        VAULT_VALUED,
        "share_prices",
        VAULT_PRICE,
        (Nonzero("supply"),),
        is_confirmed=True,
    ),
    Event(ABI, VAULT_VALUED, "pool_states", VAULT_VALUE, is_confirmed=True),
)

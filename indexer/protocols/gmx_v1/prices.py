"""GMX v1: prices of the fast feeds, and the reference they compare them with."""

from indexer.spec import (
    Const,
    Emitter,
    Event,
    First,
    Fixed,
    OfMarket,
    SymbolOf,
    Value,
)

PRICE: dict[str, Value] = {
    "asset": First((OfMarket("token", "symbol"), SymbolOf("token"))),
    "quote": Const("USD"),
}

PRICES = (
    Event(
        abi="gmx_v1/FastPriceEvents",
        name="PriceUpdate",
        into="oracle_updates",
        columns={
            **PRICE,
            "feed": "token",
            "oracle_price_quote": Fixed("price", 30),
            "provider": "priceFeed",
        },
        is_confirmed=True,
    ),
    Event(
        abi="gmx_v1/FastPriceFeed",
        name="SetPrice",
        into="oracle_updates",
        columns={
            **PRICE,
            "feed": "token",
            "oracle_price_quote": Fixed("price", 30),
            "provider": Emitter(),
        },
    ),
    # The reference (Chainlink's) beside the fast price that was in force until this one.
    Event(
        abi="gmx_v1/PriceFeed",
        name="PriceData",
        into="oracle_updates",
        columns={
            **PRICE,
            "feed": Emitter(),
            "oracle_price_quote": Fixed("refPrice", 8),  # as Chainlink answers, not 1e30
        },
        is_confirmed=True,
    ),
)

"""GMX v2: names and units that several of its tables share."""

from indexer.spec import (
    Const,
    DecimalsOf,
    Equals,
    OfMarket,
    SymbolOf,
    Value,
    When,
)

Columns = dict[str, Value]

ABI = "gmx_v2/EventEmitter"

PER_TOKEN = DecimalsOf("token", plus=30, times=-1)
WORTH = "collateralTokenPrice.min"
BY_ORDER = {"orderKey": "orderKey"}

INDEX = OfMarket("market", "index_token")
IN_INDEX = DecimalsOf(INDEX)
PER_INDEX = DecimalsOf(INDEX, plus=30, times=-1)

NAMED = {
    token: When(
        Equals(SymbolOf(token), "WETH"),
        Const("ETH"),
        When(Equals(SymbolOf(token), "WAVAX"), Const("AVAX"), SymbolOf(token)),
    )
    for token in ("indexToken", "token")
}

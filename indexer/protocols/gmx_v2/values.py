"""GMX v2: names and units that several of its tables share."""

from indexer.spec import (
    Companion,
    Const,
    DecimalsOf,
    Equals,
    Keyed,
    OfMarket,
    OneOf,
    SymbolOf,
    Value,
    When,
)

Columns = dict[str, Value]

ABI = "gmx_v2/EventEmitter"

PER_TOKEN = DecimalsOf("token", plus=30, times=-1)
WORTH = "collateralTokenPrice.min"
BY_ORDER = {"orderKey": "orderKey"}

# An insolvent close pays funding, pnl, fees, impact and diff in turn, until it cannot (the step);
# its PositionFeesCollected says zeros even of what was paid before, which PositionFeesInfo tells
# (DecreasePositionCollateralUtils.sol).
STEP = Companion(Keyed("InsolventClose"), "step", BY_ORDER)
PAID_ITS_FUNDING = OneOf(STEP, ("pnl", "impact", "diff"))
PAID_ITS_FEES = OneOf(STEP, ("impact", "diff"))

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

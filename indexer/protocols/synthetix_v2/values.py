"""What both generations share: contracts, the dollar they count in, who a row is about."""

from indexer.spec import Const, Emitter, Fixed, Int, Value

MANAGER, MARKET = "synthetix_v2/FuturesMarketManager", "synthetix_v2/Market"
SUSD = "0x8c6f28f2f1a3c87f0f938b96d27520d9751ec8d9"
POSITION: dict[str, Value] = {
    "market": Emitter(),
    "account": "account",
    "position_id": "id",
    "collateral_token": Const(SUSD),
}
ZERO = Fixed(Int(0), 0)
PAID: dict[str, Value] = {
    "market": Emitter(),
    "account": "account",
    "fee_token": Const(SUSD),
}

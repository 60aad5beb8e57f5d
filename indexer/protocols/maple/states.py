"""What pools, managers and strategies hold: logged at every change, or read once a day."""

from indexer.protocols.maple.markets import MANAGER_FTL, MANAGER_OTL, OF_POOL, OWN_ASSET
from indexer.spec import (
    Amount,
    Call,
    Emitter,
    Event,
    Fixed,
    Int,
    Read,
    Seconds,
    Value,
)

# Shares carry the asset's decimals, so assets for 1e18 of the smallest share give all 18 places.
MANY_SHARES = Int(10**18)

PART: dict[str, Value] = {"pool": OF_POOL, "part": Emitter(), "asset_token": OWN_ASSET}

STATES = tuple(
    Event(abi, name, "pool_states", {**PART, column: Amount(amount, OWN_ASSET)}, version="2")
    for abi, name, column, amount in (
        (MANAGER_FTL, "PrincipalOutUpdated", "principal_tokens", "principalOut_"),
        (MANAGER_OTL, "PrincipalOutUpdated", "principal_tokens", "principalOut_"),
        # uint256 here and uint128 there: two topics.
        (MANAGER_FTL, "UnrealizedLossesUpdated", "unrealized_loss_tokens", "unrealizedLosses_"),
        (MANAGER_OTL, "UnrealizedLossesUpdated", "unrealized_loss_tokens", "unrealizedLosses_"),
    )
)

READS = (
    Read(
        name="share_price",
        abi="maple/Pool",
        calls=(
            Call("convertToAssets", (MANY_SHARES,)),
            Call("totalSupply"),
            Call("asset"),
        ),
        every=Seconds(86_400),
        into="share_prices",
        columns={
            "pool": Emitter(),
            "asset_token": "asset",
            "share_price_tokens": Fixed("convertToAssets", 18),
            "supply_tokens": Amount("totalSupply", Emitter()),
        },
        version="2",
    ),
    Read(
        name="pool_state",
        abi="maple/Pool",
        calls=(Call("totalAssets"), Call("unrealizedLosses"), Call("asset")),
        every=Seconds(86_400),
        into="pool_states",
        columns={
            "pool": Emitter(),
            "part": Emitter(),
            "asset_token": "asset",
            "assets_tokens": Amount("totalAssets", "asset"),
            "unrealized_loss_tokens": Amount("unrealizedLosses", "asset"),
        },
        version="2",
    ),
    Read(
        name="strategy_state",
        abi="maple/Strategy",
        calls=(Call("assetsUnderManagement"), Call("unrealizedLosses")),
        every=Seconds(86_400),
        into="pool_states",
        columns={
            "pool": OF_POOL,
            "part": Emitter(),
            "asset_token": OWN_ASSET,
            "assets_tokens": Amount("assetsUnderManagement", OWN_ASSET),
            "unrealized_loss_tokens": Amount("unrealizedLosses", OWN_ASSET),
        },
        version="2",
    ),
)

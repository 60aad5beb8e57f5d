"""gToken vaults, the counterparties of traders: flows, share prices, and GNS burnt or minted."""

from indexer.protocols.gains.values import STABLE
from indexer.spec import (
    Amount,
    Condition,
    Const,
    Emitter,
    Event,
    Evidence,
    Fixed,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Value,
)

ABI = "gains/GToken"
ASSET = OfMarket(Emitter(), "index_token")
AT_PAR = OneOf(ASSET, STABLE)
ASSETS = Amount("assets", ASSET)
# A vault with more than it owes sells the excess for GNS and burns that; one with less mints GNS.
BURNED: dict[str, Value] = {
    "bought_token": OfContract("gns"),
    "bought_tokens": Fixed("amountGns", 18),
    "spent_token": ASSET,
    "spent_tokens": ASSETS,
    "burned_tokens": Fixed("amountGns", 18),
    "destination_kind": Const("zero_burn"),
}
REFILLED: dict[str, Value] = {
    "kind": Const("insurance_in"),
    "account": "sender",
    "asset_token": ASSET,
    "shortfall_tokens": ASSETS,
}
DOLLARS: tuple[tuple[Condition, Evidence, dict[str, Value], dict[str, Value]], ...] = (
    (AT_PAR, "assumed", {"spent_usd": ASSETS}, {"shortfall_usd": ASSETS}),
    (Not(AT_PAR), "event", {}, {}),
)
VAULTS = (
    *(
        Event(
            abi=ABI,
            name=event,
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": Emitter(),
                "account": "owner",
                "asset_token": ASSET,
                "asset_tokens": ASSETS,
                "share_tokens": Amount("shares", ASSET),  # shares have the asset's decimals
            },
        )
        for event, kind in (("Deposit", "deposit"), ("Withdraw", "withdrawal"))
    ),
    Event(
        abi=ABI,
        name="ShareToAssetsPriceUpdated",
        into="share_prices",
        columns={
            "pool": Emitter(),
            "asset_token": ASSET,
            "share_price_tokens": Fixed("newValue", 18),
        },
    ),
    *(
        Event(
            abi=ABI,
            name="Depleted",
            into="buybacks",
            columns={**BURNED, **spent},
            where=(condition,),
            evidence=evidence,
        )
        for condition, evidence, spent, _ in DOLLARS
    ),
    *(
        Event(
            abi=ABI,
            name="Refilled",
            into="shortfalls",
            columns={**REFILLED, **lacked},
            where=(condition,),
            evidence=evidence,
        )
        for condition, evidence, _, lacked in DOLLARS
    ),
)

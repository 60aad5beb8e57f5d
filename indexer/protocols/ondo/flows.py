"""What managers complete: mints, redemptions and what they charged, by generation."""

from indexer.spec import (
    Amount,
    Const,
    Event,
    Fixed,
    Nonzero,
    OfContract,
    Value,
)

FUND = OfContract("token")
CASH = OfContract("asset")
POOL: dict[str, Value] = {"pool": FUND}
IN_DOLLARS: dict[str, Value] = {**POOL, "asset_token": Const("USD")}
MINT: dict[str, Value] = {**POOL, "kind": Const("mint")}
REDEMPTION: dict[str, Value] = {**POOL, "kind": Const("redemption")}
FEE: dict[str, Value] = {"market": FUND, "split_basis": Const("none")}

CASH_MANAGER = "ondo/CashManager"
HUB = "ondo/Hub"
V1 = "ondo/InstantManagerV1"
V2 = "ondo/InstantManager"

# The hub of OUSG names the fee of a redemption; that of USDY, the older one, does not.
WITH_FEE = "RedemptionCompleted(address,bytes32,uint256,uint256,uint256,uint256,uint256)"
WITHOUT_FEE = "RedemptionCompleted(address,bytes32,uint256,uint256,uint256)"

DEPOSITED, RETURNED = "collateralAmountDeposited", "collateralAmountReturned"
COMPLETED: tuple[tuple[str, str, dict[str, Value], str, str], ...] = (
    (CASH_MANAGER, "MintCompleted", MINT, DEPOSITED, "cashAmountOut"),
    (CASH_MANAGER, "RedemptionCompleted", REDEMPTION, RETURNED, "cashAmountRequested"),
    (HUB, "MintCompleted", MINT, DEPOSITED, "rwaAmountOut"),
    (HUB, WITH_FEE, REDEMPTION, RETURNED, "rwaAmountRequested"),
    (HUB, WITHOUT_FEE, REDEMPTION, RETURNED, "rwaAmountRequested"),
)
CHARGED = (
    (CASH_MANAGER, "MintRequested", "subscription"),
    (HUB, "MintRequested", "subscription"),
    (HUB, WITH_FEE, "redemption"),
)

ON_REQUEST = (
    *(
        Event(
            abi=abi,
            name=name,
            into="pool_flows",
            columns={
                **kind,
                "account": "user",
                "asset_token": CASH,
                "asset_tokens": Amount(assets, CASH),
                "share_tokens": Amount(shares, FUND),
            },
        )
        for abi, name, kind, assets, shares in COMPLETED
    ),
    *(
        Event(
            abi=abi,
            name=name,
            into="fees",
            columns={
                **FEE,
                "account": "user",
                "fee_kind": Const(kind),
                "fee_token": CASH,
                "fee_tokens": Amount("feeAmount", CASH),
            },
            where=(Nonzero("feeAmount"),),
        )
        for abi, name, kind in CHARGED
    ),
    Event(
        abi=CASH_MANAGER,
        name="RedemptionFeesCollected",  # of all who are paid at once
        into="fees",
        columns={
            **FEE,
            "fee_kind": Const("redemption"),
            "fee_token": CASH,
            "fee_tokens": Amount("collateralAmountOut", CASH),
        },
        where=(Nonzero("collateralAmountOut"),),
    ),
)

INSTANT_V1 = (
    *(
        Event(
            abi=V1,
            name=name,
            into="pool_flows",
            columns={
                **MINT,
                "account": "sender",
                "asset_token": CASH,
                "asset_tokens": Amount("usdcAmountIn", CASH),
                "share_tokens": Amount("ousgAmountOut", FUND),
            },
        )
        for name in ("InstantMintOUSG", "InstantMintRebasingOUSG")
    ),
    *(
        Event(
            abi=V1,
            name=name,
            into="pool_flows",
            columns={
                **REDEMPTION,
                "account": "sender",
                "asset_token": CASH,
                "asset_tokens": Amount("usdcAmountOut", CASH),
                "share_tokens": Amount("ousgAmountIn", FUND),
            },
        )
        for name in ("InstantRedemptionOUSG", "InstantRedemptionRebasingOUSG")
    ),
    *(
        Event(
            abi=V1,
            name=name,
            into="fees",
            columns={
                **FEE,
                "account": "sender",
                "fee_kind": Const(kind),
                "fee_token": CASH,
                "fee_tokens": Amount("usdcFees", CASH),
            },
            where=(Nonzero("usdcFees"),),
        )
        for name, kind in (
            ("MintFeesDeducted", "subscription"),
            ("RedeemFeesDeducted", "redemption"),
        )
    ),
)

INSTANT_V2 = (
    Event(
        abi=V2,
        name="Subscription",
        into="pool_flows",
        columns={
            **MINT,
            "account": "subscriber",
            "asset_token": "depositToken",
            "asset_tokens": Amount("depositAmount", "depositToken"),
            "share_tokens": Amount("rwaAmount", FUND),
        },
    ),
    Event(
        abi=V2,
        name="Redemption",
        into="pool_flows",
        columns={
            **REDEMPTION,
            "account": "redeemer",
            "asset_token": "receivingToken",
            "asset_tokens": Amount("receiveTokenAmount", "receivingToken"),
            "share_tokens": Amount("rwaAmount", FUND),
        },
    ),
    Event(
        abi=V2,
        name="AdminSubscription",
        into="pool_flows",
        columns={
            **MINT,
            **IN_DOLLARS,
            "account": "recipient",
            "share_tokens": Amount("rwaAmount", FUND),
        },
    ),
    *(
        Event(
            abi=V2,
            name=name,
            into="fees",
            columns={
                **FEE,
                "account": account,
                "fee_kind": Const(kind),
                "fee_usd": Fixed("fee", 18),
            },
            where=(Nonzero("fee"),),
        )
        for name, kind, account in (
            ("Subscription", "subscription", "subscriber"),
            ("Redemption", "redemption", "redeemer"),
        )
    ),
)

FLOWS = (*ON_REQUEST, *INSTANT_V1, *INSTANT_V2)

"""
Compound v3 (Comet): one token per market is lent, others are collateral that earns nothing.

Contracts  https://github.com/compound-finance/comet (deployments/*/*/roots.json; tokens in
           configuration.json beside them). Blocks are those of each chain's first market, as in
           https://github.com/Compound-Foundation/webb3-backend-api (c3-api/lib/well-known).
Split      none: interest and reserves are state.
Units      amounts in the token's own decimals. The index of deposits has 15 places.
           https://github.com/compound-finance/comet/blob/main/contracts/CometMainInterface.sol

A supply first repays the account's debt; what is left of it is minted, as a Transfer from nobody
just after. So deposits are those Transfers, and payments are what was supplied and not minted;
withdrawals and loans are told apart the same way. Both amounts are rounded: a difference of less
than three of the smallest unit is none. Several supplies of one account in one transaction can be
taken for each other. A balance that is transferred is burned and minted without a supply or a
withdrawal: no flow.
A liquidation is an AbsorbDebt, one per account; the market takes over all collateral, one
AbsorbCollateral per token, and sells it later, BuyCollateral, which is no account's any more.
What the collateral was worth beyond the debt is in basePaidOut too, and minted to the account just
after: a deposit, and no debt.
`usdValue` of both is in the market's own price unit, which is ether, bitcoin or another token where
the market lends one: it is not read. Balances of deposits grow with the index, read from the market
at the first block of each UTC day as of the last time interest accrued.
"""

from indexer.spec import (
    All,
    Amount,
    Call,
    Companion,
    Condition,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Not,
    OfContract,
    Protocol,
    Read,
    Seconds,
    Sum,
    Token,
    Value,
    chain_of,
    listed,
    upgraded,
)

MARKETS = listed("compound_v3")
MARKET = "compound_v3/Comet"
NOBODY = "0x0000000000000000000000000000000000000000"

BASE_TOKEN = OfContract("base")
OWN: dict[str, Value] = {"pool": Emitter(), "asset_token": BASE_TOKEN}
OF_COLLATERAL: dict[str, Value] = {
    "pool": Emitter(),
    "asset_token": "asset",
    "asset_tokens": Amount("amount", "asset"),
}

MINTED = First((Companion("Transfer", "amount", {"dst": "to"}, nearest="after"), Int(0)))
BURNED = First((Companion("Transfer", "amount", {"src": "from"}, nearest="after"), Int(0)))
REPAID = Sum(("amount", Neg(MINTED)))
DRAWN = Sum(("amount", Neg(BURNED)))
BEYOND = First((Companion("Transfer", "amount", {"borrower": "to"}, nearest="after"), Int(0)))
ABSORBED = Sum(("basePaidOut", Neg(BEYOND)))

# A balance that one account hands another is burned and minted as well, and no money moves.
IS_GIVEN = All(
    (
        Not(Exists(Companion("Supply", "amount", {"to": "dst"}, nearest="before"))),
        Not(Exists(Companion("AbsorbDebt", "basePaidOut", {"to": "borrower"}, nearest="before"))),
    )
)
IS_PAID_OUT = Exists(Companion("Withdraw", "amount", {"from": "src"}, nearest="before"))

MORE_THAN_ROUNDING: dict[str, Condition] = {
    "Supply": Not(IsNegative(Sum((REPAID, Int(-3))))),
    "Withdraw": Not(IsNegative(Sum((DRAWN, Int(-3))))),
}

PROTOCOL = Protocol(
    slug="compound_v3",
    name="Compound v3",
    kind="credit",
    methodology=(
        "Liquidations are AbsorbDebt less what it mints to the account, in the market's token; the "
        "collateral that the market takes over is AbsorbCollateral (seizures) and what it sells of "
        "it BuyCollateral (recoveries). "
        "Deposits and withdrawals are what Comet mints after a supply or an absorption and burns "
        "after a withdrawal, and collateral in, out and absorbed; payments and loans are the rest "
        "of what was supplied and withdrawn. Share prices are the index of deposits, read once a "
        "day."
    ),
    left_out=(
        "What accounts hand each other: of a balance, burned and minted without a supply or a "
        "withdrawal, and what it repays or borrows on the way, which no event says; of collateral "
        "(TransferCollateral).",
        "Interest and reserves: they are state, and a change of reserves mixes interest, "
        "absorptions and sales.",
        "Bad debt: an absorption whose collateral sells for less is a loss only after the last "
        "sale, and sales do not name the absorption.",
        "WithdrawReserves: reserves that governance takes were earned earlier, or paid in.",
        "The dollar values of absorptions: they are in the market's own price unit.",
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi=MARKET,
            address=row["address"],
            from_block=int(row["from_block"]),
            version="3",
            says={"base": row["base"]},
        )
        for row in MARKETS
    ),
    events=(
        *upgraded(MARKET),
        Event(
            abi=MARKET,
            name="Transfer",
            into="pool_flows",
            columns={
                **OWN,
                "kind": Const("deposit"),
                "account": "to",
                "asset_tokens": Amount("amount", BASE_TOKEN),
            },
            where=(Equals("from", NOBODY), Not(IS_GIVEN)),
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="Transfer",
            into="pool_flows",
            columns={
                **OWN,
                "kind": Const("withdrawal"),
                "account": "from",
                "asset_tokens": Amount("amount", BASE_TOKEN),
            },
            where=(Equals("to", NOBODY), IS_PAID_OUT),
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="SupplyCollateral",
            into="pool_flows",
            columns={**OF_COLLATERAL, "kind": Const("deposit"), "account": "dst"},
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="WithdrawCollateral",
            into="pool_flows",
            columns={**OF_COLLATERAL, "kind": Const("withdrawal"), "account": "src"},
            is_confirmed=True,
        ),
        # From here on it is the market's, and no account's.
        Event(
            abi=MARKET,
            name="AbsorbCollateral",
            into="pool_flows",
            columns={
                "pool": Emitter(),
                "kind": Const("withdrawal"),
                "account": "borrower",
                "asset_token": "asset",
                "asset_tokens": Amount("collateralAbsorbed", "asset"),
            },
        ),
        Event(
            abi=MARKET,
            name="Supply",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("payment"),
                "account": "dst",
                "counterparty": "from",
                "principal_tokens": Amount(REPAID, BASE_TOKEN),
            },
            where=(MORE_THAN_ROUNDING["Supply"],),
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="Withdraw",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("funded"),
                "account": "src",
                "principal_tokens": Amount(DRAWN, BASE_TOKEN),
            },
            where=(MORE_THAN_ROUNDING["Withdraw"],),
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="AbsorbDebt",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("liquidation"),
                "account": "borrower",
                "counterparty": "absorber",
                "principal_tokens": Amount(ABSORBED, BASE_TOKEN),
            },
        ),
        Event(
            abi=MARKET,
            name="AbsorbCollateral",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("seizure"),
                "account": "borrower",
                "counterparty": "absorber",
                "collateral_token": "asset",
                "collateral_tokens": Amount("collateralAbsorbed", "asset"),
            },
        ),
        Event(
            abi=MARKET,
            name="BuyCollateral",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("recovery"),
                "counterparty": "buyer",
                "principal_tokens": Amount("baseAmount", BASE_TOKEN),
                "collateral_token": "asset",
                "collateral_tokens": Amount("collateralAmount", "asset"),
            },
        ),
    ),
    reads=(
        Read(
            name="index",
            abi=MARKET,
            calls=(Call("totalsBasic"),),
            every=Seconds(86_400),
            into="share_prices",
            columns={
                **OWN,
                "share_price_tokens": Fixed("totalsBasic.baseSupplyIndex", 15),
                "supply_tokens": Amount("totalsBasic.totalSupplyBase", BASE_TOKEN),
            },
            version="3",
        ),
    ),
    tokens=(
        *(
            Token(
                chain_of(row["chain"]), row["base"], row["base_symbol"], int(row["base_decimals"])
            )
            for row in MARKETS
        ),
        *(
            Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["base_decimals"]))
            for row in MARKETS
        ),
    ),
)

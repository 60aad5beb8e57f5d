"""
Compound v2: lending markets as cTokens; liquidators repay one market and seize cTokens of another.

Contracts  https://github.com/compound-finance/compound-protocol (networks/mainnet.json); markets
           listed after that file start with the Comptroller, block 7,710,671.
Split      AccrueInterest is what all borrowers owe more; which part of it becomes reserves is the
           market's factor at that moment, so none is stated. ReservesAdded of a market to itself is
           the treasury's part of what a liquidation seized, in the underlying.
Units      amounts in the underlying's decimals, cTokens in 8; the exchange rate is 1e18 of the
           smallest underlying per smallest cToken. cETH's underlying is ether itself, written
           0xeeee...eeee.

`collateral_tokens` of a liquidation counts cTokens, not their underlying: the exchange rate is
state. The seized amount includes the share that goes to reserves. A liquidation logs RepayBorrow
too, with the liquidator as payer: that repayment is the liquidation's and no payment beside it.
Early markets log three values when they accrue, later ones four; both are read. A share is worth
exchangeRateStored, read at the first block of each UTC day, as of the last time interest accrued.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    Amount,
    Call,
    Companion,
    Const,
    Contract,
    DecimalsOf,
    Emitter,
    Equals,
    Event,
    Exists,
    Fixed,
    Nonzero,
    Not,
    OfContract,
    Protocol,
    Read,
    Seconds,
    Token,
    Value,
    listed,
)

MARKETS = listed("compound_v2")
MARKET = "compound_v2/CToken"

UNDERLYING = OfContract("underlying")
OWN: dict[str, Value] = {"pool": Emitter(), "asset_token": UNDERLYING}
FEE: dict[str, Value] = {"market": Emitter(), "fee_token": UNDERLYING}

# What a liquidation repays is logged just before the liquidation.
LIQUIDATED = Companion(
    event="LiquidateBorrow",
    take="repayAmount",
    on={"payer": "liquidator", "borrower": "borrower", "repayAmount": "repayAmount"},
    nearest="after",
)

PROTOCOL = Protocol(
    slug="compound_v2",
    name="Compound v2",
    kind="credit",
    methodology=(
        "Liquidations are LiquidateBorrow of each cToken: debt repaid in the underlying, "
        "collateral in seized cTokens. Loans are Borrow, payments RepayBorrow outside "
        "liquidations, flows Mint and Redeem. Interest is AccrueInterest, gross, and the "
        "treasury's part of liquidations ReservesAdded, both in the underlying, without dollars. "
        "Share prices are read from the markets once a day."
    ),
    left_out=(
        "The split of interest between depositors and reserves: the reserve factor is the "
        "market's at that moment, and its changes before the first log are not known.",
        "Reserves that governance adds or takes out: earned earlier, or never.",
        "Bad debt: none is logged; accounts without collateral keep their debt.",
        "What cDAI earned in Maker's savings rate, from December 2019 on: no borrower owes it, it "
        "is in the share price.",
        "COMP that is distributed: a subsidy, no fee.",
        "Forks of Compound: other protocols.",
    ),
    untold_shares="a liquidation destroys the shares whose money becomes reserves",
    contracts=tuple(
        Contract(
            chain=ETHEREUM,
            abi=MARKET,
            address=row["address"],
            from_block=int(row["from_block"]),
            version="2",
            says={"underlying": row["underlying"], "self": row["address"].lower()},
        )
        for row in MARKETS
    ),
    events=(
        Event(
            abi=MARKET,
            name="LiquidateBorrow",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("liquidation"),
                "account": "borrower",
                "counterparty": "liquidator",
                "principal_tokens": Amount("repayAmount", UNDERLYING),
                "collateral_token": "cTokenCollateral",
                "collateral_tokens": Fixed("seizeTokens", 8),
            },
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="Borrow",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("funded"),
                "account": "borrower",
                "principal_tokens": Amount("borrowAmount", UNDERLYING),
            },
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="RepayBorrow",
            into="credit_events",
            columns={
                **OWN,
                "kind": Const("payment"),
                "account": "borrower",
                "counterparty": "payer",
                "principal_tokens": Amount("repayAmount", UNDERLYING),
            },
            where=(Not(Exists(LIQUIDATED)),),
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="Mint",
            into="pool_flows",
            columns={
                **OWN,
                "kind": Const("deposit"),
                "account": "minter",
                "asset_tokens": Amount("mintAmount", UNDERLYING),
                "share_tokens": Fixed("mintTokens", 8),
            },
            is_confirmed=True,
        ),
        Event(
            abi=MARKET,
            name="Redeem",
            into="pool_flows",
            columns={
                **OWN,
                "kind": Const("withdrawal"),
                "account": "redeemer",
                "asset_tokens": Amount("redeemAmount", UNDERLYING),
                "share_tokens": Fixed("redeemTokens", 8),
            },
            is_confirmed=True,
        ),
        *(
            Event(
                abi=MARKET,
                name=name,
                into="fees",
                columns={
                    **FEE,
                    "fee_kind": Const("interest"),
                    "fee_tokens": Amount("interestAccumulated", UNDERLYING),
                    "split_basis": Const("none"),
                },
                where=(Nonzero("interestAccumulated"),),
                is_confirmed=True,
            )
            for name in (
                "AccrueInterest(uint256,uint256,uint256)",
                "AccrueInterest(uint256,uint256,uint256,uint256)",
            )
        ),
        Event(
            abi=MARKET,
            name="ReservesAdded",
            into="fees",
            columns={
                **FEE,
                "fee_kind": Const("liquidation"),
                "fee_tokens": Amount("addAmount", UNDERLYING),
                "split_basis": Const("event"),
            },
            where=(Equals("benefactor", OfContract("self")),),
        ),
    ),
    reads=(
        Read(
            name="exchange_rate",
            abi=MARKET,
            calls=(Call("exchangeRateStored"), Call("totalSupply")),
            every=Seconds(86_400),
            into="share_prices",
            columns={
                **OWN,
                "share_price_tokens": Fixed("exchangeRateStored", DecimalsOf(UNDERLYING, plus=10)),
                "supply_tokens": Fixed("totalSupply", 8),
            },
            version="2",
        ),
    ),
    tokens=(
        *(Token(ETHEREUM, row["address"], row["symbol"], 8) for row in MARKETS),
        *(
            Token(
                ETHEREUM,
                row["underlying"],
                row["underlying_symbol"],
                int(row["underlying_decimals"]),
            )
            for row in MARKETS
        ),
    ),
)

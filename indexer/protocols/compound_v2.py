"""
Compound v2: lending markets as cTokens; liquidators repay one market and seize cTokens of another.

Contracts  https://github.com/compound-finance/compound-protocol (networks/mainnet.json); markets
           listed after that file start with the Comptroller, block 7,710,671.
Split      none: no fees are read here.
Units      repaid amounts in the underlying's decimals, seized cTokens in 8. cETH's underlying is
           ether itself, written 0xeeee...eeee.

`collateral_tokens` counts cTokens, not their underlying: the exchange rate is state. The seized
amount includes the share that goes to reserves. Left out: interest (AccrueInterest, two
generations), Compound v3 (absorption, other events), forks of Compound.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    Amount,
    Const,
    Contract,
    Emitter,
    Event,
    Fixed,
    OfContract,
    Protocol,
    Token,
    listed,
)

MARKETS = listed("compound_v2")

PROTOCOL = Protocol(
    slug="compound_v2",
    name="Compound v2",
    kind="credit",
    methodology=(
        "Liquidations are LiquidateBorrow of each cToken: debt repaid in the underlying, "
        "collateral in seized cTokens. Interest is left out."
    ),
    contracts=tuple(
        Contract(
            chain=ETHEREUM,
            abi="compound_v2/CToken",
            address=row["address"],
            from_block=int(row["from_block"]),
            version="2",
            says={"underlying": row["underlying"]},
        )
        for row in MARKETS
    ),
    events=(
        Event(
            abi="compound_v2/CToken",
            name="LiquidateBorrow",
            into="credit_events",
            columns={
                "kind": Const("liquidation"),
                "pool": Emitter(),
                "account": "borrower",
                "counterparty": "liquidator",
                "asset_token": OfContract("underlying"),
                "principal_tokens": Amount("repayAmount", OfContract("underlying")),
                "collateral_token": "cTokenCollateral",
                "collateral_tokens": Fixed("seizeTokens", 8),
            },
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

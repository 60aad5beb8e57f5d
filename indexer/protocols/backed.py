"""
Backed: tokens that track bonds, funds and shares, made and destroyed as they are bought and sold.

Contracts  as listed in DefiLlama/DefiLlama-Adapters (projects/backed), at the same address on
           every chain but bCSPX on Base. First blocks are not known: windows start at 0.
Split      none: no fee is charged on chain.
Units      each token's own decimals, asked of it.
"""

from indexer.spec import (
    Amount,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Not,
    Protocol,
    chain_of,
    listed,
)

ERC20 = "erc20/Token"
NOBODY = "0x0000000000000000000000000000000000000000"

PROTOCOL = Protocol(
    slug="backed",
    name="Backed",
    kind="rwa",
    methodology=(
        "Mints and redemptions are transfers of a token from and to nobody, in tokens: money is "
        "settled by the issuer. Tokens that the issuer holds itself count like any other."
    ),
    left_out=(
        "Prices: the tokens log none; Chainlink publishes some.",
        "Fees: none is charged now, and none would be logged.",
        "Tokens of shares issued since (xStocks), Fantom, and chains that are not EVM chains.",
    ),
    contracts=tuple(
        Contract(chain_of(chain), ERC20, row["token"], 0, only={argument: (NOBODY,)})
        for row in listed("backed_tokens")
        for chain in row["chains"].split()
        for argument in ("from", "to")
    ),
    events=tuple(
        Event(
            abi=ERC20,
            name="Transfer",
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": Emitter(),
                "account": account,
                "share_tokens": Amount("value", Emitter()),
            },
            where=(Equals(nobody, NOBODY), Not(Equals(account, NOBODY))),
        )
        for kind, nobody, account in (("mint", "from", "to"), ("redemption", "to", "from"))
    ),
)

"""
Backed: tokens that track bonds, funds and shares, made and destroyed as they are bought and sold.

Contracts  as listed in DefiLlama/DefiLlama-Adapters (projects/backed), at the same address on
           every chain but bCSPX on Base; xStocks in the issuer's lists
           (https://github.com/backed-fi/xstocks-tokenlist) and, on Arbitrum, in
           DefiLlama/DefiLlama-Adapters (projects/xstocks). First blocks are not known: windows
           start at 0.
Split      none: no fee is charged on chain.
Units      each token's own decimals, asked of it.

An xStock keeps shares and shows tokens, which are its shares times a multiplier: dividends raise
it, a split changes it, a fee would lower it, and nothing moves when it changes. A transfer logs the
tokens first (Transfer) and then the shares (TransferShares):
https://github.com/backed-fi/backed-token-contract (BackedAutoFeeTokenImplementation).
"""

from indexer.spec import (
    Amount,
    Companion,
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
XSTOCK = "backed/XStock"
NOBODY = "0x0000000000000000000000000000000000000000"
FLOWS = (("mint", "from", "to"), ("redemption", "to", "from"))
TOKENS = Companion("Transfer", "value", {"from": "from", "to": "to"}, nearest="before")

PROTOCOL = Protocol(
    slug="backed",
    name="Backed",
    kind="rwa",
    methodology=(
        "Mints and redemptions are transfers of a token from and to nobody, in tokens: money is "
        "settled by the issuer. Those of xStocks are in shares, which a split or a dividend leaves "
        "alone, and as assets in the tokens that they were at that moment. Tokens that the issuer "
        "holds itself count like any other."
    ),
    left_out=(
        "Prices: the tokens log none; Chainlink publishes some.",
        "What a share of an xStock is in tokens between two flows (MultiplierUpdated): a split "
        "would read as a gain, and a change that was scheduled logs nothing when it begins.",
        "Fees: none is charged now, and none would be logged.",
        "xStocks that were issued later, some hundreds, and on more chains than the list has for "
        "one (X Layer, Optimism, Monad and others). Their wrapped forms hold tokens that are "
        "counted already.",
        "Fantom, and chains that are not EVM chains.",
    ),
    contracts=tuple(
        Contract(chain_of(chain), abi, row["token"], 0, only={argument: (NOBODY,)})
        for abi, name in ((ERC20, "backed_tokens"), (XSTOCK, "backed_xstocks"))
        for row in listed(name)
        for chain in row["chains"].split()
        for argument in ("from", "to")
    ),
    events=(
        *(
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
            for kind, nobody, account in FLOWS
        ),
        *(
            Event(
                abi=XSTOCK,
                name="TransferShares",
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": Emitter(),
                    "account": account,
                    "asset_token": Emitter(),
                    "asset_tokens": Amount(TOKENS, Emitter()),
                    "share_tokens": Amount("value", Emitter()),
                },
                where=(Equals(nobody, NOBODY), Not(Equals(account, NOBODY))),
            )
            for kind, nobody, account in FLOWS
        ),
    ),
)

"""
Spiko: money market funds under European law, their shares tokens, their prices oracles.

Contracts  https://github.com/spiko-tech/contracts (subgraph/config: addresses and first blocks of
           the first funds; .cache-1.json and others by chain: addresses of the later ones), SAFO as
           listed in DefiLlama/DefiLlama-Adapters (projects/spiko). First blocks of later funds are
           not known: none precedes the chain's first funds, so all windows start there.
           One address is the token of a fund on one chain and the oracle of another elsewhere.
Split      none: the funds charge their fees off chain, inside the price.
Units      shares 1e5; prices 1e6, in the fund's currency (scripts/config-1.json, which the oracles
           were deployed with; contracts/oracle/Oracle.sol once had 18 decimals).

Shares are redeemed by sending them to a contract that burns them later: the burn's account is that
contract.
"""

from indexer.spec import (
    Amount,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Fixed,
    Not,
    OfContract,
    Protocol,
    Time,
    Token,
    chain_of,
    listed,
)

ERC20 = "erc20/Token"
FUNDS = listed("spiko_funds")
NOBODY = "0x0000000000000000000000000000000000000000"
CURRENCIES = {
    "EUTBL": "EUR",
    "USTBL": "USD",
    "eurUSTBL": "EUR",
    "UKTBL": "GBP",
    "eurUKTBL": "EUR",
    "SPKCC": "USD",
    "eurSPKCC": "EUR",
    "SAFO": "USD",
    "eurSAFO": "EUR",
    "gbpSAFO": "GBP",
    "chfSAFO": "CHF",
}

PROTOCOL = Protocol(
    slug="spiko",
    name="Spiko",
    kind="rwa",
    methodology=(
        "Mints and redemptions are transfers of a fund's token from and to nobody, in shares: the "
        "issuer settles the money. A redemption's account is the contract that collects shares to "
        "be burned. Share prices are what the fund's oracle publishes, in its currency, as of "
        "the moment the price is of."
    ),
    left_out=(
        "Who asked for a redemption and what for (RedemptionInitiated): shares are still there and "
        "may be given back.",
        "Fees of the funds: charged off chain.",
        "Prices on Ethereum since the oracles there fell silent (about the start of 2025): those "
        "of EUTBL and USTBL are answers of Chainlink's feeds (EUTBL NAV, USTBL NAV of chainlink), "
        "those of SPKCC and eurSPKCC of RedStone's (SPKCC NAV, EURSPKCC NAV of redstone), which "
        "both log no day that a price is of. Of the other funds, and of SAFO outside Arbitrum, no "
        "oracle that logs them is known. A fund's price is the same on all chains.",
        "The funds on Etherlink, and on chains that are not EVM chains.",
    ),
    contracts=(
        *(
            Contract(
                chain_of(row["chain"]),
                ERC20,
                row["token"],
                int(row["token_from"]),
                only={argument: (NOBODY,)},
                says={"currency": CURRENCIES[row["symbol"]]},
            )
            for row in FUNDS
            for argument in ("from", "to")
        ),
        *(
            Contract(
                chain_of(row["chain"]),
                "spiko/Oracle",
                row["oracle"],
                int(row["oracle_from"]),
                says={"token": row["token"].lower(), "currency": CURRENCIES[row["symbol"]]},
            )
            for row in FUNDS
            if row["oracle"]
        ),
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
                    "asset_token": OfContract("currency"),
                    "share_tokens": Amount("value", Emitter()),
                },
                where=(Equals(nobody, NOBODY), Not(Equals(account, NOBODY))),
            )
            for kind, nobody, account in (("mint", "from", "to"), ("redemption", "to", "from"))
        ),
        Event(
            abi="spiko/Oracle",
            name="Update",
            into="share_prices",
            columns={
                "pool": OfContract("token"),
                "asset_token": OfContract("currency"),
                "share_price_tokens": Fixed("price", 6),
                "nav_at": Time("timepoint"),
            },
        ),
    ),
    tokens=tuple(Token(chain_of(row["chain"]), row["token"], row["symbol"], 5) for row in FUNDS),
)

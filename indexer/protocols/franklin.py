"""
Franklin Templeton: Benji, shares of money market funds whose income is paid in shares.

Contracts  tokens https://digitalassets.franklintempleton.com/benji/benji-contracts/, and with the
           controllers that pay dividends as listed in DefiLlama/dimension-adapters
           (fees/franklin-templeton); first blocks on Ethereum from
           tradingstrategy-ai/web3-ethereum-defi, elsewhere not known: windows start at 0.
Split      none: the funds' expenses are charged off chain.
Units      shares 1e18.

A controller logs a dividend in the transaction whose transfer pays it: the account and the number
of shares tell which. A fund that lost takes shares instead, and its burn is a dividend below zero.
"""

from indexer.chains import ARBITRUM, AVALANCHE, BASE, BSC, ETHEREUM, POLYGON
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    IsTrue,
    Neg,
    Not,
    Protocol,
    Token,
    When,
)

ERC20 = "erc20/Token"
CONTROLLER = "franklin/Controller"
NOBODY = "0x0000000000000000000000000000000000000000"
FUNDS = (
    (ETHEREUM, "0x3ddc84940ab509c11b20b76b466933f40b750dc9", "BENJI", 20_587_120),
    (ETHEREUM, "0x90276e9d4a023b5229e0c2e9d4b2a83fe3a2b48c", "iBENJI", 22_118_491),
    (POLYGON, "0x408a634b8a8f0de729b48574a3a7ec3fe820b00a", "BENJI", 0),
    (ARBITRUM, "0xb9e4765bce2609bc1949592059b17ea72fee6c6a", "BENJI", 0),
    (AVALANCHE, "0xe08b4c1005603427420e64252a8b120cace4d122", "BENJI", 0),
    (BASE, "0x60cfc2b186a4cf647486e42c42b11cc6d571d1e4", "BENJI", 0),
    (BSC, "0x3d0a2a3a30a43a2c1c4b92033609245e819ae6a6", "iBENJI", 0),
)
CONTROLLERS = (
    (ETHEREUM, "0x8c8bfc3151c2161a4bad77268e246a08e5d9c666", 20_587_120),
    (ETHEREUM, "0xab266e4fa5d088cc440433c3ea1e066fd710a0a5", 20_587_120),
    (POLYGON, "0x72254a323775123ba500b00cacf3662367ef52fa", 0),
    (ARBITRUM, "0x3a1540808757b7d9813de9843a9fb4b580844745", 0),
    (AVALANCHE, "0xf208ff7c8aa13a3bf79b56146aafe81e1ca27044", 0),
    (BASE, "0x095d7b0210c8347c6e080b52b8c3444297f9b27b", 0),
    (BSC, "0x6c4dd0157b714e269e11242e2a4812ab2c043318", 0),
)

LOGGED, IS_LOSS = "DividendDistributed", "isNegativeYield"
PAID = {"to": "account", "value": "shares"}
TAKEN = {"from": "account", "value": "shares"}
# Each takes whether it took shares: what was just paid may be redeemed at once, in as many shares.
PAID_BEFORE = Companion(LOGGED, IS_LOSS, PAID, nearest="before", abi=CONTROLLER)
PAID_AFTER = Companion(LOGGED, IS_LOSS, PAID, nearest="after", abi=CONTROLLER)
TAKEN_BEFORE = Companion(LOGGED, IS_LOSS, TAKEN, nearest="before", abi=CONTROLLER)
TAKEN_AFTER = Companion(LOGGED, IS_LOSS, TAKEN, nearest="after", abi=CONTROLLER)
DIVIDEND = Const("dividend")
SHARES = Amount("value", Emitter())
TAKEN_SHARES = Amount(Neg("value"), Emitter())

PROTOCOL = Protocol(
    slug="franklin",
    name="Franklin Templeton (Benji)",
    kind="rwa",
    methodology=(
        "Mints and redemptions are transfers of a fund's token from and to nobody, in shares; "
        "those that a controller logs as a dividend of the same account and size are dividends, "
        "below zero where it says that a loss took shares. A mint may be shares that come from "
        "another chain, a redemption shares that leave for one, and either a correction of the "
        "transfer agent's."
    ),
    left_out=(
        "Share prices: a share is a dollar by the fund's terms, and a controller repeats what it "
        "logs as price for every account.",
        "Dividends in money (dividendCashAmount): what is paid is the shares.",
        "The funds' expenses (0.20 % a year): charged off chain.",
        "Money of subscriptions and redemptions: settled by the transfer agent.",
        "Benji on Stellar, Solana and Aptos: not EVM chains.",
    ),
    contracts=(
        *(
            Contract(chain, ERC20, address, block, only={argument: (NOBODY,)})
            for chain, address, _, block in FUNDS
            for argument in ("from", "to")
        ),
        *(Contract(chain, CONTROLLER, address, block) for chain, address, block in CONTROLLERS),
    ),
    events=(
        Event(
            abi=ERC20,
            name="Transfer",
            into="pool_flows",
            columns={
                "kind": When(
                    Equals(PAID_BEFORE, constant=False),
                    DIVIDEND,
                    When(Equals(PAID_AFTER, constant=False), DIVIDEND, Const("mint")),
                ),
                "pool": Emitter(),
                "account": "to",
                "share_tokens": SHARES,
            },
            where=(Equals("from", NOBODY), Not(Equals("to", NOBODY))),
        ),
        Event(
            abi=ERC20,
            name="Transfer",
            into="pool_flows",
            columns={
                "kind": When(
                    IsTrue(TAKEN_BEFORE),
                    DIVIDEND,
                    When(IsTrue(TAKEN_AFTER), DIVIDEND, Const("redemption")),
                ),
                "pool": Emitter(),
                "account": "from",
                "share_tokens": When(
                    IsTrue(TAKEN_BEFORE),
                    TAKEN_SHARES,
                    When(IsTrue(TAKEN_AFTER), TAKEN_SHARES, SHARES),
                ),
            },
            where=(Equals("to", NOBODY), Not(Equals("from", NOBODY))),
        ),
    ),
    tokens=tuple(Token(chain, address, symbol, 18) for chain, address, symbol, _ in FUNDS),
)

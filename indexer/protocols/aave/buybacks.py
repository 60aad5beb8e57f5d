"""AAVE that the finance committee's Safe receives: bought on its behalf, held, never burned."""

from indexer.chains import ETHEREUM
from indexer.spec import Amount, Const, Contract, Emitter, Event, Nonzero, Not, OneOf, Token

ERC20 = "erc20/Token"
AAVE = "0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9"
AFC_SAFE = "0x22740deba78d5a0c24c58c740e3715ec29de1bfa"
# What the DAO moves between its own pockets was not bought.
OWN_POCKETS = (
    "0x4da27a545c0c5b758a6ba100e3a049001de870f5",  # stkAAVE
    "0x25f2226b597e8f9514b3f68f00f494cf4f286491",  # ecosystem reserve
    "0x464c71f6c2f760dda6093dcb91c24c39e5d6e18c",  # Collector
)

# The programme began on 2025-04-09; this is some days before.
BUYER = Contract(ETHEREUM, ERC20, AAVE, 22_200_000, version="3", only={"to": (AFC_SAFE,)})
BUYBACKS = (
    Event(
        abi=ERC20,
        name="Transfer",
        into="buybacks",
        columns={
            "bought_token": Emitter(),
            "bought_tokens": Amount("value", Emitter()),
            "destination_kind": Const("treasury"),
        },
        where=(Nonzero("value"), Not(OneOf("from", OWN_POCKETS))),
    ),
)
BOUGHT = Token(ETHEREUM, AAVE, "AAVE", 18)

"""
Aster: a perp venue whose order book is off chain; what BSC shows of it are its token's buybacks.

Contracts  ASTER and the wallets of buyback stages 5 and 6: BitPickles/tev-dashboard, which lists
           the transfers into them; the venue has not confirmed them in a contract. The wallet of
           the reserve beside stage 5 (January and February 2026), and the TWAP of PancakeSwap by
           which all three are filled: https://github.com/DefiLlama/dimension-adapters
           (fees/aster-spot), which names https://docs.asterdex.com/usdaster-token/tokenomics
Split      none is read: fees are charged off chain.
Units      ASTER in 18 decimals.

Tokens arrive in the wallets, are held there, and leave in lumps for where each stage says; so the
destination is the treasury, and nothing counts as burned.
"""

from indexer.chains import BSC
from indexer.spec import (
    TOKEN_SUPPLY,
    All,
    Amount,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Nonzero,
    Not,
    OneOf,
    Protocol,
    Token,
)

ERC20 = "erc20/Token"
ASTER = "0x000Ae314E2A2172a039B26378814C252734f556A"
RESERVE = "0x5e4969c41ca9f9831468b98328a370b7abd5a397"
WALLETS = (
    "0x4786927333c0ba8ab27ca41361adf33148c5301e",  # stage 5
    "0x664827c71193018d7843f0d0f41a5d0d6dcebe0f",  # stage 6
    RESERVE,
)
TWAP = "0xa6f7444d2b92aa9f94a2165c77aaf2b671e63994"
# What was bought before may be put there as well.
IS_PUT_ASIDE = All((Equals("to", RESERVE), Not(Equals("from", TWAP))))

PROTOCOL = Protocol(
    slug="aster",
    name="Aster",
    kind="token",
    methodology=(
        "Buybacks are transfers of ASTER into the wallets of stages 5 and 6 on BSC, from anyone "
        "but the programme's wallets, and what the TWAP buys for the strategic reserve. That these "
        "are the programme's wallets is a third party's finding, so rows are assumed. Supply and "
        "the dead address's balance are read at the first block of each UTC day."
    ),
    left_out=(
        "Stages 1 to 4: no wallet of theirs is known.",
        "Purchases since 17 June 2026, for those who stake: they are made on Aster's own chain.",
        "What the tokens cost, and the fees behind them: the order book is off chain.",
        "Burns of what was bought: no transfer of a known wallet shows one.",
        "Trades of the order book: the treasury vaults show deposits only.",
    ),
    contracts=(Contract(BSC, ERC20, ASTER, 0, only={"to": WALLETS}),),
    events=(
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns={
                "bought_token": Emitter(),
                "bought_tokens": Amount("value", Emitter()),
                "destination_kind": Const("treasury"),
            },
            where=(Nonzero("value"), Not(OneOf("from", WALLETS)), Not(IS_PUT_ASIDE)),
            evidence="assumed",
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    tokens=(Token(BSC, ASTER.lower(), "ASTER", 18),),
)

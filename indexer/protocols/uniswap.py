"""
Uniswap: an exchange whose protocol fees are given to who burns its token UNI for them.

Contracts  UNI and the releaser (Firepit) as in the exchange's list,
           https://docs.uniswap.org/contracts/protocol-fee/deployments; governance's timelock in
           https://github.com/Uniswap/protocol-fees (proposals/unification.md). Windows start
           with the block that executed proposal 93 (2025-12-27), before which no fee could be
           released.
Split      by product: a sixth of v2's fees, a quarter of v3's of 0.01 and 0.05 % and a sixth of
           others, once a pool is told so (SetFeeProtocol); none is read here.
Units      UNI in 18 decimals.

Fees of a chain gather in its TokenJar. Whoever sends a fixed number of UNI to the dead address
(4,000 at first) receives what is in it, at the moment of their choice: Firepit moves the UNI and
logs Released after it. On other chains the UNI are bridged back, and a bridge hands them to the
dead address on Ethereum days later, which logs no more than a transfer.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    BURNT,
    DEAD_ADDRESS,
    TOKEN_SUPPLY,
    Companion,
    Condition,
    Contract,
    Equals,
    Event,
    Exists,
    Nonzero,
    Not,
    Protocol,
    Token,
)

ERC20 = "erc20/Token"
FIREPIT = "uniswap/Firepit"
UNI = "0x1f9840a85d5af5bf1d1762f925bdaddc4201f984"
TIMELOCK = "0x1a9c8182c09f50c8318d769245bea52c32be35bc"
FEES_ON = 24_106_378

RELEASED = Companion("Released", "nonce", nearest="after", abi=FIREPIT)
BOUGHT: tuple[Condition, ...] = (Nonzero("value"), Not(Equals("from", TIMELOCK)))

PROTOCOL = Protocol(
    slug="uniswap",
    name="Uniswap (UNI)",
    kind="token",
    methodology=(
        "Buybacks are transfers of UNI to the dead address on Ethereum since protocol fees are on: "
        "those that Firepit released fees for in the same transaction, and, assumed, all others, "
        "which are what bridges bring of the burns on other chains. What governance sends there "
        "itself is none. Supply and the dead address's balance are read at the first block of "
        "each UTC day."
    ),
    left_out=(
        "The 100,000,000 UNI of the treasury that proposal 93 burned: nobody bought them; the "
        "dead address's balance holds them.",
        "What was paid for the UNI: fees in up to twenty tokens, which TokenJar hands out as "
        "plain transfers, and whoever takes them keeps what they are worth beyond the UNI.",
        "Fees and revenue of the exchange: uniswap_v3 reads those of some pools.",
        "Burns on other chains when they are made: their UNI is bridged, and counted once, when it "
        "arrives.",
    ),
    contracts=(
        Contract(ETHEREUM, ERC20, UNI, FEES_ON, only={"to": (DEAD_ADDRESS,)}),
        Contract(ETHEREUM, FIREPIT, "0x0d5cd355e2abeb8fb1552f56c965b867346d6721", FEES_ON),
    ),
    events=(
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns=BURNT,
            where=(Exists(RELEASED), *BOUGHT),
        ),
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns=BURNT,
            where=(Not(Exists(RELEASED)), *BOUGHT),
            evidence="assumed",
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    tokens=(Token(ETHEREUM, UNI, "UNI", 18),),
)

"""
Timeboost: rounds of Arbitrum's express lane, sold in sealed auctions at the second price.

Contracts  https://github.com/ArbitrumFoundation/governance (scripts/proposals/OmnibusApr25); event
           and what it means: https://github.com/OffchainLabs/nitro-contracts
           (src/express-lane-auction/IExpressLaneAuction.sol). The first block is not confirmed.
Split      none in dollars. By the proposal that adopted it 97 % are the treasury's and 3 % those of
           the Developer Guild, from the beginning (April 2025); the contract paid the treasury all
           of it at first, which owed the guild its part:
           https://forum.arbitrum.foundation/t/constitutional-aip-automate-timeboost-proceeds-split/30920
Units      WETH, 1e18; `price` is what is paid: the second price, of a single bid the reserve price.
"""

from indexer.chains import ARBITRUM
from indexer.spec import Amount, Const, Contract, Event, Nonzero, Protocol, Token

WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"

PROTOCOL = Protocol(
    slug="timeboost",
    name="Arbitrum Timeboost",
    kind="chain",
    methodology=(
        "Fees are what the winner of each auction of the express lane pays, in WETH, without "
        "dollars and without a split."
    ),
    left_out=(
        "Bids that did not win, and the highest bid where it is more than what is paid.",
        "Who held the lane in a round after a transfer of it: no table holds it.",
        "The express lane of Arbitrum Nova, a chain that is not read.",
        "Priority fees, which are to take the auctions' place by a proposal of 2026: no event "
        "tells them.",
        "What a winner sells of its lane: no payment to the network.",
        "Fees of ordinary transactions: balances of the network's fee accounts, which log nothing.",
    ),
    contracts=(
        Contract(
            ARBITRUM,
            "timeboost/ExpressLaneAuction",
            "0x5fcb496a31b7AE91e7c9078Ec662bd7A55cd3079",
            0,
        ),
    ),
    events=(
        Event(
            abi="timeboost/ExpressLaneAuction",
            name="AuctionResolved",
            into="fees",
            columns={
                "account": "firstPriceBidder",
                "fee_kind": Const("auction"),
                "fee_token": Const(WETH),
                "fee_tokens": Amount("price", Const(WETH)),
                "split_basis": Const("none"),
            },
            where=(Nonzero("price"),),
        ),
    ),
    tokens=(Token(ARBITRUM, WETH, "WETH", 18),),
)

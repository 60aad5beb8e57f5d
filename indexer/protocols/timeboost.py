"""
Timeboost: rounds of Arbitrum's express lane, sold in sealed auctions at the second price.

Contracts  https://github.com/OffchainLabs/arbitrum-docs (how-arbitrum-works/timeboost), the address
           and the token bids are in; the event by npm @arbitrum/nitro-contracts 3.1.0
           (src/express-lane-auction); no source states the first block.
Split      none: there are no dollars to split. The DAO's vote is 97 % for its treasury and 3 % for
           the Developer Guild, https://forum.arbitrum.foundation/t/30920; no event says it.
Units      WETH, 1e18; `price` is what is paid, the second price.
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
        "Auctions on Arbitrum Nova: perpscope does not read that chain.",
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

"""
PancakeSwap: an exchange that burns its token CAKE every week with part of what it earns.

Contracts  CAKE on BSC: gmx-io/gmx-synthetics config/tokens.ts among many; its first block is not
           confirmed.
Split      by product: 0.0575 % of v2's volume, 15 to 23 % of v3's fees, half of infinity's;
           none is read here, because none of the products is.
Units      CAKE in 18 decimals.

That burns go to the dead address is a convention nobody has confirmed on chain, so rows are
`assumed`. CAKE is minted meanwhile, and emission that MasterChef v2 hands to nobody is burned too
(burnCake), which was never bought: what counts is the change of supply.
"""

from indexer.chains import BSC
from indexer.spec import (
    BURNT,
    DEAD_ADDRESS,
    TOKEN_SUPPLY,
    Contract,
    Event,
    Nonzero,
    Protocol,
    Token,
)

ERC20 = "erc20/Token"
CAKE = "0x0E09FaBB73Bd3Ade0a17ECC321fD13a19e81cE82"

PROTOCOL = Protocol(
    slug="pancakeswap",
    name="PancakeSwap",
    kind="token",
    methodology=(
        "Buybacks are transfers of CAKE to the dead address on BSC, assumed to be the programme's "
        "weekly burns, of what was bought and of emission that was minted to be burned. Supply and "
        "the dead address's balance are read at the first block of each UTC day, because emission "
        "runs against the burn."
    ),
    left_out=(
        "Fees and revenue of the exchange: pools of four designs on many chains are not read.",
        "Which of the burned tokens were bought: a transfer does not tell them from emission that "
        "MasterChef v2 hands to nobody, so that rows say more than was bought back.",
        "What the tokens cost: part of them are fees that were paid in CAKE.",
        "CAKE on other chains: burns are made on BSC.",
    ),
    contracts=(Contract(BSC, ERC20, CAKE, 0, only={"to": (DEAD_ADDRESS,)}),),
    events=(
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns=BURNT,
            where=(Nonzero("value"),),
            evidence="assumed",
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    tokens=(Token(BSC, CAKE.lower(), "CAKE", 18),),
)

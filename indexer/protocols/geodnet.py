"""
GEODNET: a network of positioning stations that burns its token GEOD with most of what it earns.

Contracts  GEOD on Polygon: DefiLlama/dimension-adapters fees/geodnet.ts and
           duneanalytics/spellbook geodnet_polygon_revenue.sql; its first block is not confirmed.
Split      80 % of revenue buys and burns GEOD, as DefiLlama's adapter assumes (revenue is the
           burn divided by 0.8); no event states it.
Units      GEOD in 18 decimals.

A burn is a transfer to the dead address: `totalSupply()` does not fall by it, so both are read.
"""

from indexer.chains import POLYGON
from indexer.spec import (
    BURNT,
    DEAD_ADDRESS,
    TOKEN_SUPPLY,
    Contract,
    Event,
    Nonzero,
    Policy,
    Protocol,
    Token,
)

ERC20 = "erc20/Token"
GEOD = "0xAC0F66379A6d7801D7726d5a943356A172549Adb"

PROTOCOL = Protocol(
    slug="geodnet",
    name="GEODNET",
    kind="token",
    methodology=(
        "Buybacks are transfers of GEOD to the dead address on Polygon: tokens bought with revenue "
        "and put out of reach, counted as burned though the token's supply does not fall. Supply "
        "and the dead address's balance are read at the first block of each UTC day."
    ),
    left_out=(
        "The burns of the leg on Solana (since 2024-09-24): it is no EVM chain.",
        "What the tokens cost: the transfer says what was burned, not what was paid.",
        "Revenue itself: it is earned off chain; dividing burns by 0.8 is DefiLlama's assumption.",
    ),
    contracts=(Contract(POLYGON, ERC20, GEOD, 0, only={"to": (DEAD_ADDRESS,)}),),
    events=(
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns=BURNT,
            where=(Nonzero("value"),),
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    policies=(
        Policy(
            kind="holders_share_of_revenue",
            value="0.8",
            valid_from="2023-01-01",
            source="https://github.com/DefiLlama/dimension-adapters/blob/master/fees/geodnet.ts",
            basis="assumed",
        ),
    ),
    tokens=(Token(POLYGON, GEOD.lower(), "GEOD", 18),),
)

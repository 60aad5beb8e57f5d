"""
MakerDAO (now Sky), liquidations before 2021: a vault below its ratio is bitten and auctioned.

Contracts  https://github.com/makerdao/dss (cat.sol). Both Cats start with the system, block
           8,928,152: the second replaced the first in 2020, its first block is not confirmed.
Split      none: no fees are read here.
Units      ink wad 1e18, tab rad 1e45: Dai owed with accrued fees, without the penalty.

`pool` is the collateral type (ilk) as text, `account` the urn. The keeper and the collateral's
token are not in the event. Left out: Dog and Clipper (liquidations since 2021), RWA vaults,
stability fees and the surplus engine.
"""

from indexer.chains import ETHEREUM
from indexer.spec import Ascii, Const, Contract, Event, Fixed, Protocol, Token

DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
CATS = (
    "0x78F2c2AF65126834c51822F56Be0d7469D7A523E",
    "0xa5679C04fc3d9d8b0AaB1F0ab83555b301cA70Ea",
)

PROTOCOL = Protocol(
    slug="maker",
    name="MakerDAO",
    kind="credit",
    methodology=(
        "Liquidations until 2021 are Bite of both Cats: Dai owed without penalty and collateral "
        "taken for auction. Later liquidations (Dog) are left out."
    ),
    contracts=tuple(
        Contract(chain=ETHEREUM, abi="maker/Cat", address=cat, from_block=8_928_152, version="1")
        for cat in CATS
    ),
    events=(
        Event(
            abi="maker/Cat",
            name="Bite",
            into="credit_events",
            columns={
                "kind": Const("liquidation"),
                "pool": Ascii("ilk"),
                "account": "urn",
                "asset_token": Const(DAI),
                "principal_tokens": Fixed("tab", 45),
                "collateral_tokens": Fixed("ink", 18),
            },
        ),
    ),
    tokens=(Token(ETHEREUM, DAI, "DAI", 18),),
)

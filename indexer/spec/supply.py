"""What every declaration of a token reads alike: its supply, once a day."""

from indexer.spec.arguments import Emitter, OfContract
from indexer.spec.declarations import Call, Read, Seconds
from indexer.spec.expressions import Amount, Const, Value

DEAD_ADDRESS = "0x000000000000000000000000000000000000dead"
"""Where tokens are sent to put them out of reach; `totalSupply()` still counts them."""


def _supply_of(token: Value) -> Read:
    return Read(
        name="supply",
        abi="erc20/Token",
        calls=(Call("totalSupply"), Call("balanceOf", (Const(DEAD_ADDRESS),))),
        every=Seconds(86_400),
        into="token_supplies",
        columns={
            "token": token,
            "supply_tokens": Amount("totalSupply", Emitter()),
            "dead_tokens": Amount("balanceOf", Emitter()),
        },
    )


TOKEN_SUPPLY = _supply_of(Emitter())
"""Supply and the dead address's balance of each `erc20/Token`, at the first block of a UTC day."""

HOME_SUPPLY = _supply_of(OfContract("bought_as"))
"""
The same, of tokens that are bridged to where they are bought: their contracts say the address they
are `bought_as` there, and rows carry it.
"""

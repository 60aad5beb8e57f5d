"""What every declaration of a token reads alike: its supply, once a day, and what is burnt."""

from collections.abc import Mapping

from indexer.spec.arguments import Emitter, OfContract
from indexer.spec.declarations import Call, Read, Seconds
from indexer.spec.expressions import Amount, Const, Value

DEAD_ADDRESS = "0x000000000000000000000000000000000000dead"
"""Where tokens are sent to put them out of reach; `totalSupply()` still counts them."""

BURNT: Mapping[str, Value] = {
    "bought_token": Emitter(),
    "bought_tokens": Amount("value", Emitter()),
    "burned_tokens": Amount("value", Emitter()),
    "destination_kind": Const("dead_burn"),
}
"""
Columns of `buybacks`: a Transfer of the token itself to the dead address.

Ask for one that is `Nonzero`: a token lets anybody move nothing, of whoever's, and logs it.
"""


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

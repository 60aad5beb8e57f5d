"""What every declaration of a token reads alike: its supply, once a day."""

from indexer.spec.arguments import Emitter
from indexer.spec.declarations import Call, Read, Seconds
from indexer.spec.expressions import Amount, Const

DEAD_ADDRESS = "0x000000000000000000000000000000000000dead"
"""Where tokens are sent to put them out of reach; `totalSupply()` still counts them."""

TOKEN_SUPPLY = Read(
    name="supply",
    abi="erc20/Token",
    calls=(Call("totalSupply"), Call("balanceOf", (Const(DEAD_ADDRESS),))),
    every=Seconds(86_400),
    into="token_supplies",
    columns={
        "token": Emitter(),
        "supply_tokens": Amount("totalSupply", Emitter()),
        "dead_tokens": Amount("balanceOf", Emitter()),
    },
)
"""Supply and the dead address's balance of each `erc20/Token`, at the first block of a UTC day."""

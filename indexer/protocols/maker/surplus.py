"""What allocators come to owe the surplus outside the rates of vaults."""

from indexer.protocols.maker.liquidations import VOW
from indexer.protocols.maker.savings import INTEREST, SETTLED
from indexer.spec import Ascii, Companion, Equals, Event, Exists, Noted

GRAB = Noted("grab(bytes32,address,address,address,int256,int256)")
OWING = Companion(GRAB, "ilk", nearest="after", abi="maker/VatGrab")
DEBTOR = Companion(GRAB, "u", nearest="after", abi="maker/VatGrab")

SURPLUS = (
    # Dai that the Vow makes for itself, and then the debt of an allocator that owes it from now on.
    Event(
        abi="maker/VatSuck",
        name=Noted("suck(address,address,uint256)"),
        into="fees",
        columns={**SETTLED, "market": Ascii(OWING), "account": DEBTOR, "fee_kind": INTEREST},
        where=(Equals("v", VOW), Exists(OWING)),
        evidence="assumed",
    ),
)

"""What the Spotter takes a unit of collateral for: a price, which is not what the Vat lends on."""

from indexer.spec import Ascii, Bits, Const, Equals, Event, Fixed, Nonzero, Not

RWA = Equals(Bits("ilk", at=232, count=24), 0x525741)  # how the types of loans to firms begin

PRICES = (
    Event(
        abi="maker/Spotter",
        name="Poke",
        into="oracle_updates",
        columns={
            "feed": Ascii("ilk"),
            "asset": Ascii("ilk"),
            "quote": Const("USD"),
            "oracle_price_quote": Fixed(Bits("val", at=0, count=256), 18),
            "provider": Const("sky"),
        },
        # Without a price spot is zero; what a firm's loan is appraised at is none.
        where=(Nonzero("spot"), Not(RWA)),
    ),
)

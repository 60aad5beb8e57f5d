"""The Smart Burn Engine: what the surplus buys, through three flappers, and pays to stakers."""

from indexer.protocols.maker.liquidations import DAI, USDS
from indexer.protocols.maker.savings import SAVED
from indexer.spec import Const, Emitter, Event, Fixed, Nonzero, Policy, Value

MKR = "0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2"
SKY = "0x56072c95faa701256059aa122697b133aded9279"
SPELLS = "https://github.com/sky-ecosystem/spells-mainnet"

# Nothing is burned: MKR and SKY, or shares of their pool with Dai and USDS, go to the treasury.
BOUGHT: dict[str, Value] = {"destination_kind": Const("treasury")}
OLD: dict[str, Value] = {**BOUGHT, "bought_token": Const(MKR), "spent_token": Const(DAI)}
SWAPPED: dict[str, Value] = {**BOUGHT, "bought_token": Const(SKY), "spent_token": Const(USDS)}

BURNS = (
    # The first flapper logs its lot as it was asked for, a rad; everything else is wad.
    Event(
        abi="maker/FlapperUniV2First",
        name="Kick",
        into="buybacks",
        columns={
            **OLD,
            "bought_tokens": Fixed("bought", 18),
            "spent_tokens": Fixed("lot", 45),
            "spent_usd": Fixed("lot", 45),
        },
        evidence="assumed",
    ),
    # Half of the lot, about, is no purchase: it joins what was bought in the pool.
    Event(
        abi="maker/FlapperUniV2",
        name="Exec",
        into="buybacks",
        columns={
            **SWAPPED,
            "bought_tokens": Fixed("buy", 18),
            "spent_tokens": Fixed("sell", 18),
            "spent_usd": Fixed("sell", 18),
        },
        evidence="assumed",
    ),
    Event(
        abi="maker/FlapperUniV2SwapOnly",
        name="Exec",
        into="buybacks",
        columns={
            **SWAPPED,
            "bought_tokens": Fixed("bought", 18),
            "spent_tokens": Fixed("lot", 18),
            "spent_usd": Fixed("lot", 18),
        },
        evidence="assumed",
    ),
    Event(
        abi="maker/Splitter",
        name="Kick",
        into="fees",
        columns={
            **SAVED,
            "market": Emitter(),
            "fee_token": Const(USDS),
            "holders_usd": Fixed("pay", 18),
        },
        where=(Nonzero("pay"),),
        evidence="assumed",
    ),
)

# By the day of the spell that sets the Splitter's share; it takes effect some days later.
SHARES = tuple(
    Policy("buyback_share", share, day, SPELLS, "governance")
    for day, share in (
        ("2024-09-13", "1"),
        ("2024-10-17", "0.7"),
        ("2025-02-21", "1"),
        ("2025-05-29", "0.5"),
        ("2025-08-21", "0.25"),
        ("2025-10-30", "1"),
        ("2026-08-13", "0.55"),
    )
)

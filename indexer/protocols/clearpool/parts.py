"""What the kinds of pools share: their asset, borrower, and when dollars are known."""

from typing import Literal

from indexer.spec import (
    Condition,
    Emitter,
    Fixed,
    Int,
    Not,
    OfMarket,
    OneOf,
    Value,
    listed,
)

ASSET = OfMarket(Emitter(), "index_token")
AT_PAR = OneOf(ASSET, tuple(sorted({row["address"] for row in listed("clearpool_dollars")})))
ZERO = Fixed(Int(0), 0)
# Dollars are an assumption wherever they are given; without them the row is what the log says.
BASES: tuple[tuple[Condition, Literal["event", "assumed"]], ...] = (
    (AT_PAR, "assumed"),
    (Not(AT_PAR), "event"),
)

OWN: dict[str, Value] = {
    "pool": Emitter(),
    "loan": Emitter(),
    "account": OfMarket(Emitter(), "borrower"),
    "asset_token": ASSET,
}
FLOW: dict[str, Value] = {"pool": Emitter(), "asset_token": ASSET}

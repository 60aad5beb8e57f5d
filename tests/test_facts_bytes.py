"""Bytes of fewer than thirty-two are text of their own width."""

from goldens import log, rows
from test_facts_engine import made, small

from indexer.chains import ARBITRUM
from indexer.spec import Arg, Companion, Contract, Event, Fixed, Int

SHEET = "0x" + "0a" * 20
CLASS = bytes.fromhex("000100000000000a0000000000000001")


def test_sixteen_bytes_are_sixteen_bytes_of_text() -> None:
    """An id reads as its owners write it, from a topic, and beside a companion that is absent."""
    event = Event(
        "centrifuge/Spoke",
        "AddShareClass",
        "share_prices",
        {
            "pool": Arg("scId"),
            "asset_token": Companion("UpdateSharePrice(uint64,bytes16,uint128,uint64)", "scId"),
            "share_price_tokens": Fixed(Int(1), 0),
        },
    )
    protocol = small(event, contracts=(Contract(ARBITRUM, "centrifuge/Spoke", SHEET, 100),))
    announced = log("centrifuge/Spoke", "AddShareClass", SHEET, poolId=1, scId=CLASS, token=SHEET)
    priced = log(
        "centrifuge/Spoke",
        "UpdateSharePrice(uint64,bytes16,uint128,uint64)",
        SHEET,
        poolId=1,
        scId=CLASS,
        price=1,
        computedAt=1,
    )

    alone, beside = made(protocol, [announced]), made(protocol, [announced, priced])

    assert [row["pool"] for row in rows(alone, "share_prices")] == ["0x" + CLASS.hex()]
    assert [row["asset_token"] for row in rows(beside, "share_prices")] == ["0x" + CLASS.hex()]

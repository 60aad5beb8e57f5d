"""Slices of words, on a small protocol over GMX v1's UpdatePnl (bytes32, bool, uint256)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from goldens import Built, frame, log, rows
from hypothesis import given
from hypothesis import strategies as st

from indexer.chains import ARBITRUM
from indexer.facts import declared, facts
from indexer.spec import (
    Bits,
    Companion,
    Condition,
    Const,
    Contract,
    Equals,
    Event,
    Fixed,
    Protocol,
    Value,
)

VAULT = "0x" + "0a" * 20
FEE: dict[str, Value] = {"fee_kind": Const("margin"), "split_basis": Const("none")}


def made(event: Event, *logs: Built) -> list[dict[str, Any]]:
    """Return the fee rows that one event gives of a transaction, without the constant columns."""
    protocol = Protocol(
        slug="small",
        name="Small",
        kind="perp",
        methodology="for tests",
        contracts=(Contract(ARBITRUM, event.abi, VAULT, 100),),
        events=(event,),
    )
    headers = pl.DataFrame(
        {"number": [200], "timestamp": [datetime(2025, 6, 1)]},
        {"number": pl.Int64, "timestamp": pl.Datetime("us")},
    )
    known = declared([protocol], ARBITRUM)
    result = facts([protocol], ARBITRUM, frame(logs, block=200), headers, known)
    return [
        {column: value for column, value in row.items() if column not in FEE}
        for row in rows(result, "fees")
    ]


def pnl(key: bytes = bytes(32), delta: int = 0) -> Built:
    """Return an UpdatePnl."""
    return log("gmx_v1/Vault", "UpdatePnl", VAULT, key=key, hasProfit=True, delta=delta)


def read(one: Built, *where: Condition, **columns: Value) -> list[dict[str, Any]]:
    """Return the rows that an UpdatePnl gives with these columns."""
    return made(Event("gmx_v1/Vault", "UpdatePnl", "fees", {**FEE, **columns}, where), one)


def test_a_slice_of_bytes_is_hexadecimal_text() -> None:
    """The first twenty bytes of a word are an address."""
    one = pnl(key=b"\xab" * 20 + b"default".ljust(12, b"\0"))

    assert read(one, account=Bits("key", at=96, count=160)) == [{"account": "0x" + "ab" * 20}]


def test_a_slice_of_a_number_is_a_number() -> None:
    """Two ids in one integer: digits in text columns, an integer where one is scaled."""
    one = pnl(delta=2 << 16 | 1)
    columns: dict[str, Value] = {
        "market": Bits("delta", 16, 16),
        "fee_usd": Fixed(Bits("delta", 0, 16), 0),
    }

    assert read(one, **columns) == [{"market": "2", "fee_usd": Decimal(1)}]


def test_a_slice_chooses_logs() -> None:
    """The lowest bit tells odd from even."""
    is_even = Equals(Bits("delta", at=0, count=1), 0)

    assert [len(read(pnl(delta=number), is_even)) for number in (4, 5)] == [1, 0]


def test_a_companion_is_sliced_too() -> None:
    """The packed argument may be that of another event of the transaction."""
    key = Companion("UpdatePnl", "key", nearest="before")
    fee = log("gmx_v1/Vault", "CollectMarginFees", VAULT, token=VAULT, feeUsd=0, feeTokens=0)
    event = Event("gmx_v1/Vault", "CollectMarginFees", "fees", {**FEE, "market": Bits(key, 0, 8)})

    assert made(event, pnl(key=b"\x01" * 31 + b"\x7f"), fee) == [{"market": "0x7f"}]


@given(
    st.integers(0, 2**256 - 1),
    st.integers(0, 255).flatmap(lambda at: st.tuples(st.just(at), st.integers(1, 256 - at))),
)
def test_a_slice_is_a_shift_and_a_mask(word: int, place: tuple[int, int]) -> None:
    """Wherever it begins and ends, it is what Python's shift and mask say."""
    at, count = place

    (row,) = read(pnl(delta=word), market=Bits("delta", at, count))

    assert row == {"market": str(word >> at & (1 << count) - 1)}


def test_text_has_no_word_to_slice() -> None:
    """A string argument is refused by name of its type when a log of it is first read."""
    abi, values = "synthetix_v3/PerpsMarketProxy", {"marketName": "Ether", "marketSymbol": "ETH"}
    event = Event(abi, "MarketCreated", "fees", {**FEE, "market": Bits("marketName", 0, 8)})

    with pytest.raises(TypeError, match="a string argument has no word to slice"):
        made(event, log(abi, "MarketCreated", VAULT, perpsMarketId=1, **values))

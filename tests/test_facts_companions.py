"""Companions that another contract of the protocol emits: Vault events beside router events."""

from dataclasses import replace
from typing import Any, Literal

import polars as pl
import pytest
from eth_abi.abi import encode
from goldens import NOON, Built, frame, log, reasons, rows, usd

from indexer.chains import ARBITRUM
from indexer.facts import declared, discovered, facts, log_filter, owned
from indexer.spec import (
    All,
    Companion,
    Const,
    Contract,
    Discover,
    Equals,
    Event,
    Exists,
    Fixed,
    Not,
    Protocol,
    Quotient,
    Value,
)
from indexer.sync.declarations import reach
from indexer.sync.reaches import lines, unread

VAULT = "0x" + "0a" * 20
FEED = "0x" + "0b" * 20
SECOND_FEED = "0x" + "0c" * 20
TOKEN = "0x" + "70" * 20
OTHER = "0x" + "71" * 20
PRICE = Companion("SetPrice", take="price", on={"token": "token"}, abi="gmx_v1/FastPriceFeed")


def fees(companion: Companion = PRICE, **said: Any) -> Protocol:
    """Return a protocol that takes the fee in dollars from a price set by another contract."""
    columns: dict[str, Value] = {
        "fee_kind": Const("margin"),
        "split_basis": Const("none"),
        "fee_usd": Fixed(companion, 0),
    }
    return Protocol(
        slug="small",
        name="Small",
        kind="perp",
        methodology="for tests",
        contracts=(
            Contract(ARBITRUM, "gmx_v1/Vault", VAULT, 100),
            Contract(ARBITRUM, "gmx_v1/FastPriceFeed", FEED, 100),
            Contract(ARBITRUM, "gmx_v1/FastPriceFeed", SECOND_FEED, 100),
        ),
        events=(Event("gmx_v1/Vault", "CollectMarginFees", "fees", columns, **said),),
    )


def margin(token: str = TOKEN) -> Built:
    """Return a fee of the Vault in a token."""
    said = {"token": token, "feeUsd": 1, "feeTokens": 1}
    return log("gmx_v1/Vault", "CollectMarginFees", VAULT, **said)


def price(of: int, token: str = TOKEN, feed: str = FEED) -> Built:
    """Return a price that a feed sets."""
    return log("gmx_v1/FastPriceFeed", "SetPrice", feed, token=token, price=of)


def made(protocol: Protocol, *transactions: list[Built]) -> Any:
    """Return the facts of these transactions in block 200."""
    headers = pl.DataFrame({"number": [200], "timestamp": [NOON]}).with_columns(
        pl.col("timestamp").cast(pl.Datetime("us"))
    )
    known = declared([protocol], ARBITRUM)
    return facts([protocol], ARBITRUM, frame(*transactions, block=200), headers, known)


def amounts(protocol: Protocol, *transactions: list[Built]) -> list[int | None]:
    """Return the fees in dollars, in order of the logs."""
    table = made(protocol, *transactions).tables["fees"].sort("log_index")
    return [None if fee is None else int(fee) for fee in table["fee_usd"]]


def test_a_companion_of_another_contract_is_of_the_same_transaction() -> None:
    """Two transactions of a block with the same arguments keep their own prices."""
    first, second = [price(3), margin()], [margin(), price(5)]

    assert amounts(fees(), first, second) == [3, 5]


def test_a_companion_of_another_contract_may_be_absent() -> None:
    """A price in the next transaction, or of another token, is none; the column is null."""
    assert amounts(fees(), [margin()], [price(3)], [margin(), price(4, OTHER)]) == [None, None]


def test_a_quotient_with_an_absent_companion_is_not_known() -> None:
    """On either side of the division: what nobody told is no zero."""
    protocol = fees()
    (event,) = protocol.events
    quotients: dict[str, Value] = {
        "fee_usd": Fixed(Quotient(PRICE, "feeUsd"), 0),
        "fee_tokens": Fixed(Quotient("feeUsd", PRICE), 0),
    }
    both = replace(protocol, events=(replace(event, columns={**event.columns, **quotients}),))

    table = made(both, [margin()], [price(4), margin()]).tables["fees"].sort("log_index")

    assert table.select("fee_usd", "fee_tokens").rows() == [(None, None), (usd("4"), usd("0.25"))]


@pytest.mark.parametrize("nearest", [None, "before"])
def test_a_text_is_nobodys_key(nearest: Literal["before"] | None) -> None:
    """Companions go by words: equal texts join nothing, and stop nothing."""
    told = Companion("Burn", take="value", on={"reason": "reason"}, nearest=nearest)
    protocol = fees()
    (event,) = protocol.events
    burns = Event(
        "securitize/DSToken", "Burn", "fees", {**event.columns, "fee_usd": Fixed(told, 0)}
    )
    tokens = (Contract(ARBITRUM, "securitize/DSToken", TOKEN, 100),)
    burn = log("securitize/DSToken", "Burn", TOKEN, burner=OTHER, value=1, reason="same")

    assert amounts(replace(protocol, contracts=tokens, events=(burns,)), [burn, burn]) == [None] * 2


def test_either_emitter_of_the_abi_will_do() -> None:
    """The companion's emitter is not this log's, and which of its ABI it is does not matter."""
    assert amounts(fees(), [price(3, feed=SECOND_FEED), margin()]) == [3]


def test_a_stranger_with_the_companions_topic_is_none() -> None:
    """The same event from an address the declaration does not name is not read."""
    assert amounts(fees(), [price(3, feed="0x" + "0d" * 20), margin()]) == [None]


def test_two_emitters_where_one_companion_is_demanded_reject_the_row() -> None:
    """Which of two equal events of one transaction is meant is not guessed."""
    logs = [price(3), price(3, feed=SECOND_FEED), margin()]

    result = made(fees(), logs, [price(7), margin()])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [usd("7")]
    assert reasons(result) == [
        ("CollectMarginFees", "fees", "more than one companion event matches")
    ]


@pytest.mark.parametrize(("nearest", "expected"), [("before", [3, 4]), ("after", [4, 5])])
def test_the_nearest_is_counted_over_all_emitters(
    nearest: Literal["before", "after"], expected: list[int]
) -> None:
    """Log numbers of the block order the logs of different contracts."""
    logs = [price(3), margin(), price(4, feed=SECOND_FEED), margin(), price(5), price(6)]

    assert amounts(fees(replace(PRICE, nearest=nearest)), logs) == expected


def test_the_nearest_does_not_leave_the_transaction() -> None:
    """The last price of the transaction before is not this one's."""
    before = replace(PRICE, nearest="before")

    assert amounts(fees(before), [price(3)], [margin(), price(4)]) == [None]


def test_without_an_abi_the_companion_is_of_the_same_emitter() -> None:
    """Naming the ABI is what lets another contract of the same ABI answer."""
    alone = Companion("SetPrice", "price", on={"token": "token"}, nearest="before")
    joined = replace(alone, abi="gmx_v1/FastPriceFeed")
    (event,) = fees().events
    columns = {**event.columns, "fee_usd": Fixed(alone, 0), "fee_tokens": Fixed(joined, 0)}
    of_feed = Event("gmx_v1/FastPriceFeed", "SetPrice", "fees", columns)

    result = made(replace(fees(), events=(of_feed,)), [price(3), price(4, feed=SECOND_FEED)])

    assert result.tables["fees"]["fee_usd"].to_list() == [None, None]
    assert result.tables["fees"]["fee_tokens"].to_list() == [None, usd("3")]


def test_one_event_may_be_joined_both_ways() -> None:
    """Companions that differ in the ABI alone are matched apart."""
    mine = Companion("CollectMarginFees", take="feeUsd", on={"token": "token"}, nearest="after")
    any_of = replace(mine, abi="gmx_v1/Vault")
    protocol = fees()
    (event,) = protocol.events
    columns = {**event.columns, "fee_usd": Fixed(mine, 0), "fee_tokens": Fixed(any_of, 0)}
    vaults = (*protocol.contracts, Contract(ARBITRUM, "gmx_v1/Vault", OTHER, 100))
    both = replace(protocol, contracts=vaults, events=(replace(event, columns=columns),))
    other = replace(margin(), address=OTHER)

    first, _ = rows(made(both, [margin(), other]), "fees")

    assert "fee_usd" not in first
    assert first["fee_tokens"] == usd("1")


def test_conditions_ask_for_companions_of_other_contracts() -> None:
    """`Exists` holds for a companion wherever it was emitted."""
    without = fees(where=(Not(Exists(PRICE)),))

    result = made(without, [price(3), margin()], [margin()])

    assert result.tables["fees"]["tx_hash"].to_list() == ["0x" + "02" * 32]


def test_companions_of_other_contracts_are_asked_for_and_owned() -> None:
    """Nodes are asked for the companion's topic, and its logs belong to the protocol."""
    protocol = fees()
    known = declared([protocol], ARBITRUM)
    logs = frame([price(3), margin()], block=200)

    assert price(3).topics[0] in log_filter([protocol], ARBITRUM, known).topic0s
    assert owned([protocol], ARBITRUM, logs, known)["small"].to_list() == [True, True]


def test_a_new_companion_is_part_of_what_a_declaration_reaches() -> None:
    """A database indexed without the companion is known to lack its logs."""
    alone = fees()
    (event,) = alone.events
    columns = {**event.columns, "fee_usd": Fixed("feeUsd", 0)}
    before = replace(alone, events=(replace(event, columns=columns),))

    new = unread(lines(before, ARBITRUM), lines(alone, ARBITRUM))

    assert reach(before, ARBITRUM) != reach(alone, ARBITRUM)
    assert set(new["topic0"]) == {price(3).topics[0].hex()}
    assert {FEED, SECOND_FEED} <= set(new["emitter"])
    assert VAULT not in set(new["emitter"])


@pytest.mark.parametrize(("fee_usd", "kept"), [(1, []), (2, [None]), (3, [])])
def test_all_conditions_hold_together(fee_usd: int, kept: list[int | None]) -> None:
    """`All` is as false as the first of its conditions that is, companions included."""
    is_two, is_alone = Equals("feeUsd", 2), Not(Exists(PRICE))
    said = replace(margin(), data=encode(["address", "uint256", "uint256"], [TOKEN, fee_usd, 1]))

    assert amounts(fees(where=(All((is_two, is_alone)),)), [said]) == kept
    assert amounts(fees(where=(All((is_two, is_alone)),)), [said, price(3)]) == []


def test_where_nobody_emits_the_companion_it_is_absent() -> None:
    """A chain without the other contract still gives its rows."""
    protocol = fees()
    alone = replace(protocol, contracts=protocol.contracts[:1])

    assert amounts(alone, [price(3), margin()]) == [None]


def test_a_discovered_child_is_a_companion_too() -> None:
    """What a factory announced in the same transaction answers from there on."""
    born = Discover("gmx_v1/FastPriceEvents", "PriceUpdate", "priceFeed", "gmx_v1/FastPriceFeed")
    factory = Contract(ARBITRUM, "gmx_v1/FastPriceEvents", OTHER, 100)
    protocol = fees()
    vault = protocol.contracts[0]
    growing = replace(protocol, contracts=(vault, factory), discoveries=(born,))
    birth = log(
        "gmx_v1/FastPriceEvents", "PriceUpdate", OTHER, token=TOKEN, price=1, priceFeed=FEED
    )
    logs = frame([birth, price(3), margin()], block=200)
    known = declared([growing], ARBITRUM)
    children = replace(known, contracts=discovered([growing], ARBITRUM, logs, known))
    headers = pl.DataFrame({"number": [200], "timestamp": [NOON]}).with_columns(
        pl.col("timestamp").cast(pl.Datetime("us"))
    )

    result = facts([growing], ARBITRUM, logs, headers, children)

    assert [row["fee_usd"] for row in rows(result, "fees")] == [usd("3")]

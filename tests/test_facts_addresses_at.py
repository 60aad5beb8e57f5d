"""Addresses in a bytes argument: `AddressAt`, word by word."""

import polars as pl
import pytest
from goldens import NOON, frame, log

from indexer.chains import ETHEREUM
from indexer.facts import Known, facts
from indexer.facts.operands import leaves
from indexer.spec import AddressAt, Arg, Const, Contract, Event, Protocol
from indexer.tables import empty

FACTORY = "0x" + "f1" * 20
CHILD, OWNER = "0x" + "c1" * 20, "0x" + "0a" * 20


def told(argument: bytes, word: int) -> str | None:
    """Return what a log with this bytes argument has in the column that reads the word."""
    contract = Contract(ETHEREUM, "maple/ProxyFactory", FACTORY, 0)
    learn = Event(
        abi="maple/ProxyFactory",
        name="InstanceDeployed",
        into="markets",
        columns={
            "market": "instance",
            "parent": AddressAt("initializationArguments", word),
            "asset_class": Const("credit"),
            "known_by": Const("event"),
        },
    )
    protocol = Protocol("small", "Small", "credit", "None.", (contract,), (learn,))
    deployed = log(
        "maple/ProxyFactory",
        "InstanceDeployed",
        FACTORY,
        version=1,
        instance=CHILD,
        initializationArguments=argument,
    )
    logs = frame([deployed], block=1)
    headers = pl.DataFrame({"number": [1], "timestamp": [NOON]})
    known = Known(empty("tokens"), empty("markets"), empty("contracts"))
    found = facts([protocol], ETHEREUM, logs, headers, known).markets["parent"]
    return None if found[0] is None else str(found[0])


WORD = bytes.fromhex(OWNER[2:]).rjust(32, b"\0")


@pytest.mark.parametrize(
    ("argument", "word", "expected"),
    [
        (WORD, 0, OWNER),
        (b"\1" * 32 + WORD, 1, OWNER),
        (b"\0" * 32, 0, "0x" + "00" * 20),
        (WORD + WORD[:31], 1, None),
        (b"", 0, None),
        (b"\1" * 32, 0, None),
    ],
)
def test_a_word_that_is_an_address_is_one(argument: bytes, word: int, expected: str | None) -> None:
    """Words count from 0; what is short, or longer than an address, is null."""
    assert told(argument, word) == expected


def test_what_it_reads_is_found_without_evaluating_it() -> None:
    """The argument is decoded because the expression names it."""
    assert list(leaves(AddressAt("initializationArguments", 2))) == [Arg("initializationArguments")]

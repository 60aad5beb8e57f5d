"""Words of a bytes argument: addresses by `AddressAt`, flags by `FlagAt`."""

import polars as pl
import pytest
from goldens import NOON, frame, log

from indexer.chains import ETHEREUM
from indexer.facts import Facts, Known, facts
from indexer.facts.operands import leaves
from indexer.spec import AddressAt, Arg, Const, Contract, Event, FlagAt, Protocol, Value
from indexer.tables import empty

FACTORY = "0x" + "f1" * 20
CHILD, OWNER = "0x" + "c1" * 20, "0x" + "0a" * 20


def told(argument: bytes, word: int) -> str | None:
    """Return what a log with this bytes argument has in the column that reads the word."""
    columns: dict[str, Value] = {
        "market": "instance",
        "parent": AddressAt("initializationArguments", word),
        "asset_class": Const("credit"),
        "known_by": Const("event"),
    }
    found = read(Event("maple/ProxyFactory", "InstanceDeployed", "markets", columns), argument)
    (parent,) = found.markets["parent"]
    return None if parent is None else str(parent)


def flagged(argument: bytes, word: int) -> bool | None:
    """Return the flag that a log with this bytes argument has in the word."""
    columns: dict[str, Value] = {
        "market": Const("m"),
        "is_positive": FlagAt("initializationArguments", word),
    }
    event = Event("maple/ProxyFactory", "InstanceDeployed", "impact_parameters", columns)
    (flag,) = read(event, argument).tables["impact_parameters"]["is_positive"]
    return None if flag is None else bool(flag)


def read(event: Event, argument: bytes) -> Facts:
    """Return what this event makes of one log with this bytes argument."""
    contract = Contract(ETHEREUM, "maple/ProxyFactory", FACTORY, 0)
    protocol = Protocol("small", "Small", "credit", "None.", (contract,), (event,))
    deployed = log(
        "maple/ProxyFactory",
        "InstanceDeployed",
        FACTORY,
        version=1,
        instance=CHILD,
        initializationArguments=argument,
    )
    headers = pl.DataFrame({"number": [1], "timestamp": [NOON]})
    known = Known(empty("tokens"), empty("markets"), empty("contracts"))
    return facts([protocol], ETHEREUM, frame([deployed], block=1), headers, known)


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


YES, NO = b"\0" * 31 + b"\1", b"\0" * 32


@pytest.mark.parametrize(
    ("argument", "word", "expected"),
    [
        (YES, 0, True),
        (NO, 0, False),
        (YES + NO, 1, False),
        (NO + YES, 1, True),
        (YES, 1, None),
        (YES[:31], 0, None),
        (b"", 0, None),
        (b"\0" * 31 + b"\2", 0, None),
        (b"\1" + YES[1:], 0, None),
    ],
)
def test_a_word_that_is_a_flag_is_one(argument: bytes, word: int, expected: bool | None) -> None:
    """Words count from 0; what is short, or neither 0 nor 1, is null."""
    assert flagged(argument, word) == expected


def test_what_it_reads_is_found_without_evaluating_it() -> None:
    """The argument is decoded because the expression names it."""
    for expression in (AddressAt("arguments", 2), FlagAt("arguments", 2)):
        assert list(leaves(expression)) == [Arg("arguments")]

"""Noted calls: anonymous events that are found by the selector of a function."""

import pytest
from goldens import Built, frame, reasons
from lending_rig import BLOCK, noted, read

from indexer.facts.routes import topic0s_of
from indexer.spec import Noted

POT = "0x197e90f9fad81970ba7976f33cbd77088e5d7cf7"
USER = "0x" + "aa" * 20


@pytest.mark.parametrize(
    ("function", "selector"),
    [("join(uint256)", "049878f3"), ("exit(uint256)", "7f8661a1")],
)
def test_a_note_is_found_by_its_selector(function: str, selector: str) -> None:
    """Four bytes, then 28 zeros; a hash of the signature would find nothing."""
    assert topic0s_of(Noted(function), "maker/Pot") == (bytes.fromhex(selector).ljust(32, b"\0"),)


def test_a_note_with_a_topic_too_few_is_refused_by_its_bare_name() -> None:
    """The reject names the call and what is wrong with the log."""
    whole = noted("exit(uint256)", POT, USER, 5)
    short = Built(POT, whole.topics[:3], whole.data)

    result = read("maker", frame([short], block=BLOCK), {})

    assert reasons(result) == [("exit", None, "log has 3 topics of 32 bytes, expected 4")]


def test_another_call_of_the_same_contract_is_not_read() -> None:
    """`drip()` has no entry and gives neither row nor reject."""
    result = read("maker", frame([noted("drip()", POT, USER)], block=BLOCK), {})

    assert all(rows.is_empty() for rows in result.tables.values())
    assert reasons(result) == []

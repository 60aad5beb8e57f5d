"""JSON ABI entries as values."""

from typing import Any

import pytest

from indexer.decode.abi import event_abis, event_named
from indexer.decode.layout import body


def event(name: str, *inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A JSON ABI entry."""
    return {"type": "event", "name": name, "inputs": list(inputs), **more}


def of(solidity_type: str, name: str = "a", **more: Any) -> dict[str, Any]:
    """A JSON ABI input."""
    return {"type": solidity_type, "name": name, **more}


def test_the_signature_spells_tuples_and_short_names_out() -> None:
    """Components stand in parentheses, array marks behind them, `uint` is `uint256`."""
    parts = [of("uint"), of("tuple", components=[of("int"), of("function")])]

    abi = event_abis([event("Moved", of("tuple[2][]", components=parts), of("bytes3[4]"))])["Moved"]

    assert abi.signature == "Moved((uint256,(int256,bytes24))[2][],bytes3[4])"


def test_topic0_is_the_published_hash() -> None:
    """ERC-20 Transfer has the topic everyone knows."""
    inputs = [of("address", indexed=True), of("address", indexed=True), of("uint256")]

    abi = event_abis([event("Transfer", *inputs)])["Transfer"]

    assert abi.topic0.hex() == "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    assert abi.indexed_count == 2
    assert not abi.anonymous


def test_an_overloaded_name_is_found_by_its_types_only() -> None:
    """The bare name of two events is refused and both signatures are offered."""
    events = event_abis([event("Paid", of("uint8")), event("Paid", of("uint16"))])

    assert event_named(events, "Paid(uint8)").inputs[0].type == "uint8"
    with pytest.raises(ValueError, match=r"overloaded; write one of Paid\(uint16\), Paid\(uint8\)"):
        event_named(events, "Paid")


def test_an_unknown_name_says_what_there_is() -> None:
    """A wrong name in a declaration lists the events of the file."""
    with pytest.raises(ValueError, match=r"no event `Payed` .* Paid, Paid\(uint8\)"):
        event_named(event_abis([event("Paid", of("uint8"))]), "Payed")


def test_one_signature_with_other_arguments_indexed_is_one_event_with_a_twin() -> None:
    """Both have one name and one topic; how many topics a log has tells them apart."""
    plain, indexed = event("Paid", of("uint8")), event("Paid", of("uint8", indexed=True))

    events = event_abis([plain, indexed, plain])

    assert list(events) == ["Paid(uint8)", "Paid"]
    assert events["Paid"].indexed_count == 0
    assert [twin.indexed_count for twin in events["Paid"].twins] == [1]


def test_twins_with_equally_many_topics_are_refused() -> None:
    """Nothing in a log would tell which of its arguments is the topic."""
    first = event("Paid", of("uint8", indexed=True), of("uint8"))
    second = event("Paid", of("uint8"), of("uint8", indexed=True))

    with pytest.raises(ValueError, match=r"Paid\(uint8,uint8\) stands twice"):
        event_abis([first, second])


def test_entries_that_are_no_events_are_passed_over() -> None:
    """A whole contract ABI may be given."""
    entries = [{"type": "function", "name": "pay", "inputs": []}, event("Paid"), event("Paid")]

    assert list(event_abis(entries)) == ["Paid()", "Paid"]


@pytest.mark.parametrize(
    "solidity_type", ["fixed128x18", "uint7", "uint264", "bytes40", "bytes0", "mapping", "uint8[0]"]
)
def test_a_type_no_event_can_carry_is_named(solidity_type: str) -> None:
    """What the decoder cannot read it refuses before the first log."""
    abi = event_abis([event("Odd", of(solidity_type))])["Odd"]

    with pytest.raises(ValueError, match="`a`"):
        body(abi)

"""Functions of an ABI: how they are called, and under which names their answers are read."""

import polars as pl
from eth_abi.abi import encode

from indexer.decode.columns import decode
from indexer.decode.functions import function_abis

UINT = {"name": "", "type": "uint256"}
STATE = {
    "type": "function",
    "name": "latestRoundData",
    "inputs": [],
    "outputs": [{"name": "roundId", "type": "uint80"}, {"name": "", "type": "int256"}],
}
BALANCE = {
    "type": "function",
    "name": "balanceOf",
    "inputs": [{"name": "account", "type": "address"}],
    "outputs": [UINT],
}
EVENT = {"type": "event", "name": "Happened", "inputs": []}


def test_a_function_is_called_by_its_selector() -> None:
    """Four bytes of the hash of name and argument types; events are no functions."""
    found = function_abis([STATE, EVENT, BALANCE])

    assert {name: function.selector.hex() for name, function in found.items()} == {
        "latestRoundData": "feaf968c",
        "balanceOf": "70a08231",
    }


def test_one_value_is_read_under_the_name_of_the_function() -> None:
    """However its only output is called."""
    answers = pl.DataFrame({"data": [encode(["uint256"], [7])]})

    decoded = decode(function_abis([BALANCE])["balanceOf"].answer, ["balanceOf"], answers)

    assert decoded.accepted.all()
    words = decoded.columns["balanceOf"].words
    assert words is not None
    assert words[0].tobytes() == (7).to_bytes(32)


def test_several_values_are_read_under_their_own_names() -> None:
    """Behind the function's name; one without a name is called by its position."""
    answers = pl.DataFrame({"data": [encode(["uint80", "int256"], [3, -5])]})
    wanted = ["latestRoundData.roundId", "latestRoundData.1"]

    decoded = decode(function_abis([STATE])["latestRoundData"].answer, wanted, answers)

    told = [decoded.columns[name].words for name in wanted]
    assert [
        int.from_bytes(words[0].tobytes(), signed=True) for words in told if words is not None
    ] == [3, -5]

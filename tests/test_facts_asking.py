"""Whom a read asks: its own contract, a fixed address, or one that the contract declares."""

from dataclasses import replace

import pytest
from test_facts_reads import DECLARED, LENS, NEW, OLD, SUPPLY, asked

from indexer.chains import ETHEREUM
from indexer.spec import Call, Contract, Emitter, OfContract

ELSEWHERE = replace(SUPPLY, calls=(Call("totalSupply", to=OfContract("token")),))
LATE = "0x" + "0e" * 20
BESIDE = replace(
    DECLARED,
    contracts=(
        Contract(ETHEREUM, "maple/Pool", OLD, 100, 199, says={"token": LENS}),
        Contract(ETHEREUM, "maple/Pool", NEW, 200, says={"token": LATE}),
    ),
    reads=(ELSEWHERE,),
)


@pytest.mark.parametrize(("block", "token"), [(150, LENS), (250, LATE)])
def test_a_contract_may_declare_whom_to_ask(block: int, token: str) -> None:
    """An oracle names its token, and each one its own."""
    (whom,) = asked(BESIDE, ("supply", block))["address"]

    assert f"0x{whom.hex()}" == token


def test_a_contract_may_be_asked_about_itself() -> None:
    """What a fund holds of its own shares: its address is the argument."""
    own = replace(SUPPLY, abi="erc20/Token", calls=(Call("balanceOf", (Emitter(),)),))
    token = Contract(ETHEREUM, "erc20/Token", OLD, 100)

    (question,) = asked(replace(BESIDE, contracts=(token,), reads=(own,)), ("supply", 150))["input"]

    assert question.hex() == "70a08231" + OLD[2:].rjust(64, "0")


def test_what_is_not_declared_cannot_be_asked() -> None:
    """The mistake names the word, at once, instead of asking somebody else."""
    silent = replace(BESIDE, contracts=(Contract(ETHEREUM, "maple/Pool", OLD, 100),))

    with pytest.raises(KeyError, match="token"):
        asked(silent, ("supply", 150))

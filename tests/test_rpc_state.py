"""State at one block: through Multicall3 or one by one, and only from nodes that show where."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from eth_abi.abi import decode, encode
from rpc_rig import ADDRESS, Script, ask, block, block_hash
from test_rpc_node import octets

from indexer.errors import HistoryPruned, NodeAnswerWrong, NodeBehind
from indexer.rpc import Header
from indexer.rpc.failures import TooManyCalls
from indexer.rpc.state import AGGREGATE3, BLOCK_TIME, MULTICALL3, TIME_CODE

NUMBER = 4
TIME = int(block(NUMBER)["timestamp"], 16)
PIN = Header(
    NUMBER,
    octets(block_hash(NUMBER)),
    bytes(32),
    datetime.fromtimestamp(TIME, UTC).replace(tzinfo=None),
    None,
)
PRECOMPILE = bytes.fromhex("0807".zfill(40))
REQUESTS = [(ADDRESS, b"\x01"), (PRECOMPILE, b"\x02"), (ADDRESS, b"\x03")]
DOUBLED = [b"\x01\x01", b"\x02\x02", b"\x03\x03"]

Contract = Callable[[bytes | None, bytes], bytes]


def contract(to: bytes | None, sent: bytes) -> bytes:
    """Return what contracts of a chain with Multicall3 answer: what they are sent, twice."""
    if (to, sent) == (MULTICALL3, BLOCK_TIME) or (to, sent) == (None, TIME_CODE):
        return TIME.to_bytes(32)
    if to == MULTICALL3:
        assert sent[:4] == AGGREGATE3
        (inner,) = decode(["(address,bool,bytes)[]"], sent[4:])
        told = [(True, contract(octets(target), content)) for target, _, content in inner]
        return encode(["(bool,bytes)[]"], [told])
    return sent + sent


def answering(tell: Contract) -> Callable[[dict[str, str], Any], str]:
    """Return how a script answers eth_call when contracts answer like this."""

    def result(call: dict[str, str], _pin: Any) -> str:
        to = octets(call["to"]) if "to" in call else None
        return "0x" + tell(to, octets(call["data"])).hex()

    return result


def asked(script: Script) -> list[tuple[str | None, str]]:
    """Return to whom and with what each eth_call went."""
    calls = [params[0] for params in script.asked if params and isinstance(params[0], dict)]
    return [(call.get("to"), call["data"]) for call in calls]


def test_contracts_are_asked_through_multicall_and_precompiles_apart() -> None:
    """One call carries what contracts are asked; a precompile is asked itself, with raw data."""
    script = Script(results={"eth_call": answering(contract)})

    answers = ask(lambda node: node.state(REQUESTS, PIN), script)

    assert answers == DOUBLED
    to = [target for target, _ in asked(script)]
    assert to.count(f"0x{ADDRESS.hex()}") == 0
    assert (f"0x{PRECOMPILE.hex()}", "0x02") in asked(script)
    assert all(params[1] == {"blockHash": block_hash(NUMBER)} for params in script.asked[1:])


def without_multicall(to: bytes | None, sent: bytes) -> bytes:
    """Return what contracts answer on a chain without Multicall3."""
    return b"" if to == MULTICALL3 else contract(to, sent)


def without_creation(to: bytes | None, sent: bytes) -> bytes:
    """Return what contracts answer at a node that runs no code that is not deployed."""
    return b"" if to is None else contract(to, sent)


@pytest.mark.parametrize("tell", [without_multicall, without_creation])
def test_one_witness_is_enough(tell: Contract) -> None:
    """Either Multicall3 or code run as if deployed tells the time; nothing else is needed."""
    script = Script(results={"eth_call": answering(tell)})

    assert ask(lambda node: node.state(REQUESTS, PIN), script) == DOUBLED


@pytest.mark.parametrize("most", [3, 4, 7, 30])
def test_precompiles_come_in_as_many_requests_as_it_takes(most: int) -> None:
    """A node that takes few calls at once is asked for few, each time with the witnesses."""

    def limited(answer: Any) -> object:
        if not isinstance(answer, list) or len(answer) <= most:
            return answer
        message = f"maximum {most} calls in 1 batch"
        return {"id": None, "error": {"code": -32014, "message": message}}

    script = Script(results={"eth_call": answering(contract)}, whole=limited)
    requests = [(PRECOMPILE, bytes([place])) for place in range(40)]

    answers = ask(lambda node: node.state(requests, PIN), script)

    assert answers == [bytes([place, place]) for place in range(40)]


def later(to: bytes | None, sent: bytes) -> bytes:
    """Return what contracts answer in a later block than the pinned one."""
    if (to, sent) == (None, TIME_CODE):
        return (TIME + 12).to_bytes(32)
    return b"" if to == MULTICALL3 else sent + sent


def silent(to: bytes | None, sent: bytes) -> bytes:
    """Return what contracts answer where nothing tells the time."""
    return b"" if to in (None, MULTICALL3) else sent + sent


@pytest.mark.parametrize(
    ("tell", "said"),
    [(later, "ignores which block it is asked about"), (silent, "does not say in which block")],
)
def test_a_node_that_does_not_show_the_block_is_refused(tell: Contract, said: str) -> None:
    """An answer counts only where its block is shown."""
    script = Script(results={"eth_call": answering(tell)})

    with pytest.raises(NodeAnswerWrong, match=said):
        ask(lambda node: node.state(REQUESTS, PIN), script)


def bent(answer: list[dict[str, object]] | dict[str, object]) -> object:
    """Return an answer in which every pin by hash is refused, as old nodes do."""
    refusal = {"code": -32602, "message": "json: cannot unmarshal object into Go value of type x"}
    parts = answer if isinstance(answer, list) else [answer]
    told = [
        {"jsonrpc": "2.0", "id": part["id"], "error": refusal}
        if part.get("result") == "pinned"
        else part
        for part in parts
    ]
    return told if isinstance(answer, list) else told[0]


def by_number(there: int) -> Script:
    """Return a node that takes no hash, and whose block 4 has the hash of block `there`."""
    tell = answering(contract)
    return Script(
        results={
            "eth_call": lambda call, pin: "pinned" if isinstance(pin, dict) else tell(call, pin),
            "eth_getBlockByNumber": block(NUMBER) | {"hash": block_hash(there)},
        },
        whole=bent,
    )


def test_a_node_that_takes_no_hash_is_asked_by_number() -> None:
    """The header in the same request has the hash that was asked for."""
    assert ask(lambda node: node.state(REQUESTS, PIN), by_number(NUMBER)) == DOUBLED


def test_by_number_another_block_is_refused() -> None:
    """A number that has another hash by now is another block."""
    with pytest.raises(NodeAnswerWrong, match="not the one the calls are pinned to"):
        ask(lambda node: node.state(REQUESTS, PIN), by_number(NUMBER + 1))


def test_a_bundle_that_fails_is_asked_in_parts() -> None:
    """More than one call can hold, or a broken Multicall3: each contract is asked itself."""

    def broken(to: bytes | None, sent: bytes) -> bytes:
        is_bundle = to == MULTICALL3 and sent != BLOCK_TIME
        return b"\xff" * 40 if is_bundle else contract(to, sent)

    script = Script(results={"eth_call": answering(broken)})

    assert ask(lambda node: node.state(REQUESTS, PIN), script) == DOUBLED


@pytest.mark.parametrize(
    ("message", "kind"),
    [("missing trie node 5b (path )", HistoryPruned), ("header not found", NodeBehind)],
)
def test_state_that_is_not_there_is_told_apart(message: str, kind: type[Exception]) -> None:
    """State that is gone for good is one thing, a block that is not in the chain another."""
    script = Script(errors={"eth_call": {"code": -32000, "message": message}})

    with pytest.raises(kind):
        ask(lambda node: node.state(REQUESTS, PIN), script)


def test_an_empty_list_asks_nothing() -> None:
    """Where nothing is due no request is sent."""
    script = Script()

    assert ask(lambda node: node.state([], PIN), script) == []
    assert script.seen == ["eth_chainId"]


def test_a_block_without_a_time_shows_nothing() -> None:
    """Tokens and phases are asked at a head; one that is given no time has nothing to compare."""
    script = Script(results={"eth_call": answering(contract)})

    assert ask(lambda node: node.state(REQUESTS, replace(PIN, timestamp=None)), script) == DOUBLED


def test_the_time_code_is_what_it_says() -> None:
    """TIMESTAMP, PUSH1 0, MSTORE, PUSH1 32, PUSH1 0, RETURN: the block's time as one word."""
    assert bytes([0x42, 0x60, 0x00, 0x52, 0x60, 0x20, 0x60, 0x00, 0xF3]) == TIME_CODE


def test_state_that_does_not_fit_is_no_state_that_is_refused() -> None:
    """An answer too large for a call and its witnesses may fit later: it is not called gone."""
    error = {"code": -32003, "message": "response too large"}
    script = Script(errors={"eth_call": error})

    with pytest.raises(TooManyCalls):
        ask(lambda node: node.state([(PRECOMPILE, b"\x01")] * 3, PIN), script)

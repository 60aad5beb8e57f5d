"""The simulated node answers like a node: methods, tags, batches, refusals."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from loopback import ask, header, post, refusal, send

from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.node import Served, serve
from indexer.simulation.served import SIMULATED_CLIENT, CallKey, ServedChain

USER, POOL = b"u" * 20, b"p" * 20
TX = Transaction(USER, POOL, (Log(POOL, (b"T" * 32,), b"\x01" * 32),))
NOWHERE = "0x" + "00" * 32
POOL_TEXT = "0x" + POOL.hex()
CALLS: dict[CallKey, str] = {
    (None, POOL_TEXT, "0x01"): "0xaa",
    (105, POOL_TEXT, "0x01"): "0xbb",
}


def blocks() -> list[Block]:
    """Return blocks 100..199 with one transaction each."""
    made: list[Block] = []
    for number in range(100, 200):
        made.append(block(made[-1] if made else None, number, 1_700_000_000 + number, (TX,)))
    return made


CHAIN = ServedChain(42161, "arbitrum", SIMULATED_CLIENT, blocks(), CALLS)
FIFTH = CHAIN.blocks[5]


@pytest.fixture(scope="module")
def node() -> Iterator[Served]:
    """Return a node that serves blocks 100..199."""
    with serve([CHAIN]) as served:
        yield served


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("eth_chainId", "0xa4b1"),
        ("net_version", "42161"),
        ("web3_clientVersion", "perpscope-simulated/1"),
        ("eth_blockNumber", "0xc7"),
        ("eth_syncing", False),
    ],
)
def test_who_and_where_the_node_is(node: Served, method: str, expected: object) -> None:
    """Identity and head are those of the served chain."""
    assert ask(node.url, method) == expected


@pytest.mark.parametrize(
    ("reference", "number"),
    [("0x69", 105), ("earliest", 100), ("latest", 199), ("safe", 167), ("finalized", 135)],
)
def test_blocks_by_number_and_tag(node: Served, reference: str, number: int) -> None:
    """`safe` and `finalized` lag behind the head by what the chain says."""
    found = header(node.url, reference)

    assert found == CHAIN.blocks[number - 100].header


@pytest.mark.parametrize("reference", ["0xc8", "0x63", "0x0", "pending"])
def test_a_block_the_node_does_not_have_is_null(node: Served, reference: str) -> None:
    """Above the head, below the first and pending: no block."""
    assert header(node.url, reference) is None


def test_blocks_by_hash(node: Served) -> None:
    """A block is found by its hash in any case; another hash is null."""
    found = header(node.url, "0x" + FIFTH.hash[2:].upper())

    assert found == FIFTH.header
    assert header(node.url, NOWHERE) is None


def test_tags_are_refused_by_a_node_without_them() -> None:
    """Nodes from before the merge take `finalized` for a number that does not parse."""
    with serve([replace(CHAIN, has_tags=False)]) as node:
        told = refusal(node.url, "eth_getBlockByNumber", "finalized")

        assert told == (-32602, "invalid argument 0: hex string without 0x prefix")
        assert header(node.url, "latest") is not None


def test_nothing_is_final_yet_on_a_short_chain() -> None:
    """While the lag reaches below the first block, the tag has no block."""
    with serve([replace(CHAIN, blocks=CHAIN.blocks[:40])]) as node:
        assert refusal(node.url, "eth_getBlockByNumber", "finalized") == (
            -32000,
            "finalized block not found",
        )
        assert header(node.url, "safe")["number"] == hex(107)


@pytest.mark.parametrize("reference", ["0x69", FIFTH.hash, {"blockHash": FIFTH.hash}])
def test_receipts_of_a_block(node: Served, reference: object) -> None:
    """Receipts come by number, hash or EIP-1898 object, with their logs."""
    (receipt,) = ask(node.url, "eth_getBlockReceipts", reference)

    assert receipt["blockHash"] == FIFTH.hash
    assert receipt["logs"] == ask(node.url, "eth_getLogs", {"blockHash": FIFTH.hash})


def test_receipts_of_an_unknown_block_are_null(node: Served) -> None:
    """No list at all, because an empty one would say that nothing happened."""
    assert ask(node.url, "eth_getBlockReceipts", NOWHERE) is None


def test_a_receipt_by_transaction(node: Served) -> None:
    """A transaction's receipt is found by its hash; another hash is null."""
    tx_hash = FIFTH.receipts[0].tx_hash

    receipt = ask(node.url, "eth_getTransactionReceipt", tx_hash)

    assert [receipt] == ask(node.url, "eth_getBlockReceipts", "0x69")
    assert ask(node.url, "eth_getTransactionReceipt", NOWHERE) is None


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("0x69", "0xbb"),
        ({"blockHash": FIFTH.hash, "requireCanonical": True}, "0xbb"),
        ({"blockNumber": "0x69"}, "0xbb"),
        (None, "0xaa"),
        ("0x6a", "0xaa"),
        ("latest", "0xaa"),
    ],
)
def test_recorded_calls(node: Served, reference: object, expected: str) -> None:
    """An answer recorded at the block goes before one recorded for any block."""
    call = {"to": POOL_TEXT.upper().replace("0X", "0x"), "input": "0x01"}

    assert ask(node.url, "eth_call", call, reference) == expected


def test_a_call_that_was_not_recorded_reverts(node: Served) -> None:
    """Code 3, as geth answers a revert."""
    call = {"to": POOL_TEXT, "data": "0x02"}

    assert refusal(node.url, "eth_call", call, "latest") == (3, "execution reverted")


def test_a_call_at_an_unknown_block_is_refused(node: Served) -> None:
    """A pin that the node cannot honour is never ignored."""
    call = {"to": POOL_TEXT, "data": "0x01"}

    told = refusal(node.url, "eth_call", call, {"blockHash": NOWHERE})

    assert told == (-32000, "header not found")


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        ("eth_nope", [], (-32601, "the method eth_nope does not exist/is not available")),
        ("eth_getLogs", [], (-32602, "missing value for required argument 0")),
        ("eth_getLogs", ["latest"], (-32602, "invalid argument 0")),
        ("eth_call", ["0x"], (-32602, "invalid argument 0")),
        ("eth_getBlockByNumber", ["newest", False], (-32602, "invalid argument 0")),
        ("eth_getBlockByHash", ["0x12", False], (-32602, "invalid argument 0")),
        ("eth_getBlockReceipts", [{"blockHash": "0x69"}], (-32602, "invalid argument 0")),
        (
            "eth_getBlockReceipts",
            [{"blockHash": FIFTH.hash, "blockNumber": "0x69"}],
            (-32602, "cannot specify both BlockHash and BlockNumber"),
        ),
        ("eth_getTransactionReceipt", [7], (-32602, "invalid argument 0")),
    ],
)
def test_bad_calls(
    node: Served, method: str, params: list[object], expected: tuple[int, str]
) -> None:
    """Unknown methods and params that do not parse get geth's codes and words."""
    code, message = refusal(node.url, method, *params)

    assert code == expected[0]
    assert message.startswith(expected[1])


@pytest.mark.parametrize(
    ("request_body", "code", "message"),
    [
        (b"{", -32700, "parse error"),
        (b"\xff\xfe", -32700, "parse error"),
        (b"", -32700, "parse error"),
        (b"[" * 100_000, -32700, "parse error"),
        (b"[]", -32600, "empty batch"),
        (b'{"id":{},"method":"eth_chainId"}', -32600, "invalid request"),
        (b'{"id":null,"method":"eth_chainId","params":""}', -32600, "invalid request"),
        (b"7", -32600, "invalid request"),
        (b'{"jsonrpc":"2.0","id":null,"params":[]}', -32600, "invalid request"),
        (b'{"id":null,"method":"eth_chainId","params":{"a":1}}', -32600, "invalid request"),
    ],
)
def test_bad_requests(node: Served, request_body: bytes, code: int, message: str) -> None:
    """What is no request is answered as JSON-RPC demands, with a null id."""
    status, body = post(node.url, request_body)

    assert status == 200
    error = {"code": code, "message": message}
    assert json.loads(body) == {"jsonrpc": "2.0", "id": None, "error": error}


def test_a_batch_is_answered_call_by_call(node: Served) -> None:
    """Answers stand in the order of the calls, a bad one spoils no other, ids come back."""
    calls: list[Any] = [
        {"jsonrpc": "2.0", "id": "a", "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_nope"},
        {"jsonrpc": "2.0", "method": "eth_chainId", "params": []},
        {"jsonrpc": "2.0", "id": 3, "method": "eth_blockNumber"},
        5,
    ]

    answers = send(node.url, calls)

    assert [answer["id"] for answer in answers] == ["a", 2, 3, None]
    assert [answer.get("result") for answer in answers] == ["0xa4b1", None, "0xc7", None]
    assert [answer.get("error", {}).get("code") for answer in answers] == [
        None,
        -32601,
        None,
        -32600,
    ]


@pytest.mark.parametrize("method", ["eth_chainId", "eth_nope"])
def test_a_notification_gets_no_answer(node: Served, method: str) -> None:
    """A call without an id, alone or in a batch, is answered with an empty body, also in error."""
    notification = {"jsonrpc": "2.0", "method": method, "params": []}

    alone = post(node.url, json.dumps(notification).encode())
    batch = post(node.url, json.dumps([notification]).encode())

    assert alone == batch == (200, b"")

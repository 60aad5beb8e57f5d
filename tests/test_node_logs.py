"""eth_getLogs of the simulated node selects, orders and refuses as real nodes do."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from loopback import ask, post, refusal, send

from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.node import Served, serve
from indexer.simulation.served import SIMULATED_CLIENT, ServedChain

DEX, POOL, USER = (bytes([value]) * 20 for value in (0xDE, 0xAB, 0xCD))
OPENED, CLOSED = (bytes([letter]) * 32 for letter in b"OC")
ONE, TWO = (bytes([number]) * 32 for number in (1, 2))


def hexes(*values: bytes) -> list[str]:
    """Return values as 0x hex."""
    return ["0x" + value.hex() for value in values]


def chain_of(numbers: int) -> list[Block]:
    """Return blocks 1..numbers, each with the same five logs and every third with none."""
    emitted = (
        Log(DEX, (OPENED, ONE), b"\x01" * 64),
        Log(DEX, (CLOSED, TWO), b"\x02" * 64),
        Log(POOL, (OPENED, TWO, ONE), b"\x03" * 64),
        Log(POOL, (CLOSED,), b"\x04" * 64),
        Log(POOL, (), b"\x05" * 64),
    )
    blocks: list[Block] = []
    for number in range(1, numbers + 1):
        txs = (Transaction(USER, DEX, emitted[:2]), Transaction(USER, POOL, emitted[2:]))
        parent = blocks[-1] if blocks else None
        blocks.append(block(parent, number, 1_700_000_000 + number, txs if number % 3 else ()))
    return blocks


CHAIN = ServedChain(42161, "arbitrum", SIMULATED_CLIENT, chain_of(30))


@pytest.fixture(scope="module")
def node() -> Iterator[Served]:
    """Return a node that serves thirty blocks."""
    with serve([CHAIN]) as served:
        yield served


def logs(node: Served, **query: object) -> list[Any]:
    """Return the logs of a query over blocks 1 and 2 unless it says otherwise."""
    found: list[Any] = ask(node.url, "eth_getLogs", {"fromBlock": "0x1", "toBlock": "0x2"} | query)
    return found


def marks(found: list[Any]) -> list[int]:
    """Return which of the five logs were found."""
    return [int(log["data"][2:4], 16) for log in found]


def test_an_open_filter_returns_every_log_in_order(node: Served) -> None:
    """Without address and topics a range is returned whole, by block and log index."""
    found = logs(node, fromBlock="0x1", toBlock="0x4")

    places = [(int(log["blockNumber"], 16), int(log["logIndex"], 16)) for log in found]
    assert places == [(number, index) for number in (1, 2, 4) for index in range(5)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"address": hexes(DEX)[0]}, [1, 2]),
        ({"address": hexes(DEX)}, [1, 2]),
        ({"address": hexes(DEX, POOL)}, [1, 2, 3, 4, 5]),
        ({"address": hexes(DEX)[0].upper().replace("0X", "0x")}, [1, 2]),
        ({"address": hexes(USER)}, []),
        ({"address": []}, [1, 2, 3, 4, 5]),
        ({"topics": []}, [1, 2, 3, 4, 5]),
        ({"topics": hexes(OPENED)}, [1, 3]),
        ({"topics": [hexes(OPENED, CLOSED)]}, [1, 2, 3, 4]),
        ({"topics": [None]}, [1, 2, 3, 4]),
        ({"topics": [[*hexes(OPENED), None]]}, [1, 2, 3, 4]),
        ({"topics": [None, None]}, [1, 2, 3]),
        ({"topics": [None, hexes(TWO)[0]]}, [2, 3]),
        ({"topics": [hexes(OPENED), None, hexes(ONE)]}, [3]),
        ({"topics": [[], hexes(ONE, TWO)]}, [1, 2, 3]),
        ({"address": hexes(POOL), "topics": [hexes(OPENED, CLOSED), hexes(TWO)]}, [3]),
    ],
)
def test_filters(node: Served, query: dict[str, object], expected: list[int]) -> None:
    """Addresses and topics are alternatives, null is a wildcard that still wants a topic."""
    found = logs(node, toBlock="0x1", **query)

    assert marks(found) == expected


def test_later_topics_select_inside_one_kind_of_log() -> None:
    """Where all logs share address and topic0, the other topics still decide."""
    emitted = tuple(Log(DEX, (OPENED, topic), topic * 2) for topic in (ONE, TWO, ONE))
    only = block(None, 1, 1_700_000_000, (Transaction(USER, DEX, emitted),))
    with serve([replace(CHAIN, blocks=[only])]) as node:
        found = logs(node, toBlock="0x1", topics=[hexes(OPENED), hexes(ONE)])

        assert [log["logIndex"] for log in found] == ["0x0", "0x2"]


def test_a_block_hash_selects_one_block(node: Served) -> None:
    """`blockHash` stands for its block's number."""
    block_hash = CHAIN.blocks[3].hash

    found = ask(node.url, "eth_getLogs", {"blockHash": block_hash})

    assert {log["blockHash"] for log in found} == {block_hash}
    assert len(found) == 5


def test_the_default_range_is_the_head(node: Served) -> None:
    """Without bounds only the latest block is searched; block 30 is empty."""
    assert ask(node.url, "eth_getLogs", {}) == []


def test_tags_bound_a_range(node: Served) -> None:
    """`earliest` and `latest` are the first and the last block served."""
    found = logs(node, fromBlock="earliest", toBlock="latest")

    assert len(found) == 100


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"toBlock": "0x1f"}, (-32602, "block range extends beyond current head block")),
        ({"fromBlock": "0x1f", "toBlock": "0x28"}, (-32602, "block range extends beyond")),
        ({"fromBlock": "0x5", "toBlock": "0x4"}, (-32602, "invalid block range params")),
        ({"fromBlock": "0x01"}, (-32602, "hex number with leading zero digits")),
        ({"fromBlock": 0}, (-32602, "invalid argument 0: hex string without 0x prefix")),
        ({"toBlock": ""}, (-32602, "invalid argument 0: hex string without 0x prefix")),
        ({"topics": ["0x" + "zz" * 32]}, (-32602, "invalid argument 0: invalid hex string")),
        ({"fromBlock": 1}, (-32602, "invalid argument 0: hex string without 0x prefix")),
        ({"toBlock": "pending"}, (-32000, "pending logs are not supported")),
        ({"blockHash": "0x" + "00" * 32}, (-32602, "cannot specify both BlockHash and FromBlock")),
        ({"address": "0x12"}, (-32602, "hex has invalid length 2")),
        ({"address": "d" * 40}, (-32602, "hex string without 0x prefix")),
        ({"topics": ["0x12"]}, (-32602, "hex has invalid length 2")),
        ({"topics": "0x12"}, (-32602, "topics must be an array")),
        ({"topics": [None] * 5}, (-32602, "exceed max topics")),
    ],
)
def test_bad_queries(node: Served, query: dict[str, object], expected: tuple[int, str]) -> None:
    """What geth refuses is refused with geth's code and words; nothing is cut silently."""
    asked = {"fromBlock": "0x1", "toBlock": "0x2"} | query

    code, message = refusal(node.url, "eth_getLogs", asked)

    assert code == expected[0]
    assert expected[1] in message


def test_an_unknown_block_hash_is_refused(node: Served) -> None:
    """No logs is an answer; a block the node does not know is not."""
    told = refusal(node.url, "eth_getLogs", {"blockHash": "0x" + "00" * 32})

    assert told == (-32000, "unknown block")


def test_too_many_logs_come_with_a_range_that_works() -> None:
    """Above `max_logs` the node refuses in Infura's words, and what it proposes fits."""
    with serve([replace(CHAIN, max_logs=20)]) as node:
        whole = {"fromBlock": "0xa", "toBlock": "0x14"}
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [whole]}

        error = send(node.url, request)["error"]

        assert error == {
            "code": -32005,
            "message": "query returned more than 20 results. Try with this block range [0xA, 0xF].",
            "data": {"from": "0xA", "limit": 20, "to": "0xF"},
        }
        assert len(logs(node, fromBlock="0xa", toBlock="0xf")) == 20


def test_too_many_blocks_are_refused_with_a_status_of_413() -> None:
    """Above `max_block_span` the node refuses in QuickNode's words; in a batch, without 413."""
    with serve([replace(CHAIN, max_block_span=10)]) as node:
        query = {"fromBlock": "0x1", "toBlock": "0xb"}
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
        told = {"code": -32614, "message": "eth_getLogs is limited to a 10 range"}

        status, body = post(node.url, json.dumps(request).encode())
        batch_status, batch = post(node.url, json.dumps([request]).encode())

        assert (status, json.loads(body)["error"]) == (413, told)
        assert (batch_status, json.loads(batch)[0]["error"]) == (200, told)
        assert len(logs(node, fromBlock="0x1", toBlock="0xa")) == 35

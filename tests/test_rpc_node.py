"""What a node is asked and what comes back, against a scripted server on loopback."""

from datetime import datetime, timedelta

import polars as pl
import pytest
from rpc_rig import ADDRESS, TOPIC0, WANTED, Client, Script, ask, block, block_hash, log, word

from indexer.chains import ETHEREUM
from indexer.errors import NodeAnswerWrong, NodeBehind, UserError
from indexer.rpc import HEADERS, LOGS, Filter, Header, Node


def octets(text: str) -> bytes:
    """Return the bytes behind 0x hex."""
    return bytes.fromhex(text[2:])


def test_a_node_says_what_it_is() -> None:
    """The client version is the node's own text."""
    version = ask(lambda node: node.client_version(), Script())

    assert version == "Tiny/v1"


@pytest.mark.parametrize(("tag", "number"), [("latest", 10), ("safe", 9), ("finalized", 8)])
def test_a_tag_leads_to_its_header(tag: str, number: int) -> None:
    """Each tag is asked for by name, and the header comes back typed."""
    header = ask(lambda node: node.head(tag), Script())  # type: ignore[arg-type] # parametrized

    assert header is not None
    assert header.number == number
    assert header.hash == octets(block_hash(number))
    assert header.parent_hash == octets(block_hash(number - 1))
    assert header.timestamp == datetime(2023, 11, 14, 22, 13, 20) + number * timedelta(seconds=12)
    assert header.logs_bloom == bytes(256)


@pytest.mark.parametrize(
    "error",
    [
        {"code": -39001, "message": "Unknown block"},
        {"code": -32000, "message": "finalized block not found"},
        {"code": -32602, "message": "invalid argument 0: hex string without 0x prefix"},
        {"code": -32602, "message": "invalid block tag finalized"},
    ],
)
def test_a_tag_the_node_does_not_know_is_none(error: dict[str, object]) -> None:
    """Chains without a finalized tag are served; every wording of that is understood."""
    header = ask(
        lambda node: node.head("finalized"), Script(errors={"eth_getBlockByNumber": error})
    )

    assert header is None


def test_a_tag_answered_with_null_is_none() -> None:
    """Some nodes answer null for a tag without a block."""
    header = ask(lambda node: node.head("safe"), Script(results={"eth_getBlockByNumber": None}))

    assert header is None


def test_a_node_without_any_block_is_behind() -> None:
    """`latest` is known to every node, so null means that it has nothing."""
    with pytest.raises(NodeBehind, match="has not seen block latest"):
        ask(lambda node: node.head(), Script(results={"eth_getBlockByNumber": None}))


def test_logs_come_with_the_header_of_their_last_block_in_one_request() -> None:
    """Header and logs travel in one batch, header first."""
    script = Script()

    logs, header = ask(lambda node: node.logs(WANTED, 2, 4), script)

    assert script.seen == ["eth_chainId", "eth_getBlockByNumber", "eth_getLogs"]
    assert header.number == 4
    assert logs["block_number"].to_list() == [2, 3, 4]
    assert dict(logs.schema) == LOGS
    assert logs.row(0, named=True) == {
        "block_number": 2,
        "tx_index": 3,
        "log_index": 5,
        "block_hash": octets(block_hash(2)),
        "tx_hash": octets(word(0x7A0002)),
        "address": ADDRESS,
        "topic0": TOPIC0,
        "topic1": octets(word(2)),
        "topic2": None,
        "topic3": None,
        "data": octets(word(2)) + bytes(32),
    }


def test_the_filter_reaches_the_node() -> None:
    """Addresses and topics are sent as lists, blocks as hex, ends included."""
    script = Script()

    ask(lambda node: node.logs(WANTED, 2, 4), script)

    assert script.asked[-1] == [
        {
            "fromBlock": "0x2",
            "toBlock": "0x4",
            "address": [f"0x{ADDRESS.hex()}"],
            "topics": [[f"0x{TOPIC0.hex()}"]],
        }
    ]


def test_an_empty_filter_asks_for_everything() -> None:
    """Without addresses and topics neither is sent, and any log is accepted."""
    script = Script()

    logs, _ = ask(lambda node: node.logs(Filter((), ()), 2, 2), script)

    assert logs.height == 1
    assert script.asked[-1] == [{"fromBlock": "0x2", "toBlock": "0x2"}]


def test_no_logs_is_an_answer() -> None:
    """An empty list beside a header is believed."""
    logs, header = ask(lambda node: node.logs(WANTED, 2, 4), Script(results={"eth_getLogs": []}))

    assert logs.is_empty()
    assert dict(logs.schema) == LOGS
    assert header.number == 4


def test_no_logs_from_a_node_that_has_not_seen_the_range_is_not_believed() -> None:
    """An empty list beside a null header means that the node is behind."""
    script = Script(results={"eth_getLogs": [], "eth_getBlockByNumber": None})

    with pytest.raises(NodeBehind, match=r"/\.\.\. has not seen block 4 yet, or keeps it no"):
        ask(lambda node: node.logs(WANTED, 2, 4), script)


def test_logs_are_sorted() -> None:
    """The order of the answer does not matter."""
    script = Script(results={"eth_getLogs": [log(4), log(2), log(3)]})

    logs, _ = ask(lambda node: node.logs(WANTED, 2, 4), script)

    assert logs["block_number"].to_list() == [2, 3, 4]


@pytest.mark.parametrize(
    ("logs", "said"),
    [
        ([log(5)], "outside the blocks 2 to 4"),
        ([log(2) | {"address": "0x" + "cc" * 20}], "of a contract that was not asked for"),
        ([log(2) | {"topics": [word(1)]}], "of an event that was not asked for"),
        ([log(2) | {"topics": []}], "of an event that was not asked for"),
        ([log(2), log(2)], "twice"),
        ([log(4) | {"blockHash": word(1)}], "of a block 4 other than the one"),
        (
            [log(2), log(2) | {"blockHash": word(1), "logIndex": "0x6"}],
            "of a block for which it also names another hash",
        ),
        ([log(2) | {"removed": True}], "removed by a reorg"),
        ([log(2) | {"data": "0x1"}], "not hex of the right size"),
        ([log(2) | {"data": "0xzz"}], "not hex of the right size"),
        ([log(2) | {"data": None}], 'without "data"'),
        ([log(2) | {"transactionHash": "0x12"}], "not hex of the right size"),
        ([log(2) | {"logIndex": "0x80000000"}], "not hex of the right size"),
        ([log(2) | {"logIndex": "0x-1"}], "not hex of the right size"),
        ([log(2) | {"blockNumber": 2}], "not hex of the right size"),
        ([log(2) | {"blockNumber": None}], 'without "blockNumber"'),
        ([log(2) | {"topics": [f"0x{TOPIC0.hex()}", None]}], "a null among them"),
        ([log(2) | {"topics": [word(n) for n in range(5)]}], "more than four topics"),
        ([log(2) | {"topics": None}], 'without "topics"'),
        (log(2), "something other than a list of logs; use another endpoint"),
        (None, "something other than a list of logs; use another endpoint"),
        ([None], "cannot be read"),
        ([5], "cannot be read"),
        (["0x"], "cannot be read"),
    ],
)
def test_a_wrong_log_answer_is_refused_and_named(logs: object, said: str) -> None:
    """Every rule of the answer is held, and the error says which log broke it."""
    with pytest.raises(NodeAnswerWrong, match=said):
        ask(lambda node: node.logs(WANTED, 2, 4), Script(results={"eth_getLogs": logs}))


def test_the_header_must_be_the_one_asked_for() -> None:
    """A node that answers with another block is not believed."""
    script = Script(results={"eth_getBlockByNumber": block(3)})

    with pytest.raises(NodeAnswerWrong, match="block 3 where 4 was asked for"):
        ask(lambda node: node.logs(WANTED, 2, 4), script)


def test_indexes_that_restart_inside_a_block_are_not_duplicates() -> None:
    """A log's identity is transaction and index: some chains restart the index."""
    second = log(2) | {"transactionHash": word(9), "transactionIndex": "0x4"}
    script = Script(results={"eth_getLogs": [log(2), second]})

    logs, _ = ask(lambda node: node.logs(WANTED, 2, 4), script)

    assert logs["log_index"].to_list() == [5, 5]


def test_headers_are_asked_in_batches_and_sorted() -> None:
    """Every number is asked once, whatever the order and the repetitions."""
    script = Script()
    client = Client({"calls_per_request": 2})

    headers = client.ask(lambda node: node.headers([5, 1, 3, 5]), script)

    assert headers["number"].to_list() == [1, 3, 5]
    assert dict(headers.schema) == HEADERS
    assert script.seen.count("eth_getBlockByNumber") == 3
    assert client.requests == 4


def test_no_headers_need_no_request() -> None:
    """Nothing asked, nothing sent, the frame still typed."""
    script = Script()

    headers = ask(lambda node: node.headers([]), script)

    assert dict(headers.schema) == HEADERS
    assert script.seen == ["eth_chainId"]


def test_a_header_without_time_or_bloom_has_nulls() -> None:
    """Null means that the node could not say."""
    bare = {key: value for key, value in block(1).items() if key not in {"timestamp", "logsBloom"}}
    script = Script(results={"eth_getBlockByNumber": bare})

    headers = ask(lambda node: node.headers([1]), script)

    assert headers.select("timestamp", "logs_bloom").row(0) == (None, None)


def test_a_missing_header_means_that_the_node_is_behind() -> None:
    """The block that is missing is named."""
    with pytest.raises(NodeBehind, match="has not seen block 11 yet"):
        ask(lambda node: node.headers([9, 10, 11]), Script())


def test_headers_of_other_blocks_are_refused() -> None:
    """A node that answers every number with one block is not believed."""
    script = Script(results={"eth_getBlockByNumber": block(3)})

    with pytest.raises(NodeAnswerWrong, match="other blocks than the 2 from 3 to 4"):
        ask(lambda node: node.headers([3, 4]), script)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"timestamp": "0xffffffffffff"}, "after the year 9999"),
        ({"hash": "0x12"}, "not hex of the right size"),
        ({"logsBloom": "0x00"}, "not hex of the right size"),
        ({"hash": None}, 'without "hash"'),
    ],
)
def test_a_wrong_header_is_refused_and_named(change: dict[str, object], said: str) -> None:
    """Widths, presence and the range of times are held."""
    script = Script(results={"eth_getBlockByNumber": block(3) | change})

    with pytest.raises(NodeAnswerWrong, match=said):
        ask(lambda node: node.headers([3]), script)


SEALED_BLOCK = pl.DataFrame(
    {"number": [4], "hash": [octets(block_hash(4))], "receipts_root": [bytes(32)]}
)
NO_SUCH_METHOD = {"code": -32601, "message": "the method does not exist"}


def test_a_block_without_receipts_is_not_seen_yet() -> None:
    """A node that does not know the block has no receipts of it; it is not an empty one."""
    script = Script(results={"eth_getBlockReceipts": None})

    with pytest.raises(NodeBehind, match="has not seen block 4 yet"):
        ask(lambda node: node.receipt_logs(SEALED_BLOCK), script)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, f"has no receipt of transaction {word(7)} of a block it told"),
        ({"transactions": [{}]}, "a block whose transactions cannot be read"),
        ({"hash": word(1)}, f"block {word(1)} where {block_hash(4)} was expected; a reorg"),
    ],
)
def test_receipts_one_by_one_are_those_of_the_block(change: dict[str, object], said: str) -> None:
    """Whichever of its answers does not fit is named, and nothing is made of the others."""
    script = Script(
        errors={"eth_getBlockReceipts": NO_SUCH_METHOD},
        results={"eth_getBlockByNumber": block(4) | change, "eth_getTransactionReceipt": None},
    )

    with pytest.raises(NodeAnswerWrong, match=said):
        ask(lambda node: node.receipt_logs(SEALED_BLOCK), script)


def pin(number: int) -> Header:
    """Return the header of a block, as far as calls need it."""
    return Header(number, octets(block_hash(number)), b"", None, None)


def test_calls_are_pinned_by_block_hash() -> None:
    """Every call names the block by hash and comes back in order."""
    script = Script(results={"eth_call": lambda call, _pin: call["data"] + "ff"})
    requests = [(ADDRESS, b"\x01"), (ADDRESS, b"\x02"), (ADDRESS, b"\x03")]

    answers = Client({"calls_per_request": 2}).ask(
        lambda node: node.calls(requests, pin(4)), script
    )

    assert answers == [b"\x01\xff", b"\x02\xff", b"\x03\xff"]
    assert script.asked[-1][1] == {"blockHash": block_hash(4)}


@pytest.mark.parametrize(
    "error",
    [
        {"code": 3, "message": "execution reverted: no", "data": "0x08c379a0"},
        {"code": -32000, "message": "execution reverted"},
        {"code": -32015, "message": "VM execution error.", "data": "Reverted 0x"},
        {"code": -32000, "message": "out of gas"},
    ],
)
def test_a_call_that_reverts_has_no_answer(error: dict[str, object]) -> None:
    """A contract's refusal is None; the empty answer of an address without code is not."""
    script = Script(errors={"eth_call": error})

    assert ask(lambda node: node.calls([(ADDRESS, b"")], pin(4)), script) == [None]
    assert ask(
        lambda node: node.calls([(ADDRESS, b"")], pin(4)), Script(results={"eth_call": "0x"})
    ) == [b""]


def test_a_call_that_is_answered_with_no_hex_is_refused() -> None:
    """What a contract returned is bytes, or nothing is known of it."""
    script = Script(results={"eth_call": "0x1g"})

    with pytest.raises(NodeAnswerWrong, match="answered eth_call with '0x1g', which is not hex"):
        ask(lambda node: node.calls([(ADDRESS, b"")], pin(4)), script)


def _without_pin(answer: list[dict[str, object]] | dict[str, object]) -> object:
    refusal = {"code": -32602, "message": "json: cannot unmarshal object into Go value of type x"}
    if isinstance(answer, dict) and answer.get("result") == "pinned":
        return {"jsonrpc": "2.0", "id": answer["id"], "error": refusal}
    return answer


def test_a_node_that_refuses_the_pin_is_called_by_number_and_checked() -> None:
    """The header in the same request must still have the hash that was asked for."""
    script = Script(
        results={
            "eth_call": lambda call, pin: "pinned" if isinstance(pin, dict) else call["data"],
        },
        whole=_without_pin,
    )

    answers = ask(lambda node: node.calls([(ADDRESS, b"\x07")], pin(4)), script)

    assert answers == [b"\x07"]
    assert script.asked[-2][1] == "0x4"


def test_a_call_by_number_on_another_chain_of_blocks_is_refused() -> None:
    """A reorg between finding the number and calling is seen."""
    script = Script(
        results={
            "eth_call": lambda call, pin: "pinned" if isinstance(pin, dict) else call["data"],
            "eth_getBlockByNumber": block(4) | {"hash": word(1)},
        },
        whole=_without_pin,
    )

    with pytest.raises(NodeAnswerWrong, match="not the one the calls are pinned to"):
        ask(lambda node: node.calls([(ADDRESS, b"\x07")], pin(4)), script)


def test_requests_count_every_call() -> None:
    """A batch counts each of its calls, the chain id included."""
    client = Client()

    client.ask(lambda node: node.logs(WANTED, 2, 4), Script())

    assert client.requests == 3


def test_a_node_needs_an_endpoint() -> None:
    """Without one the error says where to name it."""
    with pytest.raises(UserError, match="no endpoint for ethereum"):
        Node([], ETHEREUM)

"""What was recorded is served back, what was not is null, what contradicts is refused."""

import gzip
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from loopback import ask, header, refusal

from indexer.chains import ARBITRUM_SEPOLIA, CRONOS, ETHEREUM
from indexer.errors import UserError
from indexer.simulation.node import serve
from indexer.simulation.recording import recorded
from indexer.simulation.served import ServedChain

A, B, C, X = ("0x" + letter * 64 for letter in "abc1")
ADDRESS = "0x" + "Ab" * 20
LOG: dict[str, Any] = {
    "address": ADDRESS,
    "topics": [X],
    "data": "0x07",
    "blockNumber": "0x64",
    "blockHash": B,
    "transactionHash": A,
    "transactionIndex": "0x2",
    "logIndex": "0x5",
    "removed": False,
    "_chain": "ethereum",
    "_source": "a test",
}
RECEIPT: dict[str, Any] = {
    "transactionHash": A,
    "transactionIndex": 2,
    "blockNumber": 100,
    "blockHash": B,
    "from": ADDRESS,
    "to": None,
    "gasUsed": "21000",
    "status": 1,
    "logs": [{name: LOG[name] for name in ("address", "topics", "data", "logIndex")}],
    "_chain": "ethereum",
}
BLOCK: dict[str, Any] = {
    "header": {
        "number": "0x64",
        "hash": B,
        "parentHash": C,
        "timestamp": "0x5",
        "logsBloom": "0x0",
    },
    "receipts": [RECEIPT],
    "_check": {},
}
CALL = {"to": ADDRESS, "data": "0x06FD", "result": "0x08", "_chain": "ethereum"}

CUT_OFF = gzip.compress(b"{}", mtime=0)[:-9]


def tape(folder: Path, *items: object, name: str = "tape.jsonl") -> Path:
    """Write items as JSON lines, compressed when the name says so, and return the path."""
    path = folder / name
    text = "".join(json.dumps(item) + "\n" for item in items).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if name.endswith(".gz") else text)
    return path


def played(folder: Path, *items: object) -> ServedChain:
    """Return the only chain recorded in items."""
    (chain,) = recorded([tape(folder, *items)])
    return chain


def test_a_log_comes_back_as_a_node_says_it(tmp_path: Path) -> None:
    """The recorder's fields are gone, addresses are lower-case, the rest is untouched."""
    with serve([played(tmp_path, LOG)]) as node:
        (log,) = ask(node.url, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})

        kept = {name: value for name, value in LOG.items() if not name.startswith("_")}
        assert log == kept | {"address": ADDRESS.lower()}
        assert ask(node.url, "web3_clientVersion") == "perpscope-replay/1"


def test_a_block_known_by_its_logs_says_no_more_than_they_do(tmp_path: Path) -> None:
    """Number, hash and time are known; what is unknown is null, and the parent is zero."""
    with serve([played(tmp_path, LOG | {"blockTimestamp": "0x5f"})]) as node:
        found = header(node.url, "0x64")

        assert (found["hash"], found["timestamp"]) == (B, "0x5f")
        assert int(found["parentHash"], 16) == 0
        assert {found["logsBloom"], found["receiptsRoot"], found["transactions"]} == {None}
        assert header(node.url, B) == found
        assert ask(node.url, "eth_getBlockReceipts", "0x64") is None


def test_a_time_nobody_recorded_is_null(tmp_path: Path) -> None:
    """A log without a timestamp leaves its block without one."""
    with serve([played(tmp_path, LOG)]) as node:
        assert header(node.url, "0x64")["timestamp"] is None


def test_every_number_up_to_the_head_has_a_block(tmp_path: Path) -> None:
    """A stand-in is the same each time, differs from its neighbour, and claims nothing."""
    with serve([played(tmp_path, LOG)]) as node:
        once, again, other = (header(node.url, number) for number in ("0x7", "0x7", "0x8"))

        assert once == again == header(node.url, once["hash"])
        assert once["hash"] != other["hash"]
        assert (once["number"], once["timestamp"], once["logsBloom"]) == ("0x7", None, None)
        assert ask(node.url, "eth_getBlockReceipts", "0x7") is None
        assert header(node.url, "0x65") is None
        assert header(node.url, "finalized")["number"] == "0x64"


@pytest.mark.parametrize("name", ["tape.jsonl", "tape.jsonl.gz"])
def test_the_same_log_twice_is_served_once(tmp_path: Path, name: str) -> None:
    """Files overlap: a log's identity is its transaction and its index."""
    first, second = tape(tmp_path, LOG, name=name), tape(tmp_path, RECEIPT, name="more.jsonl")

    (chain,) = recorded([first, second])

    assert [len(block.log_texts) for block in chain.blocks] == [1]


def test_blank_lines_are_nothing(tmp_path: Path) -> None:
    """Files that were joined or edited by hand, on Windows too, are read all the same."""
    path = tmp_path / "tape.jsonl"
    path.write_text(f"\ufeff\n{json.dumps(LOG)}\n\n", encoding="utf-8")

    (chain,) = recorded([path])

    assert chain.head == 100


def test_equal_log_indexes_of_one_block_are_both_served(tmp_path: Path) -> None:
    """Where indexes restart with each transaction, the transaction's place decides the order."""
    later = LOG | {"transactionHash": C, "transactionIndex": "0x3", "data": "0x08"}
    with serve([played(tmp_path, later, LOG)]) as node:
        found = ask(node.url, "eth_getLogs", {"blockHash": B})

        assert [log["data"] for log in found] == ["0x07", "0x08"]
        assert {log["logIndex"] for log in found} == {"0x5"}


def test_a_log_that_was_removed_is_not_served(tmp_path: Path) -> None:
    """A reorg took it back before it was recorded."""
    chain = played(tmp_path, LOG, LOG | {"removed": True, "transactionHash": C})

    assert [len(block.log_texts) for block in chain.blocks] == [1]


def test_a_receipt_comes_back_in_the_spelling_of_a_node(tmp_path: Path) -> None:
    """Libraries record decimals and checksums; nodes speak lower-case hex."""
    with serve([played(tmp_path, RECEIPT)]) as node:
        receipt = ask(node.url, "eth_getTransactionReceipt", A)

        (log,) = receipt["logs"]
        assert (log["transactionHash"], log["blockNumber"], log["logIndex"]) == (A, "0x64", "0x5")
        assert (receipt["gasUsed"], receipt["status"], receipt["to"]) == ("0x5208", "0x1", None)
        assert receipt["from"] == ADDRESS.lower()
        assert "_chain" not in receipt


def test_a_whole_block_is_served_with_its_header(tmp_path: Path) -> None:
    """Header and receipts are the recorded ones; the file's name says whose they are."""
    path = tape(tmp_path, BLOCK, name="cronos_100.json.gz")

    (chain,) = recorded([path])

    assert chain.chain_id == CRONOS.chain_id
    with serve([chain]) as node:
        assert header(node.url, "0x64") == BLOCK["header"] | {"transactions": [A]}
        (receipt,) = ask(node.url, "eth_getBlockReceipts", "0x64")
        assert receipt["transactionHash"] == A


def test_timestamps_in_logs_are_a_choice(tmp_path: Path) -> None:
    """With them, a log carries its block's time; without them, none does."""
    path = tape(tmp_path, LOG | {"blockTimestamp": 95})

    (without,) = recorded([path])
    (having,) = recorded([path], log_timestamps=True)

    assert "blockTimestamp" not in json.loads(without.blocks[0].log_texts[0])
    assert json.loads(having.blocks[0].log_texts[0])["blockTimestamp"] == "0x5f"


def test_recorded_calls_are_answered(tmp_path: Path) -> None:
    """For any block, or only for the block they were recorded at."""
    pinned = CALL | {"data": "0x01", "block": 7}
    with serve([played(tmp_path, LOG, CALL, pinned)]) as node:
        asked = {"to": ADDRESS.lower(), "data": "0x06fd"}

        assert ask(node.url, "eth_call", asked, "latest") == "0x08"
        assert ask(node.url, "eth_call", asked | {"data": "0x01"}, "0x7") == "0x08"


def test_calls_can_be_pinned_to_a_stand_in(tmp_path: Path) -> None:
    """A client that pins by hash finds the block it was given, and no other."""
    with serve([played(tmp_path, LOG, CALL)]) as node:
        asked = {"to": ADDRESS, "data": "0x06fd"}
        pin = {"blockHash": header(node.url, "0x7")["hash"]}
        forged = {"blockHash": C[:-16] + pin["blockHash"][-16:]}

        assert ask(node.url, "eth_call", asked, pin) == "0x08"
        assert refusal(node.url, "eth_call", asked, forged) == (-32000, "header not found")


def test_calls_alone_make_a_chain(tmp_path: Path) -> None:
    """The head is the highest block that a call was recorded at."""
    chain = played(tmp_path, CALL | {"block": "0x9"})

    assert chain.head == 9


@pytest.mark.parametrize("name", ["arbitrumSepolia", "arbitrum-sepolia", "421614"])
def test_chain_names_are_read_in_any_spelling(tmp_path: Path, name: str) -> None:
    """Slug, camel case and chain id mean the same chain."""
    assert played(tmp_path, LOG | {"_chain": name}).slug == ARBITRUM_SEPOLIA.slug


def test_one_file_may_hold_several_chains(tmp_path: Path) -> None:
    """Chains are told apart line by line, and come back by chain id."""
    chains = recorded([tape(tmp_path, LOG | {"_chain": "cronos"}, LOG)])

    assert [chain.slug for chain in chains] == ["ethereum", "cronos"]


def test_the_caller_may_name_the_chain(tmp_path: Path) -> None:
    """A chain that is given holds for objects that name none."""
    path = tape(tmp_path, LOG | {"_chain": None}, CALL | {"_chain": "cronos"})

    chains = recorded([path], ETHEREUM)

    assert [chain.slug for chain in chains] == ["ethereum", "cronos"]


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (
            [LOG | {"_chain": "solana"}],
            r"tape.jsonl:1: unknown chain 'solana'; known are ethereum,",
        ),
        ([LOG, LOG | {"_chain": None}], "tape.jsonl:2: no `_chain` says whose this is"),
        ([{"_chain": "bsc", "price": 1}], "neither log, receipt, block nor call"),
        ([{"topics": [], "_chain": "bsc"}], "field 'blockNumber' is missing"),
        ([LOG | {"logIndex": None}], "expected a quantity like '0x1b4', saw None"),
        ([LOG | {"topics": "0x"}], "expected a list of topics"),
        ([LOG | {"data": "0x09"}, LOG], "tape.jsonl:2: log 5 of 0xa+ was recorded differently"),
        ([LOG, LOG | {"blockHash": C, "logIndex": "0x6"}], "recordings of two forks"),
        ([RECEIPT | {"logs": [1]}], "expected an object, saw '1'"),
        (
            [RECEIPT | {"transactionIndex": "zz", "logs": []}],
            "expected a quantity like '0x1b4', saw 'zz'",
        ),
        ([LOG | {"blockNumber": -5}], "expected a quantity like '0x1b4', saw -5"),
        ([LOG | {"logIndex": "1_0"}], "expected a quantity like '0x1b4', saw '1_0'"),
        ([CALL | {"block": hex(1 << 64)}], "expected a block's number, saw '0x10000000000000000'"),
        ([LOG | {"topics": [None]}], "expected bytes like '0x1b40', saw None"),
        ([LOG | {"blockHash": None}], "expected bytes like '0x1b40', saw None"),
        ([CALL | {"result": None}], "expected bytes like '0x1b40', saw None"),
        (
            [BLOCK | {"header": BLOCK["header"] | {"transactions": [{}]}, "_chain": "bsc"}],
            "field 'hash' is missing",
        ),
        ([LOG | {"_chain": -1}], "unknown chain '-1'"),
        ([5], "tape.jsonl:1: expected a JSON object, saw '5'"),
        ([], "these files hold nothing"),
    ],
)
def test_bad_recordings(tmp_path: Path, items: list[object], said: str) -> None:
    """One sentence says which line of which file cannot be served, and why."""
    path = tape(tmp_path, *items)

    with pytest.raises(UserError, match=said):
        recorded([path])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "expected a .jsonl or .json file"),
        ("a.jsonl", b"{", "a.jsonl:1: expected JSON, but"),
        ("a.jsonl", b"\xff", "a.jsonl:1: expected JSON, but"),
        ("a.json", b"[" * 100_000, "a.json:1: expected JSON, but maximum recursion depth"),
        ("a.jsonl.gz", b"{}", "a.jsonl.gz cannot be read: Not a gzipped file"),
        (
            "a.jsonl.gz",
            gzip.compress(b"{}", mtime=0)[:-9],
            "a.jsonl.gz cannot be read: Compressed file",
        ),
    ],
)
def test_bad_files(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    """A file that cannot be read is the user's to mend."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(UserError, match=said):
        recorded([path])


@pytest.mark.parametrize("name", ["gone.jsonl", "gone"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """The path and the system's reason, whatever the name ends with."""
    with pytest.raises(UserError, match=f"{name} cannot be read: No such file"):
        recorded([tmp_path / name])


def identity(chain: str, log: Mapping[str, Any]) -> tuple[object, ...]:
    """Return everything a recorded log says, to compare what went in with what comes out."""
    names = ("address", "data", "blockNumber", "blockHash", "transactionHash", "transactionIndex")
    return (chain, *(log[name] for name in names), *log["topics"], int(log["logIndex"], 16))


def test_every_real_log_is_served_back(shared: Path) -> None:
    """46,697 logs of 20 chains go in, the same come out of eth_getLogs, chain by chain."""
    path = shared / "data" / "logs" / "all_logs.jsonl.gz"
    lines = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    plain = {"avalancheFuji", "polygonMumbai", "baseSepolia", "arbitrumGoerli", "arbitrumSepolia"}
    slugs = {name: "".join("-" * c.isupper() + c.lower() for c in name) for name in plain}
    given = Counter(identity(slugs.get(log["_chain"], log["_chain"]), log) for log in lines)

    with serve(recorded([path])) as node:
        answered = Counter(
            identity(slug, log)
            for slug, url in node.urls.items()
            for log in ask(url, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest"})
        )

    assert answered == given
    assert (answered.total(), len(node.urls)) == (46_697, 20)


def test_every_recording_fits_together(shared: Path) -> None:
    """Logs, receipts and blocks of the same chains are served side by side."""
    folders = [shared / "data" / name for name in ("logs", "receipts", "blocks")]
    paths = [path for folder in folders for path in sorted(folder.glob("*.gz"))]

    chains = {chain.slug: chain for chain in recorded(paths, ETHEREUM)}

    restarting = chains["cronos"].at(11_446_765)
    assert restarting is not None
    assert len(restarting.log_texts) == 35
    assert sum(len(block.log_texts) for block in chains["ethereum"].blocks) > 29_915
    assert all(
        block.header["receiptsRoot"] for block in chains["ethereum"].between(17_686_110, 17_686_132)
    )

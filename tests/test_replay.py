"""`perpscope replay` serves recorded files until it is told to stop."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from loopback import ask, header, refusal, send

LOG = {
    "_chain": "ethereum",
    "address": "0x" + "aa" * 20,
    "topics": ["0x" + "01" * 32],
    "data": "0x",
    "blockNumber": "0x64",
    "blockHash": "0x" + "bb" * 32,
    "transactionHash": "0x" + "cc" * 32,
    "transactionIndex": "0x0",
    "logIndex": "0x0",
}


RECEIPT = {
    "_chain": "ethereum",
    **{name: LOG[name] for name in ("blockNumber", "blockHash", "transactionHash")},
    "transactionIndex": "0x0",
    "from": "0x" + "dd" * 20,
    "to": LOG["address"],
    "gasUsed": "0x1",
    "status": "0x1",
    "logs": [{name: LOG[name] for name in ("address", "topics", "data", "logIndex")}],
}
BLOCK = {
    "_chain": "ethereum",
    "header": {
        "number": "0x64",
        "hash": LOG["blockHash"],
        "parentHash": "0x" + "ab" * 32,
        "timestamp": "0x5",
        "logsBloom": "0x0",
    },
    "receipts": [RECEIPT],
}
CALL = {"_chain": "ethereum", "to": LOG["address"], "data": "0x06fd", "result": "0x08"}


def replay(*arguments: str | Path) -> "subprocess.Popen[str]":
    """Start the command."""
    command = [sys.executable, "-u", "-m", "perpscope", "replay", *map(str, arguments)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)


def test_it_serves_what_was_recorded_until_interrupted(tmp_path: Path) -> None:
    """It says where each chain is, answers there, and ends quietly on SIGINT."""
    recording = tmp_path / "logs.jsonl"
    recording.write_text(json.dumps(LOG) + "\n")

    with replay(recording, "--port", "0") as running:
        assert running.stdout is not None
        slug, _, url = running.stdout.readline().strip().partition(": ")
        logs = ask(url, "eth_getLogs", {"fromBlock": "0x0", "toBlock": "0x64"})
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=30)

    assert slug == "ethereum"
    assert [log["transactionHash"] for log in logs] == [LOG["transactionHash"]]
    assert (running.returncode, said) == (0, "")


def test_it_speaks_every_method_an_indexer_needs(tmp_path: Path) -> None:
    """Identity, head, blocks by tag, logs by alternatives, receipts, calls, batches, refusals."""
    recording = tmp_path / "all.jsonl"
    recording.write_text("".join(json.dumps(item) + "\n" for item in (LOG, BLOCK, CALL)))
    asked = {
        "address": ["0x" + "ee" * 20, LOG["address"]],
        "topics": [["0x" + "02" * 32, "0x" + "01" * 32]],
        "fromBlock": "0x64",
        "toBlock": "latest",
    }

    with replay(recording, "--port", "0") as running:
        assert running.stdout is not None
        url = running.stdout.readline().strip().partition(": ")[2]
        chain, head = ask(url, "eth_chainId"), ask(url, "eth_blockNumber")
        tags = {tag: header(url, tag)["number"] for tag in ("0x64", "latest", "safe", "finalized")}
        logs = ask(url, "eth_getLogs", asked)
        any_topic = ask(url, "eth_getLogs", asked | {"topics": [None]})
        receipts = ask(url, "eth_getBlockReceipts", "0x64")
        receipt = ask(url, "eth_getTransactionReceipt", LOG["transactionHash"])
        called = ask(url, "eth_call", {"to": LOG["address"], "data": "0x06fd"}, "latest")
        batch = send(url, [{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}] * 2)
        code, _ = refusal(url, "eth_mine")
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)

    assert (chain, head) == ("0x1", "0x64")
    assert {*tags.values()} == {"0x64"}
    assert [log["transactionHash"] for log in logs] == [LOG["transactionHash"]]
    assert any_topic == logs
    assert receipts == [receipt]
    assert called == "0x08"
    assert [answer["result"] for answer in batch] == ["0x1", "0x1"]
    assert code == -32601


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing recording is the user's mistake, said in one line."""
    with replay(tmp_path / "nothing.jsonl") as running:
        _, said = running.communicate(timeout=30)

    assert running.returncode == 2
    assert "nothing.jsonl cannot be read" in said
    assert said.count("\n") == 1

"""The rig of `make bench-peers`: its node fails as it says, and what is found is counted right."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import ask, refusal

PEERS = Path(__file__).parent / "bench" / "peers"
CLIENT = PEERS / "clients" / "perpscope_client.py"
LOGS, PER_BLOCK = 6_000, 25


@pytest.fixture(scope="module")
def offer(root: Path) -> Iterator[dict[str, Any]]:
    """Serve a small chain of transfers; return what the node says of itself."""
    command = [sys.executable, str(PEERS / "peer_node.py"), str(LOGS), str(PER_BLOCK)]
    environment = os.environ | {"PYTHONPATH": f"{PEERS}{os.pathsep}{root}"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.terminate()


def told(offer: dict[str, Any], path: str) -> dict[str, Any]:
    """Return what the node says about a path."""
    with urllib.request.urlopen(f"{offer['url']}/{path}", timeout=30) as answer:  # noqa: S310
        found: dict[str, Any] = json.loads(answer.read())
        return found


def logs(offer: dict[str, Any], fault: str, blocks: int) -> list[dict[str, Any]]:
    """Return the transfers of the first blocks as a faulty node answers."""
    query = {"fromBlock": "0x1", "toBlock": hex(blocks), "address": offer["contract"]}
    found: list[dict[str, Any]] = ask(f"{offer['url']}/{fault}/test", "eth_getLogs", query)
    return found


@pytest.mark.parametrize(
    ("fault", "found"),
    [("none", LOGS), ("log", LOGS - 1), ("block", LOGS - PER_BLOCK), ("cut", 5_000)],
)
def test_the_node_loses_what_the_fault_says(offer: dict[str, Any], fault: str, found: int) -> None:
    """One log, one block's logs, or everything behind a limit; and the node knows that it did."""
    assert len(logs(offer, fault, offer["last"])) == found
    assert told(offer, f"{fault}/test")["hits"] == (fault != "none")


def test_the_node_refuses_and_is_busy(offer: dict[str, Any]) -> None:
    """Long answers are refused, short ones not; every seventh request is turned away."""
    query = {"fromBlock": "0x1", "toBlock": hex(offer["last"])}
    assert refusal(f"{offer['url']}/limit/test", "eth_getLogs", query)[0] == -32005
    assert len(logs(offer, "limit", 200)) == 5_000

    for _ in range(6):
        ask(f"{offer['url']}/busy/test", "eth_chainId")
    with pytest.raises(AssertionError, match="Too Many"):
        ask(f"{offer['url']}/busy/test", "eth_chainId")


def test_perpscope_is_counted(tmp_path: Path, offer: dict[str, Any]) -> None:
    """Rows and their sum are the node's own, but for the log that cannot be read: a reject."""
    last = offer["last"] + 1
    words = ["index", "--chain", "ethereum", "--protocol", "transfers", "--from", "1"]
    words += ["--to", str(last), "--database", str(tmp_path / "peers.duckdb")]
    words += ["--rpc", f"{offer['url']}/odd/perpscope"]
    said = run(words)

    rows, total = map(int, run(["count", str(tmp_path)]).split())
    odd = next(log for log in logs(offer, "odd", last) if len(log["topics"]) == 4)
    truth = told(offer, f"truth/{last}")
    assert "1 rejects" in said
    assert (rows, total) == (truth["rows"] - 1, int(truth["total"]) - int(odd["topics"][3], 16))


def run(words: list[str]) -> str:
    """Return what the client of the benchmark prints."""
    command = [sys.executable, str(CLIENT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout

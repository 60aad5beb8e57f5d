"""`perpscope replay` serves recorded files until it is told to stop."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from loopback import ask

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


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing recording is the user's mistake, said in one line."""
    with replay(tmp_path / "nothing.jsonl") as running:
        _, said = running.communicate(timeout=30)

    assert running.returncode == 2
    assert "nothing.jsonl cannot be read" in said
    assert said.count("\n") == 1

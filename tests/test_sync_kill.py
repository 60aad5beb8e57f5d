"""Killed at any moment and started again, `perpscope index` ends with the same database."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from commands import perpscope
from sync_rig import FIRST, blocks, contents, served

from indexer.simulation.node import serve

COUNT = 300
KILLS = 4


def command(path: Path, url: str, *more: str) -> list[str]:
    """Return the command line that indexes the chain's two protocols."""
    return [
        *(sys.executable, "-m", "perpscope", "index", "--chain", "ethereum", "--rpc", url),
        *("--protocol", "chainlink", "--protocol", "maple", "--from", str(FIRST)),
        *("--database", str(path), *more),
    ]


def settings(folder: Path, max_logs: int) -> str:
    """Write a configuration that commits often; return its path."""
    path = folder / "perpscope.toml"
    path.write_text(f"[chains.ethereum]\nmax_logs = {max_logs}\n", encoding="utf-8")
    return str(path)


def killed(words: list[str], path: Path, seconds: float) -> bool:
    """Start a run, kill it some time after the database grew; return whether it was cut short."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while run.poll() is None and (not path.exists() or path.stat().st_mtime_ns == before):
            time.sleep(0.002)
        time.sleep(seconds)
        run.send_signal(signal.SIGKILL)
    return run.returncode == -signal.SIGKILL


@pytest.mark.soak  # the campaign of `make test` kills, too
def test_killed_runs_end_like_an_uninterrupted_one(tmp_path: Path) -> None:
    """SIGKILL at random moments, other range sizes after each: every table ends the same."""
    dice = Random(20_231_011)
    whole, cut = tmp_path / "whole.duckdb", tmp_path / "cut.duckdb"
    with serve([served(blocks(COUNT))]) as node:
        subprocess.run(command(whole, node.url), check=True, capture_output=True, env=os.environ)

        kills = 0
        for _ in range(KILLS):
            span = str(dice.choice((3, 10, 40)))
            config = settings(tmp_path, max_logs=dice.choice((5, 20)))
            words = command(cut, node.url, "--max-span", span, "--config", config)
            kills += killed(words, cut, dice.uniform(0, 0.4))
        subprocess.run(command(cut, node.url), check=True, capture_output=True)

    assert kills >= 2
    assert contents(cut) == contents(whole)


def test_a_run_that_is_told_to_end_says_so(tmp_path: Path) -> None:
    """SIGTERM amid requests: a sentence, the exit of an interruption, and the next run goes on."""
    whole, cut, report = (tmp_path / name for name in ("whole.duckdb", "cut.duckdb", "run.json"))
    running: list[subprocess.Popen[str]] = []

    def stop(_slug: str, body: bytes) -> None:
        if b"eth_getLogs" in body and cut.exists() and running:
            running.pop().terminate()

    with serve([served(blocks(COUNT))], intercept=stop) as node:
        perpscope(*command(whole, node.url)[3:])
        words = command(cut, node.url, "--max-span", "10", "--report", str(report))
        with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as run:
            running.append(run)
            _, said = run.communicate(timeout=60)
        perpscope(*command(cut, node.url)[3:])

    assert run.returncode == 130
    assert said.startswith("perpscope: stopped by SIGTERM: ")
    assert said.count("\n") == 1
    assert "stopped before its end" in report.read_text(encoding="utf-8")
    assert contents(cut) == contents(whole)

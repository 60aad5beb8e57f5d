"""
`perpscope watch` through an omission, a reorg and a kill: `pytest -m soak -s` tells the figures.

The node leaves out logs while the chain is filled in, the chain is reorganised while it is
followed, and the process is killed while it catches up. Then the database is that of one quiet run.
"""

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from commands import perpscope
from database_digest import differences, digest
from rig.catalogue import FAULTS
from rig.fault import Planned
from rig.live import LiveChain, live
from rig.node import Rig, serving
from watch_rig import Watch, configure, watching

from analytics import load

DEPTH, GROWTH, MORE = 15, 3, 400
KILL_AFTER = 12  # requests
STORED = """
    select
        (select count(*) from logs) as logs,
        (select count(*) from oracle_updates) as oracle_updates,
        (select count(*) from contracts) as contracts,
        (select count(*) from orphans) as orphans,
        (select max(to_block) from coverage) as last_block,
        (select string_agg(distinct proof, ', ') from coverage) as proofs
"""
SCHEDULE = 'index = "1s"\nverify = "2s"\nverify_level = "bloom"\nverify_sample = 0'
OMISSIONS = [Planned(FAULTS[name], 1.0, 2) for name in ("log_left_out", "block_left_out")]


def caught_up(watch: Watch, chain: LiveChain) -> float:
    """Wait until the newest block is indexed; return the seconds that took."""
    began = time.monotonic()
    watch.until(lambda: watch.metric("perpscope_indexed_block") == chain.state.head)
    return time.monotonic() - began


def verified(watch: Watch) -> None:
    """Wait until a verification that began now has found nothing wrong."""
    for _ in range(2):
        watch.logged(event="done", task="verify")


def killed(watch: Watch) -> None:
    """Kill it as a power cut does."""
    watch.process.send_signal(signal.SIGKILL)


def stored(path: Path) -> dict[str, Any]:
    """Return what a database holds in numbers, whoever writes to it."""
    with load.database(path) as connection:
        return load.rows(connection, STORED, {}).row(0, named=True)


@pytest.mark.soak
def test_watch_survives_an_omission_a_reorg_and_a_kill(tmp_path: Path) -> None:
    """Each is told, healed and verified; at the end the database is that of one quiet run."""
    chain = live()
    rig = Rig(chain, OMISSIONS, seed=1)
    figures: dict[str, dict[str, Any]] = {}
    path, folder = tmp_path / "a.duckdb", tmp_path / "quiet"
    folder.mkdir()
    with serving(rig):
        config = configured(tmp_path, rig.url)
        with watching(config) as watch:
            figures["omission"] = {"seconds": caught_up(watch, chain), "struck": dict(rig.struck)}
            verified(watch)
            figures["omission"] |= stored(path) | {"requests": rig.requests}
            chain.reorg(DEPTH, GROWTH)
            figures["reorg"] = {"seconds": caught_up(watch, chain)}
            verified(watch)
            figures["reorg"] |= stored(path)
            seen = rig.requests
            rig.on_request = lambda: killed(watch) if rig.requests > seen + KILL_AFTER else None
            chain.mine(MORE)
            code = watch.process.wait(timeout=30)
            rig.on_request = None
            failed = [line for line in watch.rest() if line["event"] == "failed"]
            figures["kill"] = {"exit code": code, "left": stored(path)}
        with watching(config) as watch:
            figures["kill"] |= {"seconds": caught_up(watch, chain)}
            verified(watch)
            code, seconds = watch.stop()
            figures["kill"] |= stored(path) | {"stopped in": seconds}
            failed += [line for line in watch.rest() if line["event"] == "failed"]
        quiet = configured(folder, rig.url)
        assert perpscope("index", "--chain", "ethereum", "--config", quiet) == 0
    print(json.dumps(figures, indent=2, default=str))

    assert (code, failed) == (0, [])
    assert sum(rig.struck.values()) == 4
    assert figures["reorg"]["orphans"] > 0
    assert figures["kill"]["left"]["last_block"] < chain.state.head
    assert figures["kill"]["proofs"] == "bloom"
    assert differences(path, digest(folder / "a.duckdb")) == []


def configured(folder: Path, url: str) -> Path:
    """Write the settings of watching the rig, in short ranges that are proven by blooms."""
    config = configure(folder, url, SCHEDULE)
    proven = 'protocols = ["chainlink", "maple"]\nproof = "bloom"\nmax_span = 20'
    text = config.read_text("utf-8").replace('protocols = ["chainlink", "maple"]', proven)
    config.write_text(text.replace("tries = 1", "tries = 3"), encoding="utf-8")
    return config

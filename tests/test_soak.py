"""
Fifty seeds of the fault campaign: whatever happens, the database ends like an undisturbed one.

`make soak SEEDS=1000` plays more of them.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from rig.catalogue import FAULTS
from soak.schedule import PLAYED, schedule

TESTS = Path(__file__).parent
SEEDS = 50


@pytest.fixture(scope="module")
def campaign() -> subprocess.CompletedProcess[str]:
    """Return the campaign of the first seeds, on all cores."""
    words = [sys.executable, "-m", "soak", "--seeds", str(SEEDS)]
    return subprocess.run(words, cwd=TESTS, capture_output=True, text=True, check=False)


def test_every_seed_ends_with_the_undisturbed_database(
    campaign: subprocess.CompletedProcess[str],
) -> None:
    """Table by table, by content; a seed that fails says how to play it alone."""
    assert campaign.returncode == 0, campaign.stdout + campaign.stderr
    assert f"{SEEDS} of {SEEDS} seeds passed" in campaign.stdout


def test_the_campaign_counts_what_happened(campaign: subprocess.CompletedProcess[str]) -> None:
    """Most faults struck, and processes were killed, starved and confused."""
    counted = {line.split()[0] for line in campaign.stdout.splitlines() if line.startswith("  ")}

    assert {"killed", "disk_full", "clock_jumped", "reorg_between_runs"} <= counted
    assert len(counted & set(FAULTS)) > len(PLAYED) * 0.8


def test_a_schedule_follows_from_its_seed() -> None:
    """The same seed draws the same, another one something else."""
    assert schedule(7) == schedule(7)
    assert schedule(7) != schedule(8)

"""A number is the same to the last digit on every machine, however many cores it has."""

import json
import os
import subprocess
import sys
from pathlib import Path

from every_metric import __file__ as every_metric
from every_metric import digest
from simulated_world import book

from analytics.compute import facts_of
from analytics.metrics import METRICS

THREADS = "7"


def test_no_metric_depends_on_threads_or_on_the_order_of_rows(tmp_path: Path) -> None:
    """Sums of floats differ in their last digit by the pieces they are made of: none is such."""
    for table in frozenset().union(*map(facts_of, METRICS)):
        book(table).collect().reverse().write_ipc(tmp_path / f"{table}.arrow")
    told = subprocess.run(
        [sys.executable, every_metric, str(tmp_path)],
        env=os.environ | {"POLARS_MAX_THREADS": THREADS},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    elsewhere: dict[str, str] = json.loads(told)

    here = {metric: digest(metric, book) for metric in METRICS}

    assert {metric for metric in METRICS if here[metric] != elsewhere[metric]} == set()

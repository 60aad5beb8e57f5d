"""A number is the same to the last digit on every machine, however many cores it has."""

import json
import os
import subprocess
import sys
from pathlib import Path

import every_metric

from analytics.metrics import METRICS

THREADS = "7"


def test_no_metric_depends_on_how_many_threads_compute_it() -> None:
    """Sums of floats differ in their last digit by the pieces they are made of: none is such."""
    told = subprocess.run(
        [sys.executable, str(Path(every_metric.__file__))],
        env=os.environ | {"POLARS_MAX_THREADS": THREADS},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    elsewhere: dict[str, str] = json.loads(told)

    here = {metric: every_metric.digest(metric) for metric in METRICS}

    assert {metric for metric in METRICS if here[metric] != elsewhere[metric]} == set()

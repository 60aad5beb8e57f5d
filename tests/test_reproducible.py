"""A number is the same to the last digit on every machine, however many cores it has."""

import json
import os
import subprocess
import sys
from pathlib import Path

from analytics.metrics import METRICS


def digests(threads: int) -> dict[str, str]:
    """Return a digest of every metric of the simulated world, computed by so many threads."""
    return json.loads(  # type: ignore[no-any-return]
        subprocess.run(
            [sys.executable, str(Path(__file__).with_name("every_metric.py"))],
            env=os.environ | {"POLARS_MAX_THREADS": str(threads)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    )


def test_no_metric_depends_on_how_many_threads_compute_it() -> None:
    """Sums of floats differ in their last digit by the pieces they are made of: none is such."""
    alone, many = digests(1), digests(7)

    assert alone.keys() == METRICS.keys()
    assert {name for name in alone if alone[name] != many[name]} == set()

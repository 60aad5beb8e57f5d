"""`python every_metric.py`: a digest of each metric of the simulated world's books, as JSON."""

import json
import sys
from hashlib import sha256

from simulated_world import book

from analytics.compute import collected, compute
from analytics.metrics import METRICS


def digest(metric: str) -> str:
    """Return a digest of a metric's rows in their order, every digit of them."""
    rows = collected(compute(metric, book))
    return sha256(repr(rows.rows()).encode()).hexdigest()


if __name__ == "__main__":
    json.dump({metric: digest(metric) for metric in METRICS}, sys.stdout)

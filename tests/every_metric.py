"""`python every_metric.py`: a digest of each metric of the simulated world's books, as JSON."""

import json
import sys
from functools import cache
from hashlib import sha256

import polars as pl
from handmade import table
from simulated_world import world

from analytics.compute import collected, compute
from analytics.metrics import METRICS
from indexer.tables import fact_tables


@cache
def book(name: str) -> pl.LazyFrame:
    """Return a table of the books; what the simulator writes none of is empty."""
    return (world().ledger.table(name) if name in fact_tables() else table(name)).lazy()


def digest(metric: str) -> str:
    """Return a digest of a metric's rows in their order, every digit of them."""
    rows = collected(compute(metric, book))
    return sha256(repr(rows.rows()).encode()).hexdigest()


if __name__ == "__main__":
    json.dump({metric: digest(metric) for metric in METRICS}, sys.stdout)

"""`python every_metric.py FOLDER`: a digest of each metric of the tables there, as JSON."""

import json
import sys
from hashlib import sha256
from pathlib import Path

import polars as pl

from analytics.compute import Load, collected, compute
from analytics.metrics import METRICS


def digest(metric: str, load: Load) -> str:
    """Return a digest of a metric's rows in their order, every digit of them."""
    rows = collected(compute(metric, load))
    return sha256(repr(rows.rows()).encode()).hexdigest()


def kept(folder: Path) -> Load:
    """Return a loader of the tables of a folder, `<table>.arrow`."""
    return lambda table: pl.read_ipc(folder / f"{table}.arrow").lazy()


if __name__ == "__main__":
    load = kept(Path(sys.argv[1]))
    json.dump({metric: digest(metric, load) for metric in METRICS}, sys.stdout)

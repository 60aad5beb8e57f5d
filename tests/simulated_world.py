"""The simulated world of one seed, made once for all tests that read it, and ways to ask it."""

import fcntl
import os
import pickle
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from decimal import Context, Decimal
from functools import cache
from pathlib import Path

import polars as pl
from handmade import table

from indexer.chains import ARBITRUM, ETHEREUM, Chain
from indexer.facts.known import declared, declared_facts
from indexer.protocols import PROTOCOLS
from indexer.simulation.ledger import Row
from indexer.simulation.world import World, simulated
from indexer.tables import fact_tables

SEED = 1

_EXACT = Context(prec=60)
_PROTOCOLS = tuple(PROTOCOLS.values())


@cache
def world() -> World:
    """Return the world of the usual seed: one worker makes it, the others read it."""
    path = Path(os.environ["SHARED_BY_WORKERS"]) / "world"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            found: World = pickle.loads(path.read_bytes())  # noqa: S301 - we wrote it
            return found
        made = simulated(SEED)
        path.write_bytes(pickle.dumps(made))
        return made


@cache
def told_by(found: World, name: str) -> pl.DataFrame:
    """Return a table of a world's books, or what the declarations state of markets and facts."""
    stated: dict[str, Callable[[Chain], pl.DataFrame]] = {
        "declared_facts": lambda chain: declared_facts(_PROTOCOLS, chain),
        "markets": lambda chain: declared(_PROTOCOLS, chain).markets,
    }
    if name in stated:
        return pl.concat(map(stated[name], (ARBITRUM, ETHEREUM)))
    return found.ledger.table(name) if name in fact_tables() else table(name)


@cache
def book(name: str) -> pl.LazyFrame:
    """Return a table of the world's books; what the simulator writes none of is empty."""
    return (told_by(world(), name) if name in fact_tables() else table(name)).lazy()


def totals(
    rows: Iterable[Row], key: Callable[[Row], Hashable], column: str
) -> dict[Hashable, Decimal]:
    """Return the exact sum of a column by key; rows that do not know it count as nothing."""
    found: dict[Hashable, Decimal] = defaultdict(Decimal)
    for row in rows:
        value = row.get(column)
        if isinstance(value, Decimal):
            found[key(row)] = _EXACT.add(found[key(row)], value)
    return dict(found)


def total(rows: Iterable[Row], column: str) -> Decimal:
    """Return the exact sum of a column."""
    return totals(rows, lambda _: None, column).get(None, Decimal(0))

"""The simulated world of one seed, made once for all tests that read it, and ways to ask it."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from decimal import Context, Decimal
from functools import cache

from indexer.simulation.ledger import Row
from indexer.simulation.world import World, simulated

SEED = 1

_EXACT = Context(prec=60)


@cache
def world() -> World:
    """Return the world of the usual seed."""
    return simulated(SEED)


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

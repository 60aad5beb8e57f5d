"""Which logs declarations read, line by line, and what a changed one reads that is new."""

import polars as pl

from indexer.chains import Chain
from indexer.facts.routes import (
    abis_of,
    contracts_on,
    event_names,
    second_topic,
    topic0s_of,
)
from indexer.spec import Contract, EventName, Protocol
from indexer.sync.declarations import reach
from indexer.tables import columns_of

CHILD = "child:"
"""Before the ABI of emitters that factories announce."""

_KEY = ("emitter", "topic0", "topic1")


def lines(protocol: Protocol, chain: Chain) -> pl.DataFrame:
    """Return what a declaration reads on a chain, as rows of `reaches`."""
    emitters: list[tuple[str, str, int | None, int | None, str | None]] = [
        (item.abi, item.address.lower(), item.from_block, item.to_block, _only(item))
        for item in contracts_on(protocol, chain)
    ]
    emitters += [(abi, CHILD + abi, None, None, None) for abi in abis_of(protocol)]
    rows = [
        (chain.chain_id, protocol.slug, reach(protocol, chain), emitter, low, high, *topics)
        for abi, emitter, low, high, only in emitters
        for name in event_names(protocol, abi)
        for topics in _topics(name, abi, only)
    ]
    return pl.DataFrame(rows, columns_of("reaches"), orient="row").unique(maintain_order=True)


def _only(contract: Contract) -> str | None:
    parts = [f"{name} {' '.join(sorted(some))}" for name, some in sorted(contract.only.items())]
    return "; ".join(parts) or None


def _topics(name: EventName, abi: str, only: str | None) -> list[tuple[str, str | None]]:
    second = second_topic(name)
    restricted = only or (None if second is None else second.hex())
    return [(topic0.hex(), restricted) for topic0 in topic0s_of(name, abi)]


def unread(before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `now` that no row of `before` reads already."""
    windows: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for row in before.iter_rows(named=True):
        windows.setdefault(tuple(row[name] for name in _KEY), []).append(_window(row))
    is_read = []
    for row in now.iter_rows(named=True):
        low, high = _window(row)
        held = windows.get(tuple(row[name] for name in _KEY), [])
        is_read.append(any(first <= low and high <= last for first, last in held))
    return now.filter(~pl.Series(is_read, dtype=pl.Boolean))


def _window(row: dict[str, int | None]) -> tuple[int, int]:
    high = row["to_block"]
    return row["from_block"] or 0, 2**62 if high is None else high

"""Which events recorded logs confirm: exactly those the declarations say, on any chain."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from goldens import NOON, placed, recorded_logs

from indexer.chains import CHAINS, Chain
from indexer.facts import Facts, Known, declared, discovered, facts, owned
from indexer.protocols import PROTOCOLS
from indexer.spec import Event, Protocol
from indexer.tables import columns_of

# The recorded logs come without the calls that would tell the decimals of tokens; rows that need
# them are read as they would be of a token with 18.
DECIMALS = 18


@pytest.fixture(scope="module")
def logs(shared: Path) -> dict[str, pl.DataFrame]:
    """Return the recorded logs by chain."""
    by_chain: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in recorded_logs(shared / "data/logs/all_logs.jsonl.gz"):
        by_chain[one["_chain"]].append(one)
    return {slug: placed(some) for slug, some in by_chain.items()}


def confirmed(protocol: Protocol, chain: Chain, table: pl.DataFrame) -> set[str]:
    """Return the events of which a recorded log becomes a row, as text."""
    known = declared([protocol], chain)
    known = replace(known, contracts=discovered([protocol], chain, table, known))
    mine = table.filter(owned([protocol], chain, table, known)[protocol.slug])
    if mine.is_empty():
        return set()
    unknown = read([protocol], chain, mine, known).unknown_tokens
    known = replace(known, tokens=pl.concat([known.tokens, told(chain, unknown)]))
    learning = [event for event in protocol.events if event.into == "markets"]
    found = set()
    for event in protocol.events:
        alone = replace(protocol, events=(*learning, *([] if event in learning else [event])))
        result = read([alone], chain, mine, known)
        rows = result.markets if event.into == "markets" else result.tables[event.into]
        found |= {repr(event)} if len(rows) else set()
    return found


def read(protocols: list[Protocol], chain: Chain, logs: pl.DataFrame, known: Known) -> Facts:
    """Return the facts of logs, all of one time."""
    headers = logs.select(number="block_number", timestamp=pl.lit(NOON, pl.Datetime("us")))
    return facts(protocols, chain, logs, headers.unique(), known)


def told(chain: Chain, addresses: tuple[str, ...]) -> pl.DataFrame:
    """Return rows of `tokens` for addresses that a node would be asked about."""
    rows = [(chain.chain_id, address, "TOKEN", DECIMALS, "call") for address in addresses]
    return pl.DataFrame(rows, columns_of("tokens"), orient="row")


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_what_is_called_confirmed_is(slug: str, logs: dict[str, pl.DataFrame]) -> None:
    """No event is called confirmed that no recorded log shows; all that one shows are."""
    protocol = PROTOCOLS[slug]
    by_name = {repr(event): event for event in protocol.events}

    found = set()
    for chain in CHAINS:
        if chain.slug in logs and any(item.chain == chain for item in protocol.contracts):
            found |= confirmed(protocol, chain, logs[chain.slug])

    said = {text for text, event in by_name.items() if event.is_confirmed}
    assert names(by_name, said - found) == []
    assert names(by_name, found - said) == []


def names(events: dict[str, Event], chosen: set[str]) -> list[str]:
    """Return what to look for in the declaration."""
    return sorted(f"{events[one].abi} {events[one].name} {events[one].into}" for one in chosen)

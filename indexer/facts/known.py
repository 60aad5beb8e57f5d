"""What is known before a range is read: tokens, markets, discovered contracts, policies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache, wraps
from typing import TypeVar
from weakref import finalize

import polars as pl

from indexer.chains import Chain
from indexer.spec import Market, Protocol, Seconds
from indexer.tables import columns_of, empty, fact_tables

T = TypeVar("T")

KEPT = 512
"""Of what follows from declarations: more than there are protocols and chains at once."""


@dataclass(frozen=True, eq=False)
class Known:
    """
    Knowledge about one chain, as rows of the tables of the same names.

    It equals itself alone: two that hold the same rows are not compared row by row.

    Attributes:
        tokens: symbol and decimals by address.
        markets: index, long and short token by protocol and market.
        contracts: children that factories announced.
    """

    tokens: pl.DataFrame
    markets: pl.DataFrame
    contracts: pl.DataFrame


_Work = Callable[[Sequence[Protocol], Chain, Known], T]


def once_known(work: _Work[T]) -> _Work[T]:
    """
    Work out once what follows from declarations and known contracts: ranges ask it again and again.

    The work must not look at what else is known. What it gave goes away with the frame of contracts
    that it was made of: a chain that many factories work on has a lot of it.
    """
    found: dict[int, dict[tuple[object, ...], T]] = {}

    @wraps(work)
    def worked(protocols: Sequence[Protocol], chain: Chain, known: Known) -> T:
        asked, place = (*protocols, chain), id(known.contracts)
        if (answers := found.get(place)) is None:
            answers = found[place] = {}
            # Frames have no hash; the place of one that is gone may be another's.
            finalize(known.contracts, found.pop, place, None)
        if asked not in answers:
            answers[asked] = work(protocols, chain, known)
        return answers[asked]

    return worked


def declared(protocols: Sequence[Protocol], chain: Chain) -> Known:
    """Return what the declarations themselves vouch for on a chain."""
    return _declared(tuple(protocols), chain)


@lru_cache(KEPT)
def _declared(protocols: tuple[Protocol, ...], chain: Chain) -> Known:
    tokens = [
        (chain.chain_id, token.address.lower(), token.symbol, token.decimals, "declaration")
        for protocol in protocols
        for token in protocol.tokens
        if token.chain == chain
    ]
    markets = [
        _market(protocol, market)
        for protocol in protocols
        for market in protocol.markets
        if market.chain == chain
    ]
    return Known(
        pl.DataFrame(tokens, columns_of("tokens"), orient="row").unique(
            "address", keep="first", maintain_order=True
        ),
        pl.DataFrame(markets, columns_of("markets"), orient="row").unique(
            ["protocol", "market"], keep="first", maintain_order=True
        ),
        empty("contracts").clone(),  # its own, so that what follows from it goes away with it
    )


def _market(protocol: Protocol, market: Market) -> tuple[int | str | None, ...]:
    return (
        market.chain.chain_id,
        protocol.slug,
        market.market.lower(),
        market.symbol,
        _lower(market.index_token),
        _lower(market.long_token),
        _lower(market.short_token),
        None,
        None,
        market.asset_class,
        market.quote,
        "declaration",
        None,
    )


def _lower(address: str | None) -> str | None:
    return address.lower() if address else None


def policies(protocols: Sequence[Protocol]) -> pl.DataFrame:
    """Return the dated policies of the protocols as rows of `policies`."""
    return _policies(tuple(protocols))


@lru_cache(KEPT)
def _policies(protocols: tuple[Protocol, ...]) -> pl.DataFrame:
    rows = []
    for protocol in protocols:
        for policy in protocol.policies:
            start = datetime.fromisoformat(policy.valid_from)
            later = [
                datetime.fromisoformat(other.valid_from)
                for other in protocol.policies
                if other.kind == policy.kind and other.valid_from > policy.valid_from
            ]
            rows.append(
                (
                    protocol.slug,
                    policy.kind,
                    Decimal(policy.value),
                    start,
                    min(later, default=None),
                    policy.source,
                    policy.basis,
                )
            )
    return pl.DataFrame(rows, columns_of("policies"), orient="row")


def feeds(protocols: Sequence[Protocol], chain: Chain) -> pl.DataFrame:
    """Return what the protocols say of their feeds on a chain, as rows of `feeds`."""
    rows = [
        (
            chain.chain_id,
            protocol.slug,
            feed.feed.lower() if feed.feed.startswith("0x") else feed.feed,
            feed.name,
            feed.asset,
            feed.quote,
            feed.kind,
            _lower(feed.proxy),
            feed.heartbeat_seconds,
            feed.threshold_bps,
            feed.source,
            feed.basis,
        )
        for protocol in protocols
        for feed in protocol.feeds
        if feed.chain == chain
    ]
    return pl.DataFrame(rows, columns_of("feeds"), orient="row")


def declared_facts(protocols: Sequence[Protocol], chain: Chain) -> pl.DataFrame:
    """Return which tables the declarations fill on a chain, as rows of `declared_facts`."""
    rows = [
        (chain.chain_id, protocol.slug, *filled)
        for protocol in protocols
        for filled in _filled(protocol, _abis(protocol, chain))
    ]
    return pl.DataFrame(rows, columns_of("declared_facts"), orient="row")


def brought_facts(protocol: Protocol, chain: Chain, entry: str) -> pl.DataFrame:
    """Return which tables a venue's entries of a name fill, as rows of `declared_facts`."""
    told = (each for each in protocol.entries if (each.chain, each.name) == (chain, entry))
    rows = [
        (chain.chain_id, protocol.slug, fact, None, None)
        for fact in sorted({each.into for each in told})
    ]
    return pl.DataFrame(rows, columns_of("declared_facts"), orient="row")


def _filled(protocol: Protocol, abis: set[str]) -> list[tuple[str, str | None, int | None]]:
    by_events = {event.into for event in protocol.events if event.abi in abis}
    told: list[tuple[str, str | None, int | None]] = [
        (fact, None, None) for fact in fact_tables() if fact in by_events
    ]
    return told + [
        (read.into, read.name, read.every.count if isinstance(read.every, Seconds) else None)
        for read in protocol.reads
        if read.abi in abis and read.into in fact_tables()
    ]


def _abis(protocol: Protocol, chain: Chain) -> set[str]:
    """Return the ABIs that contracts of a protocol have on a chain, children of factories too."""
    there = [contract for contract in protocol.contracts if contract.chain == chain]
    abis = {contract.abi for contract in there}
    abis |= {str(contract.says["child_abi"]) for contract in there if "child_abi" in contract.says}
    for _ in protocol.discoveries:
        abis |= {
            found.child_abi
            for found in protocol.discoveries
            if found.abi in abis and found.child_abi
        }
    return abis


def untold_shares(protocols: Sequence[Protocol], chain: Chain) -> pl.DataFrame:
    """Return whose flows do not tell all shares on a chain, as rows of `untold_shares`."""
    rows = [
        (chain.chain_id, protocol.slug, protocol.untold_shares)
        for protocol in protocols
        if protocol.untold_shares
    ]
    return pl.DataFrame(rows, columns_of("untold_shares"), orient="row")


def accounts(protocols: Sequence[Protocol], chain: Chain) -> pl.DataFrame:
    """Return the accounts that the protocols name on a chain, as rows of `accounts`."""
    rows = [
        (chain.chain_id, protocol.slug, one.address.lower(), one.name, one.source)
        for protocol in protocols
        for one in protocol.accounts
        if one.chain == chain
    ]
    return pl.DataFrame(rows, columns_of("accounts"), orient="row")


def merged(known: Known, learned: Known) -> Known:
    """Return both; where they differ about a token or child, what was known first stands."""
    return Known(
        _first(known.tokens, learned.tokens, ["chain_id", "address"]),
        earliest(known.markets, learned.markets),
        _first(known.contracts, learned.contracts, ["chain_id", "protocol", "abi", "address"]),
    )


def earliest(known: pl.DataFrame, learned: pl.DataFrame) -> pl.DataFrame:
    """Return markets of both, each as it is stated or, in all blocks, announced first."""
    if learned.is_empty():
        return known
    # What is stated is of no block, and comes before all.
    ordered = pl.concat([known, learned]).sort("block_number", maintain_order=True)
    return ordered.unique(["chain_id", "protocol", "market"], keep="first", maintain_order=True)


def _first(known: pl.DataFrame, learned: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    if learned.is_empty():
        return known
    return pl.concat([known, learned]).unique(key, keep="first", maintain_order=True)

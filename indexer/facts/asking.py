"""What nodes and blooms are asked for, so that no log of a declaration is missed."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product

import polars as pl

from indexer.chains import Chain
from indexer.facts.known import KEPT, Known, once_known
from indexer.facts.routes import (
    abis_of,
    child_abis,
    contracts_on,
    emitter_rows,
    event_names,
    octets,
    restrictions,
    second_topic,
    topic0s_of,
)
from indexer.rpc import Filter
from indexer.spec import Contract, EventName, Protocol


@once_known
def log_filter(protocols: Sequence[Protocol], chain: Chain, known: Known) -> Filter:
    """
    Return the one filter that covers every contract that is read as a whole.

    Contracts that are asked for state alone are in it only where there is nobody else: a filter
    that names nobody would ask for everybody.
    """
    in_part = list(_in_part(protocols, chain))
    speaking = {(protocol.slug, abi) for protocol in protocols for abi in abis_of(protocol)}
    whole = {
        octets(contract.address)
        for protocol in protocols
        for contract in contracts_on(protocol, chain)
        if not contract.only and (protocol.slug, contract.abi) in speaking
    }
    apart = {octets(contract.address) for _, contract in in_part} - whole
    emitters = emitter_rows(protocols, chain, known)
    pairs = pl.DataFrame(list(speaking), {"protocol": pl.String, "abi": pl.String}, orient="row")
    heard = set(emitters.join(pairs, on=pairs.columns, how="semi")["address"])
    topics = set().union(*(_whole_topics(protocol, chain) for protocol in protocols))
    named = heard - apart if heard or in_part else set(emitters["address"])
    return Filter(tuple(sorted(named)), tuple(sorted(topics)))


def narrow_filters(protocols: Sequence[Protocol], chain: Chain) -> tuple[Filter, ...]:
    """
    Return what covers the contracts that are read in part: one filter per set of places.

    Filters are united where they name the same places, so they may bring logs that are nobody's.
    """
    united: dict[tuple[int, ...], list[tuple[Protocol, Contract]]] = {}
    for protocol, contract in _in_part(protocols, chain):
        places = tuple(sorted(restrictions(protocol, contract)))
        united.setdefault(places, []).append((protocol, contract))
    return tuple(_united(alike) for _, alike in sorted(united.items()))


def _united(alike: Sequence[tuple[Protocol, Contract]]) -> Filter:
    topics: list[set[bytes]] = [set(), set(), set(), set()]
    for protocol, contract in alike:
        topics[0].update(_topic0s(protocol, contract.abi))
        for place, values in restrictions(protocol, contract).items():
            topics[place].update(values)
    while not topics[-1]:
        topics.pop()
    addresses = {octets(contract.address) for _, contract in alike}
    first, *others = (tuple(sorted(values)) for values in topics)
    return Filter(tuple(sorted(addresses)), first, tuple(others))


def _in_part(protocols: Sequence[Protocol], chain: Chain) -> Iterator[tuple[Protocol, Contract]]:
    for protocol in protocols:
        for contract in contracts_on(protocol, chain):
            if contract.only and event_names(protocol, contract.abi):
                yield protocol, contract


def _whole_abis(protocol: Protocol, chain: Chain) -> tuple[str, ...]:
    """Return ABIs some contract or child of which is read as a whole."""
    here = contracts_on(protocol, chain)
    in_part = {contract.abi for contract in here if contract.only}
    whole = {contract.abi for contract in here if not contract.only} | child_abis(protocol, chain)
    return tuple(abi for abi in abis_of(protocol) if abi in whole or abi not in in_part)


@lru_cache(KEPT)
def _whole_topics(protocol: Protocol, chain: Chain) -> frozenset[bytes]:
    abis = _whole_abis(protocol, chain)
    return frozenset(topic0 for abi in abis for topic0 in _topic0s(protocol, abi))


def _topic0s(protocol: Protocol, abi: str) -> set[bytes]:
    names = event_names(protocol, abi)
    return {topic0 for name in names for topic0 in topic0s_of(name, abi)}


@once_known
def declared_emitters(protocols: Sequence[Protocol], chain: Chain, known: Known) -> pl.DataFrame:
    """
    Return who may log, by what: group, address (Binary), from_block, to_block.

    Groups are those of `declared_topics`.
    """
    apart = [
        (protocol.slug, octets(contract.address), position, position)
        for protocol in protocols
        for position, contract in enumerate(contracts_on(protocol, chain))
        if contract.only
    ]
    schema = dict.fromkeys(("contract", "part"), pl.Int64)
    place = {"protocol": pl.String, "address": pl.Binary, **schema}
    parts = pl.DataFrame(apart, place, orient="row")
    names = pl.concat_str("protocol", "abi", "part", separator=" ", ignore_nulls=True)
    return (
        emitter_rows(protocols, chain, known)
        .join(parts, on=["protocol", "address", "contract"], how="left", maintain_order="left")
        .select(names.alias("group"), "address", "from_block", "to_block")
        .unique(maintain_order=True)
    )


@lru_cache(KEPT)
def declared_topics(protocols: tuple[Protocol, ...], chain: Chain) -> pl.DataFrame:
    """Return what may be logged: group, topic0 to topic3 (Binary; null where any will do)."""
    rows = [row for protocol in protocols for row in _topic_rows(protocol, chain)]
    topics = dict.fromkeys(("topic0", "topic1", "topic2", "topic3"), pl.Binary())
    schema = {"group": pl.String(), **topics}
    return pl.DataFrame(rows, schema, orient="row").unique(maintain_order=True)


@lru_cache(KEPT)
def _topic_rows(protocol: Protocol, chain: Chain) -> tuple[tuple[object, ...], ...]:
    return tuple(
        (group, *topics)
        for group, abi, places in _groups(protocol, chain)
        for name in event_names(protocol, abi)
        for topics in _combinations(name, abi, places)
    )


def _groups(
    protocol: Protocol, chain: Chain
) -> Iterator[tuple[str, str, dict[int, tuple[bytes, ...]]]]:
    for abi in _whole_abis(protocol, chain):
        yield f"{protocol.slug} {abi}", abi, {}
    for position, contract in enumerate(contracts_on(protocol, chain)):
        if contract.only:
            group = f"{protocol.slug} {contract.abi} {position}"
            yield group, contract.abi, restrictions(protocol, contract)


def _combinations(
    name: EventName, abi: str, places: dict[int, tuple[bytes, ...]]
) -> Iterator[tuple[bytes | None, ...]]:
    unnamed = (second_topic(name), None, None)
    others = (places.get(place, (topic,)) for place, topic in enumerate(unnamed, start=1))
    yield from product(topic0s_of(name, abi), *others)

"""
Which logs belong to which declaration.

A log is matched by its emitter (declared contract or discovered child, inside its block window)
and topic0, never by topic0 alone: unrelated events share topics.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
import polars as pl
from eth_hash.auto import keccak

from indexer.chains import Chain
from indexer.decode.abi import EventAbi, event_abis
from indexer.facts.heirs import heirs
from indexer.facts.hexadecimal import fixed_bytes, hex_text
from indexer.facts.known import KEPT, Known, once_known
from indexer.facts.operands import companion_events
from indexer.spec import Contract, Discover, EventName, Keyed, Noted, Protocol

# EventLog, EventLog1 and EventLog2 of GMX v2's EventEmitter (gmx-io/gmx-synthetics).
ENVELOPES = tuple(
    bytes.fromhex(topic0)
    for topic0 in (
        "7e3bde2ba7aca4a8499608ca57f3b0c1c1c93ace63ffd3741a9fab204146fc9a",
        "137a44067c8961cd7e1d876f4754a5a3a75989b4552f1843fc69c3b372def160",
        "468a25a7ba624ceea6e540ad6f49171b52495b648417ae91bca21676d8a24dc5",
    )
)


@cache
def abi_entries(name: str) -> dict[str, EventAbi]:
    """Return the events of `abis/<name>.json` by name."""
    return event_abis(json.loads(abi_text(name)))


@cache
def abi_text(name: str) -> str:
    """Return the text of `abis/<name>.json`."""
    slug, _, contract = name.partition("/")
    return (files("abis") / slug / f"{contract}.json").read_text(encoding="utf-8")


@lru_cache(KEPT)
def contracts_on(protocol: Protocol, chain: Chain) -> tuple[Contract, ...]:
    """Return the declared contracts of a protocol on one chain."""
    return tuple(contract for contract in protocol.contracts if contract.chain == chain)


def event_names(protocol: Protocol, abi: str) -> tuple[EventName, ...]:
    """Return the events of one ABI that the protocol reads, companions too, in order."""
    return _events_read(protocol).get(abi, ())


def abis_of(protocol: Protocol) -> tuple[str, ...]:
    """Return every ABI the protocol's discoveries, events and companions name, in order."""
    return tuple(_events_read(protocol))


@lru_cache(KEPT)
def _events_read(protocol: Protocol) -> dict[str, tuple[EventName, ...]]:
    announced = [(item.abi, item.name) for item in protocol.discoveries]
    own = [(event.abi, event.name) for event in protocol.events]
    joined = [pair for event in protocol.events for pair in companion_events(event)]
    read: dict[str, dict[EventName, None]] = {}
    for abi, name in (*announced, *own, *joined):
        read.setdefault(abi, {})[name] = None
    return {abi: tuple(names) for abi, names in read.items()}


def topic0s_of(name: EventName, abi: str) -> tuple[bytes, ...]:
    """Return the first topics that logs of this event can carry."""
    match name:
        case Keyed():
            return ENVELOPES
        case Noted(function):
            return (keccak(function.encode())[:4].ljust(32, b"\0"),)
        case _:
            return (entry_of(name, abi).topic0,)


def entry_of(name: "str | Noted", abi: str) -> EventAbi:
    """
    Return the event's entry in the ABI.

    Raises:
        ValueError: there is none of this name; an overloaded one is named with its types.
    """
    entries, called = abi_entries(abi), title(name)
    if called not in entries:
        raise ValueError(f"abis/{abi}.json has no event {called}; it has {', '.join(entries)}")
    return entries[called]


def title(name: EventName) -> str:
    """Return the event's name as people read it."""
    match name:
        case Keyed(inner):
            return inner
        case Noted(function):
            return function.partition("(")[0]
        case _:
            return name


def second_topic(name: EventName) -> bytes | None:
    """Return the second topic that tells a keyed event from others of its envelope."""
    return keccak(name.name.encode()) if isinstance(name, Keyed) else None


@once_known
def emitter_rows(protocols: Sequence[Protocol], chain: Chain, known: Known) -> pl.DataFrame:
    """
    Return one row per emitter: address (Binary), protocol, abi, from_block, to_block, version,
    contract (index into the protocol's contracts on this chain; of a discovered child, the one
    that it goes back to).
    """
    rows = pl.concat([pl.DataFrame(schema=_EMITTERS), *(_declared(p, chain) for p in protocols)])
    children = known.contracts.filter(
        pl.col("protocol").is_in([protocol.slug for protocol in protocols])
    ).select(
        pl.col("address").str.slice(2).str.decode("hex").alias("address"),
        "protocol",
        "abi",
        "from_block",
        pl.col("parent").str.slice(2).str.decode("hex"),
    )
    if children.is_empty():
        return rows
    announced = pl.concat([_announced(protocol, chain) for protocol in protocols])
    born = heirs(rows, children, announced)
    return pl.concat([rows, born]).unique(maintain_order=True)


@lru_cache(KEPT)
def _declared(protocol: Protocol, chain: Chain) -> pl.DataFrame:
    rows = [
        (
            octets(contract.address),
            protocol.slug,
            contract.abi,
            contract.from_block,
            contract.to_block,
            contract.version,
            position,
        )
        for position, contract in enumerate(contracts_on(protocol, chain))
    ]
    return pl.DataFrame(rows, schema=_EMITTERS, orient="row").unique(maintain_order=True)


@lru_cache(KEPT)
def _announced(protocol: Protocol, chain: Chain) -> pl.DataFrame:
    rows = [
        (protocol.slug, discovery.abi, position, child_abi(discovery, contract))
        for discovery in protocol.discoveries
        for position, contract in enumerate(contracts_on(protocol, chain))
    ]
    return pl.DataFrame(rows, _ANNOUNCED, orient="row")


def child_abi(discovery: Discover, contract: Contract) -> str:
    """Return the ABI of the children that a contract announces; empty where it is not declared."""
    return discovery.child_abi or str(contract.says.get("child_abi", ""))


def child_abis(protocol: Protocol, chain: Chain) -> set[str]:
    """Return the ABIs of all children that the protocol's contracts may announce."""
    contracts = contracts_on(protocol, chain)
    return {child_abi(item, factory) for item in protocol.discoveries for factory in contracts}


_EMITTERS = {
    "address": pl.Binary,
    "protocol": pl.String,
    "abi": pl.String,
    "from_block": pl.Int64,
    "to_block": pl.Int64,
    "version": pl.String,
    "contract": pl.Int64,
}
_ANNOUNCED = {
    "protocol": pl.String,
    "parent_abi": pl.String,
    "contract": pl.Int64,
    "abi": pl.String,
}


def emitted(
    protocols: Sequence[Protocol], chain: Chain, logs: pl.DataFrame, known: Known
) -> dict[str, pl.DataFrame]:
    """
    Return, per protocol with any, the logs of its emitters, numbered, with emitter columns and
    `tx_text`.
    """
    all_logs = _emitted(protocols, chain, logs, known)
    named = all_logs.with_columns(hex_text(fixed_bytes(all_logs["tx_hash"], 32)).alias("tx_text"))
    if named["protocol"].n_unique() == 1:
        return {named["protocol"][0]: named}
    parts = named.partition_by("protocol", maintain_order=True, as_dict=True)
    return {str(slug): rows for (slug,), rows in parts.items()}


def _emitted(
    protocols: Sequence[Protocol], chain: Chain, logs: pl.DataFrame, known: Known
) -> pl.DataFrame:
    emitters = emitter_rows(protocols, chain, known)
    inside = (pl.col("block_number") >= pl.col("from_block")) & (
        pl.col("to_block").is_null() | (pl.col("block_number") <= pl.col("to_block"))
    )
    rows = (
        logs.with_row_index("row")
        .join(emitters, on="address", how="inner", maintain_order="left")
        .filter(inside)
    )
    present = set(rows["protocol"].unique())
    unrestricted = [
        each
        for protocol in protocols
        if protocol.slug in present
        for each in _unrestricted(protocol, chain)
    ]
    if not unrestricted:
        return rows
    # A log may be what two contracts of one address restrict to: it is still one.
    rows = rows.filter(*unrestricted)
    return rows.unique(["row", "protocol", "abi"], keep="first", maintain_order=True)


@lru_cache(KEPT)
def _unrestricted(protocol: Protocol, chain: Chain) -> tuple[pl.Expr, ...]:
    return tuple(
        (pl.col("protocol") != protocol.slug)
        | (pl.col("contract") != position).fill_null(value=True)
        | (pl.col("address") != octets(contract.address))
        | _is_any(pl.col(f"topic{place}"), topics)
        for position, contract in enumerate(contracts_on(protocol, chain))
        for place, topics in restrictions(protocol, contract).items()
    )


def octets(address: str) -> bytes:
    """Return the 20 bytes of an address."""
    return bytes.fromhex(address.removeprefix("0x"))


def restrictions(protocol: Protocol, contract: Contract) -> dict[int, tuple[bytes, ...]]:
    """
    Return which topics the contract's logs may carry: place (1 to 3) -> 32 bytes each; none where
    no event is read of it.

    Raises:
        ValueError: an event that is read of the contract has not this argument at this place.
    """
    found: dict[int, tuple[bytes, ...]] = {}
    for argument, values in contract.only.items():
        places = {
            _topic_of(argument, entry_of(name, contract.abi))
            for name in event_names(protocol, contract.abi)
            if not isinstance(name, Keyed)
        }
        if not places:
            continue
        place = places.pop() if len(places) == 1 else None
        if place is None:
            raise ValueError(
                f"{protocol.slug}: {argument} of {contract.abi} does not restrict a contract: "
                "expected an indexed argument at the same place in every event that is read"
            )
        found[place] = tuple(bytes.fromhex(value[2:]).rjust(32, b"\0") for value in values)
    return found


def _topic_of(argument: str, event: EventAbi) -> int | None:
    indexed = [parameter.name for parameter in event.inputs if parameter.indexed]
    first = 0 if event.anonymous else 1
    return first + indexed.index(argument) if argument in indexed else None


def selected(emitted_logs: pl.DataFrame, abi: str, name: EventName) -> pl.DataFrame:
    """Return the logs that carry this event of this ABI."""
    mask = emitted_logs.select(_chosen(abi, name)).to_series()
    return emitted_logs if mask.all() else emitted_logs.filter(mask)


@lru_cache(KEPT)
def _chosen(abi: str, name: EventName) -> pl.Expr:
    chosen = (pl.col("abi") == abi) & _is_any(pl.col("topic0"), topic0s_of(name, abi))
    if (second := second_topic(name)) is not None:
        chosen &= _is_any(pl.col("topic1"), [second])
    return chosen


def _is_any(column: pl.Expr, values: Collection[bytes]) -> pl.Expr:
    return pl.any_horizontal([column == pl.lit(value, pl.Binary) for value in values])


def owned(
    protocols: Sequence[Protocol], chain: Chain, logs: pl.DataFrame, known: Known
) -> dict[str, pl.Series]:
    """Return, per protocol, which logs are its: a Boolean series as long as `logs`."""
    masks = {protocol.slug: np.zeros(len(logs), np.bool_) for protocol in protocols}
    narrow = logs.select("address", "block_number", "topic0", "topic1", "topic2", "topic3")
    emitted_logs = _emitted(protocols, chain, narrow, known)
    for topics in filter(len, _topics_read(tuple(protocols))):
        found = emitted_logs.join(topics, on=topics.columns, how="semi")
        for (slug,), rows in found.group_by("protocol"):
            masks[str(slug)][rows["row"].to_numpy()] = True
    return {slug: pl.Series(slug, mask) for slug, mask in masks.items()}


@lru_cache(KEPT)
def _topics_read(protocols: tuple[Protocol, ...]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return events told by their first topic, and those told by the second one as well."""
    rows = [
        (protocol.slug, abi, topic0, second_topic(name))
        for protocol in protocols
        for abi, name in read_by(protocol)
        for topic0 in topic0s_of(name, abi)
    ]
    schema = dict.fromkeys(("protocol", "abi"), pl.String()) | dict.fromkeys(
        ("topic0", "topic1"), pl.Binary()
    )
    read = pl.DataFrame(rows, schema, orient="row").unique(maintain_order=True)
    return read.filter(pl.col("topic1").is_null()).drop("topic1"), read.drop_nulls("topic1")


def read_by(protocol: Protocol) -> Iterator[tuple[str, EventName]]:
    """Yield every event the protocol reads, with its ABI."""
    for abi in abis_of(protocol):
        for name in event_names(protocol, abi):
            yield abi, name

"""The logs of a protocol, decoded event by event."""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache

import numpy as np
import polars as pl

from indexer.chains import Chain
from indexer.decode.columns import Decoded
from indexer.decode.keyed import decode_keyed
from indexer.decode.shapes import decode_shapes
from indexer.facts.hexadecimal import fixed_bytes, hex_text
from indexer.facts.known import KEPT, Known
from indexer.facts.matching import Decodings
from indexer.facts.operands import wanted
from indexer.facts.routes import (
    child_abi,
    contracts_on,
    emitted,
    entry_of,
    selected,
    topic0s_of,
)
from indexer.facts.rows import rejects
from indexer.facts.scope import taken
from indexer.facts.texts import column_text
from indexer.rpc import LOGS
from indexer.spec import Discover, EventName, Keyed, Protocol
from indexer.tables import empty

Decodeds = dict[EventName, Decodings]


def decodings(
    protocol: Protocol, abi: str, mine: pl.DataFrame
) -> tuple[Decodeds, list[pl.DataFrame]]:
    """
    Return the accepted logs of each event of one ABI that the protocol reads, and the rejects.

    Args:
        protocol: whose declaration says what is read.
        abi: which of its ABIs.
        mine: logs of the protocol's emitters, as `routes.emitted` returns them.
    """
    done: Decodeds = {}
    refused = []
    there = set(mine["topic0"].unique())
    for name, needs in _wanted(protocol, abi).items():
        is_there = not there.isdisjoint(topic0s_of(name, abi))
        frame = selected(mine, abi, name) if is_there else mine.clear()
        decoded = _decoded(abi, name, needs, frame)
        if decoded.reasons:
            bad = sorted(decoded.reasons)
            why = pl.Series([decoded.reasons[row] for row in bad], dtype=pl.String)
            refused.append(rejects(frame[bad], name, None, why))
        done[name] = _accepted(frame, decoded)
    return done, refused


@lru_cache(KEPT)
def _wanted(protocol: Protocol, abi: str) -> Mapping[EventName, set[str]]:
    return wanted(protocol.events, protocol.discoveries, abi)


def _decoded(abi: str, name: EventName, needs: set[str], frame: pl.DataFrame) -> Decoded:
    if frame.is_empty():
        return _nothing(abi, name, frozenset(needs))
    return _decoded_logs(abi, name, needs, frame)


@lru_cache(KEPT)
def _nothing(abi: str, name: EventName, needs: frozenset[str]) -> Decoded:
    return _decoded_logs(abi, name, needs, pl.DataFrame(schema=LOGS))


def _decoded_logs(
    abi: str, name: EventName, needs: Collection[str], frame: pl.DataFrame
) -> Decoded:
    if isinstance(name, Keyed):
        return decode_keyed(needs, frame)
    return decode_shapes(entry_of(name, abi), needs, frame)


def _accepted(frame: pl.DataFrame, decoded: Decoded) -> Decodings:
    if decoded.accepted.all():
        return Decodings(frame, decoded.columns)
    rows = np.flatnonzero(decoded.accepted)
    return Decodings(
        frame[rows], {name: taken(column, rows) for name, column in decoded.columns.items()}
    )


def discovered(
    protocols: Sequence[Protocol], chain: Chain, logs: pl.DataFrame, known: Known
) -> pl.DataFrame:
    """Return rows of `contracts`: the children that factories announce in these logs."""
    announcing = [protocol for protocol in protocols if protocol.discoveries]
    topic0s = set().union(*map(_announcing, announcing))
    logs = logs.filter(pl.col("topic0").is_in(topic0s))
    if logs.is_empty():
        return empty("contracts")
    mine = emitted(announcing, chain, logs, known)
    found = [
        _children(discovery, protocol, chain, mine[protocol.slug])
        for protocol in announcing
        if protocol.slug in mine
        for discovery in protocol.discoveries
    ]
    return pl.concat([empty("contracts"), *found]).unique(
        ["protocol", "abi", "address"], keep="first", maintain_order=True
    )


@lru_cache(KEPT)
def _announcing(protocol: Protocol) -> frozenset[bytes]:
    return frozenset(
        topic0 for item in protocol.discoveries for topic0 in topic0s_of(item.name, item.abi)
    )


def _children(
    discovery: Discover, protocol: Protocol, chain: Chain, mine: pl.DataFrame
) -> pl.DataFrame:
    frame = selected(mine, discovery.abi, discovery.name)
    own = _accepted(frame, _decoded(discovery.abi, discovery.name, {discovery.child}, frame))
    return own.frame.select(
        pl.lit(chain.chain_id, pl.Int64).alias("chain_id"),
        "protocol",
        _child_abi(discovery, protocol, chain, own.frame).alias("abi"),
        column_text(own.columns[discovery.child]).alias("address"),
        pl.col("block_number").alias("from_block"),
        hex_text(fixed_bytes(own.frame["address"], 20)).alias("parent"),
        pl.col("tx_text").alias("tx_hash"),
        "log_index",
    ).filter(pl.col("abi") != "")


def _child_abi(
    discovery: Discover, protocol: Protocol, chain: Chain, frame: pl.DataFrame
) -> "pl.Expr | pl.Series":
    if discovery.child_abi is not None:
        return pl.lit(discovery.child_abi)
    said = [child_abi(discovery, contract) for contract in contracts_on(protocol, chain)]
    return pl.Series(said, dtype=pl.String).gather(frame["contract"])

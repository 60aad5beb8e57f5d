"""Raw logs and declarations to fact rows: pure functions of frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from indexer.chains import Chain
from indexer.decode.columns import Decoded, decode
from indexer.decode.keyed import decode_keyed
from indexer.facts.known import Known, policies
from indexer.facts.matching import Decodings, match
from indexer.facts.operands import companions_of, wanted
from indexer.facts.routes import (
    EventName,
    abi_entries,
    abis_of,
    contracts_on,
    emitted,
    selected,
)
from indexer.facts.rows import rejects, rows_of
from indexer.facts.scope import Mask, Match, Scope, taken
from indexer.facts.texts import column_text
from indexer.spec import Event, Keyed, Protocol
from indexer.tables import empty, fact_tables


@dataclass(frozen=True)
class Facts:
    """
    Attributes:
        tables: fact table -> its new rows, in schema order.
        rejects: logs that matched and gave no row, with the reason.
        markets: newly learned rows of `markets`.
        unknown_tokens: addresses whose decimals or symbol were needed and are not known.
    """

    tables: dict[str, pl.DataFrame]
    rejects: pl.DataFrame
    markets: pl.DataFrame
    unknown_tokens: tuple[str, ...]


def facts(
    protocols: Sequence[Protocol],
    chain: Chain,
    logs: pl.DataFrame,
    headers: pl.DataFrame,
    known: Known,
) -> Facts:
    """
    Return the facts that these logs state.

    Args:
        protocols: whose declarations to apply.
        chain: where the logs are from.
        logs: LOGS frame of whole transactions, sorted.
        headers: number (Int64) and timestamp (Datetime, null where not known) of their blocks.
        known: what is known of the chain, the declarations' own knowledge included.

    Returns:
        Rows that depend on these arguments alone, whatever else was read before or after.
    """
    stamped = logs.join(
        headers.select(pl.col("number").alias("block_number"), block_timestamp="timestamp"),
        on="block_number",
        how="left",
        maintain_order="left",
    ).with_columns(chain_id=pl.lit(chain.chain_id, pl.Int64))
    parts = [_of_protocol(protocol, chain, stamped, known) for protocol in protocols]
    return Facts(
        {name: _together(name, [part.tables for part in parts]) for name in fact_tables()},
        pl.concat([empty("rejects"), *(part.rejects for part in parts)]),
        pl.concat([empty("markets"), *(part.markets for part in parts)]),
        tuple(sorted({token for part in parts for token in part.unknown_tokens})),
    )


def _together(name: str, parts: list[dict[str, pl.DataFrame]]) -> pl.DataFrame:
    frames = [part[name] for part in parts if name in part]
    return pl.concat([empty(name), *frames]).sort(
        "block_number", "log_index", "item_index", "tx_hash", maintain_order=True
    )


def _of_protocol(protocol: Protocol, chain: Chain, logs: pl.DataFrame, known: Known) -> Facts:
    mine = emitted(protocol, chain, logs, known)
    tables: dict[str, list[pl.DataFrame]] = {}
    lost: list[pl.DataFrame] = []
    missing: set[str] = set()
    decodings: dict[str, dict[EventName, Decodings]] = {}
    for abi in abis_of(protocol):
        decodings[abi], refused = _decodings(protocol, abi, mine)
        lost.extend(refused)
    known = _with_own_markets(known, protocol)
    learned = empty("markets")
    for event, place in _in_order(protocol):
        scope, ambiguous = _scope(event, protocol, chain, decodings[event.abi], known)
        if not len(scope):
            continue
        rows, refused_rows = rows_of(event, scope, ambiguous, place)
        lost.append(refused_rows)
        missing |= scope.missing
        if event.into == "markets":
            learned = pl.concat([learned, rows]).unique("market", keep="first", maintain_order=True)
            known = replace(
                known,
                markets=pl.concat([known.markets, learned]).unique(
                    "market", keep="first", maintain_order=True
                ),
            )
            continue
        tables.setdefault(event.into, []).append(rows)
    return Facts(
        {name: pl.concat(frames) for name, frames in tables.items()},
        pl.concat([empty("rejects"), *lost]),
        learned,
        tuple(sorted(missing)),
    )


def _with_own_markets(known: Known, protocol: Protocol) -> Known:
    return replace(known, markets=known.markets.filter(pl.col("protocol") == protocol.slug))


def _in_order(protocol: Protocol) -> list[tuple[Event, int]]:
    placed: dict[tuple[str, EventName, str], int] = {}
    ordered = []
    for event in protocol.events:
        key = (event.abi, event.name, event.into)
        placed[key] = placed.get(key, -1) + 1
        ordered.append((event, placed[key]))
    return sorted(ordered, key=lambda pair: pair[0].into != "markets")


def _decodings(
    protocol: Protocol, abi: str, mine: pl.DataFrame
) -> tuple[dict[EventName, Decodings], list[pl.DataFrame]]:
    done: dict[EventName, Decodings] = {}
    refused = []
    for name, needs in wanted(protocol.events, protocol.discoveries, abi).items():
        frame = selected(mine, abi, name)
        decoded = decoded_as(abi, name, needs, frame)
        if decoded.reasons:
            bad = sorted(decoded.reasons)
            why = pl.Series([decoded.reasons[row] for row in bad], dtype=pl.String)
            refused.append(rejects(frame[bad], name, None, why))
        done[name] = _accepted(frame, decoded)
    return done, refused


def decoded_as(abi: str, name: EventName, needs: set[str], frame: pl.DataFrame) -> Decoded:
    """Return the decoded arguments of logs that carry this event."""
    if isinstance(name, Keyed):
        return decode_keyed(needs, frame)
    return decode(abi_entries(abi)[name], needs, frame)


def _accepted(frame: pl.DataFrame, decoded: Decoded) -> Decodings:
    if decoded.accepted.all():
        return Decodings(frame, decoded.columns)
    rows = np.flatnonzero(decoded.accepted)
    return Decodings(
        frame[rows], {name: taken(column, rows) for name, column in decoded.columns.items()}
    )


def _scope(
    event: Event,
    protocol: Protocol,
    chain: Chain,
    decodings: Mapping[EventName, Decodings],
    known: Known,
) -> tuple[Scope, Mask]:
    own = decodings[event.name]
    ambiguous = np.zeros(len(own.frame), dtype=np.bool_)
    matches: dict[str, Match] = {}
    for key, companion in companions_of(event).items():
        matches[key], twice = match(companion, own, decodings)
        ambiguous |= twice
    scope = Scope(
        own.frame,
        own.columns,
        matches,
        contracts_on(protocol, chain),
        known,
        policies([protocol]),
    )
    return scope, ambiguous


def discovered(
    protocols: Sequence[Protocol], chain: Chain, logs: pl.DataFrame, known: Known
) -> pl.DataFrame:
    """Return rows of `contracts`: the children that factories announce in these logs."""
    found = [empty("contracts")]
    for protocol in protocols:
        mine = emitted(protocol, chain, logs, known)
        for discovery in protocol.discoveries:
            frame = selected(mine, discovery.abi, discovery.name)
            decoded = decoded_as(discovery.abi, discovery.name, {discovery.child}, frame)
            own = _accepted(frame, decoded)
            says = [
                str(contract.says.get("child_abi", ""))
                for contract in contracts_on(protocol, chain)
            ]
            abi = (
                pl.lit(discovery.child_abi)
                if discovery.child_abi
                else pl.Series(says, dtype=pl.String).gather(own.frame["contract"])
            )
            found.append(
                own.frame.select(
                    pl.lit(chain.chain_id, pl.Int64).alias("chain_id"),
                    "protocol",
                    abi.alias("abi"),
                    column_text(own.columns[discovery.child]).alias("address"),
                    pl.col("block_number").alias("from_block"),
                    ("0x" + pl.col("address").bin.encode("hex")).alias("parent"),
                    ("0x" + pl.col("tx_hash").bin.encode("hex")).alias("tx_hash"),
                    "log_index",
                ).filter(pl.col("abi") != "")
            )
    return pl.concat(found).unique(
        ["protocol", "abi", "address"], keep="first", maintain_order=True
    )

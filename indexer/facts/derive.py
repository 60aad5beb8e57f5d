"""Raw logs and declarations to fact rows: pure functions of frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from indexer.chains import Chain
from indexer.facts.known import Known, earliest, policies
from indexer.facts.matching import match
from indexer.facts.operands import companions_of
from indexer.facts.reading import Decodeds, decodings
from indexer.facts.routes import abis_of, contracts_on, emitted
from indexer.facts.rows import rows_of
from indexer.facts.scope import Match, Scope
from indexer.spec import Contract, Event, EventName, Protocol
from indexer.tables import empty, fact_tables


@dataclass(frozen=True)
class Facts:
    """
    What a range of logs states.

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


@dataclass
class Part:
    """
    A share of the facts, while it grows.

    Attributes:
        rows: fact table -> frames of its rows.
        rejects: frames of `rejects`.
        markets: rows of `markets`.
        missing: addresses of tokens that are not known.
    """

    rows: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    rejects: list[pl.DataFrame] = field(default_factory=list)
    markets: pl.DataFrame = field(default_factory=lambda: empty("markets"))
    missing: set[str] = field(default_factory=set)


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
    logs_of = emitted(protocols, chain, stamped, known)
    parts = [
        _part(protocol, chain, logs_of[protocol.slug], known)
        for protocol in protocols
        if protocol.slug in logs_of
    ]
    return gathered(parts)


def gathered(parts: Sequence[Part]) -> Facts:
    """Return the facts that all parts state, in their order."""
    return Facts(
        {name: _together(name, parts) for name in fact_tables()},
        pl.concat([empty("rejects"), *(rows for part in parts for rows in part.rejects)]),
        pl.concat([empty("markets"), *(part.markets for part in parts)]),
        tuple(sorted(set().union(*(part.missing for part in parts)))),
    )


def _together(name: str, parts: Sequence[Part]) -> pl.DataFrame:
    frames = [rows for part in parts for rows in part.rows.get(name, [])]
    return pl.concat([empty(name), *frames]) if frames else empty(name)


def _part(protocol: Protocol, chain: Chain, mine: pl.DataFrame, known: Known) -> Part:
    part = Part()
    decoded: dict[str, Decodeds] = {}
    for abi in abis_of(protocol):
        decoded[abi], refused = decodings(protocol, abi, mine)
        part.rejects.extend(refused)
    of_protocol = pl.col("protocol") == protocol.slug
    own = replace(known, markets=known.markets.filter(of_protocol))
    shares = policies([protocol])
    for event, place in _in_order(protocol):
        if len(decoded[event.abi][event.name].frame):
            scope = _scope(event, contracts_on(protocol, chain), decoded, own, shares)
            own = _added(part, event, scope, place)
    return part


def _added(part: Part, event: Event, scope: Scope, place: int) -> Known:
    rows, refused = rows_of(event, scope, place)
    part.rejects.append(refused)
    part.missing |= scope.missing
    if event.into != "markets":
        part.rows.setdefault(event.into, []).append(rows)
        return scope.known
    part.markets = earliest(part.markets, rows)
    return replace(scope.known, markets=earliest(scope.known.markets, rows))


def _in_order(protocol: Protocol) -> list[tuple[Event, int]]:
    """Return events with their `item_index`: markets first, so that the others can look them up."""
    placed: dict[tuple[str, EventName, str], int] = {}
    ordered = []
    for event in protocol.events:
        key = (event.abi, event.name, event.into)
        placed[key] = placed.get(key, -1) + 1
        ordered.append((event, placed[key]))
    return sorted(ordered, key=lambda pair: pair[0].into != "markets")


def _scope(
    event: Event,
    contracts: tuple[Contract, ...],
    decoded: Mapping[str, Decodeds],
    known: Known,
    shares: pl.DataFrame,
) -> Scope:
    own = decoded[event.abi][event.name]
    ambiguous = np.zeros(len(own.frame), dtype=np.bool_)
    matches: dict[str, Match] = {}
    for key, companion in companions_of(event).items():
        matches[key], twice = match(companion, own, decoded[companion.abi or event.abi])
        ambiguous |= twice
    return Scope(
        frame=own.frame,
        columns=own.columns,
        matches=matches,
        contracts=contracts,
        known=known,
        policies=shares,
        ambiguous=ambiguous,
    )

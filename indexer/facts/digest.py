"""The digest of a declaration: rows made under different digests are never mixed."""

from dataclasses import replace
from functools import lru_cache
from hashlib import sha256

from indexer.chains import Chain
from indexer.facts.known import KEPT
from indexer.facts.routes import abi_text, abis_of, contracts_on
from indexer.spec import Policy, Protocol

# Raised when the engine reads the same declaration differently than before.
ENGINE = 4


@lru_cache(KEPT)
def digest(protocol: Protocol, chain: Chain) -> str:
    """
    Return the sha256 of everything that decides the protocol's rows on a chain.

    Prose (name, methodology, what is left out, sources of policies, names of feeds) does not count,
    nor whether a reading is confirmed, nor what files and accounts are read as; other chains do not
    either.
    """
    said = replace(
        protocol,
        name="",
        methodology="",
        left_out=(),
        feeds=(),
        entries=(),
        accounts=(),
        events=tuple(replace(event, is_confirmed=False) for event in protocol.events),
        contracts=contracts_on(protocol, chain),
        policies=_rates(protocol),
        tokens=tuple(token for token in protocol.tokens if token.chain == chain),
        markets=tuple(market for market in protocol.markets if market.chain == chain),
    )
    abis = [abi_text(abi) for abi in (*abis_of(protocol), *(read.abi for read in protocol.reads))]
    return _sha256(said, abis)


@lru_cache(KEPT)
def entries_digest(protocol: Protocol, venue: Chain) -> str:
    """Return the sha256 of everything that decides the rows of a venue's files: not its prose."""
    return _sha256([each for each in protocol.entries if each.chain == venue], _rates(protocol))


def _rates(protocol: Protocol) -> tuple[Policy, ...]:
    return tuple(replace(policy, source="", basis="assumed") for policy in protocol.policies)


def _sha256(*said: object) -> str:
    return sha256(repr((ENGINE, *said)).encode()).hexdigest()

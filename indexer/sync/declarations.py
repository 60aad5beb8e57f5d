"""Which declaration covered which blocks: rows made under different ones are never mixed."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

import polars as pl

from indexer.chains import Chain
from indexer.errors import UserError
from indexer.facts import (
    accounts,
    declared,
    declared_facts,
    digest,
    feeds,
    policies,
    untold_shares,
)
from indexer.facts.known import KEPT
from indexer.facts.routes import abis_of, contracts_on, event_names, topic0s_of
from indexer.spec import Protocol


def label(protocol: Protocol, chain: Chain) -> str:
    """
    Return what `coverage` keeps of a declaration: its digest, then the digest of its reach.

    Two labels with the same reach ask a node for the same logs and state, so facts of one can be
    derived again from the logs and answers of the other.
    """
    return f"{digest(protocol, chain)}/{reach(protocol, chain)}"


@lru_cache(KEPT)
def reach(protocol: Protocol, chain: Chain) -> str:
    """Return a digest of what decides which logs and which state of a chain are the protocol's."""
    contracts = [
        (contract.abi, contract.address.lower(), contract.from_block, contract.to_block,
         contract.says.get("child_abi"), sorted(contract.only.items()))
        for contract in contracts_on(protocol, chain)
    ]  # fmt: skip
    events = sorted(
        (abi, repr(name), [topic0.hex() for topic0 in topic0s_of(name, abi)])
        for abi in abis_of(protocol)
        for name in event_names(protocol, abi)
    )
    asked = [(read.name, read.abi, read.calls, read.every) for read in protocol.reads]
    said = (sorted(contracts, key=repr), events, protocol.discoveries, asked)
    return sha256(repr(said).encode()).hexdigest()[:16]


def stated(protocols: Sequence[Protocol], chain: Chain) -> dict[str, pl.DataFrame]:
    """Return what declarations state beside facts, as rows of the tables it is kept in."""
    said = declared(protocols, chain)
    return {
        "tokens": said.tokens,
        "markets": said.markets,
        "policies": policies(protocols),
        "feeds": feeds(protocols, chain),
        "declared_facts": declared_facts(protocols, chain),
        "untold_shares": untold_shares(protocols, chain),
        "accounts": accounts(protocols, chain),
    }


def check_unchanged(protocols: Sequence[Protocol], chain: Chain, coverage: pl.DataFrame) -> None:
    """
    Raise when stored blocks were indexed under another declaration than today's.

    Raises:
        UserError: names the command that brings the blocks up to date.
    """
    for protocol in protocols:
        if is_unchanged(protocol, chain, coverage):
            continue
        flags = f"--chain {chain.slug} --protocol {protocol.slug}"
        command = (
            f"`perpscope redecode {flags}` derives its facts again from the stored logs"
            if has_same_reach(protocol, chain, coverage)
            else f"it reads other logs now: `perpscope rewind {flags} --to-block 0` clears it, "
            "then index again"
        )
        raise UserError(
            f"the declaration of {protocol.slug} has changed since its blocks on {chain.slug} were "
            f"indexed, and old and new facts are never mixed: {command}"
        )


def is_unchanged(protocol: Protocol, chain: Chain, coverage: pl.DataFrame) -> bool:
    """Return whether all stored blocks of a protocol were indexed under today's declaration."""
    labels = coverage.filter(pl.col("protocol") == protocol.slug)["declaration_digest"].unique()
    # Of what is not stored no label is made: `status` asks of every protocol there is.
    return all(stored == label(protocol, chain) for stored in labels)


def has_same_reach(protocol: Protocol, chain: Chain, coverage: pl.DataFrame) -> bool:
    """Return whether all stored blocks of a protocol were asked for the logs of today."""
    return stored_reaches(protocol, coverage) <= {reach(protocol, chain)}


def stored_reaches(protocol: Protocol, coverage: pl.DataFrame) -> set[str]:
    """Return the digests of what decided which logs stored blocks of a protocol were asked for."""
    labels = coverage.filter(pl.col("protocol") == protocol.slug)["declaration_digest"]
    return {text.partition("/")[2] for text in labels.unique()}

"""Names that people type, to what they mean; a name nobody knows says which ones are near."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from re import findall
from typing import TypeVar

from indexer.chains import CHAINS, Chain
from indexer.errors import UserError
from indexer.spec import Protocol, first_block

_Thing = TypeVar("_Thing")


def chain_named(slug: str) -> Chain:
    """
    Return the chain with this slug.

    Raises:
        UserError: no chain has it.
    """
    return _named("chain", slug, {chain.slug: chain for chain in CHAINS})


def protocol_named(slug: str, declarations: Mapping[str, Protocol]) -> Protocol:
    """
    Return the protocol with this slug.

    Raises:
        UserError: no protocol has it.
    """
    words = {found: findall(r"\w+", item.name.lower()) for found, item in declarations.items()}
    called = [found for found, name in words.items() if slug.lower() in name]
    return _named("protocol", slug, declarations, called)


def protocols_named(
    slugs: Sequence[str], chain: Chain, declarations: Mapping[str, Protocol]
) -> tuple[Protocol, ...]:
    """
    Return the protocols with these slugs, once each; all that are on the chain when none is given.

    Raises:
        UserError: no protocol has a slug, or it is not declared on the chain.
    """
    if not slugs:
        return protocols_on(chain, declarations)
    chosen = tuple(protocol_named(slug, declarations) for slug in dict.fromkeys(slugs))
    for protocol in chosen:
        if first_block(protocol, chain) is None:
            where = sorted({contract.chain.slug for contract in protocol.contracts})
            raise UserError(
                f"{protocol.slug} is not declared on {chain.slug}: expected one of "
                f"{', '.join(where) or 'none, it is read from files (`perpscope import`)'}; "
                "correct --chain or --protocol"
            )
    return chosen


def shared_on(
    slugs: Sequence[str], chain: Chain, declarations: Mapping[str, Protocol]
) -> tuple[str, ...]:
    """
    Return which of the slugs that the settings name for all chains are of this one.

    Raises:
        UserError: no protocol has a slug, or none of them is on the chain.
    """
    named = [protocol_named(slug, declarations) for slug in slugs]
    there = tuple(item.slug for item in named if first_block(item, chain) is not None)
    if named and not there:
        raise UserError(
            f"none of {', '.join(slugs)}, which the settings name for all chains, is declared on "
            f"{chain.slug}: expected at least one; give protocols under [chains.{chain.slug}], or "
            "--protocol"
        )
    return there


def protocols_on(chain: Chain, declarations: Mapping[str, Protocol]) -> tuple[Protocol, ...]:
    """
    Return every protocol that is declared on a chain.

    Raises:
        UserError: there is none.
    """
    found = tuple(item for item in declarations.values() if first_block(item, chain) is not None)
    if chain.chain_id < 0:
        raise UserError(
            f"{chain.slug} is no EVM chain and has no nodes to ask: expected files of it, which "
            "`perpscope import` takes"
        )
    if not found:
        raise UserError(
            f"no protocol is declared on {chain.slug}: expected at least one; `perpscope "
            "protocols` lists what is declared where"
        )
    return found


def _named(kind: str, name: str, known: Mapping[str, _Thing], called: Sequence[str] = ()) -> _Thing:
    if name not in known:
        raise UserError(f"no {kind} is called {name!r}: {_hint(name, known, called)}")
    return known[name]


def _hint(name: str, known: Iterable[str], called: Sequence[str]) -> str:
    names = sorted(known)
    near = called or get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"expected one of {', '.join(names)}"

"""What a report demands of its data before it is published: that it holds, and is proven."""

from collections.abc import Iterable, Sequence

import polars as pl

from analytics.errors import WorldError
from analytics.proofs import below
from analytics.reports.availability import missed
from analytics.reports.chain_names import chain_name
from analytics.reports.numerals import counted
from analytics.reports.scope import FACTS, Scope
from analytics.strays import strays

TESTED_IN_FULL = "tested in full"
"""Said of identities where no reason is left why something could not be compared."""

# A sentence names this many; `perpscope check` lists all.
_NAMED = 5


def check_reached(scopes: Sequence[Scope]) -> None:
    """
    Refuse to say nothing at all: of a mistyped year, or of a day that is not indexed yet.

    Raises:
        WorldError: nothing of the time of any of the scopes is covered, nor is there a fact of it.
    """
    said = [missed(scope) for scope in scopes]
    if all(said) and all(scope.extent is None for scope in scopes):
        raise WorldError(
            f"{said[0]}. Nothing was published: name a time of that with --from and --to, or bring "
            "it up to the time asked for with `perpscope index`"
        )


def check_identities(scope: Scope) -> None:
    """
    Refuse data that contradicts itself.

    Raises:
        WorldError: a fact breaks an identity; the message names the transactions.
    """
    if said := breach_sentence(scope):
        raise WorldError(
            f"{said} Nothing was published. `perpscope check` lists all of it, `repair` fetches "
            "again what is wrong of a chain, --despite-breaches publishes with a warning"
        )


def breach_sentence(scope: Scope) -> str:
    """Return which facts break what must hold, and in which transactions; empty where none does."""
    broken = scope.assessed[0]
    if broken.is_empty():
        return ""
    named = (
        f"{identity} of {protocol} on {chain_name(chain)}, block {block}, {tx_hash}"
        for identity, chain, protocol, block, tx_hash in broken.select(
            "identity", "chain_id", "protocol", "block_number", "tx_hash"
        ).iter_rows()
    )
    return f"{contradiction(broken.height, 'data')}: {_some(named, broken.height)}."


def contradiction(count: int, where: str) -> str:
    """Return how many facts of data or a database contradict others."""
    verb = "contradicts" if count == 1 else "contradict"
    return f"{counted(count, 'fact')} of this {where} {verb} others"


def stray_sentence(scope: Scope) -> str:
    """Return of which facts nothing that was fetched or imported tells; empty where of none."""
    told = scope.limits
    found = strays(
        scope.con, FACTS, protocol=told.protocol, chain_id=told.chain_id, until=told.until
    )
    if found.is_empty():
        return ""
    named = (
        f"{counted(count, 'row')} of {fact} of {protocol} on {chain_name(chain)}"
        for fact, chain, protocol, count in found.iter_rows()
    )
    return (
        f"Not covered: no covered block and no imported file holds {_some(named, found.height)}. "
        "Nothing that was fetched tells of them, and numbers count them."
    )


def check_proof(scope: Scope, level: str) -> None:
    """
    Refuse data that is proven less far than asked.

    Raises:
        WorldError: some range is below the level, or came in files; the message names them.
    """
    ranges = below(scope.facts("coverage").collect(), level)
    files = scope.facts("imports").collect().sort("chain_id", "protocol", "file")
    named = [
        *(
            f"{protocol} on {chain_name(chain)}, blocks {first}–{last} ({proof})"
            for chain, protocol, first, last, proof in ranges.select(
                "chain_id", "protocol", "from_block", "to_block", "proof"
            ).iter_rows()
        ),
        *(
            f"{protocol} on {chain_name(chain)}, file {file} (imported)"
            for chain, protocol, file in files.select("chain_id", "protocol", "file").iter_rows()
        ),
    ]
    if named:
        raise WorldError(
            f"{counted(len(named), 'range')} of data proven less far than {level}: "
            f"{_some(named, len(named))}; run `perpscope verify --level {level}` first"
        )


def _some(named: Iterable[str], count: int) -> str:
    first = [name for name, _ in zip(named, range(_NAMED), strict=False)]
    more = f"; and {count - len(first)} more" if count > len(first) else ""
    return "; ".join(first) + more


def identity_columns(broken: pl.DataFrame) -> pl.DataFrame:
    """Return breaches as a reader wants them: where, what was expected, what was found."""
    place = ["identity", "chain_id", "protocol", "version", "subject"]
    event = ["block_number", "log_index", "block_timestamp", "tx_hash", "expected", "found"]
    return broken.select(*place, *event)

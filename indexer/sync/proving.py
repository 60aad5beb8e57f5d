"""
Whether some blocks' logs are complete, by what their headers commit to.

A bloom that excludes every declared event proves that none happened. Where it does not, the
block's receipts are fetched, which recompute to the header's root or are not believed; then every
declared log in them must be there, and nothing else.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeAnswerWrong, NodeUnavailable
from indexer.facts import Known
from indexer.facts.asking import declared_emitters, declared_topics
from indexer.facts.known import once_known
from indexer.facts.routes import ENVELOPES
from indexer.proof import (
    Declared,
    Part,
    border_after,
    chances,
    differences,
    hits,
    outside,
    quirks_at,
    reached,
    unheard,
    waived_at,
)
from indexer.rpc import LOGS
from indexer.spec import Protocol
from indexer.sync.source import Source

PROVEN_BLOCKS = 2_000
"""Most blocks whose headers are fetched and checked at once."""

# Where chance alone gives so many hits, a hit says nothing about a node that hides logs.
_TELLING = 0.01

RECORDED = "recorded blocks are replayed without the headers that would prove them"
_UNSOUND = "blooms of this chain lack logs that its receipts hold"
_LOGGER = logging.getLogger(__name__)

Ours = Callable[[pl.DataFrame], pl.DataFrame]


class Unproven(NodeAnswerWrong):
    """What a node said about logs is not what the headers of their blocks commit to."""


@dataclass(frozen=True)
class Claim:
    """
    Logs of consecutive blocks, to be checked.

    Attributes:
        chain: the chain.
        from_block: first block, inclusive.
        to_block: last block, inclusive; all have the same quirks.
        level: fetched (check what costs nothing), bloom or receipts.
        logs: what is there; for bloom hits it may hold more than `ours` keeps.
        ours: what of some logs must be there exactly.
        declared: what blooms are asked for.
        columns: what of `logs` blooms must hold.
    """

    chain: Chain
    from_block: int
    to_block: int
    level: str
    logs: pl.DataFrame
    ours: Ours
    declared: Declared
    columns: tuple[str, ...] = ("address", "topic0")


@dataclass(frozen=True)
class Finding:
    """
    What a check found.

    Attributes:
        faults: block -> what is wrong with its logs.
        proof: how far the other blocks are proven.
        waiver: why not further, or None.
        truth: every log of the blocks whose receipts were fetched.
    """

    faults: dict[int, str]
    proof: str
    waiver: str | None
    truth: pl.DataFrame


def last_alike(chain: Chain, level: str, first: int, last: int) -> int:
    """Return the last block up to `last` that can be checked together with `first`."""
    border = border_after(chain, first)
    most = last if level == "fetched" else first + PROVEN_BLOCKS - 1
    return min(last, most, last if border is None else border)


@once_known
def declared_by(protocols: Sequence[Protocol], chain: Chain, known: Known) -> Declared:
    """Return what blooms are asked for to find logs of these protocols."""
    topics = declared_topics(tuple(protocols), chain)
    return Declared(declared_emitters(protocols, chain, known), topics)


async def check(node: Source, claim: Claim, headers: pl.DataFrame) -> Finding:
    """
    Return what is wrong with the logs of some blocks, and how far the rest is proven.

    Args:
        node: whom to ask for receipts.
        claim: the logs.
        headers: of the blocks; at levels above fetched `SEALED` ones, of all of them.

    Raises:
        NodeAnswerWrong: headers or receipts do not recompute, or there is no bloom.
        RetryableError: the node did not answer.
    """
    proof, waiver = reached(claim.level, quirks_at(claim.chain, claim.from_block))
    odd, hidden = _suspects(claim, headers)
    suspects = odd | hidden
    if _has_roots(claim):
        suspects |= set(claim.logs["block_number"])
    if not suspects:
        return Finding({}, proof, waiver, pl.DataFrame(schema=LOGS))
    try:
        truth = await _truth(node, headers, suspects)
    except NodeUnavailable as refusal:
        if claim.level != "fetched" or odd:
            raise
        _LOGGER.warning("%s; blooms of %d blocks hint at logs it left out", refusal, len(hidden))
        return Finding({}, proof, waiver, pl.DataFrame(schema=LOGS))
    logs = claim.ours(claim.logs.filter(pl.col("block_number").is_in(suspects)))
    faults = differences(logs, claim.ours(truth))
    if odd - set(faults) and proof in {"bloom", "receipts"}:
        proof, waiver = "waived", "; ".join(filter(None, [waiver, _UNSOUND]))
    return Finding(faults, proof, waiver, truth)


def _suspects(claim: Claim, headers: pl.DataFrame) -> tuple[set[int], set[int]]:
    if Part.BLOOM in waived_at(claim.chain, claim.from_block):
        return set(), set()
    blooms = headers.filter(pl.col("logs_bloom").is_not_null())
    if len(blooms) < len(headers) and claim.level != "fetched":
        lacking = headers.filter(pl.col("logs_bloom").is_null())["number"][0]
        raise NodeAnswerWrong(
            f"the node gave no logs bloom of block {lacking}: expected one, to prove its logs; use "
            "another endpoint, or index without --proof"
        )
    odd = outside(claim.logs, blooms, claim.columns)
    if claim.level == "fetched":
        blooms = blooms.filter(chances(blooms, claim.declared) < _TELLING)
    found = hits(blooms, claim.declared)
    if _has_roots(claim):
        return odd, set(found["number"])
    return odd, unheard(found, claim.logs, ENVELOPES if claim.level == "fetched" else ())


def _has_roots(claim: Claim) -> bool:
    return claim.level == "receipts" and Part.ROOT not in waived_at(claim.chain, claim.from_block)


async def _truth(node: Source, headers: pl.DataFrame, suspects: set[int]) -> pl.DataFrame:
    if "receipts_root" not in headers.columns:
        asked = headers.filter(pl.col("number").is_in(suspects))
        headers = await node.sealed_headers(suspects)
        moved = headers.join(asked, on=["number", "hash"], how="anti")
        if len(moved):
            raise Unproven(f"block {moved['number'][0]} changed between two answers; ask again")
    return await node.receipt_logs(headers.filter(pl.col("number").is_in(suspects)))


async def prove(
    node: Source, claim: Claim, headers: pl.DataFrame, *, is_whole: bool
) -> tuple[str, str | None]:
    """
    Return how far logs that a node just answered are proven, and why not further.

    Args:
        node: who answered.
        claim: its answer.
        headers: as for `check`.
        is_whole: whether the chain has all its headers; recorded ones have not.

    Raises:
        Unproven: the answer lacks a log, or holds one that never was.
        NodeAnswerWrong: headers or receipts do not recompute, or there is no bloom.
        RetryableError: the node did not answer.
    """
    if not is_whole:
        return ("fetched", None) if claim.level == "fetched" else ("waived", RECORDED)
    found = await check(node, claim, headers)
    if found.faults:
        block, fault = next(iter(found.faults.items()))
        more = f" and {len(found.faults) - 1} more blocks" if len(found.faults) > 1 else ""
        raise Unproven(
            f"the node's logs of block {block}{more} are not those of its receipts ({fault}): "
            "expected every log the receipts root covers; use another endpoint"
        )
    return found.proof, found.waiver

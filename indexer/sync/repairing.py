"""
What `verify` found wrong is fetched again, proven by receipts, and put in place of the old rows.

Another endpoint is asked first, where there is one; where endpoints disagree and no receipts can
prove one right, the one that is believed must be named alone. Nothing goes before its replacement
is there: each range is swapped in one transaction. Where the right logs tell of contracts or
markets that later blocks were read without, those blocks are fetched again too.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from indexer.errors import NodeAnswerWrong, RangeTooLarge, ReorgTooDeep
from indexer.facts import Known
from indexer.proof import PROOFS, quirks_at, reached
from indexer.rpc import Node
from indexer.spec import Protocol
from indexer.store import (
    COUNTED,
    OWNERS,
    Range,
    Stored,
    audit_time,
    read_failures,
    record,
    replace_range,
)
from indexer.sync.converge import converge, follow
from indexer.sync.coverage import origin_kind
from indexer.sync.declarations import check_unchanged
from indexer.sync.fetching import fetch
from indexer.sync.heads import Heads, read_heads
from indexer.sync.job import Job
from indexer.sync.landing import Landing, Overtaken, Tally
from indexer.sync.pieces import Fetched, Piece
from indexer.sync.proving import last_alike
from indexer.sync.reorgs import Ledger
from indexer.sync.source import Source
from indexer.tables import columns_of

_UNDECIDED = (
    "endpoints disagree, and this chain's headers prove none of them right: expected one that is "
    "believed; name it alone with --rpc"
)
_COMMIT_ROWS = 1  # every range is a transaction of its own


@dataclass(frozen=True)
class Wrong:
    """
    Blocks to put right.

    Attributes:
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        protocols: slugs whose rows are wrong.
        level: of the audit that failed.
        finality: how final the blocks were when they were fetched.
        finality_reason: how that was known.
        proof: how far they were said to be proven.
    """

    from_block: int
    to_block: int
    protocols: tuple[str, ...]
    level: str
    finality: str
    finality_reason: str
    proof: str


@dataclass
class Repaired:
    """
    What a repair did.

    Attributes:
        blocks: how many were replaced.
        orphans: how many wrong logs moved to `orphans`.
        failures: (protocols, first block, last block, why) of what could not be mended.
    """

    blocks: int = 0
    orphans: int = 0
    failures: list[tuple[str, int, int, str]] = field(default_factory=list)


async def repair(
    node: Node, ledger: Ledger, protocols: Sequence[Protocol], at: datetime
) -> Repaired:
    """
    Replace what failed audits name, and fetch again what that leaves uncovered.

    Args:
        node: whom to ask.
        ledger: a chain's part of a database.
        protocols: whose blocks.
        at: when, UTC without a zone; marks the audits.

    Raises:
        UserError: a declaration has changed since the blocks were indexed.
        RetryableError: the node or the database stayed out of reach; what was mended is kept.
        DatabaseUnusable: the database cannot be read or written.
    """
    slugs = [protocol.slug for protocol in protocols]
    failed = read_failures(ledger.path, ledger.chain.chain_id).filter(
        pl.col("protocol").is_in(slugs)
    )
    done = Repaired()
    if not list(_wrong(failed, ledger.stored().coverage)):
        return done
    node.turn()
    # Blocks of a new branch in the middle of an old one would hide that the old one was left.
    with suppress(ReorgTooDeep):
        await follow(node, Job(ledger.path, ledger.chain, (), dict(ledger.declarations)))
    before = ledger.stored()
    wrong = list(_wrong(failed, before.coverage))
    origin = await node.client_version()
    heads = await read_heads(node, ledger.chain, origin_kind(origin))
    at = audit_time(ledger.path, ledger.chain.chain_id, at)
    run = _Run(node, ledger, heads, origin, at)
    for each in wrong:
        try:
            await run.mend(each, done)
        except NodeAnswerWrong as error:
            names = ", ".join(each.protocols)
            done.failures.append((names, each.from_block, each.to_block, str(error)))
    await _refill(node, ledger, before, wrong)
    return done


def _wrong(failed: pl.DataFrame, coverage: pl.DataFrame) -> Iterator[Wrong]:
    inside = (
        covering(failed.rename({"from_block": "low", "to_block": "high"}), coverage)
        .with_columns(
            from_block=pl.max_horizontal("low", "from_block"),
            to_block=pl.min_horizontal("high", "to_block"),
        )
        .group_by("from_block", "to_block", "level", "finality", "finality_reason", "proof")
        .agg(pl.col("protocol").unique().sort())
        .sort("protocol", "level", "from_block", "to_block")  # each row is counted on and on
    )
    for row in inside.iter_rows(named=True):
        yield Wrong(protocols=tuple(row.pop("protocol")), **row)


def covering(failed: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """
    Join failures to the rows of coverage that hold some of their blocks, and to no others.

    Args:
        failed: protocol, and the first and last block as low and high.
        coverage: rows of `coverage` of one chain.
    """
    found = [failed.clear().join(coverage, on="protocol")]
    for (slug,), own in failed.group_by("protocol"):
        there = coverage.filter(protocol=slug).sort("from_block").with_row_index("row")
        first = there["to_block"].search_sorted(own["low"], side="left")
        beyond = there["from_block"].search_sorted(own["high"], side="right")
        rows = own.with_columns(row=pl.int_ranges(first, beyond, dtype=pl.UInt32)).explode("row")
        found.append(rows.join(there.drop("protocol"), on="row").drop("row"))
    return pl.concat(found)


class _Run:
    def __init__(
        self, node: Source, ledger: Ledger, heads: Heads, origin: str, at: datetime
    ) -> None:
        self._node, self._ledger, self._heads = node, ledger, heads
        self._origin, self._at = origin, at
        self._counted: COUNTED = {}

    async def mend(self, wrong: Wrong, done: Repaired) -> None:
        """Replace the blocks, piece by piece."""
        chain = self._ledger.chain
        chosen = [self._ledger.declarations[slug] for slug in wrong.protocols]
        start, size = wrong.from_block, wrong.to_block - wrong.from_block + 1
        while start <= wrong.to_block:
            last = min(start + size - 1, wrong.to_block)
            if start <= self._heads.settled:
                last = min(last, self._heads.settled)
            last = last_alike(chain, "receipts", start, last)
            if self._is_undecided(wrong, start):
                done.failures.append((", ".join(wrong.protocols), start, last, _UNDECIDED))
                start = last + 1
                continue
            stored = self._ledger.stored()
            check_unchanged(chosen, chain, stored.coverage)
            known, piece = self._known(stored, wrong, start), self._piece(wrong, start, last)
            try:
                fetched = await fetch(self._node, chain, known, piece)
            except RangeTooLarge:
                if start == last:
                    raise
                size = (last - start + 1) // 2
                continue
            try:
                await self._swap(_labelled(fetched, wrong), known, done)
            except Overtaken:
                continue
            self._audit(wrong, start, last)
            done.blocks += last - start + 1
            start = last + 1

    def _is_undecided(self, wrong: Wrong, block: int) -> bool:
        # Where endpoints disagree and nothing can be proven, it is not for us to choose one.
        proof, _ = reached("receipts", quirks_at(self._ledger.chain, block))
        is_word = wrong.level == "agreed" and proof != "receipts"
        return is_word and len(self._node.statistics()) > 1

    def _known(self, stored: Stored, wrong: Wrong, start: int) -> Known:
        # What blocks taught that are still wrong is to be learned again.
        here, high = pl.col("protocol").is_in(wrong.protocols), wrong.to_block
        born = here & pl.col("from_block").is_between(start, high)
        told = (here & pl.col("block_number").is_between(start, high)).fill_null(value=False)
        kept = replace(
            stored,
            contracts=stored.contracts.filter(~born),
            markets=stored.markets.filter(~told),
        )
        return self._ledger.known(kept)

    def _piece(self, wrong: Wrong, start: int, last: int) -> Piece:
        return Piece(
            start,
            last,
            tuple(self._ledger.declarations[slug] for slug in wrong.protocols),
            wrong.finality,
            is_settled=last <= self._heads.settled,
            parent=None,
            is_whole=True,
            finality_reason=wrong.finality_reason,
            proof="receipts",
        )

    async def _swap(self, fetched: Fetched, known: Known, done: Repaired) -> None:
        first = await self._node.sealed_headers([fetched.piece.from_block])
        before_hash = first["parent_hash"][0]

        def write(path: Path, landed: Range, others: OWNERS) -> bool:
            gone = replace_range(
                path, landed, others, before_hash=before_hash, counted=self._counted
            )
            done.orphans += gone or 0
            return gone is not None

        landing = Landing(
            self._node,
            self._ledger,
            known,
            origin=self._origin,
            commit_rows=_COMMIT_ROWS,
            write=write,
            tally=Tally(),
        )
        await landing.land(fetched, self._heads.latest)
        await landing.flush()

    def _audit(self, wrong: Wrong, low: int, high: int) -> None:
        chain_id = self._ledger.chain.chain_id
        level = wrong.level
        rows = [
            (chain_id, slug, low, high, level, "passed", "repaired", self._at)
            for slug in wrong.protocols
        ]
        audits = pl.DataFrame(rows, columns_of("audits"), orient="row")
        record(self._ledger.path, chain_id, audits, [], self._ledger.owned)


def _labelled(fetched: Fetched, wrong: Wrong) -> Fetched:
    # Receipts are the proof, but the row says what its neighbours say: the level of the audit.
    has_proof = wrong.level in PROOFS
    told = max(wrong.proof, wrong.level, key=_rank) if has_proof else wrong.proof
    # What nobody could prove before is proven now: there is no reason to waive it any more.
    if told == "waived" or _rank(fetched.proof) <= _rank(told):
        return fetched
    return replace(fetched, proof=told, waiver=fetched.waiver if told != "fetched" else None)


def _rank(proof: str) -> int:
    return PROOFS.index(proof)


async def _refill(node: Source, ledger: Ledger, before: Stored, wrong: Sequence[Wrong]) -> None:
    # Coverage that a repair took back is fetched again, as far up as it reached.
    slugs = sorted({slug for each in wrong for slug in each.protocols})
    now = ledger.stored().coverage
    for slug in slugs:
        rows = before.coverage.filter(pl.col("protocol") == slug)
        size, left = (_size(frame, slug) for frame in (before.coverage, now))
        if left == size:
            continue
        job = Job(
            ledger.path,
            ledger.chain,
            (ledger.declarations[slug],),
            dict(ledger.declarations),
            from_block=rows["from_block"].min(),  # type: ignore[arg-type] # of Int64
            to_block=rows["to_block"].max(),  # type: ignore[arg-type] # likewise
            proof=_weakest(rows, wrong),
        )
        await converge(node, job, lambda _done, _total, _logs: None)


def _size(coverage: pl.DataFrame, slug: str) -> int:
    rows = coverage.filter(pl.col("protocol") == slug)
    return int((rows["to_block"] - rows["from_block"] + 1).sum())


def _weakest(rows: pl.DataFrame, wrong: Sequence[Wrong]) -> str:
    # What is fetched again is to be as proven as it was; the wrong blocks do not count.
    bad = {each.from_block for each in wrong}
    proofs = [
        proof
        for proof, low in rows.select("proof", "from_block").iter_rows()
        if proof != "waived" and low not in bad
    ]
    return min(proofs, key=_rank, default="fetched")

"""Before anything is added: does the node still tell the chain that is stored?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeBehind, ReorgTooDeep, UserError
from indexer.facts import Known, declared, merged, owned
from indexer.rpc import Header
from indexer.spec import Protocol
from indexer.store import (
    Anchors,
    Stored,
    is_more_final,
    read_stored,
    remaining,
    settle,
)
from indexer.sync.heads import Heads
from indexer.sync.source import Source


@dataclass(frozen=True)
class Ledger:
    """
    A chain's part of a database, and the declarations that can read it.

    Attributes:
        path: the database.
        chain: the chain.
        declarations: every protocol there is, by slug.
    """

    path: Path
    chain: Chain
    declarations: Mapping[str, Protocol]

    def stored(self) -> Stored:
        """
        Return what is stored about the chain.

        Raises:
            UserError: blocks of a protocol are stored that nothing declares; whose logs are whose
                could not be told.
            DatabaseBusy: another process held the database all the time.
            DatabaseUnusable: it cannot be opened or made.
        """
        found = read_stored(self.path, self.chain.chain_id)
        strange = sorted(set(found.coverage["protocol"]) - set(self.declarations))
        if strange:
            raise UserError(
                f"{self.path} holds blocks of {', '.join(strange)} on {self.chain.slug}, which "
                "this perpscope does not declare: upgrade perpscope, or index into another file"
            )
        return found

    def owned(self, stored: Stored) -> Callable[[pl.DataFrame], dict[str, pl.Series]]:
        """Return the function that says which logs are whose among protocols with coverage."""
        slugs = set(stored.coverage["protocol"])
        present = [item for slug, item in self.declarations.items() if slug in slugs]
        known = Known(stored.tokens, stored.markets, stored.contracts)
        return lambda logs: owned(present, self.chain, logs, known)

    def known(self, stored: Stored) -> Known:
        """Return what declarations state and the database adds, but tokens stated no more."""
        said = declared(list(self.declarations.values()), self.chain)
        asked = stored.tokens.filter(pl.col("known_by") != "declaration")
        return merged(said, Known(asked, stored.markets, stored.contracts))


@dataclass(frozen=True)
class Fork:
    """
    Stored blocks that are no longer in the chain.

    Attributes:
        ancestor: the last stored block that is; -1 when none is.
        before: what is stored now.
        after: what will be stored once the blocks above the ancestor are gone.
    """

    ancestor: int
    before: Stored
    after: Stored

    @property
    def cuts(self) -> dict[str, int]:
        """The last block to keep of each protocol."""
        return dict.fromkeys(self.before.coverage["protocol"].unique().sort(), self.ancestor)

    @property
    def reason(self) -> str:
        """Why rows leave."""
        return f"reorg above block {self.ancestor}"

    def lost(self) -> dict[str, tuple[int, int]]:
        """Return protocol -> first and last block that it covers now and will not."""
        tops = {
            slug: self.after.coverage.filter(protocol=slug)["to_block"].max() for slug in self.cuts
        }
        found: dict[str, tuple[int, int]] = {}
        for slug, low, high in self.before.coverage.select(
            "protocol", "from_block", "to_block"
        ).iter_rows():
            top = tops[slug]
            start = max(low, top + 1) if isinstance(top, int) else low
            if start <= high:
                found[slug] = (min(start, found.get(slug, (start, 0))[0]), high)
        return found


async def forked(node: Source, ledger: Ledger, stored: Stored, head: Header) -> Fork | None:
    """
    Return which stored blocks the node no longer has in its chain, if any; nothing is changed.

    Args:
        node: whom to ask.
        ledger: a chain's part of a database.
        stored: what was read of it.
        head: header of the node's newest block.

    Raises:
        NodeBehind: the node's head is below what was final when it was indexed.
        ReorgTooDeep: the node contradicts a block that was final when it was indexed.
        RetryableError: the node did not answer, or the database is busy.
        DatabaseUnusable: the database cannot be read.
    """
    anchors = stored.anchors()
    if anchors.final is not None and head.number < anchors.final[0]:
        raise NodeBehind(
            f"the node's head is block {head.number}, but {ledger.chain.slug} was indexed "
            f"to block {anchors.final[0]}, final then: expected a later head; use another endpoint"
        )
    ancestor = await _ancestor(node, ledger.chain, anchors, head)
    if ancestor is None:
        return None
    cuts = dict.fromkeys(stored.coverage["protocol"].unique(), ancestor)
    coverage = remaining(ledger.path, ledger.chain.chain_id, cuts)
    left = pl.col("protocol").is_in(coverage["protocol"].unique().implode())
    is_older = pl.col("block_number").is_null() | (pl.col("block_number") <= ancestor)
    contracts = stored.contracts.filter(pl.col("from_block") <= ancestor)
    markets = stored.markets.filter(left & is_older)
    blocks = stored.blocks.filter(pl.col("number") <= ancestor)
    after = replace(stored, markets=markets, contracts=contracts, coverage=coverage, blocks=blocks)
    return Fork(ancestor, stored, after)


async def _ancestor(node: Source, chain: Chain, anchors: Anchors, head: Header) -> int | None:
    reachable = anchors.unsettled.filter(pl.col("number") <= head.number)
    ends = reachable["number"].to_list()[-1:] + ([anchors.final[0]] if anchors.final else [])
    if not ends:
        return None
    told = dict((await node.headers(ends)).select("number", "hash").iter_rows())
    if anchors.final is not None and told[anchors.final[0]] != anchors.final[1]:
        # Before a person is told to rewind: one wrong answer is no reorg.
        again = (await node.headers([anchors.final[0]]))["hash"][0]
        if again != anchors.final[1]:
            raise ReorgTooDeep(_too_deep(chain, *anchors.final, again))
    # Headers link, so the highest one that agrees vouches for all below it.
    if reachable.is_empty() or told[ends[0]] == reachable["hash"][-1]:
        return None
    now = await node.headers(reachable["number"].to_list())
    agreed = reachable.join(now, on=["number", "hash"])["number"].max()
    if isinstance(agreed, int):
        return agreed
    return anchors.final[0] if anchors.final else (anchors.lowest_unsettled or 0) - 1


def _too_deep(chain: Chain, number: int, stored: bytes, told: bytes) -> str:
    return (
        f"block {number} of {chain.slug} is 0x{stored.hex()} in the database, where it was final, "
        f"and 0x{told.hex()} at the node: expected one chain; use another endpoint or database, or "
        f"take blocks back with `perpscope rewind --chain {chain.slug} --to-block N`"
    )


async def upgrade(node: Source, ledger: Ledger, stored: Stored, heads: Heads) -> bool:
    """
    Raise the finality of covered blocks as far as the node confirms them; say if any may rise.

    Raises:
        RetryableError: the node did not answer, or the database is busy.
        DatabaseUnusable: the database cannot be written.
    """
    borders = {"safe": heads.safe, "finalized": heads.finalized}
    reasons = {finality: heads.reason(finality) for finality in borders}
    numbers = set(_rising(stored.coverage, borders, reasons))
    if not numbers:
        return False
    headers = await node.headers(numbers)
    told = dict(headers.select("number", "hash").iter_rows())
    settle(ledger.path, ledger.chain.chain_id, borders, told, ledger.owned, reasons=reasons)
    return True


def _rising(
    coverage: pl.DataFrame, borders: Mapping[str, int], reasons: Mapping[str, str]
) -> Iterator[int]:
    for finality, border in borders.items():
        now = {"finality": finality, "finality_reason": reasons[finality]}
        for row in coverage.iter_rows(named=True):
            if row["from_block"] <= border and is_more_final(now, row):
                yield min(row["to_block"], border)

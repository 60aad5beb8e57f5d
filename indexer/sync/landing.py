"""Fetched ranges become facts and land in the database, in order, several to a transaction."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeAnswerWrong, NodeBehind
from indexer.facts import Facts, Known, facts, merged
from indexer.facts.reads import read_facts, together
from indexer.rpc import HEADERS, Header
from indexer.store import OWNERS, Range, joined
from indexer.sync.ahead import Ahead
from indexer.sync.coverage import coverage_rows, origins
from indexer.sync.declarations import stated
from indexer.sync.fetching import parent_of
from indexer.sync.heads import Heads
from indexer.sync.pieces import ChainMoved, Fetched
from indexer.sync.reads import StateReader
from indexer.sync.reorgs import Ledger
from indexer.sync.source import Source
from indexer.sync.tokens import ask_tokens
from indexer.tables import columns_of, empty, fact_tables

Write = Callable[[Path, Range, OWNERS], bool]
"""How a range gets into the database; False when another process was first."""

_COMMIT_RANGES = 50
_COMMIT_SECONDS = 5.0


_NO_FACTS = Facts(
    {name: empty(name) for name in fact_tables()}, empty("rejects"), empty("markets"), ()
)


class Overtaken(Exception):
    """Another process covered some of these blocks first; what is missing must be asked again."""


@dataclass
class Tally:
    """
    What was written so far.

    Attributes:
        ranges: fetched ranges.
        blocks: blocks they cover.
        logs: raw logs.
        facts: table -> rows.
        rejects: reason -> rows.
        reads: state -> calls.
    """

    ranges: int = 0
    blocks: int = 0
    logs: int = 0
    facts: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    reads: Counter[str] = field(default_factory=Counter)

    def add(self, landed: Range, ranges: int) -> None:
        """Count a range that was written, made of `ranges` fetched ones."""
        self.ranges += ranges
        self.blocks += landed.to_block - landed.from_block + 1
        self.logs += len(landed.rows["logs"])
        self.count(landed.rows)

    def count(self, rows: Mapping[str, pl.DataFrame]) -> None:
        """Count facts, rejects and calls that were written: table -> rows."""
        self.facts.update({name: len(rows[name]) for name in fact_tables()})
        self.rejects.update(rows["rejects"]["reason"].to_list())
        self.reads.update(rows["reads"]["state"].to_list())

    def reasons(self, most: int) -> list[tuple[str, int]]:
        """Return why how many rows were rejected, the commonest first; beyond `most` as one."""
        found = self.rejects.most_common()
        if len(rest := found[most:]) < 2:
            return found
        others = f"{len(rest):,} other reasons, see `perpscope query rejects_by_reason`"
        return [*found[:most], (others, sum(rows for _, rows in rest))]


class Landing:
    """
    The writing end of a run.

    Ranges are kept until they are worth a transaction: large transactions cost DuckDB less, and
    everything in one is still whole or absent.
    """

    def __init__(
        self,
        node: Source,
        ledger: Ledger,
        known: Known,
        *,
        origin: str,
        commit_rows: int,
        write: Write,
        tally: Tally,
    ) -> None:
        """
        Prepare to land ranges of one chain.

        Args:
            node: asked for the decimals of tokens.
            ledger: a chain's part of a database.
            known: what is known of the chain so far; declarations come first.
            origin: what the node calls itself.
            commit_rows: how many rows, logs and facts together, are worth a transaction.
            write: how it is written.
            tally: what is written is counted there.
        """
        self._node, self._ledger, self._chain = node, ledger, ledger.chain
        self._known, self._tally = known, tally
        self._state = StateReader(node, self._chain)
        self._origin = origins(self._chain, origin)
        self._commit_rows = commit_rows
        self._write_range = write
        self._silent: set[str] = set()
        self._waiting: list[Range] = []
        self._waiting_rows = 0
        self._introduced: tuple[str, ...] = ()  # protocols whose declarations were written
        self._since = monotonic()

    async def land(self, fetched: Fetched, head: Header) -> None:
        """
        Derive a range's facts, and write when enough is waiting.

        Args:
            fetched: the range; the first one, or the next one after those that wait.
            head: a block whose state the node certainly has.

        Raises:
            ChainMoved: the blocks left the chain meanwhile.
            NodeAnswerWrong: the node does not tell the state of the block it is asked about.
            Overtaken: another process wrote these blocks.
            DatabaseBusy: another process held the database all the time.
            DatabaseUnusable: the database cannot be written.
            RetryableError: the node did not answer about a token or a contract's state.
        """
        if self._waiting and not _continues(self._waiting[-1], fetched):
            await self.flush()
        self._known = replace(self._known, contracts=fetched.known.contracts)
        reads = await self._state.read(self._known, fetched)
        found, tokens = await self._facts(fetched, reads, head)
        landed = await asyncio.to_thread(_range, self._chain, fetched, reads, found, tokens)
        self._waiting.append(landed)
        self._waiting_rows += landed.size()
        if self._is_due():
            await self.flush()

    async def flush(self) -> None:
        """
        Write what is waiting.

        Raises:
            ChainMoved: a block is stored with another hash.
            Overtaken: another process wrote these blocks.
            DatabaseBusy: another process held the database all the time.
            DatabaseUnusable: the database cannot be written.
        """
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        if waiting:
            await asyncio.to_thread(self._write, waiting)
        self._since = monotonic()

    def _is_due(self) -> bool:
        return (
            monotonic() - self._since >= _COMMIT_SECONDS
            or len(self._waiting) >= _COMMIT_RANGES
            or self._waiting_rows >= self._commit_rows
        )

    async def _facts(
        self, fetched: Fetched, reads: pl.DataFrame, head: Header
    ) -> tuple[Facts, pl.DataFrame]:
        if fetched.logs.is_empty() and reads.is_empty():
            return _NO_FACTS, empty("tokens")
        found = await asyncio.to_thread(self._derived, fetched, reads)
        asked = [token for token in found.unknown_tokens if token not in self._silent]
        tokens = empty("tokens")
        if asked:
            tokens = await self._asked(asked, fetched, head)
            self._silent |= set(asked) - set(tokens["address"])
        if len(tokens):
            self._learn(tokens, empty("markets"))
            found = await asyncio.to_thread(self._derived, fetched, reads)
        self._learn(empty("tokens"), found.markets)
        return found, tokens

    async def _asked(
        self, addresses: Sequence[str], fetched: Fetched, head: Header
    ) -> pl.DataFrame:
        # A block that carries a log: the node knew it a moment ago.
        block = _last_with_logs(fetched)
        try:
            return await ask_tokens(self._node, self._chain, addresses, block, head)
        except NodeBehind as gone:
            raise ChainMoved(
                f"block 0x{block.hash.hex()} or the head left the chain while tokens were asked "
                f"for their decimals ({gone}); index again"
            ) from gone

    def _derived(self, fetched: Fetched, reads: pl.DataFrame) -> Facts:
        protocols, known = fetched.piece.protocols, self._known
        found = facts(protocols, self._chain, fetched.logs, fetched.headers, known)
        if reads.is_empty():
            return found
        return together(found, read_facts(protocols, self._chain, reads, known))

    def _learn(self, tokens: pl.DataFrame, markets: pl.DataFrame) -> None:
        if len(tokens) or len(markets):
            self._known = merged(self._known, Known(tokens, markets, empty("contracts")))

    def _write(self, waiting: Sequence[Range]) -> None:
        slugs = waiting[0].protocols
        said = {} if slugs == self._introduced else self._introduction(slugs)
        first = replace(waiting[0], rows=_prepended(waiting[0].rows, said))
        known = {"contracts": self._known.contracts, "markets": self._known.markets}
        whole = replace(joined([first, *waiting[1:]]), known=known)
        try:
            is_written = self._write_range(self._ledger.path, whole, self._ledger.owned)
        except NodeAnswerWrong as other:  # another run has followed a reorg, or the node is unsound
            raise ChainMoved(str(other)) from other
        if not is_written:
            raise Overtaken
        self._introduced = slugs
        self._tally.add(whole, len(waiting))

    def _introduction(self, slugs: Sequence[str]) -> dict[str, pl.DataFrame]:
        protocols = [self._ledger.declarations[slug] for slug in slugs]
        return {**stated(protocols, self._chain), "origins": self._origin}


async def pipelined(
    ahead: Ahead,
    fetches: AsyncIterator[Fetched],
    landing: Landing,
    heads: Heads,
    report: Callable[[Fetched], None],
) -> None:
    """
    Land ranges as they come, in order: while one is fetched, the one before is decoded and written.

    Args:
        ahead: what fetches them.
        fetches: the ranges it gives.
        landing: where they land.
        heads: the chain's heads.
        report: told each range that has come.

    Raises:
        What `Landing.land` and fetching raise; what was fetched before has landed.
    """
    landed: asyncio.Task[None] | None = None
    try:
        async for fetched in fetches:
            if landed is not None:
                await landed
            landed = asyncio.create_task(landing.land(fetched, heads.latest))
            report(fetched)
            if ahead.is_short:
                await landed
    finally:
        # Also when a fetch failed: what was fetched before is whole and stays.
        if landed is not None:
            await landed
        await landing.flush()


def _last_with_logs(fetched: Fetched) -> Header:
    if fetched.logs.is_empty():
        return fetched.last
    carrying = fetched.headers.filter(pl.col("number") == fetched.logs["block_number"][-1])
    return Header(*carrying.select(*HEADERS).row(0))


def _continues(last: Range, fetched: Fetched) -> bool:
    piece = fetched.piece
    return (last.to_block + 1, last.protocols) == (piece.from_block, piece.slugs)


def _range(
    chain: Chain, fetched: Fetched, reads: pl.DataFrame, found: Facts, tokens: pl.DataFrame
) -> Range:
    piece = fetched.piece
    chain_id = pl.lit(chain.chain_id, pl.Int64).alias("chain_id")
    rows = {
        "logs": fetched.logs.select(chain_id, pl.all()).select(*columns_of("logs")),
        "blocks": fetched.headers.select(chain_id, pl.all()).select(*columns_of("blocks")),
        "rejects": found.rejects,
        "reads": reads,
        "contracts": fetched.children,
        "tokens": tokens,
        "markets": found.markets,
        "coverage": coverage_rows(chain, fetched),
        **found.tables,
    }
    parent, low, high = parent_of(fetched.answer), piece.from_block, piece.to_block
    return Range(chain.chain_id, low, high, piece.slugs, rows, parent=parent)


def _prepended(
    rows: Mapping[str, pl.DataFrame], first: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    return {
        **rows,
        **{name: pl.concat([first[name], rows.get(name, empty(name))]) for name in first},
    }

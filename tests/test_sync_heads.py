"""How far a chain is: what a node says of finality, and single answers that are not believed."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from database_digest import differences, digest
from rig.catalogue import FAULTS
from rig.fault import Planned
from rig.live import BLOCKS, live
from rig.node import Rig, serving
from rig.runs import Told, hasty, indexed, job_of, patient
from sync_rig import FIRST, rows

from indexer.chains import ARBITRUM, ETHEREUM, HYPEREVM, Chain
from indexer.errors import NodeBehind
from indexer.rpc import Header, Tag
from indexer.sync.heads import read_heads

HEAD = FIRST + BLOCKS - 1
BLOCKS_TO_AGE = 80  # 960 seconds of 12
REQUESTS_BEFORE_BLOCKS = 6  # chain, client version, the head, three tags


@dataclass
class Tagged:
    """A node that only knows tags: number of the block each points to, of a chain of one pace."""

    tags: dict[str, int]
    seconds: float = 12
    requests: int = 0
    asked: list[int] = field(default_factory=list)

    async def head(self, tag: Tag = "latest") -> Header | None:
        """Return the header of a tag."""
        return Header(self.tags[tag], b"", b"", self._time(self.tags[tag]), None)

    async def headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """Return numbers and times of blocks."""
        self.asked = list(numbers)
        times = [self._time(number) for number in self.asked]
        return pl.DataFrame({"number": self.asked, "timestamp": times})

    def _time(self, number: int) -> datetime:
        return datetime(2025, 1, 1) + timedelta(seconds=self.seconds * number)


@pytest.mark.parametrize(
    ("chain", "seconds", "finalized", "believed"),
    [
        (ETHEREUM, 12, 1_000, False),
        (ETHEREUM, 12, 998, False),
        (ETHEREUM, 12, 936, True),
        (ARBITRUM, 0.25, 998, False),
        (ARBITRUM, 0.25, 700, True),
        (HYPEREVM, 1, 1_000, True),
    ],
)
def test_a_head_that_is_called_final_at_once_is_believed_where_finality_is_quick(
    chain: Chain, seconds: float, finalized: int, believed: bool
) -> None:
    """Elsewhere the node ignores tags, and age decides."""
    node = Tagged({"latest": 1_000, "safe": 1_000, "finalized": finalized}, seconds)

    heads = asyncio.run(read_heads(node, chain))  # type: ignore[arg-type]

    assert (heads.finalized == finalized) is believed
    assert heads.finalized <= finalized


class Young(Tagged):
    """A node whose chain begins at block 990."""

    async def headers(self, numbers: Iterable[int]) -> pl.DataFrame:
        """Return times of blocks that there are."""
        asked = list(numbers)
        if min(asked) < 990:
            raise NodeBehind("has not seen it yet")
        return await super().headers(asked)


def test_on_a_chain_that_is_younger_than_finality_nothing_is_final() -> None:
    """Its first block need not be number 0: looking below it is no error."""
    node = Young({"latest": 1_000, "safe": 1_000, "finalized": 1_000})

    heads = asyncio.run(read_heads(node, ETHEREUM))  # type: ignore[arg-type] # tags are enough

    assert (heads.safe, heads.finalized) == (-1, -1)


def test_a_simulated_chain_may_be_final_to_its_head() -> None:
    """Tags are only doubted of nodes that follow a chain."""
    node = Tagged({"latest": 1_000, "safe": 1_000, "finalized": 1_000})

    heads = asyncio.run(read_heads(node, ETHEREUM, "simulated"))  # type: ignore[arg-type]

    assert heads.finalized == 1_000


def test_a_node_that_ignores_tags_makes_nothing_final_too_early(tmp_path: Path) -> None:
    """What it calls final is not stored as final, so a reorg is no error later."""
    path = tmp_path / "a.duckdb"
    with serving(Rig(live(), [Planned(FAULTS["tags_ignored"])])) as rig:
        told = indexed(job_of(path), patient(rig.url))
        rig.live.reorg(30)
        again = indexed(job_of(path), patient(rig.url))

    final = "select max(to_block) from coverage where finality = 'finalized'"
    assert told == again == Told(HEAD)
    assert rows(path, final) == [(HEAD - BLOCKS_TO_AGE,)]


def test_a_hash_that_one_answer_tells_is_not_stored(tmp_path: Path) -> None:
    """The last block of a range has no logs that could contradict a wrong hash of it."""
    path, clean = tmp_path / "a.duckdb", tmp_path / "clean.duckdb"
    wrong = Planned(FAULTS["wrong_hash_in_header"], most=1, after=REQUESTS_BEFORE_BLOCKS)
    with serving(Rig(live(), [wrong])) as rig:
        told = indexed(job_of(path, to_block=FIRST + 3), hasty(rig.url))
        rig.heal()
        indexed(job_of(clean, to_block=FIRST + 3), patient(rig.url))

    assert rig.struck["wrong_hash_in_header"] == 1
    assert told == Told(HEAD)
    assert differences(path, digest(clean)) == []


def test_one_wrong_answer_is_no_reorg(tmp_path: Path) -> None:
    """Before a run stops and names `perpscope rewind`, the node is asked again."""
    path = tmp_path / "a.duckdb"
    with serving(Rig(live())) as rig:
        indexed(job_of(path, to_block=FIRST + 60), patient(rig.url))
        before = digest(path)
        after = rig.requests + REQUESTS_BEFORE_BLOCKS
        rig.planned = [Planned(FAULTS["wrong_hash_in_header"], most=1, after=after)]
        told = indexed(job_of(path, to_block=FIRST + 60), hasty(rig.url))

    assert rig.struck["wrong_hash_in_header"] == 1
    assert told == Told(HEAD)
    assert differences(path, before) == []

"""Two runs over one database: what one writes while the other fetches is known to the other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread

import duckdb
import pytest
from proof_rig import true_blocks
from sync_rig import (
    BIRTH,
    DECLARATIONS,
    FEED,
    FIRST,
    POOLS,
    blocks,
    contents,
    indexed,
    job,
    left_by,
    rows,
    run,
    served,
)
from test_sync_adversary import NAMED
from test_sync_proof import checked, different, mended

from indexer.simulation.blocks import Block
from indexer.simulation.node import Intercept, serve
from indexer.spec import Protocol
from indexer.store import Stored
from indexer.sync import Job, Ledger, redecode, repairing

COUNT = 300


@cache
def true_chain() -> list[Block]:
    """Return the chain with receipts roots."""
    return true_blocks(COUNT)


@cache
def truly_indexed() -> bytes:
    """Return the database of one undisturbed run over the chain with receipts roots."""
    return left_by(true_chain(), job)


@cache
def fork() -> list[Block]:
    """Return the branch that the chain's last 20 blocks are left for."""
    return blocks(COUNT, below=blocks(COUNT)[: COUNT - 20], fork=b"fork", skip=2)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of one run that saw the chain and one that saw its fork."""
    path = tmp_path_factory.mktemp("followed") / "a.duckdb"
    indexed(path, COUNT)
    beside(job(path), fork())
    return path


def meanwhile(question: bytes, work: Job, chain: Sequence[Block]) -> Intercept:
    """Return a node that answers the first such question after another run has ended."""
    questions: list[bytes] = []

    def intercept(_slug: str, body: bytes) -> None:
        if not questions and question in body:
            questions.append(body)
            beside(work, chain)

    return intercept


def beside(work: Job, chain: Sequence[Block]) -> None:
    """Let another run begin and end."""
    with serve([served(chain)]) as node:
        thread = Thread(target=run, args=(work, node.url))
        thread.start()
        thread.join()


def after_a_look(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let something happen once, after what is stored was read for the first time."""
    look, looks = Ledger.stored, []

    def stored(ledger: Ledger) -> Stored:
        found = look(ledger)
        looks.append(ledger)
        if len(looks) == 1:
            other()
        return found

    monkeypatch.setattr(Ledger, "stored", stored)


def doubt(path: Path, from_block: int, to_block: int) -> None:
    """Say that blocks failed an audit."""
    with duckdb.connect(path) as connection:
        for slug in DECLARATIONS:
            connection.execute(
                "insert into audits values (1, ?, ?, ?, 'receipts', 'failed', 'odd', '2020-01-01')",
                [slug, from_block, to_block],
            )


@pytest.mark.parametrize("pools", [POOLS, NAMED])
def test_what_was_born_in_blocks_below_is_heard_of(tmp_path: Path, pools: Protocol) -> None:
    """One run has the lower half with all births, the other read the upper half without them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT)
    known = DECLARATIONS | {"pools": pools}
    whole = job(path, protocols=(FEED, pools), declarations=known)
    lower, upper = replace(whole, to_block=BIRTH + 79), replace(whole, from_block=BIRTH + 80)
    with serve([served(chain)], intercept=meanwhile(b"eth_getLogs", lower, chain)) as node:
        run(upper, node.url)
        run(replace(whole, path=once), node.url)

    assert contents(path) == contents(once)


def test_logs_of_children_that_another_run_found_stay(tmp_path: Path) -> None:
    """The feed's blocks land over those of pools that nobody knew when the feed was asked for."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT)
    indexed(once, COUNT)
    pools = job(path, protocols=(POOLS,))
    with serve([served(chain)], intercept=meanwhile(b"eth_getLogs", pools, chain)) as node:
        run(job(path, protocols=(FEED,)), node.url)

    assert contents(path) == contents(once)


def test_a_protocol_that_another_run_began_becomes_final_too(tmp_path: Path) -> None:
    """Its intervals are split where finality has come to, though the run had not looked at them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT + 10)
    feed, pools = job(path, protocols=(FEED,)), job(path, protocols=(POOLS,))
    with serve([served(chain[:COUNT])]) as node:
        run(feed, node.url)
    between = meanwhile(b"web3_clientVersion", pools, chain[: COUNT + 5])
    with serve([served(chain)], intercept=between) as node:
        run(feed, node.url)
        run(replace(pools, path=once, to_block=FIRST + COUNT + 4), node.url)

    coverage = "select * from coverage where protocol = 'pools' order by all"
    assert rows(path, coverage) == rows(once, coverage)


@pytest.mark.parametrize("other", [(FEED, POOLS), (POOLS,)])
def test_a_reorg_that_two_runs_see_is_replaced_once(
    tmp_path: Path, followed: Path, other: Sequence[Protocol]
) -> None:
    """What one run has replaced is of the new branch: the other does not call it left."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    first = job(path, protocols=tuple(other))
    with serve([served(fork())], intercept=meanwhile(b"eth_getLogs", first, fork())) as node:
        run(job(path), node.url)

    assert contents(path) == contents(followed)


def test_a_protocol_begun_on_the_branch_that_was_left_is_replaced_too(
    tmp_path: Path, followed: Path
) -> None:
    """Another run adds blocks of the old branch while the new one is fetched."""
    path, chain = tmp_path / "a.duckdb", blocks(COUNT)
    with serve([served(chain)]) as node:
        run(job(path, protocols=(FEED,)), node.url)
    pools = job(path, protocols=(POOLS,))
    with serve([served(fork())], intercept=meanwhile(b"eth_getLogs", pools, chain)) as node:
        run(job(path), node.url)

    assert contents(path) == contents(followed)


def test_redecode_knows_the_children_that_are_stored_as_it_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pools and tokens that another run found since are read like those known before."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT)
    indexed(once, COUNT)
    with serve([served(chain)]) as node:
        run(job(path, to_block=BIRTH - 1), node.url)
        after_a_look(monkeypatch, lambda: run(job(path), node.url))
        redecode(job(path).ledger(), [FEED, POOLS])

    assert contents(path) == contents(once)


def test_verify_proves_nothing_of_a_child_it_did_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs of a pool that another run found since were not compared with any receipts."""
    path, chain = tmp_path / "a.duckdb", true_chain()
    with serve([served(chain)]) as node:
        run(job(path, from_block=BIRTH + 80), node.url)
        after_a_look(monkeypatch, lambda: beside(job(path), chain))
        checked(path, "receipts", node.url)

    proofs = rows(path, "select distinct proof from coverage where protocol = 'pools'")
    assert proofs == [("fetched",)]


def test_verify_compares_ends_as_they_are_stored_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reorg that another run has replaced since is no fault."""
    path, chain = tmp_path / "a.duckdb", blocks(COUNT)
    longer = blocks(COUNT + 3, below=chain[: COUNT - 20], fork=b"fork", skip=2)
    indexed(path, COUNT)
    with serve([served(longer)]) as node:
        after_a_look(monkeypatch, lambda: beside(job(path), longer))
        found = checked(path, "linked", node.url)

    assert found.failures == []


def test_a_repair_hears_of_what_was_born_in_blocks_below(tmp_path: Path) -> None:
    """Another run finds the pools while the wrong blocks are fetched without them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", true_chain()
    once.write_bytes(truly_indexed())
    with serve([served(chain)]) as node:
        run(job(path, from_block=BIRTH + 70), node.url)
    doubt(path, BIRTH + 75, BIRTH + 90)
    with serve([served(chain)], intercept=meanwhile(b"eth_getLogs", job(path), chain)) as node:
        mended(path, node.url)

    assert different(path, once) <= {"coverage"}
    assert rows(path, "select * from orphans") == []


def test_a_repair_in_pieces_reads_on_for_what_the_first_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pools that are born in one piece of the wrong blocks have logs in the next."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", true_chain()
    for place in (path, once):
        place.write_bytes(truly_indexed())
    doubt(path, BIRTH - 5, BIRTH + 100)
    with serve([served(chain)]) as node:
        monkeypatch.setattr(repairing, "last_alike", lambda _c, _l, low, high: min(low + 39, high))
        mended(path, node.url)

    assert different(path, once) <= {"coverage"}
    assert rows(path, "select * from orphans") == []

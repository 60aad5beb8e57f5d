"""Two runs over one database: what one writes while the other fetches is known to the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread

import duckdb
import pytest
from proof_rig import Lie, lying, true_blocks, with_birth, without_log
from rig.live import BLOCKS, live
from rig.node import Rig, serving
from sync_rig import (
    BIRTH,
    DECLARATIONS,
    FEED,
    FIRST,
    LATE_POOL,
    POOL,
    POOLS,
    birth,
    blocks,
    contents,
    indexed,
    job,
    left_by,
    logs_of,
    rows,
    run,
    served,
    told,
)
from test_sync_adversary import NAMED, managed
from test_sync_proof import BOTH, checked, different, endpoint, failed, mended

from indexer import store
from indexer.errors import UserError
from indexer.simulation.blocks import Block
from indexer.simulation.node import Intercept, serve
from indexer.spec import Policy, Protocol
from indexer.store import Seen, Stored
from indexer.sync import (
    Inspection,
    Job,
    Ledger,
    redecode,
    repair,
    repairing,
    take_back,
    verify,
)
from indexer.tables import now

COUNT = 300
LABELS = "select distinct protocol, declaration_digest from coverage order by 1"
LATER = {
    slug: replace(each, policies=(Policy("buyback_share", "0.5", "2022-12-01", "test", "assumed"),))
    for slug, each in DECLARATIONS.items()
}
NO_LIES: dict[str, Lie | None] = {}


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


def meanwhile(
    *question: bytes, work: Job, chain: Sequence[Block], lies: Mapping[str, Lie | None] = NO_LIES
) -> Intercept:
    """Return a node that answers the first such question after another run has ended."""
    questions: list[bytes] = []

    def intercept(_slug: str, body: bytes) -> None:
        if not questions and all(word in body for word in question):
            questions.append(body)
            beside(work, chain, lies)

    return intercept


def beside(work: Job, chain: Sequence[Block], lies: Mapping[str, Lie | None] = NO_LIES) -> None:
    """Let another run begin and end."""
    with lying(chain, lies) as url:
        thread = Thread(target=run, args=(work, url))
        thread.start()
        thread.join()


def after_a_look(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let something happen once, after what is stored was read for the first time."""
    look, others = Ledger.stored, [other]

    def stored(ledger: Ledger) -> Stored:
        found = look(ledger)
        if others:
            others.pop()()
        return found

    monkeypatch.setattr(Ledger, "stored", stored)


def before_a_look(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let something happen once, after verify has heard the headers of the last blocks."""
    others = [other]

    def read_blocks(path: Path, chain_id: int, numbers: Sequence[int]) -> Seen:
        if others and numbers[-1] >= FIRST + COUNT - 1:
            others.pop()()
        return store.read_blocks(path, chain_id, numbers)

    monkeypatch.setattr("indexer.sync.inspecting.read_blocks", read_blocks)


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
    with serve(
        [served(chain)], intercept=meanwhile(b"eth_getLogs", work=lower, chain=chain)
    ) as node:
        run(upper, node.url)
        run(replace(whole, path=once), node.url)

    assert contents(path) == contents(once)


def test_a_market_that_was_announced_before_is_heard_of(tmp_path: Path) -> None:
    """One run knows it by a later announcement and reads on; another finds the first one below."""
    happens = {number: logs_of(number) for number in range(FIRST, FIRST + COUNT)}
    happens[BIRTH + 100] += (managed(POOL, 77),)
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", told(happens, COUNT)
    known = DECLARATIONS | {"pools": NAMED}
    whole = job(path, protocols=(NAMED,), declarations=known)
    lower = replace(whole, to_block=BIRTH + 19)
    middle = replace(whole, from_block=BIRTH + 20, to_block=BIRTH + 94)
    with serve([served(chain)]) as node:
        run(replace(whole, from_block=BIRTH + 95), node.url)
        run(replace(whole, path=once), node.url)
    with serve(
        [served(chain)], intercept=meanwhile(b"eth_getLogs", work=lower, chain=chain)
    ) as node:
        run(middle, node.url)
        run(whole, node.url)

    assert contents(path) == contents(once)


def test_logs_of_children_that_another_run_found_stay(tmp_path: Path) -> None:
    """The feed's blocks land over those of pools that nobody knew when the feed was asked for."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT)
    indexed(once, COUNT)
    pools = job(path, protocols=(POOLS,))
    with serve(
        [served(chain)], intercept=meanwhile(b"eth_getLogs", work=pools, chain=chain)
    ) as node:
        run(job(path, protocols=(FEED,)), node.url)

    assert contents(path) == contents(once)


def test_a_protocol_that_another_run_began_becomes_final_too(tmp_path: Path) -> None:
    """Its intervals are split where finality has come to, though the run had not looked at them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", blocks(COUNT + 10)
    feed, pools = job(path, protocols=(FEED,)), job(path, protocols=(POOLS,))
    with serve([served(chain[:COUNT])]) as node:
        run(feed, node.url)
    between = meanwhile(b"web3_clientVersion", work=pools, chain=chain[: COUNT + 5])
    with serve([served(chain)], intercept=between) as node:
        run(feed, node.url)
        run(replace(pools, path=once, to_block=FIRST + COUNT + 4), node.url)

    coverage = "select * from coverage where protocol = 'pools' order by all"
    assert rows(path, coverage) == rows(once, coverage)


def test_a_run_that_is_overtaken_beyond_its_head_calls_no_node_behind(tmp_path: Path) -> None:
    """What another run has made final meanwhile is above the head as it was: it is asked anew."""
    path, chain, grown = tmp_path / "a.duckdb", live(), 2 * BLOCKS
    rig = Rig(chain)

    def grow() -> None:
        """Let the chain grow, and another run come to its end, while logs are asked for."""
        if rig.calls["eth_getLogs"] and len(chain.blocks) < grown:
            chain.mine(grown - len(chain.blocks))
            beside(job(path, protocols=(POOLS,)), chain.blocks)

    rig.on_request = grow
    with serving(rig):
        run(job(path, protocols=(FEED,)), rig.url)

    assert len(chain.blocks) == grown
    tops = "select protocol, max(to_block) from coverage group by 1 order by 1"
    assert rows(path, tops) == [("feed", FIRST + grown - 1), ("pools", FIRST + grown - 1)]


@pytest.mark.parametrize("other", [(FEED, POOLS), (POOLS,)])
def test_a_reorg_that_two_runs_see_is_replaced_once(
    tmp_path: Path, followed: Path, other: Sequence[Protocol]
) -> None:
    """What one run has replaced is of the new branch: the other does not call it left."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    first = job(path, protocols=tuple(other))
    with serve(
        [served(fork())], intercept=meanwhile(b"eth_getLogs", work=first, chain=fork())
    ) as node:
        run(job(path), node.url)

    assert contents(path) == contents(followed)


def test_a_branch_that_was_read_without_what_another_run_found_is_read_again(
    tmp_path: Path,
) -> None:
    """A pool that is born below both branches, and has logs on the new one alone."""
    path, once = tmp_path / "a.duckdb", tmp_path / "once.duckdb"
    before = told({BIRTH: [birth(POOL)]}, COUNT)
    after = blocks(COUNT, below=before[: COUNT - 20], fork=b"fork", skip=2)
    upper = job(path, from_block=BIRTH + 80)
    with serve([served(before)]) as node:
        run(upper, node.url)
    between = meanwhile(b"eth_getLogs", work=job(path), chain=before)
    with serve([served(after)], intercept=between) as node:
        run(upper, node.url)
        run(job(once), node.url)

    assert rows(path, "select count(*) from pool_flows") == [(2,)]
    assert different(path, once) == set()


def test_a_protocol_begun_on_the_branch_that_was_left_is_replaced_too(
    tmp_path: Path, followed: Path
) -> None:
    """Another run adds blocks of the old branch while the new one is fetched."""
    path, chain = tmp_path / "a.duckdb", blocks(COUNT)
    with serve([served(chain)]) as node:
        run(job(path, protocols=(FEED,)), node.url)
    pools = job(path, protocols=(POOLS,))
    with serve(
        [served(fork())], intercept=meanwhile(b"eth_getLogs", work=pools, chain=chain)
    ) as node:
        run(job(path), node.url)

    assert contents(path) == contents(followed)


def test_blocks_of_a_branch_that_another_run_has_left_are_asked_for_again(
    tmp_path: Path, followed: Path
) -> None:
    """Pools of the old branch do not land beside the feed of the new one, nor does the run fail."""
    path, chain = tmp_path / "a.duckdb", blocks(COUNT)
    feed, pools = job(path, protocols=(FEED,)), job(path, protocols=(POOLS,))
    with serve([served(chain)]) as node:
        run(feed, node.url)
        run(replace(pools, to_block=FIRST + COUNT - 30), node.url)
    other = meanwhile(hex(FIRST + COUNT - 1).encode(), b"eth_getLogs", work=feed, chain=fork())

    def intercept(slug: str, body: bytes) -> None:
        other(slug, body)
        if b"finalized" in body and rows(path, "from orphans"):
            node.replace(served(fork()))

    with serve([served(chain)], intercept=intercept) as node:
        run(job(path), node.url)

    assert different(path, followed) == set()


def test_a_branch_does_not_go_on_where_another_run_has_left_it(tmp_path: Path) -> None:
    """What was fetched above the old branch is of no use above the new one."""
    path, old = tmp_path / "a.duckdb", blocks(COUNT + 10, below=blocks(COUNT), fork=b"old")
    indexed(path, COUNT)
    top = hex(FIRST + COUNT + 9).encode()
    other = meanwhile(top, b"eth_getLogs", work=job(path), chain=fork())
    with serve([served(old)], intercept=other) as node:
        run(job(path), node.url)

    assert rows(path, "select count(*) > 0 from orphans") == [(True,)]
    broken = """select lower.number from blocks as lower join blocks as upper
        on upper.number = lower.number + 1 where upper.parent_hash <> lower.hash"""
    assert rows(path, broken) == []


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


@pytest.mark.parametrize("when", ["before the blocks are read", "before what was found is written"])
def test_verify_compares_logs_of_a_child_that_another_run_found(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that the other run was not told of is missed, and its block passes no audit."""
    path, chain = tmp_path / "a.duckdb", true_chain()
    hidden = next(number for number in range(BIRTH + 90, FIRST + COUNT) if number % 7 == 0)
    lies = {"eth_getLogs": without_log(hidden)}
    with serve([served(chain)]) as node:
        run(job(path, from_block=BIRTH + 80), node.url)
    is_late = when == "before what was found is written"
    intercept = (
        meanwhile(b"eth_getBlockReceipts", work=job(path), chain=chain, lies=lies)
        if is_late
        else None
    )
    with serve([served(chain)], intercept=intercept) as node:
        if not is_late:
            after_a_look(monkeypatch, lambda: beside(job(path), chain, lies))
        found = checked(path, "receipts", node.url)

    assert failed(found) == [("pools", hidden, hidden)]
    passed = f"verdict = 'passed' and {hidden} between from_block and to_block"
    assert rows(path, f"select protocol from audits where {passed}") == [("feed",)]
    proofs = f"select proof from coverage where {hidden} between from_block and to_block order by 1"
    assert rows(path, proofs) == [("fetched",), ("receipts",)]


@cache
def longer() -> list[Block]:
    """Return the branch that the chain's last 20 blocks are left for, and which is longer."""
    return blocks(COUNT + 3, below=blocks(COUNT)[: COUNT - 20], fork=b"fork", skip=2)


@pytest.mark.parametrize("hook", [after_a_look, before_a_look], ids=["before headers", "after"])
def test_a_reorg_that_another_run_replaces_is_no_fault(
    hook: Callable[[pytest.MonkeyPatch, Callable[[], object]], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Headers and stored logs of two branches are not compared: the blocks are looked at again."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    with serve([served(blocks(COUNT))]) as node:

        def reorganise() -> None:
            node.replace(served(longer()))
            beside(job(path), longer())

        hook(monkeypatch, reorganise)
        found = checked(path, "linked", node.url)

    assert (found.failures, found.left, found.blocks) == ([], [], COUNT)
    assert rows(path, "select distinct verdict from audits") == [("passed",)]


def test_blocks_that_another_run_takes_back_are_not_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not there any more: nothing is said of them but that, in no audit."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    with serve([served(blocks(COUNT))]) as node:
        before_a_look(monkeypatch, lambda: take_back(job(path).ledger(), BOTH, FIRST - 1))
        found = checked(path, "linked", node.url)

    (low, high, why), *others = found.left
    assert (found.failures, others, found.blocks) == ([], [], low - FIRST)
    assert (high, why) == (FIRST + COUNT - 1, "they were taken back meanwhile")
    assert rows(path, "select max(to_block) from audits") == [(low - 1,)]


def test_blocks_that_change_at_each_look_are_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was seen is not what is stored when it is written, time and again: nothing is said."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    monkeypatch.setattr("indexer.sync.inspecting.record", lambda *_given, **_seen: False)
    with serve([served(blocks(COUNT))]) as node:
        found = checked(path, "linked", node.url, to_block=FIRST + 99)

    meant = (FIRST, FIRST + 99, "they changed each time they were looked at")
    assert (found.failures, found.left, found.blocks) == ([], [meant], 0)


def test_a_reorg_between_two_parts_is_no_fault(tmp_path: Path) -> None:
    """The second part's headers do not continue what was the chain when the first was checked."""
    path, part = tmp_path / "a.duckdb", COUNT - 10
    with serve([served(blocks(COUNT))]) as node:
        run(job(path, protocols=(FEED,)), node.url)
        run(job(path, protocols=(POOLS,), to_block=FIRST + part - 1), node.url)

        def reorganise(done: int, _total: int) -> None:
            if done == part:
                node.replace(served(longer()))
                beside(job(path), longer())

        wanted = Inspection(job(path).ledger(), BOTH, "linked", now())
        found = verify(wanted, [endpoint(node.url)], reorganise)

    assert (found.failures, found.blocks) == ([], COUNT)


def test_a_reorg_that_nobody_has_followed_is_told_as_one(tmp_path: Path) -> None:
    """Blocks that left the chain are not checked, and no audit condemns them; index follows."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    with serve([served(longer())]) as node:
        found = checked(path, "linked", node.url)
        run(job(path), node.url)
        again = checked(path, "linked", node.url)

    gone = (FIRST + COUNT - 20, FIRST + COUNT - 1)
    assert [(low, high) for low, high, _ in found.left] == [gone]
    assert "a reorg took them out of the chain" in found.left[0][2]
    assert (found.failures, found.blocks) == ([], COUNT - 20)
    assert (again.failures, again.left) == ([], [])
    assert rows(path, "select distinct verdict from audits") == [("passed",)]


def test_a_wrong_hash_near_the_head_is_a_fault(tmp_path: Path) -> None:
    """Where blocks above it are those of the chain, no reorg explains another hash."""
    path, number = tmp_path / "a.duckdb", FIRST + COUNT - 10
    indexed(path, COUNT)
    with duckdb.connect(path) as connection:
        connection.execute(f"update blocks set hash = '\\x01'::blob where number = {number}")
    with serve([served(blocks(COUNT))]) as node:
        found = checked(path, "linked", node.url)

    assert {(low, high) for _, low, high in failed(found)} == {(number, number)}
    assert found.left == []


def test_a_repair_hears_of_what_was_born_in_blocks_below(tmp_path: Path) -> None:
    """Another run finds the pools while the wrong blocks are fetched without them."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", true_chain()
    once.write_bytes(truly_indexed())
    with serve([served(chain)]) as node:
        run(job(path, from_block=BIRTH + 70), node.url)
    doubt(path, BIRTH + 75, BIRTH + 90)
    with serve(
        [served(chain)], intercept=meanwhile(b"eth_getLogs", work=job(path), chain=chain)
    ) as node:
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


def test_a_repair_undoes_a_market_that_never_was(tmp_path: Path) -> None:
    """What later blocks were read with, that a made-up log had told, leaves with it."""
    path, once, chain = tmp_path / "a.duckdb", tmp_path / "once.duckdb", true_chain()
    protocols, known = (FEED, NAMED), DECLARATIONS | {"pools": NAMED}
    work = job(path, protocols=protocols, declarations=known)
    with lying(chain, {"eth_getLogs": with_birth(LATE_POOL)}) as url:
        run(work, url)
    doubt(path, BIRTH, BIRTH)
    with serve([served(chain)]) as node:
        repair(work.ledger(), protocols, [endpoint(node.url)])
        run(replace(work, path=once), node.url)

    assert different(path, once) <= {"coverage"}


def test_a_repair_under_another_declaration_is_refused(tmp_path: Path) -> None:
    """Facts of today's declaration in the middle of those of the one before would be mixed."""
    path = tmp_path / "a.duckdb"
    path.write_bytes(truly_indexed())
    doubt(path, BIRTH, BIRTH)
    before = contents(path)
    with serve([served(true_chain())]) as node, pytest.raises(UserError, match="never mixed"):
        repair(job(path, declarations=LATER).ledger(), [*LATER.values()], [endpoint(node.url)])

    assert contents(path) == before


def test_a_run_of_an_older_program_ends_where_a_newer_one_has_derived_again(
    tmp_path: Path,
) -> None:
    """Who has begun under the declaration before adds nothing to facts of today's."""
    path = tmp_path / "a.duckdb"
    chain = blocks(COUNT)
    indexed(path, 100)

    def upgraded(_slug: str, body: bytes) -> None:
        """Derive again, once, while logs are asked for."""
        if b"eth_getLogs" in body and (rows(path, LABELS) == before):
            other = Thread(target=redecode, args=(job(path, declarations=LATER).ledger(), later))
            other.start()
            other.join()

    before, later = rows(path, LABELS), list(LATER.values())
    with (
        serve([served(chain)], intercept=upgraded) as node,
        pytest.raises(UserError, match="never mixed"),
    ):
        run(job(path), node.url)

    labels = rows(path, LABELS)
    assert len(labels) == len(before)
    assert not set(labels) & set(before)


def test_a_repair_follows_a_reorg_first(tmp_path: Path) -> None:
    """Blocks of the new branch in the middle of the old one would hide that it was left."""
    path, once = tmp_path / "a.duckdb", tmp_path / "once.duckdb"
    left = true_blocks(COUNT, below=true_chain()[: COUNT - 20])
    for place in (path, once):
        place.write_bytes(truly_indexed())
    doubt(path, FIRST + COUNT - 6, FIRST + COUNT - 4)
    beside(job(once), left)
    with serve([served(left)]) as node:
        assert mended(path, node.url).blocks == 3
        run(job(path), node.url)

    assert different(path, once) <= {"coverage"}

"""A declaration that reads more than it did: only the new is fetched, and nothing is mixed."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
import reads_rig
from reads_rig import CONVERT, PRICE, PRICED, SUPPLY, priced
from sync_rig import (
    BIRTH,
    DECLARATIONS,
    DEPLOYER,
    FEED,
    FEED_ADDRESS,
    FIRST,
    POOL,
    POOLS,
    answer,
    birth,
    blocks,
    contents,
    deposit,
    indexed,
    job,
    left_by,
    logs_of,
    rows,
    run,
    served,
    told,
    word,
)
from test_sync_two_at_once import meanwhile

from indexer.chains import ETHEREUM
from indexer.errors import DatabaseUnusable, RequestsSpent, UserError
from indexer.facts.routes import abi_entries
from indexer.rpc import Endpoint
from indexer.simulation.blocks import Block, Log
from indexer.simulation.node import Served, serve
from indexer.spec import (
    Amount,
    Arg,
    Call,
    Const,
    Contract,
    Emitter,
    Event,
    Fixed,
    Int,
    Protocol,
    Token,
)
from indexer.store import Stored, adopt
from indexer.sync import Job, estimate
from indexer.sync.pieces import ChainMoved

COUNT = 300
SECOND_FEED = bytes.fromhex("dd" * 20)
SECOND = Contract(ETHEREUM, "chainlink/Aggregator", "0x" + SECOND_FEED.hex(), FIRST)
WITHDRAWAL = Event(
    abi="maple/Pool",
    name="Withdraw",
    into="pool_flows",
    columns={
        "kind": Const("withdrawal"),
        "pool": Emitter(),
        "account": "owner_",
        "asset_tokens": Amount("assets_", Emitter()),
    },
)
STATING = replace(POOLS, tokens=(Token(ETHEREUM, "0x" + POOL.hex(), "POOL", 2),))
WITHDRAWN = replace(POOLS, events=(*POOLS.events, WITHDRAWAL))
TWO_FEEDS = replace(FEED, contracts=(*FEED.contracts, SECOND))
MIGRATED = replace(TWO_FEEDS, contracts=(replace(FEED.contracts[0], to_block=FIRST + 90), SECOND))
NO_POOLS = replace(POOLS, discoveries=())
SINGLE = CONVERT[:10] + f"{1:064x}"
SINGLY = replace(
    PRICE,
    name="single",
    calls=(Call("convertToAssets", (Int(1),)),),
    columns={"pool": Emitter(), "share_price_tokens": Fixed("convertToAssets", 0)},
)
MORE_READ = replace(PRICED, reads=(*PRICED.reads, SINGLY))
SECOND_DEPLOYER = bytes.fromhex("de" * 20)
FACTORY = replace(POOLS.contracts[0], address="0x" + SECOND_DEPLOYER.hex())
TWO_FACTORIES = replace(POOLS, contracts=(*POOLS.contracts, FACTORY))
TRANSFERRED = Event(
    abi="erc20/Token",
    name="Transfer",
    into="pool_flows",
    columns={"kind": Const("transfer"), "pool": Emitter(), "account": Arg("from")},
)
SHARES = replace(
    POOLS,
    discoveries=(*POOLS.discoveries, replace(POOLS.discoveries[0], child_abi="erc20/Token")),
    events=(*POOLS.events, TRANSFERRED),
)


@dataclass
class Rig:
    """A serving node and the filters it was asked for."""

    node: Served
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def addresses(self) -> set[str]:
        """Return every address that was named."""
        return {address for query in self.asked for address in query["address"]}


@cache
def two_feeds() -> list[Block]:
    """Return the usual chain with a second feed on it."""
    happens = {number: list(logs_of(number)) for number in range(FIRST, FIRST + COUNT)}
    for number in range(FIRST, FIRST + COUNT, 11):
        happens[number].append(replace(answer(number), address=SECOND_FEED))
    return told(happens, COUNT)


@contextmanager
def watched() -> Iterator[Rig]:
    """Serve the usual chain with a second feed on it, and write down what is asked."""

    def intercept(_slug: str, body: bytes) -> None:
        calls = json.loads(body)
        for call in calls if isinstance(calls, list) else [calls]:
            if call["method"] == "eth_getLogs":
                rig.asked.append(call["params"][0])

    with serve([served(two_feeds())], intercept=intercept) as node:
        rig = Rig(node)
        yield rig


def of(path: Path, *protocols: Protocol, **settings: object) -> Job:
    """Return the job of indexing these readings of the protocols."""
    known = DECLARATIONS | {protocol.slug: protocol for protocol in protocols}
    return job(path, protocols=tuple(known.values()), declarations=known, **settings)


def fresh(path: Path, protocol: Protocol) -> None:
    """Put a database there as a first run under this reading leaves it."""
    path.write_bytes(_fresh(protocol))


@cache
def _fresh(protocol: Protocol) -> bytes:
    return left_by(two_feeds(), lambda path: of(path, protocol))


@dataclass(frozen=True)
class Supplemented:
    """What a run under another reading left, and what it asked for."""

    content: bytes
    files: list[str]
    rig: Rig
    headers: int


@cache
def supplemented(before: Protocol, after: Protocol) -> Supplemented:
    """Return what becomes of a database of one reading that is indexed under another."""
    with TemporaryDirectory() as folder, watched() as rig:
        path = Path(folder) / "a.duckdb"
        fresh(path, before)
        run(of(path, after), rig.node.url)
        files = [item.name for item in path.parent.iterdir()]
        return Supplemented(path.read_bytes(), files, rig, rig.node.calls["eth_getBlockByNumber"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (FEED, TWO_FEEDS),
        (TWO_FEEDS, FEED),
        (POOLS, WITHDRAWN),
        (NO_POOLS, POOLS),
        (STATING, WITHDRAWN),
        pytest.param(POOLS, NO_POOLS, marks=pytest.mark.soak),
        pytest.param(FEED, MIGRATED, marks=pytest.mark.soak),
    ],
    ids=["contract", "contract gone", "event", "factory", "token", "factory gone", "migrated"],
)
def test_it_ends_like_a_run_of_the_new_one(
    tmp_path: Path, before: Protocol, after: Protocol
) -> None:
    """Whatever was added or left out, every table is that of a first run under it."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    done = supplemented(before, after)
    path.write_bytes(done.content)
    fresh(new, after)

    mine, clean = contents(path), contents(new)
    # What a token said of itself stays known; logs that nobody reads any more are kept.
    assert {name for name in mine if mine[name] != clean[name]} <= {"orphans", "tokens"}
    assert done.files == ["a.duckdb"]


@cache
def told_twice() -> list[Block]:
    """Return the usual chain, on which another factory told of a pool first, and shares move."""
    happens = {number: list(logs_of(number)) for number in range(FIRST, FIRST + COUNT)}
    happens[FIRST + 60].append(replace(birth(POOL), address=SECOND_DEPLOYER))
    moved = Log(POOL, (abi_entries("erc20/Token")["Transfer"].topic0, word(1), word(2)), word(3))
    for number in range(FIRST + 73, BIRTH, 10):
        happens[number].append(deposit(POOL, number))
    for number in range(BIRTH + 11, FIRST + COUNT, 10):
        happens[number].append(moved)
    return told(happens, COUNT, has_receipts_root=True)


@pytest.mark.parametrize("after", [TWO_FACTORIES, SHARES], ids=["born earlier", "another kind"])
def test_a_child_of_which_more_is_read_is_asked_for_it(tmp_path: Path, after: Protocol) -> None:
    """The old reading had nothing of it from before its birth there, nor of another ABI."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    with serve([served(told_twice())]) as node:
        for file, reading in ((path, POOLS), (path, after), (new, after)):
            run(of(file, reading), node.url)

    mine, clean = contents(path), contents(new)
    assert {name for name in mine if mine[name] != clean[name]} <= {"orphans", "tokens"}


def test_only_the_new_contract_is_asked_for() -> None:
    """Below what is final the old contract is not named, nor are its blocks' headers fetched."""
    done = supplemented(FEED, TWO_FEEDS)

    assert done.rig.addresses() == {"0x" + SECOND_FEED.hex()}
    assert done.headers < 64 + 235 // 11 + 40


def test_only_the_new_event_is_asked_for() -> None:
    """An event added to children is asked of the children, and their old events are not."""
    rig = supplemented(POOLS, WITHDRAWN).rig

    old = {"0x" + log.topics[0].hex() for log in (deposit(POOL, 1), answer(1))}
    assert "0x" + DEPLOYER.hex() not in rig.addresses()
    assert "0x" + FEED_ADDRESS.hex() not in rig.addresses()
    assert not old & {topic for query in rig.asked for topic in query["topics"][0]}


def test_only_the_new_read_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old questions, those answered, refused and asked of nobody, are not put to a node again."""
    supplementing = import_module("indexer.sync.supplement")
    monkeypatch.setattr(supplementing, "_WINDOW", COUNT // 10)  # more than are kept
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    chain = blocks(COUNT)
    told, pool = reads_rig.answers(chain), "0x" + POOL.hex()
    reverted, empty = (block.number for block in reads_rig.read_at(chain)[20:22])
    told[empty, pool, SUPPLY] = "0x"
    del told[reverted, pool, SUPPLY]
    single = {
        (block.number, "0x" + pool.hex(), SINGLE): "0x" + word(block.number).hex()
        for block in chain
        for pool in reads_rig.BORN
    }
    bodies: list[bytes] = []
    served_chain = priced(chain)
    calls = {key: text for key, text in served_chain.calls.items() if key[0] is None}
    served_chain = replace(served_chain, calls=calls | told | single)
    with serve([served_chain], intercept=lambda _slug, body: bodies.append(body)) as node:
        run(reads_rig.work(path), node.url)
        bodies.clear()
        run(of(path, MORE_READ), node.url)
        asked = b"".join(body for body in bodies if b"eth_call" in body).decode()
        run(of(new, MORE_READ), node.url)

    assert SINGLE[2:] in asked
    assert CONVERT[2:] not in asked
    assert SUPPLY[2:] not in asked
    assert contents(path) == contents(new)
    assert rows(path, "select distinct state from reads order by 1") == [
        ("available",),
        ("not_applicable",),
        ("source_error",),
    ]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a run under a new reading was stopped on the way."""
    folder = tmp_path_factory.mktemp("stopped")
    changed = of(folder / "a.duckdb", TWO_FEEDS, max_span=20, max_ranges=1, max_requests=60)
    fresh(changed.path, FEED)
    with watched() as rig, pytest.raises(RequestsSpent):
        run(changed, rig.node.url)
    return folder


def test_stopped_on_the_way_it_goes_on(tmp_path: Path, stopped: Path) -> None:
    """Until the new reading is whole the old one stands; the next run continues."""
    old, new = tmp_path / "old.duckdb", tmp_path / "new.duckdb"
    path = copytree(stopped, tmp_path / "stopped") / "a.duckdb"
    fresh(old, FEED)
    fresh(new, TWO_FEEDS)
    assert contents(path) == contents(old)
    with watched() as rig:
        run(of(path, TWO_FEEDS, max_span=20, max_ranges=1), rig.node.url)

    mine, clean = contents(path), contents(new)
    assert {name for name in mine if mine[name] != clean[name]} <= {"orphans", "tokens"}
    assert len(rig.asked) < 16
    assert rows(path, "select * from orphans") == []


def test_what_was_stopped_and_is_no_longer_wanted_goes(tmp_path: Path, stopped: Path) -> None:
    """A declaration that was changed back, or changed again, leaves no half-read file behind."""
    folder = copytree(stopped, tmp_path / "stopped")
    half_read = sorted(item.name for item in folder.iterdir())
    with watched() as rig:
        run(of(folder / "a.duckdb", FEED), rig.node.url)

    assert half_read[0] == "a.duckdb"
    assert half_read[1].startswith("a.duckdb.feed-")
    assert [item.name for item in folder.iterdir()] == ["a.duckdb"]


def test_where_it_is_not_known_what_was_read(tmp_path: Path) -> None:
    """Without the old reading's lines the new one is refused, and `rewind` named."""
    path = tmp_path / "a.duckdb"
    fresh(path, FEED)
    with duckdb.connect(path) as connection:
        connection.execute("delete from reaches")
    named = "perpscope rewind --chain ethereum --protocol feed"
    with watched() as rig, pytest.raises(UserError, match=named):
        run(of(path, TWO_FEEDS), rig.node.url)


def test_another_column_beside_another_contract(tmp_path: Path) -> None:
    """A reading changed in both ways ends like a first run too."""
    event = FEED.events[0]
    columns = {**event.columns, "provider": Const("x"), "oracle_price_quote": Fixed("current", 6)}
    changed = replace(TWO_FEEDS, events=(replace(event, columns=columns),))
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    fresh(path, FEED)
    with watched() as rig:
        run(of(path, changed), rig.node.url)
        run(of(new, changed), rig.node.url)

    assert contents(path) == contents(new)


def test_a_plan_waits_for_what_is_new(tmp_path: Path) -> None:
    """What a changed reading takes is not guessed: `index` is named, and nothing is changed."""
    path = tmp_path / "a.duckdb"
    fresh(path, FEED)
    before = contents(path)
    with watched() as rig, pytest.raises(UserError, match="run `perpscope index` first"):
        estimate(of(path, TWO_FEEDS), [Endpoint(rig.node.url)], 10)

    assert contents(path) == before


@cache
def half() -> bytes:
    """Return the database of the old reading of the lower half of the chain."""
    return left_by(two_feeds(), lambda path: of(path, FEED, to_block=FIRST + COUNT // 2))


@pytest.mark.parametrize(
    "other", [FEED, pytest.param(TWO_FEEDS, marks=pytest.mark.soak)], ids=["old", "new"]
)
def test_another_run_adds_blocks_meanwhile(tmp_path: Path, other: Protocol) -> None:
    """Whichever reading it has, what it added stays, and none of it is called unread."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    below = FIRST + COUNT // 2
    path.write_bytes(half())
    fresh(new, TWO_FEEDS)
    between = meanwhile(b"eth_getLogs", work=of(path, other), chain=two_feeds())
    with serve([served(two_feeds())], intercept=between) as node:
        run(of(path, TWO_FEEDS, to_block=below), node.url)

    assert contents(path) == contents(new)


def test_another_run_brings_the_same_up_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It removes the file that both write once it is done: then there is nothing to adopt."""
    path, new = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    fresh(path, FEED)
    fresh(new, TWO_FEEDS)

    def adopted_late(path: Path, side: Path, *more: Any, before: Stored) -> bool:
        assert adopt(path, side, *more, before=before)
        side.unlink()
        return adopt(path, side, *more, before=before)

    monkeypatch.setattr(import_module("indexer.sync.supplement"), "adopt", adopted_late)
    with serve([served(two_feeds())]) as node:
        run(of(path, TWO_FEEDS), node.url)

    assert contents(path) == contents(new)


def test_another_run_brings_the_same_up_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored is looked at again before the new reading is begun: there is none to do."""
    path, new, sides = tmp_path / "a.duckdb", tmp_path / "new.duckdb", []

    def adopted(path: Path, side: Path, *more: Any, before: Stored) -> bool:
        sides.append(side)
        return adopt(path, side, *more, before=before)

    monkeypatch.setattr(import_module("indexer.sync.supplement"), "adopt", adopted)
    fresh(path, FEED)
    fresh(new, TWO_FEEDS)
    between = meanwhile(b"finalized", work=of(path, TWO_FEEDS), chain=two_feeds())
    with serve([served(two_feeds())], intercept=between) as node:
        run(of(path, TWO_FEEDS), node.url)

    assert len(sides) == 1
    assert contents(path) == contents(new)
    assert {item.name for item in tmp_path.iterdir()} == {"a.duckdb", "new.duckdb"}


def test_what_never_holds_still_is_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries the run ends, and the old reading stands."""
    path = tmp_path / "a.duckdb"
    fresh(path, FEED)
    before = contents(path)
    supplementing = import_module("indexer.sync.supplement")
    monkeypatch.setattr(supplementing, "adopt", lambda *_given, before: before is None)
    monkeypatch.setattr(supplementing, "_TRIES", 2)
    with (
        serve([served(two_feeds())]) as node,
        pytest.raises(ChainMoved, match="what is stored of feed, or the chain, changed 2 times"),
    ):
        run(of(path, TWO_FEEDS), node.url)

    assert contents(path) == before


def test_a_new_reading_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No other run has done it: it is not taken for done."""
    path = tmp_path / "a.duckdb"
    fresh(path, FEED)

    def full(*_given: object, before: Stored) -> bool:
        raise DatabaseUnusable(f"no room for {len(before.coverage)} ranges")

    monkeypatch.setattr(import_module("indexer.sync.supplement"), "adopt", full)
    with serve([served(two_feeds())]) as node, pytest.raises(DatabaseUnusable, match="no room"):
        run(of(path, TWO_FEEDS), node.url)


def test_a_reorg_since_the_old_reading(tmp_path: Path) -> None:
    """What the old one read of the branch that was left is taken for none of the new branch."""
    path, new, chain = tmp_path / "a.duckdb", tmp_path / "new.duckdb", blocks(COUNT)
    fork = blocks(COUNT, below=chain[: COUNT - 20], fork=b"fork", skip=2)
    indexed(path, COUNT)
    with serve([served(fork)]) as node:
        run(of(path, TWO_FEEDS), node.url)
        run(of(new, TWO_FEEDS), node.url)

    mine, clean = contents(path), contents(new)
    assert {name for name in mine if mine[name] != clean[name]} == {"orphans"}
    reasons = rows(path, "select distinct reason from orphans")
    assert reasons == [(f"reorg above block {FIRST + COUNT - 21}",)]

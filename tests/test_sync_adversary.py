"""What an abandoned branch, an odd order of runs or an old file must not leave behind."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from sync_rig import (
    BIRTH,
    DECLARATIONS,
    FEED,
    FIRST,
    LATE_POOL,
    POOL,
    POOLS,
    START_TIME,
    TRADER,
    birth,
    blocks,
    contents,
    job,
    left_by,
    logs_of,
    pruned_below,
    rows,
    run,
    served,
    word,
)

from indexer.chains import ETHEREUM
from indexer.errors import UserError
from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.node import serve
from indexer.spec import Amount, Const, Contract, Emitter, Event, Market, OfMarket, Token
from indexer.sync import Job, Ledger, redecode, take_back

LATE = BIRTH + 60
COUNT = 210  # the late pool is born within the last 64 blocks, which are not final
DEPOSIT = POOLS.events[0]
LISTED = Event(
    abi="maple/PoolDeployer",
    name="PoolDeployed",
    into="markets",
    columns={
        "market": "pool_",
        "parent": "poolManager_",
        "asset_class": Const("credit"),
        "known_by": Const("event"),
    },
)
MARKETS = replace(
    POOLS,
    events=(
        LISTED,
        replace(DEPOSIT, columns={**DEPOSIT.columns, "asset_token": OfMarket(Emitter(), "parent")}),
    ),
)
# The same pools, named by the declaration: no factory is needed to know them.
NAMED = replace(
    MARKETS,
    discoveries=(),
    contracts=(
        *POOLS.contracts,
        *(Contract(ETHEREUM, "maple/Pool", f"0x{at.hex()}", FIRST) for at in (POOL, LATE_POOL)),
    ),
)


def of_markets(path: Path, **settings: object) -> Job:
    """Return the job of indexing the feed and the pools as markets."""
    known = DECLARATIONS | {"pools": MARKETS}
    return job(path, protocols=(FEED, MARKETS), declarations=known, **settings)


@cache
def of_the_chain() -> bytes:
    """Return the database of one run over the chain, of pools as markets."""
    return left_by(blocks(COUNT), of_markets)


def without(path: Path, *names: str) -> dict[str, str]:
    """Return the hash of every table but some."""
    return {name: digest for name, digest in contents(path).items() if name not in names}


def branch(below: Sequence[Block], count: int, happens: dict[int, tuple[Log, ...]]) -> list[Block]:
    """Return a chain of blocks that goes on with these logs alone."""
    chain = list(below)
    for number in range(FIRST + len(chain), FIRST + count):
        sent = [Transaction(TRADER, log.address, (log,)) for log in happens.get(number, ())]
        stamp = START_TIME + 12 * (number - FIRST)
        chain.append(
            block(chain[-1], number, stamp, sent, extra_data=b"fork", has_receipts_root=False)
        )
    return chain


def managed(pool: bytes, manager: int) -> Log:
    """Return the announcement of a pool under a manager."""
    log = birth(pool)
    return replace(log, topics=(*log.topics[:2], word(manager), *log.topics[3:]))


def test_a_birth_on_an_abandoned_branch_is_taken_back(tmp_path: Path) -> None:
    """Children and markets that only the abandoned branch announced are gone after it."""
    chain = blocks(COUNT)
    fork = branch(chain[: LATE - FIRST - 1], COUNT + 3, {})
    path, fresh = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    path.write_bytes(of_the_chain())
    with serve([served(fork)]) as node:
        run(of_markets(path), node.url)
        run(of_markets(fresh), node.url)

    # What a token said of itself stays known: it is asked once, whoever needs it later.
    assert without(path, "orphans", "tokens") == without(fresh, "orphans", "tokens")
    assert rows(path, "select count(*) from markets") == [(1,)]


def test_a_market_that_the_new_branch_announces_otherwise(tmp_path: Path) -> None:
    """The announcement in the chain stands, not the one that a reorg removed."""
    chain = blocks(COUNT)
    happens = {number: logs_of(number) for number in range(LATE + 1, FIRST + COUNT)}
    happens[LATE] = (managed(LATE_POOL, 77),)
    fork = branch(chain[: LATE - FIRST - 1], COUNT + 3, happens)
    path, fresh = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    path.write_bytes(of_the_chain())
    with serve([served(fork)]) as node:
        run(of_markets(path), node.url)
        run(of_markets(fresh), node.url)

    assert without(path, "orphans") == without(fresh, "orphans")


def test_markets_first_heard_of_later_heal_what_was_read_before(tmp_path: Path) -> None:
    """Blocks read before their markets' announcements are read again once those are known."""
    known = DECLARATIONS | {"pools": NAMED}
    whole, middle = tmp_path / "whole.duckdb", tmp_path / "middle.duckdb"
    with serve([served(blocks(COUNT))]) as node:
        run(job(whole, protocols=(NAMED,), declarations=known), node.url)
        run(job(middle, protocols=(NAMED,), declarations=known, from_block=LATE + 5), node.url)
        run(job(middle, protocols=(NAMED,), declarations=known), node.url)

    assert contents(middle) == contents(whole)


def test_what_a_declaration_states_anew_stands(tmp_path: Path) -> None:
    """After a rewind and another index, stated tokens and markets are today's, none is older."""
    place = "0x" + "dd" * 20
    old = replace(
        FEED,
        tokens=(Token(ETHEREUM, place, "OLD", 6),),
        markets=(Market(ETHEREUM, "1", "OLD"), Market(ETHEREUM, "2", "GONE")),
    )
    new = replace(
        FEED,
        tokens=(Token(ETHEREUM, place, "NEW", 6),),
        markets=(Market(ETHEREUM, "1", "NEW"),),
    )
    path, fresh = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    with serve([served(blocks(150))]) as node:
        run(job(path, protocols=(old,), declarations={"feed": old}), node.url)
        take_back(Ledger(path, ETHEREUM, {"feed": new}), [new], 0)
        run(job(path, protocols=(new,), declarations={"feed": new}), node.url)
        run(job(fresh, protocols=(new,), declarations={"feed": new}), node.url)

    assert without(path, "orphans") == without(fresh, "orphans")


def test_a_protocol_nobody_declares_any_more_is_left_alone(tmp_path: Path) -> None:
    """A file with blocks of an unknown protocol is refused before anything is written."""
    path = tmp_path / "a.duckdb"
    chain = blocks(COUNT)
    with serve([served(chain)]) as node:
        run(job(path), node.url)
    before = contents(path)

    longer = blocks(COUNT + 40, below=chain)
    with serve([served(longer)]) as node, pytest.raises(UserError, match="upgrade perpscope"):
        run(job(path, protocols=(FEED,), declarations={"feed": FEED}), node.url)

    assert contents(path) == before


def test_a_shared_log_stays_only_where_its_other_owner_covers(tmp_path: Path) -> None:
    """Of two protocols that read one feed, a rewound one keeps no logs the other never read."""
    twin = replace(FEED, slug="twin")
    known = {"feed": FEED, "twin": twin}
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(150))]) as node:
        run(job(path, protocols=(FEED,), declarations=known), node.url)
        work = job(path, protocols=(twin,), declarations=known, to_block=FIRST + 20)
        run(work, node.url)

    take_back(Ledger(path, ETHEREUM, known), [FEED], FIRST + 10)

    assert rows(path, "select max(block_number) from logs") == [(FIRST + 20,)]
    both, once = tmp_path / "both.duckdb", "select count(*), count(distinct tx_hash) from logs"
    with serve([served(blocks(150))]) as node:
        run(job(path, protocols=(twin, FEED), declarations=known), node.url)
        run(job(both, protocols=(FEED, twin), declarations=known), node.url)
    assert without(path, "orphans") == without(both, "orphans")
    assert len({*rows(path, once)[0]}) == 1


def test_a_token_that_answers_later_does_not_depend_on_cuts(tmp_path: Path) -> None:
    """A token silent at its first block and not at the head is known from the start."""
    late = FIRST + 190
    plain = served(blocks(COUNT)).calls
    calls = {key: said for key, said in plain.items() if key[1] != "0x" + POOL.hex()}
    calls |= {
        (number, key[1], key[2]): said
        for key, said in plain.items()
        if key[1] == "0x" + POOL.hex()
        for number in range(late, FIRST + COUNT)
    }
    results = []
    with serve([served(blocks(COUNT), calls=calls)]) as node:
        for span in (15, 1_000):
            path = tmp_path / f"{span}.duckdb"
            run(job(path, protocols=(POOLS,), max_span=span), node.url)
            results.append(contents(path))

    assert results[0] == results[1]
    assert rows(path, "select * from rejects") == []


def test_a_token_is_asked_at_the_head_where_older_state_is_gone(tmp_path: Path) -> None:
    """A node that has the state of its last blocks alone tells decimals of tokens all the same."""
    chain = blocks(COUNT)
    results = []
    for cut in (FIRST + COUNT - 10, FIRST):
        path = tmp_path / f"{cut}.duckdb"
        with serve([served(chain)], intercept=pruned_below(chain, cut)) as node:
            run(job(path, protocols=(POOLS,), max_span=50), node.url)
        results.append(contents(path))

    assert results[0] == results[1]
    assert rows(path, "select * from rejects") == []


def test_the_zero_address_is_no_token(tmp_path: Path) -> None:
    """Nobody is asked for the decimals of the zero address."""
    asked = []
    zero = {**DEPOSIT.columns, "asset_tokens": Amount("assets_", Const("0x" + "0" * 40))}
    pools = replace(POOLS, events=(replace(DEPOSIT, columns=zero),))

    def intercept(_slug: str, body: bytes) -> None:
        asked.append(b"eth_call" in body)

    with serve([served(blocks(COUNT))], intercept=intercept) as node:
        work = job(tmp_path / "a.duckdb", protocols=(pools,), declarations={"pools": pools})
        run(work, node.url)

    assert not any(asked)


def test_redecode_heals_rejects_of_a_token_known_since(tmp_path: Path) -> None:
    """A declaration that names a silent token turns its rejects into facts, without a node."""
    path = tmp_path / "a.duckdb"
    silent = {key: said for key, said in served(()).calls.items() if key[1] != "0x" + POOL.hex()}
    with serve([served(blocks(COUNT), calls=silent)]) as node:
        run(job(path, protocols=(POOLS,)), node.url)
    rejected = rows(path, "select count(*) from rejects")[0][0]
    told = replace(POOLS, tokens=(Token(ETHEREUM, "0x" + POOL.hex(), "POOL", 6),))

    redecode(Ledger(path, ETHEREUM, {"pools": told}), [told])

    assert rejected
    assert rows(path, "select count(*) from rejects") == [(0,)]


def test_a_reorg_while_a_token_is_asked_heals(tmp_path: Path) -> None:
    """The block a token is asked at leaves the chain: the run goes on with the new chain."""
    chain = blocks(COUNT)
    fork = blocks(COUNT, below=chain[: LATE - FIRST - 1], fork=b"fork", skip=100)
    seen = {"calls": 0}

    def intercept(_slug: str, body: bytes) -> None:
        seen["calls"] += b"eth_call" in body
        if seen["calls"] == 2:
            node.replace(served(fork))

    with serve([served(chain)], intercept=intercept) as node:
        run(job(tmp_path / "a.duckdb"), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    assert seen["calls"] > 2
    assert without(tmp_path / "a.duckdb", "orphans") == without(tmp_path / "new.duckdb", "orphans")


def test_a_chain_that_gets_shorter_while_it_is_read_heals(tmp_path: Path) -> None:
    """The head falls back below the range that is asked for: the run ends at the new head."""
    chain = blocks(COUNT)
    fork = blocks(COUNT - 10, below=chain[: COUNT - 30], fork=b"fork", skip=2)
    seen = {"logs": 0}

    def intercept(_slug: str, body: bytes) -> None:
        seen["logs"] += b"eth_getLogs" in body
        if seen["logs"] == 7:
            node.replace(served(fork))

    with serve([served(chain)], intercept=intercept) as node:
        run(job(tmp_path / "a.duckdb", max_span=50), node.url)
        run(job(tmp_path / "new.duckdb"), node.url)

    # What was final at the higher head stays final, so only the other tables are the same.
    other = ("orphans", "coverage", "blocks")
    assert without(tmp_path / "a.duckdb", *other) == without(tmp_path / "new.duckdb", *other)
    ends = rows(
        tmp_path / "a.duckdb", "select distinct max(to_block) from coverage group by protocol"
    )
    assert ends == [(FIRST + COUNT - 11,)]


def test_an_uncovered_block_holds_no_fact(tmp_path: Path) -> None:
    """Facts of blocks that must be read again leave with their coverage, not when replaced."""
    known = DECLARATIONS | {"pools": NAMED}
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(COUNT))]) as node:
        work = job(path, protocols=(NAMED,), declarations=known, from_block=LATE + 5)
        run(work, node.url)
        run(replace(work, from_block=None, to_block=LATE + 1), node.url)

    assert rows(path, "select max(to_block) from coverage") == [(LATE + 1,)]
    assert rows(path, f"select count(*) from pool_flows where block_number > {LATE + 1}") == [(0,)]

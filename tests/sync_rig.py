"""
A small chain with a price feed and a factory of pools, and ways to index and compare it.

The feed's and the factory's addresses are real ones, so the shipped declarations read the same
logs as the two small ones here.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from eth_abi.abi import encode
from handmade import empty_database, opened

from indexer.chains import ETHEREUM
from indexer.facts.routes import abi_entries
from indexer.rpc import Endpoint
from indexer.simulation.blocks import Block, Log, Transaction, block
from indexer.simulation.node import Answer, Intercept, serve
from indexer.simulation.served import SIMULATED_CLIENT, ServedChain
from indexer.spec import (
    Amount,
    Const,
    Contract,
    Discover,
    Emitter,
    Event,
    Fixed,
    Protocol,
)
from indexer.sync import Job, Summary, index
from indexer.tables import tables

FIRST = 16_200_000
BIRTH = FIRST + 120
START_TIME = 1_670_000_000
FEED_ADDRESS = bytes.fromhex("E62B71cf983019BFf55bC83B48601ce8419650CC")
DEPLOYER = bytes.fromhex("9322fCbb9cf9F04728AD9CB62c80a12615FF9aDc")
POOL = bytes.fromhex("aa" * 20)
LATE_POOL = bytes.fromhex("bb" * 20)
TRADER = bytes.fromhex("cc" * 20)
DECIMALS, SYMBOL = "0x313ce567", "0x95d89b41"

FEED = Protocol(
    slug="feed",
    name="A feed",
    kind="oracle",
    methodology="Every answer is a price.",
    contracts=(Contract(ETHEREUM, "chainlink/Aggregator", "0x" + FEED_ADDRESS.hex(), FIRST),),
    events=(
        Event(
            abi="chainlink/Aggregator",
            name="AnswerUpdated",
            into="oracle_updates",
            columns={
                "feed": Emitter(),
                "quote": Const("USD"),
                "oracle_price_quote": Fixed("current", 8),
                "round_id": "roundId",
            },
        ),
    ),
)
POOLS = Protocol(
    slug="pools",
    name="Some pools",
    kind="credit",
    methodology="Every deposit is a flow.",
    contracts=(Contract(ETHEREUM, "maple/PoolDeployer", "0x" + DEPLOYER.hex(), FIRST),),
    discoveries=(Discover("maple/PoolDeployer", "PoolDeployed", "pool_", "maple/Pool"),),
    events=(
        Event(
            abi="maple/Pool",
            name="Deposit",
            into="pool_flows",
            columns={
                "kind": Const("deposit"),
                "pool": Emitter(),
                "account": "owner_",
                "asset_tokens": Amount("assets_", Emitter()),
            },
        ),
    ),
)
DECLARATIONS = {"feed": FEED, "pools": POOLS}


def word(value: bytes | int) -> bytes:
    """Return an address or an integer as a topic."""
    return value.to_bytes(32, "big") if isinstance(value, int) else value.rjust(32, b"\0")


def answer(number: int) -> Log:
    """Return the feed's answer of a block."""
    topics = (_topic0("chainlink/Aggregator", "AnswerUpdated"), word(number * 10**8), word(number))
    return Log(FEED_ADDRESS, topics, encode(["uint256"], [START_TIME]))


def birth(pool: bytes) -> Log:
    """Return the factory's announcement of a pool."""
    topics = (_topic0("maple/PoolDeployer", "PoolDeployed"), word(pool), word(1), word(2))
    return Log(DEPLOYER, topics, encode(["address[]"], [[]]))


def deposit(pool: bytes, amount: int) -> Log:
    """Return a deposit into a pool."""
    topics = (_topic0("maple/Pool", "Deposit"), word(TRADER), word(TRADER))
    return Log(pool, topics, encode(["uint256", "uint256"], [amount, amount]))


def _topic0(abi: str, name: str) -> bytes:
    return abi_entries(abi)[name].topic0


def logs_of(number: int) -> tuple[Log, ...]:
    """Return what happens in a block of the chain."""
    logs = [answer(number)] if number % 3 else []
    if number == BIRTH:
        logs += [birth(POOL), deposit(POOL, 5_000_000)]
    if number > BIRTH and number % 5 == 0:
        logs += [deposit(POOL, number), answer(number)]
    if number == BIRTH + 60:
        logs += [birth(LATE_POOL)]
    if number >= BIRTH + 60 and number % 7 == 0:
        logs += [deposit(LATE_POOL, number)]
    return tuple(logs)


def blocks(
    count: int,
    *,
    below: Sequence[Block] = (),
    fork: bytes = b"",
    skip: int = 1,
    start_time: int = START_TIME,
) -> list[Block]:
    """
    Return a chain of blocks.

    Args:
        count: how many in all.
        below: blocks to build on; the rest is new.
        fork: marks the new blocks, so that they differ from others of their number.
        skip: every so manieth block of a fork has no logs.
        start_time: when the first block was made.
    """
    if not (below or fork) and start_time == START_TIME:
        return list(_plain(count))
    return _blocks(count, below, fork, skip, start_time)


@cache
def _plain(count: int) -> list[Block]:
    return _blocks(count, (), b"", 1, START_TIME)


def _blocks(
    count: int, below: Sequence[Block], fork: bytes, skip: int, start_time: int
) -> list[Block]:
    chain = list(below)
    for number in range(FIRST + len(chain), FIRST + count):
        happened = () if fork and number % skip == 0 else logs_of(number)
        transactions = [Transaction(TRADER, log.address, (log,)) for log in happened]
        parent = chain[-1] if chain else None
        stamp = start_time + 12 * (number - FIRST)
        extra = fork or b"simulated"
        chain.append(
            block(parent, number, stamp, transactions, extra_data=extra, has_receipts_root=False)
        )
    return chain


def told(
    happens: Mapping[int, Sequence[Log]],
    count: int,
    *,
    seconds: float = 12,
    data: bytes = b"told",
    has_receipts_root: bool = False,
) -> list[Block]:
    """Return a chain of `count` blocks, so many seconds apart, in which only these logs happen."""
    chain: list[Block] = []
    for number in range(FIRST, FIRST + count):
        sent = [Transaction(TRADER, log.address, (log,)) for log in happens.get(number, ())]
        parent, stamp = chain[-1] if chain else None, START_TIME + int(seconds * (number - FIRST))
        made = block(
            parent, number, stamp, sent, extra_data=data, has_receipts_root=has_receipts_root
        )
        chain.append(made)
    return chain


def served(chain: Sequence[Block], **settings: object) -> ServedChain:
    """Return a chain as the loopback node serves it, with two tokens that answer."""
    calls: dict[tuple[int | None, str, str], str] = {
        (None, "0x" + pool.hex(), question): "0x" + text.hex()
        for pool, decimals in ((POOL, 6), (LATE_POOL, 18))
        for question, text in (
            (DECIMALS, word(decimals)),
            (SYMBOL, encode(["string"], ["POOL"])),
        )
    }
    plain = ServedChain(1, "ethereum", SIMULATED_CLIENT, tuple(chain), calls)
    return replace(plain, **settings)  # type: ignore[arg-type]


def job(path: Path, **settings: object) -> Job:
    """Return the job of indexing both protocols into a database."""
    plain = Job(path, ETHEREUM, (FEED, POOLS), DECLARATIONS)
    return replace(plain, **settings)  # type: ignore[arg-type]


def run(work: Job, url: str) -> Summary:
    """Index from a node that fails fast, into a database that is there."""
    if not work.path.exists():
        work.path.write_bytes(empty_database())
    endpoint = Endpoint(url, tries=2, first_wait_seconds=0.01, timeout_seconds=10)
    return index(work, [endpoint], lambda _done, _total, _logs: None)


def indexed(path: Path, count: int) -> None:
    """Put a database there as one undisturbed run over so many blocks leaves it."""
    path.write_bytes(_undisturbed(count))


@cache
def _undisturbed(count: int) -> bytes:
    return left_by(blocks(count), job)


def left_by(chain: Sequence[Block], work: Callable[[Path], Job]) -> bytes:
    """Return a database as one undisturbed run over a chain leaves it."""
    with TemporaryDirectory() as folder, serve([served(chain)]) as node:
        path = Path(folder) / "a.duckdb"
        run(work(path), node.url)
        return path.read_bytes()


def contents(path: Path) -> dict[str, str]:
    """Return a hash of each table's rows, whatever their order."""
    with opened(path) as connection:
        there = filled(connection)
        return {
            name: _hash_of(connection, name) if name in there else "no rows" for name in tables()
        }


def filled(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the tables that have rows: asking every one for its rows takes longer."""
    asked = " union all ".join(f"(select '{name}' from {name} limit 1)" for name in tables())
    return {name for (name,) in connection.execute(asked).fetchall()}


def _hash_of(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    # Texts are sorted here: DuckDB takes twice as long to sort few rows of many columns.
    found = sorted(map(repr, connection.execute(f"from {table}").fetchall()))
    return sha256("".join(found).encode()).hexdigest()


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    """Return the rows of a query."""
    with opened(path) as connection:
        return connection.execute(query).fetchall()


def pruned_below(chain: Sequence[Block], number: int) -> Intercept:
    """Return a node that has no state of blocks below a number."""
    known = {block.hash for block in chain if block.number >= number}

    def intercept(_slug: str, body: bytes) -> Answer | None:
        calls = json.loads(body)
        batch = calls if isinstance(calls, list) else [calls]
        pins = {call["params"][1]["blockHash"] for call in batch if call["method"] == "eth_call"}
        if pins <= known:
            return None
        error = {"code": -32000, "message": "missing trie node 4a (path ) state is not available"}
        told = [{"jsonrpc": "2.0", "id": call["id"], "error": error} for call in batch]
        return Answer(200, json.dumps(told if isinstance(calls, list) else told[0]).encode())

    return intercept

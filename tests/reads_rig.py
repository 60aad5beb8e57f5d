"""
The small chain of `sync_rig` with pools whose share price can be asked for, at every block.

Run as a program it indexes a served chain, so that a test can kill it.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from sync_rig import BIRTH, FEED, FIRST, LATE_POOL, POOL, POOLS, START_TIME, job, run, served, word

from indexer.facts.questions import abi_functions
from indexer.simulation.blocks import Block
from indexer.simulation.served import CallKey, ServedChain
from indexer.spec import Amount, Call, Const, Emitter, Fixed, Int, Read, Seconds
from indexer.sync import Job

EVERY = 120
MANY = 10**18
BORN = {POOL: BIRTH, LATE_POOL: BIRTH + 60}
DECIMALS = {POOL: 6, LATE_POOL: 18}

PRICE = Read(
    name="price",
    abi="maple/Pool",
    calls=(Call("convertToAssets", (Int(MANY),)), Call("totalSupply")),
    every=Seconds(EVERY),
    into="share_prices",
    columns={
        "pool": Emitter(),
        "share_price_tokens": Fixed("convertToAssets", 18),
        "supply_tokens": Amount("totalSupply", Emitter()),
    },
)
PRICED = replace(POOLS, reads=(PRICE,))
DECLARATIONS = {"feed": FEED, "pools": PRICED}
NOTED = replace(
    PRICED, reads=(replace(PRICE, columns={**PRICE.columns, "asset_token": Const("0x")}),)
)

_SELECTORS = {
    name: "0x" + function.selector.hex() for name, function in abi_functions("maple/Pool").items()
}
CONVERT = _SELECTORS["convertToAssets"] + f"{MANY:064x}"
SUPPLY = _SELECTORS["totalSupply"]


def price(pool: bytes, block: Block) -> int:
    """Return what 10**18 of the smallest shares are worth after a block; forks differ."""
    return MANY + block.number * 10**9 + pool[0] * 10**7 + int(block.hash[:6], 16)


def supply(pool: bytes, block: Block) -> int:
    """Return how many shares there are after a block."""
    return 5 * 10**20 + block.number + pool[0]


def answers(chain: Sequence[Block]) -> dict[CallKey, str]:
    """Return what the pools answer in every block."""
    return {
        (block.number, "0x" + pool.hex(), question): "0x" + word(tell(pool, block)).hex()
        for block in chain
        for pool in BORN
        for question, tell in ((CONVERT, price), (SUPPLY, supply))
    }


def priced(chain: Sequence[Block], **settings: object) -> ServedChain:
    """Return a chain as the loopback node serves it, Multicall3 included."""
    plain = served(chain)
    told = replace(plain, calls={**plain.calls, **answers(chain)}, multicall_from=0)
    return replace(told, **settings)  # type: ignore[arg-type]


def work(path: Path, **settings: object) -> Job:
    """Return the job of indexing the feed and the pools, whose prices are read."""
    plain = job(path, protocols=(FEED, PRICED), declarations=DECLARATIONS)
    return replace(plain, **settings)  # type: ignore[arg-type]


def read_at(chain: Sequence[Block]) -> list[Block]:
    """Return the blocks that are the first at or after a multiple of `EVERY` seconds."""
    times = [START_TIME + 12 * (block.number - FIRST) for block in chain]
    return [
        block
        for block, before, time in zip(chain[1:], times, times[1:], strict=False)
        if before // EVERY < time // EVERY
    ]


def expected(chain: Sequence[Block]) -> list[tuple[object, ...]]:
    """Return the prices that must be found: block, place, hash, time, pool, price, supply."""
    found: list[tuple[object, ...]] = []
    for block in read_at(chain):
        alive = sorted(pool for pool, born in BORN.items() if born <= block.number)
        stamp = datetime.fromtimestamp(START_TIME + 12 * (block.number - FIRST), UTC)
        found += [
            (
                *(block.number, -1 - place, block.hash, stamp.replace(tzinfo=None)),
                "0x" + pool.hex(),
                Decimal(price(pool, block)).scaleb(-18),
                Decimal(supply(pool, block)).scaleb(-DECIMALS[pool]),
            )
            for place, pool in enumerate(alive)
        ]
    return found


FOUND = """
    select
        block_number, log_index, tx_hash, block_timestamp, pool, share_price_tokens, supply_tokens
    from share_prices
    where evidence = 'state' and protocol = 'pools' and item_index = 0
    order by block_number, log_index desc
"""
STATES = "select state, count(*) from reads group by state order by state"


if __name__ == "__main__":
    run(work(Path(sys.argv[1]), max_span=int(sys.argv[3]), max_logs=20), sys.argv[2])

"""What a discovered child inherits of the contract that announced it."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from eth_abi.abi import decode
from goldens import Built, frame, log, reasons
from sync_rig import BIRTH, FIRST, LATE_POOL, POOL, POOLS, blocks, job, logs_of, run, served
from sync_rig import rows as rows_in

from indexer.chains import ETHEREUM
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.questions import DUE, questions
from indexer.simulation.node import serve
from indexer.spec import (
    Call,
    Const,
    Contract,
    Discover,
    Emitter,
    Event,
    Fixed,
    OfContract,
    Protocol,
    Read,
    Seconds,
)

NOON = datetime(2025, 6, 1, 12)
FIRST_FACTORY, SECOND_FACTORY = "0x" + "f1" * 20, "0x" + "f2" * 20
CHILD, GRANDCHILD = "0x" + "c1" * 20, "0x" + "c2" * 20
FACTORY, VAULT = "gmx_v1/FastPriceEvents", "gmx_v1/Vault"
FEE = Event(
    VAULT,
    "CollectMarginFees",
    "fees",
    {
        "fee_kind": Const("margin"),
        "split_basis": Const("none"),
        "market": OfContract("name"),
        "fee_usd": Fixed("feeUsd", OfContract("decimals")),
    },
)
GOLD = Contract(
    ETHEREUM, FACTORY, FIRST_FACTORY, 0, version="7", says={"name": "gold", "decimals": 2}
)
SILVER = Contract(
    ETHEREUM, FACTORY, SECOND_FACTORY, 0, version="8", says={"name": "silver", "decimals": 3}
)
WORLD = Protocol(
    slug="heirs",
    name="Heirs",
    kind="perp",
    methodology="for tests",
    contracts=(GOLD, SILVER),
    events=(FEE,),
    discoveries=(Discover(FACTORY, "PriceUpdate", "priceFeed", VAULT),),
)


def birth(parent: str, child: str) -> Built:
    """Return the log by which a factory announces a child."""
    return log(FACTORY, "PriceUpdate", parent, token=parent, price=1, priceFeed=child)


def margin(emitter: str) -> Built:
    """Return a fee of 1,000 smallest units."""
    return log(VAULT, "CollectMarginFees", emitter, token=emitter, feeUsd=1_000, feeTokens=0)


def read(protocol: Protocol, *logs: Built, block: int = 200) -> Facts:
    """Return the facts of one transaction, children that it announces included."""
    told = frame(logs, block=block)
    known = declared([protocol], ETHEREUM)
    for _generation in range(2):
        born = discovered([protocol], ETHEREUM, told, known)
        known = merged(known, Known(known.tokens, known.markets, born))
    headers = pl.DataFrame(
        {"number": [block], "timestamp": [NOON]},
        {"number": pl.Int64, "timestamp": pl.Datetime("us")},
    )
    return facts([protocol], ETHEREUM, told, headers, known)


def fees(result: Facts) -> list[tuple[Any, ...]]:
    """Return market, dollars and version of each fee."""
    return result.tables["fees"].select("market", "fee_usd", "version").rows()


def test_a_child_says_what_its_factory_says() -> None:
    """Text, decimals and version are those of the factory that announced it, not of another."""
    result = read(
        WORLD,
        birth(SECOND_FACTORY, CHILD),
        birth(FIRST_FACTORY, GRANDCHILD),
        margin(CHILD),
        margin(GRANDCHILD),
    )

    assert fees(result) == [("silver", Decimal(1), "8"), ("gold", Decimal(10), "7")]


def test_a_child_of_a_child_says_it_too() -> None:
    """What a factory of factories says reaches whoever emits in the end."""
    deep = replace(
        WORLD,
        contracts=(GOLD, SILVER),
        discoveries=(
            Discover(FACTORY, "PriceUpdate", "priceFeed", "gmx_v1/FastPriceFeed"),
            Discover("gmx_v1/FastPriceFeed", "SetPrice", "token", VAULT),
        ),
    )
    second = log("gmx_v1/FastPriceFeed", "SetPrice", CHILD, token=GRANDCHILD, price=1)

    result = read(deep, birth(SECOND_FACTORY, CHILD), second, margin(GRANDCHILD))

    assert fees(result) == [("silver", Decimal(1), "8")]


def test_a_factory_that_changed_is_asked_as_of_the_birth() -> None:
    """Of two readings of one address, the one in force when the child was announced counts."""
    early = replace(GOLD, to_block=199)
    late = replace(SILVER, address=FIRST_FACTORY, from_block=200)
    both = replace(WORLD, contracts=(early, late))

    before, after = (
        read(both, birth(FIRST_FACTORY, CHILD), margin(CHILD), block=block) for block in (199, 200)
    )

    assert [row[0] for row in fees(before) + fees(after)] == ["gold", "silver"]


def test_children_of_one_address_are_told_apart_by_what_they_are() -> None:
    """Where an address has two readings at once, a child goes back to the one that announces it."""
    other = Contract(ETHEREUM, VAULT, FIRST_FACTORY, 0, version="9", says={"name": "other"})
    both = replace(WORLD, contracts=(other, GOLD))

    assert fees(read(both, birth(FIRST_FACTORY, CHILD), margin(CHILD))) == [
        ("gold", Decimal(10), "7")
    ]


def test_what_is_declared_is_not_its_own_child() -> None:
    """A declared contract that is announced as well gives one row, as it is declared."""
    own = Contract(ETHEREUM, VAULT, CHILD, 0, version="9", says={"name": "own", "decimals": 0})
    both = replace(WORLD, contracts=(*WORLD.contracts, own))

    result = read(both, birth(FIRST_FACTORY, CHILD), margin(CHILD))

    assert fees(result) == [("own", Decimal(1_000), "9")]


def test_what_nobody_says_is_not_zero() -> None:
    """Decimals that no declaration states are unknown: the number is null, not unscaled."""
    silent = replace(WORLD, contracts=(replace(GOLD, says={"name": "gold"}),))

    result = read(silent, birth(FIRST_FACTORY, CHILD), margin(CHILD))

    assert fees(result) == [("gold", None, "7")]
    assert reasons(result) == []


def test_a_child_is_asked_with_what_its_factory_says() -> None:
    """Arguments of a read may be the factory's, too."""
    worth = Read(
        name="worth",
        abi="maple/Pool",
        calls=(Call("convertToAssets", (OfContract("shares"),)),),
        every=Seconds(60),
        into="share_prices",
        columns={"pool": Emitter(), "share_price_tokens": Fixed("convertToAssets", 6)},
    )
    said = replace(POOLS, contracts=(replace(POOLS.contracts[0], says={"shares": 77}),))
    pools = replace(said, reads=(worth,))
    schema = declared([pools], ETHEREUM).contracts.schema
    row = (1, "pools", "maple/Pool", CHILD, BIRTH, pools.contracts[0].address, "0x00", 0)
    born = pl.DataFrame([row], schema, orient="row")
    due = pl.DataFrame([("worth", BIRTH, b"\xbb" * 32, NOON)], DUE, orient="row")

    asked = questions(pools, ETHEREUM, replace(declared([pools], ETHEREUM), contracts=born), due)

    assert [decode(["uint256"], sent[4:]) for sent in asked["input"]] == [(77,)]


@pytest.mark.parametrize("span", [17, 1_000])
def test_indexed_children_carry_what_their_factory_says(tmp_path: Path, span: int) -> None:
    """Through a node, in one range or many: every flow of both pools, none twice."""
    (deployer,) = POOLS.contracts
    flow = replace(
        POOLS.events[0],
        columns={
            **POOLS.events[0].columns,
            "asset_token": OfContract("asset"),
        },
    )
    pools = replace(
        POOLS,
        contracts=(replace(deployer, version="3", says={"asset": "0xa55e7"}),),
        events=(flow,),
    )
    path = tmp_path / "a.duckdb"
    with serve([served(blocks(240))]) as node:
        work = job(path, protocols=(pools,), declarations={"pools": pools}, max_span=span)
        run(work, node.url)

    told = "select pool, asset_token, version, count(*) from pool_flows group by all order by pool"
    deposits = {pool: _deposits(pool, 240) for pool in (POOL, LATE_POOL)}
    assert rows_in(path, told) == [
        (f"0x{pool.hex()}", "0xa55e7", "3", count) for pool, count in deposits.items()
    ]


def _deposits(pool: bytes, count: int) -> int:
    happened = [log for number in range(FIRST, FIRST + count) for log in logs_of(number)]
    return sum(log.address == pool for log in happened)

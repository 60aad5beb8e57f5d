"""Contracts read in part: only logs whose indexed arguments are among those declared."""

import json
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from goldens import Built, frame, log
from sync_rig import (
    FEED,
    FIRST,
    POOLS,
    TRADER,
    answer,
    contents,
    job,
    rows,
    run,
    served,
    told,
    word,
)

from indexer.chains import ETHEREUM
from indexer.facts import declared, facts, log_filter, narrow_filters, owned
from indexer.facts.asking import declared_topics
from indexer.facts.routes import abi_entries, restrictions
from indexer.proof import hits, unheard
from indexer.protocols import PROTOCOLS
from indexer.rpc import Filter
from indexer.simulation.blocks import Block, Log
from indexer.simulation.node import serve
from indexer.simulation.proofs import bloom
from indexer.spec import Arg, Const, Contract, Discover, Emitter, Event, Fixed, Protocol
from indexer.sync import Job
from indexer.sync.proving import declared_by

TOKEN, VAULT, SAFE, STRANGER = ("0x" + text * 20 for text in ("70", "ab", "ac", "ee"))
ZERO = "0x" + "00" * 20
COUNT = 200


def boughts(**only: tuple[str, ...]) -> Protocol:
    """Return a protocol that reads a token's transfers as far as `only` says."""
    return Protocol(
        slug="boughts",
        name="Bought tokens",
        kind="token",
        methodology="Every transfer to a safe is a flow.",
        contracts=(Contract(ETHEREUM, "erc20/Token", TOKEN, FIRST, only=only),),
        events=(
            Event(
                abi="erc20/Token",
                name="Transfer",
                into="pool_flows",
                columns={
                    "kind": Const("deposit"),
                    "pool": Emitter(),
                    "account": Arg("from"),
                    "asset_tokens": Fixed("value", 0),
                },
            ),
        ),
    )


TO_SAFES = boughts(to=(VAULT, SAFE))
BURNS = boughts(**{"from": (VAULT,), "to": (ZERO,)})


def transfer(sender: str, to: str, value: int = 1, token: str = TOKEN) -> Built:
    """Return a transfer's log."""
    return log("erc20/Token", "Transfer", token, **{"from": sender, "to": to, "value": value})


def mine(protocol: Protocol, *logs: Built) -> list[bool]:
    """Return which logs of one transaction are the protocol's."""
    known = declared([protocol], ETHEREUM)
    table = frame(list(logs), block=FIRST)
    return owned([protocol], ETHEREUM, table, known)[protocol.slug].to_list()


def test_only_the_declared_logs_are_owned() -> None:
    """Each of the addresses counts; another recipient, or another token, does not."""
    logs = [
        transfer(STRANGER, VAULT),
        transfer(STRANGER, SAFE),
        transfer(VAULT, STRANGER),
        transfer(STRANGER, VAULT, token=STRANGER),
    ]

    assert mine(TO_SAFES, *logs) == [True, True, False, False]


def test_all_arguments_restrict_together() -> None:
    """A burn by someone else, or a payment by the vault, is no burn by the vault."""
    logs = [transfer(VAULT, ZERO), transfer(STRANGER, ZERO), transfer(VAULT, STRANGER)]

    assert mine(BURNS, *logs) == [True, False, False]


def test_an_address_declared_twice_is_read_for_both() -> None:
    """One contract's restriction does not hide what another declares of the same address."""
    both = replace(TO_SAFES, contracts=(*TO_SAFES.contracts, *BURNS.contracts))

    logs = [transfer(STRANGER, SAFE), transfer(VAULT, ZERO), transfer(STRANGER, ZERO)]

    assert mine(both, *logs) == [True, True, False]


def test_a_log_that_fits_two_contracts_of_one_address_counts_once() -> None:
    """What a wallet sends itself is both from it and to it, and moved once."""
    contracts = boughts(to=(VAULT,)).contracts + boughts(**{"from": (VAULT,)}).contracts
    both = replace(TO_SAFES, contracts=contracts)
    logs = frame([transfer(VAULT, VAULT, 7), transfer(STRANGER, VAULT, 5)], block=FIRST)
    headers = pl.DataFrame({"number": [FIRST], "timestamp": [datetime(2022, 12, 2)]})

    found = facts([both], ETHEREUM, logs, headers, declared([both], ETHEREUM))

    assert found.tables["pool_flows"]["asset_tokens"].to_list() == [7, 5]
    assert found.rejects.is_empty()


def test_what_is_read_in_part_is_asked_for_apart() -> None:
    """Nodes are asked by topic; the filter of whole contracts names neither address nor event."""
    whole = log_filter([FEED, TO_SAFES], ETHEREUM, declared([FEED, TO_SAFES], ETHEREUM))

    (narrow,) = narrow_filters([FEED, TO_SAFES], ETHEREUM)

    transfers = abi_entries("erc20/Token")["Transfer"].topic0
    assert bytes.fromhex(TOKEN[2:]) not in whole.addresses
    assert transfers not in whole.topic0s
    safes = tuple(word(bytes.fromhex(address[2:])) for address in (VAULT, SAFE))
    assert narrow == Filter((bytes.fromhex(TOKEN[2:]),), (transfers,), ((), safes))


def test_children_of_an_abi_that_is_read_in_part_elsewhere_are_asked_for() -> None:
    """A restriction is one contract's: a child with its ABI is read as a whole, blooms too."""
    found = Discover("maple/PoolDeployer", "PoolDeployed", "pool_", "erc20/Token")
    contracts = (*TO_SAFES.contracts, *POOLS.contracts)
    shares = replace(TO_SAFES, contracts=contracts, discoveries=(found,))
    transfers = abi_entries("erc20/Token")["Transfer"].topic0

    whole = log_filter([shares], ETHEREUM, declared([shares], ETHEREUM))
    topics = declared_topics((shares,), ETHEREUM)

    assert transfers in whole.topic0s
    assert (f"{shares.slug} erc20/Token", transfers) in topics.select("group", "topic0").rows()


def test_what_no_event_is_read_of_is_not_asked_for() -> None:
    """A search for children alone reads no event of Aave's tokens: its factories are asked."""
    search = replace(PROTOCOLS["aave"], events=())

    assert narrow_filters([search], ETHEREUM) == ()
    assert log_filter([search], ETHEREUM, declared([search], ETHEREUM)).addresses


def test_filters_of_the_same_places_are_one() -> None:
    """A request per set of places, however many tokens: two here, for to and for from and to."""
    other = replace(boughts(to=(STRANGER,)), slug="other")

    asked = narrow_filters([TO_SAFES, other, BURNS], ETHEREUM)

    assert [len(one.others) for one in asked] == [2, 2]
    assert sorted(len(one.others[1]) for one in asked) == [1, 3]


def test_an_argument_that_is_not_indexed_restricts_nothing() -> None:
    """Nodes cannot search for it, so such a declaration is refused, by name."""
    wrong = boughts(value=("0x01",))

    with pytest.raises(ValueError, match="boughts: value of erc20/Token does not restrict"):
        restrictions(wrong, wrong.contracts[0])


def test_every_declared_restriction_can_be_asked_for() -> None:
    """No shipped declaration restricts by what is no topic."""
    for protocol in PROTOCOLS.values():
        for contract in protocol.contracts:
            assert set(restrictions(protocol, contract)) <= {1, 2, 3}


def test_a_bloom_is_asked_for_the_logs_that_matter() -> None:
    """A transfer to a safe that no log tells of is missed; one to a stranger is not."""
    topics = {to: transfer(STRANGER, to).topics for to in (SAFE, STRANGER)}
    held = [bloom([bytes.fromhex(TOKEN[2:]), *topics[to]]) for to in (SAFE, STRANGER)]
    heads = pl.DataFrame({"number": [1, 2], "logs_bloom": [one.to_bytes(256) for one in held]})
    known = declared([TO_SAFES], ETHEREUM)
    alive = declared_by((TO_SAFES,), ETHEREUM, known)
    always = replace(alive, emitters=alive.emitters.with_columns(from_block=0))

    found = hits(heads, always)

    assert unheard(found, frame([], block=1)) == {1}
    assert unheard(found, frame([transfer(STRANGER, SAFE)], block=1)) == set()


def moved(sender: str, to: str, value: int) -> Log:
    """Return a transfer for a served chain."""
    built = transfer(sender, to, value)
    return Log(bytes.fromhex(TOKEN[2:]), built.topics, built.data)


def happens() -> dict[int, list[Log]]:
    """Return answers of a feed, transfers to a safe, and many more to others."""
    busy = {
        number: [answer(number), moved(STRANGER, "0x" + TRADER.hex(), number)]
        for number in range(FIRST, FIRST + COUNT)
    }
    for number in range(FIRST, FIRST + COUNT, 9):
        busy[number].append(moved(STRANGER, SAFE, number))
    return busy


@cache
def busy_chain() -> list[Block]:
    """Return the chain with receipts roots."""
    return told(happens(), COUNT, has_receipts_root=True)


@pytest.mark.parametrize("proof", ["fetched", "bloom", "receipts"])
def test_a_range_brings_the_declared_logs_and_no_others(tmp_path: Path, proof: str) -> None:
    """At every level of proof; what nodes send is what is stored, beside contracts read whole."""
    asked: list[dict[str, list[object]]] = []

    def intercept(_slug: str, body: bytes) -> None:
        calls = json.loads(body)
        for call in calls if isinstance(calls, list) else [calls]:
            if call["method"] == "eth_getLogs":
                asked.append(call["params"][0])

    path = tmp_path / "part.duckdb"
    with serve([served(busy_chain())], intercept=intercept) as node:
        declarations = {"feed": FEED, "boughts": TO_SAFES}
        work = job(path, protocols=(FEED, TO_SAFES), declarations=declarations, proof=proof)
        run(work, node.url)

    expected = list(range(FIRST, FIRST + COUNT, 9))
    assert rows(path, "select asset_tokens::bigint from pool_flows order by all") == [
        (number,) for number in expected
    ]
    assert rows(path, "select count(*) from oracle_updates") == [(COUNT,)]
    assert rows(path, "select count(*) from logs") == [(COUNT + len(expected),)]
    assert {len(query["topics"]) for query in asked} == {1, 3}
    assert {proof for (proof,) in rows(path, "select distinct proof from coverage")} == {proof}


def indexed(work: Job) -> dict[str, str]:
    """Return the database that a job makes of the busy chain."""
    with serve([served(busy_chain())]) as node:
        run(work, node.url)
    return contents(work.path)


def test_a_wider_restriction_asks_for_what_is_new(tmp_path: Path) -> None:
    """After another recipient is declared, the database is as if it had always been."""
    narrow, wide = boughts(to=(SAFE,)), boughts(to=(SAFE, "0x" + TRADER.hex()))
    path, afresh = tmp_path / "grown.duckdb", tmp_path / "afresh.duckdb"

    first = job(path, protocols=(narrow,), declarations={"boughts": narrow})
    indexed(first)
    grown = indexed(replace(first, protocols=(wide,), declarations={"boughts": wide}))

    assert grown == indexed(
        replace(first, path=afresh, protocols=(wide,), declarations={"boughts": wide})
    )
    assert rows(path, "select count(*) from pool_flows") == [(COUNT + 23,)]

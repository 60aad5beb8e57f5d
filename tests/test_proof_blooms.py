"""Blooms of many headers at once, against one bloom at a time."""

import asyncio
import random
from typing import Any

import polars as pl
import pytest

from indexer.chains import ETHEREUM
from indexer.facts.routes import ENVELOPES
from indexer.proof import Declared, chances, hits, outside, unheard
from indexer.simulation.proofs import bloom
from indexer.sync.proving import Claim, check

FEED, OTHER = b"\xaa" * 20, b"\xbb" * 20
ANSWER, EVENT = b"\x01" * 32, b"\x02" * 32
NAMES = [b"\x03" * 32, b"\x04" * 32]
DECLARED = Declared(
    pl.DataFrame(
        {
            "group": ["feed", "keyed", "keyed"],
            "address": [FEED, OTHER, FEED],
            "from_block": [10, 0, 0],
            "to_block": [None, 20, 0],
        },
        {"group": pl.String, "address": pl.Binary, "from_block": pl.Int64, "to_block": pl.Int64},
    ),
    pl.DataFrame(
        {"group": ["feed", "keyed"], "topic0": [ANSWER, EVENT], "topic1": [None, NAMES[0]]},
        {"group": pl.String, "topic0": pl.Binary, "topic1": pl.Binary},
    ),
)


def headers(**blooms: list[bytes]) -> pl.DataFrame:
    """Return headers whose blooms hold these values; names are b and the number."""
    rows = [(int(name[1:]), bloom(items).to_bytes(256)) for name, items in blooms.items()]
    return pl.DataFrame(rows, {"number": pl.Int64, "logs_bloom": pl.Binary}, orient="row")


def logs(*rows: tuple[int, bytes, bytes, bytes | None]) -> pl.DataFrame:
    """Return logs of these blocks, addresses, first and second topics."""
    names = {"block_number": pl.Int64} | dict.fromkeys(("address", "topic0", "topic1"), pl.Binary)
    return pl.DataFrame(rows, names, orient="row")


def numbers(found: pl.DataFrame) -> list[int]:
    """Return the blocks of hits."""
    return sorted(found["number"])


def test_a_log_that_its_bloom_excludes_is_found() -> None:
    """Address and every topic are looked for; blocks without a header are passed over."""
    heads = headers(b10=[FEED, ANSWER], b11=[FEED, ANSWER, NAMES[1]], b12=[])
    there = logs(
        (10, FEED, ANSWER, NAMES[1]), (11, FEED, ANSWER, NAMES[1]), (99, FEED, ANSWER, None)
    )

    assert outside(there, heads, ("address", "topic0")) == set()
    assert outside(there, heads, ("address", "topic0", "topic1")) == {10}
    assert outside(logs((12, FEED, ANSWER, None)), heads, ("address",)) == {12}


def test_random_blooms_agree_with_one_at_a_time() -> None:
    """Over blocks with half-full blooms and one log each, exactly the excluded ones are found."""
    chance = random.Random(7)
    values = [chance.randbytes(32) for _ in range(900)]
    held = {f"b{number}": chance.sample(values, 450) for number in range(150)}
    rows = [(number, FEED, chance.choice(values), None) for number in range(150)]

    expected = {
        number for number, _, value, _ in rows if bloom([value]) & ~bloom(held[f"b{number}"])
    }

    assert outside(logs(*rows), headers(**held), ("topic0",)) == expected
    assert 0 < len(expected) < 150


def test_a_hit_needs_address_and_topics_of_one_group() -> None:
    """The feed's address with another's event is no hit, nor a keyed event without its key."""
    heads = headers(
        b10=[FEED, ANSWER],
        b11=[FEED, EVENT, NAMES[0]],
        b12=[OTHER, EVENT, NAMES[1]],
        b13=[OTHER, EVENT, NAMES[0]],
    )

    assert numbers(hits(heads, DECLARED)) == [10, 13]


def test_a_hit_needs_an_emitter_that_lives() -> None:
    """Before its first block and after its last one a contract is not waited for."""
    heads = headers(b9=[FEED, ANSWER], b10=[FEED, ANSWER], b21=[OTHER, EVENT, NAMES[0]])

    assert numbers(hits(heads, DECLARED)) == [10]


@pytest.mark.parametrize(
    ("told", "silent"),
    [
        ([], {10, 13}),
        ([(10, FEED, ANSWER, b"\x09" * 32)], {13}),
        ([(10, FEED, ANSWER, None), (13, OTHER, EVENT, NAMES[0])], set()),
        ([(10, OTHER, ANSWER, None), (13, OTHER, EVENT, NAMES[1])], {10, 13}),
    ],
)
def test_a_hit_without_its_log_is_unheard(
    told: list[tuple[int, bytes, bytes, bytes | None]], silent: set[int]
) -> None:
    """A log answers for a hit of its block, address, first topic and, of keyed events, second."""
    heads = headers(b10=[FEED, ANSWER], b13=[OTHER, EVENT, NAMES[0]])

    assert unheard(hits(heads, DECLARED), logs(*told)) == silent


def test_a_name_may_be_heard_in_any_envelope() -> None:
    """Two names in two envelopes look like four events; of what has no envelope each is missed."""
    first, second = ENVELOPES[1:]
    names = {
        "topic0": [first, second, ANSWER, EVENT] * 2,
        "topic1": [*NAMES[:1] * 4, *NAMES[1:] * 4],
    }
    topics = pl.DataFrame(names).with_columns(group=pl.lit("feed"))
    heads = headers(b10=[FEED, first, second, *NAMES], b11=[FEED, ANSWER, EVENT, NAMES[0]])
    told = [(10, FEED, first, NAMES[0]), (10, FEED, second, NAMES[1])]
    told += [(11, FEED, ANSWER, NAMES[0])]
    declared = Declared(DECLARED.emitters, topics)
    found = hits(heads, declared)
    heard = logs(*told[:2])
    claim = Claim(ETHEREUM, 10, 10, "fetched", heard, lambda some: some, declared)
    nobody: Any = None  # who is asked for receipts
    finding = asyncio.run(check(nobody, claim, heads.filter(number=10)))

    assert finding.faults == {}
    assert len(found.filter(number=10)) == 4
    assert unheard(found, logs(*told)) == {10, 11}
    assert unheard(found, logs(*told), ENVELOPES) == {11}
    assert unheard(found, logs(*told[1:]), ENVELOPES) == {10, 11}


def test_many_emitters_are_asked_in_parts() -> None:
    """Where children number in the thousands, the answer is the same as for each alone."""
    chance = random.Random(3)
    children = [chance.randbytes(20) for _ in range(30_000)]
    emitters = pl.DataFrame(
        {
            "group": "pool",
            "address": children,
            "from_block": 0,
            "to_block": pl.Series([None] * len(children), dtype=pl.Int64),
        }
    )
    topics = pl.DataFrame(
        {"group": ["pool"], "topic0": [EVENT], "topic1": pl.Series([None], dtype=pl.Binary)}
    )
    held = {f"b{number}": [children[number * 7], EVENT] for number in range(400)}

    found = hits(headers(**held), Declared(emitters, topics))

    assert set(found.select("number", "address").rows()) >= {
        (number, children[number * 7]) for number in range(400)
    }
    assert len(found) < 500


def test_chance_grows_with_the_bloom() -> None:
    """An empty bloom gives none, a full one every declared pair; half of it half for each bit."""
    blooms = [bytes(256), b"\xff" * 256, b"\x0f" * 256]
    heads = pl.DataFrame({"number": [1, 2, 3], "logs_bloom": blooms})

    assert DECLARED.bits == [(6, 1), (9, 2)]
    assert chances(heads, DECLARED).to_list() == [0, 3, 1 / 2**6 + 2 / 2**9]


def test_no_headers_give_no_hits() -> None:
    """An empty range is no special case."""
    assert numbers(hits(headers(), DECLARED)) == []

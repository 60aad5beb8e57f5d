"""Questions of a declaration: of whom, with which words, and how their facts are numbered."""

from dataclasses import replace

import polars as pl
import pytest
from goldens import NOON

from indexer.chains import ETHEREUM
from indexer.facts import Known, declared, digest
from indexer.facts.questions import DUE, questions, readable_from
from indexer.spec import (
    Blocks,
    Call,
    Const,
    Contract,
    Emitter,
    Int,
    OfContract,
    Protocol,
    Read,
)
from indexer.sync.declarations import label
from indexer.tables import columns_of

POOL_ABI = "maple/Pool"
OLD, NEW, CHILD, LENS = ("0x" + digits * 20 for digits in ("0a", "0b", "0c", "0d"))
SUPPLY = Read(
    "supply", POOL_ABI, (Call("totalSupply"),), Blocks(10), "share_prices", {"pool": Emitter()}
)
WORTH = replace(SUPPLY, name="worth", calls=(Call("convertToAssets", (OfContract("shares"),)),))
DECLARED = Protocol(
    slug="pools",
    name="Pools",
    kind="credit",
    methodology="State is read.",
    contracts=(
        Contract(ETHEREUM, POOL_ABI, OLD, 100, 199, says={"shares": 5}),
        Contract(ETHEREUM, POOL_ABI, NEW, 200, says={"shares": 7}),
    ),
    events=(),
    reads=(SUPPLY, WORTH),
)


def known(*born: int) -> Known:
    """Return what is known where one child was announced in each of these blocks."""
    rows = [(1, "pools", POOL_ABI, CHILD, block, OLD, "0x00", 0) for block in born]
    contracts = pl.DataFrame(rows, columns_of("contracts"), orient="row")
    return replace(declared([DECLARED], ETHEREUM), contracts=contracts)


def asked(protocol: Protocol, *due: tuple[str, int], born: tuple[int, ...] = ()) -> pl.DataFrame:
    """Return what is asked where reads are due at blocks."""
    rows = [(name, block, b"\xbb" * 32, NOON) for name, block in due]
    return questions(protocol, ETHEREUM, known(*born), pl.DataFrame(rows, DUE, orient="row"))


def places(rows: pl.DataFrame) -> list[tuple[int, int, str, str]]:
    """Return block, place, function and contract of each question."""
    told = "0x" + pl.col("address").bin.encode("hex")
    return rows.select("block_number", "log_index", "call", told).rows()


def test_a_contract_is_asked_while_it_is_in_force() -> None:
    """From its first block to its last, both included, and in no other."""
    found = asked(DECLARED, *(("supply", block) for block in (99, 100, 199, 200)))

    assert places(found) == [
        (100, -1, "totalSupply", OLD),
        (199, -1, "totalSupply", OLD),
        (200, -1, "totalSupply", NEW),
    ]


def test_a_child_is_asked_from_its_birth_on() -> None:
    """A discovered contract stands beside the declared ones, in the order of addresses."""
    only_supply = replace(DECLARED, reads=(SUPPLY,))

    found = asked(only_supply, ("supply", 249), ("supply", 250), born=(250,))

    assert places(found) == [
        (249, -1, "totalSupply", NEW),
        (250, -1, "totalSupply", NEW),
        (250, -2, "totalSupply", CHILD),
    ]
    assert readable_from(SUPPLY, only_supply, ETHEREUM, known(50)) == 50


def test_places_count_over_all_reads_of_a_block() -> None:
    """What is due at one block is numbered through, and alone at each block from the start."""
    found = asked(DECLARED, ("worth", 300), ("supply", 300), ("worth", 310))

    assert places(found) == [
        (300, -1, "totalSupply", NEW),
        (300, -2, "convertToAssets", NEW),
        (310, -1, "convertToAssets", NEW),
    ]


def test_an_argument_is_what_the_contract_declares() -> None:
    """Selector and one word, each contract's own."""
    found = asked(DECLARED, ("worth", 150), ("worth", 250))

    sent = [content.hex() for content in found["input"]]
    assert sent == [f"07a2d13a{5:064x}", f"07a2d13a{7:064x}"]


def test_another_contract_can_be_asked_about_each() -> None:
    """A lens is asked; the row is about the contract, whose address may be an argument."""
    call = Call("convertToAssets", (Int(9),), to=LENS)
    found = asked(replace(DECLARED, reads=(replace(SUPPLY, calls=(call,)),)), ("supply", 250))

    assert places(found) == [(250, -1, "convertToAssets", LENS)]
    assert [emitter.hex() for emitter in found["emitter"]] == [NEW[2:]]


def test_a_child_declares_nothing_to_ask_with() -> None:
    """A read that needs what only declared contracts say is a mistake of the declaration."""
    with pytest.raises(ValueError, match="declares no shares"):
        asked(DECLARED, ("worth", 250), born=(250,))


def test_what_is_asked_decides_whether_answers_can_be_used_again() -> None:
    """Another column is another digest; another question is another reach as well."""
    columns = replace(DECLARED, reads=(replace(SUPPLY, columns={"pool": Const("0x")}), WORTH))
    rarer = replace(DECLARED, reads=(replace(SUPPLY, every=Blocks(20)), WORTH))

    digests = {digest(one, ETHEREUM) for one in (DECLARED, columns, rarer)}
    reaches = [label(one, ETHEREUM).partition("/")[2] for one in (DECLARED, columns, rarer)]
    assert len(digests) == 3
    assert reaches[0] == reaches[1] != reaches[2]

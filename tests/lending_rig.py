"""Lending protocols under test: their facts with the decimals a node would have told."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import NOON, Built, frame
from recordings import Captured, captured, of_chain, place

from indexer.chains import CHAINS, ETHEREUM, Chain
from indexer.facts import Facts, Known, declared, facts, merged
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.spec import Protocol, Token
from indexer.tables import columns_of, empty

BLOCK = 30_000_000


def read(
    slug: str,
    logs: pl.DataFrame,
    decimals: Mapping[str, int],
    chain: Chain = ETHEREUM,
    earlier: Known | None = None,
) -> Facts:
    """Return the facts of one protocol, where nodes told these decimals by token."""
    tokens = tuple(Token(chain, token, "T", places) for token, places in decimals.items())
    told = Protocol("told", "told", "credit", "", (), (), tokens=tokens)
    stated = declared([PROTOCOLS[slug], told], chain)
    headers = logs.select(number="block_number").unique()
    timed = headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us")))
    known = merged(stated, earlier) if earlier else stated
    return facts([PROTOCOLS[slug]], chain, logs, timed, known)


def built(
    slug: str,
    decimals: Mapping[str, int],
    *logs: Built,
    block: int = BLOCK,
    chain: Chain = ETHEREUM,
    earlier: Known | None = None,
) -> Facts:
    """Return the facts of one synthetic transaction."""
    return read(slug, frame(logs, block=block), decimals, chain, earlier)


def recorded(shared: Path, slug: str, topic0: str) -> list[Captured]:
    """Return the recorded logs of one event whose emitter the protocol declares."""
    emitters = {
        (contract.chain.slug, contract.address.lower()) for contract in PROTOCOLS[slug].contracts
    }
    return [one for one in captured(shared, topic0) if (one["_chain"], one["address"]) in emitters]


def recorded_rows(
    slug: str, logs: Sequence[Captured], decimals: Mapping[str, int], table: str, *columns: str
) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return the rows that recorded logs of any chain give, by the place of their log."""
    found: dict[tuple[str, int], tuple[Any, ...]] = {}
    for chain in CHAINS:
        here = of_chain(logs, chain.slug)
        if here.is_empty():
            continue
        chosen = read(slug, here, decimals, chain).tables[table]
        for row in chosen.select("tx_hash", "log_index", *columns).iter_rows():
            assert (row[0], row[1]) not in found
            found[row[0], row[1]] = row[2:]
    return found


def expected_rows(
    logs: Sequence[Captured], values: Sequence[tuple[Any, ...]]
) -> dict[tuple[str, int], tuple[Any, ...]]:
    """Return what the logs should give, by the place of their log."""
    return dict(zip(map(place, logs), values, strict=True))


def children(slug: str, *places: tuple[str, str, str], block: int = BLOCK - 10) -> Known:
    """Return what an earlier block announced: abi, address and announcing contract of children."""
    announced = [
        (1, slug, abi, address, block, parent, "0x00", 0) for abi, address, parent in places
    ]
    contracts = pl.DataFrame(announced, columns_of("contracts"), orient="row")
    return Known(empty("tokens"), empty("markets"), contracts)


def answered(
    slug: str,
    read_name: str,
    answers: Mapping[tuple[str, str], bytes],
    decimals: Mapping[str, int],
    *,
    chain: Chain = ETHEREUM,
    block: int = BLOCK,
    known: Known | None = None,
) -> Facts:
    """Return the facts of one read at one block, by (contract asked, function) -> answer."""
    tokens = tuple(Token(chain, token, "T", places) for token, places in decimals.items())
    told = Protocol("told", "told", "credit", "", (), (), tokens=tokens)
    stated = declared([PROTOCOLS[slug], told], chain)
    all_known = merged(stated, known) if known else stated
    due = pl.DataFrame([(read_name, block, b"\xbb" * 32, NOON)], DUE, orient="row")
    asked = questions(PROTOCOLS[slug], chain, all_known, due)
    keys = asked.select("0x" + pl.col("address").bin.encode("hex"), "call").rows()
    given = [answers.get(key) for key in keys]
    reads = asked.with_columns(
        pl.Series("answer", given, pl.Binary),
        pl.Series("state", ["source_error" if one is None else "available" for one in given]),
        detail=pl.lit(None, pl.String),
    )
    return read_facts([PROTOCOLS[slug]], chain, reads, all_known)


def noted(function: str, emitter: str, *topics: str | int) -> Built:
    """Return the note of a call: selector and words as topics, 224 bytes of calldata as data."""
    words_ = [int(one, 16) if isinstance(one, str) else one for one in topics]
    selector = keccak(text=function)[:4]
    calldata = (selector + b"".join(one.to_bytes(32) for one in words_)).ljust(224, b"\0")
    padded = [*words_, 0, 0, 0][:3]
    first = (selector.ljust(32, b"\0"), *(one.to_bytes(32) for one in padded))
    return Built(emitter, first, encode(["bytes"], [calldata]))

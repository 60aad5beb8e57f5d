"""Answers to a declaration's reads, and the facts they make."""

import polars as pl
from eth_abi.abi import encode
from goldens import NOON

from indexer.chains import Chain
from indexer.facts import Facts, declared
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS

BLOCK = 900_000_000


def asked(slug: str, chain: Chain, *reads: str, block: int = BLOCK) -> pl.DataFrame:
    """Return the questions of these reads at one block."""
    protocol = PROTOCOLS[slug]
    due = pl.DataFrame([(read, block, b"\xbb" * 32, NOON) for read in reads], DUE, orient="row")
    return questions(protocol, chain, declared([protocol], chain), due)


def answered(slug: str, chain: Chain, read: str, answers: dict[tuple[str, str], int]) -> Facts:
    """
    Return the facts of one read at one block.

    Args:
        slug: whose read.
        chain: where.
        read: which.
        answers: (function, whom) -> the number returned; who is left out does not answer.
    """
    rows = asked(slug, chain, read)
    told = [
        answers.get((call, f"0x{address.hex()}"))
        for call, address in rows.select("call", "address").iter_rows()
    ]
    raw = [None if one is None else encode(["uint256"], [one]) for one in told]
    reads = rows.with_columns(
        pl.Series("answer", raw, pl.Binary),
        state=pl.Series(["not_applicable" if one is None else "available" for one in told]),
        detail=pl.lit(None, pl.String),
    )
    protocol = PROTOCOLS[slug]
    return read_facts([protocol], chain, reads, declared([protocol], chain))

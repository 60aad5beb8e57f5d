"""
How far a fact is proven, and how final it is: what `coverage` says of the block it stands in.

    fetched < waived < bloom < receipts

`waived` lies above `fetched` because somebody looked: the chain's rules forbid a proof, and the
waiver says which. Rows of imported files stand in no covered block, and nothing proves them.
"""

import polars as pl

LEVELS = ("fetched", "waived", "bloom", "receipts")
IMPORTED = "imported"
UNCOVERED = "not covered"

_KEYS = ("chain_id", "protocol")


def with_proof(rows: pl.DataFrame, coverage: pl.DataFrame) -> pl.DataFrame:
    """
    Return facts with how far the block of each is proven, and how final it is.

    Args:
        rows: facts: chain_id, protocol, block_number.
        coverage: the table, its intervals disjoint within a chain and protocol.

    Returns:
        The rows in their order, with `proof`: a level; imported, of a venue that is no chain; not
        covered, where no interval holds the block; and with `finality`, null where none does.
    """
    names = ("from_block", "to_block", "proof", "finality")
    spans = coverage.select(*_KEYS, *names).sort("from_block")
    placed = rows.with_row_index("place").sort("block_number")
    found = placed.join_asof(
        spans,
        left_on="block_number",
        right_on="from_block",
        by=list(_KEYS),
        check_sortedness=False,
        coalesce=False,
    )
    is_inside = pl.col("block_number") <= pl.col("to_block")
    proof = (
        pl.when(is_inside)
        .then("proof")
        .when(pl.col("chain_id") < 0)
        .then(pl.lit(IMPORTED))
        .otherwise(pl.lit(UNCOVERED))
    )
    final = pl.when(is_inside).then("finality")
    told = found.with_columns(proof=proof, finality=final)
    return told.sort("place").drop("place", "from_block", "to_block")


def below(coverage: pl.DataFrame, level: str) -> pl.DataFrame:
    """
    Return the covered intervals that are proven less far than asked.

    A waived interval passes every level: nobody can prove more of it, and its waiver stands in the
    report. So does one at `bloom` whose waiver says that the chain has no receipts root.

    Args:
        coverage: rows of the table.
        level: one of `LEVELS`.

    Raises:
        ValueError: no such level.
    """
    least = LEVELS.index(level)
    rank = pl.col("proof").replace_strict({name: at for at, name in enumerate(LEVELS)})
    is_excused = pl.col("waiver").is_not_null()
    return coverage.filter((rank < least) & ~is_excused).sort(*_KEYS, "from_block")

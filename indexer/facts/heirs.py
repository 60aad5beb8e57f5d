"""Which declared contract a discovered child goes back to: it inherits version and `says`."""

import polars as pl

_CHILD = ["protocol", "abi", "address"]


def heirs(declared: pl.DataFrame, children: pl.DataFrame, announced: pl.DataFrame) -> pl.DataFrame:
    """
    Return the children as emitters, each with `version` and `contract` of who announced it.

    A child of a child inherits through it. One whose announcer is not declared has version "1" and
    no contract; one that is declared itself is left out, since the declaration knows more.

    Args:
        declared: emitters that are declared: address, protocol, abi, from_block, to_block, version,
            contract.
        children: address, protocol, abi, from_block, parent.
        announced: protocol, parent_abi, contract, abi: what events of this contract announce.
    """
    left = children.join(declared, on=_CHILD, how="anti", maintain_order="left")
    parents, found = declared, declared.clear()
    while len(left) and len(parents):
        parents = _generation(parents, left, announced).select(declared.columns)
        left = left.join(parents, on=_CHILD, how="anti", maintain_order="left")
        found = pl.concat([found, parents])
    orphans = left.with_columns(to_block=None, version=pl.lit("1"), contract=None)
    kinds = dict(declared.schema)
    return pl.concat([found, orphans.select(pl.col(name).cast(kinds[name]) for name in kinds)])


def _generation(parents: pl.DataFrame, left: pl.DataFrame, announced: pl.DataFrame) -> pl.DataFrame:
    announcers = parents.rename({"abi": "parent_abi", "address": "parent"}).join(
        announced, on=["protocol", "parent_abi", "contract"], maintain_order="left"
    )
    spoke = pl.col("from_block").is_between("parent_from", pl.col("to_block").fill_null(2**62))
    return (
        announcers.rename({"from_block": "parent_from"})
        .join(left, on=["protocol", "parent", "abi"], maintain_order="right_left")
        .filter(spoke)
        .unique(_CHILD, keep="first", maintain_order=True)
        .with_columns(to_block=pl.lit(None, pl.Int64))
    )

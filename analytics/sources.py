"""
Sources of prices by number, and each beside the others of its asset and quote.

A source is a feed of a protocol on a chain. What is joined, grouped and sorted by its number has a
word per row instead of five texts: a quarter of the time, and half the memory.
"""

import polars as pl

from analytics.prices import IS_PRICE, PAIR, SERIES, is_current, with_reference_names


def comparable(oracle_updates: pl.LazyFrame, tolerance_seconds: int) -> pl.LazyFrame:
    """Return the prices of known assets that were news when they were told (`is_current`)."""
    is_told = pl.col("asset").is_not_null() & IS_PRICE & is_current(tolerance_seconds)
    return oracle_updates.filter(is_told)


def numbered(oracle_updates: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return every source of an asset and quote with its number, which follows the order of names.

    Args:
        oracle_updates: rows of asset, quote, chain_id, protocol and feed.

    Returns:
        asset, quote, chain_id, protocol, feed, source (UInt32).
    """
    return oracle_updates.select(SERIES).unique().sort(SERIES).with_row_index("source").cache()


def by_number(oracle_updates: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """Return updates, in their order, with the number of their source."""
    return oracle_updates.join(names, on=SERIES, maintain_order="left")


def paired(names: pl.LazyFrame) -> pl.LazyFrame:
    """Return each source beside every other one of its asset and quote: source, reference."""
    others = names.select(*PAIR, reference="source")
    return (
        names.join(others, on=PAIR)
        .filter(pl.col("source") != pl.col("reference"))
        .select("source", "reference")
        .sort("source", "reference")
    )


def as_reference(prices: pl.LazyFrame) -> pl.LazyFrame:
    """Return the latest prices of sources by number as those of references."""
    return prices.select(
        reference="source", reference_at="price_at", reference_price_quote="price_quote"
    )


def by_name(rows: pl.LazyFrame, names: pl.LazyFrame) -> pl.LazyFrame:
    """Return rows of a source and a reference, in their order, with the names of both."""
    references = with_reference_names(names.drop(PAIR)).rename({"source": "reference"})
    return rows.join(names, on="source", maintain_order="left").join(
        references, on="reference", maintain_order="left"
    )

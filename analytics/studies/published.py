"""
What others published of an event's liquidations and ADLs, beside what is indexed of them.

The totals are `published_totals.csv`, one line per figure: protocol ("every venue" for all of
them), exit (liquidation, adl), from_at and to_at (between which the event lies), published_usd,
source, note (how it was counted).
"""

from datetime import datetime
from importlib.resources import files

import polars as pl

from analytics.expressions import known_total, ratio, unknown_count, where_any

_WHOLE = pl.lit("every venue").alias("protocol")
_KEYS = ("protocol", "exit")


def totals(extent: tuple[datetime, datetime] | None, protocol: str | None = None) -> pl.LazyFrame:
    """
    Return the published totals of events that share a moment with the time given, in order.

    Where a protocol is named they are its own: of every venue, its rows alone are no part.
    """
    table = files("analytics.studies").joinpath("published_totals.csv").read_bytes()
    known = pl.read_csv(table, schema_overrides={"published_usd": pl.Decimal(38, 18)}).lazy()
    told = known.with_columns(pl.col("from_at", "to_at").str.to_datetime(time_unit="us"))
    if protocol is not None:
        told = told.filter(protocol=protocol)
    if extent is None:
        return told.clear()
    return told.filter(pl.col("from_at") <= extent[1], pl.col("to_at") > extent[0])


def published_totals(
    adls: pl.LazyFrame,
    liquidations: pl.LazyFrame,
    declared_facts: pl.LazyFrame,
    published: pl.LazyFrame,
) -> pl.LazyFrame:
    """
    How much of what others published of an event is in the rows, venue by venue.

    Formula:
        indexed_ratio = Σ notional of the rows of the event / what was published

    Args:
        adls: one row per position cut: protocol, notional_usd, block_timestamp.
        liquidations: one row per liquidated position: the same, one-sided.
        declared_facts: which facts the declarations of a protocol can tell: protocol, fact.
        published: what others say: protocol (or every venue), exit, from_at, to_at (exclusive),
            published_usd, source, note.

    Returns:
        One row per published total, in order: protocol, exit, published_usd, indexed_usd (Decimal,
        of what is known), unknown_notional_count (Int64), indexed_ratio (Float64, null while a
        notional is unknown), source, note. What is indexed is null where nothing could tell of it.

    Source:
        Each total names its own; what is not indexed, or was counted twice, is the difference.
    """
    told = (("liquidation", "liquidations", liquidations), ("adl", "adls", adls))
    rows = pl.concat(
        events.select("protocol", "notional_usd", "block_timestamp", exit=pl.lit(name))
        for name, _, events in told
    )
    tellers = pl.concat(
        declared_facts.filter(fact=fact).select("protocol", exit=pl.lit(name))
        for name, fact, _ in told
    )
    asked = published.with_row_index("place")
    sums = (
        asked.join(pl.concat([rows, rows.with_columns(_WHOLE)]), on=_KEYS)
        .filter(pl.col("block_timestamp").is_between("from_at", "to_at", closed="left"))
        .group_by("place")
        .agg(
            indexed_usd=known_total(pl.col("notional_usd")),
            unknown_notional_count=unknown_count("notional_usd"),
        )
    )
    return _beside(asked, sums, pl.concat([tellers, rows.select(_KEYS)]))


def _beside(asked: pl.LazyFrame, sums: pl.LazyFrame, tellers: pl.LazyFrame) -> pl.LazyFrame:
    unknown = pl.col("unknown_notional_count")
    found = asked.join(sums, on="place", how="left", maintain_order="left").with_columns(
        # No event at all is a measured zero; events without a notional are not.
        indexed_usd=pl.when(unknown.is_null()).then(0).otherwise("indexed_usd"),
        unknown_notional_count=unknown.fill_null(0),
    )
    share = ratio(pl.col("indexed_usd"), pl.col("published_usd"))
    shown = where_any(
        found.with_columns(indexed_ratio=pl.when(unknown == 0).then(share)),
        ("indexed_usd", "unknown_notional_count", "indexed_ratio"),
        pl.concat([tellers, tellers.with_columns(_WHOLE)]),
        _KEYS,
    )
    figures = ("published_usd", "indexed_usd", "unknown_notional_count", "indexed_ratio")
    return shown.select(*_KEYS, *figures, "source", "note")

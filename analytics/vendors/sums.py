"""
The sums that vendors' rules are made of, per protocol or per protocol and day, exact.

    fees                     what users paid
    swaps penalties trades   of it, for swaps; for being liquidated; and for all else
    unpenalised unswapped unforced    of it, not for being liquidated; not for swaps; and of that,
                             without what was paid by who was liquidated in the same transaction, by
                             an event that says so
    supply_side revenue treasury holders    who received it, as the rows of our metrics add up: one
                             fee of unknown split takes all of its day, market and kind with it
    declared                 revenue times the rate of its day, else what the splits set aside for
                             holders, as in `buyback_columns`, of the same rows
    kept                     what such a rate leaves of revenue, else what the splits give the
                             treasury
    month_fees month_revenue    of the 30 days before the window's end, null until fees reach back
                             as long
    volume one_sided         notional of every change of a position; of a book's trades one side;
                             of who tells no trade, but closes by force alone, none
    nothing                  zero dollars, whatever the facts

A name stands for a column `<name>_usd`. `<table>_count` counts its facts, `<name>_unknown` those
that are not known. No fact of a kind is zero dollars; facts of which none is known are null, and so
is everything of a table without a row.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from analytics.compute import Load, compute
from analytics.expressions import day, known_total, row_count, unknown_count

_DOLLARS = pl.Decimal(38, 18)
_MONTH = timedelta(days=30)
_DAY = ("protocol", "date")
_FORCED = ("chain_id", "protocol", "tx_hash", "account")
_TRADE = ("chain_id", "protocol", "block_number", "log_index", "trade")
_PARTS = {
    "swaps": pl.col("fee_kind") == "swap",
    "penalties": pl.col("fee_kind") == "liquidation",
    "trades": ~pl.col("fee_kind").is_in(["swap", "liquidation"]),
    "unpenalised": pl.col("fee_kind") != "liquidation",
    "unswapped": pl.col("fee_kind") != "swap",
    "unforced": (pl.col("fee_kind") != "swap") & pl.col("is_forced").is_null(),
}
_INCOME = {
    "supply_side": "supply_side",
    "revenue": "protocol_revenue",
    "treasury": "treasury_revenue",
    "holders": "holders_revenue",
}


def sums(
    load: Load, past: Load, keys: Sequence[str], until: datetime | None = None
) -> pl.DataFrame:
    """
    Return every sum by these keys.

    Args:
        load: returns a fact table within the window.
        past: returns it with what was before the window, for what looks back from its end.
        keys: protocol, or protocol and date.
        until: the window's end, UTC; it ends no later than what is indexed of a protocol does.

    Returns:
        One row per key with a fact, sorted.
    """
    volume = _volume(load, past, keys)
    joined = _fees(load, keys).join(volume, on=keys, how="full", coalesce=True)
    if "date" not in keys:
        joined = joined.join(_month(past, until), on=keys, how="left")
    nothing = {"nothing_usd": pl.lit(0).cast(_DOLLARS), "nothing_unknown": pl.lit(0, pl.Int64)}
    return (
        joined.join(_declared(load, keys), on=keys, how="left")
        .with_columns(**nothing)
        .sort(keys)
        .collect()
    )


def _fees(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    told = load("liquidations").filter(pl.col("derivation") != "inferred")
    forced = told.select(*_FORCED, is_forced=True).unique()
    fee = pl.col("fee_usd")
    parts = [("fees", fee), *((name, fee.filter(is_of)) for name, is_of in _PARTS.items())]
    paid = (
        load("fees")
        .with_columns(day())
        .join(forced, on=_FORCED, how="left")
        .group_by(keys)
        .agg(
            *(known_total(each).alias(f"{name}_usd") for name, each in parts),
            *(each.null_count().cast(pl.Int64).alias(f"{name}_unknown") for name, each in parts),
            fees_count=row_count(),
        )
    )
    for name in _INCOME:
        paid = paid.join(_income(name, load, keys), on=keys)
    return paid


def _income(name: str, load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    return (
        compute(_INCOME[name], load)
        .group_by(keys)
        .agg(
            known_total(pl.col(f"{name}_usd")),
            pl.col("unsplit_count").sum().alias(f"{name}_unknown"),
        )
    )


def _volume(load: Load, past: Load, keys: Sequence[str]) -> pl.LazyFrame:
    # A book's row keeps its side in `item_index`: see the head of schema.sql.
    is_seller = pl.col("item_index") // 2 % 2 == 1
    has_buyer = (~is_seller).any().over(_TRADE)
    is_once = (pl.col("chain_id") >= 0) | ~is_seller | ~has_buyer
    notional = pl.col("notional_delta_usd").abs()
    once = notional.filter(pl.col("is_once"))
    traded = past("position_changes").filter(pl.col("cause") == "trade")
    return (
        load("position_changes")
        .join(traded, on="protocol", how="semi")
        .with_columns(day(), trade=pl.col("item_index") // 4)
        .with_columns(is_once=is_once)
        .group_by(keys)
        .agg(
            volume_usd=known_total(notional),
            one_sided_usd=known_total(once),
            volume_unknown=unknown_count("notional_delta_usd"),
            one_sided_unknown=once.null_count().cast(pl.Int64),
            position_changes_count=row_count(),
        )
    )


def _declared(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    rate = pl.col("policy_ratio")
    is_of_revenue = pl.col("policy_kind") == "holders_share_of_revenue"
    revenue = pl.col("revenue_usd")
    declared = pl.when(is_of_revenue).then(revenue * rate).otherwise("holders_usd")
    # Nobody's rate says that what is not split is the treasury's.
    kept = pl.when(is_of_revenue).then(revenue - revenue * rate).otherwise("treasury_usd")
    rates = compute("buyback_columns", load).select(*_DAY, "policy_kind", "policy_ratio")
    return (
        _income("revenue", load, _DAY)
        .join(_income("treasury", load, _DAY), on=_DAY)
        .join(_income("holders", load, _DAY), on=_DAY)
        .join(rates, on=_DAY)
        .group_by(keys)
        .agg(declared_usd=known_total(declared), kept_usd=known_total(kept))
    )


def _month(past: Load, until: datetime | None) -> pl.LazyFrame:
    is_recent = pl.col("block_timestamp") > pl.col("end_at") - _MONTH
    ended = past("fees").join(_ends(past, until), on="protocol")
    recent = ended.filter(is_recent)
    fees = recent.group_by("protocol").agg(
        month_fees_usd=known_total(pl.col("fee_usd")),
        month_fees_unknown=unknown_count("fee_usd"),
        month_count=row_count(),
    )
    revenue = _income("revenue", lambda _: recent, ["protocol"]).select(
        "protocol", pl.exclude("protocol").name.prefix("month_")
    )
    nothing, is_silent = pl.lit(0).cast(_DOLLARS), pl.col("month_count").is_null()
    return (
        ended.group_by("protocol")
        .agg(is_reached=(~is_recent).any())
        .join(fees, on="protocol", how="left")
        .join(revenue, on="protocol", how="left")
        .with_columns(
            pl.when(is_silent & pl.col("is_reached"))
            .then(nothing)
            .otherwise(pl.when("is_reached").then(name))
            .alias(name)
            for name in ("month_fees_usd", "month_revenue_usd")
        )
        .with_columns(pl.col("^month_.*unknown$").fill_null(0))
        .drop("is_reached", "month_count")
    )


def _ends(past: Load, until: datetime | None) -> pl.LazyFrame:
    """Return when the window of each protocol ends: protocol, end_at."""
    moments = past("blocks").select("chain_id", to_block="number", end_at="timestamp").drop_nulls()
    # Not every block is stored: the last one known of those that are covered stands for the end.
    covered = (
        past("coverage")
        .group_by("chain_id", "protocol")
        .agg(pl.col("to_block").max())
        .sort("to_block")
        .join_asof(moments.sort("to_block"), on="to_block", by="chain_id", check_sortedness=False)
    )
    ends = [
        covered.select("protocol", "end_at"),
        past("imports").select("protocol", end_at="to_at"),
    ]
    last = pl.min_horizontal(pl.col("end_at").max(), pl.lit(until, pl.Datetime("us")))
    return pl.concat(ends).group_by("protocol").agg(end_at=last)

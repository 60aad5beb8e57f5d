"""
The sums that vendors' rules are made of, per protocol or per protocol and day, exact.

    fees unswapped unforced    what users paid; without swaps; and without what was paid by who was
                             liquidated in the same transaction, by an event that says so
    supply_side treasury holders    who received it, as far as the split is known
    declared                 revenue times the rate of its day, else what the splits set aside for
                             holders, as in `buyback_columns`, as far as the split is known
    month_fees month_revenue    of the 30 days before the window's end, null until fees reach back
                             as long
    volume one_sided         notional of every change of a position; of a book's trades one side;
                             of who tells no trade, but closes by force alone, none

A name stands for a column `<name>_usd`. `<table>_count` counts its facts, `…_unknown` those a sum
could not add. No fact is zero dollars; facts of which none is known are null.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import polars as pl

from analytics.compute import compute
from analytics.expressions import day, known_total, row_count, unknown_count

Load = Callable[[str], pl.LazyFrame]

_MONTH = timedelta(days=30)
_DAY = ("protocol", "date")
_FORCED = ("chain_id", "protocol", "tx_hash", "account")
_TRADE = ("chain_id", "protocol", "block_number", "log_index", "trade")
_REVENUE = pl.col("treasury_usd") + pl.col("holders_usd")


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
    declared = _declared(load, keys)
    return joined.join(declared, on=keys, how="left").with_columns(_zeros()).sort(keys).collect()


def _fees(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    told = load("liquidations").filter(pl.col("derivation") != "inferred")
    forced = told.select(*_FORCED, is_forced=True).unique()
    fee, is_unswapped = pl.col("fee_usd"), pl.col("fee_kind") != "swap"
    split = ("supply_side_usd", "treasury_usd", "holders_usd")
    return (
        load("fees")
        .with_columns(day())
        .join(forced, on=_FORCED, how="left")
        .group_by(keys)
        .agg(
            fees_usd=known_total(fee),
            unswapped_usd=known_total(fee.filter(is_unswapped)),
            unforced_usd=known_total(fee.filter(is_unswapped & pl.col("is_forced").is_null())),
            **{name: known_total(pl.col(name)) for name in split},
            fees_unknown=unknown_count("fee_usd"),
            splits_unknown=(pl.col("supply_side_usd") + _REVENUE).null_count().cast(pl.Int64),
            fees_count=row_count(),
        )
    )


def _volume(load: Load, past: Load, keys: Sequence[str]) -> pl.LazyFrame:
    # A book's row keeps its side in `item_index`: see the head of schema.sql.
    is_seller = pl.col("item_index") // 2 % 2 == 1
    has_buyer = (~is_seller).any().over(_TRADE)
    is_once = (pl.col("chain_id") >= 0) | ~is_seller | ~has_buyer
    notional = pl.col("notional_delta_usd").abs()
    traded = past("position_changes").filter(pl.col("cause") == "trade")
    return (
        load("position_changes")
        .join(traded, on="protocol", how="semi")
        .with_columns(day(), trade=pl.col("item_index") // 4)
        .with_columns(is_once=is_once)
        .group_by(keys)
        .agg(
            volume_usd=known_total(notional),
            one_sided_usd=known_total(notional.filter(pl.col("is_once"))),
            volume_unknown=unknown_count("notional_delta_usd"),
            position_changes_count=row_count(),
        )
    )


def _declared(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    rate = pl.col("policy_ratio")
    is_of_revenue = pl.col("policy_kind") == "holders_share_of_revenue"
    declared = pl.when(is_of_revenue).then(pl.col("revenue_usd") * rate).otherwise("holders_usd")
    income = ("revenue_usd", "holders_usd")
    rates = compute("buyback_columns", load).select(*_DAY, "policy_kind", "policy_ratio")
    return (
        load("fees")
        .with_columns(day(), revenue_usd=_REVENUE)
        .group_by(_DAY)
        .agg(known_total(pl.col(name)) for name in income)
        .join(rates, on=_DAY)
        .group_by(keys)
        .agg(declared_usd=known_total(declared))
    )


def _month(past: Load, until: datetime | None) -> pl.LazyFrame:
    at, begin = pl.col("block_timestamp"), pl.col("end_at") - _MONTH
    sums = {"month_fees": pl.col("fee_usd"), "month_revenue": _REVENUE}
    return (
        past("fees")
        .join(_ends(past, until), on="protocol")
        .group_by("protocol")
        .agg(
            *(
                pl.when((at <= begin).any())
                .then(known_total(value.filter(at > begin)))
                .alias(f"{name}_usd")
                for name, value in sums.items()
            ),
            **{
                f"{name}_unknown": value.filter(at > begin).null_count().cast(pl.Int64)
                for name, value in sums.items()
            },
        )
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


def _zeros() -> list[pl.Expr]:
    """Nothing of a kind was charged, spent or traded where no fact of its table is."""
    tables = {
        "fees": (
            *("fees_usd", "unswapped_usd", "unforced_usd", "supply_side_usd", "treasury_usd"),
            *("holders_usd", "declared_usd", "fees_unknown", "splits_unknown"),
        ),
        "position_changes": ("volume_usd", "one_sided_usd", "volume_unknown"),
    }
    return [
        *(
            pl.when(pl.col(f"{table}_count").is_null())
            .then(pl.lit(0).cast(pl.Int64 if name.endswith("_unknown") else pl.Decimal(38, 18)))
            .otherwise(name)
            .alias(name)
            for table, names in tables.items()
            for name in names
        ),
        *(pl.col(f"{table}_count").fill_null(0) for table in tables),
    ]

"""
The sums that vendors' rules are made of, per protocol or per protocol and day, exact.

    fees unswapped forced    what users paid; without swaps; by who was liquidated in the same
                             transaction
    supply_side treasury holders    who received it, as far as the split is known
    declared                 income times the rate in force, by day, as in `buyback_columns`
    month_fees month_revenue    of the last 30 days, null until fees reach back as long
    spent                    on buybacks
    volume one_sided         notional of every change of a position; of a book's trades one side

A name stands for a column `<name>_usd`. `<table>_count` counts its facts, `…_unknown` those a sum
could not add. No fact is zero dollars; facts of which none is known are null.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import polars as pl

from analytics.compute import compute
from analytics.expressions import day, known_total, row_count, unknown_count

Load = Callable[[str], pl.LazyFrame]

_MONTH_DAYS = 30
_FORCED = ("chain_id", "protocol", "tx_hash", "account")
_TRADE = ("chain_id", "protocol", "block_number", "log_index", "trade")
_REVENUE = pl.col("treasury_usd") + pl.col("holders_usd")


def sums(load: Load, past: Load, keys: Sequence[str]) -> pl.DataFrame:
    """
    Return every sum by these keys.

    Args:
        load: returns a fact table within the window.
        past: returns it with what was before the window, for what looks back from its end.
        keys: protocol, or protocol and date.

    Returns:
        One row per key with a fact, sorted.
    """
    parts = (_fees(load, keys), _spending(load, keys), _volume(load, keys))
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part, on=keys, how="full", coalesce=True)
    if "date" not in keys:
        joined = joined.join(_month(past), on=keys, how="left")
    declared = _declared(load, keys)
    return joined.join(declared, on=keys, how="left").with_columns(_zeros()).sort(keys).collect()


def _fees(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    forced = load("liquidations").select(_FORCED).unique()
    paid = load("fees").with_columns(day())
    fee, kind = pl.col("fee_usd"), pl.col("fee_kind")
    of_forced = (
        paid.join(forced, on=_FORCED, how="semi")
        .filter(kind != "swap")
        .group_by(keys)
        .agg(forced_usd=known_total(fee))
    )
    split = ("supply_side_usd", "treasury_usd", "holders_usd")
    return (
        paid.group_by(keys)
        .agg(
            fees_usd=known_total(fee),
            unswapped_usd=known_total(fee.filter(kind != "swap")),
            **{name: known_total(pl.col(name)) for name in split},
            fees_unknown=unknown_count("fee_usd"),
            splits_unknown=(pl.col("supply_side_usd") + _REVENUE).null_count().cast(pl.Int64),
            fees_count=row_count(),
        )
        .join(of_forced, on=keys, how="left")
    )


def _spending(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    return (
        load("buybacks")
        .with_columns(day())
        .group_by(keys)
        .agg(
            spent_usd=known_total(pl.col("spent_usd")),
            spent_unknown=unknown_count("spent_usd"),
            buybacks_count=row_count(),
        )
    )


def _volume(load: Load, keys: Sequence[str]) -> pl.LazyFrame:
    # A book's row keeps its side in `item_index`: see the head of schema.sql.
    is_seller = pl.col("item_index") // 2 % 2 == 1
    has_buyer = (~is_seller).any().over(_TRADE)
    is_once = (pl.col("chain_id") >= 0) | ~is_seller | ~has_buyer
    notional = pl.col("notional_delta_usd").abs()
    return (
        load("position_changes")
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
    declared = (
        pl.when(pl.col("policy_kind") == "split")
        .then("holders_usd")
        .when(pl.col("policy_kind") == "holders_share")
        .then(pl.col("fees_usd") * rate)
        .otherwise(pl.col("revenue_usd") * rate)
    )
    days = compute("buyback_columns", load)
    return days.group_by(keys).agg(declared_usd=known_total(declared))


def _month(past: Load) -> pl.LazyFrame:
    paid = past("fees").select("protocol", day(), "fee_usd", revenue_usd=_REVENUE)
    reaches = pl.col("date").min() <= pl.col("last_on").first() - timedelta(days=_MONTH_DAYS - 1)
    is_recent = pl.col("date") > pl.col("last_on") - timedelta(days=_MONTH_DAYS)
    return (
        paid.join(paid.select(last_on=pl.col("date").max()), how="cross")
        .group_by("protocol")
        .agg(
            pl.when(reaches).then(known_total(pl.col(name).filter(is_recent))).alias(alias)
            for name, alias in (("fee_usd", "month_fees_usd"), ("revenue_usd", "month_revenue_usd"))
        )
    )


def _zeros() -> list[pl.Expr]:
    """Nothing of a kind was charged, spent or traded where no fact of its table is."""
    tables = {
        "fees": (
            *("fees_usd", "unswapped_usd", "supply_side_usd", "treasury_usd", "holders_usd"),
            *("fees_unknown", "splits_unknown"),
        ),
        "buybacks": ("spent_usd", "spent_unknown"),
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
        pl.col("forced_usd", "declared_usd").fill_null(0),
    ]

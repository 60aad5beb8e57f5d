"""Whose losses ADLs were for, and whether those who were cut took their positions again."""

import polars as pl

from analytics.expressions import (
    check,
    known_total,
    ratio,
    row_count,
    unknown_count,
    where_any,
    whole_total,
)
from analytics.waves import in_waves

_POSITION = ("chain_id", "protocol", "version", "market", "account", "is_long")


def adl_counterparty_share(adls: pl.LazyFrame, accounts: pl.LazyFrame) -> pl.LazyFrame:
    """
    For whose losses profitable positions were cut, named where the account is known.

    A vault that takes over liquidated positions and fails with them shows as one counterparty:
    its part says how much of the deleveraging was the venue's own.

    Formula:
        notional_share = Σ notional_usd for a counterparty / Σ notional_usd of the protocol's ADLs

    Args:
        adls: one row per position cut: counterparty (null where the venue does not say it),
            notional_usd (USD, closed).
        accounts: one row per account whose owner is known: account, name.

    Returns:
        One row per chain, protocol and counterparty, sorted, the unknown one first: name (null
        where nobody is known by the account; the first of several in the alphabet), adl_count,
        unknown_notional_count (Int64), notional_usd (Decimal, USD, a sum of what is known, null
        when nothing is), notional_share (Float64, of the chain's and protocol's; null while one of
        its notionals is unknown).

    Source:
        Counterparty share = notional by liquidated user, vaults named.
    """
    venue = ("chain_id", "protocol")
    total = pl.col("notional_usd").sum().over(venue)
    is_whole = pl.col("unknown_notional_count").sum().over(venue) == 0
    names = accounts.group_by(*venue, "account").agg(pl.col("name").min())
    return (
        adls.group_by(*venue, "counterparty")
        .agg(
            adl_count=row_count(),
            unknown_notional_count=unknown_count("notional_usd"),
            notional_usd=known_total(pl.col("notional_usd")),
        )
        .join(names, left_on=[*venue, "counterparty"], right_on=[*venue, "account"], how="left")
        .with_columns(notional_share=pl.when(is_whole).then(ratio(pl.col("notional_usd"), total)))
        .select(
            *(*venue, "counterparty", "name", "adl_count", "unknown_notional_count"),
            *("notional_usd", "notional_share"),
        )
        .sort(*venue, "counterparty", nulls_last=False)
    )


def adl_undo(
    adls: pl.LazyFrame,
    position_changes: pl.LazyFrame,
    *,
    gap_milliseconds: int = 5000,
    window_seconds: int = 3600,
) -> pl.LazyFrame:
    """
    How much of what an ADL took away its owner took again, on the same side of the same market.

    Counted in base units, so that the price has no part in it: what the owner traded back from
    after the first cut of a wave until the window after its last one ends. Where two waves are
    closer than the window, the same trade answers both. Of a venue that tells no trades at all, as
    dYdX's files do not, nobody knows what was traded back.

    Formula:
        undo_ratio = min(size cut, size added by trades in (first_at, last_at + window]) / size cut

    Args:
        adls: one row per position cut: market, account, is_long, size_tokens (base units).
        position_changes: one row per change: cause, market, account, is_long, size_delta_tokens
            (base units, above zero where exposure grew).
        gap_milliseconds: the longest silence within a wave, as in `adl_waves`.
        window_seconds: how long after its last cut an owner is watched, end included.

    Returns:
        One row per chain, protocol, version, market, account, side and wave in which it was cut,
        sorted; positions of unknown account or side are left out: first_at, last_at (of its cuts),
        adl_count (Int64), cut_tokens, regained_tokens (Decimal, base units; null when a size is
        unknown or no trade of the venue is told, zero when nothing was traded back), undo_ratio
        (Float64, 0 to 1; null while either is unknown and while nothing was cut).

    Raises:
        ValueError: gap_milliseconds is below 1, window_seconds below 1, or either longer than a
            century.

    Source:
        Undo fraction = min(|ΔADL|, opposite volume that is no ADL within W) / |ΔADL|.
    """
    check("window_seconds", window_seconds, least=1)
    moment = pl.col("block_timestamp")
    cut = (
        in_waves(adls, gap_milliseconds)
        .filter(pl.col("account").is_not_null() & pl.col("is_long").is_not_null())
        .group_by(*_POSITION, "wave")
        .agg(
            first_at=moment.min(),
            last_at=moment.max(),
            adl_count=row_count(),
            cut_tokens=whole_total(pl.col("size_tokens")),
        )
    )
    return (
        cut.join(_regained(cut, position_changes, window_seconds), on=[*_POSITION, "wave"])
        .with_columns(undo_ratio=_undone())
        .sort(*_POSITION, "wave")
    )


def _regained(
    cut: pl.LazyFrame, position_changes: pl.LazyFrame, window_seconds: int
) -> pl.LazyFrame:
    size, moment = pl.col("size_delta_tokens"), pl.col("block_timestamp")
    trades = position_changes.filter(pl.col("cause") == "trade")
    added = trades.filter((size > 0).fill_null(value=True))
    until = pl.col("last_at") + pl.duration(seconds=window_seconds)
    is_watched = (moment > pl.col("first_at")) & (moment <= until)
    regained = (
        cut.join(added.select(*_POSITION, "block_timestamp", size), on=_POSITION, how="left")
        .group_by(*_POSITION, "wave")
        .agg(regained_tokens=whole_total(size.filter(is_watched)))
    )
    return where_any(regained, ["regained_tokens"], trades, _POSITION[:2])


def _undone() -> pl.Expr:
    cut, regained = pl.col("cut_tokens"), pl.col("regained_tokens")
    # Null would be skipped by a minimum, and is not known here.
    less = pl.when(regained < cut).then(regained).otherwise(cut)
    return pl.when(regained.is_not_null()).then(ratio(less, cut))

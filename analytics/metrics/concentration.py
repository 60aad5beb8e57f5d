"""How much of what was liquidated, deleveraged or is open belongs to few accounts."""

from collections.abc import Callable
from decimal import Decimal

import polars as pl

from analytics.budgets import worth
from analytics.expressions import place, progress, ratio, row_count, whole_total
from analytics.texts import coded, spelled

_HOLDER = ("chain_id", "protocol", "exposure")
_POSITION = ("chain_id", "protocol", "market", "account", "position_id")
_KIND = ("is_long", "collateral_token")
_MICRODOLLAR = Decimal("0.000001")
# What cut-off digits of many changes stay below, on either side of nothing.
_CENT = Decimal("0.01")

_Chosen = Callable[[pl.Expr], pl.Expr]


def concentration(
    liquidations: pl.LazyFrame, adls: pl.LazyFrame, position_changes: pl.LazyFrame
) -> pl.LazyFrame:
    """
    How much of what was liquidated, deleveraged or is open belongs to few accounts.

    Open is what each position holds after its last change: the dollars the venue says, else what is
    left of its size at the price of that change (to the nearest millionth of a dollar), else the
    sum of its changes in dollars, of which less than a cent is nothing. One person may have many
    accounts: the shares are lower bounds of people's.

    Formula:
        top_k_share = Σ of the k largest accounts / Σ of all
        gini = Σ over i of (2 i - n - 1) x_i / (n Σ x), x ascending over the n accounts

    Args:
        liquidations: one row per liquidated position: account, notional_usd (USD).
        adls: one row per position cut: account, notional_usd (USD).
        position_changes: one row per change: account, notional_usd and size_tokens (after it),
            notional_delta_usd, size_delta_tokens, execution_price_usd. A position is an
            account's in a market, whatever the version, of one position_id; where none is told, by
            side and collateral.

    Returns:
        One row per chain, protocol and exposure (deleveraged, liquidated, open), sorted:
        unknown_count (Int64, rows or positions without an account or a notional; a position closed
        in part by an unknown amount is one, and one that only its changes tell and whose first
        change lowers it or all of which come to less than nothing: it was opened before),
        account_count (Int64, accounts with a positive notional), notional_usd (Decimal, of these
        accounts; both null where something is unknown and no account is known), top_1_share,
        top_10_share, top_100_share, gini (Float64; 1 = all with one; null without an account).

    Source:
        Gini coefficient of the mean absolute difference, as recomputed for Hyperliquid's ADL users.
    """
    exits = {"liquidated": liquidations, "deleveraged": adls, "open": _positions(position_changes)}
    owners = pl.concat(
        _owners(frame).with_columns(exposure=pl.lit(exposure)) for exposure, frame in exits.items()
    )
    everyone = owners.group_by(_HOLDER).agg(pl.col("unknown_count").sum())
    return (
        everyone.join(_shares(owners.drop_nulls("account")), on=_HOLDER, how="left")
        # Where all is known, nothing that is positive is a zero.
        .with_columns(
            pl.when((pl.col("unknown_count") == 0) | pl.col("account_count").is_not_null()).then(
                pl.col("account_count", "notional_usd").fill_null(0)
            )
        )
        .select(
            *(*_HOLDER, "unknown_count", "account_count", "notional_usd"),
            *("top_1_share", "top_10_share", "top_100_share", "gini"),
        )
        .sort(_HOLDER)
    )


def _positions(position_changes: pl.LazyFrame) -> pl.LazyFrame:
    changes = (
        coded(position_changes, (*_POSITION, *_KIND))
        # A closing may tell neither side nor collateral, and a position may turn to the other side.
        .with_columns(pl.when(pl.col("position_id").is_null()).then(pl.col(_KIND)))
    )
    is_chain = pl.col("chain_id") >= 0
    unordered = changes.filter(~is_chain).sort("block_number", progress(), place())
    # To sort all changes takes twice the memory: a chain tells their order.
    parts = [
        _summed(
            changes.filter(is_chain),
            lambda value: value.min_by(place()),
            lambda value: value.max_by(place()),
        ),
        _summed(unordered, lambda value: value.first(), lambda value: value.last()),
    ]
    return (
        pl.concat(parts)
        .with_columns(size=pl.coalesce("size", "tokens"))
        .with_columns(notional_usd=_left())
    )


def _summed(changes: pl.LazyFrame, first: _Chosen, last: _Chosen) -> pl.LazyFrame:
    tokens, dollars = (pl.col(name) for name in ("size_delta_tokens", "notional_delta_usd"))
    # What a first change lowers was opened before it.
    sums = {
        "tokens": pl.when(first(tokens) >= 0).then(whole_total(tokens)),
        "summed": pl.when(first(dollars) > -_CENT).then(whole_total(dollars)),
    }
    lasts = {"told": "notional_usd", "size": "size_tokens", "price": "execution_price_usd"}
    # A venue's next release closes what an earlier one opened: no version.
    return changes.group_by(*_POSITION, *_KIND).agg(
        **sums,
        **{name: last(pl.col(column)) for name, column in lasts.items()},
    )


def _left() -> pl.Expr:
    # Changes at different prices do not add up to what is left: the sum is the last resort.
    size, usd = pl.col("size"), pl.Decimal(38, 18)
    closed = pl.when(size == 0).then(pl.lit(0, usd))
    at_price = worth(size, pl.col("price")).cast(pl.Decimal(38, 0)) * _MICRODOLLAR
    summed = pl.col("summed")
    rest = pl.when(summed.abs() < _CENT).then(pl.lit(0, usd)).otherwise(summed)
    left = pl.coalesce("told", closed, at_price.cast(usd), rest)
    # Below zero the opening was not indexed.
    return pl.when(left > -_CENT).then(left)


def _owners(rows: pl.LazyFrame) -> pl.LazyFrame:
    is_unknown = pl.col("account").is_null() | pl.col("notional_usd").is_null()
    owner = ("chain_id", "protocol", "account")
    sums = coded(rows, owner).group_by(owner)
    return spelled(
        sums.agg(pl.col("notional_usd").sum(), unknown_count=is_unknown.sum().cast(pl.Int64))
    )


def _shares(owners: pl.LazyFrame) -> pl.LazyFrame:
    notional, total = pl.col("notional_usd"), pl.col("total_usd")
    tops = {
        f"top_{count}_share": ratio(notional.head(count).sum(), total.first())
        for count in (1, 10, 100)
    }
    # In descending order Σ (2 i - n - 1) x_i is 2 Σ running sums - Σ of n totals - the total.
    twice = pl.col("running_usd").sum() + pl.col("running_usd").sum()
    return (
        owners.filter(notional > 0)
        .sort(*_HOLDER, "notional_usd", descending=[False, False, False, True])
        .with_columns(
            running_usd=notional.cum_sum().over(_HOLDER), total_usd=notional.sum().over(_HOLDER)
        )
        .group_by(_HOLDER, maintain_order=True)
        .agg(
            account_count=row_count(),
            notional_usd=total.first(),
            gini=ratio(twice - total.sum() - total.first(), total.sum()),
            **tops,
        )
    )

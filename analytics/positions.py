"""Positions as their changes tell them: what each was entered at, and what it was worth when."""

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Literal

import polars as pl

from analytics.budgets import microdollars, worth
from analytics.expressions import divided, place, progress, ratio

SIDE = ("chain_id", "protocol", "version", "market", "is_long")
_NAMED = ("account", "collateral_token", "position_id")
POSITION = (*SIDE, *_NAMED)
# The formulas by which venues rank those whom an ADL closes, `score_` before each.
SCORES = ("profit", "documented", "side_aware", "bitmex")
# What cut-off digits of many changes stay below.
_CENT = Decimal("0.01")
# So many are valued at once: some hundreds of megabytes.
_MOST_ROWS = 500_000

Told = Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]


def histories(position_changes: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return changes with what had become of their position: since it was opened, and until when.

    Args:
        position_changes: a frame of facts; those of unknown side are left out.

    Returns:
        The rows with until (the position's next change), silent (changes that do not tell a price,
        a size or a profit), entry (millionths of a dollar), balance (tokens), unknown_notionals,
        balance_usd, unknown_margins and margin_usd, all since the position was last closed.
    """
    size, delta = pl.col("size_tokens"), pl.col("size_delta_tokens")
    is_told = pl.col("execution_price_usd").is_not_null() & delta.is_not_null()
    is_settled = (delta >= 0) | pl.col("realized_pnl_usd").is_not_null()
    sign = pl.when("is_long").then(1).otherwise(-1)
    realized = microdollars(pl.col("realized_pnl_usd")).fill_null(0)
    spent = worth(delta, pl.col("execution_price_usd")) + sign * realized
    margin, notional = pl.col("collateral_delta_usd"), pl.col("notional_delta_usd")
    position, is_silent = pl.col("position"), (~(is_told & is_settled)).fill_null(value=True)
    is_first = (position != position.shift(1)).fill_null(value=True)
    return (
        _numbered(position_changes.filter(pl.col("is_long").is_not_null()))
        .sort("position", "block_number", progress(), place(), nulls_last=True)
        .with_columns(
            is_begun=is_first | (size.shift(1) == 0).fill_null(value=False),
            until=pl.when(position == position.shift(-1)).then(pl.col("block_timestamp").shift(-1)),
        )
        .with_columns(run=pl.col("is_begun").cast(pl.Int64).cum_sum())
        .with_columns(
            silent=_so_far(is_silent.cast(pl.Int64)),
            entry=_so_far(spent.fill_null(0)),
            balance=_so_far(delta.fill_null(0)),
            unknown_notionals=_so_far(notional.is_null().cast(pl.Int64)),
            balance_usd=_so_far(notional.fill_null(0)),
            unknown_margins=_so_far(margin.is_null().cast(pl.Int64)),
            margin_usd=_so_far(margin.fill_null(0)),
        )
    )


def _numbered(changes: pl.LazyFrame) -> pl.LazyFrame:
    # A number instead of nine columns: positions are then in order after one sort.
    positions = changes.select(POSITION).unique().with_row_index("position")
    return changes.join(positions, on=POSITION, nulls_equal=True)


def _so_far(value: pl.Expr) -> pl.Expr:
    # Each position on its own: amounts of all of them together may be more than a decimal holds.
    return value.cum_sum().over("run")


def open_at(
    changes: pl.LazyFrame, moments: pl.LazyFrame, told: Told, *, most_rows: int = _MOST_ROWS
) -> pl.LazyFrame:
    """
    Return what is told of the positions that were or may have been open just before moments.

    One whose last change does not tell what it left may be open, at a worth that is not known.

    Entry, gain and equity are known only where a position's history begins in the data and
    balances: what changed adds up to what the venue says is left, in dollars (it keeps them at
    entry prices) or in tokens. Equity is collateral and gain, so of one position alone.

    Args:
        changes: as `histories` returns them.
        moments: rows of sides of markets with cut_at and mark_price_usd; where one side and moment
            has several, they name positions and are otherwise the same.
        told: what is told of some of the moments: each side has all its positions. Given are one
            row per moment and open position (the columns of both, number (Int64: of the side's
            moment), value, entry, margin, gain and equity: Int128, millionths of a dollar; null
            while unknown) and the moments' rows, with their number.
        most_rows: about how many positions are valued at a time.

    Returns:
        What is told, in no order.
    """
    spans, asked = _spans(changes, moments)
    columns = [each.collect_schema().names() for each in (spans, asked)]
    schema = told(_valued(spans, asked), asked).collect_schema()

    def in_pieces(both: pl.DataFrame) -> pl.DataFrame:
        is_span = pl.col("first").is_not_null()
        held, all_asked = (
            both.filter(is_mine).select(names)
            for is_mine, names in zip((is_span, ~is_span), columns, strict=True)
        )
        pieces = _pieces(held, all_asked, most_rows)
        each = (told(_valued(some, few), few) for some, few in pieces)
        # Copied: few rows may hold the memory of the many that they were chosen from.
        copied = pl.all().gather(pl.int_range(pl.len()))
        found = (one.collect(engine="streaming").select(copied) for one in each)
        return pl.concat([schema.to_frame(), *found])

    # As one frame: what other metrics find of the same positions is then found once.
    return pl.concat([spans, asked], how="diagonal").map_batches(
        in_pieces,
        predicate_pushdown=False,
        projection_pushdown=False,
        slice_pushdown=False,
        schema=schema,
    )


def _valued(spans: pl.LazyFrame, asked: pl.LazyFrame) -> pl.LazyFrame:
    value = worth(pl.col("size_tokens"), pl.col("mark_price_usd"))
    sign = pl.when("is_long").then(1).otherwise(-1)
    return (
        _standing(spans, asked)
        .with_columns(
            value=value,
            entry=_entry(),
            margin=pl.when(pl.col("unknown_margins") == 0).then(microdollars(pl.col("margin_usd"))),
        )
        .with_columns(gain=sign * (pl.col("value") - pl.col("entry")))
        .with_columns(equity=pl.col("margin") + pl.col("gain"))
    )


def _spans(changes: pl.LazyFrame, moments: pl.LazyFrame) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """
    Return each change with the moments of its side up to its position's next one, and the moments.

    Moments are numbered side by side: those of a change are one span, and no others are met.
    """
    ends = moments.select(*SIDE, "cut_at").unique().sort(*SIDE, "cut_at").with_row_index("number")
    ends = ends.with_columns(pl.col("number").cast(pl.Int64))
    spans = (
        changes.select(
            *(*POSITION, "block_timestamp", "until", "size_tokens", "silent", "balance"),
            *("entry", "unknown_margins", "margin_usd", "unknown_notionals", "balance_usd"),
            "notional_usd",
        )
        .filter((pl.col("size_tokens") > 0).fill_null(value=True))
        .with_columns(last_at=pl.col("until").fill_null(datetime.max))
        .pipe(_met, ends, "block_timestamp", "first", "forward")
        .pipe(_met, ends, "last_at", "last", "backward")
        .filter(pl.col("first") <= pl.col("last"))
        .drop("last_at")
    )
    return spans, moments.join(ends, on=[*SIDE, "cut_at"])


def _standing(spans: pl.LazyFrame, asked: pl.LazyFrame) -> pl.LazyFrame:
    """Return each change beside each moment of its span."""
    moments = asked.select(pl.exclude(*SIDE, *_NAMED)).unique()
    return (
        spans.with_columns(number=pl.int_ranges("first", pl.col("last") + 1))
        .explode("number")
        .join(moments, on="number")
        .drop("first", "last")
    )


def _pieces(
    spans: pl.DataFrame, asked: pl.DataFrame, most_rows: int
) -> Iterator[tuple[pl.LazyFrame, pl.LazyFrame]]:
    """Yield some moments, until enough is open at them together, and what spans have of them."""
    first, last, number = pl.col("first"), pl.col("last"), pl.col("number")
    changes = [
        spans.select(number=first, change=pl.lit(1)),
        spans.select(number=last + 1, change=pl.lit(-1)),
        asked.select(number, change=pl.lit(0)),
    ]
    # What has begun and not ended is open at a moment; added up, it is all rows so far.
    so_far = pl.col("change").cum_sum().cum_sum()
    ends = (
        pl.concat(changes)
        .group_by("number")
        .agg(pl.col("change").sum().cast(pl.Int64))
        .sort("number")
        .group_by(piece=so_far // most_rows, maintain_order=True)
        .agg(low=number.min(), high=number.max())
    )
    for low, high in ends.select("low", "high").iter_rows():
        met = spans.lazy().filter((last >= low) & (first <= high))
        here = asked.lazy().filter(number.is_between(low, high))
        yield met.with_columns(first.clip(low, high), last.clip(low, high)), here


def _met(
    changes: pl.LazyFrame,
    ends: pl.LazyFrame,
    moment: str,
    name: str,
    strategy: Literal["forward", "backward"],
) -> pl.LazyFrame:
    return changes.sort(moment).join_asof(
        ends.rename({"cut_at": moment, "number": name}).sort(moment),
        on=moment,
        by=list(SIDE),
        strategy=strategy,
        # Just before a moment is not at it; just before a position's next change is.
        allow_exact_matches=strategy == "backward",
        check_sortedness=False,
    )


def _entry() -> pl.Expr:
    # Dollars that add up to what is left are dollars at entry; at other prices they do not.
    left = pl.col("notional_usd")
    is_at_entry = (pl.col("unknown_notionals") == 0) & (
        (pl.col("balance_usd") - left).abs() < _CENT
    )
    is_known = (pl.col("silent") == 0) & (pl.col("balance") == pl.col("size_tokens"))
    entry = pl.when(is_at_entry).then(microdollars(left)).when(is_known).then("entry")
    return pl.when(entry > 0).then(entry)


def scored(positions: pl.LazyFrame) -> pl.LazyFrame:
    """
    Return positions with the scores by which venues rank them, the largest being cut first.

    Args:
        positions: as `open_at` gives them.

    Returns:
        The rows with profit_ratio, leverage and a score by each of `SCORES`, as `adl_ranks` states
        them (Float64; null while a part is unknown).
    """
    value, entry = pl.col("value").cast(pl.Float64), pl.col("entry").cast(pl.Float64)
    equity, profit, leverage = pl.col("equity"), pl.col("profit_ratio"), pl.col("leverage")
    is_scored = pl.when(pl.col("value") > 0)
    rise, fall = divided(value, entry), divided(entry, value)
    return positions.with_columns(
        profit_ratio=is_scored.then(divided(pl.col("gain"), entry)),
        leverage=ratio(value, equity),
    ).with_columns(
        score_profit=profit,
        score_documented=is_scored.then(rise * leverage),
        score_side_aware=is_scored.then(pl.when("is_long").then(rise).otherwise(fall) * leverage),
        score_bitmex=pl.when(profit > 0)
        .then(profit * leverage)
        .otherwise(divided(profit, leverage)),
    )

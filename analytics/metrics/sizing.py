"""How large a position may be: what trades earned, and what move a leverage survives."""

import polars as pl

from analytics.expressions import EVENT_ORDER, check, divided, ratio
from analytics.prices import IS_PRICE

_MARKET = ("chain_id", "protocol", "version", "market")
_FEED = ("chain_id", "protocol", "feed", "asset", "quote")


def kelly(position_changes: pl.LazyFrame) -> pl.LazyFrame:
    """
    The share of capital an account's own realised trades would have had it stake.

    From the past, gross of fees that are not in the realised profit, and as if trades were
    independent and of equal stake: an upper bound for anybody who doubts that. Half of it is what
    those who doubt stake. Below zero means: do not trade.

    Formula:
        f = (b p - q) / b, p the share of wins among wins and losses, q = 1 - p, b the mean win over
        the mean loss

    Args:
        position_changes: one row per change: account, realized_pnl_usd (USD, the trader's; null
            where nothing was realised).

    Returns:
        One row per protocol and account that realised something, sorted: win_count, loss_count,
        flat_count (Int64), won_usd, lost_usd (Decimal, both >= 0), win_ratio (Float64; null without
        either), payoff_ratio, kelly_ratio, half_kelly_ratio (Float64; null without both).

    Source:
        J. L. Kelly, A New Interpretation of Information Rate, 1956.
    """
    pnl = pl.col("realized_pnl_usd")
    wins, losses = pl.col("win_count"), pl.col("loss_count")
    payoff = ratio(pl.col("won_usd"), pl.col("lost_usd")) * ratio(losses, wins)
    p, b = pl.col("win_ratio"), pl.col("payoff_ratio")
    return (
        position_changes.filter(pnl.is_not_null())
        .group_by("protocol", "account")
        .agg(
            win_count=(pnl > 0).sum().cast(pl.Int64),
            loss_count=(pnl < 0).sum().cast(pl.Int64),
            flat_count=(pnl == 0).sum().cast(pl.Int64),
            won_usd=pnl.filter(pnl > 0).sum(),
            lost_usd=-pnl.filter(pnl < 0).sum(),
        )
        .with_columns(win_ratio=ratio(wins, wins + losses), payoff_ratio=payoff)
        .with_columns(kelly_ratio=divided(b * p - (1 - p), b))
        .with_columns(half_kelly_ratio=pl.col("kelly_ratio") * 0.5)
        .sort("protocol", "account")
    )


def liquidation_move(
    leverage_at_liquidation: pl.LazyFrame, *, leverage: float = 5.0, maintenance_ratio: float = 0.0
) -> pl.LazyFrame:
    """
    How far a price has to move against a position until it is liquidated.

    At a leverage you choose, and beside it at the median leverage of those who were liquidated in
    each market. Without fees and funding, which bring it nearer.

    Formula:
        long: (1 / leverage - m) / (1 - m); short: (1 / leverage - m) / (1 + m), m the maintenance
        margin as a share of the notional at the moved price; zero where 1 / leverage <= m

    Args:
        leverage_at_liquidation: one row per market: median_leverage.
        leverage: notional over collateral at the entry; 5 is liquidated by 20 % without m.
        maintenance_ratio: the maintenance margin m, 0.01 = 1 % of the notional.

    Returns:
        One row per chain, protocol, version and market with a liquidation, sorted: leverage,
        long_move_ratio, short_move_ratio (Float64, 0.2 = 20 % against the position),
        median_leverage, median_long_move_ratio, median_short_move_ratio (Float64; null while no
        leverage is known). Moves of longs are null below a leverage of 1, which no fall liquidates,
        and those of shorts at 0, which no rise does.

    Raises:
        ValueError: leverage is not above 0, or maintenance_ratio is not in [0, 1).

    Source:
        Collateral less the loss equals m times the notional at the moved price; solved for the
        move.
    """
    _check_margin(leverage, maintenance_ratio)
    chosen, median = pl.col("leverage"), pl.col("median_leverage")
    return (
        leverage_at_liquidation.with_columns(leverage=pl.lit(leverage, pl.Float64))
        .select(
            *(*_MARKET, chosen),
            _move(chosen, maintenance_ratio, is_long=True).alias("long_move_ratio"),
            _move(chosen, maintenance_ratio, is_long=False).alias("short_move_ratio"),
            median,
            _move(median, maintenance_ratio, is_long=True).alias("median_long_move_ratio"),
            _move(median, maintenance_ratio, is_long=False).alias("median_short_move_ratio"),
        )
        .sort(_MARKET)
    )


def survival(
    oracle_updates: pl.LazyFrame,
    *,
    leverage: float = 5.0,
    maintenance_ratio: float = 0.0,
    window_seconds: int = 86_400,
) -> pl.LazyFrame:
    """
    How often a position at a leverage outlived a window that began at an observed price.

    Every update of an oracle is an entry, of several at one moment the last; the position survives
    if no price in the window after it moved as far as `liquidation_move`. Windows overlap and are
    not independent: it is the share of observed entries, no forecast. Windows that reach beyond the
    last update are not counted. What was read at a block is neither entry nor move, for between two
    readings the price may have been anywhere. States, amounts and statistics are no prices.

    Formula:
        survived = entries whose worst move in (t, t + window] stays below the liquidation move /
        entries whose window is observed to its end

    Args:
        oracle_updates: one row per update: asset, oracle_price_quote (and its bounds are ignored).
        leverage: notional over collateral at the entry.
        maintenance_ratio: the maintenance margin as a share of the notional, 0.01 = 1 %.
        window_seconds: how long the position is held.

    Returns:
        One row per chain, protocol, feed, asset and quote with a known asset and a positive price,
        sorted: window_count (Int64), survived_long_ratio, survived_short_ratio, worst_fall_ratio,
        worst_rise_ratio (Float64; null without a window).

    Raises:
        ValueError: leverage is not above 0, maintenance_ratio is not in [0, 1), or window_seconds
            is below 1 or longer than a century.

    Source:
        Historical simulation: the empirical distribution of the worst move within a horizon.
    """
    _check_margin(leverage, maintenance_ratio)
    check("window_seconds", window_seconds, least=1)
    chosen = pl.lit(leverage, pl.Float64)
    fall, rise = pl.col("fall").filter("is_whole"), pl.col("rise").filter("is_whole")
    # What no fall liquidates survives each of them.
    long = fall < _move(chosen, maintenance_ratio, is_long=True).fill_null(float("inf"))
    short = rise < _move(chosen, maintenance_ratio, is_long=False)
    windows = pl.col("is_whole").sum()
    return (
        _moves(oracle_updates, window_seconds)
        .group_by(_FEED)
        .agg(
            window_count=windows.cast(pl.Int64),
            survived_long_ratio=ratio(long.sum(), windows),
            survived_short_ratio=ratio(short.sum(), windows),
            worst_fall_ratio=fall.max(),
            worst_rise_ratio=rise.max(),
        )
        .sort(_FEED)
    )


def _check_margin(leverage: float, maintenance_ratio: float) -> None:
    if not leverage > 0:
        raise ValueError(f"leverage must be above 0, got {leverage}")
    if not 0 <= maintenance_ratio < 1:
        raise ValueError(f"maintenance_ratio must be from 0 to below 1, got {maintenance_ratio}")


def _move(leverage: pl.Expr, maintenance: float, *, is_long: bool) -> pl.Expr:
    notional = 1 - maintenance if is_long else 1 + maintenance
    move = divided(1 / leverage - maintenance, notional).clip(lower_bound=0)
    # A price has no more to lose than all of itself; what has no size loses nothing.
    return pl.when(leverage >= 1 if is_long else leverage > 0).then(move)


def _moves(oracle_updates: pl.LazyFrame, window_seconds: int) -> pl.LazyFrame:
    price, at = pl.col("oracle_price_quote"), pl.col("block_timestamp")
    # The first of a window is the entry itself: moments of a feed are unique.
    worst = pl.col("low").slice(1).min(), pl.col("high").slice(1).max()
    entry = pl.col("entry")
    is_told = pl.col("asset").is_not_null() & (pl.col("log_index") >= 0)
    return (
        oracle_updates.filter(is_told & IS_PRICE & (price > 0))
        .sort(EVENT_ORDER)
        .group_by(*_FEED, "block_timestamp")
        .agg(entry=price.last(), low=price.min(), high=price.max())
        .sort(*_FEED, "block_timestamp")
        .with_columns(last_at=at.max().over(_FEED))
        .rolling(
            "block_timestamp",
            period=f"{window_seconds}s",
            offset="0s",
            closed="both",
            group_by=_FEED,
        )
        .agg(entry.first(), worst[0], worst[1], pl.col("last_at").first())
        .with_columns(
            is_whole=at.dt.offset_by(f"{window_seconds}s") <= pl.col("last_at"),
            # The difference is exact, so that a fall of a fifth is one fifth.
            fall=ratio(entry - pl.col("low"), entry).fill_null(0).clip(lower_bound=0),
            rise=ratio(pl.col("high") - entry, entry).fill_null(0).clip(lower_bound=0),
        )
    )

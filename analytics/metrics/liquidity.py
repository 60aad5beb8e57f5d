"""Depth: how much of a trade moves the price by so much, of pools and by price impact."""

from math import sqrt

import polars as pl

from analytics.expressions import EVENT_ORDER, bucket, check, divided
from analytics.imbalances import in_force, sized
from analytics.metrics.open_interest import open_interest as open_by_bucket
from analytics.prices import as_of

_VENUE = ("chain_id", "protocol", "version")
_MARKET = (*_VENUE, "market")
_POOL = ("chain_id", "protocol", "version", "pool")
_MOMENT = (*_POOL, "place")
_SIDE = (*_MOMENT, "direction")
_END = ("end_tick", "end_price_quote")
# The price is the square of the root: a hundredfold move is far beyond any use.
_MOST_BPS = 1_000_000
# More than all of a trade cannot be paid for it.
_MOST_IMPACT_BPS = 10_000


def depth(
    pool_liquidity: pl.LazyFrame, *, move_bps: int = 200, bucket_seconds: int = 86_400
) -> pl.LazyFrame:
    """
    How much of both tokens of a pool a trade exchanges until it has moved the price by so much.

    As the pool stood after its last swap of a period, or after its start, without the fee, which
    comes on top of what is paid in. A move down undoes a move up of the same size: 200 bps are a
    factor of 1.02 or one of 1/1.02, so the answer is the same whichever token is called the first.

    Where a pool is known from its start, the trade walks through its ranges: `basis` is ranges.
    Else what was provided before is unknown, and the active liquidity is taken to last over the
    whole move: `basis` is active, too high where the ranges end before it does and too low where
    more begin. That holds too where ranges would leave less than nothing, as after a gap in what
    was indexed. Such a gap need not show: `perpscope query coverage_gaps` tells.

    Formula:
        token1 = Σ over stretches of liquidity * |√price_to - √price_from|
        token0 = Σ over stretches of liquidity * |1/√price_to - 1/√price_from|
        last price_to = price * (1 + move) up, price / (1 + move) down; move = move_bps / 10,000
        A stretch ends where a range does; there, the liquidity changes by what all ranges that
        begin or end there hold (added - removed).

    Args:
        pool_liquidity: one row per event: a pool's state (tick, price_quote, liquidity_tokens) or
            the change of a range (ticks and prices of its ends, liquidity_delta_tokens).
        move_bps: how far the price moves, 0 to 1,000,000.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, pool, period with a state and direction (down, up: of
        the price of token0 in token1), sorted; bucket_at is the start of the period: token0,
        token1, price_quote, liquidity_tokens (Decimal; active, the root of token0 times token1),
        basis, token0_tokens and token1_tokens (Float64, whole tokens, >= 0): up, token1 is paid
        in and token0 out; down, the other way round. No row where the last price of the period is
        zero or more than a decimal holds.

    Raises:
        ValueError: move_bps or bucket_seconds is out of bounds.

    Source:
        Uniswap v3 whitepaper, 6.2 and 6.3; depth within 2 % as market makers quote it.
    """
    check("move_bps", move_bps, least=0, most=_MOST_BPS)
    events = pool_liquidity.sort(*_POOL, *EVENT_ORDER).with_columns(
        place=pl.int_range(pl.len()).over(_POOL),
        is_known=(pl.col("kind") == "start").any().over(_POOL),
    )
    sides = _sides(_moments(events, bucket_seconds), move_bps)
    return (
        sides.join(_walked(_stretches(sides, _ends(events))), on=_SIDE)
        .with_columns(basis=_basis())
        .with_columns(_exchanged("token0"), _exchanged("token1"))
        .select(*_columns())
        .sort(*_POOL, "bucket_at", "direction")
    )


def depth_change(depth: pl.LazyFrame, *, ago_seconds: int = 86_400) -> pl.LazyFrame:
    """
    How the depth of a pool changed against the day before: what was left when it was needed.

    A pool stays as its last swap left it, so without one that day an older state is what stood
    there. Both are measured around their own price, by the same move.

    Formula:
        change_ratio = token1_tokens / token1_before_tokens - 1, and so for token0

    Args:
        depth: one row per pool, period and direction: token0_tokens, token1_tokens.
        move_bps: how far the price moves, for `depth`.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC, for `depth`.
        ago_seconds: how long before the start of a period the other one began, at the least.

    Returns:
        One row per chain, protocol, version, pool, period and direction that has an earlier one,
        sorted: before_at (start of the earlier period), token0_tokens, token0_before_tokens,
        token0_change_ratio, token1_tokens, token1_before_tokens, token1_change_ratio (Float64,
        -0.9 = nine tenths gone; null where nothing was there before), basis and before_basis,
        which tell as in `depth` how far either can be relied upon.

    Raises:
        ValueError: ago_seconds is below 1 or longer than a century.

    Source:
        Depth against a baseline a day before, as reports on 10 October 2025 compare books.
    """
    key = (*_POOL, "direction")
    return (
        _beside_earlier(depth, key, ("token0_tokens", "token1_tokens"), ago_seconds)
        .select(
            *(*_POOL, "bucket_at", "direction", "before_at"),
            *("token0_tokens", "token0_before_tokens", "token0_change_ratio"),
            *("token1_tokens", "token1_before_tokens", "token1_change_ratio"),
            *("basis", "before_basis"),
        )
        .sort(*_POOL, "bucket_at", "direction")
    )


def impact_depth(
    open_interest: pl.LazyFrame,
    impact_parameters: pl.LazyFrame,
    markets: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    move_bps: int = 200,
    bucket_seconds: int = 86_400,
) -> pl.LazyFrame:
    """
    How many dollars can be opened on a side of a market before price impact costs so much of them.

    Venues that take their price from an oracle have no book; what stands in its place is a charge
    on trades that leave the longs and shorts of a market further apart. It is what GMX v2 takes the
    execution price off its oracle price by. The depth is one of the impact alone: fees and the
    oracle's own spread come on top, and the market must have room for the position.

    As the market stood at the end of a period: what was open, the parameters in force, and, where
    the venue counts what is open in tokens, the last price. Dollars as they were opened are counted
    until an event says that it is tokens.

    Formula:
        imbalance(s) = |long + s - short| for longs, |short + s - long| for shorts
        impact(s) = worse_factor * imbalance(s) ** worse_exponent - before
        before = worse_factor * imbalance(0) ** worse_exponent on the larger side, and on the
        smaller one better_factor * imbalance(0) ** better_exponent: what balance brings
        depth_usd = the s with impact(s) = s * move_bps / 10,000; 0 where any s costs more
        better_factor is at most worse_factor. An exponent of its sign counts, else one of both.

    Solved in floats, as powers are, in closed form or by halving an interval until it is nothing.

    Args:
        open_interest: one row per event, as `open_interest` reads them.
        impact_parameters: one row per change: factor_trillionths of a market and sign
            (is_positive), exponent of a market (is_positive null: of both), is_in_tokens of all.
        markets: index_token of a market.
        oracle_updates: prices of the venue's own feeds, by token.
        move_bps: what of a trade is paid, 1 to 10,000.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market, period with an event of its open interest and
        side (is_long), sorted; none of venues that told no parameter on the chain. bucket_at is the
        start of the period: ahead_usd (Float64, what is open on the side beyond the other),
        factor_trillionths and exponent (Decimal, of trades away from balance), basis, depth_usd
        (Float64). basis is impact; unbounded where the factor is zero, so that no size costs so
        much; unknown where open interest, a price or a parameter is not known, or the exponent is
        not above 1: depth_usd is null.

    Raises:
        ValueError: move_bps or bucket_seconds is out of bounds.

    Source:
        gmx-io/gmx-synthetics PositionPricingUtils.getPriceImpactUsd, PricingUtils (same side and
        crossover), MarketUtils.getAdjustedPositionImpactFactors, Precision.applyExponentFactor; in
        tokens gmx-io/gmx-interface getOpenInterestForBalance. Left out: that an imbalance below a
        dollar counts as none, and virtual inventories, by which a trade may cost more.
    """
    check("move_bps", move_bps, least=1, most=_MOST_IMPACT_BPS)
    priced = impact_parameters.select(*_VENUE).unique()
    stood = open_by_bucket(
        open_interest.join(priced, on=_VENUE, how="semi"), bucket_seconds=bucket_seconds
    )
    books = in_force(stood, impact_parameters, markets, oracle_updates, bucket_seconds)
    return (
        sized(_both_sides(books), move_bps / 10_000)
        .select(
            *(*_MARKET, "bucket_at", "is_long", "ahead_usd"),
            *("factor_trillionths", "exponent", "basis", "depth_usd"),
        )
        .sort(*_MARKET, "bucket_at", "is_long")
    )


def impact_depth_change(impact_depth: pl.LazyFrame, *, ago_seconds: int = 86_400) -> pl.LazyFrame:
    """
    How the depth of a market by price impact changed against the day before.

    It changes with what is open and with the venue's parameters. Without an event of its open
    interest a market stays as it was, so that an older period is what stood there.

    Formula:
        depth_change_ratio = depth_usd / depth_before_usd - 1

    Args:
        impact_depth: one row per market, period and side: depth_usd.
        move_bps: what of a trade is paid, for `impact_depth`.
        bucket_seconds: length of a period, counted from 1970-01-01 UTC, for `impact_depth`.
        ago_seconds: how long before the start of a period the other one began, at the least.

    Returns:
        One row per chain, protocol, version, market, period and side that has an earlier one,
        sorted: before_at (start of the earlier period), depth_usd, depth_before_usd,
        depth_change_ratio (Float64, -0.9 = nine tenths gone; null where nothing was there before,
        or one of both is not known), basis and before_basis, as in `impact_depth`.

    Raises:
        ValueError: ago_seconds is below 1 or longer than a century.

    Source:
        As `depth_change`, of what a venue without a book has in its place.
    """
    return (
        _beside_earlier(impact_depth, (*_MARKET, "is_long"), ("depth_usd",), ago_seconds)
        .select(
            *(*_MARKET, "bucket_at", "is_long", "before_at"),
            *("depth_usd", "depth_before_usd", "depth_change_ratio", "basis", "before_basis"),
        )
        .sort(*_MARKET, "bucket_at", "is_long")
    )


def _both_sides(books: pl.LazyFrame) -> pl.LazyFrame:
    """Return each book twice, as a long and as a short finds it, in floats."""
    usd, tokens, price = (
        pl.col(name).cast(pl.Float64)
        for name in ("open_interest_skew_usd", "open_interest_skew_tokens", "price")
    )
    skew = pl.when(pl.col("is_in_tokens")).then(tokens * price).otherwise(usd)
    found = books.with_columns(
        skew=skew,
        # Trillionths by multiplying: Polars divides by a constant as if by its inverse.
        worse_factor=pl.col("factor_trillionths").cast(pl.Float64) * 1e-12,
        better_factor=pl.col("better_trillionths").cast(pl.Float64) * 1e-12,
        worse_exponent=pl.col("exponent").cast(pl.Float64),
        better_exponent=pl.col("better_exponent").cast(pl.Float64),
    )
    return pl.concat(
        found.with_columns(is_long=pl.lit(is_long), ahead_usd=way * pl.col("skew"))
        for is_long, way in ((False, -1.0), (True, 1.0))
    )


def _beside_earlier(
    depth: pl.LazyFrame, key: tuple[str, ...], amounts: tuple[str, ...], ago_seconds: int
) -> pl.LazyFrame:
    """Return depths beside those of the last period that began so long before, and the change."""
    check("ago_seconds", ago_seconds, least=1)
    parted = [amount.rpartition("_") for amount in amounts]
    names = {f"{name}_before_{unit}": f"{name}_{unit}" for name, _, unit in parted}
    before = depth.select(*key, before_at="bucket_at", before_basis="basis", **names)
    by_then = depth.with_columns(due_at=pl.col("bucket_at") - pl.duration(seconds=ago_seconds))
    return as_of(by_then, before, on="due_at", price_at="before_at", by=key).with_columns(
        _change(name, unit) for name, _, unit in parted
    )


def _change(name: str, unit: str) -> pl.Expr:
    before = pl.col(f"{name}_before_{unit}")
    grown = divided(pl.col(f"{name}_{unit}"), before) - 1
    return pl.when(before > 0).then(grown).alias(f"{name}_change_ratio")


def _moments(events: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    """Return the last state of every pool and period, with the root of its price."""
    return (
        events.filter(pl.col("tick").is_not_null())
        .with_columns(bucket(seconds), from_root=_root("price_quote"))
        .group_by(*_POOL, "bucket_at", maintain_order=True)
        .agg(pl.all().last())
        .filter((pl.col("price_quote") > 0) & pl.col("liquidity_tokens").is_not_null())
    )


def _sides(moments: pl.LazyFrame, move_bps: int) -> pl.LazyFrame:
    """Return each moment twice: with the root at which a move down ends, and a move up."""
    # Both multiply: Polars divides by a constant as if by its inverse, which rounds twice.
    factors = {
        "down": sqrt(10_000 / (10_000 + move_bps)),
        "up": sqrt((10_000 + move_bps) / 10_000),
    }
    return pl.concat(
        moments.with_columns(direction=pl.lit(name), last_root=pl.col("from_root") * factor)
        for name, factor in factors.items()
    )


def _ends(events: pl.LazyFrame) -> pl.LazyFrame:
    """Return by how much liquidity changes, upward, at each end of a range, after each event."""
    change = pl.col("liquidity_delta_tokens")
    changes = [
        events.select(
            *_MOMENT,
            end_tick=f"tick_{end}",
            end_price_quote=f"{end}_price_quote",
            net=-change if end == "upper" else change,
        )
        for end in ("lower", "upper")
    ]
    return (
        pl.concat(changes)
        .drop_nulls(["end_tick", "end_price_quote", "net"])
        .group_by(*_MOMENT, *_END)
        .agg(pl.col("net").sum())
        .sort("place")
        .with_columns(pl.col("net").cum_sum().over(*_POOL, *_END))
    )


def _stretches(sides: pl.LazyFrame, ends: pl.LazyFrame) -> pl.LazyFrame:
    """Return the stretches of each move in their order: their liquidity, and both roots."""
    begun = sides.select(*_SIDE, "from_root", "last_root", "liquidity_tokens")
    points = pl.concat([begun, _met(sides, ends)], how="diagonal")
    way = pl.when(pl.col("direction") == "up").then(1).otherwise(-1)
    order = [way * pl.col("end_tick"), way * pl.col("end_price_quote")]
    # What a move begins with has no end of a range, and nulls come first.
    return points.sort(*_SIDE, *order).with_columns(
        liquidity_tokens=pl.col("liquidity_tokens").cum_sum().over(_SIDE),
        to_root=pl.col("from_root").shift(-1).over(_SIDE).fill_null(pl.col("last_root")),
    )


def _met(sides: pl.LazyFrame, ends: pl.LazyFrame) -> pl.LazyFrame:
    """Return the ends of ranges that each move meets; liquidity_tokens is its change there."""
    is_up = pl.col("direction") == "up"
    is_above = pl.col("end_tick") > pl.col("tick")
    root, last = pl.col("end_root"), pl.col("last_root")
    is_met = pl.when(is_up).then(is_above & (root < last)).otherwise(~is_above & (root > last))
    places = ends.select(*_POOL, *_END, end_root=_root("end_price_quote")).unique()
    return (
        sides.select(*_SIDE, "tick", "from_root", "last_root")
        .join(places, on=_POOL)
        .filter(is_met)
        .sort("place")
        .join_asof(ends.sort("place"), on="place", by=[*_POOL, *_END], check_sortedness=False)
        .filter(pl.col("net") != 0)
        .select(
            *_SIDE,
            *_END,
            "last_root",
            # A price on the very end of a range may be off it by its last digit.
            from_root=pl.when(is_up)
            .then(pl.max_horizontal("from_root", "end_root"))
            .otherwise(pl.min_horizontal("from_root", "end_root")),
            liquidity_tokens=pl.when(is_up).then(pl.col("net")).otherwise(-pl.col("net")),
        )
    )


def _walked(stretches: pl.LazyFrame) -> pl.LazyFrame:
    """Return what the stretches of each move exchange together, and the least liquidity met."""
    liquidity = pl.col("liquidity_tokens").cast(pl.Float64)
    return stretches.group_by(_SIDE, maintain_order=True).agg(
        pl.col("liquidity_tokens").min().alias("least"),
        # One after the other: a sum of floats depends on the order, and `sum` keeps none.
        *(
            (liquidity * _distance(name, "to_root")).cum_sum().last().alias(f"walked_{name}")
            for name in ("token0", "token1")
        ),
    )


def _basis() -> pl.Expr:
    is_whole = pl.col("is_known") & (pl.col("least") >= 0)
    return pl.when(is_whole).then(pl.lit("ranges")).otherwise(pl.lit("active"))


def _exchanged(name: str) -> pl.Expr:
    lasting = pl.col("liquidity_tokens").cast(pl.Float64) * _distance(name, "last_root")
    is_walked = pl.col("basis") == "ranges"
    return pl.when(is_walked).then(f"walked_{name}").otherwise(lasting).alias(f"{name}_tokens")


def _distance(name: str, end: str) -> pl.Expr:
    begun, ended = pl.col("from_root"), pl.col(end)
    return (1 / ended - 1 / begun).abs() if name == "token0" else (ended - begun).abs()


def _root(price: str) -> pl.Expr:
    return pl.col(price).cast(pl.Float64).sqrt()


def _columns() -> list[str]:
    state = ["token0", "token1", "price_quote", "liquidity_tokens", "basis"]
    return [*_POOL, "bucket_at", "direction", *state, "token0_tokens", "token1_tokens"]

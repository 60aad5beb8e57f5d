"""Open interest by market and time: how much is open on each side, in dollars and base units."""

import polars as pl

from analytics.expressions import EVENT_ORDER, bucket, coded, spelled

_MARKET = ("chain_id", "protocol", "version", "market")
_SERIES = (*_MARKET, "is_long", "collateral_token")
_UNITS = ("usd", "tokens")


def open_interest(open_interest: pl.LazyFrame, *, bucket_seconds: int = 3600) -> pl.LazyFrame:
    """
    What is open on each side of a market at the end of a period: long, short, total and skew.

    Dollars mix size with price; base units do not, so a fall in both is deleveraging and a fall in
    dollars alone is the market. Venues that only announce changes are summed from the first event
    on (`basis` delta): right when indexing began with the venue, too low otherwise.

    Formula:
        side(t) = Σ over collateral tokens of (latest absolute value + changes after it)
        open_interest = long + short, skew = long - short

    Args:
        open_interest: one row per event: is_long, collateral_token, and per unit the absolute value
            after the event or its change (USD, base units; null when the event does not say).
        bucket_seconds: length of a period, counted from 1970-01-01 UTC.

    Returns:
        One row per chain, protocol, version, market and period with an event, sorted; bucket_at is
        the start of the period and the values are those after its last event: basis (absolute,
        delta), open_interest_long, _short, _total and _skew, each _usd and _tokens (Decimal; null
        before the first event of a side).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        GMX v2 Reader getOpenInterest (sum over both collateral tokens), read 2025-06-01; total and
        skew as on Synthetix' perps dashboards.
    """
    events = coded(open_interest, _SERIES).sort(*_MARKET, *EVENT_ORDER)
    sides = [_side(unit, is_long) for unit in _UNITS for is_long in (True, False)]
    names = [f"open_interest_{side}_{unit}" for unit in _UNITS for side in ("long", "short")]
    by_period = (
        _with_changes(events)
        .with_columns(sides)
        .with_columns(basis=_basis())
        .group_by(*_MARKET, bucket(bucket_seconds), maintain_order=True)
        .agg(pl.col(*names, "basis").last())
        .with_columns(_sums())
        .select(*_MARKET, "bucket_at", "basis", *_columns())
    )
    return spelled(by_period).sort(*_MARKET, "bucket_at")


def _with_changes(events: pl.LazyFrame) -> pl.LazyFrame:
    restarts = [_absolute(unit).is_not_null().cum_sum().over(_SERIES) for unit in _UNITS]
    runs = [restart.alias(f"run_{unit}") for restart, unit in zip(restarts, _UNITS, strict=True)]
    return (
        events.with_columns(runs)
        .with_columns(_state(unit).alias(f"state_{unit}") for unit in _UNITS)
        .with_columns(_change(unit).alias(f"change_{unit}") for unit in _UNITS)
    )


def _state(unit: str) -> pl.Expr:
    # An event that is silent about a unit leaves it as it was: its change is zero.
    step = pl.coalesce(_absolute(unit), _delta(unit), pl.lit(0))
    return step.cum_sum().over(*_SERIES, f"run_{unit}")


def _change(unit: str) -> pl.Expr:
    state = pl.col(f"state_{unit}")
    # Before the first event of a series nothing of it has been counted.
    return state - state.shift(1).over(_SERIES).fill_null(0)


def _side(unit: str, is_long: bool) -> pl.Expr:  # noqa: FBT001 -- the loop over both sides
    on_side = pl.col("is_long") == is_long
    total = pl.when(on_side).then(pl.col(f"change_{unit}")).otherwise(0).cum_sum().over(_MARKET)
    has_spoken = _absolute(unit).is_not_null() | _delta(unit).is_not_null()
    is_seen = _any_so_far(has_spoken & on_side)
    # Where only changes are announced, a side without one has not moved: its sum is zero.
    is_only_deltas = _any_so_far(has_spoken) & ~_any_so_far(_absolute(unit).is_not_null())
    name = f"open_interest_{'long' if is_long else 'short'}_{unit}"
    return pl.when(is_seen | is_only_deltas).then(total).alias(name)


def _basis() -> pl.Expr:
    has_absolute = pl.any_horizontal(_absolute(unit).is_not_null() for unit in _UNITS)
    return pl.when(_any_so_far(has_absolute)).then(pl.lit("absolute")).otherwise(pl.lit("delta"))


def _any_so_far(condition: pl.Expr) -> pl.Expr:
    return condition.cum_sum().over(_MARKET) > 0


def _sums() -> list[pl.Expr]:
    return [
        expression.alias(f"open_interest_{name}_{unit}")
        for unit in _UNITS
        for name, expression in (
            ("total", _open("long", unit) + _open("short", unit)),
            ("skew", _open("long", unit) - _open("short", unit)),
        )
    ]


def _columns() -> list[str]:
    pairs = (("long", "short"), ("total", "skew"))
    return [f"open_interest_{side}_{unit}" for pair in pairs for unit in _UNITS for side in pair]


def _open(side: str, unit: str) -> pl.Expr:
    return pl.col(f"open_interest_{side}_{unit}")


def _absolute(unit: str) -> pl.Expr:
    return pl.col(f"open_interest_{unit}")


def _delta(unit: str) -> pl.Expr:
    return pl.col(f"open_interest_delta_{unit}")

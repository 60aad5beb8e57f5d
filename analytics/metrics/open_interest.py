"""Open interest by market and time: how much is open on each side, in dollars and base units."""

import polars as pl

from analytics.expressions import EVENT_ORDER, bucket
from analytics.texts import coded

_MARKET = ("chain_id", "protocol", "version", "market")
_SERIES = (*_MARKET, "is_long", "collateral_token")
_UNITS = ("usd", "tokens")
_SIDES = ("long", "short")


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
        before the first event of a side, which is zero where the other has told changes alone).

    Raises:
        ValueError: bucket_seconds is below 1 or longer than a century.

    Source:
        GMX v2 Reader getOpenInterest (sum over both collateral tokens), read 2025-06-01; total and
        skew as on Synthetix' perps dashboards.
    """
    counts = [each for unit in _UNITS for each in _so_far(unit)]
    by_period = (
        coded(open_interest, ["collateral_token"])
        .sort(*EVENT_ORDER)
        .with_columns(_change(unit).over(_SERIES).alias(f"change_{unit}") for unit in _UNITS)
        .with_columns(each.cum_sum().over(_MARKET) for each in counts)
        .group_by(*_MARKET, bucket(bucket_seconds), maintain_order=True)
        .agg(pl.col(each.meta.output_name() for each in counts).last())
    )
    sides = [_side(unit, side) for unit in _UNITS for side in _SIDES]
    return (
        by_period.sort(*_MARKET, "bucket_at")
        .with_columns(*sides, basis=_basis())
        .with_columns(_sums())
        .select(*_MARKET, "bucket_at", "basis", *_columns())
    )


def _change(unit: str) -> pl.Expr:
    """Return how far an event moved its series, the rows of which are in order."""
    # An event that is silent about a unit leaves it as it was; before the first one it is zero.
    moved = _delta(unit).fill_null(0).cum_sum()
    state = (_absolute(unit) - moved).forward_fill().fill_null(0) + moved
    return state - state.shift(1).fill_null(0)


def _so_far(unit: str) -> list[pl.Expr]:
    """Return what is added up, market by market: what moved, and who has spoken of it how often."""
    has_spoken = _absolute(unit).is_not_null() | _delta(unit).is_not_null()
    on_side = {side: pl.col("is_long") == (side == "long") for side in _SIDES}
    change = pl.col(f"change_{unit}")
    return [
        has_spoken.alias(f"{unit}_spoken"),
        _absolute(unit).is_not_null().alias(f"{unit}_absolute"),
        *((has_spoken & is_on).alias(f"{side}_{unit}_spoken") for side, is_on in on_side.items()),
        *(
            pl.when(is_on).then(change).otherwise(0).alias(f"open_interest_{side}_{unit}")
            for side, is_on in on_side.items()
        ),
    ]


def _side(unit: str, side: str) -> pl.Expr:
    # Where only changes are announced, a side without one has not moved: its sum is zero.
    is_only_deltas = (pl.col(f"{unit}_spoken") > 0) & (pl.col(f"{unit}_absolute") == 0)
    return pl.when((pl.col(f"{side}_{unit}_spoken") > 0) | is_only_deltas).then(_open(side, unit))


def _basis() -> pl.Expr:
    is_absolute = pl.any_horizontal(pl.col(f"{unit}_absolute") > 0 for unit in _UNITS)
    return pl.when(is_absolute).then(pl.lit("absolute")).otherwise(pl.lit("delta"))


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

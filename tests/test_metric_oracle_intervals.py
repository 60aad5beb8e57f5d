"""The mean deviation of two oracles, and how sure it is, on samples that add up in the head."""

from collections.abc import Sequence
from itertools import product
from random import Random
from statistics import pvariance
from typing import Any

import numpy as np
import polars as pl
import pytest
from both_engines import agreed
from handmade import T0, at, load, table
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.compute import collected, compute
from analytics.metrics import METRICS
from analytics.metrics.oracle_intervals import _beside, _spreads

MINUTE = 60
ENDS = ("interval_low_bps", "interval_high_bps")
COUNTS = ("sample_count", "unsampled_count", "block_sample_count")


def spoken(feed: str, second: float, price: object, **more: object) -> dict[str, object]:
    """Return a price of BTC this long after 21:00."""
    told = {"asset": "BTC", "feed": feed, "block_timestamp": at(second)}
    return told | {"oracle_price_quote": price} | more


def interval(*updates: dict[str, object], **given: int) -> dict[str, Any]:
    """Return what is said of the source `0xown`."""
    rows = {"oracle_updates": table("oracle_updates", *updates)}
    found = agreed("oracle_deviation_interval", rows, **given)
    return found.filter(feed="0xown").row(0, named=True)


def of_deviations(deviations: Sequence[int], **given: int) -> dict[str, Any]:
    """Return what is said of a source that is so many bps off another one, minute by minute."""
    minutes = list(enumerate(deviations))
    own = [spoken("0xown", MINUTE * each, 10_000 + bps) for each, bps in minutes]
    return interval(*own, *(spoken("0xref", MINUTE * each, 10_000) for each, _ in minutes), **given)


def test_six_samples_in_blocks_of_two() -> None:
    """
    Deviations of 100, 100, 300, 300, 500 and 500 bps.

    Blocks of two are 200, 100, 0, 100, 200 and 0 bps off the mean on average: a variance of 16,667,
    of three blocks a third. Single ones are 200, 200, 0, 0, 200 and 200 off: 26,667, a sixth.
    """
    found = of_deviations((100, 100, 300, 300, 500, 500), block_count=3)

    assert [found[name] for name in COUNTS] == [6, 0, 2]
    assert found["mean_deviation_bps"] == 300
    assert found["standard_error_bps"] == pytest.approx((100_000 / 6 / 3) ** 0.5)
    assert found["naive_standard_error_bps"] == pytest.approx((160_000 / 6 / 6) ** 0.5)
    assert found["standard_error_ratio"] == pytest.approx(1.25**0.5)


@pytest.mark.parametrize("far", [300, 3])
def test_an_interval_is_wider_for_few_blocks(far: int) -> None:
    """Fifty samples of 0 and 300 in turn, ten blocks 30 off: 2.26 errors of 30 / √10 each way."""
    found = of_deviations((0, far) * 25)

    error = far / 10 / 10**0.5
    assert found["standard_error_bps"] == pytest.approx(error)
    assert found["standard_error_ratio"] == pytest.approx(error / (far / 2 / 50**0.5))
    reach = 2.2605676 * error
    assert [found[name] for name in ENDS] == [
        pytest.approx(far / 2 - reach),
        pytest.approx(far / 2 + reach),
    ]


@settings(max_examples=8)
@given(st.lists(st.integers(-900, 900), min_size=6, max_size=6), st.sampled_from([2, 3, 6]))
def test_it_is_the_variance_of_all_draws(deviations: list[int], block_count: int) -> None:
    """Every choice of so many starts, of which one is drawn each time, up to 46,656 of them."""
    length = 6 // block_count
    around = deviations * 2
    blocks = [sum(around[start : start + length]) for start in range(6)]
    means = [sum(drawn) / 6 for drawn in product(blocks, repeat=block_count)]

    found = of_deviations(deviations, block_count=block_count)

    assert found["standard_error_bps"] == pytest.approx(pvariance(means) ** 0.5, abs=1e-3)


def test_a_deviation_that_never_moves_is_certain() -> None:
    """An interval without width, and no ratio of two errors that are zero."""
    found = of_deviations((70,) * 40)

    assert [found[name] for name in ENDS] == [70, 70]
    assert (found["standard_error_bps"], found["standard_error_ratio"]) == (0, None)


@pytest.mark.parametrize("deviations", [(0,) * 50 + (100,) * 50, range(100), (70,) * 30])
def test_where_blocks_cannot_show_how_long_samples_hold_together_nothing_is_told(
    deviations: Sequence[int],
) -> None:
    """Of a step, of a drift, and of thirty samples: errors, but no interval."""
    found = of_deviations(deviations)

    assert [found[name] for name in ENDS] == [None, None]
    assert found["standard_error_bps"] is not None


@pytest.mark.parametrize(("second", "mean"), [(60, 300), (60.000001, 200)])
def test_a_price_counts_from_the_moment_it_is_told(second: float, mean: int) -> None:
    """Told at 60 s it is looked at then, told a microsecond later at 120 s: nobody looks ahead."""
    found = interval(
        *(spoken("0xref", each, 10_000) for each in (0, 120)),
        *(spoken("0xown", each, price) for each, price in ((0, 10_000), (120, 10_600))),
        spoken("0xown", second, 10_300),
    )

    assert [found[name] for name in COUNTS[:2]] == [3, 0]
    assert found["mean_deviation_bps"] == mean


def test_who_speaks_more_often_weighs_no_more() -> None:
    """A hundred prices within a minute are one sample, the last of them."""
    often = [spoken("0xown", second / 2, 10_900) for second in range(1, 100)]
    found = interval(
        *(spoken(feed, 0, 10_000) for feed in ("0xown", "0xref")),
        *often,
        *(spoken(feed, 60, 10_100) for feed in ("0xown", "0xref")),
    )

    assert (found["sample_count"], found["mean_deviation_bps"]) == (2, 0)


def test_what_is_too_old_is_left_out_and_counted() -> None:
    """A source that is silent from 60 s on is known until 180 s, of the 600 s the other speaks."""
    found = interval(
        *(spoken("0xref", second, 10_000) for second in range(0, 601, 60)),
        *(spoken("0xown", second, 10_050) for second in (0, 60)),
        tolerance_seconds=120,
    )

    assert [found[name] for name in COUNTS[:2]] == [4, 7]
    assert found["mean_deviation_bps"] == 50


@pytest.mark.parametrize("price", [0, -1, 900])
def test_a_price_that_says_nothing_of_the_other_is_left_out(price: int) -> None:
    """A reference of zero or less, and one that the other is more than eleven times as high as."""
    prices = ((0, 10_000), (60, price), (120, 10_000))
    found = interval(
        *(spoken("0xref", second, each) for second, each in prices),
        *(spoken("0xown", second, 10_000) for second, _ in prices),
    )

    assert [found[name] for name in COUNTS[:2]] == [2, 1]


@pytest.mark.parametrize(
    ("price", "unsampled"), [(110_000, 0), (110_000.1, 1), (-90_000, 0), (-90_000.1, 1)]
)
def test_a_price_eleven_times_as_high_is_still_compared(price: float, unsampled: int) -> None:
    """It is ten times the other away from it; so is one as far below zero."""
    found = interval(
        *(spoken("0xref", second, 10_000) for second in (0, 60)),
        *(spoken("0xown", second, each) for second, each in ((0, 10_000), (60, price))),
    )

    assert [found[name] for name in COUNTS[:2]] == [2 - unsampled, unsampled]


def test_an_answer_that_is_long_past_when_it_is_read_is_no_price() -> None:
    """Read at a block, but seen a day before."""
    read = {"log_index": -1, "observed_at": at(days=-1)}
    found = interval(
        *(spoken("0xref", second, 10_000) for second in (0, 120)),
        spoken("0xown", 0, 10_050),
        spoken("0xown", 60, 90_000, **read),
    )

    assert (found["sample_count"], found["mean_deviation_bps"]) == (3, 50)


def walk(random: Random) -> list[dict[str, object]]:
    """Return prices of three sources that speak when they like, near each other, in any order."""
    told = [
        spoken(
            random.choice(("0xown", "0xref", "0xthird")),
            random.choice((0, 30, 60, 0.5)) + MINUTE * random.randrange(60),
            10_000 + random.randrange(-(10**6), 10**6) / 1000,
        )
        for _ in range(random.randrange(2, 200))
    ]
    return random.sample(told, len(told))


@settings(max_examples=6)
@given(st.integers(0, 2**32), st.sampled_from([2, 3, 10]), st.sampled_from([60, 600]))
def test_both_engines_agree_and_no_order_of_rows_matters(
    seed: int, block_count: int, tolerance_seconds: int
) -> None:
    """To the last digit, of prices near each other, as rows drawn by chance seldom are."""
    rows = table("oracle_updates", *walk(Random(seed)))
    given = {"block_count": block_count, "tolerance_seconds": tolerance_seconds}

    forward, backward = (
        agreed("oracle_deviation_interval", {"oracle_updates": each}, **given)
        for each in (rows, rows.reverse())
    )

    assert forward.equals(backward)


def planted(kept: float, count: int, series: int) -> pl.DataFrame:
    """Return prices, minute by minute, that keep a part of how far they were off; on average 0."""
    noise = np.random.default_rng(5).standard_normal((count, series))
    off = np.empty_like(noise)
    off[0] = noise[0] / (1 - kept**2) ** 0.5
    for place in range(1, count):
        off[place] = kept * off[place - 1] + noise[place]
    minute, asset = np.divmod(np.arange(count * series), series)
    told = pl.DataFrame({"minute": minute, "asset": asset, "own": 10_000 + off.ravel()})
    reference = told.filter(pl.col("minute") % 60 == 0).with_columns(own=10_000.0)
    one = table("oracle_updates", spoken("0xf", 0, 1)).drop(
        "asset", "feed", "block_timestamp", "oracle_price_quote"
    )
    return pl.concat(
        each.select(
            asset=pl.format("{}", "asset"),
            feed=pl.lit(feed),
            block_timestamp=pl.lit(T0) + pl.duration(minutes="minute"),
            oracle_price_quote=pl.col("own").cast(pl.Decimal(38, 18)),
        ).join(one, how="cross")
        for feed, each in (("0xown", told), ("0xref", reference))
    )


def coverage(kept: float, count: int, series: int = 200) -> tuple[float, float, float]:
    """Return which part of naive intervals, and of those told, hold the mean, and the part told."""
    rows = planted(kept, count, series)
    computed = collected(compute("oracle_deviation_interval", load(oracle_updates=rows)))
    found = computed.filter(feed="0xown")
    naive = pl.col("mean_deviation_bps").abs() <= 1.96 * pl.col("naive_standard_error_bps")
    low, high = map(pl.col, ENDS)
    parts = found.select(
        naive.mean(),
        ((low <= 0) & (high >= 0)).mean().alias("block"),
        low.is_not_null().mean().alias("told"),
    )
    return parts.row(0)


def test_naive_intervals_cover_far_too_little() -> None:
    """Of 200 means of a day, 95 % should be covered: naively a third are, by blocks nearly all."""
    naive, block, told = coverage(0.9, 1440)

    assert naive < 0.45
    assert block > 0.9
    assert told == 1


@pytest.mark.soak
@pytest.mark.parametrize(
    ("kept", "count", "expected"), [(0, 1440, 0.95), (0.5, 1440, 0.73), (0.99, 10_080, 0.12)]
)
def test_block_intervals_cover_what_they_say(kept: float, count: int, expected: float) -> None:
    """As `test_naive_intervals_cover_far_too_little`, of other series."""
    naive, block, told = coverage(kept, count)

    assert naive == pytest.approx(expected, abs=0.08)
    assert block > 0.9
    assert told > 0.9


def test_what_nobody_knows_costs_nothing() -> None:
    """Half a century between two prices, second by second: the samples near them alone are held."""
    found = interval(
        *(spoken(feed, 0, 10_000) for feed in ("0xown", "0xref")),
        spoken("0xown", 1_600_000_000, 10_000),
        grid_seconds=1,
        tolerance_seconds=2,
    )

    assert [found[name] for name in COUNTS[:2]] == [3, 1_599_999_998]


def test_pairs_are_compared_some_at_a_time() -> None:
    """Of three sources of ten samples each, six pairs of ten: at most as many as are to be held."""
    ends = pl.DataFrame({"alike": 0, "source": [1, 2, 3], "cell": 0, "last": 9})

    pieces = [piece.collect() for piece in _beside(ends, most_samples=20)]

    assert [piece.height for piece in pieces] == [1, 2, 2, 1]
    assert pl.concat(pieces).select("source", "reference").n_unique() == 6


def test_only_what_is_asked_of_the_answer_is_cut_from_it() -> None:
    """A condition, a column and a row that are asked for change nothing of what is compared."""
    told = (spoken(feed, second, 100) for feed in ("0xown", "0xref") for second in (0, 60))

    lazy = compute("oracle_deviation_interval", load(oracle_updates=table("oracle_updates", *told)))
    asked = lazy.filter(pl.col("sample_count") > 1).select("feed", "sample_count").head(1)

    assert collected(asked).rows() == [("0xown", 2)]


def test_sums_of_a_far_deviation_over_a_year_do_not_overflow() -> None:
    """600,000 samples of 90,000 bps, whose sums are squared: they never moved."""
    count = 600_000
    pair = {"source": 1, "reference": 2, "span_count": count, "value": 90_000_000}
    samples = pl.DataFrame(pair).select(pl.all().repeat_by(count)).explode(*pair)

    found = _spreads(samples.lazy(), block_count=2)

    assert found.select("sample_count", "squares", "block_squares").row(0) == (count, 0, 0)


@pytest.mark.parametrize(
    "given", [{"grid_seconds": 0}, {"tolerance_seconds": -1}, {"block_count": 1}]
)
def test_settings_out_of_bounds_are_refused(given: dict[str, int]) -> None:
    """A grid without length, a tolerance below zero, and a block of all samples."""
    with pytest.raises(ValueError, match="must be at least"):
        METRICS["oracle_deviation_interval"](table("oracle_updates").lazy(), **given)


@pytest.mark.soak
@pytest.mark.parametrize("kept", [0.97, 0.99])
def test_few_that_are_told_miss(kept: float) -> None:
    """As `test_naive_intervals_cover_far_too_little`, where a day is too short to tell of most."""
    _, block, told = coverage(kept, 1440)

    assert told < 0.5
    assert told * (1 - block) < 0.08

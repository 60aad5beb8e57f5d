"""A division is rounded once, and a power too, whatever shape the rows beside it have."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.expressions import divided, moment, powered

Engine = Literal["in-memory", "streaming"]
Shape = Callable[[pl.LazyFrame, pl.LazyFrame], pl.LazyFrame]

AMOUNTS = st.floats(1e-18, 1e19)


def as_of(above: pl.LazyFrame, below: pl.LazyFrame) -> pl.LazyFrame:
    """Bring every row the last price before it."""
    return above.join_asof(below, on="at", check_sortedness=False)


def crossed(above: pl.LazyFrame, below: pl.LazyFrame) -> pl.LazyFrame:
    """Bring every row the one there is."""
    return above.join(below.drop("at"), how="cross")


def matched(above: pl.LazyFrame, below: pl.LazyFrame) -> pl.LazyFrame:
    """Bring every row the one of its key."""
    keyed = above.with_columns(key=pl.lit(0))
    return keyed.join(below.select("below", key=pl.lit(0)), on="key", maintain_order="left")


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("shape", [as_of, crossed, matched])
@given(st.lists(AMOUNTS, min_size=1, max_size=5), AMOUNTS)
@example([0.9975, 1.0, 3.0, 0.7], 1e-18)
def test_one_row_beside_many_divides_like_any_other(
    engine: Engine, shape: Shape, values: list[float], divisor: float
) -> None:
    """Python divides as IEEE 754 says; Polars alone multiplies by the inverse in such a join."""
    above = pl.LazyFrame({"at": range(1, len(values) + 1), "above": values})
    below = pl.LazyFrame({"at": [0], "below": [divisor]})
    quotient = divided(pl.col("above"), pl.col("below"))

    found = shape(above, below).select("at", quotient.alias("found")).collect(engine=engine)

    assert found.sort("at")["found"].to_list() == [value / divisor for value in values]


@given(st.lists(AMOUNTS, max_size=5), AMOUNTS)
@example([0.9975, 1.0, 3.0, 0.7], 1e-18)
def test_a_number_divides_like_a_column(values: list[float], divisor: float) -> None:
    """By a setting, too, a column is divided and not multiplied by the inverse."""
    found = pl.DataFrame({"above": values}, {"above": pl.Float64}).select(
        divided(pl.col("above"), divisor)
    )

    assert found.to_series().to_list() == [value / divisor for value in values]


def test_unknown_stays_unknown() -> None:
    """A null on either side gives null, and integers and decimals are divided as floats."""
    rows = pl.DataFrame({"above": [1, None, 3], "below": [4, 4, None]})

    found = rows.select(
        whole=divided(pl.col("above"), pl.col("below")),
        exact=divided(pl.col("above").cast(pl.Decimal(38, 18)), pl.col("below")),
    )

    assert found["whole"].to_list() == found["exact"].to_list() == [0.25, None, None]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("rows", [1, 3])
def test_a_power_is_the_same_whatever_is_beside_it(rows: int, engine: Engine) -> None:
    """1.01 to the fifth is what C says and not four products, in a piece of one row as in more."""
    told = {"base": [1.01] * rows, "exponent": [5.0] * rows}

    found = pl.LazyFrame(told).select(powered(pl.col("base"), pl.col("exponent")))

    assert found.collect(engine=engine).to_series().to_list() == [pow(1.01, 5.0)] * rows


def test_a_power_of_what_is_not_known_is_not_known() -> None:
    """A null on either side gives null."""
    told = pl.DataFrame({"base": [None, 2.0, 2.0], "exponent": [2.0, None, 2.0]})

    found = told.select(powered(pl.col("base"), pl.col("exponent")))

    assert found.to_series().to_list() == [None, None, 4.0]


@pytest.mark.parametrize(
    "said",
    [
        "2025-10-10T21:15",
        "2025-10-10T23:15+02:00",
        datetime(2025, 10, 10, 21, 15),
        datetime(2025, 10, 10, 21, 15, tzinfo=UTC),
        datetime(2025, 10, 10, 23, 15, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_moment_is_a_text_or_what_a_notebook_has(said: Any) -> None:
    """A datetime is as good as its text, and what has a zone is brought to UTC."""
    assert moment("event_start", said) == datetime(2025, 10, 10, 21, 15)


@pytest.mark.parametrize("said", [None, 7, "soon"])
def test_what_is_no_time_is_refused_in_one_sentence(said: Any) -> None:
    """Whatever a notebook passes, the setting is named."""
    with pytest.raises(ValueError, match=f"event_start must be a time like .*, got {said}"):
        moment("event_start", said)

"""What a chart says over each of its moments, all digits, and how long each of them lasts."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation, localcontext

import polars as pl

from analytics.reports import numerals

_SAID: Mapping[str, Callable[[Decimal | float], str]] = {
    "USD": lambda value: numerals.short_dollars(_decimal(value)),
    "%": lambda value: numerals.percent(float(value)),
    "bps": lambda value: f"{numerals.number(float(value))} bps",
}
_NO_UNIT = str.maketrans("", "", "$%, bps")
_NONE, _DAY = timedelta(0), timedelta(days=1)


def moments(
    rows: pl.DataFrame,
    names: Mapping[str, str],
    unit: str,
    *,
    length: timedelta = _NONE,
    is_sum: bool,
) -> pl.DataFrame:
    """
    Return what is to be said of each moment: at, said.

    Args:
        rows: `at`, `series`, `value`.
        names: its series in order, and what a reader sees of them.
        unit: of its values: USD, % or bps.
        length: how long a moment lasts, where it is known.
        is_sum: whether the values of a moment add up.
    """
    # What is of whole days is of no moment of them.
    letters = len("2025-10-10") if length and length % _DAY == _NONE else None
    texts: dict[datetime, list[str]] = {}
    sums: dict[datetime, Decimal | float] = {}
    order = {name: index for index, name in enumerate(names)}
    sort = pl.col("series").replace_strict(order, return_dtype=pl.Int64)
    plain = rows.sort("at", sort).select("at", "series", "value")
    with localcontext(prec=60):
        for at, series, value in plain.iter_rows():
            texts.setdefault(at, [numerals.clock(at)[:letters]]).append(
                f"{names[series]} {_said(value, unit)}"
            )
            if value is not None:
                sums[at] = sums[at] + value if at in sums else value
        if is_sum and len(order) > 1:
            for at, parts in texts.items():
                parts.append(f"together {_said(sums.get(at), unit)}")
    schema = pl.Schema({"at": rows.schema["at"], "said": pl.String()})
    whole = {"at": list(texts), "said": [" · ".join(parts) for parts in texts.values()]}
    return pl.DataFrame(whole, schema)


def _said(value: Decimal | float | None, unit: str) -> str:
    """Say a value as it is read and, where that rounds it, every digit of it in the same unit."""
    if value is None:
        return numerals.UNKNOWN
    said, exact = _SAID[unit](value), _decimal(value) * (100 if unit == "%" else 1)
    try:
        is_whole = Decimal(said.translate(_NO_UNIT)) == exact
    except InvalidOperation:
        is_whole = False
    return said if is_whole else f"{said} ({numerals.exact(exact)})"


def _decimal(value: Decimal | float) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def until_next(told: pl.DataFrame, lasting: timedelta = _NONE) -> pl.DataFrame:
    """Return moments until the next, or for so long; without a length, the last one is short."""
    following, end = pl.col("at").shift(-1), pl.col("at") + lasting
    until = pl.min_horizontal(following, end) if lasting else following.fill_null(end)
    return told.with_columns(until=until)


def broken(rows: pl.DataFrame, lasting: timedelta = _NONE) -> pl.DataFrame:
    """
    Return the values of a line and, where one ends and none follows, its end and a null.

    Args:
        rows: `at`, `series`, `value`; null for not known, which ends what was.
        lasting: how long a value stands at most; without it, until the next.
    """
    following, value = pl.col("at").shift(-1).over("series"), pl.col("value")
    until = pl.min_horizontal(following, pl.col("at") + lasting) if lasting else following
    is_followed = (until == following) & value.shift(-1).over("series").is_not_null()
    known = (
        rows.sort("series", "at")
        .with_columns(until=until, is_followed=is_followed.fill_null(value=False))
        .drop_nulls("value")
    )
    ends = known.filter(~pl.col("is_followed")).drop_nulls("until").with_columns(at="until")
    gaps = ends.with_columns(value=pl.lit(None, rows.schema["value"]))
    whole = pl.concat([known, ends, gaps]).sort("series", "at", maintain_order=True)
    return whole.select("at", "series", "value")

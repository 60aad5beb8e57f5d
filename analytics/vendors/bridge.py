"""From our number to a vendor's, one rule at a time: the steps add up to the difference exactly."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import polars as pl

from analytics.compute import Load
from analytics.vendors.definition import Definition, Line
from analytics.vendors.sums import sums

_KEYS = ("protocol", "date")
_SCHEMA: dict[str, pl.DataType] = {
    "protocol": pl.String(),
    "date": pl.Date(),
    "metric": pl.String(),
    "step_number": pl.Int64(),
    "kind": pl.String(),
    "name": pl.String(),
    "amount_usd": pl.Decimal(38, 18),
    "unknown_count": pl.Int64(),
    "reason": pl.String(),
    "source": pl.String(),
}


def bridge(
    definition: Definition,
    load: Load,
    past: Load,
    *,
    by_day: bool,
    until: datetime | None = None,
) -> pl.DataFrame:
    """
    Return our numbers, a vendor's, and what each of its rules moves.

    A step is the number under its rule less the number before it, so ours plus all steps is theirs
    to the last digit; theirs is what the vendor's rules together make of the same facts.

    Args:
        definition: the vendor's rules.
        load: returns a fact table within the window.
        past: returns it with what was before the window.
        by_day: one bridge per UTC day; else one for the whole window.
        until: the window's end, UTC; the end of what is indexed without it.

    Returns:
        Rows sorted by metric as published, protocol, date and step: kind is ours, step, theirs or
        not_computable; amount_usd (Decimal, USD; null while unknown), unknown_count (facts that are
        not known, which the number's sums lack), date (null for the whole window). What is not
        computable comes last, without amount and protocol.
    """
    keys = _KEYS if by_day else _KEYS[:1]
    known = sums(load, past, keys, until)
    lines = [line for line in definition.lines if not (by_day and line.is_of_window)]
    frames = [
        frame.with_columns(metric=pl.lit(line.metric), place=pl.lit(place))
        for place, line in enumerate(lines)
        for frame in _rows(line, known)
    ]
    compared = pl.concat(frames, how="diagonal_relaxed").sort("place", *keys, "step_number")
    # A rule that is not of a protocol leaves no gap in its numbers.
    numbered = pl.int_range(pl.len(), dtype=pl.Int64).over("place", *keys)
    return pl.concat([_shaped(compared.with_columns(step_number=numbered)), _missing(definition)])


def _rows(line: Line, known: pl.DataFrame) -> Iterator[pl.DataFrame]:
    there = pl.any_horizontal(pl.col(f"{table}_count") > 0 for table in line.facts)
    mine = known.filter(there & _among(line.protocols)).with_columns(
        number=line.ours, unknown_count=line.unknown
    )
    yield _told(mine, pl.col("number"), step_number=0, kind="ours", name="our definition")
    for place, step in enumerate(line.steps, start=1):
        applies = _among(step.protocols)
        mine = mine.with_columns(before="number").with_columns(
            number=pl.when(applies).then(step.value).otherwise("number"),
            unknown_count=pl.when(applies)
            .then(step.unknown or "unknown_count")
            .otherwise("unknown_count"),
        )
        yield _told(
            mine.filter(applies),
            pl.col("number") - pl.col("before"),
            step_number=place,
            kind="step",
            name=step.name,
            reason=step.reason,
            source=step.source,
        )
    last = len(line.steps) + 1
    yield _told(mine, pl.col("number"), step_number=last, kind="theirs", name="their definition")


def _among(protocols: Sequence[str]) -> pl.Expr:
    return pl.col("protocol").is_in(list(protocols)) if protocols else pl.lit(value=True)


def _told(rows: pl.DataFrame, amount: pl.Expr, **words: str | int) -> pl.DataFrame:
    keys = [key for key in _KEYS if key in rows.columns]
    return rows.select(
        *keys,
        *(pl.lit(word, _SCHEMA[name]).alias(name) for name, word in words.items()),
        "unknown_count",
        amount_usd=amount.cast(_SCHEMA["amount_usd"]),
    )


def _missing(definition: Definition) -> pl.DataFrame:
    rows = [
        {
            "metric": each.metric,
            "kind": "not_computable",
            "name": each.name,
            "reason": each.reason,
            "source": each.source,
        }
        for each in definition.missing
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _shaped(rows: pl.DataFrame) -> pl.DataFrame:
    absent = _SCHEMA.keys() - set(rows.columns)
    return rows.with_columns(pl.lit(None, _SCHEMA[name]).alias(name) for name in absent).select(
        *_SCHEMA
    )

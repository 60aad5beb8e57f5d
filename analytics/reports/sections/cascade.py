"""The cascade: which stages of it were seen, who moved first, and what kind of event it was."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl

from analytics.reports import numerals
from analytics.reports.charts import (
    BLACK,
    DELEVERAGED,
    GREY,
    LIQUIDATED,
    SKY,
    VERMILION,
    Canvas,
    Drawing,
)
from analytics.reports.context import Context
from analytics.reports.event import Event, event
from analytics.reports.numerals import clock
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.sections.listed import Shown, answers, ranked
from analytics.reports.sections.sessions import WORDS, sessions
from analytics.reports.timelines import timeline

_WHO = ("stage", "measure", "protocol", "asset")
STAGES = {
    "build_up": SKY,
    "trigger": VERMILION,
    "liquidation": LIQUIDATED,
    "deleveraging": DELEVERAGED,
    "dislocation": BLACK,
    "recovery": GREY,
}
_MEASURES = {
    "open_interest_usd": "open interest",
    "funding_rate_daily_ratio": "funding a day",
    "return_bps": "move in a minute",
    "velocity_usd_per_second": "liquidated",
    "adl_notional_usd": "closed by ADL at once",
    "deviation_bps": "sources apart by",
}
_OF_STAGE = 4
_RECOVERY_HOURS = 72
_COLUMNS = (
    *("stage", "who", "verdict", "begun", "ended", "stretch_count", "measured"),
    *("observed", "limit", "highest"),
)
_HEADERS = {
    "stretch_count": "stretches",
    "begun": "first beyond, UTC",
    "ended": "last beyond, UTC",
    "observed": "observed then",
    "limit": "threshold",
}
_VENUE_LAG = (
    *("measure", "asset", "leader", "lag_seconds", "correlation", "significance"),
    *("protocol", "feed", "other_protocol", "other_feed", "sample_count"),
)
_DROPS = (
    *("asset", "chain_id", "protocol", "before_price_quote", "low_price_quote", "low_at"),
    *("drop_ratio", "after_price_quote", "after_at", "recovery_ratio"),
)


def _beside(metric: pl.DataFrame) -> pl.DataFrame:
    window = pl.col("window")
    parts = {
        f"{name}_correlation": pl.col("correlation").filter(window == name).first()
        for name in ("before", "during", "after")
    }
    during = pl.col("sample_count").filter(window == "during").first()
    pairs = metric.group_by("asset", "other_asset").agg(**parts, sample_count=during)
    return ranked(pairs, pl.col("during_correlation"), ("asset", "other_asset"))


def _led(metric: pl.DataFrame) -> pl.DataFrame:
    # Nobody leads who moves at once, and no protocol leads itself.
    is_one = pl.col("protocol") == pl.col("other_protocol")
    nobody = pl.when(pl.col("lag_seconds") == 0).then(pl.lit("together"))
    words = nobody.when(is_one).then(pl.lit("one protocol"))
    return metric.with_columns(leader=pl.coalesce("leader", words))


_WANTED = (
    Shown(
        *("event_shape", "The shape of the event: repricing, or a failure of the machinery"),
        (
            *("verdict", "sign_count", "known_count", "asset_count", "breadth_ratio"),
            *("median_drop_ratio", "worst_drop_ratio", "median_recovery_ratio"),
            *("largest_deviation_bps", "depth_ratio", "worst_minute_ratio"),
        ),
        headers={
            "sign_count": "signs",
            "known_count": "of known",
            "breadth_ratio": "fallen",
            "worst_minute_ratio": "worst minute, of liquidated",
        },
    ),
    Shown(
        *("event_drops", "How far assets fell in dollars, and how much came back"),
        _DROPS,
        keys=("asset",),
        largest_first="drop_ratio",
        rows=15,
        headers={"after_price_quote": "price after", "recovery_ratio": "recovered"},
    ),
    Shown(
        *("venue_lead_lag", "Who moves first, most significant first"),
        _VENUE_LAG,
        largest_first="significance",
        settings={"grid_seconds": 10, "most_steps": 12},
        rows=15,
        summed=_led,
        headers={"lag_seconds": "other follows by, s"},
    ),
    Shown(
        *("asset_correlation", "How much assets move together: before, during and after"),
        keys=("asset", "other_asset"),
        rows=15,
        summed=_beside,
        headers={"sample_count": "minutes of the event"},
    ),
)


def cascade(context: Context) -> Section:
    """Return the section about the stages of the event and how venues and assets moved in it."""
    found = event(context)
    if found is None:
        words = (context.absence("liquidations, so no cascade,", "liquidations"),)
        return Section("cascade", "Cascade", words)
    (stages,), _ = answers(context, Shown("cascade_stages", "", between=found.around))
    others, tables = answers(context, *_wanted(found), *sessions(found))
    kept, left_out = _strongest(_lines(stages.frame, found))
    return Section(
        "cascade",
        "Cascade",
        (
            found.words,
            "Six stages, each judged for each protocol or asset on its own against a threshold "
            "that is a setting: build-up, trigger, liquidation, deleveraging, dislocation of "
            "prices and recovery. Nothing is assumed of their order. Seen is a measured crossing "
            "in the event, not seen a measured absence, not known that the facts do not tell. The "
            "past a threshold compares with is the day before; fewer than three liquidations in a "
            "minute are no stage, and any ADL at all is deleveraging. A recovery stands at the "
            "last difference beyond its threshold: from then on sources agreed. Of each stage the "
            f"{_OF_STAGE} that began first are shown.",
            "Who leads is by the shift at which two series agree best: a significance below three "
            "is chance or trend. A repricing stays; a failure of the market's machinery comes "
            "back, with sources apart, thin books and much of the selling in one minute. Prices "
            f"have {_RECOVERY_HOURS} hours to come back, or as long as is covered.",
            WORDS,
        ),
        charts=_charts(context, found, kept, stages),
        tables=(*([_table(kept, left_out, stages)] if kept.height else []), *tables),
        sources=(stages, *others),
    )


def _wanted(found: Event) -> tuple[Shown, ...]:
    patient = {"event_shape", "event_drops"}
    later, patience = found.followed(_RECOVERY_HOURS), {"recovery_hours": _RECOVERY_HOURS}
    return tuple(
        replace(
            shown,
            settings={**shown.settings, **found.settings}
            | (patience if shown.metric in patient else {}),
            between=later if shown.metric in patient else found.around,
        )
        for shown in _WANTED
    )


def _lines(stages: pl.DataFrame, found: Event) -> pl.DataFrame:
    """Return one row per stage, measure and whose it is, with its stretches within the event."""
    inside = (pl.col("end_at") >= found.start) & (pl.col("start_at") < found.end)
    order = ["is_seen", "start_at", "peak_value"]
    placed = stages.with_columns(
        is_seen=inside.fill_null(value=False),
        # An ADL has no threshold to cross; the metric says so by one below any.
        threshold=pl.col("threshold").clip(lower_bound=0.0),
    ).sort(order, descending=[True, False, True], nulls_last=True)
    seen, peak, was = pl.col("is_seen"), pl.col("peak_value"), (pl.col("verdict") == "seen").any()
    earlier = pl.when(was).then(pl.lit("seen before")).otherwise(pl.col("verdict").first())
    lines = placed.group_by(_WHO, maintain_order=True).agg(
        pl.col("name", "observed_value", "threshold").first(),
        verdict=pl.when(seen.any()).then(pl.lit("seen")).otherwise(earlier),
        start_at=pl.col("start_at").filter("is_seen").min(),
        end_at=pl.col("end_at").filter("is_seen").max(),
        stretch_count=seen.sum().cast(pl.Int64),
        highest_value=pl.coalesce(peak.filter("is_seen").max(), peak.max()),
        stretches=pl.struct("start_at", "end_at").filter("is_seen"),
    )
    who = pl.concat_str("protocol", "asset", separator=" ", ignore_nulls=True)
    named = pl.when(who == "").then(pl.lit("anyone")).otherwise(who)
    return lines.with_columns(who=named).sort("stage", "start_at", "who", nulls_last=True)


def _strongest(lines: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    first = lines.group_by("stage", maintain_order=True).head(_OF_STAGE)
    kept = first.with_columns(is_ambiguous=pl.len().over("stage", "who") > 1)
    return kept, lines.height - kept.height


def _said(row: dict[str, Any], name: str) -> str:
    measure, value = row["measure"], row[name]
    if value is None:
        # Without an ADL nothing of one is unknown.
        is_none = measure == "adl_notional_usd" and row["verdict"] == "not seen"
        return "none" if is_none else numerals.UNKNOWN
    if measure.endswith("_ratio"):
        return numerals.percent(value)
    if "_usd" in measure:
        rate = " a second" if measure.endswith("_per_second") else ""
        return f"{numerals.short_dollars(Decimal(repr(value)))}{rate}"
    return f"{numerals.number(value)} bps"


def _table(kept: pl.DataFrame, left_out: int, source: Source) -> Table:
    texts = pl.DataFrame([_texts(row) for row in kept.iter_rows(named=True)])
    shown = pl.concat([kept.select("stretch_count", "verdict", "who"), texts], how="horizontal")
    caption = "Stages: what was seen, against which threshold"
    made = table(caption, shown, _COLUMNS, rows=99, headers=_HEADERS, source=source)
    return replace(made, left_out=left_out)


def _texts(row: dict[str, Any]) -> dict[str, str]:
    # What was looked at and not seen has no time, which is not the same as an unknown one.
    nothing = numerals.UNKNOWN if row["verdict"] == "not known" else "none"
    is_seen = row["verdict"] == "seen"
    return {
        "stage": f"{row['stage']} {row['name'].replace('_', '-')}",
        "begun": clock(row["start_at"]) if is_seen else nothing,
        "ended": clock(row["end_at"]) if is_seen else nothing,
        "measured": _MEASURES[row["measure"]],
        "observed": _said(row, "observed_value") if is_seen else nothing,
        "limit": _said(row, "threshold"),
        "highest": _said(row, "highest_value"),
    }


def _charts(
    context: Context, found: Event, kept: pl.DataFrame, source: Source
) -> tuple[Chart, ...]:
    rows = [
        {"line": line, "label": label, "kind": row["name"], "said": said} | stretch
        for line, row in enumerate(kept.iter_rows(named=True))
        for label, said in [_label(row)]
        for stretch in row["stretches"] or [{"start_at": None, "end_at": None}]
    ]
    if not rows:
        return ()
    moment = pl.Datetime("us")
    frame = pl.DataFrame(rows, schema_overrides={"start_at": moment, "end_at": moment})
    title = "Stages of the event"
    drawing = Drawing("cascade_stages", title, "stage", "USD", STAGES, source)
    canvas = Canvas(context.stamp, found.start, found.end)
    return (timeline(canvas, drawing, frame),)


def _label(row: dict[str, Any]) -> tuple[str, str]:
    name = f"{row['stage']} {row['name'].replace('_', '-')}"
    # A phone cuts what is at the end: the verdict is not.
    by = f", by {_MEASURES[row['measure']]}" if row["is_ambiguous"] else ""
    label = f"{name}, {row['who']}: {row['verdict']}{by}"
    parts = [label, _MEASURES[row["measure"]]]
    if row["start_at"] is not None:
        parts.append(f"{clock(row['start_at'])} to {clock(row['end_at'])}")
    parts.append(f"highest {_said(row, 'highest_value')}")
    parts.append(f"threshold {_said(row, 'threshold')}")
    return label, " · ".join(parts)

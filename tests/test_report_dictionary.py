"""The data dictionary: no exported column without its type and meaning, and units from names."""

import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from inspect import getdoc
from pathlib import Path

import polars as pl
import pytest
from handmade import table
from report_rows import written_market

from analytics import load
from analytics.compute import compute
from analytics.metrics import METRICS
from analytics.plain_text import for_spreadsheets
from analytics.reports.dictionary import dictionary, meaning, unit_of
from analytics.reports.headers import header
from analytics.reports.parts import Source
from analytics.reports.scope import FACTS, Scope
from analytics.studies.event import event

DESCRIBED = tomllib.loads(
    files("analytics.reports").joinpath("columns.toml").read_text(encoding="utf-8")
)


@pytest.mark.parametrize(
    ("name", "dtype", "unit"),
    [
        ("fees_usd", pl.Decimal(38, 18), "US dollars"),
        ("velocity_usd_per_second", pl.Float64(), "US dollars per second"),
        ("share_price_tokens", pl.Decimal(38, 18), "units of the asset per share"),
        ("bought_tokens", pl.Decimal(38, 18), "whole tokens"),
        ("deviation_bps", pl.Float64(), "basis points, 1 = 0.01 %"),
        ("area_bps_seconds", pl.Float64(), "basis points times seconds"),
        ("top_1_share", pl.Float64(), "ratio, 1 = 100 %"),
        ("median_leverage", pl.Float64(), "a multiple, 1 = unleveraged"),
        ("bucket_at", pl.Datetime("us"), "UTC"),
        ("tx_hash", pl.String(), ""),
    ],
)
def test_the_name_carries_the_unit(name: str, dtype: pl.DataType, unit: str) -> None:
    """The end of a column's name says what it counts; text counts nothing."""
    assert unit_of(name, dtype) == unit


def test_a_column_nobody_described_is_its_name() -> None:
    """A metric of somebody's own has no line here: its words stand for it."""
    assert meaning("worst_wick_bps") == "worst wick bps"


def test_what_is_at_a_dead_address_is_burned_and_in_supply() -> None:
    """The words of a burn are those of the declarations, which count both kinds."""
    explained = getdoc(METRICS["buybacks"]) or ""

    assert (
        meaning("burned_tokens") == "tokens destroyed, or sent to where nobody can take them from"
    )
    assert "or sent to a dead address" in explained
    assert "left supply" not in explained


def undescribed(columns: Iterable[str]) -> list[str]:
    """Return the columns that mean no more than their names."""
    return [
        f"{name}: say in analytics/reports/columns.toml what it is"
        for name in columns
        if name not in DESCRIBED
    ]


@pytest.mark.parametrize("metric", METRICS)
def test_every_column_of_a_metric_is_described(metric: str) -> None:
    """A reader of a file finds more than the name of a column again."""
    rows = compute(metric, lambda name: table(name).lazy())

    assert undescribed(rows.collect_schema()) == []


@pytest.mark.parametrize("name", FACTS)
def test_every_column_of_a_fact_is_described(name: str) -> None:
    """What is stored is described as what is computed."""
    assert undescribed(table(name).columns) == []


def test_every_column_of_an_event_is_described(tmp_path: Path) -> None:
    """The figures of a study have a dictionary beside them, too."""
    with load.database(written_market(tmp_path)) as con:
        parts = event(Scope(con))

    assert {part.name: undescribed(part.frame.columns) for part in parts} == {
        part.name: [] for part in parts
    }


def test_no_column_is_described_by_its_name() -> None:
    """A description that only says the name is none."""
    assert [name for name, said in DESCRIBED.items() if said == name.replace("_", " ")] == []


def test_no_description_is_a_formula() -> None:
    """`; -1 to 1` got an apostrophe in dictionary.csv, where a spreadsheet might compute it."""
    said = pl.DataFrame({"meaning": list(DESCRIBED.values())})

    assert for_spreadsheets(said).equals(said)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fee_count", "fees"),
        ("breach_count", "breaches"),
        ("loss_count", "losses"),
        ("known_count", "known"),
        ("venue_unknown_count", "venue unknown"),
        ("recovery_count", "recoveries"),
        ("younger_count", "younger"),
        ("logs_before_count", "logs before"),
        ("silent_events_count", "events fallen silent"),
    ],
)
def test_a_count_is_of_many(name: str, words: str) -> None:
    """A header counts things in the plural, where their word has one."""
    assert header(name) == words


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("reason", ("log", "tested")),  # of rejects, and of what must hold
        ("breach_count", ("must hold", "older")),  # of what must hold, and of heartbeats
        ("event", ("contract", "compared")),  # of rejects, and of the shape of events
        ("from_at", ("window", "file")),  # of correlations, and of imports
        ("to_at", ("window", "file")),
        ("notional_usd", ("closed", "open")),  # of liquidations, and of what accounts hold
        ("lag_seconds", ("later", "earlier", "metric")),  # after a liquidation, or another source
        ("unsplit_count", ("lack them", "not known")),  # of lower bounds, and of sums that are null
        ("seizure_count", ("repossessions", "seizures", "sales")),
    ],
)
def test_columns_of_two_tables_say_what_they_are_in_both(name: str, words: Sequence[str]) -> None:
    """A reason stands beside rejected logs and beside identities that could not be tested."""
    assert [word for word in words if word not in meaning(name)] == []


def test_a_row_says_what_made_it() -> None:
    """Table, column, type, unit, meaning and the metric to look up."""
    frame = pl.DataFrame({"fee_count": [1]})

    rows = dictionary([Source("fees_of_a_day", "metric", "fees", frame)]).rows()

    assert rows == [
        ("fees_of_a_day", "fee_count", "int64", "a count", "fees charged", "metric fees")
    ]

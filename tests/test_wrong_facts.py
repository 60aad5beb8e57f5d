"""Facts that are told wrong: a report says what it can, or in a sentence why it cannot."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest
from handmade import write_database
from report_rows import market

from analytics import load
from analytics.errors import WorldError
from analytics.reports import pages
from analytics.reports.report import report
from analytics.reports.scope import FACTS, Scope

AMOUNTS = cs.decimal()
# Every other text may be anything.
TEXTS = cs.string() - cs.by_name("tx_hash", "protocol", "version", "evidence", require_all=False)
LONG = "<script>=1|\n" + "é" * 3000

Change = Callable[[pl.DataFrame], pl.DataFrame]
WRONG: Mapping[str, Change] = {
    "zero": lambda rows: rows.with_columns(AMOUNTS * 0),
    "negative": lambda rows: rows.with_columns(AMOUNTS * -1),
    "tiny": lambda rows: _filled(rows, AMOUNTS, "0.000000000000000001"),
    "huge": lambda rows: _filled(rows, AMOUNTS, "60000000000000000000"),
    "long": lambda rows: _filled(rows, TEXTS, LONG),
    "empty": lambda rows: _filled(rows, TEXTS, ""),
}
SOME = ("huge", "long")
FRAMES = market()
TOLD = [fact for fact in FACTS if fact in FRAMES]


def _filled(rows: pl.DataFrame, columns: cs.Selector, text: str) -> pl.DataFrame:
    """Return rows with every value of some columns replaced, what is not known as well."""
    schema = rows.select(columns).schema
    return rows.with_columns(pl.lit(text).cast(dtype).alias(name) for name, dtype in schema.items())


def answered(path: Path) -> str:
    """Return the page of the report on a database, or the sentence that refuses it."""
    try:
        with load.database(path) as con:
            page = report(Scope(con))
    except WorldError as error:
        return str(error)
    return pages.html(page, {})


def cases() -> Sequence[object]:
    """Return what is wrong and in which tables: some of all at once, and each of each in a soak."""
    wholes = [
        pytest.param(wrong, TOLD, marks=[pytest.mark.soak] * (wrong not in SOME), id=wrong)
        for wrong in WRONG
    ]
    return wholes + [
        pytest.param(wrong, [fact], marks=pytest.mark.soak, id=f"{wrong} {fact}")
        for wrong in WRONG
        for fact in TOLD
    ]


@pytest.mark.parametrize(("wrong", "tables"), cases())
def test_a_report_is_written_or_refused_in_a_sentence(
    tmp_path: Path, wrong: str, tables: Sequence[str]
) -> None:
    """Never a traceback; what is refused names the largest amounts."""
    changed = {name: WRONG[wrong](FRAMES[name]) for name in tables}
    path = write_database(tmp_path / "wrong.duckdb", FRAMES | changed)

    answer = answered(path)

    is_refused = "the largest amounts are 60,000,000,000,000,000,000 in " in answer
    assert is_refused or answer.startswith("<!doctype html>")
    assert wrong == "huge" or not is_refused
    assert "<script>=1" not in answer

"""
A study on disk, as a report is: a folder that appears whole or not at all.

    report.html, report.md               to read
    csv/, json/, parquet/, tables.xlsx   the figures, exact
    dictionary.md, dictionary.csv        what each of their columns is
    manifest.json                        what it rests on, and the digest of each file
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from inspect import getdoc
from pathlib import Path

import polars as pl

from analytics.metrics import METRICS
from analytics.reports.bundle import check_replaceable, replace_folder, write_tables
from analytics.reports.cards import cards
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.digests import file_digest, rows_digest
from analytics.reports.manifest import MANIFEST, versions
from analytics.reports.numerals import counted, moment
from analytics.reports.pages import html, markdown
from analytics.reports.parts import (
    Card,
    Cell,
    Column,
    Kind,
    Page,
    Section,
    Source,
    Table,
    ranks,
    table,
)
from analytics.reports.sections.covered import warnings
from analytics.reports.sections.methodology import explained
from analytics.reports.summary import summed_up
from analytics.studies.claims import DIFFERS, MATCH, NOT_TESTABLE, shown, titled
from analytics.studies.event import Part
from analytics.studies.record import FIGURES, Study

FORMAT = "perpscope-study/1"
_SHOWN = ("figure", "published", "computed", "unit", "verdict", "note", "source")
_NUMBERS = ("published", "computed")
_ROWS = 60


def write_study(study: Study, output: Path) -> Path:
    """
    Write a study of published rows into a folder, and return the folder.

    Raises:
        UserError: the folder holds something else.
        WorldError: it cannot be written; what was there before is untouched.
    """
    return _written(output, study_page(study), {"files": study.files.to_dicts()})


def write_event(context: Context, parts: tuple[Part, ...], output: Path) -> Path:
    """
    Write the figures of a window into a folder, with the facts they rest on, and return it.

    Raises:
        UserError: the folder holds something else.
        WorldError: it cannot be written; what was there before is untouched.
    """
    return _written(output, event_page(context, parts), {"coverage": context.coverage.to_dicts()})


def study_page(study: Study) -> Page:
    """Return a study of published rows as a page: verdicts first, a section per theme, files."""
    counts = study.counts
    missing = study.files.filter(pl.col("problem").is_not_null())
    themes = study.figures["theme"].unique(maintain_order=True)
    sections = [_theme(number, theme, study) for number, theme in enumerate(themes, 1)]
    return Page(
        title=f"study {study.name}: what was published, and what the rows say",
        extent=study.verdicts,
        stamp="PUBLISHED ROWS",
        is_simulated=False,
        kinds={},
        warnings=(
            "The rows are others' publications. Their digests are below; nothing proves that they "
            "are complete.",
            f"{counted(counts[NOT_TESTABLE], 'figure')} cannot be tested with these rows; each "
            "says what it needs.",
            *missing["problem"],
        ),
        cards=tuple(_card(verdict, study) for verdict in counts),
        sections=(*sections, *_amounts(study), _files(study)),
        methods=tuple(("figure", name, getdoc(each) or "") for name, each in FIGURES.items()),
    )


def event_page(context: Context, parts: tuple[Part, ...]) -> Page:
    """Return the figures of a window as a page: a section per table, then the facts behind them."""
    extent = context.scope.extent
    silent = [titled(part.name) for part in parts if part.frame.is_empty()]
    nothing = [f"Nothing in this window for: {', '.join(silent)}."] if silent else []
    # A study compares with no other time.
    numbers = tuple(replace(card, change="") for card in cards(summed_up(context.scope)))
    told = tuple(_part(context, part) for part in parts if not part.frame.is_empty())
    figures = (part for part in parts if _kind(part) == "figure")
    return Page(
        title="study event: the figures of a window",
        extent=f"{moment(extent[0])} to {moment(extent[1])}" if extent else "no facts",
        stamp=context.stamp,
        is_simulated=context.is_simulated,
        kinds={chain_name(chain): kind for chain, kind in context.kinds.items()},
        warnings=(*warnings(context), *nothing),
        limits=context.scope.limits,
        cards=numbers,
        sections=(*told, _facts(context)),
        methods=(
            *(("figure", part.name, getdoc(part.function) or "") for part in figures),
            *explained(numbers, told),
        ),
    )


def _written(output: Path, page: Page, inputs: Mapping[str, object]) -> Path:
    folder = output.resolve()
    check_replaceable(folder)
    replace_folder(folder, lambda unfinished: _write(unfinished, page, inputs))
    return output


def _write(folder: Path, page: Page, inputs: Mapping[str, object]) -> None:
    sources = [source for section in page.sections for source in section.sources]
    write_tables(folder, sources, page)
    (folder / "report.html").write_text(html(page, versions()), encoding="utf-8")
    (folder / "report.md").write_text(markdown(page, versions()), encoding="utf-8")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "format": FORMAT,
        "versions": versions(),
        "inputs": inputs,
        "rows": {source.name: rows_digest(source.frame) for source in sources},
        "files": {path.relative_to(folder).as_posix(): file_digest(path) for path in paths},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def _card(verdict: str, study: Study) -> Card:
    total = study.figures.height
    published = study.figures["published"].count()
    is_of_published = verdict in {MATCH, DIFFERS}
    said = f"of {published} published" if is_of_published else f"of {total}"
    return Card(verdict, str(study.counts[verdict]), "figures", said, ())


def _theme(number: int, theme: str, study: Study) -> Section:
    rows = study.figures.filter(pl.col("theme") == theme)
    cells = tuple(zip(*(_cells(name, rows[name]) for name in _SHOWN), strict=True))
    columns = tuple(Column(name, name, name in _NUMBERS, is_hash=False) for name in _SHOWN)
    return Section(f"theme-{number}", theme, tables=(Table("", columns, cells),))


def _cells(name: str, said: Iterable[str | None]) -> list[Cell]:
    texts = [text or "" for text in said]
    places = ranks([_place(text) if text else None for text in texts])
    read = shown if name in _NUMBERS else str
    pairs = zip(texts, places, strict=True)
    return [Cell(read(text), read(text), text, place) for text, place in pairs]


def _place(text: str) -> tuple[bool, Decimal, str]:
    """Return where a stated value stands in its column: numbers first, then words and times."""
    try:
        return (False, Decimal(text), "")
    except InvalidOperation:
        return (True, Decimal(0), text)


def _amounts(study: Study) -> list[Section]:
    return [
        Section(
            name,
            titled(name),
            tables=(table("", frame, rows=_ROWS),),
            sources=(Source(name, "facts", name, frame),),
        )
        for name, frame in study.frames.items()
    ]


def _files(study: Study) -> Section:
    frames = {"figures": study.figures, "files": study.files}
    return Section(
        "files",
        "What was read",
        tables=(
            table(
                "",
                study.files,
                rows=_ROWS,
                headers={"sha256": "SHA-256"},
                nothing={"problem": "none"},
            ),
        ),
        sources=tuple(Source(name, "facts", name, frame) for name, frame in frames.items()),
    )


def _part(context: Context, part: Part) -> Section:
    has_market = "market" in part.frame.columns
    rows = context.named(part.frame).drop("market_symbol") if has_market else part.frame
    source = Source(part.name, _kind(part), part.name, part.frame, part.settings)
    shown = table("", rows, rows=_ROWS, source=source, keys=part.keys)
    return Section(part.name, titled(part.name), tables=(shown,), sources=(source,))


def _kind(part: Part) -> Kind:
    # A figure may have the name of a metric that tells more of the same.
    return "metric" if part.function is METRICS.get(part.name) else "figure"


def _facts(context: Context) -> Section:
    frames = {name: context.scope.facts(name).collect() for name in ("adls", "liquidations")}
    sources = [Source(name, "facts", name, frame) for name, frame in frames.items()]
    words = "Each row of these files has the transaction it comes from."
    return Section("facts", "The facts behind it", (words,), sources=tuple(sources))

"""
A report on disk: a folder that appears whole or not at all.

    report.html, report.md                       to read
    charts/*.svg, charts/*.png                   its charts
    csv/, json/, parquet/, tables.xlsx           the rows behind each section, exact
    dictionary.md, dictionary.csv                what each of their columns is
    transactions.parquet                         the transactions that all of it rests on
    manifest.json                                what was asked, of what, and the digest of each
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from errno import ENOENT, ENOSPC, ENOTEMPTY
from glob import escape
from itertools import chain
from pathlib import Path
from uuid import uuid4

import polars as pl

from analytics import load
from analytics.errors import UserError, WorldError
from analytics.export import encoded
from analytics.formats import Format
from analytics.reports.availability import missed
from analytics.reports.comparison import compared
from analytics.reports.demands import check_identities, check_proof, check_reached
from analytics.reports.dictionary import dictionary
from analytics.reports.manifest import (
    MANIFEST,
    TRANSACTIONS,
    joined,
    manifest,
    transactions,
    versions,
    written_files,
)
from analytics.reports.pages import dictionary_page, html, markdown
from analytics.reports.parts import Page, Source
from analytics.reports.pixels import pixels
from analytics.reports.report import report
from analytics.reports.scope import Limits, Scope, checked
from analytics.workbook import workbook

# A cell of a workbook takes about fifty times as long to write as one of a CSV file.
_SHEET_ROWS = 5_000
_FORMS = (Format.CSV, Format.JSON, Format.PARQUET)
_ENTRIES = {"report.html", "report.md", "charts", MANIFEST, TRANSACTIONS, *_FORMS}
_ENTRIES |= {"tables.xlsx", "dictionary.md", "dictionary.csv"}


def write_report(
    path: Path,
    output: Path,
    limits: Limits | None = None,
    beside: Limits | None = None,
    *,
    require_proof: str | None = None,
    despite_breaches: bool = False,
    warn: Callable[[str], None] | None = None,
) -> Path:
    """
    Write the report of a database into a folder, and return the folder.

    What was in the folder is replaced at the end, and only if it is a report.

    Args:
        path: the DuckDB file.
        output: the folder.
        limits: the protocol, chain and time to report on; everything by default.
        beside: what to lay beside it and compare it with; nothing by default.
        require_proof: how far all of its data must be proven; None asks for nothing.
        despite_breaches: publish, with a warning, what breaks an identity.
        warn: told of each side, once it is written, that nothing of its time is covered.

    Raises:
        UserError: the folder holds something else, or the limits name what is not there.
        WorldError: the database cannot be read or has nothing in it or of the time asked for, its
            data contradicts itself or is proven less far than asked, or the folder cannot be
            written; what was there before is untouched.
    """
    folder = output.resolve()
    check_replaceable(folder)
    with load.database(path) as con:
        load.limit_memory(con)
        scopes = sides(con, [limits or Limits(), *([] if beside is None else [beside])])
        check_reached(scopes)
        for scope in scopes:
            if require_proof is not None:
                check_proof(scope, require_proof)
            if not despite_breaches:
                check_identities(scope)
        replace_folder(folder, lambda unfinished: published(scopes, unfinished))
        for side, scope in zip(("", "of what is compared with, "), scopes, strict=False):
            if warn is not None and (said := missed(scope)):
                warn(f"{side}{said}")
    return output


def sides(con: load.Connection, limits: Sequence[Limits]) -> list[Scope]:
    """
    Return the scope of a report, or of both sides of one: periods of two are equally long.

    Raises:
        WorldError: nothing is indexed.
        UserError: the limits name what is not there.
    """
    scopes = [checked(Scope(con, each)) for each in limits]
    lengths = [scope.length for scope in scopes if scope.length is not None]
    span = max(lengths, default=None) if len(scopes) > 1 else None
    return [replace(scope, span=span) for scope in scopes]


def check_replaceable(folder: Path) -> None:
    """
    Check that a folder is missing, empty or a report.

    Raises:
        UserError: it is a file or in one, or holds anything that its manifest does not name.
    """
    if not folder.exists():
        if not next(each for each in folder.parents if each.exists()).is_dir():
            raise UserError(f"{folder} cannot be a folder, it is in a file: correct --output")
        return
    if seen := _foreign(folder):
        raise UserError(
            f"{folder} is not a perpscope report (found {seen}) and will not be replaced: "
            "name another folder with --output"
        )


def _foreign(folder: Path) -> str | None:
    """Name what is in the place of a report and of none; None where there is nothing of it."""
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if others := sorted(found - _ENTRIES):
        return others[0]
    if found and MANIFEST not in found:
        return f"no {MANIFEST}"
    named = written_files(folder) if found else set()
    if named is None:  # programs of many kinds write a file of this name
        return f"a {MANIFEST} of something else"
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return min(files - named - {MANIFEST}, default=None)


def replace_folder(folder: Path, write: Callable[[Path], None]) -> None:
    """
    Put what `write` writes in the place of a folder, whole or not at all.

    What killed processes left beside it of other tries is removed.

    Raises:
        UserError: something else than a report was put there meanwhile.
        WorldError: it cannot be written, the folder is as it was; or another run put its report
            there in the same moment.
    """
    unfinished = folder.with_name(f".{folder.name}.{uuid4().hex}")
    try:
        unfinished.mkdir(parents=True)
        with _kept(unfinished):
            _remove_abandoned(folder)
            write(unfinished)
            _swap(unfinished, folder)
    except OSError as error:
        advice = "make room for it there" if error.errno == ENOSPC else "mend that"
        raise WorldError(
            f"the report cannot be written to {folder}: {error.strerror}; "
            f"{advice}, or name another folder with --output"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def _kept(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which ends with the process, where the file system has them."""
    number = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)


def _remove_abandoned(folder: Path) -> None:
    place = f".{escape(folder.name)}.{'[0-9a-f]' * 32}"
    # What was to be replaced may be all that there is.
    places = (place, f"{place}.old") if folder.exists() else (place,)
    for left in chain.from_iterable(map(folder.parent.glob, places)):
        with suppress(OSError):  # no locks, or nothing that is ours to remove
            number = os.open(left, os.O_RDONLY)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if any(left.iterdir()):  # else it may have been made a moment ago
                    shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(number)


def _swap(unfinished: Path, folder: Path) -> None:
    check_replaceable(folder)  # as it is now: what was put there meanwhile is not ours to remove
    retired = folder.with_name(f"{unfinished.name}.old")
    try:
        if folder.exists():
            folder.rename(retired)
        unfinished.rename(folder)
    except OSError as error:
        if error.errno not in {ENOENT, ENOTEMPTY}:
            raise
        raise WorldError(
            f"another run put a report into {folder} at the same moment: expected the one that "
            "was there; read that one, run this again, or name another folder with --output"
        ) from error
    finally:
        if folder.exists():
            shutil.rmtree(retired, ignore_errors=True)
        else:
            with suppress(OSError):
                retired.rename(folder)


def published(scopes: Sequence[Scope], folder: Path) -> None:
    """Write the report of a scope, or of two side by side, into an empty folder."""
    first, *others = [report(scope) for scope in scopes]
    written = compared(first, *others) if others else first
    sent = [transactions(scope) for scope in scopes]
    (folder / "charts").mkdir()
    for chart in (chart for section in written.sections for chart in section.charts):
        (folder / "charts" / f"{chart.name}.svg").write_text(chart.svg, encoding="utf-8")
        (folder / "charts" / f"{chart.name}.png").write_bytes(pixels(chart))
    resting = joined(sent)
    (folder / TRANSACTIONS).write_bytes(encoded(resting, Format.PARQUET))
    alone = Source(Path(TRANSACTIONS).stem, "facts", "transactions", resting)
    write_tables(folder, written.sources, written, alone)
    (folder / "report.html").write_text(html(written, versions()), encoding="utf-8")
    (folder / "report.md").write_text(markdown(written, versions()), encoding="utf-8")
    text = json.dumps(manifest(folder, written, scopes, sent), indent=1, default=_plain)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def write_tables(folder: Path, rows: Iterable[Source], page: Page, *alone: Source) -> None:
    """
    Write the rows of a page into a folder: a file of each form, a workbook, a dictionary.

    Args:
        folder: the folder.
        rows: the rows.
        page: the page that they are of.
        alone: what the dictionary explains as well, of files that others write.
    """
    sources = tuple(rows)
    for form in _FORMS:
        (folder / form).mkdir()
        for source in sources:
            content = encoded(source.frame, form)
            (folder / form / f"{source.name}.{form}").write_bytes(content)
    explained = dictionary((*sources, *alone))
    # A workbook goes its own way: what its numbers are, and lack, goes with it.
    sheets = {"about": _about(page), "dictionary": explained}
    sheets |= {each.name: each.frame for each in sources}
    (folder / "tables.xlsx").write_bytes(workbook(sheets, most_rows=_SHEET_ROWS))
    (folder / "dictionary.csv").write_bytes(encoded(explained, Format.CSV))
    (folder / "dictionary.md").write_text(dictionary_page(explained), encoding="utf-8")


def _about(page: Page) -> pl.DataFrame:
    said = (("data", page.stamp), ("report", page.title), ("time, UTC", page.extent))
    known = (*said, *(("before you rely on it", each) for each in page.warnings))
    return pl.DataFrame(known, ["about", "said"], orient="row")


def _plain(value: Decimal | date) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    return f"{value.isoformat()}Z" if isinstance(value, datetime) else value.isoformat()

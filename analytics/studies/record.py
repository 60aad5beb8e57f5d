"""A study of published rows: reads the files that are there, computes, and judges each claim."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import getmembers, isfunction, signature
from pathlib import Path
from types import MappingProxyType

import polars as pl

from analytics.compute import collected
from analytics.errors import UserError, WorldError
from analytics.reports.digests import file_digest
from analytics.studies import corrections, exits, income, prices, waves
from analytics.studies.claims import VERDICTS, claims, judged
from analytics.studies.files import FILES, File, Unusable, read

Figure = Callable[..., pl.LazyFrame]

HYPERLIQUID = "hyperliquid-2025-10-10"
_COLUMNS = (
    *("theme", "figure", "published", "computed", "unit"),
    *("verdict", "note", "source", "key"),
)

FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        name: function
        for topic in (exits, waves, prices, income, corrections)
        for name, function in getmembers(topic, isfunction)
        if function.__module__ == topic.__name__ and not name.startswith("_")
        if {*signature(function).parameters} <= {*FILES}
    }
)


@dataclass(frozen=True)
class Study:
    """
    A finished study of published rows.

    Attributes:
        name: what the study is called.
        figures: one row per claim, all text: theme, figure, published, computed, unit, verdict,
            note, source, key.
        files: one row per file: file, sha256, rows (Int64), problem (null where it was read).
        frames: what functions return that no claim is about, by name.
    """

    name: str
    figures: pl.DataFrame
    files: pl.DataFrame
    frames: Mapping[str, pl.DataFrame]

    @property
    def counts(self) -> Mapping[str, int]:
        """How many claims have each verdict."""
        found = Counter(self.figures["verdict"].to_list())
        return {verdict: found[verdict] for verdict in VERDICTS}

    @property
    def verdicts(self) -> str:
        """The counts as a line of text."""
        return ", ".join(f"{verdict}: {count}" for verdict, count in self.counts.items())


def hyperliquid(folder: Path) -> Study:
    """
    Return every published figure of 10 October 2025 beside what the rows of a folder say.

    A file that is missing or malformed makes the figures that need it not testable, no others.

    Args:
        folder: the folder of data; `FILES` says what is looked for in it.

    Raises:
        UserError: not one file could be read: it is another folder.
    """
    frames, problems = _read_all(folder)
    if not frames:
        raise UserError(
            f"none of the {len(FILES)} files of the study could be read in {folder}, "
            f"for example {next(iter(problems.values()))}: name their folder with --data"
        )
    answers, reasons = _computed(frames, problems)
    said = claims("hyperliquid_2025_10_10.csv")
    judgeable = {claim.function for claim in said} & {*answers}
    rows = {name: answers[name].row(0, named=True) for name in judgeable}
    lines = [judged(claim, rows, reasons) for claim in said]
    return Study(
        HYPERLIQUID,
        pl.DataFrame(lines, schema=dict.fromkeys(_COLUMNS, pl.String)),
        _inventory(folder, frames, problems),
        {name: frame for name, frame in answers.items() if name not in judgeable},
    )


def _read_all(folder: Path) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    frames: dict[str, pl.DataFrame] = {}
    problems: dict[str, str] = {}
    for name, file in FILES.items():
        try:
            frames[name] = read(folder, file)
        except Unusable as problem:
            problems[name] = str(problem)
    return frames, problems


def _computed(
    frames: Mapping[str, pl.DataFrame], problems: Mapping[str, str]
) -> tuple[dict[str, pl.DataFrame], dict[str, str]]:
    answers: dict[str, pl.DataFrame] = {}
    reasons: dict[str, str] = {}
    for name, function in FIGURES.items():
        needed = tuple(signature(function).parameters)
        missing = [problems[each] for each in needed if each in problems]
        if missing:
            reasons[name] = "; ".join(missing)
            continue
        try:
            answers[name] = collected(function(*(frames[each].lazy() for each in needed)))
        except WorldError as error:
            reasons[name] = str(error)
    return answers, reasons


def _inventory(
    folder: Path, frames: Mapping[str, pl.DataFrame], problems: Mapping[str, str]
) -> pl.DataFrame:
    rows = [
        {
            "file": file.path,
            "sha256": _digest(folder, file),
            "rows": frames[name].height if name in frames else None,
            "problem": problems.get(name),
        }
        for name, file in FILES.items()
    ]
    schema = {"file": pl.String, "sha256": pl.String, "rows": pl.Int64, "problem": pl.String}
    return pl.DataFrame(rows, schema=schema)


def _digest(folder: Path, file: File) -> str | None:
    path = folder / file.path
    return file_digest(path) if path.is_file() else None

"""
What a report says of itself: each number, the rows behind it, and what these rest on.

    number      a card, or the rows of a section
      → asked     a metric or query, with its settings
      → digest    of its rows
      → facts     the tables it reads: rows, digest, transactions, how far they are proven

The transactions themselves are in `transactions.parquet`, one row per table and transaction, of
tables up to half a million rows; of larger ones `perpscope trace` lists those of a number.

Digests of facts tell whether two databases hold the same ones. What proves that these are all is
the `logs_digest` of the coverage they were derived from, which is among the inputs too.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from analytics.compute import facts_of
from analytics.errors import UserError
from analytics.expressions import moment
from analytics.metrics import METRICS
from analytics.proofs import with_proof
from analytics.queries import query_named
from analytics.reports.digests import file_digest, rows_digest
from analytics.reports.parts import Source
from analytics.reports.report import Report
from analytics.reports.scope import FACTS, Scope

FORMAT = "perpscope-report/2"
MANIFEST = "manifest.json"
TRANSACTIONS = "transactions.parquet"
_LISTED_ROWS = 500_000
_ENGINES = ("perpscope", "duckdb", "polars")
_DRAWING = ("altair", "jinja2", "vl-convert-python", "xlsxwriter")
_SENT = ["table", "chain_id", "protocol", "block_number", "tx_hash"]
_SOURCES = (".py", ".sql", ".jinja", ".css", ".js", ".toml", ".csv")

# What is read of a manifest, by those who take a report for the record.
_READ = {
    **dict.fromkeys(("limits", "versions", "packages", "inputs", "files"), dict),
    "code": str,
}

# What the numbers of each card are metrics of.
CARDS: Mapping[str, tuple[str, ...]] = {
    "income": ("fees", "protocol_revenue"),
    "accrual": ("buybacks", "buyback_ratio"),
    "liquidations": ("liquidations",),
    "adls": ("adls",),
    "deviation": ("oracle_deviation_extremes",),
    "exposure": ("open_interest_total",),
}


def versions() -> dict[str, str]:
    """Return the versions of perpscope and of the engines its numbers rest on."""
    return {name: _version(name) for name in _ENGINES}


def code_digest() -> str:
    """Return the SHA-256 of the source of analytics and of all queries, by their paths in it."""
    digest = hashlib.sha256()
    for name in ("analytics", "queries"):
        for path, content in sorted(_sources(files(name), name)):
            digest.update(f"{path}\n{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def transactions(scope: Scope) -> pl.DataFrame:
    """
    Return the transactions that the facts within a scope are from.

    Returns:
        One row per table and transaction, sorted: table, chain_id, protocol, block_number, tx_hash
        (of a block, where a fact was read from a contract's state), fact_count (Int64), proof;
        none of tables that are too large to list.
    """
    coverage = scope.facts("coverage").collect()
    found = [
        scope.facts(table, with_past=True)
        .with_columns(table=pl.lit(table))
        .group_by(_SENT)
        .agg(fact_count=pl.len().cast(pl.Int64))
        for table in FACTS
        if scope.digest(table)[0] <= _LISTED_ROWS
    ]
    listed = pl.concat(pl.collect_all(found, engine="streaming"))
    return with_proof(listed, coverage).drop("finality").sort(_SENT)


def joined(sent: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the transactions of one scope, or of two side by side, each once."""
    return pl.concat(sent).unique().sort(_SENT)


def manifest(
    folder: Path, written: Report, scopes: Sequence[Scope], sent: Sequence[pl.DataFrame]
) -> dict[str, object]:
    """
    Return what a report says of itself.

    Args:
        folder: where every other file of it already is.
        written: the report.
        scopes: what it is about, and what it is compared with, if with anything.
        sent: the transactions of each.
    """
    first, *others = (
        {table: _input(table, scope, hashes) for table in FACTS}
        for scope, hashes in zip(scopes, sent, strict=True)
    )
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        "format": FORMAT,
        "data": written.kinds,
        "limits": asdict(written.limits),
        "compared_with": None if written.compared_with is None else asdict(written.compared_with),
        "versions": versions(),
        "packages": {name: _version(name) for name in _DRAWING},
        "code": code_digest(),
        "summary": asdict(written.summary),
        "warnings": written.warnings,
        "inputs": {
            "coverage": _coverage(scopes).to_dicts(),
            "facts": first,
            "compared_facts": others[0] if others else {},
        },
        "cards": {
            name: [_number("metric", metric) for metric in metrics]
            for name, metrics in CARDS.items()
        },
        "sections": {
            section.slug: [_entry(source) for source in section.sources]
            for section in written.sections
        },
        "files": {path.relative_to(folder).as_posix(): file_digest(path) for path in paths},
    }


def manifest_of(folder: Path) -> dict[str, Any]:
    """
    Return what the report in a folder says of itself.

    Raises:
        UserError: the folder is no report, one of another format, or lacks what a report says.
    """
    path = folder / MANIFEST
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        json.dumps(said, ensure_ascii=False).encode()  # halves of characters cannot be printed
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(
            f"{folder} is no report: its {MANIFEST} cannot be read ({why}): expected the folder "
            "that `perpscope report` wrote; correct its name"
        ) from error
    found = said.get("format") if isinstance(said, dict) else None
    if found != FORMAT:
        raise UserError(f"{path} has format {found}, expected {FORMAT}")
    with as_written(folder):
        if lost := [name for name, kind in _READ.items() if not isinstance(said.get(name), kind)]:
            raise LookupError(f"no {', '.join(lost)}")
    return dict(said)


def written_files(folder: Path) -> set[str] | None:
    """Return the files that a manifest of a report or study names; None for one of neither."""
    try:
        said = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    is_ours = isinstance(said, dict) and str(said.get("format")).startswith("perpscope-")
    return set(said["files"]) if is_ours and isinstance(said.get("files"), dict) else None


def ends_of(limits: Mapping[str, Any]) -> dict[str, datetime | None]:
    """
    Return since and until of a manifest's limits; None where there was no end.

    Raises:
        ValueError: one of them is no time; LookupError: one is missing.
    """
    return {
        name: None if (text := limits[name]) is None else moment(f"{name} of the report", text)
        for name in ("since", "until")
    }


@contextmanager
def as_written(folder: Path) -> Iterator[None]:
    """Refuse a manifest of which what is read within is not as a report writes it."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, PolarsError) as error:
        raise UserError(
            f"{folder / MANIFEST} is not as `perpscope report` wrote it ({error}): bring the "
            "folder as it was published"
        ) from error


def _coverage(scopes: Sequence[Scope]) -> pl.DataFrame:
    keys = ["chain_id", "protocol"]
    found = [scope.facts("coverage") for scope in scopes]
    for scope in scopes:
        # Prices that judge other facts are of whatever protocol tells them: see `Scope.read`.
        tellers = scope.facts("oracle_updates", with_past=True, whole=True).select(keys).unique()
        found.append(scope.facts("coverage", whole=True).join(tellers, on=keys, how="semi"))
    return pl.concat(found).unique().sort(*keys, "from_block", "to_block").collect()


def _input(table: str, scope: Scope, sent: pl.DataFrame) -> dict[str, object]:
    rows, digest = scope.digest(table)
    said: dict[str, object] = {"rows": rows, "digest": digest}
    if rows > _LISTED_ROWS:
        return said
    ours = sent.filter(pl.col("table") == table)
    hashes = ours.select("chain_id", "tx_hash").unique()
    return said | {
        "transactions": hashes.height,
        "transactions_digest": rows_digest(hashes),
        "proof": ours["proof"].unique().sort().to_list(),
    }


def _entry(source: Source) -> dict[str, object]:
    return {
        "name": source.name,
        **_number(source.kind, source.asked),
        "settings": source.settings,
        "between": source.between,
        "rows": source.frame.height,
        "digest": rows_digest(source.frame),
    }


def _number(kind: str, asked: str) -> dict[str, object]:
    return {"kind": kind, "asked": asked, "facts": _reads(kind, asked)}


def _reads(kind: str, asked: str) -> list[str]:
    match kind:
        case "metric":
            read = facts_of(asked, METRICS)
        case "query":
            read = frozenset(query_named(asked).reads)
        case "facts":
            read = frozenset({asked})
        case _:
            read = frozenset(FACTS)
    return sorted(read)


def _sources(folder: Traversable, path: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            found += _sources(entry, name)
        elif entry.name.endswith(_SOURCES):
            found.append((name, entry.read_bytes()))
    return found


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return "not installed"

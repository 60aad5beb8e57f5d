"""
A report made again from its manifest, and compared byte by byte.

It is made of what the manifest says it was made of: its limits, and the blocks that were covered
then. A database that has since been indexed further, or filled in another order, by other
endpoints, or in ranges of other sizes, holds the same facts for these blocks, and gives the same
bytes. Coverage is taken as the bundle states it, because ranges grow together and are proven
further later on; that the blocks are covered now, by the same declarations, is checked. So is what
it states of their logs: that the last block has the hash, that the logs have the digest where the
ranges of today end where those of the bundle did, and that they are proven as far.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from analytics import load
from analytics.errors import WorldError
from analytics.excerpt import excerpt
from analytics.proofs import LEVELS
from analytics.reports.bundle import published, sides
from analytics.reports.chain_names import chain_name
from analytics.reports.digests import file_digest
from analytics.reports.manifest import MANIFEST, as_written, ends_of, manifest_of
from analytics.reports.scope import Limits


@dataclass(frozen=True)
class Replay:
    """
    How a report made again compares with its bundle.

    Attributes:
        file_count: files of the bundle, the manifest included.
        differing: paths of files that are not the same, or are on one side only.
        reasons: why, in sentences: the input, the versions, the code.
        contradicted: what the bundle says of its blocks and the database says otherwise.
        unproven: where the bundle says that logs are proven further than in the database.
    """

    file_count: int
    differing: tuple[str, ...]
    reasons: tuple[str, ...]
    contradicted: tuple[str, ...]
    unproven: tuple[str, ...]


def replayed(bundle: Path, database: Path) -> Replay:
    """
    Make a report again and compare it.

    Args:
        bundle: the folder of the report.
        database: the DuckDB file to make it from.

    Raises:
        UserError: the folder is no report of this format, or its manifest was changed by hand.
        WorldError: a file of the bundle was changed after it was written, or the database cannot
            be read or does not cover what the report rests on.
    """
    said = manifest_of(bundle)
    _check_untouched(bundle, said)
    with as_written(bundle):
        both = (said["limits"], said.get("compared_with"))
        limits = [_limits(each) for each in both if each is not None]
        coverage, now = _coverage(said["inputs"]["coverage"], database)
        stated = [(row, _same_blocks(row, now)) for row in coverage.iter_rows(named=True)]
        contradicted = tuple(each for row, spans in stated for each in _otherwise(row, spans))
        unproven = tuple({each: None for row, spans in stated for each in _further(row, spans)})
    with excerpt(database, coverage) as con, TemporaryDirectory() as place:
        folder = Path(place) / "report"
        folder.mkdir()
        published(sides(con, limits), folder)
        made = manifest_of(folder)
        differing = _differing(bundle, folder)
    with as_written(bundle):
        reasons = _reasons(said, made, differing) if differing else ()
    return Replay(len(said["files"]) + 1, differing, reasons, contradicted, unproven)


def _check_untouched(bundle: Path, said: Mapping[str, Any]) -> None:
    changed = [
        name
        for name, digest in said["files"].items()
        if not (bundle / name).is_file() or file_digest(bundle / name) != digest
    ]
    if changed:
        raise WorldError(
            f"{', '.join(changed)} in {bundle} is not what the manifest says: the bundle was "
            "changed after it was written"
        )


def _coverage(said: list[dict[str, Any]], database: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the coverage of the bundle, and of the database if it has the same by its rules."""
    with load.database(database) as con:
        now = load.facts(con, "coverage").collect()
    then = pl.DataFrame(said, schema=now.schema)
    spans, keys = pl.struct("from_block", "to_block"), ["chain_id", "protocol"]
    alike = [*keys, "declaration_digest"]
    reached = now.group_by(alike).agg(spans.alias("reached"))
    held = now.group_by(keys).agg(spans.alias("held"))
    told = then.join(reached, on=alike, how="left").join(held, on=keys, how="left")
    for row in told.iter_rows(named=True):
        if not _are_in(row["reached"], row):
            raise WorldError(
                f"the report rests on blocks {row['from_block']}–{row['to_block']} of "
                f"{_whose(row)}, which the database {_lacks(is_held=_are_in(row['held'], row))}"
            )
    return then, now


def _lacks(*, is_held: bool) -> str:
    if not is_held:
        return "does not cover: index them first"
    return (
        "holds as another declaration reads them: expected that of the report; `perpscope restate "
        "--against` it says which days differ, and the perpscope that wrote it can `redecode` a "
        "copy of the database"
    )


def _same_blocks(row: Mapping[str, Any], now: pl.DataFrame) -> list[dict[str, Any]]:
    same = {name: row[name] for name in ("chain_id", "protocol", "declaration_digest")}
    meets = (pl.col("from_block") <= row["to_block"]) & (pl.col("to_block") >= row["from_block"])
    return now.filter(meets, **same).to_dicts()


def _otherwise(row: Mapping[str, Any], spans: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    where = f"blocks {row['from_block']}–{row['to_block']} of {_whose(row)}"
    hashes = {each["to_block_hash"] for each in spans if each["to_block"] == row["to_block"]}
    if hashes - {row["to_block_hash"]}:
        yield f"coverage: the last of {where} has another hash than the bundle says"
    first = min(each["from_block"] for each in spans)
    last = max(each["to_block"] for each in spans)
    # A digest is a sum over logs: that of ranges side by side is the sum of theirs.
    logs = sum(int(each["logs_digest"], 16) for each in spans) % 2**256
    is_same_range = (first, last) == (row["from_block"], row["to_block"])
    if is_same_range and logs != int(row["logs_digest"], 16):
        yield f"coverage: {where} hold other logs than the bundle says"


def _further(row: Mapping[str, Any], spans: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    least = min(LEVELS.index(each["proof"]) for each in spans)
    if least < LEVELS.index(row["proof"]):
        yield f"{_whose(row)}: {row['proof']}, here {LEVELS[least]}"


def _whose(row: Mapping[str, Any]) -> str:
    return f"{row['protocol']} on {chain_name(row['chain_id'])}"


def _are_in(spans: list[dict[str, int]] | None, row: Mapping[str, Any]) -> bool:
    first = row["from_block"]
    for span in sorted(spans or [], key=lambda each: each["from_block"]):
        if span["from_block"] <= first <= span["to_block"]:
            first = span["to_block"] + 1
    return bool(first > row["to_block"])


def _limits(said: Mapping[str, Any]) -> Limits:
    for name, kind in (("protocol", str), ("chain_id", int)):
        if said[name] is not None and type(said[name]) is not kind:
            raise TypeError(f"{name} of the report is {said[name]!r}")
    return Limits(protocol=said["protocol"], chain_id=said["chain_id"], **ends_of(said))


def _differing(bundle: Path, folder: Path) -> tuple[str, ...]:
    names = {
        path.relative_to(root).as_posix()
        for root in (bundle, folder)
        for path in root.rglob("*")
        if path.is_file()
    }
    return tuple(sorted(name for name in names if _content(bundle, name) != _content(folder, name)))


def _content(root: Path, name: str) -> bytes | None:
    path = root / name
    return path.read_bytes() if path.is_file() else None


def _reasons(
    said: Mapping[str, Any], made: Mapping[str, Any], differing: tuple[str, ...]
) -> tuple[str, ...]:
    kinds = ("facts", "compared_facts")
    inputs = [each for kind in kinds for each in _inputs(said["inputs"], made["inputs"], kind)]
    versions = _packages(said, made)
    code = ["code: analytics or a query is not what it was"] * (said["code"] != made["code"])
    unknown = "the same facts, versions and code: what differs is beside them (markets, policies)"
    if differing == (MANIFEST,):
        unknown = f"{MANIFEST} was changed after it was written: all that it tells of is the same"
    return (*inputs, *versions, *code) or (unknown,)


def _inputs(said: Mapping[str, Any], made: Mapping[str, Any], kind: str) -> list[str]:
    # Older bundles do not tell what they are compared with.
    then, now = said.get(kind, {}), made[kind]
    return [
        f"input: {table} has {now[table]['rows']} rows, the bundle was made of {said['rows']}"
        + (" others" if now[table]["rows"] == said["rows"] else "")
        for table, said in then.items()
        if table in now and now[table]["digest"] != said["digest"]
    ]


def _packages(said: Mapping[str, Any], made: Mapping[str, Any]) -> list[str]:
    return [
        f"version: {name} is {made[kind].get(name)}, the bundle was made by {then}"
        for kind in ("versions", "packages")
        for name, then in said[kind].items()
        if made[kind].get(name) != then
    ]

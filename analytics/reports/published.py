"""What a report once said: its folder is the record of published numbers, told by its digests."""

from pathlib import Path

import polars as pl

from analytics.errors import WorldError
from analytics.expressions import known_total, whole_total
from analytics.reports.digests import file_digest
from analytics.reports.manifest import MANIFEST, as_written, ends_of, manifest_of

_SUMS = {
    "fees": {"fees_usd": known_total(pl.col("fees_usd"))},
    "supply_side": {"supply_side_usd": whole_total(pl.col("supply_side_usd"))},
    "protocol_revenue": {"treasury_usd": whole_total(pl.col("treasury_usd"))},
    "holders_revenue": {"holders_usd": whole_total(pl.col("holders_usd"))},
}
_EXTENT = {
    "chain_id": pl.Int64(),
    "protocol": pl.String(),
    "from_block": pl.Int64(),
    "to_block": pl.Int64(),
    "since": pl.Datetime("us"),
    "until": pl.Datetime("us"),
}


def record(folder: Path, chain_id: int) -> dict[str, pl.DataFrame]:
    """
    Return what a report told of a chain's income, by the names that `restate` has for it.

    Raises:
        UserError: the folder is no report.
        WorldError: a file in it is not the one the report wrote.
    """
    return {
        "published": published_income(folder, chain_id),
        "policies": published_policies(folder),
        "within": published_extent(folder, chain_id),
    }


def published_income(folder: Path, chain_id: int) -> pl.DataFrame:
    """
    Return the income a report told of a chain, by protocol and UTC day.

    Args:
        folder: what `perpscope report` wrote.
        chain_id: the chain.

    Returns:
        chain_id, protocol, date, fees_usd, supply_side_usd, treasury_usd, holders_usd (Decimal,
        USD), as the metrics of the report told them.

    Raises:
        UserError: the folder is no report.
        WorldError: a file in it is not the one the report wrote.
    """
    written = manifest_of(folder)["files"]
    keys = ["chain_id", "protocol", "date"]
    parts = [
        pl.read_parquet(_checked(folder, f"parquet/{name}.parquet", written))
        .filter(pl.col("chain_id") == chain_id)
        .group_by(keys)
        .agg(**sums)
        for name, sums in _SUMS.items()
    ]
    income, *others = parts
    for part in others:
        income = income.join(part, on=keys)
    return income.sort(keys)


def published_policies(folder: Path) -> pl.DataFrame:
    """
    Return the rows of `policies` that a report rested on.

    Raises:
        UserError: the folder is no report.
        WorldError: a file in it is not the one the report wrote.
    """
    written = manifest_of(folder)["files"]
    return pl.read_parquet(_checked(folder, "parquet/policies.parquet", written))


def published_extent(folder: Path, chain_id: int) -> pl.DataFrame:
    """
    Return the blocks and the time that a report told of: its first and last day may be parts.

    Args:
        folder: what `perpscope report` wrote.
        chain_id: the chain.

    Returns:
        One row per stretch of blocks: chain_id, protocol, from_block, to_block (Int64), since,
        until (Datetime, null is open), all included.

    Raises:
        UserError: the folder is no report.
    """
    said = manifest_of(folder)
    with as_written(folder):
        ends = ends_of(said["limits"])
        rows = [row | ends for row in said["inputs"]["coverage"] if row["chain_id"] == chain_id]
        return pl.DataFrame(rows, _EXTENT)


def _checked(folder: Path, name: str, written: dict[str, str]) -> Path:
    path = folder / name
    if not path.is_file() or written.get(name) != file_digest(path):
        raise WorldError(
            f"{path} is not the file that its report wrote: expected the digest in {MANIFEST}; "
            "bring the folder as it was published"
        )
    return path

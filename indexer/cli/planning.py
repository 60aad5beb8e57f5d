"""`perpscope plan`: what `perpscope index` would take, before it is run."""

from typing import Annotated

import typer

from indexer.cli.given import Proof, job_of
from indexer.cli.options import (
    ChainName,
    ConfigFile,
    Database,
    From,
    MaxSpan,
    To,
    ToIndex,
    Urls,
)
from indexer.cli.places import database_of
from indexer.cli.printing import print_table
from indexer.config import configuration
from indexer.sync import Estimate, Job, estimate


def plan(
    *,
    chain: ChainName,
    rpc: Urls = None,
    protocol: ToIndex = None,
    from_block: From = None,
    to_block: To = None,
    database: Database = None,
    config: ConfigFile = None,
    max_span: MaxSpan = None,
    proof: Proof = None,
    samples: Annotated[
        int, typer.Option(min=1, help="How many parts of the chain to look at, at most.")
    ] = 48,
) -> None:
    """Say how many requests and how long `index` would take; a few ranges are really asked for."""
    settings = configuration(config)
    path = database_of(database, settings)
    span = (from_block, to_block)
    job = job_of(chain, protocol, span, settings, path=path, max_span=max_span, proof=proof)
    found = estimate(job, settings.endpoints(job.chain, rpc), samples)
    if not found.blocks:
        typer.echo(f"{job.chain.slug}: nothing to do")
        return
    print_table(("to fetch", "about"), _lines(found))
    typer.echo(_sentence(job, found))


def _lines(found: Estimate) -> tuple[tuple[str, str], ...]:
    return (
        ("blocks", f"{found.blocks:,}"),
        ("logs", f"{found.logs:,}"),
        ("ranges", f"{found.ranges:,} of up to {found.span:,} blocks"),
        ("requests", f"{found.requests:,}"),
        ("time", _duration(found.seconds)),
    )


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def _sentence(job: Job, found: Estimate) -> str:
    hidden = (
        f"; factories were not searched in {found.unsearched:,} blocks, and logs of children born "
        "there are not counted"
        if found.unsearched
        else ""
    )
    return (
        f"{job.chain.slug}: {found.asked:,} requests were sent to find out; `perpscope index "
        f"--max-requests {found.requests * 11 // 10 + 1}` would be a cap{hidden}"
    )

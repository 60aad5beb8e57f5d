"""`perpscope doctor`: what is wrong with the endpoints, and what it costs."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from indexer.chains import CHAINS, Chain
from indexer.cli.options import ConfigFile, Urls, endpoints_of
from indexer.cli.printing import print_table
from indexer.config import Config, configuration
from indexer.errors import UserError, WorldError
from indexer.rpc import Endpoint
from indexer.sync.choices import chain_named


class Form(StrEnum):
    """How the findings are printed."""

    TABLE = "table"
    JSON = "json"


def doctor(
    *,
    chain: Annotated[
        str | None, typer.Option("--chain", help="A chain; by default all that are configured.")
    ] = None,
    rpc: Urls = None,
    config: ConfigFile = None,
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TABLE,
) -> None:
    """Ask every endpoint what it can do, and say what is wrong and what it costs."""
    settings = configuration(config)
    reports = [
        _report(where, endpoints_of(rpc, settings, where))
        for where in _chains(chain, rpc, settings)
    ]
    if form is Form.JSON:
        typer.echo(json.dumps(reports, indent=2, default=str))
    else:
        for report in reports:
            _print(report)
    unusable = [
        problem for report in reports for problem in report["problems"] if problem["is_fatal"]
    ]
    if unusable:
        count = sum(len(report["endpoints"]) for report in reports)
        raise WorldError(
            f"{len(unusable)} of {count} endpoints cannot be used: expected all to serve logs of "
            "their chain; correct or remove them"
        )


def _chains(name: str | None, urls: Sequence[str] | None, settings: Config) -> list[Chain]:
    if name is not None:
        chains = [chain_named(name)]
    elif urls:
        raise UserError("--rpc does not say which chain it serves: expected --chain beside it")
    else:
        chains = [chain for chain in CHAINS if settings.chain(chain).rpc]
    if not chains or not (urls or any(settings.chain(chain).rpc for chain in chains)):
        raise UserError(
            "there is no endpoint to examine: expected rpc under [chains.<name>] in the "
            "configuration, or --chain and --rpc"
        )
    return chains


def _report(chain: Chain, endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    # web3 takes a second to import; commands that ask no node do without.
    from indexer.rpc.diagnosis import cost, problems
    from indexer.rpc.examination import Examination, examine

    async def examined() -> list[Examination]:
        return await asyncio.gather(*(examine(endpoint, chain) for endpoint in endpoints))

    found = asyncio.run(examined())
    now = datetime.now(UTC).replace(tzinfo=None)
    costs = [cost(one, endpoint) for one, endpoint in zip(found, endpoints, strict=True)]
    best = max((one.head for one in found if one.head is not None), default=None)
    lines = [
        asdict(one)
        | {
            "lag_blocks": None if one.head is None or best is None else best - one.head,
            "age_seconds": None if one.head_at is None else (now - one.head_at).total_seconds(),
            "million_blocks": None if spent is None else asdict(spent),
        }
        for one, spent in zip(found, costs, strict=True)
    ]
    return {
        "chain": chain.slug,
        "endpoints": lines,
        "problems": [asdict(problem) for problem in problems(found, endpoints, chain, now)],
    }


def _print(report: dict[str, Any]) -> None:
    endpoints = report["endpoints"]
    titles = (report["chain"], *(one["endpoint"] for one in endpoints))
    print_table(titles, zip(*(_column(one) for one in [None, *endpoints]), strict=True))
    typer.echo()
    for problem in report["problems"]:
        typer.echo(f"{'unusable' if problem['is_fatal'] else 'note'}: {problem['sentence']}")
    if not report["problems"]:
        typer.echo("nothing is wrong")


def _column(found: dict[str, Any] | None) -> list[str]:
    """Return an endpoint's cells from top to bottom; the names of the rows for None."""
    if found is None:
        return [
            *("client", "newest block", "behind the best", "age", "safe, finalized", "receipts"),
            *(
                "block-hash pins",
                "calls in a batch",
                "blocks of logs at once",
                "logs in one answer",
            ),
            *("headers from", "logs from", "state from", "rate limit seen", "median latency"),
            *("a million blocks", "calls this took"),
        ]
    spent = found["million_blocks"]
    tags = f"{_yes(found['has_safe'])}, {_yes(found['has_finalized'])}"
    return [
        found["client"] or "-",
        _number(found["head"]),
        _number(found["lag_blocks"]),
        "-" if found["age_seconds"] is None else f"{found['age_seconds']:,.0f} s",
        "-" if found["head"] is None else tags,
        "-" if found["head"] is None else _yes(found["has_receipts"]),
        found["pins"],
        _number(found["batch_calls"]),
        _number(found["log_blocks"]),
        _number(found["logs_answered"]),
        _number(found["headers_from"]),
        _number(found["logs_from"]),
        _number(found["state_from"]),
        _yes(found["is_limited"]),
        "-" if found["latency_seconds"] is None else f"{found['latency_seconds'] * 1_000:,.0f} ms",
        "-" if spent is None else f"{spent['calls']:,} calls, {spent['hours']:.1f} h",
        _number(found["requests"]),
    ]


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"

"""`perpscope doctor`: what is wrong with the endpoints, and what it costs."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.chains import CHAINS, Chain
from indexer.choices import chain_named
from indexer.cli.options import ConfigFile, Form, Format, Urls, chains_begun
from indexer.cli.printing import print_json, print_table
from indexer.config import Config, configuration
from indexer.errors import UserError, WorldError
from indexer.rpc import Endpoint
from indexer.tables import now

if TYPE_CHECKING:
    from indexer.rpc.examination import Examination

# Of an endpoint that cannot be used nothing else is known, so neither false nor 0.
_KNOWN_OF_ANY = ("endpoint", "failure", "requests")


def doctor(
    *,
    chain: Annotated[
        str | None,
        typer.Option(
            "--chain",
            help="A chain; by default all that are configured.",
            autocompletion=chains_begun,
        ),
    ] = None,
    rpc: Urls = None,
    config: ConfigFile = None,
    form: Form = Format.TABLE,
) -> None:
    """Ask every endpoint what it can do, and say what is wrong and what it costs."""
    settings = configuration(config)
    reports = [
        _report(where, settings.endpoints(where, rpc)) for where in _chains(chain, rpc, settings)
    ]
    if form is Format.JSON:
        print_json(reports)
    else:
        for report in reports:
            _print(report)
    unusable = {
        (report["chain"], problem["endpoint"])
        for report in reports
        for problem in report["problems"]
        if problem["is_fatal"]
    }
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
            "settings, or --chain and --rpc"
        )
    return chains


def _report(chain: Chain, endpoints: tuple[Endpoint, ...]) -> dict[str, Any]:
    # aiohttp takes a fifth of a second to import; commands that ask no node do without.
    from indexer.rpc.diagnosis import problems
    from indexer.rpc.examination import Examination, examine

    async def examined() -> list[Examination]:
        return await asyncio.gather(*(examine(endpoint, chain) for endpoint in endpoints))

    found = asyncio.run(examined())
    at = now()
    best = max((one.head for one in found if one.head is not None), default=0)
    pairs = zip(found, endpoints, strict=True)
    return {
        "chain": chain.slug,
        "endpoints": [_line(one, endpoint, best, at) for one, endpoint in pairs],
        "problems": [asdict(problem) for problem in problems(found, endpoints, chain, at)],
    }


def _line(found: "Examination", endpoint: Endpoint, best: int, at: datetime) -> dict[str, Any]:
    from indexer.rpc.diagnosis import cost

    spent = cost(found, endpoint)
    told = asdict(found)
    if found.head is None:
        told = dict.fromkeys(told) | {name: told[name] for name in _KNOWN_OF_ANY}
    return told | {
        "lag_blocks": None if found.head is None else best - found.head,
        "age_seconds": None if found.head_at is None else (at - found.head_at).total_seconds(),
        "million_blocks": None if spent is None else asdict(spent),
    }


def _print(report: dict[str, Any]) -> None:
    endpoints = report["endpoints"]
    titles = (report["chain"], *(one["endpoint"] for one in endpoints))
    print_table(
        titles, ((name, *(shown(one) for one in endpoints)) for name, shown in _ROWS.items())
    )
    typer.echo()
    for problem in report["problems"]:
        typer.echo(f"{'unusable' if problem['is_fatal'] else 'note'}: {problem['sentence']}")
    if not report["problems"]:
        typer.echo("nothing is wrong")


def _shown(key: str, form: str = "{:,}") -> Callable[[dict[str, Any]], str]:
    def cell(found: dict[str, Any]) -> str:
        value = found[key]
        if found["head"] is None or value is None:
            return "-"
        if isinstance(value, bool):
            return "yes" if value else "no"
        return str(value) if isinstance(value, str) else form.format(value)

    return cell


def _million(found: dict[str, Any]) -> str:
    spent = found["million_blocks"]
    return f"{spent['calls']:,} calls, {spent['hours']:.1f} h" if spent else "-"


_ROWS: dict[str, Callable[[dict[str, Any]], str]] = {
    "client": _shown("client"),
    "newest block": _shown("head"),
    "blocks behind the best": _shown("lag_blocks"),
    "age of the newest block": _shown("age_seconds", "{:,.0f} s"),
    "knows safe": _shown("has_safe"),
    "knows finalized": _shown("has_finalized"),
    "serves receipts of blocks": _shown("has_receipts"),
    "calls pinned by block hash": _shown("pins"),
    "calls in a batch": _shown("batch_calls"),
    "blocks of logs at once": _shown("log_blocks"),
    "logs in an answer": _shown("logs_answered"),
    "headers from": _shown("headers_from"),
    "logs from": _shown("logs_from"),
    "state from": _shown("state_from"),
    "rate limit met": _shown("is_limited"),
    "median latency": _shown("latency_seconds", "{:.3f} s"),
    "a million blocks": _million,
    "calls this took": _shown("requests"),
}

"""`perpscope verify` and `perpscope repair`: is what is stored complete, and what to do if not."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import TextColumn, TimeRemainingColumn

from indexer.chains import CHAINS, Chain
from indexer.choices import protocols_named
from indexer.cli.given import ledger_of
from indexer.cli.options import ConfigFile, Database, ProtocolNames, Urls, chains_begun
from indexer.cli.progress import drawn
from indexer.config import configuration
from indexer.errors import UserError, WorldError
from indexer.sync import Inspection, Ledger, Verdict, repair, verify
from indexer.tables import now

Chains = Annotated[
    list[str] | None,
    typer.Option(
        "--chain",
        help="A chain; repeatable. By default all that are stored.",
        autocompletion=chains_begun,
    ),
]
Failure = tuple[str, int, int, str]

_MOST_TOLD = 50  # of another chain's endpoint thousands

# What is said of failures, and of what is expected instead; at level agreed the other one.
_WRONG = (("wrong", "their headers commit to"), ("disputed", "every endpoint tells"))


class Level(StrEnum):
    """How thoroughly `verify` looks."""

    LINKED = "linked"
    BLOOM = "bloom"
    RECEIPTS = "receipts"
    AGREED = "agreed"


def verify_command(
    *,
    chain: Chains = None,
    rpc: Urls = None,
    level: Annotated[
        Level,
        typer.Option(
            metavar="LEVEL",
            help="linked: headers; bloom: no declared event is missing; receipts: every log too; "
            "agreed: every endpoint, asked alone, tells the stored logs.",
        ),
    ] = Level.BLOOM,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Check only so many blocks, chosen by chance.")
    ] = None,
    from_block: Annotated[int | None, typer.Option("--from", min=0, help="First block.")] = None,
    to_block: Annotated[int | None, typer.Option("--to", min=0, help="Last block.")] = None,
    protocol: ProtocolNames = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Prove that no stored log is missing or, by receipts, changed or made up; else exit 1."""
    if from_block is not None and to_block is not None and from_block > to_block:
        raise UserError(
            f"--from {from_block} is after --to {to_block}: expected the smaller one first"
        )
    settings, failures, unheard = configuration(config), [], 0
    is_wrong, _ = _WRONG[level is Level.AGREED]
    for ledger in _ledgers(chain, rpc, database, config):
        wanted = Inspection(
            ledger,
            protocols_named(protocol or (), ledger.chain, ledger.declarations),
            level.value,
            now(),
            from_block,
            to_block,
            sample,
        )
        columns = (TextColumn("blocks"), TimeRemainingColumn())
        with drawn(ledger.chain, Console(stderr=True), columns) as progress:
            found = verify(wanted, settings.endpoints(ledger.chain, rpc), progress)
        typer.echo(_sentence(ledger.chain, level, found))
        _print_failures(ledger.chain, (f"is {is_wrong}", f"are {is_wrong}"), found.failures)
        failures += found.failures
        unheard += found.unheard
    if failures:
        raise WorldError(wrong_sentence(level, str(len(failures))))
    if unheard:
        raise WorldError(unheard_sentence(unheard))


def wrong_sentence(level: str, ranges: str) -> str:
    """Return what is said where stored blocks failed: how many ranges, or which."""
    is_wrong, must_be = _WRONG[level == Level.AGREED]
    return (
        f"{is_wrong} ranges of stored blocks: {ranges}, expected none, only what {must_be}; "
        "`perpscope repair` fetches them again"
    )


def unheard_sentence(blocks: int) -> str:
    """Return what is said where blocks could not be compared."""
    return (
        f"blocks that fewer than two endpoints told of: {blocks:,}, expected none; run it again "
        "later, or add an endpoint"
    )


def repair_command(
    *,
    chain: Chains = None,
    rpc: Urls = None,
    protocol: ProtocolNames = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Fetch again what `verify` found wrong, prove it, and put it in place."""
    settings = configuration(config)
    failures = []
    for ledger in _ledgers(chain, rpc, database, config):
        chosen = protocols_named(protocol or (), ledger.chain, ledger.declarations)
        done = repair(ledger, chosen, settings.endpoints(ledger.chain, rpc))
        typer.echo(
            f"{ledger.chain.slug}: blocks repaired: {done.blocks:,}, wrong logs "
            f"moved to orphans: {done.orphans:,}"
            if done.blocks or done.failures
            else f"{ledger.chain.slug}: nothing to repair; `perpscope verify` finds what is wrong"
        )
        _print_failures(ledger.chain, ("could not be repaired",) * 2, done.failures)
        failures += done.failures
    if failures:
        raise WorldError(
            f"ranges that could not be repaired: {len(failures)}; expected a node that proves its "
            "answer; give other endpoints and run `perpscope repair` again"
        )


def _ledgers(
    slugs: list[str] | None, rpc: list[str] | None, database: Path | None, config: Path | None
) -> list[Ledger]:
    if slugs:
        return [ledger_of(slug, database, config) for slug in slugs]
    from indexer.store import status

    path = ledger_of(CHAINS[0].slug, database, config).path
    stored = set(status(path, {}).coverage["chain_id"])
    found = [chain for chain in CHAINS if chain.chain_id in stored and chain.chain_id > 0]
    if not found:
        raise UserError("nothing is indexed yet: expected stored blocks; run `perpscope index`")
    if rpc and len(found) > 1:
        names = ", ".join(chain.slug for chain in found)
        raise UserError(f"--rpc is one chain's, and {names} are stored: name one with --chain")
    return [ledger_of(chain.slug, database, config) for chain in found]


def _sentence(chain: Chain, level: Level, found: Verdict) -> str:
    proven = ", ".join(f"{blocks:,} {proof}" for proof, blocks in sorted(found.proven.items()))
    bad = sum(high - low + 1 for _, low, high, _ in found.failures)
    is_wrong, _ = _WRONG[level is Level.AGREED]
    told = f"{chain.slug}: {found.blocks:,} blocks verified ({level.value})"
    told += f"; protocols' blocks that passed: {proven or 'none'}; {is_wrong}: {bad:,}"
    return "\n".join(
        [
            told,
            *(f"not proven further: {why}" for why in sorted(found.waivers)),
            *(f"{_blocks(low, high)} not checked: {why}" for low, high, why in found.left),
            *(f"{_blocks(low, high)} not told: {why}" for low, high, why in found.silent),
        ]
    )


def _print_failures(chain: Chain, what: tuple[str, str], failures: list[Failure]) -> None:
    for slug, low, high, why in failures[:_MOST_TOLD]:
        said = f"{_blocks(low, high)} {what[low != high]}"
        typer.echo(f"{slug} on {chain.slug}, {said}: {why}", err=True)
    if len(failures) > _MOST_TOLD:
        more = f"{len(failures) - _MOST_TOLD:,} more on {chain.slug}"
        typer.echo(f"and {more}: `perpscope query failed_audits` lists all", err=True)


def _blocks(low: int, high: int) -> str:
    return f"block {low}" if low == high else f"blocks {low} to {high}"

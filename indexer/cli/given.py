"""What the options of a command stand for: a job, and a chain's part of the database."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from indexer.chains import Chain
from indexer.choices import chain_named, protocols_named, shared_on
from indexer.cli.places import database_of
from indexer.config import Config, configuration
from indexer.errors import DatabaseUnusable, UserError
from indexer.settings import ProofLevel, moment
from indexer.sync import Job, Ledger

Proof = Annotated[
    ProofLevel | None,
    typer.Option(
        help="How far to prove that no log is missing; by default as the settings say, or fetched."
    ),
]


def job_of(
    chain: str,
    protocol: Sequence[str] | None,
    span: tuple[str | None, str | None],
    settings: Config,
    **more: Any,
) -> Job:
    """
    Return what `index` and `plan` are asked to do.

    Args:
        chain: a chain's name.
        protocol: names of protocols; those of the settings where there are none.
        span: --from and --to as given.
        settings: the settings.
        more: what else the job says; None leaves it to the settings.

    Raises:
        UserError: a name is not known, or the beginning is after the end.
    """
    where = chain_named(chain)
    own = settings.chain(where)
    start, end = _block_or_moment("--from", span[0]), _block_or_moment("--to", span[1])
    if type(start) is type(end) and start is not None and start > end:  # type: ignore[operator]
        raise UserError(f"--from {span[0]} is after --to {span[1]}: expected the smaller one first")
    if start is None:
        start = own.from_block if own.from_date is None else own.from_date
    said = {name: given for name, given in more.items() if given is not None}
    limits = {name: getattr(own, name) for name in _LIMITS} | said
    known = settings.declarations(where)
    names = protocol or own.protocols or shared_on(settings.protocols, where, known)
    return Job(
        chain=where,
        protocols=protocols_named(names, where, known),
        declarations=known,
        from_block=start,
        to_block=end,
        **limits,
    )


_LIMITS = ("max_span", "max_logs", "max_addresses", "max_ranges", "proof")


def _block_or_moment(option: str, text: str | None) -> int | datetime | None:
    if text is None or (text.isascii() and text.isdecimal()):
        return None if text is None else int(text)
    try:
        return moment(text)
    except ValueError as error:
        raise UserError(f"{option} {text} is not a block: expected a number, or {error}") from error


def chains_configured(settings: Config) -> list[Chain]:
    """
    Return the chains that are configured.

    Raises:
        UserError: there is none, or nobody to ask about one.
    """
    if not settings.chains:
        raise UserError(
            "no chain is configured: expected at least one section [chains.<name>] with its rpc "
            "in perpscope.toml"
        )
    for slug, chain in settings.chains.items():
        if not chain.rpc:
            raise UserError(
                f"no endpoint for {slug}: expected at least one; give rpc under [chains.{slug}] in "
                "the settings"
            )
    return [chain_named(slug) for slug in settings.chains]


def ledger_of(chain: str, database: Path | None, config: Path | None) -> Ledger:
    """
    Return a chain's part of the database.

    Raises:
        UserError: no chain is called so.
        DatabaseUnusable: there is no database.
    """
    settings = configuration(config)
    path = database_of(database, settings)
    if not path.exists():
        raise DatabaseUnusable(
            f"there is no database at {path}: expected a file that `perpscope index` wrote; run it "
            "first or name another file with --database"
        )
    where = chain_named(chain)
    return Ledger(path, where, settings.declarations(where))

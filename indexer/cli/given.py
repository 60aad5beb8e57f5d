"""What the options of a command stand for: a job, a database, a chain's part of it, endpoints."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from indexer.chains import Chain
from indexer.config import Config, configuration
from indexer.errors import DatabaseUnusable, UserError
from indexer.rpc import Endpoint
from indexer.settings import ProofLevel, moment
from indexer.sync import Job, Ledger
from indexer.sync.choices import chain_named, protocols_named

Proof = Annotated[
    ProofLevel | None,
    typer.Option(help="How far to prove that no log is missing; by default fetched."),
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
    names = protocol or own.protocols or settings.protocols
    known = settings.declarations(where)
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
    if text is None or text.isdecimal():
        return None if text is None else int(text)
    try:
        return moment(text)
    except ValueError as error:
        raise UserError(f"{option} {text} is not a block: expected a number, or {error}") from error


def database_of(given: Path | None, settings: Config) -> Path:
    """
    Return the database a command works on: the one given, else the one the settings name.

    Raises:
        UserError: it is a folder or in none, or of a kind that cannot be used yet.
    """
    path = Path(given or settings.database)
    if str(path).startswith("ducklake:"):
        raise UserError(
            "ducklake: databases cannot be used yet: expected the path of a DuckDB file"
        )
    if path.is_dir() or not path.parent.is_dir():
        raise UserError(
            f"{path} cannot be a database: expected a file in a folder that exists; correct "
            "--database"
        )
    return path


def snapshot_of(settings: Config, database: Path) -> Path | None:
    """
    Return where the copy for readers is published; None for nowhere.

    Raises:
        UserError: it would be published over the database itself.
    """
    if settings.storage.snapshot is None:
        return None
    target = Path(settings.storage.snapshot)
    if target.resolve() == database.resolve():
        raise UserError(
            f"storage.snapshot is {target}, the database itself: expected another file; correct it"
        )
    return target


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


def endpoints_of(
    urls: Sequence[str] | None, settings: Config, chain: Chain
) -> tuple[Endpoint, ...]:
    """
    Return whom to ask: the URLs given, else those of the settings.

    Raises:
        UserError: a URL is none, or needs a variable that is not set.
    """
    return settings.endpoints(chain, urls)

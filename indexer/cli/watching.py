"""`perpscope watch`: keep the database up to date until a signal says stop."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.chains import Chain
from indexer.cli.given import chains_configured, job_of
from indexer.cli.options import ConfigFile, Database
from indexer.cli.places import database_of, snapshot_of
from indexer.cli.proving import unheard_sentence, wrong_sentence
from indexer.config import Config, configuration
from indexer.errors import DatabaseBusy, UserError, WorldError
from indexer.schedules import seconds_of
from indexer.store import check_ours, held
from indexer.sync import Inspection, Ledger, several, verify
from indexer.tables import now

if TYPE_CHECKING:
    from indexer.watch import Extra, Service

Extras = Callable[[Config], Sequence["Extra"]]
"""What else watch does, given the settings; it comes from outside, and so knows both packages."""


class LogFormat(StrEnum):
    """How log lines are written."""

    CONSOLE = "console"
    JSON = "json"


def watch_command(extras: Extras) -> Callable[..., None]:
    """Return the command `perpscope watch`, which does these tasks as well."""

    def watch(
        *,
        database: Database = None,
        config: ConfigFile = None,
        log_format: Annotated[
            LogFormat, typer.Option(help="Log lines for people, or JSON.")
        ] = LogFormat.CONSOLE,
    ) -> None:
        """Keep every configured chain up to date on a schedule, until SIGTERM."""
        settings = configuration(config)
        path = database_of(database, settings)
        check_ours(path)
        service = _service(settings, path, extras(settings), is_json=log_format is LogFormat.JSON)
        with ExitStack() as alone:
            _enter(alone, path)
            service.run(settings.watch.port)

    return watch


def _service(
    settings: Config, path: Path, extras: Sequence["Extra"], *, is_json: bool
) -> "Service":
    from indexer.watch import Extra, Freshness, Metrics, Service, Watched, open_journal, tasks_of

    if settings.watch.snapshot is not None and settings.storage.snapshot is None:
        raise UserError(
            "watch.snapshot says when a copy is published, and storage.snapshot not where: "
            "expected a file; name it, or leave watch.snapshot out"
        )
    chains = chains_configured(settings)
    if settings.watch.verify is not None and settings.watch.verify_level == "agreed":
        for chain in chains:
            several(settings.endpoints(chain), chain)
    stale_seconds = seconds_of(settings.watch.stale_after) or 0
    freshness = Freshness((chain.slug for chain in chains), stale_seconds)
    metrics = Metrics(freshness, {chain.chain_id: chain.slug for chain in chains})
    watched = Watched(
        database=path,
        jobs=[
            (job_of(chain.slug, None, (None, None), settings, path=path), settings.endpoints(chain))
            for chain in chains
        ],
        when=settings.watch.index,
        snapshot=snapshot_of(settings, path),
        snapshot_when=settings.watch.snapshot,
        metrics=metrics,
        freshness=freshness,
    )
    journal = open_journal(is_json=is_json)
    checks = Extra("verify", settings.watch.verify, partial(_verify, settings, chains))
    return Service(tasks_of(watched, [checks, *extras]), metrics, freshness, journal)


def _verify(settings: Config, chains: Sequence[Chain], path: Path) -> None:
    wrong, unheard = [], 0
    for chain in chains:
        known = settings.declarations(chain)
        ledger = Ledger(path, chain, known)
        stored = set(ledger.stored().coverage["protocol"])
        wanted = Inspection(
            ledger,
            tuple(known[slug] for slug in sorted(stored)),
            settings.watch.verify_level,
            now(),
            sample=settings.watch.verify_sample or None,
        )
        if stored:
            found = verify(wanted, settings.endpoints(chain), lambda _done, _total: None)
            wrong += [f"{chain.slug} {low} to {high}" for _, low, high, _ in found.failures]
            unheard += found.unheard
    if wrong:
        raise WorldError(wrong_sentence(settings.watch.verify_level, ", ".join(wrong)))
    if unheard:
        raise WorldError(unheard_sentence(unheard))


def _enter(alone: ExitStack, path: Path) -> None:
    try:
        file = path.resolve()  # whatever name it goes by
        alone.enter_context(held(file.with_name(f"{file.name}.watch.lock")))
    except DatabaseBusy as error:
        raise WorldError(
            f"another `perpscope watch` works on {path}: {error}, or name another database"
        ) from error

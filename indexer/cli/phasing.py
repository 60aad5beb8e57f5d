"""`perpscope phases`: ask contracts who stood behind them, and keep the answers as a list."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.choices import chain_named, protocols_named
from indexer.cli.options import ChainName, ConfigFile, ProtocolNames, Urls
from indexer.config import configuration
from indexer.errors import UserError, WorldError, misplaced
from indexer.phases import write_phases
from indexer.sync import phases_told


def phases(
    *,
    chain: ChainName,
    rpc: Urls = None,
    protocol: ProtocolNames = None,
    output: Annotated[
        Path | None, typer.Option(help="The list to add to; by default phases-<chain>.csv.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Ask feeds which aggregators they stood on, where no log tells; keep the answers as a list."""
    settings, where = configuration(config), chain_named(chain)
    there = tuple(each for each in settings.phases if Path(each).exists())  # others are made here
    held = settings.model_copy(update={"phases": there}).declarations(where)
    declared = protocols_named(protocol or (), where, held)
    wanted = [item for item in declared if item.phases]
    if not wanted:
        raise UserError(
            f"none of {', '.join(item.slug for item in declared)} has contracts on {where.slug} "
            "that others stand behind: expected chainlink; correct --chain or --protocol"
        )
    path = output or Path(f"phases-{where.slug}.csv")
    if why := misplaced(path, "--output"):  # said before anybody is asked
        raise UserError(why)
    told = phases_told(wanted, where, settings.endpoints(where, rpc))
    if not told.phases:
        raise WorldError(
            f"none of {told.asked:,} contracts on {where.slug} told who stands behind it at block "
            f"{told.block_number}: expected most to; is the endpoint one of {where.slug}?"
        )
    fresh = write_phases(path, told.phases)
    typer.echo(
        f"{where.slug}: {told.asked - told.silent:,} of {told.asked:,} contracts told of "
        f"{len(told.phases):,} phases at block {told.block_number}; {fresh:,} are new in {path}"
    )
    if str(path) not in settings.phases:
        typer.echo(f'To read them, name the list in the settings: phases = ["{path}"]')

"""The simulation's command: `perpscope replay`."""

from pathlib import Path
from typing import Annotated

import typer


def replay(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Recorded logs, receipts or blocks.")
    ],
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="The port on 127.0.0.1; 0 takes a free one.")
    ] = 8_545,
) -> None:
    """Serve recorded chains over JSON-RPC on 127.0.0.1 until interrupted."""
    from indexer.simulation.node import run_forever
    from indexer.simulation.recording import recorded

    run_forever(recorded(files), port, typer.echo)

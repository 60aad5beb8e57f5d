"""Tables and names on the terminal."""

import json
from collections.abc import Iterable, Sequence

import typer
from rich.console import Console
from rich.table import Table

from indexer.chains import CHAINS


def chain_slug(chain_id: int) -> str:
    """Return a chain's name; its id where it has none."""
    return {chain.chain_id: chain.slug for chain in CHAINS}.get(chain_id, str(chain_id))


def print_json(found: object) -> None:
    """Print rows as JSON; moments are UTC."""
    typer.echo(json.dumps(found, indent=2, default="{:%Y-%m-%dT%H:%M:%SZ}".format))


def print_table(titles: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    """Print lines under titles."""
    table = Table(*titles, box=None, header_style="bold", pad_edge=False)
    for line in lines:
        table.add_row(*(str(cell) for cell in line))
    # A row is one line, however wide: cells cut to fit a terminal would be other numbers.
    Console(width=1_000).print(table)

"""`perpscope new-protocol`: the files of a protocol to be, with guesses to check."""

from pathlib import Path
from typing import Annotated

import typer

from indexer.choices import chain_named
from indexer.cli.options import chains_begun
from indexer.scaffold import drafted, written


def draft_protocol(
    name: Annotated[str, typer.Argument(help="Its short name: my_venue.")],
    *,
    abi: Annotated[Path, typer.Option(help="The contract's ABI; the file is called as it is.")],
    chain: Annotated[
        str, typer.Option(help="Where the contract lives.", autocompletion=chains_begun)
    ] = "ethereum",
    address: Annotated[str, typer.Option(help="Of the contract.")] = "0x" + "00" * 20,
    event: Annotated[
        list[str] | None,
        typer.Option(help="Event=table, by name or signature; repeatable. Guessed by default."),
    ] = None,
    folder: Annotated[Path, typer.Option(help="The checkout to write to.")] = Path(),
) -> None:
    """Write the first draft of a declaration, its ABI and its test into a checkout."""
    draft = drafted(name, abi, chain_named(chain), address, event or [])
    for path in written(draft, folder):
        typer.echo(path)
    for one, into in draft.tables.items():
        typer.echo(f"{one} is read into {into}")
    for one in draft.unread:
        typer.echo(f"{one} is not read: {draft.why_unread(one)}")
    typer.echo(
        "Replace every DRAFT: check guesses against the contract's source, state the rows in "
        "the test; then `make docs` and `make test`."
    )

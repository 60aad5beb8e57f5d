"""The indexer's commands."""

import typer

app = typer.Typer()

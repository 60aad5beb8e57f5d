"""The commands of analytics."""

import typer

app = typer.Typer()

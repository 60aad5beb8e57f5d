"""
The `perpscope` command: mounts the commands of both packages, and turns their errors into exits.

    0    done
    1    the request was fine, the world was not: a node, a file, another process
    2    the request was wrong: an unknown name, a bad value, a setting that does not fit
    130  interrupted from the keyboard

Whatever either package raises on purpose becomes one sentence on standard error, never a
traceback. This is the only module that knows both packages.
"""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

import analytics.cli
import analytics.errors
import indexer.cli
import indexer.errors

EXIT_WORLD = 1
EXIT_USER = 2
EXIT_INTERRUPTED = 130
SHOWN_VERSIONS = ("perpscope", "duckdb", "polars")

app = typer.Typer(
    help="On-chain analytics for perp DEXs and RWA protocols.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def versions() -> str:
    """Return the versions of perpscope and of the engines its numbers depend on, one line."""
    return ", ".join(f"{package} {version(package)}" for package in SHOWN_VERSIONS)


def show_versions(*, wanted: bool) -> None:
    """Print the versions and end the command, when asked for."""
    if wanted:
        typer.echo(versions())
        raise typer.Exit


@app.callback()
def options(
    *,
    show_version: Annotated[
        bool,
        typer.Option(
            "--version",
            help="Print the versions and exit.",
            is_eager=True,
            callback=lambda wanted: show_versions(wanted=wanted),
        ),
    ] = False,
) -> None:
    """Index perp DEXs and RWA protocols, then ask questions of what they did."""


for package in (indexer.cli.app, analytics.cli.app):
    app.registered_commands += package.registered_commands
    app.registered_groups += package.registered_groups


def main() -> None:
    """
    Run the command line and exit with its code.

    Raises:
        SystemExit: always; the module docstring lists the codes.
    """
    try:
        app()
    except (indexer.errors.UserError, analytics.errors.UserError) as error:
        sys.exit(_said(error, EXIT_USER))
    except (indexer.errors.PerpscopeError, analytics.errors.AnalyticsError) as error:
        sys.exit(_said(error, EXIT_WORLD))
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _said(error: Exception, code: int) -> int:
    """Print the error's sentence to standard error and return the exit code."""
    typer.echo(f"perpscope: {error}", err=True)
    return code


if __name__ == "__main__":
    main()

"""
The `perpscope` command: mounts the commands of both packages and turns their errors into exits.

    0    done
    1    the request was fine, the world was not: a node, a file, another process
    2    the request was wrong: an unknown name, a bad value, a setting that does not fit
    130  interrupted from the keyboard

What either package raises on purpose becomes one sentence on standard error, never a traceback.
This is the only module that knows both packages.
"""

import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Annotated

import typer

import analytics.cli
import analytics.errors
import indexer.cli
import indexer.errors

EXIT_DONE = 0
EXIT_WORLD = 1
EXIT_USER = 2
EXIT_INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for package in (indexer.cli.app, analytics.cli.app):
    app.registered_commands += package.registered_commands
    app.registered_groups += package.registered_groups


def versions() -> str:
    """Return the versions of perpscope and of the engines its numbers rest on, as one line."""
    return ", ".join(f"{name} {version(name)}" for name in ("perpscope", "duckdb", "polars"))


def show_versions(wanted: bool) -> None:  # noqa: FBT001 -- Typer passes the flag by position
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
            "--version", callback=show_versions, is_eager=True, help="Print versions and exit."
        ),
    ] = False,
) -> None:
    """On-chain analytics for perp DEXs and RWA protocols."""


def outcome(command: Callable[[], object]) -> int:
    """Run a command, say on standard error what stopped it, and return the exit code."""
    try:
        command()
    except (indexer.errors.UserError, analytics.errors.UserError) as error:
        return _said(error, EXIT_USER)
    except (indexer.errors.PerpscopeError, analytics.errors.AnalyticsError) as error:
        return _said(error, EXIT_WORLD)
    except OSError as error:  # a full disk, a missing right: never the program's own fault
        return _said(error, EXIT_WORLD)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return EXIT_DONE


def _said(error: Exception, code: int) -> int:
    typer.echo(f"perpscope: {' '.join(str(error).split())}", err=True)
    return code


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(outcome(app))


if __name__ == "__main__":
    main()

"""
The `perpscope` command: mounts the commands of both packages and turns their errors into exits.

    0    done
    1    the request was fine, the world was not: a node, a file, another process
    2    the request was wrong: an unknown name, a bad value, a setting that does not fit
    130  interrupted, from the keyboard, by SIGTERM or SIGHUP

What either package raises on purpose becomes one sentence on standard error, never a traceback.
This is the only module that knows both packages.
"""

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import ENOENT, ENOSPC
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, cast


def _end(number: int, _frame: FrameType | None) -> None:
    """End the process by this signal: Polars, once loaded, swallows it where SIG_DFL stood."""
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)


@contextmanager
def loading() -> Iterator[None]:
    """
    Load modules without a search for garbage, and let an interruption end it without a traceback.

    A hundred thousand objects are loaded, and none is garbage: to look took a sixth of the time.
    """
    is_heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    is_heard = is_heard and current_thread() is main_thread()
    known = len(sys.modules)
    gc.disable()
    if is_heard:
        signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        if len(sys.modules) > known:  # else what is new may be garbage
            gc.freeze()
        gc.enable()
        if is_heard:
            signal.signal(signal.SIGINT, signal.default_int_handler)


with loading():
    import typer
    from typer.core import TyperCommand
    from typer.main import get_command

    import analytics.cli
    import analytics.errors
    import indexer.cli
    import indexer.errors
    from analytics.formats import Format, format_option
    from indexer.cli.options import ChainName, ConfigFile, Database, Earners

if TYPE_CHECKING:
    from indexer.config import Config
    from indexer.simulation.world import World
    from indexer.watch import Extra

EXIT_DONE = 0
EXIT_WORLD = 1
EXIT_USER = 2
EXIT_INTERRUPTED = 130


class Later(TyperCommand):
    """
    A command that is loaded when it is asked for: to load them all takes two seconds.

    Its callback returns the command, or a group of them.
    """

    def make_context(self, *words: Any, **more: Any) -> Any:
        """Return the context of the command that this one stands for."""
        found = cast(Callable[[], Any], self.callback)()
        if isinstance(found, typer.Typer):
            return get_command(found).make_context(*words, **more)
        alone = typer.Typer(add_completion=False)
        alone.command(self.name)(found)
        return get_command(alone).make_context(*words, **more)


def found_at(place: str) -> Callable[[], object]:
    """Return a function that loads what is at a place, `module:name`, and returns it."""

    def found() -> object:
        module, _, name = place.partition(":")
        with loading():
            return getattr(import_module(module), name)

    return found


app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
for commands in (indexer.cli.COMMANDS, analytics.cli.COMMANDS):
    for command, (place, does) in commands.items():
        app.command(command, cls=Later, help=does)(found_at(place))


def extras(settings: "Config") -> "list[Extra]":
    """Return what `watch` does beyond the indexer's own tasks."""
    from indexer.watch import Extra

    write = partial(_write_report, Path(settings.watch.report_folder))
    return [Extra("report", settings.watch.report, write, reads_long=True)]


def _write_report(folder: Path, database: Path) -> None:
    from analytics.reports import write_report

    try:
        write_report(database, folder)
    except analytics.errors.AnalyticsError as error:
        raise indexer.errors.WorldError(str(error)) from error


@app.command("watch", cls=Later)
def watch() -> Callable[..., None]:
    """Keep every configured chain up to date on a schedule, until SIGTERM."""
    with loading():
        from indexer.cli.watching import watch_command
    return watch_command(extras)


def versions() -> str:
    """Return the versions of perpscope and of the engines its numbers rest on, as one line."""
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("perpscope", "duckdb", "polars"))


def show_versions(wanted: bool) -> None:  # noqa: FBT001 -- Typer passes the flag by position
    """Print the versions and end the command, when asked for."""
    if wanted:
        typer.echo(versions())
        raise typer.Exit


@app.callback()
def options(
    *,
    show_version: Annotated[  # noqa: ARG001 - its callback heeds it
        bool,
        typer.Option(
            "--version", callback=show_versions, is_eager=True, help="Print versions and exit."
        ),
    ] = False,
) -> None:
    """On-chain analytics for perp DEXs and RWA protocols."""
    if sys.flags.optimize > 1:
        raise indexer.errors.UserError(
            "Python leaves out docstrings (-OO or PYTHONOPTIMIZE=2), which methodology is printed "
            "from: expected them; run it without"
        )


@app.command()
def demo(
    output: Annotated[Path, typer.Option(help="The folder for report and database.")] = Path(
        "perpscope-demo"
    ),
    seed: Annotated[int, typer.Option(help="What chance in the simulated world follows from.")] = 1,
    scenario: Annotated[
        str,
        typer.Option(
            help="What happens: three_days, calm, crash_with_adl, oracle_failure, liquidity_void, "
            "wick_and_recovery."
        ),
    ] = "three_days",
    database: Annotated[
        Path | None, typer.Option(help="The DuckDB file to make; by default in the folder.")
    ] = None,
) -> None:
    """Simulate a market in trouble, index it, and write a report about it."""
    with loading():
        from analytics.reports import summary, write_report
        from analytics.reports.bundle import check_replaceable
        from indexer.simulation.demo import indexed_world, scenario_named

    script = scenario_named(scenario)
    check_replaceable((output / "report").resolve())
    path = made_anew(database, output / "simulated.duckdb")
    world = indexed_world(path, seed, typer.echo, script)
    typer.echo(
        f"compared {rows_compared(world, path):,} facts with the simulator's own books: equal"
    )
    # A report replaces its whole folder, so it gets one that holds nothing else.
    report = write_report(path, output / "report")
    typer.echo("\n".join(("", "simulated, not real:", *summary(path).lines(), "")))
    typer.echo(f"report: {report / 'report.html'}\ndatabase: {path}")


@app.command()
def restate(
    protocols: Earners = None,
    *,
    chain: ChainName,
    apply: Annotated[
        bool, typer.Option("--apply/--diff", help="Keep what changes, or only show it.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="A report; its days are compared, not the database's.")
    ] = None,
    form: Annotated[Format, format_option("How it is written")] = Format.TABLE,
    output: Annotated[
        Path | None, typer.Option(help="The file to write; standard output without one.")
    ] = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Show each day whose income changes under today's declarations and policies."""
    with loading():
        from analytics.export import check, write
        from analytics.reports import published
        from indexer.choices import protocols_named
        from indexer.cli.given import ledger_of
        from indexer.sync import restate as days_restated
    check(form, output)  # what is kept is shown once: there is nothing to show of it afterwards
    ledger = ledger_of(chain, database, config)
    chosen = protocols_named(protocols or (), ledger.chain, ledger.declarations)
    told = {} if against is None else published.record(against, ledger.chain.chain_id)
    days = days_restated(ledger, chosen, keep=apply, **told)
    would = "restated" if apply else "would change; --apply keeps it"
    write(days, form, output, would if days.height else "nothing changes")


def made_anew(database: Path | None, default: Path) -> Path:
    """
    Return the path for the demo's database, where no file is.

    Raises:
        UserError: the named file exists, and only the demo's own file is replaced; or it would be
            in a file.
    """
    path = database or default
    if not next(each for each in path.absolute().parents if each.exists()).is_dir():
        raise indexer.errors.UserError(
            f"{path} cannot be made, it is in a file: name another place"
        )
    if database is not None and database.exists():
        raise indexer.errors.UserError(
            f"{database} exists: the demo makes its own database, name a file that is not there"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in (path, path.with_name(path.name + ".wal")):
        old.unlink(missing_ok=True)
    return path


def rows_compared(world: "World", path: Path) -> int:
    """
    Return how many facts of the database are, to the last digit, those of the simulator's books.

    Raises:
        WorldError: a table differs.
    """
    from analytics import load
    from indexer.simulation.ledger import ROW_ORDER
    from indexer.tables import fact_tables

    count = 0
    with load.database(path) as con:
        for table in fact_tables():
            found, expected = load.facts(con, table).collect(), world.ledger.table(table)
            if not found.sort(ROW_ORDER).equals(expected):
                raise indexer.errors.WorldError(
                    f"{table} is not what the simulator wrote down: this is a defect of perpscope"
                )
            count += found.height
    return count


def outcome(command: Callable[[], object]) -> int:
    """Run a command, say on standard error what stopped it, and return the exit code."""
    try:
        command()
    except (indexer.errors.UserError, analytics.errors.UserError) as error:
        return _said(error, EXIT_USER)
    except (indexer.errors.PerpscopeError, analytics.errors.AnalyticsError) as error:
        return _said(error, EXIT_WORLD)
    except OSError as error:  # a full disk, a missing right: never the program's own fault
        return _said(_place(error), EXIT_WORLD)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except RuntimeError as error:
        if str(error).startswith("Symlink loop"):  # as Python before 3.13 says it
            return _said(f"{error}: name another place", EXIT_WORLD)
        if str(error) != "Query interrupted":  # as DuckDB says it
            raise
        return EXIT_INTERRUPTED
    return EXIT_DONE


def _said(message: object, code: int) -> int:
    typer.echo(f"perpscope: {' '.join(str(message).split())}", err=True)
    return code


def _place(error: OSError) -> str:
    is_full = error.errno == ENOSPC
    if error.filename is None and error.errno == ENOENT:  # where it runs, or what is temporary
        return f"{error.strerror}: run it in a folder that is there"
    if error.filename is None:
        return f"{error.strerror}: make room, or write to another place" if is_full else str(error)
    room = "make room for it there, or " if is_full else ""
    return f"{error.filename} cannot be read or written: {error.strerror}; {room}name another place"


def _interrupt(number: int, frame: FrameType | None) -> None:
    """
    Let SIGTERM end a command as SIGINT does, so that nothing half written is left behind.

    What Polars computes ends first: it listens for SIGINT alone, and Python to nothing until then.
    """
    interrupt = signal.getsignal(signal.SIGINT)
    (interrupt if callable(interrupt) else signal.default_int_handler)(number, frame)


def _hang_up(number: int, frame: FrameType | None) -> None:
    """Let a terminal that closes end a command as SIGTERM does; its shell may say so once more."""
    signal.signal(number, signal.SIG_IGN)
    _interrupt(number, frame)


def main() -> None:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # not under nohup
        signal.signal(signal.SIGHUP, _hang_up)
    if sys.stdout is not None and sys.stdout.errors == "strict":
        cast(Any, sys.stdout).reconfigure(errors="backslashreplace")  # as standard error is
    sys.exit(outcome(app))


if __name__ == "__main__":
    main()

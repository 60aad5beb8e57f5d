"""What commands share: their options, and pairs, moments and settings as a reader types them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from analytics import load
from analytics.compute import settings_of
from analytics.errors import AnalyticsError, UserError
from analytics.expressions import INSTANT, window
from analytics.formats import Format, format_option
from analytics.queries import typed
from analytics.reports.availability import doubts, missed
from analytics.reports.chain_names import CHAIN_NAMES, chain_number
from analytics.reports.indexed import check_order, indexed
from analytics.reports.scope import Limits, Scope


def among(*known: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Return a completion for the shell: the known names, asked for then, that begin as typed."""

    def completed(incomplete: str) -> list[str]:
        return sorted(name for names in known for name in names() if name.startswith(incomplete))

    return completed


def indexed_begun(context: typer.Context, incomplete: str) -> list[str]:
    """Return the protocols of the database that begin as typed; none where it cannot be read."""
    # The shell waits for the answer: who writes at this moment is not waited for.
    with suppress(AnalyticsError):
        path = load.database_path(context.params.get("database"))
        with load.database(path, wait_seconds=0) as con:
            return among(lambda: {*indexed(con)["protocol"]})(incomplete)
    return []


Database = Annotated[
    Path | None,
    typer.Option(
        envvar="PERPSCOPE_DATABASE",
        help="The DuckDB file; by default the one that the settings name (PERPSCOPE_CONFIG, or "
        "perpscope.toml), or perpscope.duckdb.",
    ),
]
Protocol = Annotated[
    str | None, typer.Option(help="Only this protocol.", autocompletion=indexed_begun)
]
Chain = Annotated[
    str | None,
    typer.Option(help="Only this chain, by name or id.", autocompletion=among(CHAIN_NAMES.values)),
]
Since = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Only events from this UTC time.")
]
SincePast = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="TIME",
        help="Only events from this UTC time; states, windows, histories, prices keep their past.",
    ),
]
CutWindows = Annotated[
    bool,
    typer.Option("--cut-windows", help="Windows, histories and prices, too, begin at --from."),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="TIME", help="Only events up to this UTC time; before it, if it is a day."
    ),
]
Setting = Annotated[
    list[str] | None, typer.Option("--setting", metavar="K=V", help="A setting; repeatable.")
]
Form = Annotated[Format, format_option("How the answer is written")]
Output = Annotated[
    Path | None, typer.Option(help="The file to write; standard output without one.")
]


_KINDS = {int: "integer", float: "number", str: "text", bool: "boolean"}


def moment(option: str, text: str | None) -> datetime | None:
    """
    Return the UTC time an option names.

    Raises:
        UserError: it is none.
    """
    if text is None:
        return None
    try:
        value = typed("timestamp", text)
    except ValueError as error:
        raise UserError(f"{option}: {error}") from error
    return value if isinstance(value, datetime) else None


def end(option: str, text: str | None) -> datetime | None:
    """
    Return the last UTC time an option names: a time itself, of a day the instant before it begins.

    Raises:
        UserError: it is none, or there is none before it.
    """
    value = moment(option, text)
    if value is None or not _is_day(text or ""):
        return value
    if value == datetime.min:
        raise UserError(f"{option} {text}: no time is before it; expected a later day")
    return value - INSTANT


def _is_day(text: str) -> bool:
    with suppress(ValueError):
        return bool(date.fromisoformat(text))
    return False


def limited(
    protocol: str | None, chain: str | None, since: str | None, until: str | None
) -> Limits:
    """
    Return the limits that the options of a command name.

    Raises:
        UserError: no such chain, a time that is none, or an end before the beginning.
    """
    first, last = moment("--from", since), end("--to", until)
    check_order(first, moment("--to", until))
    check_order(first, last)
    number = None if chain is None else chain_number(chain)
    return Limits(protocol=protocol, chain_id=number, since=first, until=last)


def warn(scope: Scope) -> None:
    """Say on standard error that nothing is known of the time asked for, where that is so."""
    if said := missed(scope):
        typer.echo(f"perpscope: {said}", err=True)


def warn_empty(scope: Scope, tables: Iterable[str], rows: pl.DataFrame) -> None:
    """Say on standard error what is not known where an answer has no rows: it may be no zero."""
    if rows.is_empty() and not missed(scope) and (said := doubts(scope, tables)):
        typer.echo(f"perpscope: no rows: of what is asked for, {said}", err=True)


def warn_event(scope: Scope, settings: Mapping[str, object]) -> None:
    """
    Say on standard error that nothing is known of the event of settings, where that is so.

    Raises:
        UserError: the event ends before it begins, or DuckDB alone takes a time of it for one.
    """
    said_start, said_end = (str(settings.get(f"event_{each}", "")) for each in ("start", "end"))
    if missed(scope) or not said_start or not said_end:
        return
    try:
        start, end = window(said_start, said_end)
    except ValueError as error:
        raise UserError(str(error)) from error
    event = replace(scope.limits, since=start, until=end - INSTANT)
    if said := missed(Scope(scope.con, event)):
        typer.echo(
            f"perpscope: of the event from {start} to {end} {said}; "
            "event_start=TIME and event_end=TIME, as --setting or --param, name another one",
            err=True,
        )


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """
    Return names and values that are given as name=value.

    Raises:
        UserError: one has no sign of equality, or a name is there twice.
    """
    values: dict[str, str] = {}
    for key, sign, value in (each.partition("=") for each in given or []):
        if not sign:
            raise UserError(f"{option} takes name=value, got {key or repr(key)}")
        if key.strip() in values:
            raise UserError(f"{option} says {key.strip()} twice: expected one value for each name")
        values[key.strip()] = value
    return values


def typed_settings(metric: str, given: dict[str, str]) -> dict[str, object]:
    """
    Return the settings of a metric as values of their types; unknown ones stay text.

    Raises:
        UserError: no such metric, or a value that is not of its type.
    """
    known, values = settings_of(metric), dict[str, object]()
    for key, text in given.items():
        try:
            values[key] = typed(_KINDS[known[key]], text) if key in known else text
        except ValueError as error:
            raise UserError(f"setting {key} of {metric}: {error}") from error
    return values


def listed(lines: Iterable[tuple[str, str]]) -> str:
    """Return names and what is said of each as lines, in two columns."""
    pairs = list(lines)
    width = max((len(name) for name, _ in pairs), default=0)
    return "".join(f"{name:{width}}  {text}\n" for name, text in pairs)

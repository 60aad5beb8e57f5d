"""The commands that give a number again: what a reader types to check what a page shows."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from shlex import quote

from analytics.metrics import METRICS
from analytics.plain_text import visible
from analytics.reports.chain_names import chain_name
from analytics.reports.parts import Source, Table
from analytics.reports.scope import Limits


def answer_command(source: Source, limits: Limits) -> str:
    """Return the command that gives the rows of a source again; nothing where a file is all."""
    if source.kind == "facts":
        return ""
    if source.kind == "check":
        return " ".join(["perpscope check", *_limits(source, limits)])
    option = "--setting" if source.kind == "metric" else "--param"
    parts = [f"perpscope {source.kind} {source.asked}"]
    parts += [f"{option} {_argument(name, value)}" for name, value in source.settings.items()]
    return " ".join([*parts, *(_limits(source, limits) if source.kind == "metric" else ())])


def table_command(table: Table, limits: Limits) -> str:
    """Return the command that traces the first row of a table, or gives its rows again."""
    source = table.source
    if source is None:
        return ""
    if source.kind != "metric" or source.asked not in METRICS or not table.frame.height:
        return answer_command(source, limits)
    first = table.frame.row(0, named=True)
    # What a section shows under a name of its own keeps the metric's value beside it.
    first |= {name: first.get(f"{name}_id", first.get(name)) for name in table.keys}
    wanted = [
        f"--where {_argument(name, first[name])}"
        for name in table.keys
        if name in source.frame.columns and first[name] is not None
    ]
    return " ".join([f"perpscope trace {source.asked}", *wanted])


def anchor(source: Source) -> str:
    """Return where the methodology says how a source is made; nothing where it does not."""
    has_method = source.kind in {"metric", "query"}
    return f"{source.kind}-{source.asked}" if has_method else ""


def _argument(name: str, value: object) -> str:
    # What a reader pastes into a shell holds no character that he does not see.
    return quote(visible(f"{name}={value}"))


def _limits(source: Source, limits: Limits) -> Iterator[str]:
    if source.between is not None:
        since, until = source.between
        yield f"--from {since.isoformat()}"
        limits = replace(limits, until=min(until, limits.until or until))
    if limits.protocol is not None:
        yield f"--protocol {quote(limits.protocol)}"
    if limits.chain_id is not None:
        yield f"--chain {quote(chain_name(limits.chain_id))}"
    if isinstance(limits.until, datetime):
        yield f"--to {limits.until.isoformat()}"

"""
The questions in `queries/`: one SELECT per file, described by the comment it starts with.

    -- question: Who was liquidated?
    -- reads:    liquidations
    -- grain:    one row per account
    -- units:    *_usd US dollars
    -- param:    accounts integer 20 (how many)

`param` gives name, type, default and meaning; the default null leaves a parameter open, and one
that is required has no default. `past` names tables of what stands until it changes: limits of time
keep what was before them. Files in `queries/metrics/` are the SQL twins of metrics.

Steps that several queries have to the letter stand in `queries/parts/`, in a SELECT of their own,
and the line `-- part: <name>` stands in their place.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import cache
from importlib.resources import files
from math import isfinite
from types import MappingProxyType

from analytics.errors import UserError, unknown

_MOST = 2**31 - 1
_LAST_PLACE = Decimal("1e-18")
_HEX = re.compile(r"\b0x[0-9a-fA-F]{40,64}\b")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_KEY = re.compile(r"-- ([a-z]+(?: [a-z]+)?):\s*(.*)")
_PART = re.compile(r"^-- part: (\w+)$", re.MULTILINE)
_PARAMETER = re.compile(r"(?P<name>\w+) (?P<kind>\w+) (?P<default>\S+) \((?P<meaning>.+)\)")


@dataclass(frozen=True)
class Parameter:
    """One `$name` of a query: its type, its default as written, and what it means."""

    name: str
    kind: str
    default: str
    meaning: str


@dataclass(frozen=True)
class Query:
    """One question: what it asks, what it reads, of what the past too, its rows and its SELECT."""

    name: str
    question: str
    reads: tuple[str, ...]
    past: tuple[str, ...]
    grain: str
    units: str
    parameters: tuple[Parameter, ...]
    sql: str

    @property
    def is_of_two(self) -> bool:
        """Whether a row is of one source against another."""
        return "reference_protocol" in self.sql

    def ends(self, since: datetime | None, until: datetime | None) -> dict[str, str]:
        """Return limits of time that it has a parameter for, as a reader types them."""
        names = {each.name for each in self.parameters}
        ends = {"since": since, "until": until}
        return {name: end.isoformat() for name, end in ends.items() if end and name in names}


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _count(text: str) -> int:
    if not 1 <= int(text) <= _MOST:
        raise ValueError
    return int(text)


def _natural(text: str) -> int:
    if not 0 <= int(text) <= _MOST:
        raise ValueError
    return int(text)


def _number(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError
    return number


def _magnitude(text: str) -> float:
    if (number := _number(text)) < 0:
        raise ValueError
    return number


def _share(text: str) -> float:
    if (number := _magnitude(text)) > 1:
        raise ValueError
    return number


def _decimal(text: str) -> Decimal:
    # As facts and their sums are, to the last digit: what has more digits is none of them.
    number = Decimal(text).quantize(_LAST_PLACE, context=Context(prec=38))
    if number != Decimal(text):
        raise ValueError
    return number


def _text(text: str) -> str:
    # Explorers write addresses in mixed case, which is their checksum; stored they are lower-case.
    return _HEX.sub(lambda found: found[0].lower(), text)


def _transaction(text: str) -> str:
    # A venue that is no chain has ids of its own; an address is nobody's.
    if _ADDRESS.fullmatch(text):
        raise ValueError
    return _text(text)


def _flag(text: str) -> bool:
    return {"true": True, "false": False}[text.lower()]


TYPES: Mapping[str, tuple[Callable[[str], object], str]] = MappingProxyType(
    {
        "integer": (int, "a whole number"),
        "count": (_count, f"a whole number from 1 to {_MOST}"),
        "natural": (_natural, f"a whole number from 0 to {_MOST}"),
        "number": (_number, "a number"),
        "magnitude": (_magnitude, "a number from 0"),
        "share": (_share, "a number from 0 to 1, which is 100 %"),
        "decimal": (_decimal, "a decimal number of up to 20 digits and 18 places"),
        "text": (_text, "text"),
        "transaction": (_transaction, "a transaction: 64 hex digits, not the 40 of an address"),
        "timestamp": (_moment, "a UTC time like 2025-10-10T21:15:00"),
        "date": (date.fromisoformat, "a day like 2025-10-10"),
        "boolean": (_flag, "true or false"),
    }
)


@cache
def queries() -> Mapping[str, Query]:
    """Return every question by name; those of metrics are called `metrics/<name>`."""
    folder = files("queries")
    paths = {path.name: path for path in folder.iterdir()}
    paths |= {f"metrics/{path.name}": path for path in folder.joinpath("metrics").iterdir()}
    return MappingProxyType(
        {
            name.removesuffix(".sql"): parsed(name.removesuffix(".sql"), path.read_text("utf-8"))
            for name, path in sorted(paths.items())
            if name.endswith(".sql")
        }
    )


def query_named(name: str) -> Query:
    """Return a question, or raise UserError naming the nearest ones."""
    if name not in queries():
        raise unknown("query", name, queries())
    return queries()[name]


def composed(sql: str) -> str:
    """Return a query with the steps of the parts it names in their place."""
    return _PART.sub(lambda found: _steps(found[1]), sql)


@cache
def _steps(part: str) -> str:
    text = files("queries").joinpath("parts", f"{part}.sql").read_text("utf-8")
    return composed(text.partition("\nwith\n\n")[2].rpartition("\n\nselect")[0]) + ","


def parsed(name: str, sql: str) -> Query:
    """Return the question a file asks, from the comment it starts with."""
    header = _header(sql)
    texts = {key: " ".join(values) for key, values in header.items()}
    return Query(
        name=name,
        question=texts["question"],
        reads=_listed(texts["reads"]),
        past=_listed(texts.get("past", "")),
        grain=texts["grain"],
        units=texts["units"],
        parameters=tuple(_parameter(text) for text in header.get("param", [])),
        sql=composed(sql),
    )


def arguments(query: Query, given: Mapping[str, str]) -> dict[str, object]:
    """
    Return a value of the right type for every parameter of a query: given, or its default.

    Raises:
        UserError: a parameter the query does not have, or a value of the wrong type.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            there = ", ".join(known) or "none"
            raise UserError(f"{query.name} has no parameter {name}: it has {there}")
    for name, parameter in known.items():
        if parameter.default == "required" and name not in given:
            raise UserError(f"{query.name} needs --param {name}=...: {parameter.meaning}")
    return {name: _argument(each, given.get(name)) for name, each in known.items()}


def literal(value: object) -> str:
    """Return an argument as SQL writes it."""
    match value:
        case None:
            return "null"
        case datetime():
            return f"timestamp '{value}'"
        case float():
            return f"{value!r}::double"
        case int():
            return str(value)
    quoted = str(value).replace("'", "''")
    return f"'{quoted}'"


def typed(kind: str, text: str) -> object:
    """
    Return the value a text stands for.

    Raises:
        ValueError: the text is not of this type; the message says what was expected.
    """
    convert, expected = TYPES[kind]
    try:
        return convert(text)
    except (ValueError, KeyError, InvalidOperation, OverflowError) as error:
        raise ValueError(f"{text!r} is not {expected}") from error


def _argument(parameter: Parameter, text: str | None) -> object:
    if text is None and parameter.default == "null":
        return None
    try:
        return typed(parameter.kind, parameter.default if text is None else text)
    except ValueError as error:
        raise UserError(f"parameter {parameter.name}: {error}") from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, re.split(r",\s*", text)))


def _header(sql: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    values: list[str] = []
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        if match := _KEY.match(line):
            values = found.setdefault(match[1], [])
            values.append(match[2])
        else:
            values[-1] += " " + line.removeprefix("--").strip()
    return found


def _parameter(text: str) -> Parameter:
    match = _PARAMETER.fullmatch(text)
    if match is None:
        raise ValueError(f"a param line reads `name type default (meaning)`, not {text!r}")
    return Parameter(**match.groupdict())

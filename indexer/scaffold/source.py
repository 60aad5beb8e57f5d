"""
The files of a draft: what the style asks of a declaration and its test, with guesses to check.

Columns are guessed from names alone. A guess is marked; a column nobody could guess is left out,
which means that it is not known. What somebody has to look at says DRAFT, and a house rule fails
while anything does.
"""

import re
from collections.abc import Iterator, Mapping
from textwrap import fill
from typing import Any

import polars as pl

from indexer.decode.abi import canonical
from indexer.scaffold.draft import Draft, parsed
from indexer.tables import TableColumn, tables

_ARGUMENTS = {
    "account": ("account", "trader", "user", "borrower", "onBehalf", "owner", "sender"),
    "market": ("market", "marketId", "indexToken", "pairIndex"),
    "pool": ("pool", "vault"),
    "feed": ("feed", "token", "asset", "market"),
    "bought_token": ("token",),
    "is_long": ("isLong", "long"),
    "collateral_token": ("collateralToken",),
    "liquidator": ("liquidator",),
    "position_id": ("key", "positionKey", "positionId"),
    "fee_token": ("feeToken", "token"),
}
_CONSTANTS = {
    "cause": "trade",
    "derivation": "direct",
    "shortfall_basis": "none",
    "split_basis": "none",
    "quote": "USD",
    "asset_class": "unknown",
    "known_by": "event",
}
_AUTOMATIC = (
    *("chain_id", "block_number", "log_index", "item_index", "tx_hash", "block_timestamp"),
    *("protocol", "version", "evidence"),
)


def declaration(draft: Draft) -> str:
    """Return the source of the declaration."""
    words = {"Contract", "Event", "Protocol"}
    events = [_event(draft, name, entries[0], words) for name, entries in draft.events.items()]
    imports = "".join(f"    {word},\n" for word in sorted(words))
    return _MODULE.format(
        name=draft.slug.replace("_", " ").capitalize(),
        constant=draft.chain.slug.upper().replace("-", "_"),
        imports=imports,
        slug=draft.slug,
        contract=draft.contract,
        address=draft.address,
        events="".join(events),
        unread="".join(_unread(draft)),
    )


def _unread(draft: Draft) -> Iterator[str]:
    for name, entries in draft.unread.items():
        yield _comment(f"DRAFT, not read, as {draft.why_unread(name)}: {_spelled(entries[0])}", 8)


def _spelled(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({', '.join(map(_worded, entry['inputs']))})"


def _worded(argument: Mapping[str, Any]) -> str:
    kind = str(argument["type"])
    if parts := argument.get("components"):
        kind = f"({', '.join(map(_worded, parts))}){kind.removeprefix('tuple')}"
    return f"{kind} {argument['name']}"


def _event(draft: Draft, name: str, entry: Mapping[str, Any], words: set[str]) -> str:
    table = draft.tables[name]
    lines = list(_columns(entry, table, words))
    return _EVENT.format(
        comment=_comment(_spelled(entry), 8),
        abi=f"{draft.slug}/{draft.contract}",
        name=_quoted(name, 12, "name="),
        table=f'"{table}",{"" if draft.was_asked else "  # DRAFT: a guess"}',
        columns="".join(f"                {line}\n" for line in lines),
        others=_comment(f"DRAFT, not known: {', '.join(_unguessed(entry, table))}", 16),
    )


def _comment(text: str, indent: int) -> str:
    prefix = " " * indent + "# "
    filled = fill(
        text,
        98,
        initial_indent=prefix,
        subsequent_indent=prefix,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{filled}\n"


def _quoted(text: str, indent: int, before: str = "") -> str:
    """Return a string's source, over several lines where it does not fit into one of 100."""
    if indent + len(before) + len(text) + 3 <= 100:
        return f'"{text}"'
    inner = " " * (indent + 4)
    parts = re.findall(rf".{{1,{100 - len(inner) - 3}}}(?:,|$)", text)
    lines = "".join(f'{inner}"{part}"\n' for part in parts)
    return f"(\n{lines}{' ' * indent})"


def _columns(entry: Mapping[str, Any], table: str, words: set[str]) -> Iterator[str]:
    for name, column in _columns_to_fill(table).items():
        argument = _argument(name, entry)
        if argument is not None:
            is_guess = argument.lower() != name.replace("_", "")
            yield f'"{name}": "{argument}",{"  # DRAFT: a guess" * is_guess}'
        elif name in _CONSTANTS:
            words.add("Const")
            yield f'"{name}": Const("{_CONSTANTS[name]}"),  # DRAFT: a guess'
        elif column.required and column.dtype == pl.String:
            words.add("Const")
            yield f'"{name}": Const("unknown"),  # DRAFT: no argument was recognised'
        elif column.required:
            words.update(("Fixed", "Int") if not _number(entry) else ("Fixed",))
            number = f'"{_number(entry)}"' if _number(entry) else "Int(0)"
            yield f'"{name}": Fixed({number}, 18),  # DRAFT: a guess'


def _unguessed(entry: Mapping[str, Any], table: str) -> list[str]:
    return [
        name
        for name, column in _columns_to_fill(table).items()
        if not column.required and name not in _CONSTANTS and _argument(name, entry) is None
    ] or ["nothing"]


def _columns_to_fill(table: str) -> dict[str, TableColumn]:
    return {name: column for name, column in tables()[table].items() if name not in _AUTOMATIC}


def _argument(column: str, entry: Mapping[str, Any]) -> str | None:
    there = {
        item["name"]
        for item in entry["inputs"]
        if (item["type"] == "bool") == (column == "is_long")
        and not item["type"].startswith("tuple")
    }
    return next((name for name in _ARGUMENTS.get(column, ()) if name in there), None)


def _number(entry: Mapping[str, Any]) -> str | None:
    there = [item["name"] for item in entry["inputs"] if re.fullmatch(r"u?int\d*", item["type"])]
    likely = (name for name in there if re.search("price|answer|amount", name.lower()))
    return next(likely, there[0] if there else None)


def golden_test(draft: Draft) -> str:
    """Return the source of a test with one golden log per event."""
    cases = "".join(
        _case(name if len(entries) == 1 else _shape(entry), entry, draft.tables[name])
        for name, entries in draft.events.items()
        for entry in entries
    )
    return _TEST.format(
        name=draft.slug.replace("_", " ").capitalize(),
        constant=draft.chain.slug.upper().replace("-", "_"),
        slug=draft.slug,
        abi=f"{draft.slug}/{draft.contract}",
        address=draft.address.lower(),
        cases=cases,
    )


def _shape(entry: Mapping[str, Any]) -> str:
    """Return an entry's signature with its indexed arguments marked, as goldens tell twins."""
    event = parsed(entry)
    types = (canonical(one) + " indexed" * one.indexed for one in event.inputs)
    return f"{event.name}({','.join(types)})"


def _case(event: str, entry: Mapping[str, Any], table: str) -> str:
    values = "".join(_given(item) for item in entry["inputs"])
    return (
        f'    (\n        {_quoted(event, 8)},\n        "{table}",\n'
        f"        {{\n{values}        }},\n    ),\n"
    )


def _given(argument: Mapping[str, Any]) -> str:
    before = f'            "{argument["name"]}": '
    return f"{before}{_sample(argument, 12, len(before))},\n"


def _sample(argument: Mapping[str, Any], indent: int, before: int) -> str:
    """Return the source of a value that stands behind so many characters of its line."""
    kind = str(argument["type"])
    if kind.endswith("]"):
        kind, _, length = kind[:-1].rpartition("[")
        item = _sample({**argument, "type": kind}, indent, before + 1)
        return f"[{item}] * {length}" if length else "[]"
    if kind.startswith("tuple"):
        inner = indent + 4
        parts = [_sample(part, inner, inner) for part in argument["components"]]
        line = f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        if "\n" not in line and before + len(line) < 100:
            return line
        return "(\n" + "".join(f"{' ' * inner}{one},\n" for one in parts) + " " * indent + ")"
    size = int(re.sub(r"\D", "", kind) or 0)
    plain = {
        "address": '"0x" + "11" * 20',
        "bool": "True",
        "string": '"text"',
        "bytes": 'b"octets"',
    }
    return plain.get(kind, f"bytes({size})" if kind.startswith("bytes") else "1")


_MODULE = '''\
"""
{name}: DRAFT, what it is in one line.

Contracts  DRAFT: link the source of every address.
Split      DRAFT: how fees are shared, since when, with a link; none where none is known.
Units      DRAFT: of prices, sizes and collateral, with a link.
"""

from indexer.chains import {constant}
from indexer.spec import (
{imports})

PROTOCOL = Protocol(
    slug="{slug}",
    name="{name}",
    kind="perp",  # DRAFT: or credit, rwa, oracle, dex, yield, token, chain
    methodology="DRAFT: what becomes which fact, in a few sentences; printed in reports.",
    contracts=(
        Contract(
            chain={constant},
            abi="{slug}/{contract}",
            address="{address}",
            from_block=0,  # DRAFT: the first block that can carry a log; 0 where it is not known
        ),
    ),
    left_out=("DRAFT: what is not covered, and why: a sentence each.",),
    events=(
{events}{unread}    ),
)
'''

_EVENT = """\
{comment}        Event(
            abi="{abi}",
            name={name},
            into={table}
            columns={{
{columns}{others}            }},
        ),
"""

_TEST = '''\
"""{name}: one golden log per event, built from its ABI (synthetic)."""

from typing import Any

import pytest
from goldens import built_facts, log, reasons

from indexer.chains import {constant}

CONTRACT = "{address}"
# DRAFT: give each argument a value of its own, state the whole row below, as other protocols do.
GOLDENS: list[tuple[str, str, dict[str, Any]]] = [
{cases}]


@pytest.mark.parametrize(("event", "table", "arguments"), GOLDENS)
def test_an_event_becomes_a_row(event: str, table: str, arguments: dict[str, Any]) -> None:
    """Every event the declaration reads gives one row, and none is rejected."""
    one = log("{abi}", event, CONTRACT, **arguments)

    result = built_facts("{slug}", {constant}, [one])

    assert reasons(result) == []
    assert len(result.markets if table == "markets" else result.tables[table]) == 1
'''

"""A protocol to be: the events of an ABI, each with a table guessed from its name."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from indexer.chains import Chain
from indexer.decode.abi import EventAbi, event_abis
from indexer.errors import UserError
from indexer.spec import Table

# The first that fits an event's name says which table it is likely for.
_TABLES = (
    ("liquidat", "liquidations"),
    ("deleverag|^adl", "adls"),
    ("fundingrate|fundingupdate", "funding"),
    ("increaseposition|decreaseposition|position.*(open|modif|change|close)", "position_changes"),
    ("(open|close)(position|trade)|order(settled|filled)", "position_changes"),
    ("price|answer", "oracle_updates"),
    ("^(?!set).*fee|accrueinterest", "fees"),
    ("buyback|bought", "buybacks"),
    ("^(borrow|repay)", "credit_events"),
    ("^(deposit|supply|withdraw|mint|redeem)", "pool_flows"),
    ("^createmarket|^market(created|added)", "markets"),
)

_NAME = r"([A-Za-z_$][A-Za-z0-9_$]*)?"
_TYPE = r"[a-z0-9]+(\[[0-9]*\])*"

Entries = tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Draft:
    """
    A protocol that has no files yet.

    Attributes:
        slug: lower-case letters, digits and underscores.
        contract: what its ABI file is called.
        chain: where it lives.
        address: of the contract, checksummed or lower case.
        events: what the declaration calls an event -> its entries in the ABI; more than one where
            releases index other arguments.
        tables: event -> table.
        unread: what else is in the ABI: event -> its entries.
        was_asked: whether events were named, and not guessed.
    """

    slug: str
    contract: str
    chain: Chain
    address: str
    events: Mapping[str, Entries]
    tables: Mapping[str, str]
    unread: Mapping[str, Entries]
    was_asked: bool

    def why_unread(self, event: str) -> str:
        """Return why nothing is drafted for an event that is not read."""
        if _is_anonymous(self.unread[event]):
            return "it is anonymous"
        return "no --event names it" if self.was_asked else "its name says no table"


def _is_anonymous(entries: Entries) -> bool:
    return any(entry.get("anonymous") for entry in entries)


def events_of(path: Path) -> Entries:
    """
    Return the events of an ABI file: a list, or an object with the list as `abi`.

    Raises:
        UserError: it cannot be read, or holds no event.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(
            f"{path} is not an ABI: {reason}; expected the JSON of a contract"
        ) from error
    entries = held.get("abi") if isinstance(held, dict) else held
    if not isinstance(entries, list):
        raise UserError(f"{path} is not an ABI: expected a list of entries, or one as `abi`")
    events = tuple(
        entry for entry in entries if isinstance(entry, dict) and entry.get("type") == "event"
    )
    if not events:
        raise UserError(f"{path} holds no event; expected the ABI of a contract that logs")
    for event in events:
        if not _is_sound(event):
            raise UserError(
                f"{path} is not an ABI: expected of event {event.get('name')!r} its name and "
                "inputs, and of each of these name, type and components as Solidity writes them"
            )
    return tuple({**event, "inputs": _all_named(event["inputs"])} for event in events)


def _all_named(arguments: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return arguments with a name each, by place where Solidity gives none: no topic tells it."""
    return [
        {**one, "name": one.get("name") or f"argument_{place}"}
        | ({"components": _all_named(one["components"])} if one.get("components") else {})
        for place, one in enumerate(arguments)
    ]


def _is_sound(event: Mapping[str, Any]) -> bool:
    name = event.get("name")
    return bool(name) and _is_name(name) and _are_arguments(event.get("inputs"))


def _are_arguments(entries: object) -> bool:
    return isinstance(entries, list) and all(
        isinstance(entry, dict) and _is_argument(entry) for entry in entries
    )


def _is_argument(entry: Mapping[str, Any]) -> bool:
    kind = entry.get("type")
    is_type = isinstance(kind, str) and re.fullmatch(_TYPE, kind) is not None
    parts = entry.get("components") or []
    is_whole = bool(parts) or not str(kind).startswith("tuple")
    return is_type and is_whole and _is_name(entry.get("name")) and _are_arguments(parts)


def _is_name(name: object) -> bool:
    # Names become part of code that every run of perpscope loads.
    return isinstance(name, str) and re.fullmatch(_NAME, name) is not None


def likely_table(event: str) -> str | None:
    """Return the table an event of this name is likely for; None where its name says nothing."""
    return next((table for like, table in _TABLES if re.search(like, event.lower())), None)


def drafted(slug: str, abi: Path, chain: Chain, address: str, wanted: Sequence[str]) -> Draft:
    """
    Return a draft of a protocol with one contract.

    Args:
        slug: what it shall be called.
        abi: an ABI file; its name is that of the contract.
        chain: where the contract lives.
        address: of the contract.
        wanted: `Event=table` for each event to read, by name or by signature; a name that is
            overloaded is all of its events. None takes those a table is guessed for.

    Raises:
        UserError: a name that cannot be, an event the ABI has not or that is anonymous, a table
            that does not exist, no event whose table could be guessed, or two that no log tells
            apart.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise UserError(f"{slug} is no name: expected lower-case letters, digits and underscores")
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", address):
        raise UserError(f"{address} is no address: expected 0x and 40 hexadecimal digits")
    named = _named(events_of(abi))
    chosen = _chosen(named, wanted)
    events = {name: named[name] for name in chosen}
    try:
        event_abis([entry for entries in events.values() for entry in entries])
    except ValueError as error:
        raise UserError(f"{abi}: {error}") from error
    unread = {name: entries for name, entries in named.items() if name not in chosen}
    contract = re.sub(r"\W", "", abi.stem)
    return Draft(slug, contract, chain, address, events, chosen, unread, bool(wanted))


def _named(entries: Entries) -> dict[str, Entries]:
    """Return entries by what a declaration calls them: with types where a name is overloaded."""
    found: dict[str, Entries] = {}
    for entry in entries:
        signature = parsed(entry).signature
        others = found.get(signature, ())
        found[signature] = others if entry in others else (*others, entry)
    names = Counter(_bare(signature) for signature in found)
    return {
        signature if names[_bare(signature)] > 1 else _bare(signature): same
        for signature, same in found.items()
    }


def parsed(entry: Mapping[str, Any]) -> EventAbi:
    """Return an entry as the decoder reads it."""
    return next(iter(event_abis([entry]).values()))


def _bare(event: str) -> str:
    return event.partition("(")[0]


def _chosen(events: Mapping[str, Entries], wanted: Sequence[str]) -> dict[str, str]:
    facts = get_args(Table)
    chosen: dict[str, str] = {}
    for pair in wanted:
        event, _, table = pair.partition("=")
        meant = _meant(event, events)
        if table not in facts:
            raise UserError(f"{pair}: expected Event=table, with one of {', '.join(facts)}")
        if twice := chosen.keys() & {*meant}:
            raise UserError(f"{pair}: a table is given for {min(twice)} already; expected one")
        chosen |= dict.fromkeys(meant, table)
    chosen = chosen or {
        name: likely
        for name, entries in events.items()
        if (likely := likely_table(_bare(name))) and not _is_anonymous(entries)
    }
    if not chosen:
        raise UserError(
            f"no table could be guessed for {', '.join(events)}; say --event NAME=table for each"
        )
    return chosen


def _meant(event: str, events: Mapping[str, Entries]) -> list[str]:
    meant = [
        name
        for name, entries in events.items()
        if event in (name, _bare(name), parsed(entries[0]).signature)
    ]
    if not meant:
        raise UserError(f"the ABI has no event {event}; expected one of {', '.join(events)}")
    if any(_is_anonymous(events[name]) for name in meant):
        raise UserError(
            f"{event} is anonymous, so no log says its name; a call that a contract notes is "
            "declared by hand, as `Noted`"
        )
    return meant

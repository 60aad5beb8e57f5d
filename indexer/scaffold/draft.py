"""A protocol to be: the events of an ABI, each with a table guessed from its name."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.chains import Chain
from indexer.errors import UserError
from indexer.tables import tables

# The first that fits an event's name says which table it is likely for.
_TABLES = (
    ("liquidat", "liquidations"),
    ("deleverag|^adl", "adls"),
    ("fundingrate|fundingupdate", "funding"),
    ("increaseposition|decreaseposition|position.*(open|modif|change|close)", "position_changes"),
    ("(open|close)(position|trade)|order(settled|filled)", "position_changes"),
    ("price|answer", "oracle_updates"),
    ("fee", "fees"),
    ("buyback|bought", "buybacks"),
    ("^(deposit|withdraw|mint|redeem)", "pool_flows"),
)


@dataclass(frozen=True)
class Draft:
    """
    A protocol that has no files yet.

    Attributes:
        slug: lower-case letters, digits and underscores.
        contract: what its ABI file is called.
        chain: where it lives.
        address: of the contract, checksummed or lower case.
        entries: events of the ABI that a table was guessed for.
        tables: event -> table.
    """

    slug: str
    contract: str
    chain: Chain
    address: str
    entries: tuple[Mapping[str, Any], ...]
    tables: Mapping[str, str]


def events_of(path: Path) -> tuple[Mapping[str, Any], ...]:
    """
    Return the events of an ABI file: a list, or an object with the list as `abi`.

    Raises:
        UserError: it cannot be read, or holds no event.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} is not an ABI: {error}; expected the JSON of a contract"
        ) from error
    entries = held.get("abi") if isinstance(held, dict) else held
    if not isinstance(entries, list):
        raise UserError(f"{path} is not an ABI: expected a list of entries, or one as `abi`")
    events = tuple(
        entry for entry in entries if isinstance(entry, dict) and entry.get("type") == "event"
    )
    if not events:
        raise UserError(f"{path} holds no event; expected the ABI of a contract that logs")
    return events


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
        wanted: `Event=table` for each event to read; none takes those a table is guessed for.

    Raises:
        UserError: a name that cannot be, an event the ABI has not, a table that does not exist, or
            no event whose table could be guessed.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", slug):
        raise UserError(f"{slug} is no name: expected lower-case letters, digits and underscores")
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", address):
        raise UserError(f"{address} is no address: expected 0x and 40 hexadecimal digits")
    events = {entry["name"]: entry for entry in events_of(abi)}
    chosen = _chosen(events, wanted)
    stem = re.sub(r"\W", "", abi.stem)
    return Draft(slug, stem, chain, address, tuple(events[name] for name in chosen), chosen)


def _chosen(events: Mapping[str, object], wanted: Sequence[str]) -> dict[str, str]:
    facts = [name for name, columns in tables().items() if "evidence" in columns]
    chosen: dict[str, str] = {}
    for pair in wanted:
        event, _, table = pair.partition("=")
        if event not in events:
            raise UserError(f"the ABI has no event {event}; expected one of {', '.join(events)}")
        if table not in facts:
            raise UserError(f"{pair}: expected Event=table, with one of {', '.join(facts)}")
        chosen[event] = table
    chosen = chosen or {name: likely for name in events if (likely := likely_table(name))}
    if not chosen:
        raise UserError(
            f"no table could be guessed for {', '.join(events)}; say --event NAME=table for each"
        )
    return chosen

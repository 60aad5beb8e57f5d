"""
What is covered and what is not, as Markdown: PROTOCOLS.md, written from the declarations alone.

A row is confirmed where a log that a chain recorded is read so in the tests; else its golden log
was built from the ABI, and is called synthetic.
"""

from collections.abc import Iterable, Iterator, Sequence

from indexer.chains import Chain
from indexer.spec import Blocks, Contract, Entry, Event, Keyed, Noted, Protocol, Read

_INTRODUCTION = """\
# Protocols

Written by `make docs` from the declarations in `indexer/protocols/`; edit those. *Golden* says
what the tests read an event from: a log that a chain **recorded**, or a **synthetic** one, built
from the contract's ABI. *Evidence* is what each row of the table carries: `event` a decoded log,
`state` an answer of a contract at a block, `derived` arithmetic over both, `offchain` a report,
`assumed` a constant nobody logs.
"""


def catalogue(protocols: Sequence[Protocol]) -> str:
    """Return the whole document: a table of all protocols, then a section for each."""
    ordered = sorted(protocols, key=lambda protocol: protocol.slug)
    parts = [
        _INTRODUCTION,
        _counted(ordered),
        "\n".join(_overview(ordered)),
        *map(section, ordered),
    ]
    return "\n".join(part if part.endswith("\n") else f"{part}\n" for part in parts)


def _counted(protocols: Sequence[Protocol]) -> str:
    chains = {chain for protocol in protocols for chain in chains_of(protocol)}
    events = [event for protocol in protocols for event in protocol.events]
    confirmed = sum(event.is_confirmed for event in events)
    reads = sum(len(protocol.reads) for protocol in protocols)
    return (
        f"{len(protocols):,} protocols on {len(chains):,} chains; {len(events):,} rows are "
        f"declared of events, {confirmed:,} of them confirmed by recorded logs, and {reads:,} of "
        "state.\n"
    )


def _overview(protocols: Iterable[Protocol]) -> Iterator[str]:
    yield from _head("protocol", "kind", "chains", "tables", "rows declared", "confirmed")
    for protocol in protocols:
        rows: list[Event | Read | Entry] = [*protocol.events, *protocol.reads, *protocol.entries]
        confirmed = sum(event.is_confirmed for event in protocol.events)
        yield _line(
            f"[{protocol.name}](#{_anchor(protocol)})",
            protocol.kind,
            ", ".join(chain.slug for chain in chains_of(protocol)),
            ", ".join(f"`{name}`" for name in sorted({row.into for row in rows})),
            len(rows),
            confirmed or "",
        )


def section(protocol: Protocol) -> str:
    """Return what is known of one protocol: rows, contracts, splits, and what is left out."""
    parts = [
        [f'## {protocol.name} <a id="{_anchor(protocol)}"></a>', "", protocol.methodology],
        list(_rows(protocol)),
        list(_contracts(protocol)),
        list(_policies(protocol)),
        [f"Shares that no flow tells: {protocol.untold_shares}."] if protocol.untold_shares else [],
        ["Not covered:", "", *(f"- {sentence}" for sentence in protocol.left_out)]
        if protocol.left_out
        else [],
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def chains_of(protocol: Protocol) -> list[Chain]:
    """Return the chains a protocol is declared on, by id; those that files tell of as well."""
    found = {item.chain for item in protocol.contracts}
    found |= {item.chain for item in protocol.entries}
    return sorted(found, key=lambda chain: chain.chain_id)


def _rows(protocol: Protocol) -> Iterator[str]:
    if protocol.events or protocol.reads or protocol.entries:
        yield from _head("contract", "event or call", "table", "version", "evidence", "golden")
    yield from dict.fromkeys(_event_line(event) for event in protocol.events)
    yield from (_read_line(read) for read in protocol.reads)
    yield from dict.fromkeys(_entry_line(entry) for entry in protocol.entries)


def _event_line(event: Event) -> str:
    match event.name:
        case Keyed(name):
            pass
        case str(signature) | Noted(signature):
            name = signature.partition("(")[0]
    golden = "recorded" if event.is_confirmed else "synthetic"
    contract = event.abi.partition("/")[2]
    return _line(contract, name, f"`{event.into}`", event.version or "", event.evidence, golden)


def _read_line(read: Read) -> str:
    every = read.every.count
    often = f"every {every:,} " + ("blocks" if isinstance(read.every, Blocks) else "s")
    called = f"{', '.join(call.function for call in read.calls)} ({often})"
    contract, version = read.abi.partition("/")[2], read.version or ""
    return _line(contract, called, f"`{read.into}`", version, read.evidence, "synthetic")


def _entry_line(entry: Entry) -> str:
    told = f"{entry.name} in a file"
    return _line("", told, f"`{entry.into}`", entry.version, entry.evidence, "synthetic")


def _contracts(protocol: Protocol) -> Iterator[str]:
    if protocol.contracts:
        yield from _head("chain", "contract", "declared", "announces", "first block")
    announced = {
        abi: ", ".join(
            dict.fromkeys(
                (item.child_abi or "several kinds").partition("/")[2] or "several kinds"
                for item in protocol.discoveries
                if item.abi == abi
            )
        )
        for abi in {item.abi for item in protocol.discoveries}
    }
    groups: dict[tuple[int, str, str], list[Contract]] = {}
    for contract in protocol.contracts:
        key = (contract.chain.chain_id, contract.chain.slug, contract.abi)
        groups.setdefault(key, []).append(contract)
    for (_, chain, abi), contracts in sorted(groups.items()):
        addresses = sorted({contract.address for contract in contracts}, key=str.lower)
        declared = f"`{addresses[0]}`" if len(addresses) == 1 else f"{len(addresses):,} addresses"
        start = min(contract.from_block for contract in contracts)
        name = abi.partition("/")[2]
        yield _line(
            chain, name, declared, announced.get(abi, ""), f"{start:,}" if start else "not known"
        )


def _policies(protocol: Protocol) -> Iterator[str]:
    if protocol.policies:
        yield from _head("split", "share", "from", "basis", "source")
    for policy in sorted(protocol.policies, key=lambda one: (one.kind, one.valid_from)):
        kind = policy.kind.replace("_", " ")
        yield _line(kind, policy.value, policy.valid_from, policy.basis, policy.source)


def _anchor(protocol: Protocol) -> str:
    return protocol.slug.replace("_", "-")


def _head(*names: str) -> Iterator[str]:
    yield _line(*names)
    yield "|" + "---|" * len(names)


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"

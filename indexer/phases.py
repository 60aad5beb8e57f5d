"""
Contracts behind others, from the lists that the settings name, made part of declarations.

`perpscope phases` writes the lists. They are files that a user keeps, not what each run finds out:
so two databases with the same lists hold the same rows, whenever they were filled, and a list that
grows makes another declaration, of which only what is new is fetched.
"""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pydantic import ValidationError

from indexer.chains import Chain
from indexer.choices import chain_named, protocol_named
from indexer.errors import UserError, WorldError
from indexer.settings import Phase
from indexer.spec import Contract, Protocol
from indexer.store.locks import alone_in

_COLUMNS = tuple(Phase.model_fields)


def with_phases(
    declarations: Mapping[str, Protocol], paths: Sequence[str], chain: Chain | None
) -> dict[str, Protocol]:
    """
    Return every protocol by slug, with the contracts behind its own that lists name.

    Args:
        declarations: the protocols without.
        paths: the lists; all of each is checked.
        chain: whose contracts are added; None for all.

    Raises:
        UserError: a list cannot be read, or names what no declaration has.
    """
    wanted: dict[str, list[Phase]] = {}
    for path in paths:
        for number, phase in enumerate(read_phases(Path(path)), 2):
            try:
                _check(phase, declarations)
            except UserError as error:
                raise UserError(f"line {number} of {path}: {error}") from error
            if chain is None or phase.chain == chain.slug:
                wanted.setdefault(phase.protocol, []).append(phase)
    extended = {slug: _extended(declarations[slug], tuple(some)) for slug, some in wanted.items()}
    return {**declarations, **extended}


def read_phases(path: Path) -> tuple[Phase, ...]:
    """
    Return the lines of a list.

    Raises:
        UserError: there is none, or a line of it cannot be read.
    """
    try:
        heading, *lines = csv.reader(path.read_text("utf-8-sig").splitlines(), strict=True)
        if tuple(heading) != _COLUMNS:
            raise ValueError(f"its columns are {', '.join(heading)}, not {', '.join(_COLUMNS)}")
        return tuple(_phase(line, f"line {number}") for number, line in enumerate(lines, 2))
    except (OSError, ValueError, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(
            f"the list {path} cannot be read: {reason}; expected a file that `perpscope phases` "
            "writes"
        ) from error


def write_phases(path: Path, found: Iterable[Phase]) -> int:
    """
    Add phases to a list, which is made where there is none; return how many it did not have.

    What it has stays as it is: a phase that was, was.

    Raises:
        UserError: the file is there and no list.
        WorldError: it cannot be written; it is as before.
    """
    path = path.resolve()  # what a link stands for is replaced, not the link
    aside = path.with_name(f".{path.name}.new")
    try:
        with alone_in(path.parent):  # what another process adds meanwhile must not go again
            held = {_key(phase): phase for phase in (read_phases(path) if path.exists() else ())}
            fresh = {_key(phase): phase for phase in found if _key(phase) not in held}
            with aside.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
                writer.writeheader()
                listed = sorted({**held, **fresh}.items())
                writer.writerows(phase.model_dump() for _, phase in listed)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path)
    except OSError as error:
        with suppress(OSError):
            aside.unlink()
        raise WorldError(
            f"the list {path} cannot be written: {error.strerror}; it is as before"
        ) from error
    return len(fresh)


def _key(phase: Phase) -> tuple[str, str, str, int, str]:
    return phase.protocol, phase.chain, phase.contract, phase.phase, phase.address


def _phase(line: Sequence[str], place: str) -> Phase:
    if len(line) != len(_COLUMNS):
        raise ValueError(f"{place} has {len(line)} values, not {len(_COLUMNS)}")
    try:
        return Phase.model_validate_strings(dict(zip(_COLUMNS, line, strict=True)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        named = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {named} is {first['input']!r}: {first['msg']}") from None


def _check(phase: Phase, declarations: Mapping[str, Protocol]) -> None:
    protocol, chain = protocol_named(phase.protocol, declarations), chain_named(phase.chain)
    if (chain.slug, phase.contract) not in _asked(protocol):
        raise UserError(
            f"{phase.contract} is no contract of {protocol.slug} on {chain.slug} that others stand "
            "behind: expected one that it declares; remove the line"
        )


@lru_cache
def _asked(protocol: Protocol) -> dict[tuple[str, str], tuple[int, Contract]]:
    kinds = {kind.abi for kind in protocol.phases}
    return {
        (contract.chain.slug, contract.address.lower()): (place, contract)
        for place, contract in enumerate(protocol.contracts)
        if contract.abi in kinds
    }


@lru_cache
def _extended(protocol: Protocol, phases: tuple[Phase, ...]) -> Protocol:
    asked, child_abis = _asked(protocol), {kind.abi: kind.child_abi for kind in protocol.phases}
    held = {(item.chain, item.abi, item.address.lower()) for item in protocol.contracts}
    fresh: list[Contract] = []
    # One that stands behind several contracts says what the first declared of them says.
    for _, parent, phase in sorted(
        ((*asked[one.chain, one.contract], one) for one in phases),
        key=lambda row: (row[0], row[2].phase),
    ):
        child = replace(parent, abi=child_abis[parent.abi], address=phase.address)
        place = (child.chain, child.abi, child.address)
        if place not in held:
            held.add(place)
            fresh.append(child)
    if not fresh:
        return protocol
    return replace(
        protocol,
        methodology=f"{protocol.methodology} {_sentence(len(fresh), phases)}",
        contracts=(*protocol.contracts, *fresh),
    )


def _sentence(count: int, phases: Iterable[Phase]) -> str:
    newest = max(phase.block_number for phase in phases)
    return (
        f"{count:,} more contracts are read, which stood behind declared ones as those told when "
        f"they were asked, at block {newest} last."
    )

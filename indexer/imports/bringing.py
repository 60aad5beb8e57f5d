"""One file into the database: read in batches, set down beside it, landed in one transaction."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from glob import escape
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from indexer.errors import UserError
from indexer.facts.digest import entries_digest
from indexer.facts.known import accounts, brought_facts, policies
from indexer.imports.deriving import derived
from indexer.imports.opening import sha256_of
from indexer.imports.reading import About, Reading
from indexer.imports.venues import Venue
from indexer.spec import Protocol
from indexer.store import Brought, alone_in, brought_before, land, remove_abandoned
from indexer.tables import now

_RANDOM = 8  # characters that `tempfile` ends a name with


@dataclass(frozen=True)
class Taken:
    """
    What became of a file.

    Attributes:
        brought: its row of `imports`; None for a file that was imported before.
        rows: fact table -> rows that are new.
        unknown: fields that nobody knows -> the line of the first entry that had them.
    """

    brought: Brought | None
    rows: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)


def bring(path: Path, file: Path, venue: Venue, protocol: Protocol, about: About) -> Taken:
    """
    Take a file into the database, whole or not at all; what is stored already stays as it is.

    Args:
        path: the database; it is made if it is not there.
        file: the file.
        venue: whose file it is.
        protocol: the venue's declaration.
        about: what the file is of, where it does not say so itself.

    Raises:
        UserError: there is no such file, it is not the venue's, no account of the venue is like
            the one named, the file was imported before as of another account or market, or others
            were read by another declaration.
        FileDamaged: it is cut off or broken.
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: it cannot be written.
    """
    if about.account is not None and not re.fullmatch(venue.account, about.account):
        raise UserError(
            f"--account {about.account} is no account of {protocol.name}: expected "
            f"{venue.account_is}; correct it"
        )
    digest, read_as = sha256_of(file), entries_digest(protocol, venue.chain)
    if before := brought_before(path, venue.chain.chain_id, protocol.slug, digest, read_as):
        _demand_same(file, before, about)
        return Taken(None)
    reading = venue.read(file, about)
    with _beside(path) as folder:
        count, ends = _set_down(folder, file, venue, protocol, reading)
        brought = Brought(
            chain_id=venue.chain.chain_id,
            protocol=protocol.slug,
            file=file.name,
            sha256=digest,
            kind=reading.kind,
            about=reading.about,
            entries_read=count,
            from_at=ends[0],
            to_at=ends[1],
            imported_at=now().replace(microsecond=0),
            declaration_digest=read_as,
        )
        landed = land(path, brought, folder, _stated(venue, protocol, reading.entry))
    if landed is None:
        return Taken(None)
    return Taken(landed.brought, landed.rows, dict(reading.notes.unknown))


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a folder beside the database: there is room for what it will hold; memory has not."""
    start = f"{path.name}.import."
    with TemporaryDirectory(prefix=start, dir=path.parent) as name, alone_in(Path(name)):
        left = path.parent.glob(f"{escape(start)}{'?' * _RANDOM}")
        remove_abandoned(left)  # by processes that were killed
        yield Path(name)


def _demand_same(file: Path, before: Brought, about: About) -> None:
    said = {text.lower() for text in (about.account, about.market) if text}
    if before.entries_read and before.about and said and before.about.lower() not in said:
        raise UserError(
            f"{file} was imported before as of {before.about}: expected the same; where that was "
            "wrong, import all files into a new database, for what is imported is not taken back"
        )


def _stated(venue: Venue, protocol: Protocol, entry: str) -> dict[str, pl.DataFrame]:
    return {
        "accounts": accounts([protocol], venue.chain),
        "policies": policies([protocol]),
        "declared_facts": brought_facts(protocol, venue.chain, entry),
    }


Ends = tuple[datetime | None, datetime | None]


def _set_down(
    folder: Path, file: Path, venue: Venue, protocol: Protocol, reading: Reading
) -> tuple[int, Ends]:
    """Write the rows of a file beside the database; return its entries and their first and last."""
    count, ends = 0, pl.Series([], dtype=pl.Datetime("us"))
    for number, batch in enumerate(reading.batches):
        count += batch.count
        ends = pl.concat([ends, batch.place["block_timestamp"]]).sort()
        ends = ends[[0, -1]] if len(ends) else ends
        rows = derived(protocol, venue.chain, reading, batch, file.name)
        for table, told in (*rows.tables.items(), ("rejects", rows.rejects)):
            if len(told):
                # Polars calls a full disk a file out of specification; Python calls it by its name.
                content = BytesIO()
                told.write_parquet(content, compression="lz4")
                (folder / f"{table}-{number}.parquet").write_bytes(content.getbuffer())
    return count, (ends[0], ends[-1]) if len(ends) else (None, None)

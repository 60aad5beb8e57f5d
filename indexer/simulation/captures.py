"""
What a user's file of recorded node answers holds, one JSON object at a time.

`.jsonl` holds one object per line, `.json` one object or a list of them; `.gz` may follow either.
"""

import gzip
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from indexer.chains import CHAINS, Chain
from indexer.errors import UserError

Item = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Capture:
    """
    One recorded object.

    Attributes:
        where: "file:line", for error messages.
        chain: whose it is.
        item: the object, with whatever fields the recorder added.
    """

    where: str
    chain: Chain
    item: Item


def captures(path: Path, chain: Chain | None = None) -> Iterator[Capture]:
    """
    Yield the objects of one file.

    Args:
        path: .jsonl, .jsonl.gz, .json or .json.gz.
        chain: whose objects without a `_chain` are; None asks the file's name, which names the
            chain in front of the first underscore ("ethereum_18000000.json.gz").

    Raises:
        UserError: the file cannot be read, or an object of it not understood.
    """
    fallback = chain or _chain_called(path.name.split("_")[0])
    for where, item in _items(path):
        yield Capture(where, _chain(item, fallback, where), item)


def _items(path: Path) -> Iterator[tuple[str, Item]]:
    for number, text in _documents(path):
        where = f"{path}:{number}"
        try:
            found = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise UserError(f"{where}: expected JSON, but {error}") from error
        for item in found if isinstance(found, list) else [found]:
            if not isinstance(item, dict):
                raise UserError(f"{where}: expected a JSON object, saw {str(item)[:60]!r}")
            yield where, item


def _documents(path: Path) -> Iterable[tuple[int, bytes]]:
    suffixes = [suffix for suffix in path.suffixes if suffix != ".gz"]
    if suffixes[-1:] == [".json"]:
        return [(1, _content(path))]
    if suffixes[-1:] == [".jsonl"]:
        lines = enumerate(_content(path).splitlines(), 1)
        return ((number, line) for number, line in lines if line.strip())
    if not path.exists():
        raise UserError(f"{path} cannot be read: No such file or directory")
    raise UserError(f"{path}: expected a .jsonl or .json file of recorded answers, or one with .gz")


def _content(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
        told = gzip.decompress(raw) if path.suffix == ".gz" else raw
        return told.removeprefix(BOM_UTF8)
    except (OSError, EOFError, zlib.error) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UserError(f"{path} cannot be read: {why}") from error


def _chain(item: Item, fallback: Chain | None, where: str) -> Chain:
    name = item.get("_chain")
    if name is not None:
        found = _chain_called(str(name))
        if found is None:
            known = ", ".join(chain.slug for chain in CHAINS if chain.chain_id > 0)
            raise UserError(f"{where}: unknown chain {str(name)!r}; known are {known}")
        return found
    if fallback is None:
        raise UserError(f"{where}: no `_chain` says whose this is; add one")
    return fallback


def _chain_called(name: str) -> Chain | None:
    """Return the chain of a slug in any spelling ("arbitrumSepolia") or of a chain id."""
    wanted = _plain(name)
    for chain in CHAINS:
        if chain.chain_id > 0 and (wanted == _plain(chain.slug) or name == str(chain.chain_id)):
            return chain
    return None


def _plain(name: str) -> str:
    return name.replace("-", "").replace("_", "").lower()

"""Lists too long for a declaration, kept as CSV beside it."""

from csv import DictReader
from functools import cache
from importlib.resources import files

from indexer.chains import CHAINS, Chain

_CHAINS = {chain.slug: chain for chain in CHAINS}


@cache
def listed(name: str) -> tuple[dict[str, str], ...]:
    """
    Return the rows of `indexer/protocols/<name>.csv`, lists too long for a declaration.

    Raises:
        FileNotFoundError: no such list travels with the package.
    """
    text = files("indexer.protocols").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(DictReader(text.splitlines()))


def chain_of(slug: str) -> Chain:
    """
    Return the chain with this slug.

    Raises:
        KeyError: no chain has it.
    """
    return _CHAINS[slug]

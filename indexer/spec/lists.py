"""Lists too long for a declaration, kept as CSV beside it."""

from csv import reader
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
        ValueError: a row has not as many values as the first one has names.
    """
    text = files("indexer.protocols").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    names, *rows = reader(text.splitlines())
    return tuple(dict(zip(names, row, strict=True)) for row in rows)


def chain_of(slug: str) -> Chain:
    """
    Return the chain with this slug.

    Raises:
        KeyError: no chain has it.
    """
    return _CHAINS[slug]

"""The venues whose files can be read: one line each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from indexer.chains import DYDX, HYPERCORE, Chain
from indexer.imports import dydx, hyperliquid
from indexer.imports.reading import About, Reading


@dataclass(frozen=True)
class Venue:
    """
    A venue that files are of.

    Attributes:
        protocol: slug of the declaration that says what its entries mean.
        chain: the chain its rows carry.
        read: a file to its entries.
        account: the pattern of its accounts.
        account_is: the same in words.
    """

    protocol: str
    chain: Chain
    read: Callable[[Path, About], Reading]
    account: str
    account_is: str


VENUES: Mapping[str, Venue] = MappingProxyType(
    {
        "dydx": Venue(
            "dydx",
            DYDX,
            dydx.read,
            r"dydx1[a-z0-9]+",
            "dydx1 and then small letters and digits",
        ),
        "hyperliquid": Venue(
            "hyperliquid",
            HYPERCORE,
            hyperliquid.read,
            r"0x[0-9a-fA-F]{40}",
            "0x and 40 hex digits",
        ),
    }
)

"""The names of chains, as `indexer` uses them; a database only knows their ids."""

from collections.abc import Mapping
from types import MappingProxyType

from analytics.errors import UserError

CHAIN_NAMES: Mapping[int, str] = MappingProxyType(
    {
        -2: "dydx",
        -1: "hypercore",
        1: "ethereum",
        10: "optimism",
        25: "cronos",
        56: "bsc",
        100: "gnosis",
        130: "unichain",
        137: "polygon",
        143: "monad",
        146: "sonic",
        250: "fantom",
        324: "zksync",
        999: "hyperevm",
        1088: "metis",
        1101: "polygon-zkevm",
        1329: "sei",
        1672: "pharos",
        1868: "soneium",
        2020: "ronin",
        2741: "abstract",
        3637: "botanix",
        4326: "megaeth",
        5000: "mantle",
        8453: "base",
        33139: "apechain",
        42161: "arbitrum",
        42220: "celo",
        43113: "avalanche-fuji",
        43114: "avalanche",
        57073: "ink",
        59144: "linea",
        80001: "polygon-mumbai",
        80094: "berachain",
        81457: "blast",
        84532: "base-sepolia",
        98866: "plume",
        421_613: "arbitrum-goerli",
        421_614: "arbitrum-sepolia",
        534_352: "scroll",
        11_155_111: "sepolia",
    }
)


def chain_name(chain_id: int) -> str:
    """Return the name of a chain, or its number where it has none."""
    return CHAIN_NAMES.get(chain_id, f"chain {chain_id}")


def chain_number(text: str) -> int:
    """
    Return the id a name or number stands for.

    Raises:
        UserError: it is neither.
    """
    numbers = {name: chain_id for chain_id, name in CHAIN_NAMES.items()}
    if text in numbers:
        return numbers[text]
    try:
        return int(text)
    except ValueError as error:
        known = ", ".join(sorted(numbers))
        raise UserError(f"{text!r} is not a chain: give a number or one of {known}") from error

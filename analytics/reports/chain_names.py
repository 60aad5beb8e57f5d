"""The names of chains, as `indexer` uses them, and their explorers; a database only knows ids."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
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

# Where a reader looks a transaction up: as each chain's documentation or its entry in
# ethereum-lists/chains names it. None: there is none, or it was switched off with the chain.
EXPLORERS: Mapping[int, str | None] = MappingProxyType(
    {
        -2: None,
        -1: "https://app.hyperliquid.xyz/explorer",
        1: "https://etherscan.io",
        10: "https://optimistic.etherscan.io",
        25: "https://explorer.cronos.org",
        56: "https://bscscan.com",
        100: "https://gnosisscan.io",
        130: "https://uniscan.xyz",
        137: "https://polygonscan.com",
        143: "https://monadscan.com",
        146: "https://sonicscan.org",
        250: "https://explorer.fantom.network",
        324: "https://explorer.zksync.io",
        999: "https://hyperevmscan.io",
        1088: "https://andromeda-explorer.metis.io",
        1101: "https://zkevm.polygonscan.com",
        1329: "https://seiscan.io",
        1672: "https://pharosscan.xyz",
        1868: "https://soneium.blockscout.com",
        2020: "https://app.roninchain.com",
        2741: "https://abscan.org",
        3637: "https://botanixscan.io",
        4326: "https://megaeth.blockscout.com",
        5000: "https://mantlescan.xyz",
        8453: "https://basescan.org",
        33139: "https://apescan.io",
        42161: "https://arbiscan.io",
        42220: "https://celoscan.io",
        43113: "https://testnet.snowscan.xyz",
        43114: "https://snowscan.xyz",
        57073: "https://explorer.inkonchain.com",
        59144: "https://lineascan.build",
        80001: None,
        80094: "https://berascan.com",
        81457: "https://blastscan.io",
        84532: "https://sepolia.basescan.org",
        98866: "https://explorer.plume.org",
        421_613: None,
        421_614: "https://sepolia.arbiscan.io",
        534_352: "https://scrollscan.com",
        11_155_111: "https://sepolia.etherscan.io",
    }
)

# A venue that is no chain may give a fill an id of another form, or zeros for none.
_HASH = re.compile("0x(?!0{64})[0-9a-f]{64}")


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
        close = ", ".join(get_close_matches(text, numbers))
        known = f"name; did you mean {close}?" if close else f"one of {', '.join(sorted(numbers))}"
        raise UserError(f"{text!r} is not a chain: expected its number or {known}") from error


def transaction_link(chain_id: int, tx_hash: str) -> str | None:
    """Return where an explorer shows a transaction; None where nobody does."""
    explorer = EXPLORERS.get(chain_id)
    return f"{explorer}/tx/{tx_hash}" if explorer and _HASH.fullmatch(tx_hash) else None


def block_link(chain_id: int, number: int) -> str | None:
    """Return where an explorer shows a block; None where nobody does."""
    explorer = EXPLORERS.get(chain_id)
    return f"{explorer}/block/{number}" if explorer else None

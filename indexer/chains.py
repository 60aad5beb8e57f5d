"""
One row per chain: identity, block time and how finality is known.

Finality comes from the node's `finalized` tag; `finality_seconds` is for nodes without one.
Negative chain ids are venues that are not EVM chains.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Chain:
    """
    A chain perpscope knows.

    Attributes:
        chain_id: EIP-155 id; negative for venues that are not EVM chains.
        slug: the name used on the command line and in reports.
        block_seconds: usual time between blocks, seconds; a first guess, never a fact.
        finality_seconds: how far below the head a block counts as final where the node knows
            no `finalized` tag, seconds.
    """

    chain_id: int
    slug: str
    block_seconds: float
    finality_seconds: int


DYDX = Chain(-2, "dydx", 1, 0)
HYPERCORE = Chain(-1, "hypercore", 0.07, 0)
ETHEREUM = Chain(1, "ethereum", 12, 960)
OPTIMISM = Chain(10, "optimism", 2, 1_800)
BSC = Chain(56, "bsc", 0.75, 30)
GNOSIS = Chain(100, "gnosis", 5, 400)
POLYGON = Chain(137, "polygon", 2, 600)
UNICHAIN = Chain(130, "unichain", 1, 1_800)
MONAD = Chain(143, "monad", 0.4, 10)
SONIC = Chain(146, "sonic", 0.5, 10)
FANTOM = Chain(250, "fantom", 1, 10)
CRONOS = Chain(25, "cronos", 6, 60)
ZKSYNC = Chain(324, "zksync", 1, 14_400)
HYPEREVM = Chain(999, "hyperevm", 1, 10)
SEI = Chain(1329, "sei", 0.4, 10)
METIS = Chain(1088, "metis", 4, 3_600)
POLYGON_ZKEVM = Chain(1101, "polygon-zkevm", 3, 14_400)
SONEIUM = Chain(1868, "soneium", 2, 1_800)
RONIN = Chain(2020, "ronin", 3, 600)
BOTANIX = Chain(3637, "botanix", 5, 600)
MEGAETH = Chain(4326, "megaeth", 1, 1_800)
ABSTRACT = Chain(2741, "abstract", 1, 14_400)
MANTLE = Chain(5000, "mantle", 2, 3_600)
BASE = Chain(8453, "base", 2, 1_800)
APECHAIN = Chain(33139, "apechain", 0.25, 3_600)
ARBITRUM = Chain(42161, "arbitrum", 0.25, 1_800)
CELO = Chain(42220, "celo", 1, 1_800)
AVALANCHE_FUJI = Chain(43113, "avalanche-fuji", 2, 10)
AVALANCHE = Chain(43114, "avalanche", 2, 10)
INK = Chain(57073, "ink", 1, 1_800)
LINEA = Chain(59144, "linea", 2, 14_400)
POLYGON_MUMBAI = Chain(80001, "polygon-mumbai", 2, 600)
BERACHAIN = Chain(80094, "berachain", 2, 10)
BLAST = Chain(81457, "blast", 2, 1_800)
BASE_SEPOLIA = Chain(84532, "base-sepolia", 2, 1_800)
ARBITRUM_GOERLI = Chain(421613, "arbitrum-goerli", 0.25, 1_800)
ARBITRUM_SEPOLIA = Chain(421614, "arbitrum-sepolia", 0.25, 1_800)
PHAROS = Chain(1672, "pharos", 1, 60)
PLUME = Chain(98866, "plume", 1, 3_600)
SCROLL = Chain(534352, "scroll", 3, 3_600)
SEPOLIA = Chain(11155111, "sepolia", 12, 960)

CHAINS: tuple[Chain, ...] = tuple(
    sorted(
        (chain for chain in list(globals().values()) if isinstance(chain, Chain)),
        key=lambda chain: chain.chain_id,
    )
)

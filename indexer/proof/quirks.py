"""
Chains that cannot pass by design, as data: which commitment fails in which blocks, and why.

A check that a quirk waives is not made, and the range says so with the reason; nothing is called
forged. Logs that a quirk leaves out are in no commitment, so their absence cannot be proven: all
else of such a block is checked, and the range ends waived. Rows that waive nothing are what other
parts of perpscope rely on: how logs are identified, how soon blocks are final.
"""

from dataclasses import dataclass
from enum import Enum

from indexer import chains
from indexer.chains import Chain


class Part(Enum):
    """What a header commits to."""

    HASH = "header hash"
    BLOOM = "logs bloom"
    ROOT = "receipts root"


class LeftOut(Enum):
    """Which receipts of a block its header does not commit to."""

    STATE_SYNC = "the transaction whose hash is made of block number and hash"
    NO_GAS = "those before the block has used any gas"


@dataclass(frozen=True)
class Quirk:
    """
    One way in which a chain differs.

    Attributes:
        name: what it is called.
        chains: where.
        reason: why blocks cannot pass, for people; shown beside what it waives.
        source: where that is known from.
        waives: what cannot be recomputed.
        from_block: first block, inclusive.
        to_block: last block, inclusive; None while it lasts.
        left_out: receipts outside of every commitment, or None.
        fixture: recorded block that shows it, `<chain>_<number>`; None where none was recorded.
    """

    name: str
    chains: tuple[Chain, ...]
    reason: str
    source: str
    waives: frozenset[Part] = frozenset()
    from_block: int = 0
    to_block: int | None = None
    left_out: LeftOut | None = None
    fixture: str | None = None


_SQUID = "subsquid/squid-sdk: evm/evm-rpc/src/chain-utils.ts"
_ALL = frozenset(Part)

QUIRKS: tuple[Quirk, ...] = (
    Quirk(
        "foreign header",
        (chains.CRONOS,),
        "Cronos is an Ethermint chain: its header hash is Tendermint's and its receipts root is "
        "that of no receipts",
        "recorded: the hash of no block recomputes, the root of blocks with receipts is empty",
        waives=frozenset({Part.HASH, Part.ROOT}),
        fixture="cronos_10000",
    ),
    Quirk(
        "leaking bloom",
        (chains.CRONOS,),
        "blooms of Cronos below block 20,000,000 hold other blocks' logs or lack their own",
        f"{_SQUID}, squid-sdk#460",
        waives=frozenset({Part.BLOOM}),
        to_block=19_999_999,
        fixture="cronos_68216",
    ),
    Quirk(
        "phantom transactions",
        (chains.CRONOS,),
        "blocks of Cronos below block 20,000,000 list transactions that have no receipt",
        _SQUID,
        waives=frozenset({Part.ROOT}),
        to_block=19_999_999,
        fixture="cronos_131465",
    ),
    Quirk(
        "log indexes that do not count",
        (chains.CRONOS,),
        "logIndex skips numbers or restarts inside a block, so a log is (transaction hash, index)",
        "recorded: the block's 35 logs have the indexes 0 to 6 and 9 to 36",
        fixture="cronos_11446765",
    ),
    Quirk(
        "state-sync logs",
        (chains.POLYGON,),
        "state-sync logs of Polygon are in neither bloom nor receipts root before PIP-74",
        f"{_SQUID}; l2beat#10113; Polygon PIP-74 (Madhugiri)",
        to_block=80_084_799,
        left_out=LeftOut.STATE_SYNC,
    ),
    Quirk(
        "state-sync receipts",
        (chains.POLYGON,),
        "receipts of Polygon's state-sync transactions have had a form of their own since PIP-74",
        f"{_SQUID}; Polygon PIP-74 (Madhugiri)",
        waives=frozenset({Part.ROOT}),
        from_block=80_084_800,
    ),
    Quirk(
        "state-sync logs",
        (chains.POLYGON_MUMBAI,),
        "state-sync logs of Polygon are in neither bloom nor receipts root",
        _SQUID,
        left_out=LeftOut.STATE_SYNC,
    ),
    Quirk(
        "pre-Nitro receipts",
        (chains.ARBITRUM,),
        "receipts roots of Arbitrum before Nitro cover fields that nodes no longer tell",
        "recorded: hash and bloom of blocks recompute, roots do not",
        waives=frozenset({Part.ROOT}),
        to_block=22_207_816,
    ),
    Quirk(
        "system transactions",
        (chains.HYPEREVM,),
        "transfers from HyperCore are system transactions outside of HyperEVM's bloom and root",
        f"{_SQUID}, squid-sdk#495",
        left_out=LeftOut.NO_GAS,
    ),
    Quirk(
        "zero blooms",
        (chains.ZKSYNC,),
        "zkSync Era's nodes answer zero blooms and roots; its block hash is not of the header",
        "matter-labs/zksync-era: core/node/api_server, block details",
        waives=_ALL,
    ),
    Quirk(
        "seal fields",
        (chains.GNOSIS,),
        "headers of Gnosis before its merge were sealed with a step and a signature that nodes "
        "do not tell",
        "AuRa header: openethereum/wiki Aura; merge at block 25,349,537",
        waives=frozenset({Part.HASH}),
        to_block=25_349_536,
    ),
    Quirk(
        "own header fields",
        (chains.AVALANCHE, chains.AVALANCHE_FUJI),
        "headers of Avalanche's C-Chain hash fields of their own",
        "ava-labs/coreth: core/types/block_ext.go; no header was recorded to test against",
        waives=frozenset({Part.HASH}),
    ),
    Quirk(
        "untried",
        (
            chains.METIS,
            chains.BOTANIX,
            chains.MEGAETH,
            chains.MANTLE,
            chains.APECHAIN,
            chains.LINEA,
            chains.ARBITRUM_GOERLI,
        ),
        "no whole block of this chain was recorded, so it is not known what its headers hash",
        "recorded: receipts only, or nothing",
        waives=frozenset({Part.HASH, Part.ROOT}),
    ),
    Quirk(
        "instant finality",
        (chains.CRONOS, chains.HYPEREVM, chains.AVALANCHE, chains.AVALANCHE_FUJI),
        "a block is final when it is made, so a changed hash is no reorg",
        "Tendermint, HyperBFT and Snowman finalise before a block is told",
    ),
)


def quirks_at(chain: Chain, block: int) -> tuple[Quirk, ...]:
    """Return the quirks of a chain at a block."""
    return tuple(
        quirk
        for quirk in QUIRKS
        if chain in quirk.chains
        and quirk.from_block <= block
        and (quirk.to_block is None or block <= quirk.to_block)
    )


def waived_at(chain: Chain, block: int) -> frozenset[Part]:
    """Return what of a block cannot be recomputed."""
    return frozenset(part for quirk in quirks_at(chain, block) for part in quirk.waives)


def border_after(chain: Chain, block: int) -> int | None:
    """Return the last block from here on that has the same quirks; None where that does not end."""
    ends = [quirk.to_block for quirk in QUIRKS if chain in quirk.chains]
    ends += [quirk.from_block - 1 for quirk in QUIRKS if chain in quirk.chains]
    return min((end for end in ends if end is not None and end >= block), default=None)

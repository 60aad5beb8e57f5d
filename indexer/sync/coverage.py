"""What a fetched range says about itself: coverage, and where its rows came from."""

import polars as pl

from indexer.chains import Chain
from indexer.store import fingerprint
from indexer.sync.declarations import label
from indexer.sync.pieces import Fetched
from indexer.tables import columns_of

# What loopback nodes of perpscope call themselves; every other node is one.
_KINDS = {"perpscope-simulated": "simulated", "perpscope-replay": "recorded"}


def coverage_rows(chain: Chain, fetched: Fetched) -> pl.DataFrame:
    """Return one row of `coverage` per protocol of a fetched range."""
    piece = fetched.piece
    rows = [
        {
            "chain_id": chain.chain_id,
            "protocol": protocol.slug,
            "from_block": piece.from_block,
            "to_block": piece.to_block,
            "declaration_digest": label(protocol, chain),
            "finality": piece.finality,
            "finality_reason": piece.finality_reason,
            "proof": fetched.proof,
            "waiver": fetched.waiver,
            "logs_digest": _fingerprint(fetched, protocol.slug),
            "to_block_hash": f"0x{fetched.last.hash.hex()}",
        }
        for protocol in piece.protocols
    ]
    return pl.DataFrame(rows, columns_of("coverage"))


def _fingerprint(fetched: Fetched, slug: str) -> str:
    mask = fetched.owners[slug]
    return fingerprint(fetched.logs if mask.all() else fetched.logs.filter(mask))


def origin_kind(client_version: str) -> str:
    """Return what stands behind a node: node, recorded or simulated."""
    return _KINDS.get(client_version.partition("/")[0], "node")


def origins(chain: Chain, client_version: str) -> pl.DataFrame:
    """Return the row of `origins` for a node."""
    row = (chain.chain_id, client_version, origin_kind(client_version))
    return pl.DataFrame([row], columns_of("origins"), orient="row")

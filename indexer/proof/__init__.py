"""
What a block's header commits to, recomputed: hash, logs bloom and receipts root.

Pure functions of what nodes answer. Read `headers` for the hash, `blooms` for what a header says
about logs without showing them, `receipts` and `tries` for the root, `quirks` for the chains that
cannot pass and why. Written apart from `simulation.proofs`, which is the independent answer.
"""

from indexer.proof.blooms import LOG_COLUMNS, Declared, chances, hits, outside, unheard
from indexer.proof.comparison import differences
from indexer.proof.headers import Commitments, header_hash
from indexer.proof.levels import PROOFS, reached
from indexer.proof.quirks import QUIRKS, Part, Quirk, border_after, quirks_at, waived_at
from indexer.proof.receipts import Receipt, committed, receipts_root

__all__ = [
    "LOG_COLUMNS",
    "PROOFS",
    "QUIRKS",
    "Commitments",
    "Declared",
    "Part",
    "Quirk",
    "Receipt",
    "border_after",
    "chances",
    "committed",
    "differences",
    "header_hash",
    "hits",
    "outside",
    "quirks_at",
    "reached",
    "receipts_root",
    "unheard",
    "waived_at",
]

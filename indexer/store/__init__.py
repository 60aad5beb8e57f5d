"""
Frames in and out of DuckDB: the only part of the indexer that opens the database.

Nothing stays open: every function opens the file, works in one transaction and closes it, so the
write lock is held only while rows are written. Read `connection` for opening, `ranges` for how a
range of blocks lands, `knowledge` for what it teaches, `intervals` for coverage and gaps,
`rewinds`, `swaps`, `adoption`, `rederive` and `income` for taking facts back, `proofs` and
`repairs` for what was checked and what it mended, `brought` for files that users bring, `reading`
for what sync and `status` ask, `snapshots` for the copy that readers get.
"""

from indexer.store.adoption import adopt, keep_reaches, read_span, seed_tokens
from indexer.store.brought import Brought, Landed, brought_before, land
from indexer.store.connection import (
    SCHEMA,
    is_protected,
    open_database,
    program_version,
    transaction,
)
from indexer.store.creation import is_database
from indexer.store.finality import FINALITIES, is_more_final, settle
from indexer.store.fingerprint import added, fingerprint, subtracted
from indexer.store.income import FIGURES, promised_of
from indexer.store.intervals import gaps, holds, merged_coverage
from indexer.store.landed import Range, joined
from indexer.store.locks import alone_in, held, remove_abandoned
from indexer.store.proofs import (
    Proven,
    Seen,
    audit_time,
    read_blocks,
    read_failures,
    record,
)
from indexer.store.ranges import write_range
from indexer.store.reading import (
    OWNED,
    OWNERS,
    Anchors,
    Stored,
    check_ours,
    check_writable,
    read_stored,
)
from indexer.store.reads import answers_between, uncollected, write_collected
from indexer.store.rederive import Reading, Rederived, rederive
from indexer.store.repairs import COUNTED, replace_range
from indexer.store.rewinds import Rewound, remaining, rewind
from indexer.store.snapshots import Snapshot, is_published, is_replaceable, publish
from indexer.store.summary import Status, status
from indexer.store.swaps import swap
from indexer.store.turns import reading

__all__ = [
    "COUNTED",
    "FIGURES",
    "FINALITIES",
    "OWNED",
    "OWNERS",
    "SCHEMA",
    "Anchors",
    "Brought",
    "Landed",
    "Proven",
    "Range",
    "Reading",
    "Rederived",
    "Rewound",
    "Seen",
    "Snapshot",
    "Status",
    "Stored",
    "added",
    "adopt",
    "alone_in",
    "answers_between",
    "audit_time",
    "brought_before",
    "check_ours",
    "check_writable",
    "fingerprint",
    "gaps",
    "held",
    "holds",
    "is_database",
    "is_more_final",
    "is_protected",
    "is_published",
    "is_replaceable",
    "joined",
    "keep_reaches",
    "land",
    "merged_coverage",
    "open_database",
    "program_version",
    "promised_of",
    "publish",
    "read_blocks",
    "read_failures",
    "read_span",
    "read_stored",
    "reading",
    "record",
    "rederive",
    "remaining",
    "remove_abandoned",
    "replace_range",
    "rewind",
    "seed_tokens",
    "settle",
    "status",
    "subtracted",
    "swap",
    "transaction",
    "uncollected",
    "write_collected",
    "write_range",
]

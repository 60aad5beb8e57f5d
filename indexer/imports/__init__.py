"""
Files that users bring, of venues that are no EVM chain: files to the same facts.

A venue has a reader here, which turns a file's bytes into entries with typed fields, and nothing
more; what an entry means is said by the protocol's declaration (`Protocol.entries`). `opening`
gives lines whatever the compression, `batches` checks what a reader read, `deriving` makes rows of
it, `bringing` takes one file into the database, whole or not at all.
"""

from indexer.imports.bringing import Taken, bring
from indexer.imports.venues import VENUES, Venue

__all__ = ["VENUES", "Taken", "Venue", "bring"]

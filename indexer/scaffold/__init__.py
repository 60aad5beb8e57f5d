"""The first draft of a declaration, made from an ABI."""

from indexer.scaffold.draft import Draft, drafted, likely_table
from indexer.scaffold.files import written

__all__ = ["Draft", "drafted", "likely_table", "written"]

"""Typed columns and declarations to fact rows: the part that knows what a fact is."""

from indexer.facts.asking import log_filter, narrow_filters
from indexer.facts.derive import Facts, facts
from indexer.facts.digest import digest
from indexer.facts.known import (
    Known,
    accounts,
    declared,
    declared_facts,
    feeds,
    merged,
    policies,
    untold_shares,
)
from indexer.facts.reading import discovered
from indexer.facts.routes import owned

__all__ = [
    "Facts",
    "Known",
    "accounts",
    "declared",
    "declared_facts",
    "digest",
    "discovered",
    "facts",
    "feeds",
    "log_filter",
    "merged",
    "narrow_filters",
    "owned",
    "policies",
    "untold_shares",
]

"""
Which declared events give no row in any golden test: `python -m tests.golden_rows`.

It runs tests/test_protocol_*.py without those of recorded logs, which are not at hand everywhere.
The last line it prints is the list as JSON.
"""

import json
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from indexer.facts import derive
from indexer.facts.rows import rows_of
from indexer.facts.scope import Scope
from indexer.protocols import PROTOCOLS
from indexer.spec import Event


class Watch:
    """A pytest plugin that leaves recorded logs out and notes which events gave a row."""

    def __init__(self) -> None:
        self.waiting = {id(one): one for protocol in PROTOCOLS.values() for one in protocol.events}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that need nothing beside the checkout."""
        items[:] = [item for item in items if "shared" not in getattr(item, "fixturenames", ())]

    def rows_of(self, event: Event, scope: Scope, place: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what `indexer.facts.rows.rows_of` does, and take note."""
        rows, refused = rows_of(event, scope, place)
        if len(rows):
            self.waiting.pop(id(event), None)
        return rows, refused


def main() -> int:
    """Print the events that gave no row, and return how the tests went."""
    watch = Watch()
    watching: Any = derive
    watching.rows_of = watch.rows_of
    files = map(str, sorted(Path(__file__).parent.glob("test_protocol_*.py")))
    code = pytest.main(["-q", "-p", "no:xdist", "-p", "no:cacheprovider", *files], [watch])
    waiting = [
        f"{one.abi} {one.name} -> {one.into} ({one.evidence})" for one in watch.waiting.values()
    ]
    sys.stdout.write(f"\n{json.dumps(waiting)}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())

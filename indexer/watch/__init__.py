"""
The clock that keeps going: every task on its own schedule, until a signal says stop.

Read `service` first: it is the loop. `tasks` says what is done, `metrics` and `freshness` what is
known about it, `serving` answers Prometheus and probes, `journal` writes structured logs. Each
chain is indexed in a thread and an event loop of its own (`threads`).
"""

from indexer.watch.freshness import Freshness
from indexer.watch.journal import open_journal
from indexer.watch.metrics import Metrics
from indexer.watch.service import Service
from indexer.watch.tasks import Extra, Task, Watched, tasks_of

__all__ = [
    "Extra",
    "Freshness",
    "Metrics",
    "Service",
    "Task",
    "Watched",
    "open_journal",
    "tasks_of",
]

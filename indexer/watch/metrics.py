"""What Prometheus is told, in a registry of our own; README lists every name."""

from collections import Counter as Tallies
from collections import defaultdict
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
    generate_latest,
)

from indexer.store import Snapshot, Status, program_version
from indexer.sync import Summary
from indexer.watch.freshness import Freshness

_CHAIN = ("chain",)
_PROTOCOL = ("chain", "protocol")
_TASK = ("task", "chain")


class Metrics:
    """Counters since the start of this process, and gauges of what is stored."""

    def __init__(self, freshness: Freshness, chains: dict[int, str]) -> None:
        """Start at nothing; `chains` maps ids to slugs."""
        # A second series per counter, which nobody asks for.
        disable_created_metrics()  # type: ignore[no-untyped-call] # theirs
        self._chains = chains
        self.registry = CollectorRegistry()
        self._counted: dict[str, Tallies[str]] = defaultdict(Tallies)
        self._work()
        self._state()
        self._tasks()
        lag = self._gauge("lag_seconds", "Age of the newest indexed block", _CHAIN)
        for chain in chains.values():
            lag.labels(chain).set_function(partial(freshness.age, chain))
            for counter in self._counters.values():
                counter.labels(chain)  # zero is a value; absent is none
        self._gauge("info", "Always 1; the version is its label", ("version",)).labels(
            program_version()
        ).set(1)

    def _work(self) -> None:
        self._counters = {
            name: self._counter(name, text, _CHAIN)
            for name, text in (
                ("blocks", "Blocks written"),
                ("logs", "Raw logs written"),
                ("facts", "Fact rows written"),
                ("rejects", "Logs that matched and could not become a fact"),
                ("reorgs", "How often blocks were taken back"),
                ("requests", "JSON-RPC calls sent, repetitions included"),
            )
        }
        self._head = self._gauge("head_block", "The chain's last block, when last asked", _CHAIN)
        self._lag = self._gauge("lag_blocks", "Blocks still to be indexed", _CHAIN)

    def _state(self) -> None:
        self._indexed = self._gauge("indexed_block", "Last covered block", _PROTOCOL)
        self._gaps = self._gauge("gaps", "Holes in coverage", _PROTOCOL)
        self._missing = self._gauge("missing_blocks", "Blocks in those holes", _PROTOCOL)
        self._rejected = self._gauge("stored_rejects", "Rejects that are stored", _PROTOCOL)
        self._covered = self._gauge(
            "covered_blocks", "Covered blocks by how far they are proven", (*_PROTOCOL, "proof")
        )
        self._snapshot = self._gauge("snapshot_number", "The copy published last", ())

    def _tasks(self) -> None:
        self._runs = self._counter("task_runs", "Runs that ended well", _TASK)
        self._errors = self._counter("task_errors", "Runs that failed", _TASK)
        self._last = self._gauge(
            "task_last_success_timestamp_seconds", "When a run last ended well", _TASK
        )
        self._seconds = self._gauge("task_last_duration_seconds", "How long it took", _TASK)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def expects(self, task: str, chain: str) -> None:
        """Show a task that has not run yet."""
        self._runs.labels(task, chain)
        self._errors.labels(task, chain)

    def begins(self, chain: str) -> None:
        """Count a run's work from zero."""
        self._counted[chain] = Tallies()

    def works(self, chain: str, seen: Summary) -> None:
        """Count what a run has done since it was looked at last."""
        tally = seen.tally
        done = Tallies(
            blocks=tally.blocks,
            logs=tally.logs,
            facts=sum(tally.facts.values()),
            rejects=sum(tally.rejects.values()),
            reorgs=seen.reorgs,
            requests=seen.requests,
        )
        for name, more in (done - self._counted[chain]).items():
            self._counters[name].labels(chain).inc(more)
        self._counted[chain] = done
        if seen.head:
            self._head.labels(chain).set(seen.head)

    def lags(self, chain: str, blocks: int) -> None:
        """Say how many blocks are still to be indexed."""
        self._lag.labels(chain).set(blocks)

    def stored(self, status: Status) -> None:
        """Say what is stored, and of nothing else what once was."""
        for gauge in (self._indexed, self._gaps, self._missing, self._rejected, self._covered):
            gauge.clear()
        for row in status.protocols.iter_rows(named=True):
            labels = (self._slug(row["chain_id"]), row["protocol"])
            self._indexed.labels(*labels).set(row["to_block"])
            self._gaps.labels(*labels).set(row["gaps"])
            self._missing.labels(*labels).set(row["missing_blocks"])
            self._rejected.labels(*labels).set(row["rejects"])
        columns = ("chain_id", "protocol", "proof", "from_block", "to_block")
        for chain_id, slug, proof, low, high in status.coverage.select(columns).iter_rows():
            self._covered.labels(self._slug(chain_id), slug, proof).inc(high - low + 1)
        if status.snapshot is not None:
            self.published(status.snapshot)

    def published(self, snapshot: Snapshot) -> None:
        """Say which copy was published last."""
        self._snapshot.set(snapshot.number)

    def succeeded(self, task: str, chain: str, seconds: float) -> None:
        """Count a run that ended well."""
        self._runs.labels(task, chain).inc()
        self._last.labels(task, chain).set_to_current_time()
        self._seconds.labels(task, chain).set(seconds)

    def failed(self, task: str, chain: str) -> None:
        """Count a run that failed."""
        self._errors.labels(task, chain).inc()

    def _slug(self, chain_id: int) -> str:
        return self._chains.get(chain_id, str(chain_id))

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"perpscope_{name}", f"{text}.", labels, registry=self.registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...]) -> Gauge:
        return Gauge(f"perpscope_{name}", f"{text}.", labels, registry=self.registry)

"""What an endpoint has done so far, for metrics and the run report."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class EndpointStatistics:
    """
    One endpoint's account.

    Attributes:
        endpoint: its address without secrets.
        state: closed, resting, open or half-open, as in `indexer.rpc.breaker`; "paused" while it
            wants to be left alone; "unproven" before it has named its chain.
        requests: requests sent; a batch is one.
        calls: JSON-RPC calls in them.
        errors: what went wrong, by class of error -> how often.
        received_bytes: length of its answers.
        hedges: requests it was sent because another endpoint was slow.
        latency_seconds: median answer time of log requests, of the others where there are none;
            None where nothing was answered lately.
        slow_seconds: what 19 of 20 of them do not exceed; None where too few are known.
        calls_per_second: the pace that was set or learned; None while no limit is known.
        newest_block: the highest block it has shown.
        lag_blocks: how far it was behind the best endpoint when they were last compared.
    """

    endpoint: str
    state: str
    requests: int
    calls: int
    errors: Mapping[str, int]
    received_bytes: int
    hedges: int
    latency_seconds: float | None
    slow_seconds: float | None
    calls_per_second: float | None
    newest_block: int | None
    lag_blocks: int

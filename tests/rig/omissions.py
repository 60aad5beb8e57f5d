"""Faults whose answers are sound in themselves and lack logs: what nobody sees without a proof."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec

from indexer.simulation.served import ServedChain
from rig.exchange import Call, Exchange, Raw

Places = Callable[[Sequence[Raw], int], list[int]]


def log_left_out(exchange: Exchange) -> bool:
    """One log of an answer is missing."""
    return _dropped(exchange, lambda _logs, at: [at])


def block_left_out(exchange: Exchange) -> bool:
    """All logs of one block of an answer are missing."""
    return _dropped(exchange, _neighbours)


def truncated(exchange: Exchange) -> bool:
    """An answer ends early, without a word."""
    for call in exchange.answered("eth_getLogs"):
        logs = call.logs()
        limit = exchange.habits.log_limit
        left = exchange.dice.randrange(len(logs)) if limit is None else limit
        if left < len(logs):
            call.tell(logs[:left])
            return True
    return False


def pruned_is_empty(exchange: Exchange) -> bool:
    """A range below the final blocks is answered with no logs, as if its history were pruned."""
    for call in exchange.answered("eth_getLogs"):
        if call.range and call.range[1] <= call.chain.head - call.chain.finalized_lag:
            call.pieces = [b"[]"]
            return True
    return False


def batch_is_split(exchange: Exchange) -> bool:
    """A balancer sends the logs of a batch to a node that lags, its header to one that does not."""
    for call in exchange.of("eth_getLogs"):
        if call.range and call.range[0] < call.range[1] <= call.chain.head:
            low, high = call.range
            seen = exchange.dice.randrange(low, high)
            missing = call.chain.between(seen + 1, high)
            call.chain = without_blocks(call.chain, seen)
            call.params = [call.params[0] | {"toBlock": hex(seen)}]
            return any(found.log_texts for found in missing)
    return False


def without_blocks(chain: ServedChain, head: int) -> ServedChain:
    """Return a chain as a node tells it that has seen no block above `head`."""
    return replace(chain, blocks=chain.between(0, head))


def number_of(log: Raw) -> int:
    """Return the block of a log."""
    return int(msgspec.json.decode(log)["blockNumber"], 16)


def _neighbours(logs: Sequence[Raw], at: int) -> list[int]:
    number = number_of(logs[at])
    return [place for place, log in enumerate(logs) if number_of(log) == number]


def _dropped(exchange: Exchange, gone: Places) -> bool:
    for call in exchange.answered("eth_getLogs"):
        logs = call.logs()
        at = _chosen(exchange, call, logs)
        if at is None:
            continue
        places = gone(logs, at)
        call.tell([log for place, log in enumerate(logs) if place not in places])
        return True
    return False


def _chosen(exchange: Exchange, call: Call, logs: Sequence[Raw]) -> int | None:
    only = exchange.habits.block
    if only is None:
        return exchange.dice.randrange(len(logs))
    if not call.range or not call.range[0] <= only <= call.range[1]:
        return None
    return next((at for at, log in enumerate(logs) if number_of(log) == only), None)

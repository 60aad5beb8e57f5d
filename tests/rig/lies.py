"""Faults whose answers contradict themselves, each other or the request."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec

from indexer.simulation.blocks import Block
from indexer.simulation.served import ServedChain
from rig.exchange import Exchange, Json
from rig.omissions import number_of, without_blocks

_HEADERS = ("eth_getBlockByNumber", "eth_getBlockByHash")


def duplicated_log(exchange: Exchange) -> bool:
    """An answer holds one log twice."""
    for call in exchange.answered("eth_getLogs"):
        logs = call.logs()
        at = exchange.dice.randrange(len(logs))
        call.tell([*logs[: at + 1], *logs[at:]])
        return True
    return False


def duplicated_block(exchange: Exchange) -> bool:
    """An answer holds all logs of one block twice."""
    for call in exchange.answered("eth_getLogs"):
        logs = call.logs()
        number = number_of(exchange.dice.choice(logs))
        call.tell([*logs, *(log for log in logs if number_of(log) == number)])
        return True
    return False


def removed_log(exchange: Exchange) -> bool:
    """A log of an answer is marked as removed by a reorg."""
    return _changed_log(exchange, {"removed": True})


def log_out_of_range(exchange: Exchange) -> bool:
    """A log of an answer says that it is of a block that was not asked for."""
    return _changed_log(exchange, {"blockNumber": "0xffffffff"})


def log_of_another_contract(exchange: Exchange) -> bool:
    """A log of an answer is of a contract that was not asked for."""
    return _changed_log(exchange, {"address": "0x" + "77" * 20})


def wrong_hash_in_log(exchange: Exchange) -> bool:
    """A log of an answer names a block hash that nobody else knows."""
    return _changed_log(exchange, {"blockHash": "0x" + "0bad" * 16})


def wrong_hash_in_header(exchange: Exchange) -> bool:
    """A header comes with a hash that is not its own."""
    return _changed_header(exchange, {"hash": "0x" + "0bad" * 16})


def wrong_header(exchange: Exchange) -> bool:
    """A request for a block's header is answered with another block's."""
    for call in exchange.answered("eth_getBlockByNumber"):
        if str(call.params[0]).startswith("0x"):
            other = call.chain.at(int(call.params[0], 16) - 1)
            if other is not None:
                call.tell(other.header)
                return True
    return False


def wrong_chain(exchange: Exchange) -> bool:
    """Asked for its chain, the node names another one."""
    for call in exchange.answered("eth_chainId"):
        call.tell("0x2105")
        return True
    return False


def tags_ignored(exchange: Exchange) -> bool:
    """Whatever tag is asked for, the node answers with its newest block."""
    found = False
    for call in exchange.of("eth_getBlockByNumber"):
        if call.params[0] in {"safe", "finalized"}:
            call.params, found = ["latest", *call.params[1:]], True
    return found


def tags_unknown(exchange: Exchange) -> bool:
    """The node knows no `safe` and no `finalized` block."""
    found = False
    for call in exchange.of("eth_getBlockByNumber"):
        if call.params[0] in {"safe", "finalized"}:
            call.chain, found = replace(call.chain, has_tags=False), True
    return found


def pins_ignored(exchange: Exchange) -> bool:
    """Whatever block a call is pinned to, the node answers it at its newest block."""
    found = False
    for call in exchange.of("eth_call"):
        if len(call.params) > 1 and call.params[1] != "latest":
            call.params, found = [call.params[0], "latest"], True
    return found


def pins_refused(exchange: Exchange) -> bool:
    """The node does not take a block hash as the moment of a call."""
    found = False
    for call in exchange.of("eth_call"):
        if len(call.params) > 1 and isinstance(call.params[1], dict):
            call.refuse(-32602, "invalid argument 1: json: cannot unmarshal object into Go value")
            found = True
    return found


def lagging_backend(exchange: Exchange) -> bool:
    """A node behind the balancer answers that has not seen the last blocks; heads go backwards."""
    if not exchange.is_about_blocks:
        return False
    head = exchange.live.state.head - exchange.dice.randint(1, 60)
    for call in exchange.calls:
        call.chain = without_blocks(call.chain, head)
    return True


def unseen_is_empty(exchange: Exchange) -> bool:
    """A node that lags answers a range it has not seen with no logs instead of an error."""
    for call in exchange.of("eth_getLogs"):
        if call.range:
            head = call.range[0] - 1
            for each in exchange.calls:
                each.chain = without_blocks(each.chain, head)
            call.method, call.params = "eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0x0"}]
            return True
    return False


def another_chain_behind_the_balancer(exchange: Exchange) -> bool:
    """A whole request is answered by a node of another chain, where none of this happened."""
    if not exchange.of("eth_getLogs"):
        return False
    for call in exchange.calls:
        call.chain = _foreign(call.chain)
    return True


def wrong_ids(exchange: Exchange) -> bool:
    """The answers carry ids of other requests."""
    for call in exchange.calls:
        call.id = 1_000_000 + exchange.dice.randrange(1_000)
    return True


def batch_out_of_order(exchange: Exchange) -> bool:
    """The answers of a batch come in another order than the calls."""
    if len(exchange.calls) < 2:
        return False
    exchange.calls.reverse()
    return True


def batch_partly_failed(exchange: Exchange) -> bool:
    """One call of a batch fails, the others do not."""
    if len(exchange.calls) < 2:
        return False
    exchange.dice.choice(exchange.calls).refuse(-32603, "Internal error")
    return True


def batch_partly_lost(exchange: Exchange) -> bool:
    """One call of a batch gets no answer."""
    if len(exchange.calls) < 2:
        return False
    del exchange.calls[exchange.dice.randrange(len(exchange.calls))]
    return True


def _changed_log(exchange: Exchange, change: Json) -> bool:
    for call in exchange.answered("eth_getLogs"):
        logs: list[Any] = list(call.logs())
        at = exchange.dice.randrange(len(logs))
        logs[at] = msgspec.json.decode(logs[at]) | change
        call.tell(logs)
        return True
    return False


def _changed_header(exchange: Exchange, change: Json) -> bool:
    found = exchange.answered(*_HEADERS)
    if not found:
        return False
    call = exchange.dice.choice(found)
    call.tell(msgspec.json.decode(call.body) | change)
    return True


def _foreign(chain: ServedChain) -> ServedChain:
    """Return a chain with the same numbers, other hashes and no logs."""
    return replace(chain, blocks=[_renamed(found) for found in chain.blocks], calls={})


def _renamed(found: Block) -> Block:
    header = {
        **found.header,
        "hash": _other(found.hash),
        "parentHash": _other(str(found.header["parentHash"])),
        "logsBloom": "0x" + "00" * 256,
    }
    return Block(header)


def _other(block_hash: str) -> str:
    return "0x" + sha256(block_hash.encode()).hexdigest()

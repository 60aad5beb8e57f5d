"""
The small chain of `sync_rig` with true receipts roots, and nodes that lie about it.

A lie changes the answer to eth_getLogs, to headers or to receipts; everything else is answered as
the chain is.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sync_rig import BIRTH, DEPLOYER, FIRST, START_TIME, TRADER, logs_of, served

from indexer.simulation.blocks import Block, Transaction, block
from indexer.simulation.methods import result
from indexer.simulation.node import Answer, serve
from indexer.simulation.refusals import Refused, method_not_found
from indexer.simulation.served import ServedChain

Json = Any
Lie = Callable[[Json], Json]


def true_blocks(count: int, *, below: Sequence[Block] = ()) -> list[Block]:
    """Return the chain of `sync_rig`, or another branch of it, with true receipts roots."""
    chain, data = list(below), b"fork" if below else b"simulated"
    for number in range(FIRST + len(chain), FIRST + count):
        happened = () if below and number % 2 else logs_of(number)
        transactions = [Transaction(TRADER, log.address, (log,)) for log in happened]
        parent, stamp = chain[-1] if chain else None, START_TIME + 12 * (number - FIRST)
        chain.append(block(parent, number, stamp, transactions, extra_data=data))
    return chain


@contextmanager
def lying(
    blocks: Sequence[Block], lies: Mapping[str, Lie | None], **settings: object
) -> Iterator[str]:
    """Serve a chain whose answers to some methods are changed, or refused; give the URL."""
    chain = replace(served(blocks), **settings)  # type: ignore[arg-type] # of ServedChain

    def intercept(_path: str, body: bytes) -> Answer | None:
        calls = json.loads(body)
        answers = (
            [_answer(chain, call, lies) for call in calls] if isinstance(calls, list) else None
        )
        whole = _answer(chain, calls, lies) if answers is None else answers
        return Answer(200, json.dumps(whole).encode())

    with serve([chain], intercept=intercept) as node:
        yield node.url


def _answer(chain: ServedChain, call: Json, lies: Mapping[str, Lie | None]) -> Json:
    envelope = {"jsonrpc": "2.0", "id": call["id"]}
    method = call["method"]
    if method in lies and lies[method] is None:
        return envelope | {"error": method_not_found(method).content()}
    try:
        told = json.loads(b",".join(result(chain, call["method"], call["params"])))
    except Refused as refused:
        return envelope | {"error": refused.refusal.content()}
    lie = lies.get(method)
    return envelope | {"result": lie(told) if lie and told is not None else told}


def without_log(number: int) -> Lie:
    """Return the lie that leaves out the last log of a block."""

    def lie(logs: Json) -> Json:
        here = [log for log in logs if int(log["blockNumber"], 16) == number]
        return [log for log in logs if not here or log is not here[-1]]

    return lie


def without_block(number: int) -> Lie:
    """Return the lie that leaves out all logs of a block."""
    return lambda logs: [log for log in logs if int(log["blockNumber"], 16) != number]


def changed_data(number: int) -> Lie:
    """Return the lie that changes a word of a block's first log."""

    def lie(logs: Json) -> Json:
        for log in logs:
            if int(log["blockNumber"], 16) == number:
                log["data"] = log["data"][:-1] + "7"
                break
        return logs

    return lie


def with_birth(pool: bytes) -> Lie:
    """Return the lie that announces a pool beside the first one, under another manager."""
    names = [f"0x{pool.hex():0>64}", f"0x{7:064x}"]

    def lie(logs: Json) -> Json:
        births = [log for log in logs if int(log["blockNumber"], 16) == BIRTH][:1]
        made_up = [
            {**log, "topics": [log["topics"][0], *names, *log["topics"][3:]], "logIndex": "0x63"}
            for log in births
            if log["address"] == "0x" + DEPLOYER.hex()
        ]
        return sorted(logs + made_up, key=lambda log: int(log["blockNumber"], 16))

    return lie


Tampering = Callable[[Json, Json], None]


def _with_logs(receipts: Json) -> Json:
    return next(receipt for receipt in receipts if receipt["logs"])


def _swap(_header: Json, receipts: Json) -> None:
    first, second = [receipt for receipt in receipts if receipt["logs"]][:2]
    one, other = first["logs"][0], second["logs"][0]
    for name in ("address", "topics", "data"):  # what is logged; places stay
        one[name], other[name] = other[name], one[name]


def _empty(_header: Json, receipts: Json) -> None:
    for receipt in receipts:
        receipt["logs"].clear()


def _change(_header: Json, receipts: Json) -> None:
    log = _with_logs(receipts)["logs"][0]
    log["data"] = log["data"][:-1] + ("1" if log["data"][-1] != "1" else "2")


def _change_topic(_header: Json, receipts: Json) -> None:
    log = _with_logs(receipts)["logs"][0]
    log["topics"][-1] = "0x" + "12" * 32


def _add(_header: Json, receipts: Json) -> None:
    logs = _with_logs(receipts)["logs"]
    logs.append({**logs[0], "logIndex": "0x7fff"})


def _remove(_header: Json, receipts: Json) -> None:
    _with_logs(receipts)["logs"].pop()


def _misplace(_header: Json, receipts: Json) -> None:
    _with_logs(receipts)["logs"][0]["transactionHash"] = "0x" + "34" * 32


def _skip(_header: Json, receipts: Json) -> None:
    receipts[-1]["transactionIndex"] = hex(len(receipts))


def _misname(_header: Json, receipts: Json) -> None:
    receipts[-1]["transactionHash"] = "0x" + "no" * 32


def _forge(name: str, text: str) -> Tampering:
    def forge(header: Json, _receipts: Json) -> None:
        header[name] = text

    return forge


TAMPERINGS: dict[str, Tampering] = {
    "one log removed": _remove,
    "one log added": _add,
    "one word changed": _change,
    "one topic changed": _change_topic,
    "two logs swapped": _swap,
    "an answer emptied": _empty,
    "a log of another transaction": _misplace,
    "a transaction misnumbered": _skip,
    "a transaction misnamed": _misname,
    "a forged bloom in the header": _forge("logsBloom", "0x" + "00" * 256),
    "a forged root in the header": _forge("receiptsRoot", "0x" + "00" * 32),
    "a forged time in the header": _forge("timestamp", "0x1"),
    "a forged hash in the header": _forge("hash", "0x" + "11" * 32),
}
"""What can be done to a block's header and receipts, in place."""


def forged(name: str, number: int) -> Lie:
    """Return the lie that changes a field of a block's header, and keeps its hash."""

    def lie(header: Json) -> Json:
        if int(header["number"], 16) == number:
            header[name] = header[name][:-2] + ("01" if header[name][-2:] != "01" else "02")
        return header

    return lie

"""
Chains from recorded node answers, for `perpscope replay FILE...`.

Objects are told apart by their fields; those that start with `_` are the recorder's, and
`_chain` names the chain (captures.py):

    log      an eth_getLogs object
    receipt  a whole eth_getTransactionReceipt object
    block    {"header": {...}, "receipts": [...]}, complete
    call     {"to": "0x..", "data": "0x..", "result": "0x..", "block": number or absent for any}

The same log in several files is served once; a log is identified by its transaction and
`logIndex`, because the index alone restarts inside blocks of some chains.

What was not recorded is null, never made up: a block known only by its logs has a header with
number, hash, and timestamp where a log told it; parent hash zero. Numbers below the head of which
nothing was recorded have a stand-in header with a hash of ours, so that a client may check that
the node has seen its range, and pin calls to it. eth_getBlockReceipts answers for complete
blocks alone. That eth_getLogs finds nothing means that nothing was recorded; the client version
says "replay" for that reason. Everything counts as final: `safe` and `finalized` are the head.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import msgspec

from indexer.chains import Chain
from indexer.errors import UserError
from indexer.simulation.blocks import Block, Receipt
from indexer.simulation.captures import captures
from indexer.simulation.served import REPLAY_CLIENT, ServedChain, sparse_header, stand_in
from indexer.simulation.tapes import RecordedLog, Tape, integer


def recorded(
    paths: Iterable[Path], chain: Chain | None = None, *, log_timestamps: bool = False
) -> list[ServedChain]:
    """
    Return the chains recorded in these files, by chain id.

    Args:
        paths: files of recorded answers.
        chain: whose objects are that name none.
        log_timestamps: put `blockTimestamp` into logs where it is known.

    Raises:
        UserError: a file cannot be read or understood, names an unknown chain, contradicts
            another, or nothing at all was recorded.
    """
    tapes: dict[int, Tape] = {}
    for path in paths:
        for capture in captures(path, chain):
            tape = tapes.setdefault(capture.chain.chain_id, Tape(capture.chain))
            try:
                tape.take(capture.item)
            except KeyError as error:
                raise UserError(f"{capture.where}: field {error} is missing") from error
            except ValueError as error:
                raise UserError(f"{capture.where}: {error}") from error
    if not tapes:
        raise UserError("these files hold nothing: expected logs, receipts, blocks or calls")
    return [_served(tapes[key], log_timestamps=log_timestamps) for key in sorted(tapes)]


def _served(tape: Tape, *, log_timestamps: bool) -> ServedChain:
    logs: dict[int, list[RecordedLog]] = {
        number: list(group)
        for number, group in groupby(sorted(tape.logs.values()), attrgetter("block_number"))
    }
    called = {number for number, _, _ in tape.calls if number is not None}
    numbers = sorted(called.union(tape.hashes)) or [0]
    return ServedChain(
        chain_id=tape.chain.chain_id,
        slug=tape.chain.slug,
        client_version=REPLAY_CLIENT,
        blocks=[
            _block(tape, number, logs.get(number, []), log_timestamps=log_timestamps)
            for number in numbers
        ],
        calls=tape.calls,
        safe_lag=0,
        finalized_lag=0,
        is_sparse=True,
    )


def _block(tape: Tape, number: int, logs: Sequence[RecordedLog], *, log_timestamps: bool) -> Block:
    if number not in tape.hashes:
        return stand_in(tape.chain.chain_id, number)
    header = _header(tape, number)
    timestamp = header.get("timestamp") if log_timestamps else None
    return Block(
        header=header,
        receipts=_receipts(tape.receipts.get(number, {}), logs),
        log_keys=tuple(log.key for log in logs),
        log_texts=tuple(log.text(timestamp) for log in logs),
        has_all_receipts=number in tape.headers,
    )


def _header(tape: Tape, number: int) -> Mapping[str, object]:
    if number not in tape.headers:
        return sparse_header(number, tape.hashes[number], tape.timestamps.get(number))
    header = tape.headers[number]
    hashes = header.get("transactions")
    hashes = hashes if isinstance(hashes, list) else _in_order(tape.receipts[number])
    return {**header, "transactions": hashes}


def _in_order(receipts: Mapping[str, Mapping[str, object]]) -> list[str]:
    return sorted(receipts, key=lambda tx_hash: integer(receipts[tx_hash]["transactionIndex"]))


def _receipts(
    receipts: Mapping[str, Mapping[str, object]], logs: Sequence[RecordedLog]
) -> tuple[Receipt, ...]:
    positions: dict[str, list[int]] = defaultdict(list)
    for position, log in enumerate(logs):
        positions[log.tx_hash].append(position)
    return tuple(
        Receipt(
            tx_hash,
            msgspec.json.encode(receipts[tx_hash]),
            min(positions[tx_hash], default=0),
            max(positions[tx_hash], default=-1) + 1,
        )
        for tx_hash in _in_order(receipts)
    )

"""
Headers and receipts that are believed because they recompute, not because a node says so.

A sealed header's fields give its hash; sealed receipts give their header's receipts root, so the
logs in them are all the logs of the block. What a chain's quirks waive is not recomputed.
"""

from collections.abc import Sequence

import msgspec
import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeAnswerWrong
from indexer.proof import (
    Commitments,
    Part,
    Receipt,
    committed,
    header_hash,
    quirks_at,
    receipts_root,
    waived_at,
)
from indexer.rpc.frames import HEADERS, LOGS, header_frame, log_frame
from indexer.rpc.plain import HASH_BYTES

SEALED: dict[str, pl.DataType] = {**HEADERS, "receipts_root": pl.Binary()}
"""Block headers whose hash was recomputed where the chain lets it be."""

Block = tuple[int, bytes, bytes | None]
"""Number, hash and receipts root; the root is None where it cannot be known."""

_PLACES = {name: LOGS[name] for name in ("block_number", "block_hash", "tx_index", "tx_hash")}
_COMMITMENTS = msgspec.json.Decoder(Commitments)
_RECEIPTS = msgspec.json.Decoder(list[Receipt])


def sealed_frame(answers: list[bytes], chain: Chain) -> pl.DataFrame:
    """
    Return one row per header in `answers` (a JSON object each) as a `SEALED` frame, in order.

    Raises:
        NodeAnswerWrong: an answer is not a whole header, or its fields do not give its hash.
    """
    headers = header_frame(answers)
    roots = [
        _root(answer, chain, number, block_hash)
        for answer, number, block_hash in zip(
            answers, headers["number"], headers["hash"], strict=True
        )
    ]
    return headers.with_columns(receipts_root=pl.Series(roots, dtype=pl.Binary))


def _root(answer: bytes, chain: Chain, number: int, block_hash: bytes) -> bytes | None:
    waived = waived_at(chain, number)
    try:
        header = _COMMITMENTS.decode(answer)
        if Part.HASH not in waived and header_hash(header) != block_hash:
            raise NodeAnswerWrong(
                f"answered with a header of block {number} whose fields do not give its hash "
                f"0x{block_hash.hex()}: expected the header that has it; use another endpoint"
            )
        return bytes.fromhex(header.receipts_root[2:])
    except (msgspec.DecodeError, ValueError) as error:
        if {Part.HASH, Part.ROOT} <= waived:
            return None
        raise NodeAnswerWrong(
            f"answered with a header of block {number} that is not whole ({error}): expected "
            "every field its hash covers; use another endpoint"
        ) from error


def receipt_logs(answers: Sequence[bytes], blocks: Sequence[Block], chain: Chain) -> pl.DataFrame:
    """
    Return the logs in some blocks' receipts as one sorted `LOGS` frame.

    Args:
        answers: for each block what the node said: a JSON list of receipts.
        blocks: number, hash and receipts root of each.
        chain: the chain.

    Raises:
        NodeAnswerWrong: they are no receipts, or not those the headers commit to.
    """
    texts: list[bytes] = []
    places: list[tuple[int, bytes, int, bytes]] = []
    for answer, (number, block_hash, root) in zip(answers, blocks, strict=True):
        for receipt in _proven(answer, number, block_hash, root, chain):
            text = bytes(receipt.logs).strip()[1:-1].strip()
            texts += [text] if text else []
            places.append((number, block_hash, _place(receipt), _tx_hash(receipt)))
    logs = log_frame(b"[%b]" % b",".join(texts)) if texts else pl.DataFrame(schema=LOGS)
    told = pl.DataFrame(places, _PLACES, orient="row")
    # Where receipts prove nothing, not even their order can be relied on.
    vague = [number for number, _, _ in blocks if Part.ROOT in waived_at(chain, number)]
    is_vague = pl.col("block_number").is_in(vague)
    odd = pl.concat(
        [
            logs.filter(~is_vague).join(told, on=list(_PLACES), how="anti"),
            logs.filter(is_vague).join(told, on=["block_number", "block_hash"], how="anti"),
        ]
    )
    if len(odd):
        raise NodeAnswerWrong(
            f"answered with receipts of block {odd['block_number'][0]} that hold a log of another "
            f"block or transaction ({_hex(odd['tx_hash'][0])}); use another endpoint"
        )
    return logs


def _proven(
    answer: bytes, number: int, block_hash: bytes, root: bytes | None, chain: Chain
) -> Sequence[Receipt]:
    try:
        receipts = sorted(_RECEIPTS.decode(answer), key=_place)
        if not all(len(_tx_hash(receipt)) == HASH_BYTES for receipt in receipts):
            raise ValueError(f"transactionHash is not {HASH_BYTES} bytes")
        found = root
        if Part.ROOT not in waived_at(chain, number):
            quirks = quirks_at(chain, number)
            found = receipts_root(committed(receipts, quirks, number, block_hash))
            if [_place(receipt) for receipt in receipts] != list(range(len(receipts))):
                raise ValueError("transactionIndex does not count from 0")
    except (msgspec.DecodeError, ValueError) as error:
        raise NodeAnswerWrong(
            f"answered with receipts of block {number} that cannot be read ({error}); use another "
            "endpoint"
        ) from error
    if found != root:
        raise NodeAnswerWrong(
            f"answered with {len(receipts)} receipts of block {number} whose root is "
            f"{_hex(found)}, its header says {_hex(root)}: expected all receipts as they are; use "
            "another endpoint"
        )
    return receipts


def _hex(value: bytes | None) -> str:
    return "none" if value is None else f"0x{value.hex()}"


def _place(receipt: Receipt) -> int:
    return int(receipt.transaction_index, 16)


def _tx_hash(receipt: Receipt) -> bytes:
    return bytes.fromhex(receipt.transaction_hash[2:])

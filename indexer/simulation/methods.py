"""The JSON-RPC methods: each takes the chain and the params and returns JSON."""

import re
from collections.abc import Callable, Mapping

import msgspec

from indexer.simulation import refusals
from indexer.simulation.blocks import Block
from indexer.simulation.calls import executed
from indexer.simulation.filters import parsed_filter, selected
from indexer.simulation.refusals import Refused, invalid_argument
from indexer.simulation.served import ServedChain

NULL = b"null"

Params = list[object]
# JSON cut at commas: what is joined only once, on the way out, is copied only once.
Pieces = list[bytes]

_HASH = re.compile(r"0[xX][0-9a-fA-F]{64}")
_QUANTITY = re.compile(r"0[xX](0|[1-9a-fA-F][0-9a-fA-F]*)")


def result(chain: ServedChain, method: str, params: Params) -> Pieces:
    """
    Return the result of one call.

    Raises:
        Refused: the call is answered with an error.
    """
    if method == "eth_getLogs":
        return _logs(chain, params)
    if method not in METHODS:
        raise Refused(refusals.method_not_found(method))
    return [METHODS[method](chain, params)]


def enclosed(opening: bytes, pieces: Pieces, closing: bytes) -> Pieces:
    """Return JSON pieces with something in front of the first and behind the last."""
    if len(pieces) < 2:
        return [opening + b"".join(pieces) + closing]
    return [opening + pieces[0], *pieces[1:-1], pieces[-1] + closing]


def _chain_id(chain: ServedChain, _: Params) -> bytes:
    return msgspec.json.encode(hex(chain.chain_id))


def _net_version(chain: ServedChain, _: Params) -> bytes:
    return msgspec.json.encode(str(chain.chain_id))


def _client_version(chain: ServedChain, _: Params) -> bytes:
    return msgspec.json.encode(chain.client_version)


def _block_number(chain: ServedChain, _: Params) -> bytes:
    return msgspec.json.encode(hex(max(chain.head, 0)))


def _syncing(_: ServedChain, __: Params) -> bytes:
    return b"false"


def _block_by_number(chain: ServedChain, params: Params) -> bytes:
    reference = _argument(params, 0)
    return NULL if reference == "pending" else _header(chain.at(_number(chain, reference)))


def _block_by_hash(chain: ServedChain, params: Params) -> bytes:
    return _header(chain.called(_hash(params, 0)))


def _header(block: Block | None) -> bytes:
    return NULL if block is None else msgspec.json.encode(block.header)


def _block_receipts(chain: ServedChain, params: Params) -> bytes:
    block = _referred(chain, _argument(params, 0))
    if block is None or not block.has_all_receipts:
        return NULL
    return b"[%b]" % b",".join(block.receipt_text(receipt) for receipt in block.receipts)


def _transaction_receipt(chain: ServedChain, params: Params) -> bytes:
    found = chain.by_transaction.get(_hash(params, 0))
    return NULL if found is None else found[0].receipt_text(found[1])


def _call(chain: ServedChain, params: Params) -> bytes:
    call = _argument(params, 0)
    if not isinstance(call, dict):
        raise Refused(
            invalid_argument(0, "json: cannot unmarshal into an object of type TransactionArgs")
        )
    block = _referred(chain, next((each for each in params[1:2] if each is not None), "latest"))
    if block is None:
        raise Refused(refusals.HEADER_NOT_FOUND)
    to, sent = call.get("to"), str(call.get("input") or call.get("data")).lower()
    called = None if to is None else str(to).lower()
    return msgspec.json.encode(executed(chain, block, called, sent))


def _logs(chain: ServedChain, params: Params) -> Pieces:
    query = _argument(params, 0)
    if not isinstance(query, dict):
        raise Refused(
            invalid_argument(0, "json: cannot unmarshal into an object of type FilterQuery")
        )
    wanted = parsed_filter(query.get("address"), query.get("topics"))
    low, high = _range(chain, query)
    if chain.max_block_span is not None and high - low + 1 > chain.max_block_span:
        raise Refused(refusals.too_many_blocks(chain.max_block_span))
    limit = chain.max_logs
    texts: Pieces = []
    for number, found in selected(chain.between(low, high), wanted):
        texts += found
        if limit is not None and len(texts) > limit:
            raise Refused(refusals.too_many_logs(limit, low, max(low, number - 1)))
    return enclosed(b"[", texts, b"]")


def _range(chain: ServedChain, query: Mapping[str, object]) -> tuple[int, int]:
    if query.get("blockHash") is not None:
        if query.get("fromBlock") is not None or query.get("toBlock") is not None:
            raise Refused(refusals.TWO_RANGES)
        block = chain.called(_hash([query["blockHash"]], 0))
        if block is None:
            raise Refused(refusals.UNKNOWN_BLOCK)
        return block.number, block.number
    bounds = [query.get(name) for name in ("fromBlock", "toBlock")]
    if "pending" in bounds:
        raise Refused(refusals.NO_PENDING_LOGS)
    low, high = (_number(chain, "latest" if each is None else each) for each in bounds)
    if low > high:
        raise Refused(refusals.REVERSED_RANGE)
    if high > chain.head:
        raise Refused(refusals.BEYOND_HEAD)
    return low, high


def _referred(chain: ServedChain, reference: object) -> Block | None:
    """Return the block of a number, a tag, a hash or an EIP-1898 object."""
    if isinstance(reference, dict):
        block_hash, reference = reference.get("blockHash"), reference.get("blockNumber")
        if block_hash is not None and reference is not None:
            raise Refused(refusals.TWO_BLOCKS)
        if block_hash is not None:
            return chain.called(_hash([block_hash], 0))
    if isinstance(reference, str) and _HASH.fullmatch(reference):
        return chain.called(reference.lower())
    return chain.at(_number(chain, reference))


def _number(chain: ServedChain, reference: object) -> int:
    text = str(reference)
    if _QUANTITY.fullmatch(text):
        return int(text, 16)
    if re.fullmatch(r"0[xX]0[0-9a-fA-F]+", text):
        raise Refused(invalid_argument(0, "hex number with leading zero digits"))
    return chain.head if text == "pending" else chain.tagged(text)


def _argument(params: Params, position: int) -> object:
    if len(params) <= position or params[position] is None:
        raise Refused(refusals.missing_argument(position))
    return params[position]


def _hash(params: Params, position: int) -> str:
    text = _argument(params, position)
    if not isinstance(text, str) or not _HASH.fullmatch(text):
        raise Refused(invalid_argument(position, "hex string of 32 bytes expected"))
    return text.lower()


METHODS: Mapping[str, Callable[[ServedChain, Params], bytes]] = {
    "eth_blockNumber": _block_number,
    "eth_call": _call,
    "eth_chainId": _chain_id,
    "eth_getBlockByHash": _block_by_hash,
    "eth_getBlockByNumber": _block_by_number,
    "eth_getBlockReceipts": _block_receipts,
    "eth_getTransactionReceipt": _transaction_receipt,
    "eth_syncing": _syncing,
    "net_version": _net_version,
    "web3_clientVersion": _client_version,
}

"""
The receipts root of a block, from the receipts as nodes answer them.

Typed receipts (EIP-2718) put their type before the same four fields, Arbitrum's own types 0x64 to
0x6a among them. Optimism's deposits (0x7e) add nonce and version since Canyon; before, the root
leaves the nonce out although nodes show it.
"""

from collections.abc import Sequence

import msgspec
from eth_hash.auto import keccak

from indexer.proof.headers import BLOOM_DIGITS, listed, number, octets
from indexer.proof.quirks import LeftOut, Quirk
from indexer.proof.tries import indexed_root

_DEPOSIT = 0x7E


class Receipt(msgspec.Struct, rename="camel"):
    """
    A receipt as nodes answer it; hex text.

    Attributes:
        transaction_hash: of its transaction.
        transaction_index: its place in the block.
        cumulative_gas_used: by the block up to and including the transaction.
        logs_bloom: of its logs.
        logs: a JSON list, not yet read.
        type: EIP-2718 transaction type; absent where the node is older than types.
        status: success or failure; absent before Byzantium.
        root: the state root after the transaction, before Byzantium.
        deposit_nonce: of Optimism's deposits.
        deposit_receipt_version: of Optimism's deposits since Canyon.
    """

    transaction_hash: str
    transaction_index: str
    cumulative_gas_used: str
    logs_bloom: str
    logs: msgspec.Raw
    type: str = "0x0"
    status: str | None = None
    root: str | None = None
    deposit_nonce: str | None = None
    deposit_receipt_version: str | None = None


class _Log(msgspec.Struct):
    address: str
    topics: list[str]
    data: str


_LOGS = msgspec.json.Decoder(list[_Log])


def committed(
    receipts: Sequence[Receipt], quirks: Sequence[Quirk], number_of: int, block_hash: bytes
) -> list[Receipt]:
    """
    Return the receipts that a block's header commits to.

    Args:
        receipts: of the block, in order.
        quirks: of the chain, at this block.
        number_of: the block's number.
        block_hash: the block's hash.
    """
    left_out = {quirk.left_out for quirk in quirks}
    if LeftOut.STATE_SYNC in left_out:
        synced = "0x" + keccak(b"matic-bor-receipt-" + number_of.to_bytes(8) + block_hash).hex()
        return [each for each in receipts if each.transaction_hash.lower() != synced]
    if LeftOut.NO_GAS in left_out:
        return [each for each in receipts if int(each.cumulative_gas_used, 16)]
    return list(receipts)


def receipts_root(receipts: Sequence[Receipt]) -> bytes:
    """
    Return the 32-byte root of the trie of a block's receipts.

    Args:
        receipts: all that the header commits to, in the order of their transactions.

    Raises:
        ValueError: a field is not hex of its width.
    """
    return indexed_root([_leaf(receipt) for receipt in receipts])


def _leaf(receipt: Receipt) -> str:
    kind = int(receipt.type, 16)
    fields = _outcome(receipt) + number(receipt.cumulative_gas_used)
    fields += octets(_digits(receipt.logs_bloom, BLOOM_DIGITS))
    fields += listed("".join(map(_log, _LOGS.decode(receipt.logs))))
    if kind == _DEPOSIT and receipt.deposit_receipt_version is not None:
        fields += number(receipt.deposit_nonce or "0x0") + number(receipt.deposit_receipt_version)
    return (f"{kind:02x}" if kind else "") + listed(fields)


def _outcome(receipt: Receipt) -> str:
    if receipt.status is not None:
        return number(receipt.status)
    return octets(_digits(receipt.root or "", 64))


def _log(log: _Log) -> str:
    topics = "".join("a0" + _digits(topic, 64) for topic in log.topics)
    data = log.data[2:].lower()
    return listed("94" + _digits(log.address, 40) + listed(topics) + octets(data))


def _digits(text: str, count: int) -> str:
    if len(text) != count + 2:
        raise ValueError(f"{text[:70]!r} is not 0x and {count} hex digits")
    return text[2:]

"""
What a header commits to: bloom, tries and its own hash, from the yellow paper and EIP-2718.

Written apart from the indexer's verification on purpose: the simulated chain is the independent
answer that `perpscope verify` is tested against.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from eth_hash.auto import keccak
from rlp.codec import encode_raw  # type: ignore[import-untyped]
from trie.hexary import HexaryTrie

BLOOM_BYTES = 256

_QUANTITIES = frozenset(
    {"difficulty", "number", "gasLimit", "gasUsed", "timestamp"}
    | {"baseFeePerGas", "blobGasUsed", "excessBlobGas"}
)
_FRONTIER = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
)
# In the order the forks appended them: London, Shanghai, Cancun (three), Prague.
_APPENDED = (
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)


def rlp_bytes(item: object) -> bytes:
    """Return the RLP of bytes or of a nested sequence of bytes."""
    # encode_raw skips the sedes inference of rlp.encode: a third of the time on a receipt.
    return bytes(encode_raw(item))


def quantity_bytes(value: int) -> bytes:
    """Return a non-negative integer as RLP wants it: big-endian without leading zeros."""
    return value.to_bytes((value.bit_length() + 7) // 8)


EMPTY_ROOT = keccak(rlp_bytes(b""))
EMPTY_UNCLES = keccak(rlp_bytes([]))


def bloom(items: Iterable[bytes]) -> int:
    """Return the 2048-bit bloom, as an integer, of addresses (20 bytes) and topics (32 bytes)."""
    bits = 0
    for item in items:
        bits |= _bits(item)
    return bits


@lru_cache(maxsize=1 << 17)
def _bits(item: bytes) -> int:
    digest = keccak(item)
    bits = 0
    for place in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[place : place + 2]) & 2047)
    return bits


def receipt_leaf(
    kind: int, outcome: bytes, gas: int, bits: int, logs: Sequence[Sequence[object]]
) -> bytes:
    """
    Return a receipt as the receipts trie stores it.

    Args:
        kind: EIP-2718 transaction type; 0 is the untyped legacy receipt.
        outcome: byte 1 for success, nothing for failure, the 32-byte state root before Byzantium.
        gas: cumulative gas used in the block up to and including this transaction.
        bits: the receipt's bloom as an integer.
        logs: [address, [topic, ...], data] each, all bytes.
    """
    body = rlp_bytes([outcome, quantity_bytes(gas), bits.to_bytes(BLOOM_BYTES), logs])
    return bytes([kind]) + body if kind else body


def trie_root(leaves: Sequence[bytes]) -> bytes:
    """Return the 32-byte root of the trie whose keys are the RLP of 0, 1, 2, ..."""
    tree = HexaryTrie({})
    for index, leaf in enumerate(leaves):
        tree[rlp_bytes(quantity_bytes(index))] = leaf
    return bytes(tree.root_hash)


def header_hash(header: Mapping[str, object]) -> bytes:
    """
    Return the 32-byte hash of a header in JSON-RPC form.

    Fields that forks appended count where the header carries them.
    """
    names = _FRONTIER + tuple(name for name in _APPENDED if name in header)
    return keccak(rlp_bytes([_field(name, str(header[name])) for name in names]))


def _field(name: str, text: str) -> bytes:
    return quantity_bytes(int(text, 16)) if name in _QUANTITIES else bytes.fromhex(text[2:])

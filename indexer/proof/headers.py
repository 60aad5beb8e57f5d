"""
The hash of a header in JSON-RPC form: keccak-256 of the RLP of its fields.

RLP is put together as hex text, because that is what nodes send: one pass, one `fromhex`. A field
of a wrong width cannot go unnoticed, since every width but that of numbers is checked first.
"""

import msgspec
from eth_hash.auto import keccak

BLOOM_DIGITS = 512


class Commitments(msgspec.Struct, rename="camel"):
    """
    The members of a block that its hash covers, as hex text; those of later forks may be absent.

    The order is the one in which they are hashed. What no fork put into the header (`size`,
    `totalDifficulty`, Arbitrum's `l1BlockNumber`) is not among them.
    """

    parent_hash: str
    sha3_uncles: str = msgspec.field(name="sha3Uncles")
    miner: str
    state_root: str
    transactions_root: str
    receipts_root: str
    logs_bloom: str
    difficulty: str
    number: str
    gas_limit: str
    gas_used: str
    timestamp: str
    extra_data: str
    mix_hash: str
    nonce: str
    base_fee_per_gas: str | None = None  # London
    withdrawals_root: str | None = None  # Shanghai
    blob_gas_used: str | None = None  # Cancun, as the next two
    excess_blob_gas: str | None = None
    parent_beacon_block_root: str | None = None
    requests_hash: str | None = None  # Prague


# Bytes of each field; None: a number, without leading zeros; 0: bytes of any length.
_WIDTHS: dict[str, int | None] = {
    "parent_hash": 32,
    "sha3_uncles": 32,
    "miner": 20,
    "state_root": 32,
    "transactions_root": 32,
    "receipts_root": 32,
    "logs_bloom": 256,
    "difficulty": None,
    "number": None,
    "gas_limit": None,
    "gas_used": None,
    "timestamp": None,
    "extra_data": 0,
    "mix_hash": 32,
    "nonce": 8,
    "base_fee_per_gas": None,
    "withdrawals_root": 32,
    "blob_gas_used": None,
    "excess_blob_gas": None,
    "parent_beacon_block_root": 32,
    "requests_hash": 32,
}


def header_hash(header: Commitments) -> bytes:
    """
    Return the 32-byte hash that these fields give.

    Raises:
        ValueError: a field is not hex of its width.
    """
    fields = "".join(
        _field(name, width, text)
        for name, width in _WIDTHS.items()
        if (text := getattr(header, name)) is not None
    )
    return keccak(bytes.fromhex(listed(fields)))


def _field(name: str, width: int | None, text: str) -> str:
    if width is None:
        return number(text)
    digits = text[2:]
    if width and len(digits) != 2 * width:
        raise ValueError(f"{name} {text[:70]} is not {width} bytes")
    return octets(digits)


def number(text: str) -> str:
    """
    Return the RLP of a quantity, as hex digits.

    Raises:
        ValueError: it is not hex.
    """
    value = int(text, 16)
    return octets(_even(f"{value:x}") if value else "")


def octets(digits: str) -> str:
    """Return the RLP of bytes, both as hex digits."""
    size = len(digits) // 2
    if size == 1 and digits < "80":
        return digits
    return _prefix(0x80, size) + digits


def listed(items: str) -> str:
    """Return the RLP of a list whose items are already encoded, as hex digits."""
    return _prefix(0xC0, len(items) // 2) + items


def _prefix(offset: int, size: int) -> str:
    if size <= 55:
        return f"{offset + size:02x}"
    length = _even(f"{size:x}")
    return f"{offset + 55 + len(length) // 2:02x}{length}"


def _even(digits: str) -> str:
    return digits if len(digits) % 2 == 0 else f"0{digits}"

"""
Headers read one by one: an answer has a hundred of them, too few for the cost of frames.

What is not plainly right is left to another parser: nothing is repaired here and nothing raises.
"""

from binascii import unhexlify
from datetime import UTC, datetime

import msgspec

HASH_BYTES = 32
BLOOM_BYTES = 256

PlainHeader = tuple[int, bytes, bytes, datetime | None, bytes | None]

_LARGEST = (1 << 63) - 1


class _Answered(msgspec.Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str | None = None
    logs_bloom: str | None = None


_DECODER = msgspec.json.Decoder(list[_Answered])


def plain_headers(answer: bytes) -> list[PlainHeader] | None:
    """Return the headers in a JSON list as rows of `HEADERS`; None where one is odd."""
    try:
        return [_read(header) for header in _DECODER.decode(answer)]
    except (ValueError, OverflowError, msgspec.DecodeError):
        return None


def _read(header: _Answered) -> PlainHeader:
    seconds, bloom = header.timestamp, header.logs_bloom
    return (
        _number(header.number),
        _octets(header.hash, HASH_BYTES),
        _octets(header.parent_hash, HASH_BYTES),
        None if seconds is None else _moment(_number(seconds)),
        None if bloom is None else _octets(bloom, BLOOM_BYTES),
    )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _number(text: str) -> int:
    # int() also takes signs, spaces, underscores and the digits of other scripts.
    number = int(text, 16)
    if not (text.startswith("0x") and text.isascii() and text.isalnum() and number <= _LARGEST):
        raise ValueError
    return number


def _octets(text: str, size: int) -> bytes:
    octets = unhexlify(text[2:])
    if not text.startswith("0x") or len(octets) != size:
        raise ValueError
    return octets

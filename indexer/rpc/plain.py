"""
Headers read a column at a time: an answer has a hundred of them, too few for the cost of frames.

What is not plainly right is left to another parser: nothing is repaired here and nothing raises.
"""

from binascii import unhexlify
from collections.abc import Sequence

import msgspec
import polars as pl

from indexer.arrow import binary_of
from indexer.tables import LAST_SECOND

HASH_BYTES = 32
BLOOM_BYTES = 256

_LARGEST = (1 << 63) - 1


class _Answered(msgspec.Struct, rename="camel"):
    number: str
    hash: str
    parent_hash: str
    timestamp: str | None = None
    logs_bloom: str | None = None


_DECODER = msgspec.json.Decoder(list[_Answered])


def plain_headers(answer: bytes) -> list[pl.Series] | None:
    """Return the columns of `HEADERS` from a JSON list of headers; None where one is odd."""
    try:
        headers = _DECODER.decode(answer)
        return [
            _numbers([header.number for header in headers], _LARGEST),
            _octets([header.hash for header in headers], HASH_BYTES),
            _octets([header.parent_hash for header in headers], HASH_BYTES),
            _moments([header.timestamp for header in headers]),
            _octets([header.logs_bloom for header in headers], BLOOM_BYTES),
        ]
    except (ValueError, msgspec.DecodeError):
        return None


def _moments(texts: Sequence[str | None]) -> pl.Series:
    return (_numbers(texts, LAST_SECOND) * 1_000_000).cast(pl.Datetime("us"))


def _numbers(texts: Sequence[str | None], largest: int) -> pl.Series:
    known = _known(texts)
    if not known:
        return pl.repeat(None, len(texts), dtype=pl.Int64, eager=True)
    numbers, letters = [int(text, 16) for text in known], "".join(known)
    # int() also takes signs, spaces, underscores, the digits of other scripts, and no prefix.
    is_plain = letters.isascii() and letters.isalnum() and letters.count("x") == len(known)
    if not is_plain or max(numbers) > largest:
        raise ValueError
    return pl.Series(numbers, dtype=pl.Int64)


def _octets(texts: Sequence[str | None], size: int) -> pl.Series:
    known = _known(texts)
    if not known:
        return pl.repeat(None, len(texts), dtype=pl.Binary, eager=True)
    is_plain = {*map(len, known)} == {2 * size + 2} and {text[:2] for text in known} == {"0x"}
    if not is_plain:
        raise ValueError
    return binary_of(unhexlify("".join([text[2:] for text in known])), size)


def _known(texts: Sequence[str | None]) -> list[str]:
    """Return the texts, none where none is known; some of them are odd."""
    known = [text for text in texts if text is not None]
    if len(known) not in {0, len(texts)}:
        raise ValueError
    return known

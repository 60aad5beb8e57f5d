"""
Answers to frames: JSON bytes are parsed once, and hex becomes binary in bulk.

Logs that are all written alike are read by position (`strided`), headers without a frame of texts
(`plain`); what is not plainly right is read, or refused, by Polars.

Hex is decoded over one contiguous buffer per column (Arrow offsets halve, the bytes go through
`binascii`), 4 times faster than Polars' own decoder on 10-word logs. Nothing is trusted: missing
members, odd digits, wrong widths and numbers outside their type raise `NodeAnswerWrong`.
"""

from binascii import Error as HexError
from binascii import unhexlify
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from indexer.arrow import series_of
from indexer.errors import NodeAnswerWrong
from indexer.rpc.plain import BLOOM_BYTES, HASH_BYTES, plain_headers
from indexer.rpc.strided import TOPICS, columns_of
from indexer.tables import LAST_SECOND

ADDRESS_BYTES = 20

LOGS: dict[str, pl.DataType] = {
    "block_number": pl.Int64(),
    "tx_index": pl.Int32(),
    "log_index": pl.Int32(),
    "block_hash": pl.Binary(),
    "tx_hash": pl.Binary(),
    "address": pl.Binary(),
    "topic0": pl.Binary(),
    "topic1": pl.Binary(),
    "topic2": pl.Binary(),
    "topic3": pl.Binary(),
    "data": pl.Binary(),
}
"""Raw logs, sorted by (block_number, tx_index, log_index, tx_hash); absent topics are null."""

HEADERS: dict[str, pl.DataType] = {
    "number": pl.Int64(),
    "hash": pl.Binary(),
    "parent_hash": pl.Binary(),
    "timestamp": pl.Datetime("us"),
    "logs_bloom": pl.Binary(),
}
"""Block headers; timestamp is UTC without a zone, null like logs_bloom where the node gave none."""

_LOG_ANSWER: dict[str, pl.DataType] = {
    "blockNumber": pl.String(),
    "transactionIndex": pl.String(),
    "logIndex": pl.String(),
    "blockHash": pl.String(),
    "transactionHash": pl.String(),
    "address": pl.String(),
    "topics": pl.List(pl.String()),
    "data": pl.String(),
    "removed": pl.Boolean(),
}
_HEADER_ANSWER: dict[str, pl.DataType] = {
    "number": pl.String(),
    "hash": pl.String(),
    "parentHash": pl.String(),
    "timestamp": pl.String(),
    "logsBloom": pl.String(),
}
_LONGEST_SHOWN = 200
_BY_POSITION = [*list(_LOG_ANSWER)[:6], *TOPICS, "data"]  # in the order of `LOGS`
_QUANTITY = "^0x[0-9a-fA-F]+$"


@dataclass(frozen=True)
class Header:
    """
    A block header, as much of it as is stored.

    Attributes:
        number: block number.
        hash: 32 bytes.
        parent_hash: 32 bytes.
        timestamp: UTC without a zone; None where the node gave none.
        logs_bloom: 256 bytes; None where the node gave none.
    """

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: datetime | None
    logs_bloom: bytes | None = field(repr=False)


def log_frame(answer: bytes | memoryview) -> pl.DataFrame:
    """
    Return the logs in the JSON list `answer` as a `LOGS` frame, sorted.

    Raises:
        NodeAnswerWrong: the answer is not a list of logs that are part of the chain.
    """
    if bytes(answer[:3]) == b"[]":
        return pl.DataFrame(schema=LOGS)
    if columns := columns_of(answer):
        return _sorted(pl.DataFrame([columns.series(name) for name in _BY_POSITION], schema=LOGS))
    rows = _rows(bytes(answer), _LOG_ANSWER, "logs")
    del answer  # a range's JSON is several times its frame
    if rows["removed"].any():
        raise NodeAnswerWrong(
            "answered with a log that is marked as removed by a reorg; ask again later"
        )
    topics = _topics(rows["topics"])
    logs = pl.DataFrame(
        {
            "block_number": _integers(rows["blockNumber"], pl.Int64()),
            "tx_index": _integers(rows["transactionIndex"], pl.Int32()),
            "log_index": _integers(rows["logIndex"], pl.Int32()),
            "block_hash": _octets(_known(rows["blockHash"]), HASH_BYTES),
            "tx_hash": _octets(_known(rows["transactionHash"]), HASH_BYTES),
            "address": _octets(_known(rows["address"]), ADDRESS_BYTES),
            **{f"topic{place}": topic for place, topic in enumerate(topics)},
            "data": _octets(_known(rows["data"]), None),
        },
        schema=LOGS,
    )
    return _sorted(logs)


def header_frame(answers: list[bytes]) -> pl.DataFrame:
    """
    Return one row per header in `answers` (a JSON object each) as a `HEADERS` frame, in order.

    Raises:
        NodeAnswerWrong: an answer is not a header.
    """
    whole = b"[" + b",".join(answers) + b"]"
    plain = plain_headers(whole)
    return odd_headers(whole) if plain is None else pl.DataFrame(plain, HEADERS)


def odd_headers(answer: bytes) -> pl.DataFrame:
    """
    Return the headers in the JSON list `answer`, whatever it is, as a `HEADERS` frame.

    Raises:
        NodeAnswerWrong: it is not a list of headers.
    """
    rows = _rows(answer, _HEADER_ANSWER, "blocks")
    return pl.DataFrame(
        {
            "number": _integers(rows["number"], pl.Int64()),
            "hash": _octets(_known(rows["hash"]), HASH_BYTES),
            "parent_hash": _octets(_known(rows["parentHash"]), HASH_BYTES),
            "timestamp": _times(rows["timestamp"]),
            "logs_bloom": _octets(rows["logsBloom"], BLOOM_BYTES),
        },
        schema=HEADERS,
    )


def first_header(headers: pl.DataFrame) -> Header:
    """Return the first row of a `HEADERS` frame."""
    return Header(*headers.row(0))


def _rows(answer: bytes, schema: dict[str, pl.DataType], what: str) -> pl.DataFrame:
    # Polars would take a single object for a list of one.
    if answer[:1] != b"[":
        raise NodeAnswerWrong(
            f"answered with something other than a list of {what}; use another endpoint"
        )
    try:
        return pl.read_json(answer, schema=schema)
    except (pl.exceptions.PolarsError, UnicodeError) as error:
        reason = str(error).partition("\n")[0]
        raise NodeAnswerWrong(
            f"answered with {what} that cannot be read ({shown(reason)}); use another endpoint"
        ) from error


def _sorted(logs: pl.DataFrame) -> pl.DataFrame:
    """Nodes answer in order, and comparing neighbours costs far less than moving every log."""
    block, tx, log = (logs[name].to_numpy() for name in ("block_number", "tx_index", "log_index"))
    rises = log[1:] > log[:-1]
    for number in (tx, block):
        rises = (number[1:] > number[:-1]) | ((number[1:] == number[:-1]) & rises)
    return logs if rises.all() else logs.sort("block_number", "tx_index", "log_index", "tx_hash")


def _known(text: pl.Series) -> pl.Series:
    if text.null_count():
        raise NodeAnswerWrong(
            f'answered with {text.null_count():,} of {len(text):,} rows without "{text.name}"; '
            "use another endpoint"
        )
    return text


def _integers(text: pl.Series, dtype: pl.Int32 | pl.Int64) -> pl.Series:
    digits = pl.col(_known(text).name).str
    read = text.to_frame().select(
        is_plain=digits.contains(_QUANTITY),
        number=digits.slice(2).str.to_integer(base=16, dtype=dtype, strict=False),
    )
    odd = text.filter(~read["is_plain"] | read["number"].is_null())
    if len(odd):
        raise _unreadable(text, odd[0])
    return read["number"]


def _times(text: pl.Series) -> pl.Series:
    seconds = text.fill_null("0x0")
    known = _integers(seconds, pl.Int64())
    late = known.filter(known > LAST_SECOND)
    if len(late):
        raise NodeAnswerWrong(
            f"answered with a block time of {late[0]} s, after the year 9999; use another endpoint"
        )
    stamps = (known * 1_000_000).cast(pl.Datetime("us"))
    return pl.select(pl.when(text.is_not_null()).then(stamps)).to_series()


def _octets(text: pl.Series, width: int | None) -> pl.Series:
    # From string views, Arrow's offsets and bytes are built afresh: they start at zero.
    written = text.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
    validity, offsets, content = written.buffers()
    ends = np.frombuffer(offsets, np.int64)[: len(written) + 1]
    letters = np.frombuffer(content, np.uint8, ends[-1])
    is_known, lengths = text.is_not_null().to_numpy(), np.diff(ends)
    wrong = (lengths & 1 == 1) | (lengths < 2) if width is None else lengths != 2 * width + 2
    wrong = (wrong | ~_has_prefix(letters, ends[:-1])) & is_known
    if wrong.any():
        raise _unreadable(text, text[int(wrong.argmax())])
    places = (ends - 2 * np.concatenate([[0], is_known.cumsum()])) >> 1
    try:
        # No digit is an x: what goes are the prefixes, and any other leaves too few bytes.
        octets = unhexlify(letters.tobytes().replace(b"0x", b""))
    except HexError:
        octets = b""
    if len(octets) != places[-1]:
        raise _unreadable(text, text.filter(~text.str.contains("^0x[0-9a-fA-F]*$"))[0])
    buffers = [validity, pa.py_buffer(places), pa.py_buffer(octets)]
    array = pa.Array.from_buffers(pa.large_binary(), len(written), buffers, written.null_count)
    return series_of(array, text.name)


def _has_prefix(letters: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    if len(letters) < 2:
        return np.zeros(len(starts), np.bool_)
    # A text of one letter or none is wrong whatever follows it.
    zeros = np.minimum(starts, len(letters) - 2)
    found: NDArray[np.bool_] = (letters[zeros] == ord("0")) & (letters[zeros + 1] == ord("x"))
    return found


def _topics(lists: pl.Series) -> list[pl.Series]:
    counts = _known(lists).list.len()
    texts = [lists.list.get(place, null_on_oob=True) for place in range(4)]
    held = sum(len(text) - text.null_count() for text in texts)
    if held != counts.sum():
        raise NodeAnswerWrong(
            "answered with a log that has more than four topics or a null among them; use another "
            "endpoint"
        )
    return [_octets(text, HASH_BYTES) for text in texts]


def shown(text: str) -> str:
    """Return what a node said, to be quoted: whole, or how long it is."""
    # What is cut in the middle of a key is not recognised as one when keys are taken out.
    return repr(text) if len(text) <= _LONGEST_SHOWN else f"{len(text):,} characters"


def _unreadable(text: pl.Series, value: str) -> NodeAnswerWrong:
    return NodeAnswerWrong(
        f'answered with "{text.name}" {shown(value)}, which is not hex of the right size; use '
        "another endpoint"
    )

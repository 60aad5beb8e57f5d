"""What one answer says: an error, nothing, a header, a text or the bytes a contract returned."""

import re

import msgspec

from indexer.errors import NodeAnswerWrong, NodeBehind
from indexer.rpc.answers import NULL, Blocks, Part
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import failure, fault
from indexer.rpc.frames import Header, first_header, header_frame, shown
from indexer.rpc.wordings import Meaning


def value(part: Part, endpoint: Endpoint, blocks: Blocks | None = None) -> bytes:
    """
    Return the result as the node sent it, `null` included.

    Raises:
        WorldError: the node refused the call; which kind, `failures` decides.
    """
    return bytes(view(part, endpoint, blocks))


def view(part: Part, endpoint: Endpoint, blocks: Blocks | None = None) -> memoryview:
    """
    Return the result as `value` does, without a copy: it keeps the whole answer in memory.

    Raises:
        WorldError: the node refused the call; which kind, `failures` decides.
    """
    if part.is_error:
        raise failure(fault(bytes(part.error), endpoint), endpoint, blocks)
    return memoryview(part.result)


def text(result: bytes) -> str:
    """
    Return a result that must be a JSON string.

    Raises:
        NodeAnswerWrong: it is something else.
    """
    try:
        return msgspec.json.decode(result, type=str)
    except ValueError as error:  # not UTF-8, among others
        raise NodeAnswerWrong(
            f"answered with {shown(result.decode(errors='replace'))} where a text was expected; "
            "use another endpoint"
        ) from error


def quantity(result: bytes) -> int:
    """
    Return a result that must be a number in hex.

    Raises:
        NodeAnswerWrong: it is something else.
    """
    said = text(result)
    if re.fullmatch("(0x)?[0-9a-fA-F]{1,64}", said) is None:
        raise NodeAnswerWrong(
            f"answered with {shown(said)} where a number in hex was expected; use another endpoint"
        )
    return int(said, 16)


def header(result: bytes, name: str) -> Header:
    """
    Return a result that must be a block header.

    Args:
        result: as the node sent it.
        name: the block that was asked for: a number, a tag or a hash.

    Raises:
        NodeBehind: the node has no such block.
        NodeAnswerWrong: the result is no header.
    """
    if result == NULL:
        raise unseen(name)
    return first_header(header_frame([result]))


def numbered_header(result: bytes, number: int) -> Header:
    """
    Return a result that must be the header of block `number`.

    Raises:
        NodeBehind: the node has no such block.
        NodeAnswerWrong: the result is no header, or another block's.
    """
    found = header(result, str(number))
    if found.number != number:
        raise NodeAnswerWrong(
            f"answered with block {found.number} where {number} was asked for; use another endpoint"
        )
    return found


def newest(parts: list[Part], endpoint: Endpoint) -> Header:
    """
    Return the header that answers the call for the newest block.

    Raises:
        NodeBehind: the node has no block at all.
        WorldError: it refused, or answered with no header.
    """
    return header(value(parts[0], endpoint), "latest")


class _Listing(msgspec.Struct):
    hash: str
    transactions: list[str]


def transaction_hashes(result: bytes, block_hash: bytes) -> list[str]:
    """
    Return the hashes of a block's transactions from its header.

    Raises:
        NodeAnswerWrong: the result is no header, or another block's.
    """
    try:
        listing = msgspec.json.decode(result, type=_Listing)
    except (ValueError, RecursionError) as error:
        raise NodeAnswerWrong(
            f"answered with a block whose transactions cannot be read ({error}); use another "
            "endpoint"
        ) from error
    if listing.hash.lower() != f"0x{block_hash.hex()}":
        raise NodeAnswerWrong(
            f"answered with block {listing.hash} where 0x{block_hash.hex()} was expected; a reorg "
            "is under way, or use another endpoint"
        )
    return listing.transactions


def unseen(name: str) -> NodeBehind:
    """Return the exception for a block the node answered `null` for."""
    return NodeBehind(
        f"has not seen block {name} yet, or keeps it no longer (it answered null); try again later "
        "or use another endpoint"
    )


def is_unknown(part: Part, endpoint: Endpoint) -> bool:
    """Whether the node says that it does not know the block tag it was asked for."""
    if part.is_error:
        meaning = fault(bytes(part.error), endpoint).meaning
        return meaning in {Meaning.BEHIND, Meaning.INVALID, Meaning.NO_PIN}
    return bytes(part.result) == NULL


def returned(part: Part, endpoint: Endpoint) -> bytes | None:
    """
    Return what a contract answered to eth_call; None where it reverted.

    Raises:
        WorldError: the node refused the call for another reason.
        NodeAnswerWrong: the result is not hex.
    """
    if part.is_error and fault(bytes(part.error), endpoint).meaning is Meaning.REVERTED:
        return None
    digits = text(value(part, endpoint))
    try:
        return bytes.fromhex(digits.removeprefix("0x"))
    except ValueError as error:
        raise NodeAnswerWrong(
            f"answered eth_call with {shown(digits)}, which is not hex; use another endpoint"
        ) from error

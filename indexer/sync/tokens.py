"""What tokens say about themselves: decimals and symbol, asked once, pinned to a block."""

from collections.abc import Sequence

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeUnavailable
from indexer.sync.source import Source
from indexer.tables import columns_of

DECIMALS = bytes.fromhex("313ce567")
SYMBOL = bytes.fromhex("95d89b41")

_MOST_DECIMALS = 77  # the digits of 2**256: more is not a number of decimals
_LONGEST_SYMBOL = 64


async def ask_tokens(
    node: Source, chain: Chain, addresses: Sequence[str], block_hash: bytes, head_hash: bytes
) -> pl.DataFrame:
    """
    Return rows of `tokens` for the addresses that answer like tokens.

    Args:
        node: whom to ask.
        chain: where the tokens are.
        addresses: 0x text; anything that is no address is left out.
        block_hash: the block at which to ask.
        head_hash: asked instead where the node has dropped that block's state: what a token
            says of itself does not change.

    Raises:
        RetryableError: the node did not answer.
    """
    askable = [address for address in addresses if len(address) == 42]
    if not askable:
        return pl.DataFrame(schema=columns_of("tokens"))
    places = [bytes.fromhex(address[2:]) for address in askable]
    requests = [(place, question) for place in places for question in (DECIMALS, SYMBOL)]
    try:
        answers = await node.calls(requests, block_hash)
    except NodeUnavailable:
        answers = await node.calls(requests, head_hash)
    rows = [
        (chain.chain_id, address, symbol_of(symbol), number, "call")
        for address, word, symbol in zip(askable, answers[::2], answers[1::2], strict=True)
        if (number := decimals_of(word)) is not None
    ]
    return pl.DataFrame(rows, columns_of("tokens"), orient="row")


def decimals_of(answer: bytes | None) -> int | None:
    """Return the decimals in a contract's answer; None where it is no token's."""
    if answer is None or len(answer) < 32:
        return None
    number = int.from_bytes(answer[:32], "big")
    return number if number <= _MOST_DECIMALS else None


def symbol_of(answer: bytes | None) -> str | None:
    """Return the printable symbol in a contract's answer, a string or a bytes32; else None."""
    if answer is None or len(answer) < 32:
        return None
    content = answer[:32].rstrip(b"\0") if len(answer) == 32 else _string(answer)
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() and len(text) <= _LONGEST_SYMBOL else None


def _string(answer: bytes) -> bytes:
    start = int.from_bytes(answer[:32], "big")
    length = int.from_bytes(answer[start : start + 32], "big")
    return answer[start + 32 : start + 32 + length] if start < len(answer) else b""

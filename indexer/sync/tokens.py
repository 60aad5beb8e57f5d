"""What tokens say about themselves: decimals and symbol, asked once, pinned to a block."""

import re
from collections.abc import Sequence

import polars as pl

from indexer.chains import Chain
from indexer.errors import HistoryPruned, NodeUnavailable
from indexer.rpc import Header
from indexer.sync.source import Source
from indexer.tables import columns_of

DECIMALS = bytes.fromhex("313ce567")
SYMBOL = bytes.fromhex("95d89b41")

_ADDRESS = re.compile(r"0x[0-9a-f]{40}")
_MOST_DECIMALS = 77  # the digits of 2**256: more is not a number of decimals
_LONGEST_SYMBOL = 64


async def ask_tokens(
    node: Source, chain: Chain, addresses: Sequence[str], block: Header, head: Header
) -> pl.DataFrame:
    """
    Return rows of `tokens` for the addresses that answer like tokens.

    Args:
        node: whom to ask.
        chain: where the tokens are.
        addresses: 0x text; anything that is no address, or the zero address, is left out.
        block: header of the block at which to ask.
        head: asked instead where the node has dropped that block's state, or the contract
            gave no answer there yet: what a token says of itself does not change, and where
            ranges are cut must not decide whether it is known.

    Raises:
        NodeBehind: the node does not know one of the blocks.
        RetryableError: the node did not answer.
        HistoryPruned: it has dropped the state of `head` too.
    """
    askable = [text for text in addresses if _ADDRESS.fullmatch(text) and int(text, 16)]
    try:
        found = await _said(node, askable, block)
    except (NodeUnavailable, HistoryPruned):
        found = []
    heard = {address for address, _, _ in found}
    silent = [address for address in askable if address not in heard]
    found += await _said(node, silent, head)
    rows = [(chain.chain_id, *row, "call") for row in sorted(found)]
    return pl.DataFrame(rows, columns_of("tokens"), orient="row")


async def _said(
    node: Source, addresses: Sequence[str], block: Header
) -> list[tuple[str, str | None, int]]:
    if not addresses:
        return []
    places = [bytes.fromhex(address[2:]) for address in addresses]
    requests = [(place, question) for place in places for question in (DECIMALS, SYMBOL)]
    answers = await node.calls(requests, block)
    return [
        (address, symbol_of(symbol), number)
        for address, word, symbol in zip(addresses, answers[::2], answers[1::2], strict=True)
        if (number := decimals_of(word)) is not None
    ]


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

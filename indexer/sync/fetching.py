"""One range from a node: logs of declared contracts and of children born inside it, and headers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import polars as pl

from indexer.chains import Chain
from indexer.errors import NodeAnswerWrong
from indexer.facts import Known, discovered, log_filter, owned
from indexer.rpc import Filter, Header
from indexer.spec import Protocol
from indexer.sync.source import Source

_CHILD = ["protocol", "abi", "address"]


class ChainMoved(NodeAnswerWrong):
    """Two answers tell of different chains: a reorg is under way, or the node is unsound."""


@dataclass(frozen=True)
class Piece:
    """
    A range to fetch.

    Attributes:
        from_block: first block, inclusive.
        to_block: last block, inclusive.
        protocols: whose logs to ask for.
        finality: how final the blocks are.
        is_settled: whether they are too old for reorgs; else every header is fetched, first.
        parent: hash of the block before, where the headers must link to it; None to not look.
        is_whole: whether headers link by parent hash at all.
    """

    from_block: int
    to_block: int
    protocols: tuple[Protocol, ...]
    finality: str
    is_settled: bool
    parent: bytes | None
    is_whole: bool


@dataclass(frozen=True)
class Fetched:
    """
    A fetched range.

    Attributes:
        piece: what was asked for.
        logs: LOGS frame of the protocols' logs.
        owners: protocol -> which of `logs` are its.
        headers: headers of the blocks that carry them; of all blocks above finality.
        last: header of the last block.
        children: rows of `contracts` whose birth is in the range.
        answered: logs in the answers, those that belong to nobody included.
    """

    piece: Piece
    logs: pl.DataFrame
    owners: Mapping[str, pl.Series]
    headers: pl.DataFrame
    last: Header
    children: pl.DataFrame
    answered: int


async def fetch(node: Source, chain: Chain, known: Known, piece: Piece) -> Fetched:
    """
    Return a range, complete and consistent.

    Raises:
        RangeTooLarge: the node wants fewer blocks.
        ChainMoved: logs and headers, or headers among each other, do not fit.
        RetryableError: the node did not answer, or has not seen the range.
        NodeAnswerWrong: the node contradicts itself or the request.
    """
    headers = None if piece.is_settled else await _window(node, piece)
    answer, last, children = await _answer(node, chain, known, piece)
    known = with_children(known, children)
    owners = _owners(piece, chain, answer, known)
    is_ours = any_of(owners, len(answer))
    logs = answer.filter(is_ours)
    owners = {slug: mask.filter(is_ours) for slug, mask in owners.items()}
    if headers is None:
        # The last block's too, whether it has logs or not: its hash is stored, and one answer
        # alone may be wrong.
        headers = await node.headers([*logs["block_number"].unique(), last.number])
    _check_hashes(logs, headers, last)
    if piece.is_settled:
        headers = headers.filter(pl.col("number").is_in(logs["block_number"].unique().implode()))
    return Fetched(piece, logs, owners, headers, last, children, len(answer))


def _owners(piece: Piece, chain: Chain, answer: pl.DataFrame, known: Known) -> dict[str, pl.Series]:
    if answer.is_empty():
        return {protocol.slug: any_of({}, 0) for protocol in piece.protocols}
    return owned(piece.protocols, chain, answer, known)


def any_of(masks: Mapping[str, pl.Series], length: int) -> pl.Series:
    """Return where any of the Boolean series of this length is true."""
    united = pl.Series([False], dtype=pl.Boolean).new_from_index(0, length)
    for mask in masks.values():
        united |= mask
    return united


async def _window(node: Source, piece: Piece) -> pl.DataFrame:
    headers = await node.headers(range(piece.from_block, piece.to_block + 1))
    if not piece.is_whole:
        return headers
    parents = headers["hash"].shift()
    if piece.parent is not None:
        parents = pl.concat([pl.Series([piece.parent], dtype=pl.Binary), parents[1:]])
    broken = headers.filter(parents != headers["parent_hash"])
    if len(broken):
        raise ChainMoved(
            f"block {broken['number'][0]} does not continue the block before it: expected headers "
            "that link by parent hash; a reorg is under way, or use another endpoint"
        )
    return headers


async def _answer(
    node: Source, chain: Chain, known: Known, piece: Piece
) -> tuple[pl.DataFrame, Header, pl.DataFrame]:
    found = log_filter(piece.protocols, chain, known)
    wanted = Filter(found.addresses, found.topic0s)
    logs, last = await node.logs(wanted, piece.from_block, piece.to_block)
    asked = set(wanted.addresses)
    children = known.contracts.clear()
    while len(logs):
        children = _born(discovered(piece.protocols, chain, logs, known), children, known)
        unasked = sorted(_octets(children) - asked)
        if not unasked:
            break
        # A child lives from its birth on, and its birth may be in this very range.
        more, again = await node.logs(
            replace(wanted, addresses=tuple(unasked)), piece.from_block, piece.to_block
        )
        if again.hash != last.hash:
            raise ChainMoved(f"block {last.number} changed between two answers; index again")
        asked.update(unasked)
        logs = pl.concat([logs, more]).sort("block_number", "tx_index", "log_index", "tx_hash")
        known = with_children(known, children)
    return logs, last, children


def _born(found: pl.DataFrame, children: pl.DataFrame, known: Known) -> pl.DataFrame:
    earlier = known.contracts.select(*_CHILD, born="from_block")
    born = (
        found.join(earlier, on=_CHILD, how="left", maintain_order="left")
        .filter(pl.col("born").is_null() | (pl.col("from_block") <= pl.col("born")))
        .drop("born")
    )
    return pl.concat([children, born]).unique(_CHILD, keep="first", maintain_order=True)


def with_children(known: Known, children: pl.DataFrame) -> Known:
    """Return what is known once these children are; the earliest announcement is the birth."""
    if children.is_empty():
        return known
    contracts = pl.concat([children, known.contracts]).sort("from_block", maintain_order=True)
    return replace(known, contracts=contracts.unique(_CHILD, keep="first", maintain_order=True))


def _octets(children: pl.DataFrame) -> set[bytes]:
    return {bytes.fromhex(address.removeprefix("0x")) for address in children["address"]}


def _check_hashes(logs: pl.DataFrame, headers: pl.DataFrame, last: Header) -> None:
    ends = headers.filter(pl.col("number") == last.number)["hash"].to_list()
    if any(found != last.hash for found in ends):
        raise ChainMoved(f"block {last.number} changed between two answers; index again")
    seen = logs.select(number="block_number", told="block_hash").unique()
    odd = seen.join(headers, on="number", how="left").filter(
        pl.col("hash").is_null() | (pl.col("hash") != pl.col("told"))
    )
    if len(odd):
        raise ChainMoved(
            f"logs of block {odd['number'][0]} name the block 0x{odd['told'][0].hex()}, its header "
            "another: expected one hash; a reorg is under way, or use another endpoint"
        )

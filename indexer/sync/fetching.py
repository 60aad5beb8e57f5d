"""
One range from a node: logs of declared contracts and of children born inside it, and headers.

A range may be asked for before the one below it is known. `complete` adds what was born there
meanwhile: only the new children are asked for, and the result is that of asking for all at once.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

import polars as pl

from indexer.chains import Chain
from indexer.facts import Known, discovered, log_filter, narrow_filters, owned
from indexer.rpc import HEADERS, Filter, Header
from indexer.spec import Protocol
from indexer.sync.pieces import Answer, ChainMoved, Fetched, Piece
from indexer.sync.proving import Claim, Unproven, declared_by, prove
from indexer.sync.source import Source

_CHILD = ["protocol", "abi", "address"]
_TRIES = 4  # an endpoint that hides logs is left for the next one


async def fetch(node: Source, chain: Chain, known: Known, piece: Piece) -> Fetched:
    """
    Return a range, complete and consistent, proven as far as the piece asks.

    Raises:
        RangeTooLarge: the node wants fewer blocks.
        Unproven: whoever was asked left out logs, or made some up.
        ChainMoved: logs and headers, or headers among each other, do not fit.
        RetryableError: the node did not answer, or has not seen the range.
        NodeAnswerWrong: the node contradicts itself or the request.
    """
    for attempt in range(_TRIES - 1):
        try:
            return await _fetched(node, chain, known, piece)
        except Unproven:
            node.doubt(piece.from_block, piece.to_block)
            await asyncio.sleep(0.05 * 2**attempt)
    return await _fetched(node, chain, known, piece)


async def _fetched(node: Source, chain: Chain, known: Known, piece: Piece) -> Fetched:
    headers = pl.DataFrame(schema=HEADERS)
    if piece.needs_all_headers:
        headers = await _window(node, piece)
    answer = await _asked(node, chain, known, piece, headers)
    return await _completed(node, chain, known, answer)


async def sample(
    node: Source, chain: Chain, known: Known, piece: Piece
) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """
    Return the protocols' logs of a range, the children born in it, and how many logs came.

    No header but the last is asked for, so this is for looking, not for storing.

    Raises:
        What `fetch` raises.
    """
    answer = await _asked(node, chain, known, piece, pl.DataFrame(schema=HEADERS))
    answer, children, known = await _with_unasked(node, chain, known, answer)
    owners = _owners(piece, chain, answer.logs, known)
    return answer.logs.filter(any_of(owners, len(answer.logs))), children, len(answer.logs)


async def complete(node: Source, chain: Chain, known: Known, answer: Answer) -> Fetched:
    """
    Return a range with the logs of every child known now, asking only for those not asked yet.

    Raises:
        What `fetch` raises.
    """
    try:
        return await _completed(node, chain, known, answer)
    except Unproven:
        node.doubt(answer.piece.from_block, answer.piece.to_block)
        return await fetch(node, chain, known, answer.piece)


async def _completed(node: Source, chain: Chain, known: Known, answer: Answer) -> Fetched:
    answer, children, known = await _with_unasked(node, chain, known, answer)
    piece = answer.piece
    owners = _owners(piece, chain, answer.logs, known)
    is_ours = any_of(owners, len(answer.logs))
    logs = answer.logs
    if not is_ours.all():
        logs = logs.filter(is_ours)
        owners = {slug: mask.filter(is_ours) for slug, mask in owners.items()}
    carrying = set(logs["block_number"].unique())
    # Those of both ends too, whether they have logs or not. The last one's hash is stored, and one
    # answer alone may be wrong; the first one says which block this range continues.
    ends = {answer.last.number, *([piece.from_block] if piece.is_whole else [])}
    lacking = (carrying | ends) - set(answer.headers["number"])
    if lacking:
        more = await node.headers(lacking)
        answer = replace(answer, headers=pl.concat([answer.headers, more]).sort("number"))
    headers = answer.headers
    _check_hashes(logs, headers, answer.last)
    claim = _claim(piece, chain, known, answer.logs)
    proof, waiver = await prove(node, claim, headers, is_whole=piece.is_whole)
    if piece.is_settled:
        headers = headers.filter(pl.col("number").is_in(carrying))
    return Fetched(
        piece, logs, owners, headers, answer.last, children, known, proof, waiver, answer
    )


def _claim(piece: Piece, chain: Chain, known: Known, answer: pl.DataFrame) -> Claim:
    def ours(logs: pl.DataFrame) -> pl.DataFrame:
        return logs.filter(any_of(_owners(piece, chain, logs, known), len(logs)))

    declared = declared_by(piece.protocols, chain, known)
    low, high = piece.from_block, piece.to_block
    return Claim(chain, low, high, piece.proof, answer, ours, declared)


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
    is_sealed = piece.is_whole and piece.proof != "fetched"
    ask = node.sealed_headers if is_sealed else node.headers
    headers = await ask(range(piece.from_block, piece.to_block + 1))
    if not piece.is_whole:
        return headers
    parents = headers["hash"].shift()
    if piece.parent is not None:
        parents = pl.concat([pl.Series([piece.parent], dtype=pl.Binary), parents[1:]])
    broken = headers.filter(parents != headers["parent_hash"])
    if len(broken):
        raise _unlinked(broken["number"][0])
    return headers


def check_link(answer: Answer, parent: bytes | None) -> None:
    """
    Check that a range continues the block before it.

    Args:
        answer: the range.
        parent: hash of that block; None where it is not known.

    Raises:
        ChainMoved: it continues another one.
    """
    if parent is not None and parent_of(answer) not in (None, parent):
        raise _unlinked(answer.piece.from_block)


def parent_of(answer: Answer) -> bytes | None:
    """Return the hash of the block before a range; None where headers do not link."""
    first = answer.headers.filter(pl.col("number") == answer.piece.from_block)
    is_told = answer.piece.is_whole and len(first)
    return first["parent_hash"][0] if is_told else None


def _unlinked(number: int) -> ChainMoved:
    return ChainMoved(
        f"block {number} does not continue the block before it: expected headers that link by "
        "parent hash; a reorg is under way, or use another endpoint"
    )


async def _asked(
    node: Source, chain: Chain, known: Known, piece: Piece, headers: pl.DataFrame
) -> Answer:
    filters, unnamed = filters_of(piece, chain, known)
    logs, last = await node.logs(filters[0], piece.from_block, piece.to_block)
    for wanted in filters[1:]:
        logs = await _more(node, piece, wanted, logs, last)
    asked = frozenset(() if filters[0].others else filters[0].addresses)
    return Answer(piece, logs, last, headers, asked, unnamed)


def filters_of(piece: Piece, chain: Chain, known: Known) -> tuple[list[Filter], frozenset[str]]:
    """Return what a range is asked for with, and the protocols whose emitters are not named."""
    narrow = narrow_filters(piece.protocols, chain)
    whole = log_filter(piece.protocols, chain, known)
    if len(whole.addresses) <= piece.most_addresses:
        # A filter that names nobody would ask for everybody.
        return [whole, *narrow] if whole.addresses or not narrow else list(narrow), frozenset()
    named, unnamed = _named(piece, chain, known)
    filters = [log_filter(named, chain, known)] if named else []
    filters.append(replace(log_filter(unnamed, chain, known), addresses=()))
    return [*filters, *narrow], frozenset(protocol.slug for protocol in unnamed)


def _named(piece: Piece, chain: Chain, known: Known) -> tuple[list[Protocol], list[Protocol]]:
    # Those with few emitters first: their topics may be busy elsewhere on the chain.
    sizes = [len(log_filter([item], chain, known).addresses) for item in piece.protocols]
    named: list[Protocol] = []
    unnamed: list[Protocol] = []
    room = piece.most_addresses
    for size, _, protocol in sorted(zip(sizes, range(len(sizes)), piece.protocols, strict=True)):
        room -= size
        (named if room >= 0 else unnamed).append(protocol)
    return named, unnamed


async def _with_unasked(
    node: Source, chain: Chain, known: Known, answer: Answer
) -> tuple[Answer, pl.DataFrame, Known]:
    piece = answer.piece
    named = [protocol for protocol in piece.protocols if protocol.slug not in answer.open_to]
    children = known.contracts.clear()
    while True:
        if len(answer.logs):
            found = discovered(piece.protocols, chain, answer.logs, known)
            born = _born(found, children, known) if len(found) else children
            # A child lives from its birth on, and its birth may be in this very range.
            if not born.equals(children):
                children, known = born, with_children(known, born)
        unasked = tuple(sorted(_living(known, named, piece) - answer.asked))
        if not unasked:
            return answer, children, known
        wanted = replace(log_filter(named, chain, known), addresses=unasked)
        logs = await _more(node, piece, wanted, answer.logs, answer.last)
        answer = replace(answer, logs=logs, asked=answer.asked | set(unasked))


def _living(known: Known, protocols: Sequence[Protocol], piece: Piece) -> set[bytes]:
    slugs = [protocol.slug for protocol in protocols]
    here = pl.col("protocol").is_in(slugs) & (pl.col("from_block") <= piece.to_block)
    addresses = known.contracts.filter(here)["address"]
    return set(addresses.str.slice(2).str.decode("hex"))


async def _more(
    node: Source, piece: Piece, wanted: Filter, logs: pl.DataFrame, last: Header
) -> pl.DataFrame:
    more, again = await node.logs(wanted, piece.from_block, piece.to_block)
    _check_same(last, again.hash)
    if more.is_empty():
        return logs
    return in_order([logs, more])


def in_order(answers: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the logs of several answers in chain order, each once."""
    united = pl.concat(answers).unique(["tx_hash", "log_index"], keep="first")
    return united.sort("block_number", "tx_index", "log_index", "tx_hash")


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


def _check_same(last: Header, again: bytes) -> None:
    if again != last.hash:
        raise ChainMoved(f"block {last.number} changed between two answers; index again")


def _check_hashes(logs: pl.DataFrame, headers: pl.DataFrame, last: Header) -> None:
    for found in headers.filter(pl.col("number") == last.number)["hash"]:
        _check_same(last, found)
    seen = logs.select(number="block_number", told="block_hash").unique()
    odd = seen.join(headers, on="number", how="left").filter(
        pl.col("hash").is_null() | (pl.col("hash") != pl.col("told"))
    )
    if len(odd):
        raise ChainMoved(
            f"logs of block {odd['number'][0]} name the block 0x{odd['told'][0].hex()}, its header "
            "another: expected one hash; a reorg is under way, or use another endpoint"
        )

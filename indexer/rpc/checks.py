"""
What an eth_getLogs answer must satisfy before it is believed.

Nodes and balancers have answered with logs of other contracts, other ranges, orphaned blocks,
and with the same log twice. Every rule is one Polars expression that marks offending rows; the
first offender is named in the error.
"""

from dataclasses import dataclass
from typing import Any

import polars as pl

from indexer.errors import NodeAnswerWrong
from indexer.rpc.frames import Header


@dataclass(frozen=True)
class Filter:
    """
    Which logs are wanted: those of these contracts whose topics are among these.

    Attributes:
        addresses: 20 bytes each; empty for any contract.
        topic0s: 32 bytes each; empty for any event.
        others: further topics by place, from the second on; empty for any.
    """

    addresses: tuple[bytes, ...]
    topic0s: tuple[bytes, ...]
    others: tuple[tuple[bytes, ...], ...] = ()

    def query(self, from_block: int, to_block: int) -> dict[str, object]:
        """Return the eth_getLogs parameter for blocks `from_block` to `to_block`, inclusive."""
        query: dict[str, object] = {"fromBlock": hex(from_block), "toBlock": hex(to_block)}
        if self.addresses:
            query["address"] = [f"0x{address.hex()}" for address in self.addresses]
        if self.topic0s or self.others:
            query["topics"] = [
                [f"0x{topic.hex()}" for topic in topics] or None
                for topics in (self.topic0s, *self.others)
            ]
        return query

    def takes(self) -> pl.Expr:
        """Return whether a log of a `LOGS` frame is wanted."""
        topics = enumerate((self.topic0s, *self.others))
        wanted = {"address": self.addresses} | {f"topic{place}": some for place, some in topics}
        return pl.all_horizontal(
            pl.lit(value=True),
            *(
                pl.col(name).is_in(some).fill_null(value=False)
                for name, some in wanted.items()
                if some
            ),
        )


def check_logs(
    logs: pl.DataFrame, wanted: Filter, from_block: int, to_block: int, header: Header
) -> None:
    """
    Accept a sorted `LOGS` frame as the answer to `wanted` in the range, or raise.

    Args:
        logs: the answer.
        wanted: the filter it answers.
        from_block: first block of the range.
        to_block: last block of the range.
        header: the header of `to_block` from the same request.

    Raises:
        NodeAnswerWrong: a log is outside the range or the filter, appears twice, or is of
            another block than the one with its number.
    """
    rules = _rules(wanted, from_block, to_block, header)
    broken = logs.select(rule.any().alias(sentence) for sentence, rule in rules.items()).row(0)
    for (sentence, rule), is_broken in zip(rules.items(), broken, strict=True):
        if is_broken:
            raise _wrong(logs.filter(rule).row(0, named=True), sentence)


def _rules(wanted: Filter, from_block: int, to_block: int, header: Header) -> dict[str, pl.Expr]:
    number, block_hash = pl.col("block_number"), pl.col("block_hash")
    rules = {
        f"outside the blocks {from_block} to {to_block}": ~number.is_between(from_block, to_block),
        "twice": pl.struct("tx_hash", "log_index").is_duplicated(),
        f"of a block {to_block} other than the one with hash 0x{header.hash.hex()} it names": (
            (number == to_block) & (block_hash != header.hash)
        ),
        "of a block for which it also names another hash": (
            (number == number.shift()) & (block_hash != block_hash.shift())
        ),
    }
    if wanted.addresses:
        rules["of a contract that was not asked for"] = ~pl.col("address").is_in(wanted.addresses)
    if wanted.topic0s or wanted.others:
        rules["of an event that was not asked for"] = ~wanted.takes()
    return rules


def _wrong(log: dict[str, Any], sentence: str) -> NodeAnswerWrong:
    return NodeAnswerWrong(
        f"answered with a log {sentence} (block {log['block_number']}, transaction "
        f"0x{log['tx_hash'].hex()}, log {log['log_index']}, contract 0x{log['address'].hex()}); "
        "ask again or use another endpoint"
    )

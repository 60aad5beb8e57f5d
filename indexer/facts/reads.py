"""Facts from state that was read: the answers in `reads` become rows, today or years later."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from indexer.chains import Chain
from indexer.decode.columns import Decoded, decode
from indexer.facts.derive import Facts, Part, gathered
from indexer.facts.hexadecimal import fixed_bytes, hex_text
from indexer.facts.known import Known, policies
from indexer.facts.matching import Decodings
from indexer.facts.operands import leaves_of
from indexer.facts.questions import DUE, abi_functions, questions
from indexer.facts.routes import contracts_on
from indexer.facts.rows import rejects, rows_of
from indexer.facts.scope import Scope, taken
from indexer.spec import Arg, Protocol, Read

AVAILABLE = "available"

_FACT = ["block_number", "log_index"]
_QUESTION = ["read", "block_number", "call", "address", "input"]


def read_facts(
    protocols: Sequence[Protocol], chain: Chain, reads: pl.DataFrame, known: Known
) -> Facts:
    """
    Return the facts that answers state.

    Args:
        protocols: whose declarations to apply.
        chain: where the answers are from.
        reads: rows of `reads`.
        known: what is known of the chain, the declarations' own knowledge included.
    """
    return gathered(
        [
            _part(read, protocol, chain, told, known)
            for protocol in protocols
            for read in protocol.reads
            if len(told := _told(read, protocol, chain, reads, known))
        ]
    )


def together(found: Facts, read: Facts) -> Facts:
    """Return the facts of logs and those that were read as one."""
    tables = {name: pl.concat([rows, read.tables[name]]) for name, rows in found.tables.items()}
    return replace(
        found,
        tables=tables,
        rejects=pl.concat([found.rejects, read.rejects]),
        unknown_tokens=tuple(sorted({*found.unknown_tokens, *read.unknown_tokens})),
    )


def _told(
    read: Read, protocol: Protocol, chain: Chain, reads: pl.DataFrame, known: Known
) -> pl.DataFrame:
    """Return the answers of a read whose calls were all answered, with the contract it is about."""
    of_read = (pl.col("protocol") == protocol.slug) & (pl.col("read") == read.name)
    is_answered = (pl.col("state") == AVAILABLE).all() & (pl.len() == len(read.calls))
    is_whole = is_answered.over("protocol", *_FACT)
    own = reads.filter(of_read & is_whole)
    if own.is_empty():
        return own
    asked = questions(protocol, chain, known, own.select(*DUE).unique("block_number"))
    about = asked.select(*_QUESTION, "emitter", "contract", "version")
    return own.join(about, on=_QUESTION).sort(*_FACT, descending=[False, True])


def _part(read: Read, protocol: Protocol, chain: Chain, told: pl.DataFrame, known: Known) -> Part:
    frame = _frame(told.filter(pl.col("call") == read.calls[0].function))
    refused, columns, good = [], {}, np.ones(len(frame), dtype=np.bool_)
    for function, decoded in _decoded(read, told).items():
        bad = sorted(decoded.reasons)
        reasons = pl.Series([f"{function}: {decoded.reasons[row]}" for row in bad], dtype=pl.String)
        refused.append(rejects(frame[bad], read.name, None, reasons))
        columns.update(decoded.columns)
        good &= decoded.accepted
    kept = np.flatnonzero(good)
    accepted = {name: taken(column, kept) for name, column in columns.items()}
    scope = _scope(protocol, chain, Decodings(frame[kept], accepted), known)
    rows, unfit = rows_of(read, scope, 0)
    return Part({read.into: [rows]}, [*refused, unfit], missing=scope.missing)


def _frame(told: pl.DataFrame) -> pl.DataFrame:
    return told.with_columns(
        hex_text(fixed_bytes(told["block_hash"], 32)).alias("tx_text"), address="emitter"
    )


def _decoded(read: Read, told: pl.DataFrame) -> dict[str, Decoded]:
    names = {leaf.name for leaf in leaves_of(read) if isinstance(leaf, Arg)}
    decoded = {}
    for function in (call.function for call in read.calls):
        wanted = [name for name in names if name.partition(".")[0] == function]
        answers = told.filter(pl.col("call") == function).select(data="answer")
        decoded[function] = decode(abi_functions(read.abi)[function].answer, wanted, answers)
    return decoded


def _scope(protocol: Protocol, chain: Chain, good: Decodings, known: Known) -> Scope:
    return Scope(
        frame=good.frame,
        columns=good.columns,
        matches={},
        contracts=contracts_on(protocol, chain),
        known=replace(known, markets=known.markets.filter(pl.col("protocol") == protocol.slug)),
        policies=policies([protocol]),
        ambiguous=np.zeros(len(good.frame), dtype=np.bool_),
    )

"""
What a declaration's reads ask of a block: questions that depend on the chain alone.

A read is asked of every contract with its ABI that is there at the block. Questions are rows of
`reads` that have no answer yet.
"""

import json
from functools import cache

import polars as pl

from indexer.chains import Chain
from indexer.decode.abi import canonical
from indexer.decode.functions import FunctionAbi, function_abis
from indexer.facts.known import Known
from indexer.facts.routes import abi_text, contracts_on, emitter_rows, octets
from indexer.spec import Call, Const, Contract, Emitter, Int, OfContract, Protocol, Read
from indexer.tables import columns_of

DUE = {
    "read": pl.String(),
    "block_number": pl.Int64(),
    "block_hash": pl.Binary(),
    "block_timestamp": pl.Datetime("us"),
}
"""At which blocks which read of a protocol is due."""

ANSWER = ("answer", "state", "detail")

ASKED = {
    **{name: dtype for name, dtype in columns_of("reads").items() if name not in ANSWER},
    "emitter": pl.Binary(),
    "contract": pl.Int64(),
    "version": pl.String(),
}
"""Columns of a question: those of `reads`, then the contract that the read is about."""

_CALLS = pl.List(pl.Struct({"call": pl.String, "address": pl.Binary, "input": pl.Binary}))


@cache
def abi_functions(name: str) -> dict[str, FunctionAbi]:
    """Return the functions of `abis/<name>.json` by name."""
    return function_abis(json.loads(abi_text(name)))


def readable_from(read: Read, protocol: Protocol, chain: Chain, known: Known) -> int | None:
    """Return the first block at which the read has a contract to ask; None while there is none."""
    born = _contracts(read, protocol, chain, known)["from_block"].min()
    return born if isinstance(born, int) else None


def questions(protocol: Protocol, chain: Chain, known: Known, due: pl.DataFrame) -> pl.DataFrame:
    """
    Return the questions of a protocol's reads, as an `ASKED` frame.

    Args:
        protocol: whose reads.
        chain: where.
        known: children of the chain.
        due: `DUE` frame.

    Returns:
        In order of block, declaration and contract, which is what `log_index` counts down.
    """
    wanted = set(due["read"])
    parts = [
        _items(read, protocol, chain, known, due).with_columns(place=pl.lit(place))
        for place, read in enumerate(protocol.reads)
        if read.name in wanted
    ]
    if sum(map(len, parts)) == 0:
        return pl.DataFrame(schema=ASKED)
    number = -1 - pl.int_range(pl.len(), dtype=pl.Int32).over("block_number")
    return (
        pl.concat(parts)
        .sort("block_number", "place", "emitter", "contract", nulls_last=True)
        .with_columns(
            chain_id=pl.lit(chain.chain_id), protocol=pl.lit(protocol.slug), log_index=number
        )
        .explode("calls")
        .unnest("calls")
        .select(pl.col(name).cast(dtype) for name, dtype in ASKED.items())
    )


def _contracts(read: Read, protocol: Protocol, chain: Chain, known: Known) -> pl.DataFrame:
    rows = emitter_rows([protocol], chain, known).filter(pl.col("abi") == read.abi)
    return rows.select("from_block", "to_block", "version", "contract", emitter="address")


def _items(
    read: Read, protocol: Protocol, chain: Chain, known: Known, due: pl.DataFrame
) -> pl.DataFrame:
    declared = contracts_on(protocol, chain)
    rows = _contracts(read, protocol, chain, known)
    calls = [
        [_asked(call, read, emitter, None if at is None else declared[at]) for call in read.calls]
        for emitter, at in rows.select("emitter", "contract").iter_rows()
    ]
    is_there = pl.col("block_number").is_between(
        pl.col("from_block"), pl.col("to_block").fill_null(2**62)
    )
    return (
        due.filter(pl.col("read") == read.name)
        .join(rows.with_columns(pl.Series("calls", calls, _CALLS)), how="cross")
        .filter(is_there)
    )


def _asked(
    call: Call, read: Read, emitter: bytes, contract: Contract | None
) -> dict[str, str | bytes]:
    # Only some protocols have reads, and it takes a tenth of a second to load.
    from eth_abi.abi import encode

    function = abi_functions(read.abi)[call.function]
    types = [canonical(parameter) for parameter in function.question.inputs]
    arguments = [
        _argument(value, kind, emitter, contract)
        for value, kind in zip(call.args, types, strict=True)
    ]
    return {
        "call": call.function,
        "address": _asked_whom(call, emitter, contract),
        "input": (function.selector if call.has_selector else b"") + encode(types, arguments),
    }


def _asked_whom(call: Call, emitter: bytes, contract: Contract | None) -> bytes:
    match call.to:
        case None:
            return emitter
        case OfContract(name):
            return octets(str(_said(contract, name)))
        case address:
            return octets(address)


def _said(contract: Contract | None, name: str) -> object:
    if contract is None:
        raise ValueError(f"a discovered contract declares no {name} to be asked with")
    return contract.says[name]


def _argument(
    value: Int | Const | OfContract | Emitter | tuple[Int, ...],
    kind: str,
    emitter: bytes,
    contract: Contract | None,
) -> object:
    match value:
        case tuple():
            return [one.value for one in value]
        case Emitter():
            return f"0x{emitter.hex()}"
        case OfContract(name):
            return _octets(kind, _said(contract, name))
        case Int(constant) | Const(constant):
            return _octets(kind, constant)


def _octets(kind: str, value: object) -> object:
    is_text = kind.startswith("bytes") and isinstance(value, str)
    return bytes.fromhex(str(value).removeprefix("0x")) if is_text else value

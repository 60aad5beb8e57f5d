"""Entries and the declaration that says what they mean to fact rows, by the engine of the logs."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from indexer.chains import Chain
from indexer.decode.columns import Column
from indexer.facts.known import declared, policies
from indexer.facts.rows import rows_of
from indexer.facts.scope import Scope
from indexer.imports.batches import Batch
from indexer.imports.reading import Reading
from indexer.spec import Protocol
from indexer.tables import empty

_WORD, _HALF = 32, 16


@dataclass(frozen=True)
class Rows:
    """
    What a batch states.

    Attributes:
        tables: table -> its rows, each with the `line` it is of.
        rejects: rows of `rejects`; `tx_hash` is the file and the line.
    """

    tables: Mapping[str, pl.DataFrame]
    rejects: pl.DataFrame


def derived(protocol: Protocol, chain: Chain, reading: Reading, batch: Batch, file: str) -> Rows:
    """
    Return what the declaration makes of a batch.

    Args:
        protocol: whose declaration to apply.
        chain: the venue.
        reading: what the file is.
        batch: some of its entries.
        file: the name of their file.
    """
    scope = _scope(protocol, chain, batch)
    tables: dict[str, list[pl.DataFrame]] = {}
    refused = [_refused(protocol, chain, reading, batch, file)]
    for one in protocol.entries:
        if one.name != reading.entry or one.chain != chain or not len(scope):
            continue
        place = len(tables.setdefault(one.into, []))
        rows, unfit = rows_of(one, scope, place)
        tables[one.into].append(rows)
        refused.append(_rejects(unfit, reading, file))
    return Rows({name: pl.concat(rows) for name, rows in tables.items()}, pl.concat(refused))


def _scope(protocol: Protocol, chain: Chain, batch: Batch) -> Scope:
    known = declared([protocol], chain)
    return Scope(
        frame=batch.place.with_columns(
            chain_id=pl.lit(chain.chain_id, pl.Int64),
            protocol=pl.lit(protocol.slug),
            contract=pl.lit(None, pl.Int64),
            version=pl.lit(None, pl.String),
        ),
        columns={name: _column(batch.fields[name]) for name in batch.fields.columns},
        matches={},
        contracts=(),
        known=known,
        policies=policies([protocol]),
        ambiguous=np.zeros(len(batch.place), dtype=np.bool_),
    )


def _column(series: pl.Series) -> Column:
    present = series.is_not_null().to_numpy()
    signed = np.zeros(len(series), dtype=np.bool_)
    if series.dtype == pl.String:
        return Column("string", None, series, present, signed)
    words = np.zeros((len(series), _WORD), dtype=np.uint8)
    if series.dtype == pl.Boolean:
        words[:, -1] = series.fill_null(value=False).to_numpy()
        return Column("bool", words, None, present, signed)
    # 128 bits, lowest byte first, are the integer of 1e-18; its sign fills the rest of the word.
    units = series.fill_null(0).rechunk().to_arrow()
    octets = np.frombuffer(units.buffers()[1], np.uint8).reshape(-1, _HALF)
    words[:, _HALF:] = octets[units.offset : units.offset + len(series), ::-1]
    words[:, :_HALF] = np.where(words[:, _HALF : _HALF + 1] >= 0x80, 0xFF, 0)
    return Column("int", words, None, present, ~signed)


def _refused(
    protocol: Protocol, chain: Chain, reading: Reading, batch: Batch, file: str
) -> pl.DataFrame:
    told = batch.refused.with_columns(
        chain_id=pl.lit(chain.chain_id, pl.Int64),
        block_number=pl.lit(0, pl.Int64),
        protocol=pl.lit(protocol.slug),
        fact=pl.lit(None, pl.String),
    )
    return _rejects(told, reading, file)


def _rejects(told: pl.DataFrame, reading: Reading, file: str) -> pl.DataFrame:
    place = pl.format("{}, line {}", pl.lit(file), pl.col("line"))
    return told.with_columns(
        event=pl.lit(reading.kind), tx_hash=place, log_index=pl.col("line").cast(pl.Int32)
    ).select(*empty("rejects").columns)

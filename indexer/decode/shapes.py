"""Events that one contract emits in several shapes: equal types, other arguments indexed."""

from collections.abc import Collection, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from indexer.decode.abi import EventAbi
from indexer.decode.columns import Column, Decoded, decode

_TOPICS = ("topic1", "topic2", "topic3")


def decode_shapes(event: EventAbi, wanted: Collection[str], logs: pl.DataFrame) -> Decoded:
    """
    Return the wanted arguments of logs of one event or its twins, each as its topics are many.

    Args:
        event: what the logs are; they were chosen by its topic0.
        wanted: argument names, as for `decode`; the twins have the same.
        logs: frame LOGS: topic0..topic3 Binary(32) or null, data Binary.

    Raises:
        ValueError: the event or a twin has no such argument.
    """
    if not event.twins:
        return decode(event, wanted, logs)
    shapes = (event, *event.twins)
    counts = logs.select(pl.sum_horizontal(pl.col(*_TOPICS).is_not_null())).to_series().to_numpy()
    places = [np.flatnonzero(counts == shape.indexed_count) for shape in shapes]
    # What has the topics of none is refused as the first would refuse it.
    others = np.setdiff1d(np.arange(len(logs)), np.concatenate(places))
    places[0] = np.concatenate([places[0], others])
    parts = [decode(shape, wanted, logs[at]) for shape, at in zip(shapes, places, strict=True)]
    return _together(parts, places, wanted)


def _together(
    parts: Sequence[Decoded], places: Sequence[NDArray[np.int64]], wanted: Collection[str]
) -> Decoded:
    order = np.argsort(np.concatenate(places), kind="stable")
    columns = {name: stacked([part.columns[name] for part in parts]) for name in wanted}
    reasons = {
        int(at[row]): reason
        for part, at in zip(parts, places, strict=True)
        for row, reason in part.reasons.items()
    }
    return Decoded(
        {name: _ordered(column, order) for name, column in columns.items()},
        np.concatenate([part.accepted for part in parts])[order],
        reasons,
    )


def stacked(columns: Sequence[Column]) -> Column:
    """Return the rows of columns of one argument as one column, in order."""
    words = [column.words for column in columns if column.words is not None]
    values = [column.values for column in columns if column.values is not None]
    return Column(
        kind=columns[0].kind,
        words=np.concatenate(words) if words else None,
        values=pl.concat(values) if values else None,
        present=np.concatenate([column.present for column in columns]),
        signed=np.concatenate([column.signed for column in columns]),
        width=columns[0].width,
    )


def _ordered(column: Column, order: NDArray[np.int64]) -> Column:
    return Column(
        column.kind,
        None if column.words is None else column.words[order],
        None if column.values is None else column.values.gather(order),
        column.present[order],
        column.signed[order],
        column.width,
    )

"""Slices of words: fields that an emitter packs into one argument."""

import numpy as np

from indexer.decode.columns import Column
from indexer.facts.scope import Scope, column_of
from indexer.spec import Bits

_WORD_BITS = 256


def sliced(bits: Bits, scope: Scope) -> Column:
    """
    Return the slice of each row's word as a column of the argument's own kind, unsigned.

    Raises:
        TypeError: the argument has no words: it is bytes or a string.
    """
    column = column_of(bits.value, scope)
    if column.words is None:
        raise TypeError(f"a {column.kind} argument has no word to slice: say a bytes32 or a number")
    end = _WORD_BITS - bits.at
    part = np.unpackbits(column.words, axis=1)[:, end - bits.count : end]
    whole = np.zeros((len(part), _WORD_BITS), np.uint8)
    whole[:, _WORD_BITS - bits.count :] = part
    none = np.zeros(len(part), np.bool_)
    return Column(column.kind, np.packbits(whole, axis=1), None, column.present, none)

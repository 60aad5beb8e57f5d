"""Conditions on a log: true, or false; a condition on a value that is not there is false."""

from collections.abc import Callable

import numpy as np
import polars as pl

from indexer.facts import flags, integers, texts
from indexer.facts.operands import match_key
from indexer.facts.scope import Mask, Scope, on
from indexer.spec import (
    All,
    Arg,
    Companion,
    Condition,
    Equals,
    Exists,
    IsNegative,
    IsTrue,
    Nonzero,
    Not,
    OfContract,
    OneOf,
    Value,
    When,
)


def holding(condition: Condition, scope: Scope) -> Mask:
    """Return the rows on which the condition holds."""
    match condition:
        case Equals(value, constant):
            return _equal(value, constant, scope)
        case OneOf(value, constants):
            hits = np.stack([_equal(value, constant, scope) for constant in constants])
            return np.asarray(hits.any(axis=0))
        case IsTrue(value):
            return _mask(flags.flags(value, scope))
        case IsNegative(value):
            operand = integers.integers(value, scope)
            return operand.present & operand.value.negative
        case Nonzero(value):
            operand = integers.integers(value, scope)
            return operand.present & _is_nonzero(operand)
        case Exists(value):
            return _existing(value, scope)
        case Not(inner):
            return ~holding(inner, scope)
        case All(conditions):
            return np.asarray(np.stack([holding(one, scope) for one in conditions]).all(axis=0))


def either(value: When, scope: Scope, read: Callable[[Value | None], pl.Series]) -> pl.Series:
    """Return one branch or the other; what is wrong with rows of the other is no fault."""
    holds = holding(value.condition, scope)
    then = on(holds, scope, lambda: read(value.then))
    otherwise = on(~holds, scope, lambda: read(value.otherwise))
    return then.zip_with(pl.Series(holds), otherwise)


def _is_nonzero(operand: "integers.Integers") -> Mask:
    # What does not fit has no magnitude, but zero it is not: the row's columns refuse it.
    return np.asarray(operand.value.magnitude.any(axis=0) | ~operand.value.fits)


def _existing(value: Arg | Companion, scope: Scope) -> Mask:
    if isinstance(value, Arg):
        return scope.columns[value.name].present
    return scope.matches[match_key(value)].rows >= 0


def _equal(value: Value, constant: int | str | bool | OfContract, scope: Scope) -> Mask:
    if isinstance(constant, bool):
        return _mask(flags.flags(value, scope) == constant)
    if isinstance(constant, int):
        return _equal_integer(value, constant, scope)
    if isinstance(constant, str):
        return _mask(texts.texts(value, scope) == constant)
    return _mask(texts.texts(value, scope) == texts.texts(constant, scope))


def _equal_integer(value: Value, constant: int, scope: Scope) -> Mask:
    operand = integers.integers(value, scope)
    limbs = [abs(constant) >> 64 * limb & 0xFFFF_FFFF_FFFF_FFFF for limb in range(4)]
    same = (operand.value.magnitude == np.array(limbs, dtype=np.uint64)[:, None]).all(axis=0)
    sign = operand.value.negative == (constant < 0)
    equal: Mask = operand.present & operand.value.fits & same & (sign | (constant == 0))
    return equal


def _mask(series: pl.Series) -> Mask:
    mask: Mask = series.fill_null(value=False).to_numpy()
    return mask

"""Integer expressions: exact 256-bit values with a mask of the rows that have one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.decode.columns import Column
from indexer.decode.int256 import Int256, add, from_column, from_int, multiply, negate
from indexer.facts import conditions
from indexer.facts.bits import sliced
from indexer.facts.operands import match_key
from indexer.facts.scope import Mask, Scope, column_of, note_kind
from indexer.spec import (
    Abs,
    Arg,
    Bits,
    Companion,
    First,
    Int,
    Neg,
    OfContract,
    Positive,
    Product,
    Sum,
    Value,
    When,
)


@dataclass(frozen=True)
class Integers:
    """256-bit values and where they are present; absent rows hold zero."""

    value: Int256
    present: Mask


def integers(value: Value | None, scope: Scope) -> Integers:
    """
    Return the integers of an expression.

    Raises:
        TypeError: the expression is not an integer one.
    """
    match value:
        case None:
            return Integers(from_int(0, len(scope)), np.zeros(len(scope), dtype=np.bool_))
        case str():
            return integers(Arg(value), scope)
        case Arg(name, absent):
            return _or(
                _of_column(scope.columns[name], scope), absent, np.ones(len(scope), dtype=np.bool_)
            )
        case Companion(absent=absent):
            found = scope.matches[match_key(value)].rows >= 0
            return _or(_of_column(column_of(value, scope), scope), absent, found)
        case Bits():
            return _of_column(sliced(value, scope), scope)
        case Int(constant):
            return Integers(from_int(constant, len(scope)), np.ones(len(scope), dtype=np.bool_))
        case OfContract(name):
            return _said(scope, name)
        case First(values):
            first, *others = (integers(one, scope) for one in values)
            for other in others:
                first = chosen(first.present, first, other)
            return first
        case When(condition, then, otherwise):
            holds = conditions.holding(condition, scope)
            return chosen(holds, integers(then, scope), integers(otherwise, scope))
        case _:
            return _computed(value, scope)


def _computed(value: Value, scope: Scope) -> Integers:
    match value:
        case Sum(terms):
            total, *others = (integers(term, scope) for term in terms)
            for other in others:
                total = Integers(add(total.value, other.value), total.present & other.present)
            return total
        case Product(left, right):
            a, b = integers(left, scope), integers(right, scope)
            return Integers(multiply(a.value, b.value), a.present & b.present)
        case Neg(one):
            operand = integers(one, scope)
            return Integers(negate(operand.value), operand.present)
        case Abs(one):
            operand = integers(one, scope)
            opposite = Integers(negate(operand.value), operand.present)
            return chosen(operand.value.negative, opposite, operand)
        case Positive(one):
            operand = integers(one, scope)
            zero = Integers(from_int(0, len(scope)), operand.present)
            return chosen(operand.value.negative, zero, operand)
    raise TypeError(f"{type(value).__name__} is not an integer expression")


def chosen(mask: Mask, then: Integers, otherwise: Integers) -> Integers:
    """Return `then` where the mask holds, else `otherwise`."""
    a, b = then.value, otherwise.value
    return Integers(
        Int256(
            np.where(mask, a.magnitude, b.magnitude),
            np.where(mask, a.negative, b.negative),
            np.where(mask, a.fits, b.fits),
        ),
        np.where(mask, then.present, otherwise.present),
    )


def _of_column(column: Column, scope: Scope) -> Integers:
    if column.words is None:
        note_kind(scope, column, "number")
        return integers(None, scope)
    return Integers(from_column(column), column.present)


def _or(found: Integers, absent: int | None, meant: Mask) -> Integers:
    if absent is None or found.present.all():
        return found
    constant = Integers(from_int(absent, len(meant)), meant)
    return chosen(found.present, found, constant)


def _said(scope: Scope, name: str) -> Integers:
    said = [contract.says.get(name) for contract in scope.contracts]
    # The last place answers for logs of no declared contract, whose row is -1.
    known = np.array([*(one is not None for one in said), False])
    worth = np.array([*(one or 0 for one in said), 0], dtype=np.uint64)
    rows: NDArray[np.int64] = scope.frame["contract"].fill_null(-1).to_numpy()
    present = known[rows]
    magnitude = np.zeros((4, len(rows)), dtype=np.uint64)
    magnitude[0] = worth[rows]
    none = np.zeros(len(rows), dtype=np.bool_)
    return Integers(Int256(magnitude, none, ~none), present)

"""Number columns: integers scaled once to DECIMAL(38,18), truncated toward zero at 1e-18."""

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from indexer.arrow import series_of
from indexer.decode.int256 import Int256, decimal, fixed, from_int, multiply, python_integers
from indexer.decode.quotients import quotient
from indexer.decode.roots import sqrt_price
from indexer.decode.ticks import tick_price
from indexer.facts import conditions
from indexer.facts.integers import Integers, integers
from indexer.facts.scope import (
    Fault,
    Mask,
    Places,
    Scope,
    blame,
    column_of,
    first_of,
    narrowed,
    only,
)
from indexer.facts.texts import mapped, note_missing, texts
from indexer.facts.wholes import LARGEST
from indexer.spec import (
    Amount,
    Arg,
    Decimals,
    DecimalsFirst,
    DecimalsOf,
    DecimalsSaid,
    First,
    Fixed,
    OfContract,
    OfMarket,
    Quotient,
    Share,
    SqrtPrice,
    TickPrice,
    Value,
    When,
)
from indexer.tables import DECIMAL


def numbers(value: Value | None, scope: Scope) -> pl.Series:
    """
    Return the expression as DECIMAL(38,18); null where an operand is not there.

    Values that do not fit and tokens of unknown decimals become faults of their rows.

    Raises:
        TypeError: the expression is not a number.
    """
    match value:
        case None:
            return pl.Series([None] * len(scope), dtype=DECIMAL)
        case Fixed(Arg() | str() as plain, int() as places, 1):
            return _fused(plain, places, scope)
        case Fixed(Quotient() as ratio, places, over):
            return _divided(ratio, _places(places, scope), over, scope)
        case Amount(Quotient() as ratio, token):
            return _divided(ratio, _places(DecimalsOf(token), scope), 1, scope)
        case Fixed(of, places, over):
            return _scaled(integers(of, scope), _places(places, scope), over, scope)
        case Amount(of, token):
            return _scaled(integers(of, scope), _places(DecimalsOf(token), scope), 1, scope)
        case SqrtPrice():
            return _rooted(value, scope)
        case TickPrice():
            return _ticked(value, scope)
        case Share(of, kind):
            return _shared(of, kind, scope)
        case First(values):
            return first_of(values, scope, lambda one: numbers(one, scope))
        case When():
            return conditions.either(value, scope, lambda one: numbers(one, scope))
    raise TypeError(f"{type(value).__name__} is not a number: say Fixed, Amount or SqrtPrice")


def _fused(plain: "Arg | str", places: int, scope: Scope) -> pl.Series:
    arg = Arg(plain) if isinstance(plain, str) else plain
    column = column_of(arg, scope)
    if arg.absent is not None or column.words is None or not column.present.all():
        return _scaled(integers(arg, scope), (places, np.True_), 1, scope)
    array, fits = fixed(column, places)
    return _series(array, column.present, fits, scope)


def _scaled(operand: Integers, places: Places, over: int, scope: Scope) -> pl.Series:
    number, known = places
    array, fits = decimal(operand.value, number, over)
    return _series(array, operand.present & known, fits, scope)


def _divided(ratio: Quotient, places: Places, over: int, scope: Scope) -> pl.Series:
    left, right = integers(ratio.left, scope), integers(ratio.right, scope)
    number, known = places
    array, fits, defined = quotient(left.value, right.value, number, over)
    return _series(array, left.present & right.present & known & defined, fits, scope)


def _series(array: pa.Array, present: Mask, fits: Mask, scope: Scope) -> pl.Series:
    if not (present & ~fits).any() and present.all():
        return series_of(array)
    if (present & ~fits).any():
        scope.faults.append((present & ~fits, "the value does not fit DECIMAL(38,18)"))
    return only(series_of(array), present & fits)


def _rooted(value: SqrtPrice, scope: Scope) -> pl.Series:
    root = integers(value.value, scope)
    shift, is_known = _shift(value, scope)
    array, fits = sqrt_price(root.value, shift, is_inverse=value.of == "token1")
    return _series(array, root.present & is_known, fits, scope)


def _ticked(value: TickPrice, scope: Scope) -> pl.Series:
    added = integers(value.value, scope)
    ticks = [total // value.seconds for total in python_integers(added.value)]
    shift, is_known = _shift(value, scope)
    array, fits = tick_price(ticks, shift.tolist(), is_inverse=value.of == "token1")
    if value.is_end:
        return only(series_of(array), added.present & is_known & fits)
    return _series(array, added.present & is_known, fits, scope)


def _shift(value: SqrtPrice | TickPrice, scope: Scope) -> tuple[NDArray[np.int64], Mask]:
    """Return the decimals of the priced token less those of the other, and where both are known."""
    first, is_known = _every(_places(value.decimals0, scope), scope)
    second, is_sure = _every(_places(value.decimals1, scope), scope)
    shift = second - first if value.of == "token1" else first - second
    return shift, is_known & is_sure


def _every(places: Places, scope: Scope) -> tuple[NDArray[np.int64], Mask]:
    number, known = places
    return np.full(len(scope), number, dtype=np.int64), np.full(len(scope), known)


def _places(places: Decimals, scope: Scope) -> Places:
    if isinstance(places, int):
        return places, np.True_
    if isinstance(places, OfContract):
        return _said_places(DecimalsSaid(places), scope)
    if isinstance(places, DecimalsSaid):
        return _said_places(places, scope)
    if isinstance(places, DecimalsFirst):
        return _first_places(places, scope)
    # Several amounts of a row are in the same token.
    key, before = repr(places), len(scope.faults)
    if key not in scope.decimals:
        found = _token_places(places, scope)
        scope.decimals[key] = found, scope.faults[before:]
    found, faults = scope.decimals[key]
    # Each amount has them: a branch keeps those of its own rows.
    scope.faults[before:] = faults
    return found


def _token_places(places: DecimalsOf, scope: Scope) -> Places:
    addresses = texts(places.token, scope)
    tokens = scope.known.tokens
    found = mapped(addresses, tokens["address"], tokens["decimals"].cast(pl.Int64))
    known = found.is_not_null().to_numpy()
    if not known.all():
        note_missing(scope, addresses)
        _blame(places.token, addresses, known, scope)
    plus, sure = _places(places.plus, scope)
    return plus + places.times * found.fill_null(0).to_numpy(), known & sure


def _blame(token: Value, addresses: pl.Series, known: Mask, scope: Scope) -> None:
    named = addresses.is_not_null().to_numpy()
    if (~named).any():
        if isinstance(token, OfMarket):
            markets = texts(token.key, scope)
            nameless = ~named & markets.is_not_null().to_numpy()
            what = token.take.replace("_", " ")
            blame(scope, nameless, f"the {what} of {{}} is not known", markets)
        scope.faults.append((~named, "which token the amount is in is not known"))
    blame(scope, named & ~known, "decimals of token {} are not known", addresses)


def _said_places(places: DecimalsSaid, scope: Scope) -> Places:
    said = integers(places.value, scope)
    low, *high = said.value.magnitude
    # Beyond it amounts are nothing, or fit nowhere, whatever the number is.
    number = np.where(np.any(high, axis=0) | (low > LARGEST), LARGEST, low).astype(np.int64)
    signed = np.where(said.value.negative, -number, number)
    return places.plus + places.times * signed, said.present


def _first_places(places: DecimalsFirst, scope: Scope) -> Places:
    number, known = np.zeros(len(scope), np.int64), np.zeros(len(scope), np.bool_)
    faults: list[Fault] = []
    for choice in places.choices:
        rows = np.flatnonzero(~known)
        # Only what is still unknown: nobody is to be asked for decimals that are said already.
        part = narrowed(scope, ~known)
        number[rows], known[rows] = _places(choice, part)
        faults += [_spread(fault, rows, len(scope)) for fault in part.faults]
    scope.faults.extend((mask & ~known, why) for mask, why in faults)
    return number, known


def _spread(fault: Fault, rows: NDArray[np.int64], length: int) -> Fault:
    mask, reasons = np.zeros(length, np.bool_), np.full(length, None, dtype=object)
    mask[rows], reasons[rows] = fault
    return mask, reasons


def _shared(of: "Fixed | Amount", kind: str, scope: Scope) -> pl.Series:
    share, known = _policy(kind, scope)
    places = of.decimals if isinstance(of, Fixed) else DecimalsOf(of.token)
    over = of.over if isinstance(of, Fixed) else 1
    number, sure = _every(_places(places, scope), scope)
    whole = integers(of.value, scope)
    part = Integers(multiply(whole.value, share), whole.present & known & sure)
    return _scaled(part, (number + 18, np.True_), over, scope)


def _policy(kind: str, scope: Scope) -> tuple[Int256, Mask]:
    rows = scope.policies.filter(pl.col("kind") == kind).sort("valid_from")
    value = from_int(0, len(scope))
    known = np.zeros(len(scope), dtype=np.bool_)
    for share, start in rows.select("value", "valid_from").iter_rows():
        since = (scope.frame["block_timestamp"] >= start).fill_null(value=False).to_numpy()
        value.magnitude[0][since] = int(share.scaleb(18))
        known |= since
    return value, known

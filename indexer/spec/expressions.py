"""The expressions of a declaration: what a column holds and which logs count."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.spec.arguments import Arg, Companion, Emitter, OfContract


@dataclass(frozen=True)
class Bits:
    """
    A slice of a word: a field that is packed with others into one argument.

    Attributes:
        value: the argument; a number is taken as its two's complement.
        at: the slice's lowest bit, counted from the low end of the word.
        count: how many bits it has.

    Of a number it is an unsigned integer. Of bytes or an address it is that too, and as text it
    is lower-case 0x hex of as many bytes as it fills.
    """

    value: str | Arg | Companion
    at: int
    count: int


@dataclass(frozen=True)
class OfMarket:
    """A column of `markets` for the market that `key` names; null while the market is unknown."""

    key: "Value"
    take: Literal[
        "symbol", "quote", "index_token", "long_token", "short_token", "parent", "borrower"
    ]


@dataclass(frozen=True)
class SymbolOf:
    """The symbol of the token at an address; null while unknown."""

    token: "Value"


@dataclass(frozen=True)
class AddressAt:
    """
    The address that fills a 32-byte word of a bytes argument, counted from 0.

    Null where the bytes are too short or the word is more than an address.
    """

    value: "Value"
    word: int


@dataclass(frozen=True)
class FlagAt:
    """
    The flag that fills a 32-byte word of a bytes argument, counted from 0.

    Null where the bytes are too short or the word is neither 0 nor 1.
    """

    value: "Value"
    word: int


@dataclass(frozen=True)
class Ascii:
    """A bytes32 that holds text, without its trailing zeros."""

    value: "Value"


@dataclass(frozen=True)
class Lookup:
    """A constant chosen by the value; a value outside the table rejects the row."""

    value: "Value"
    table: "Mapping[int, str | int | bool] | Mapping[str, str | int | bool]"


@dataclass(frozen=True)
class Const:
    """The same text or flag on every row."""

    value: str | bool


@dataclass(frozen=True)
class Int:
    """The same integer on every row."""

    value: int


@dataclass(frozen=True)
class First:
    """The first value that is present: how shapes of different versions meet in one column."""

    values: "tuple[Value, ...]"


@dataclass(frozen=True)
class Sum:
    """The sum of integers."""

    terms: "tuple[Value, ...]"


@dataclass(frozen=True)
class Neg:
    """The integer with its sign turned."""

    value: "Value"


@dataclass(frozen=True)
class Abs:
    """The integer without its sign."""

    value: "Value"


@dataclass(frozen=True)
class Positive:
    """The integer where it is above zero, else zero."""

    value: "Value"


@dataclass(frozen=True)
class Product:
    """The product of two integers, exact to 256 bits; more rejects the row."""

    left: "Value"
    right: "Value"


@dataclass(frozen=True)
class Quotient:
    """
    The quotient of two integers, inside `Fixed` or `Amount` only; exact until truncated there.

    By zero it is null: what one of no shares is worth is not known.
    """

    left: "Value"
    right: "Value"


@dataclass(frozen=True)
class DecimalsOf:
    """
    `plus + times * decimals(token)`; an unknown token rejects the row.

    `plus` may be of another token: a price of one per the other has the difference.
    """

    token: "Value"
    plus: "int | DecimalsOf | DecimalsSaid" = 0
    times: int = 1


@dataclass(frozen=True)
class DecimalsSaid:
    """`plus + times * value`, where the row itself holds the number of decimals, or an exponent."""

    value: "Value"
    plus: int = 0
    times: int = 1


@dataclass(frozen=True)
class DecimalsFirst:
    """The first of these that is known, row by row."""

    choices: "tuple[Decimals, ...]"


Decimals = int | DecimalsOf | DecimalsSaid | DecimalsFirst | OfContract


@dataclass(frozen=True)
class Fixed:
    """The integer or quotient `/ 10**decimals / over` as DECIMAL(38,18), truncated toward zero."""

    value: "Value"
    decimals: Decimals
    over: int = 1


@dataclass(frozen=True)
class Amount:
    """A token amount in whole tokens, by the token's decimals."""

    value: "Value"
    token: "Value"


@dataclass(frozen=True)
class SqrtPrice:
    """
    The price in a pool that keeps its square root times 2**96, as Uniswap v3 does.

    Attributes:
        value: the root, an integer; zero, a pool without a price, rejects the row.
        decimals0, decimals1: decimals of the pool's tokens, in the order of their addresses.
        of: which token is priced, in units of the other.
    """

    value: "Value"
    decimals0: Decimals
    decimals1: Decimals
    of: Literal["token0", "token1"] = "token0"


@dataclass(frozen=True)
class TickPrice:
    """
    The mean price in a pool over some seconds, from its ticks as Uniswap v3 adds them up.

    Attributes:
        value: what the ticks of these seconds add up to, an integer; the mean is rounded down.
        seconds: how many seconds.
        decimals0, decimals1, of: as of a `SqrtPrice`.
        is_end: whether it is the end of a range of prices, at one tick: an end too far for a
            column is null, and does not reject the row.
    """

    value: "Value"
    seconds: int
    decimals0: Decimals
    decimals1: Decimals
    of: Literal["token0", "token1"] = "token0"
    is_end: bool = False


@dataclass(frozen=True)
class Share:
    """The part of a number that a dated policy of this protocol gives away."""

    of: "Fixed | Amount"
    kind: str


@dataclass(frozen=True)
class Rest:
    """A column of the same row less other columns of it: splits that balance by construction."""

    of: str
    less: tuple[str, ...]


@dataclass(frozen=True)
class Time:
    """Unix seconds as a UTC moment."""

    value: "Value"


@dataclass(frozen=True)
class Equals:
    """The value is this constant, or what the contract declares under a name."""

    value: "Value"
    constant: int | str | bool | OfContract


@dataclass(frozen=True)
class OneOf:
    """The value is among these constants."""

    value: "Value"
    constants: tuple[int | str, ...]


@dataclass(frozen=True)
class IsTrue:
    """The flag is set."""

    value: "Value"


@dataclass(frozen=True)
class IsNegative:
    """The integer is below zero."""

    value: "Value"


@dataclass(frozen=True)
class Nonzero:
    """The integer is not zero."""

    value: "Value"


@dataclass(frozen=True)
class Exists:
    """The argument or companion is there."""

    value: "Arg | Companion"


@dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    condition: "Condition"


@dataclass(frozen=True)
class All:
    """Every one of the conditions holds."""

    conditions: "tuple[Condition, ...]"


Condition = Equals | OneOf | IsTrue | IsNegative | Nonzero | Exists | Not | All


@dataclass(frozen=True)
class When:
    """`then` where the condition holds, else `otherwise`; None is null."""

    condition: Condition
    then: "Value"
    otherwise: "Value | None" = None


Value = (
    str  # short for Arg(name)
    | Arg
    | Companion
    | Bits
    | Emitter
    | OfContract
    | OfMarket
    | SymbolOf
    | AddressAt
    | FlagAt
    | Ascii
    | Lookup
    | Const
    | Int
    | First
    | Sum
    | Neg
    | Abs
    | Positive
    | Product
    | Quotient
    | Fixed
    | Amount
    | SqrtPrice
    | TickPrice
    | Share
    | Rest
    | Time
    | When
    | Condition
)

"""
The vocabulary of a declaration: what a protocol is, said as data.

A `Protocol` lists contracts (where logs come from), events (how a log becomes a row of a fact
table), discoveries (how factories announce children), reads (state that no event tells), entries
(how files of venues that are no EVM chain become rows) and policies (dated fee splits). Columns are
small expressions over the arguments of a log, or over what was returned or read of a file. Integers
stay exact 256-bit integers until
`Fixed`, `Amount` or `SqrtPrice` scales them once, truncating toward zero at 1e-18.

    integer   Arg  Companion  Bits  Int  First  Sum  Neg  Abs  Positive  Product
    number    Fixed  Amount, of an integer or a Quotient of two; SqrtPrice  Share  Rest
    text      Arg  Companion  Bits  Emitter  OfContract  OfMarket  SymbolOf  Ascii  Lookup  Const
    moment    Time
    choice    When, with Equals  OneOf  IsTrue  IsNegative  Nonzero  Exists  Not  All

A plain `Arg` in a text column renders by its ABI type: addresses and bytes as lower-case 0x hex,
integers as decimal digits, strings as they are.
"""

from indexer.spec.declarations import (
    Account,
    Blocks,
    Call,
    Contract,
    Discover,
    Entry,
    Event,
    Evidence,
    Market,
    Policy,
    Protocol,
    Read,
    Seconds,
    Table,
    Token,
)
from indexer.spec.expressions import (
    Abs,
    All,
    Amount,
    Arg,
    Ascii,
    Bits,
    Companion,
    Condition,
    Const,
    Decimals,
    DecimalsOf,
    DecimalsSaid,
    Emitter,
    Equals,
    Exists,
    First,
    Fixed,
    Int,
    IsNegative,
    IsTrue,
    Keyed,
    Lookup,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Positive,
    Product,
    Quotient,
    Rest,
    Share,
    SqrtPrice,
    Sum,
    SymbolOf,
    Time,
    Value,
    When,
)
from indexer.spec.lists import chain_of, listed
from indexer.spec.supply import DEAD_ADDRESS, TOKEN_SUPPLY

__all__ = [
    "DEAD_ADDRESS",
    "TOKEN_SUPPLY",
    "Abs",
    "Account",
    "All",
    "Amount",
    "Arg",
    "Ascii",
    "Bits",
    "Blocks",
    "Call",
    "Companion",
    "Condition",
    "Const",
    "Contract",
    "Decimals",
    "DecimalsOf",
    "DecimalsSaid",
    "Discover",
    "Emitter",
    "Entry",
    "Equals",
    "Event",
    "Evidence",
    "Exists",
    "First",
    "Fixed",
    "Int",
    "IsNegative",
    "IsTrue",
    "Keyed",
    "Lookup",
    "Market",
    "Neg",
    "Nonzero",
    "Not",
    "OfContract",
    "OfMarket",
    "OneOf",
    "Policy",
    "Positive",
    "Product",
    "Protocol",
    "Quotient",
    "Read",
    "Rest",
    "Seconds",
    "Share",
    "SqrtPrice",
    "Sum",
    "SymbolOf",
    "Table",
    "Time",
    "Token",
    "Value",
    "When",
    "chain_of",
    "listed",
]

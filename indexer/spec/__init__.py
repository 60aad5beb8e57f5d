"""
The vocabulary of a declaration: what a protocol is, said as data.

A `Protocol` lists contracts (where logs come from), events (how a log becomes a row of a fact
table), discoveries (how factories announce children), reads (state that no event tells), entries
(how files of venues that are no EVM chain become rows) and policies (dated fee splits). Columns are
small expressions over the arguments of a log, or over what was returned or read of a file. Integers
stay exact 256-bit integers until
`Fixed`, `Amount`, `SqrtPrice` or `TickPrice` scales them once, truncating toward zero at 1e-18.

    integer   Arg  Companion  Bits  Int  First  Sum  Neg  Abs  Positive  Product
    number    Fixed  Amount, of an integer or a Quotient of two; SqrtPrice  TickPrice  Share  Rest
    text      Arg  Companion  Bits  Emitter  OfContract  OfMarket  SymbolOf  Ascii  AddressAt
              Lookup  Const
    flag      Arg  Companion  FlagAt  Lookup  Const, and every condition
    moment    Time
    choice    When, with Equals  OneOf  IsTrue  IsNegative  Nonzero  Exists  Not  All

An event is a name of the ABI, or `Keyed` inside an envelope, or `Noted`, a call that was noted.
A plain `Arg` in a text column renders by its ABI type: addresses and bytes as lower-case 0x hex,
integers as decimal digits, strings as they are. An indexed string is a hash, as the log has it.
"""

from indexer.spec.arguments import Arg, Companion, Emitter, OfContract
from indexer.spec.declarations import (
    Account,
    Blocks,
    Call,
    Contract,
    Discover,
    Entry,
    Event,
    Evidence,
    Feed,
    Market,
    Phases,
    Policy,
    Protocol,
    Read,
    Seconds,
    Table,
    Token,
    first_block,
)
from indexer.spec.expressions import (
    Abs,
    AddressAt,
    All,
    Amount,
    Ascii,
    Bits,
    Condition,
    Const,
    Decimals,
    DecimalsFirst,
    DecimalsOf,
    DecimalsSaid,
    Equals,
    Exists,
    First,
    Fixed,
    FlagAt,
    Int,
    IsNegative,
    IsTrue,
    Lookup,
    Neg,
    Nonzero,
    Not,
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
    TickPrice,
    Time,
    Value,
    When,
)
from indexer.spec.lists import chain_of, listed
from indexer.spec.names import EventName, Keyed, Noted
from indexer.spec.supply import BURNT, DEAD_ADDRESS, HOME_SUPPLY, TOKEN_SUPPLY
from indexer.spec.upgrades import upgraded

__all__ = [
    "BURNT",
    "DEAD_ADDRESS",
    "HOME_SUPPLY",
    "TOKEN_SUPPLY",
    "Abs",
    "Account",
    "AddressAt",
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
    "DecimalsFirst",
    "DecimalsOf",
    "DecimalsSaid",
    "Discover",
    "Emitter",
    "Entry",
    "Equals",
    "Event",
    "EventName",
    "Evidence",
    "Exists",
    "Feed",
    "First",
    "Fixed",
    "FlagAt",
    "Int",
    "IsNegative",
    "IsTrue",
    "Keyed",
    "Lookup",
    "Market",
    "Neg",
    "Nonzero",
    "Not",
    "Noted",
    "OfContract",
    "OfMarket",
    "OneOf",
    "Phases",
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
    "TickPrice",
    "Time",
    "Token",
    "Value",
    "When",
    "chain_of",
    "first_block",
    "listed",
    "upgraded",
]

"""
The vocabulary of a declaration: what a protocol is, said as data.

A `Protocol` lists contracts (where logs come from), events (how a log becomes a row of a fact
table), discoveries (how factories announce children) and policies (dated fee splits). Columns
are small expressions over the arguments of a log. Integers stay exact 256-bit integers until
`Fixed` or `Amount` scales them once, truncating toward zero at 1e-18.

    integer   Arg  Companion  Int  First  Sum  Neg  Abs  Positive  Product
    number    Fixed  Amount  Share  Rest
    text      Arg  Companion  Emitter  OfContract  OfMarket  SymbolOf  Ascii  Lookup  Const
    moment    Time
    choice    When, with Equals  OneOf  IsTrue  IsNegative  Nonzero  Exists  Not

A plain `Arg` in a text column renders by its ABI type: addresses and bytes as lower-case 0x hex,
integers as decimal digits, strings as they are.
"""

from collections.abc import Mapping
from csv import DictReader
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Literal

from indexer.chains import CHAINS, Chain

Table = Literal[
    "position_changes",
    "liquidations",
    "adls",
    "oracle_updates",
    "open_interest",
    "funding",
    "fees",
    "buybacks",
    "credit_events",
    "pool_flows",
    "share_prices",
    "shortfalls",
    "markets",
]


@dataclass(frozen=True)
class Keyed:
    """An event inside GMX v2's EventEmitter envelope; its items then read like arguments."""

    name: str


@dataclass(frozen=True)
class Arg:
    """
    An argument of the log: `name`, a dotted path into a tuple, or an item of a keyed event.

    `absent` is the integer meant when a keyed event leaves the item out; without it, absent is
    null.
    """

    name: str
    absent: int | None = None


@dataclass(frozen=True)
class Companion:
    """
    An argument of another event of the same transaction.

    Attributes:
        event: that event's name, or several where versions differ, in the same ABI.
        take: the argument to read from it.
        on: this event's argument -> that event's argument; all must be equal.
        nearest: take the closest match before or after this log; None demands that at most one
            exists, and more than one rejects the row.
        absent: the integer meant when the companion is there and its item is not.
    """

    event: "str | Keyed | tuple[str, ...]"
    take: str
    on: Mapping[str, str] = field(default_factory=dict)
    nearest: Literal["before", "after"] | None = None
    absent: int | None = None


@dataclass(frozen=True)
class Emitter:
    """The address that emitted the log."""


@dataclass(frozen=True)
class OfContract:
    """What the declaration says about the emitting contract under this name."""

    name: str


@dataclass(frozen=True)
class OfMarket:
    """A column of `markets` for the market that `key` names; null while the market is unknown."""

    key: "Value"
    take: Literal["symbol", "index_token", "long_token", "short_token", "parent"]


@dataclass(frozen=True)
class SymbolOf:
    """The symbol of the token at an address; null while unknown."""

    token: "Value"


@dataclass(frozen=True)
class Ascii:
    """A bytes32 that holds text, without its trailing zeros."""

    value: "Value"


@dataclass(frozen=True)
class Lookup:
    """A constant chosen by the value; a value outside the table rejects the row."""

    value: "Value"
    table: "Mapping[int | str | bool, str | int | bool] | OfContract"


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
class DecimalsOf:
    """`plus + times * decimals(token)`; an unknown token rejects the row."""

    token: "Value"
    plus: int = 0
    times: int = 1


Decimals = int | DecimalsOf | OfContract


@dataclass(frozen=True)
class Fixed:
    """The integer `value / 10**decimals / over` as DECIMAL(38,18), truncated toward zero."""

    value: "Value"
    decimals: Decimals
    over: int = 1


@dataclass(frozen=True)
class Amount:
    """A token amount in whole tokens, by the token's decimals."""

    value: "Value"
    token: "Value"


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


Condition = Equals | OneOf | IsTrue | IsNegative | Nonzero | Exists | Not


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
    | Emitter
    | OfContract
    | OfMarket
    | SymbolOf
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
    | Fixed
    | Amount
    | Share
    | Rest
    | Time
    | When
    | Condition
)


@dataclass(frozen=True)
class Event:
    """
    How a log becomes one row of one table.

    Attributes:
        abi: `<slug>/<Contract>` below abis/.
        name: the event, with its types where the ABI overloads it, or a keyed event.
        into: the table.
        columns: column -> expression; columns left out are null.
        where: conditions that all hold, or the log gives no row here.
        version: overrides the contract's version.
        evidence: how the row is known (RWA.md 0.3).
    """

    abi: str
    name: "str | Keyed"
    into: Table
    columns: Mapping[str, Value]
    where: tuple[Condition, ...] = ()
    version: str | None = None
    evidence: Literal["event", "state", "derived", "offchain", "assumed"] = "event"


@dataclass(frozen=True)
class Discover:
    """
    A factory event that announces a child.

    Attributes:
        abi: ABI of the factory.
        name: the event.
        child: the argument that holds the child's address.
        child_abi: ABI of the child; None takes what the factory's contract declares as `child_abi`.
    """

    abi: str
    name: str
    child: str
    child_abi: str | None = None


@dataclass(frozen=True)
class Contract:
    """
    An emitter of logs on one chain, from a block on, both ends inclusive.

    Attributes:
        chain: where it lives.
        abi: how its logs read.
        address: checksummed or lower case.
        from_block: first block that can carry its logs.
        to_block: last block of this reading; None while it is in force.
        version: what rows of its logs carry as version.
        says: facts about it that events refer to by `OfContract`.
    """

    chain: Chain
    abi: str
    address: str
    from_block: int
    to_block: int | None = None
    version: str = "1"
    says: Mapping[str, str | int | Mapping[int, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """
    A share in force from a day on, as a decimal number of the whole ("0.27").

    Attributes:
        kind: supply_side_share, treasury_share or holders_share of fees; buyback_share of revenue.
        value: exact decimal text.
        valid_from: ISO day, UTC, inclusive.
        source: where it is stated.
        basis: event, governance, documentation or assumed.
    """

    kind: str
    value: str
    valid_from: str
    source: str
    basis: Literal["event", "governance", "documentation", "assumed"]


@dataclass(frozen=True)
class Protocol:
    """
    One protocol: everything perpscope knows of it before it reads a log.

    Attributes:
        slug: name of the declaration and of its `abis/` folder.
        name: as people write it.
        kind: perp, credit or oracle.
        methodology: what becomes which fact and what is left out, printed in reports.
        contracts, events, discoveries, policies: see the classes.
        tokens: seed rows (chain, address, symbol, decimals).
        markets: seed rows (chain, market, symbol, index, long and short token, asset class).
    """

    slug: str
    name: str
    kind: Literal["perp", "credit", "oracle"]
    methodology: str
    contracts: tuple[Contract, ...]
    events: tuple[Event, ...]
    discoveries: tuple[Discover, ...] = ()
    policies: tuple[Policy, ...] = ()
    tokens: "tuple[Token, ...]" = ()
    markets: "tuple[Market, ...]" = ()


@dataclass(frozen=True)
class Token:
    """A token the declaration vouches for: many index tokens have no contract to ask."""

    chain: Chain
    address: str
    symbol: str
    decimals: int


@dataclass(frozen=True)
class Market:
    """A market known before its creation event is read."""

    chain: Chain
    market: str
    symbol: str
    index_token: str | None = None
    long_token: str | None = None
    short_token: str | None = None
    asset_class: str = "crypto"


def listed(name: str) -> tuple[dict[str, str], ...]:
    """
    Return the rows of `indexer/protocols/<name>.csv`, lists too long for a declaration.

    Raises:
        FileNotFoundError: no such list travels with the package.
    """
    text = files("indexer.protocols").joinpath(f"{name}.csv").read_text(encoding="utf-8")
    return tuple(DictReader(text.splitlines()))


def chain_of(slug: str) -> Chain:
    """
    Return the chain with this slug.

    Raises:
        KeyError: no chain has it.
    """
    return {chain.slug: chain for chain in CHAINS}[slug]

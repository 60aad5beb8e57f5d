"""The nouns of a declaration: protocols, their contracts, events, discoveries and policies."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from indexer.chains import Chain
from indexer.spec.arguments import Emitter, OfContract
from indexer.spec.expressions import Condition, Const, Int, Value
from indexer.spec.names import EventName

Table = Literal[
    "position_changes",
    "liquidations",
    "adls",
    "adl_states",
    "oracle_updates",
    "open_interest",
    "impact_parameters",
    "funding",
    "fees",
    "buybacks",
    "balances",
    "token_supplies",
    "credit_events",
    "pool_flows",
    "share_prices",
    "pool_states",
    "pool_liquidity",
    "shortfalls",
    "upgrades",
    "markets",
]
Evidence = Literal["event", "state", "derived", "offchain", "assumed"]


@dataclass(frozen=True)
class Event:
    """
    How a log becomes one row of one table.

    Attributes:
        abi: `<slug>/<Contract>` below abis/.
        name: the event, with its types where the ABI overloads it, a keyed event, or a noted call.
        into: the table.
        columns: column -> expression; columns left out are null.
        where: conditions that all hold, or the log gives no row here.
        version: overrides the contract's version.
        evidence: how the row is known: a decoded log, state at a block, arithmetic over both, a
            report, or a configured constant.
        is_confirmed: whether a log that a chain recorded is read so; else only logs built from
            the ABI are.
    """

    abi: str
    name: EventName
    into: Table
    columns: Mapping[str, Value]
    where: tuple[Condition, ...] = ()
    version: str | None = None
    evidence: Evidence = "event"
    is_confirmed: bool = False


@dataclass(frozen=True)
class Blocks:
    """Every block whose number is a multiple of `count`."""

    count: int


@dataclass(frozen=True)
class Seconds:
    """The first block at or after each multiple of `count` seconds of Unix time."""

    count: int


@dataclass(frozen=True)
class Call:
    """
    A question to a contract.

    Attributes:
        function: its name in the ABI of the read. Columns read what it returns under this name;
            as `<function>.<output>` where it returns several values.
        args: constants, what the contract declares, or the contract itself, in order; a tuple of
            integers is an array.
        to: whom to ask, an address or what the contract declares as one; None asks the contract
            that the read is about.
        has_selector: False for precompiles, which take arguments alone.
    """

    function: str
    args: "tuple[Int | Const | OfContract | Emitter | tuple[Int, ...], ...]" = ()
    to: "str | OfContract | None" = None
    has_selector: bool = True


@dataclass(frozen=True)
class Read:
    """
    State without an event: how answers of one contract at one block become a row of one table.

    It is read of every contract with the ABI, declared or discovered, from its first block on; a
    list to read over is a list of contracts that say what differs. Which blocks it is read at
    follows from the chain alone, so a database filled in any order holds the same rows.

    Attributes:
        name: tells it from other reads of the protocol.
        abi: `<slug>/<Contract>` below abis/, with the functions.
        calls: what is asked; unless all are answered there is no row.
        every: at which blocks.
        into, columns, where, version, evidence: as of an `Event`; arguments are what was returned.
    """

    name: str
    abi: str
    calls: tuple[Call, ...]
    every: Blocks | Seconds
    into: Table
    columns: Mapping[str, Value]
    where: tuple[Condition, ...] = ()
    version: str | None = None
    evidence: Evidence = "state"


@dataclass(frozen=True)
class Entry:
    """
    How an entry of a file that a user brings becomes one row of one table.

    Attributes:
        chain: the venue the file is of, one of the chains with a negative id.
        name: what the entry is, as the venue's reader calls it: fill, trade.
        into, columns, where, version, evidence: as of an `Event`; arguments are what the reader
            says of an entry. Decimal numbers are integers of 1e-18: `Fixed("px", 18)`.
    """

    chain: Chain
    name: str
    into: Table
    columns: Mapping[str, Value]
    where: tuple[Condition, ...] = ()
    version: str = "1"
    evidence: Evidence = "offchain"


@dataclass(frozen=True)
class Discover:
    """
    A factory event that announces a child.

    A child carries the version of the contract that announced it, and says what that one says.

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
class Phases:
    """
    Contracts that stood behind another one after another, which no log tells: it is asked.

    They say what the contract says.

    Attributes:
        abi: ABI of the contract that others ask, with both functions.
        count: function that returns how many there were.
        member: function of a number, 1 to the count, that returns the address of that one.
        child_abi: their ABI.
    """

    abi: str
    count: str
    member: str
    child_abi: str


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
        only: indexed argument -> the addresses or bytes32 it may hold, lower-case 0x hex; other
            logs of the contract are neither asked for nor read. Every event that is read of it
            has the argument, at the same place.
    """

    chain: Chain
    abi: str
    address: str
    from_block: int
    to_block: int | None = None
    version: str = "1"
    says: Mapping[str, str | int] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Policy:
    """
    A share in force from a day on, as a decimal number of the whole ("0.27").

    Attributes:
        kind: supply_side_share, treasury_share or holders_share of fees;
            holders_share_of_revenue of what the protocol keeps; buyback_share of what it
            spends on its holders.
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


@dataclass(frozen=True, eq=False)
class Protocol:
    """
    One protocol: everything perpscope knows of it before it reads a log.

    It equals itself alone, so that what follows from a declaration can be worked out once.

    Attributes:
        slug: name of the declaration and of its `abis/` folder.
        name: as people write it.
        kind: perp, credit (lending too), rwa (tokens of funds), oracle, dex, yield, token (one
            whose buybacks are read and whose venue is not) or chain (what its sequencer earns).
        methodology: what becomes which fact, printed in reports.
        left_out: what is not covered, one sentence each: what, and why.
        contracts, events, discoveries, phases, reads, entries, policies: see the classes.
        tokens: seed rows (chain, address, symbol, decimals).
        markets: seed rows (chain, market, symbol, tokens, asset class, quote).
        feeds: names, heartbeats and thresholds of an oracle's feeds; they decide no fact.
        accounts: accounts that have a name.
        untold_shares: what makes or destroys shares of its pools without a flow; empty where flows
            tell them all.
    """

    slug: str
    name: str
    kind: Literal["perp", "credit", "rwa", "oracle", "dex", "yield", "token", "chain"]
    methodology: str
    contracts: tuple[Contract, ...]
    events: tuple[Event, ...]
    left_out: tuple[str, ...] = ()
    discoveries: tuple[Discover, ...] = ()
    phases: tuple[Phases, ...] = field(default=(), repr=False)  # they decide no row
    reads: tuple[Read, ...] = ()
    entries: tuple[Entry, ...] = ()
    policies: tuple[Policy, ...] = ()
    tokens: "tuple[Token, ...]" = ()
    markets: "tuple[Market, ...]" = ()
    feeds: "tuple[Feed, ...]" = ()
    accounts: "tuple[Account, ...]" = ()
    untold_shares: str = field(default="", repr=False)  # it decides no row


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
    symbol: str | None
    index_token: str | None = None
    long_token: str | None = None
    short_token: str | None = None
    asset_class: str = "crypto"
    quote: str | None = None


@dataclass(frozen=True)
class Feed:
    """
    A feed of an oracle: what it is called, and when it has to speak.

    Attributes:
        chain: where it is.
        feed: as the rows of `oracle_updates` name it.
        name: the pair, and what tells it from other feeds of the pair.
        asset, quote: upper case.
        kind: price (that is traded), capped (by a consumer), exchange_rate (that a contract pays),
            calculated (of other feeds), uptime (of a chain's sequencer), or what is counted where
            no currency is stated: nav, bounded_nav, share_price, reserves, market_cap, series,
            count, health, status, unstated.
        proxy: the contract that others ask for it, where it is another.
        heartbeat_seconds: an update is due when the last one is this old.
        threshold_bps: an update is due when the price moved this far.
        source, basis: where both are stated, and how good that is.
    """

    chain: Chain
    feed: str
    name: str
    asset: str
    quote: str
    kind: str = "price"
    proxy: str | None = None
    heartbeat_seconds: int | None = None
    threshold_bps: int | None = None
    source: str | None = None
    basis: Literal["event", "governance", "documentation", "assumed"] | None = None


@dataclass(frozen=True)
class Account:
    """
    An account whose owner is known, so that it can be named beside its address.

    Attributes:
        chain: where it is.
        address: as facts carry it, in any case.
        name: who it is.
        source: where that is stated.
    """

    chain: Chain
    address: str
    name: str
    source: str


def first_block(protocol: Protocol, chain: Chain) -> int | None:
    """Return the first block that can carry logs of the protocol; None where it is not deployed."""
    starts = (contract.from_block for contract in protocol.contracts if contract.chain == chain)
    return min(starts, default=None)

"""Which arguments and companions an expression reads, found without evaluating it."""

from collections.abc import Iterator

from indexer.spec import (
    Abs,
    AddressAt,
    All,
    Amount,
    Arg,
    Ascii,
    Bits,
    Companion,
    Condition,
    Const,
    Decimals,
    DecimalsFirst,
    DecimalsOf,
    DecimalsSaid,
    Discover,
    Emitter,
    Equals,
    Event,
    EventName,
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
    OfContract,
    OfMarket,
    OneOf,
    Positive,
    Product,
    Quotient,
    Read,
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

Leaf = Arg | Companion


def leaves(value: "Value | Condition | Decimals | None") -> Iterator[Leaf]:
    """Yield every argument and companion that the expression reads."""
    match value:
        case str():
            yield Arg(value)
        case Arg() | Companion():
            yield value
        case None | int() | Const() | Int() | Emitter() | OfContract() | Rest():
            return
        case _:
            for operand in _operands(value):
                yield from leaves(operand)


def _operands(value: "Value | Condition | Decimals") -> "tuple[Value | Decimals | None, ...]":
    match value:
        case First(values) | All(values) | DecimalsFirst(values):
            return values
        case Sum(terms):
            return terms
        case Neg(one) | Abs(one) | Positive(one) | Ascii(one) | Time(one) | Lookup(one, _):
            return (one,)
        case SymbolOf(one) | OfMarket(one, _) | Share(one, _) | AddressAt(one, _) | Bits(one, _, _):
            return (one,)
        case DecimalsOf(one, plus, _):
            return (one, None if isinstance(plus, int) else plus)
        case DecimalsSaid(one, _, _) | FlagAt(one, _):
            return (one,)
        case Equals(one, _) | OneOf(one, _) | IsTrue(one) | IsNegative(one) | Nonzero(one):
            return (one,)
        case Exists(one) | Not(one):
            return (one,)
        case Product(left, right) | Quotient(left, right) | Amount(left, right):
            return (left, right)
        case Fixed(one, decimals, _):
            return (one, decimals)
        case SqrtPrice(root, first, second, _) | TickPrice(root, _, first, second):
            return (root, first, second)
        case When(condition, then, otherwise):
            return (condition, then, otherwise)
    raise TypeError(f"{type(value).__name__} is not part of the vocabulary of indexer.spec")


def leaves_of(event: Event | Read) -> Iterator[Leaf]:
    """Yield every argument and companion of the columns and conditions of an event or a read."""
    for expression in (*event.columns.values(), *event.where):
        yield from leaves(expression)


def companions_of(event: Event) -> dict[str, Companion]:
    """Return the event's companions by what identifies their match, the argument taken aside."""
    found = (leaf for leaf in leaves_of(event) if isinstance(leaf, Companion))
    return {match_key(companion): companion for companion in found}


def match_key(companion: Companion) -> str:
    """Return what two companions share when they match the same log."""
    return repr((companion.abi, companion.event, sorted(companion.on.items()), companion.nearest))


def names_of(companion: Companion) -> tuple[EventName, ...]:
    """Return the events a companion may be."""
    event = companion.event
    return event if isinstance(event, tuple) else (event,)


def companion_events(event: Event) -> Iterator[tuple[str, EventName]]:
    """Yield the ABI and the name of every event that an event's companions may be."""
    for companion in companions_of(event).values():
        for name in names_of(companion):
            yield companion.abi or event.abi, name


def wanted(
    events: tuple[Event, ...], discoveries: tuple[Discover, ...], abi: str
) -> dict[EventName, set[str]]:
    """Return, per event of one ABI, the arguments that anything reads of it."""
    needs: dict[EventName, set[str]] = {}
    for discovery in discoveries:
        if discovery.abi == abi:
            needs.setdefault(discovery.name, set()).add(discovery.child)
    for event in events:
        for home, name, arguments in _reads_of(event):
            if home == abi:
                needs.setdefault(name, set()).update(arguments)
    return needs


def _reads_of(event: Event) -> Iterator[tuple[str, EventName, set[str]]]:
    """Yield ABI, event and arguments of everything that a declared event reads."""
    yield event.abi, event.name, set()
    for leaf in leaves_of(event):
        if isinstance(leaf, Arg):
            yield event.abi, event.name, {leaf.name}
            continue
        yield event.abi, event.name, set(leaf.on)
        for name in names_of(leaf):
            yield leaf.abi or event.abi, name, {leaf.take, *leaf.on.values()}

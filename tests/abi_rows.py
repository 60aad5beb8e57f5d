"""Random events, their logs and what eth_abi makes of them; and ways to break a log."""

from typing import Any

import polars as pl
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode
from eth_abi.exceptions import DecodingError
from eth_abi.tools._strategies import get_abi_strategy
from hypothesis import strategies as st

from indexer.decode.abi import EventAbi, Parameter, canonical
from indexer.decode.columns import Column, Decoded

TOPICS = {f"topic{place}": pl.Binary for place in range(4)}
WORD = 32

leaf_types = st.one_of(
    st.sampled_from(["address", "bool", "bytes", "string", "uint256", "int256", "function"]),
    st.integers(1, 32).map(lambda width: f"bytes{width}"),
    st.integers(1, 32).map(lambda width: f"uint{8 * width}"),
    st.integers(1, 32).map(lambda width: f"int{8 * width}"),
)


def fields(types: list[tuple[str, tuple[Parameter, ...]]]) -> tuple[Parameter, ...]:
    """Name parameters by position: a0, a1."""
    return tuple(
        Parameter(f"a{place}", solidity_type, indexed=False, components=components)
        for place, (solidity_type, components) in enumerate(types)
    )


typed = st.recursive(
    leaf_types.map(lambda name: (name, ())),
    lambda inner: st.one_of(
        inner.map(lambda pair: (f"{pair[0]}[]", pair[1])),
        st.tuples(inner, st.integers(1, 3)).map(lambda x: (f"{x[0][0]}[{x[1]}]", x[0][1])),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: ("tuple", fields(some))),
    ),
    max_leaves=5,
)
inputs = st.lists(typed, max_size=4).map(fields)


def event_of(parameters: tuple[Parameter, ...]) -> EventAbi:
    """An event with these arguments."""
    return EventAbi("Happened", parameters, anonymous=False)


def logs_of(event: EventAbi, datas: list[bytes], topics: list[bytes] | None = None) -> pl.DataFrame:
    """Logs with the event's topic0, further topics the same on all rows, and these data."""
    row = dict.fromkeys(TOPICS, None) | {
        f"topic{place}": topic for place, topic in enumerate([event.topic0, *(topics or [])])
    }
    return pl.DataFrame(
        [row | {"data": data} for data in datas], schema=TOPICS | {"data": pl.Binary}
    )


def named(parameter: Parameter, name: str, value: Any) -> dict[str, Any]:
    """The leaves of a value by dotted name, without those inside dynamic arrays."""
    if parameter.type.endswith("[]"):
        return {}
    if parameter.type.endswith("]"):
        inner = Parameter(
            "", parameter.type.rpartition("[")[0], indexed=False, components=parameter.components
        )
        parts = [(inner, f"{name}.{place}") for place in range(len(value))]
    elif parameter.type == "tuple":
        parts = [(part, f"{name}.{part.name}") for part in parameter.components]
    else:
        return {name: value}
    return {
        key: leaf
        for (part, path), item in zip(parts, value, strict=True)
        for key, leaf in named(part, path, item).items()
    }


def value_at(column: Column, row: int, width: int = WORD) -> Any:
    """The value of a row as eth_abi spells it."""
    if column.words is None:
        assert column.values is not None
        return column.values[row]
    word = column.words[row].tobytes()
    match column.kind:
        case "address":
            return f"0x{word[12:].hex()}"
        case "bool":
            return word[-1] == 1
        case "fixed_bytes":
            return word[:width]
        case _:
            return int.from_bytes(word, signed=bool(column.signed[row]))


def is_canonical(types: list[str], data: bytes) -> bool:
    """Whether eth_abi decodes it strictly and encodes it back to the same bytes."""
    try:
        return encode(types, abi_decode(types, data)) == data
    except (DecodingError, UnicodeDecodeError, OverflowError):
        return False


def values_of(draw: st.DrawFn, parameters: tuple[Parameter, ...]) -> tuple[Any, ...]:
    """Random arguments."""
    return tuple(draw(get_abi_strategy(canonical(parameter))) for parameter in parameters)


@st.composite
def events_with_rows(draw: st.DrawFn) -> tuple[tuple[Parameter, ...], list[tuple[Any, ...]]]:
    """Arguments and one to four rows of values."""
    parameters = draw(inputs)
    rows = [values_of(draw, parameters) for _ in range(draw(st.integers(1, 4)))]
    return parameters, rows * draw(st.sampled_from([1, 3]))


def expected_row(parameters: tuple[Parameter, ...], values: tuple[Any, ...]) -> dict[str, Any]:
    """The leaves of one log by name."""
    pairs = zip(parameters, values, strict=True)
    return {k: v for part, item in pairs for k, v in named(part, part.name, item).items()}


def decoded_row(decoded: Decoded, row: int, like: dict[str, Any]) -> dict[str, Any]:
    """What was decoded of one log."""
    widths = {name: len(v) if isinstance(v, bytes) else WORD for name, v in like.items()}
    return {name: value_at(c, row, widths[name]) for name, c in decoded.columns.items()}


def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Data with one thing wrong with it, or nothing."""
    if not data:
        return draw(st.sampled_from([b"", b"\0", bytes(WORD)]))
    at = draw(st.integers(0, len(data) // WORD - 1)) * WORD
    word = data[at : at + WORD]
    other = draw(st.integers(0, len(data) // WORD - 1)) * WORD
    hostile = draw(
        st.sampled_from([0, 1, 2, 31, 33, 32, 64, 96, 1 << 32, 1 << 63, 1 << 255, (1 << 256) - 1])
    )
    byte = draw(st.integers(0, len(data) - 1))
    return draw(
        st.sampled_from(
            [
                data,
                data[:at] + hostile.to_bytes(WORD) + data[at + WORD :],
                data[:at] + data[other : other + WORD] + data[at + WORD :],
                data[:at] + data[at + WORD :],
                data[:at] + word + data[at:],
                data[:byte],
                data + bytes(draw(st.integers(1, 64))),
                data[:byte] + bytes([draw(st.integers(0, 255))]) + data[byte + 1 :],
            ]
        )
    )


@st.composite
def hostile_batches(draw: st.DrawFn) -> tuple[tuple[Parameter, ...], list[bytes]]:
    """An event and data of which some is broken, with repetitions."""
    parameters = draw(inputs)
    types = [canonical(parameter) for parameter in parameters]
    good = [encode(types, values_of(draw, parameters)) for _ in range(2)]
    bad = [mutated(draw, draw(st.sampled_from(good))) for _ in range(draw(st.integers(1, 6)))]
    return parameters, draw(st.permutations(good + good + bad + bad[:1]))

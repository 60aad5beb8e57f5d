"""Every declaration against the schema and against the tests that hold its golden logs."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import Path

import pytest
from eth_utils.address import is_checksum_address
from goldens import AUTOMATIC

from analytics.reports.dictionary import meaning
from indexer.facts.routes import title
from indexer.protocols import PROTOCOLS
from indexer.spec import Amount, Const, Entry, Event, Lookup, OfContract, Read, Share, When
from indexer.tables import definitions, tables

TESTS = "".join(
    path.read_text(encoding="utf-8")
    for pattern in ("test_protocol_*.py", "test_import*.py", "*_rig.py")
    for path in sorted(Path(__file__).parent.glob(pattern))
)
# Their tests take these signatures from the declaration's own lists of shapes.
LISTED = {
    "gains": {"PositionSizeIncreaseExecuted", "PositionSizeDecreaseExecuted"},
    "openeden": {"ProcessDeposit", "ProcessWithdraw"},
}
ROWS: list[tuple[str, Event | Read | Entry]] = [
    (slug, row)
    for slug, protocol in PROTOCOLS.items()
    for rows in (protocol.events, protocol.reads, protocol.entries)
    for row in rows
]


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_every_declared_column_is_one_of_its_table(slug: str) -> None:
    """A misspelt column would be dropped in silence; what fills itself is not declared."""
    odd = [
        (row.into, name)
        for owner, row in ROWS
        if owner == slug
        for name in row.columns
        if name not in tables()[row.into] or name in AUTOMATIC
    ]

    assert odd == []


def test_declarations_agree_on_a_token() -> None:
    """Its row says what the protocols of a run say: another run's would say something else."""
    said: dict[tuple[str, str], set[tuple[str, int]]] = {}
    for protocol in PROTOCOLS.values():
        for token in protocol.tokens:
            key = (token.chain.slug, token.address.lower())
            said.setdefault(key, set()).add((token.symbol, token.decimals))

    assert {key: each for key, each in said.items() if len(each) > 1} == {}


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_every_required_column_is_declared(slug: str) -> None:
    """A row without it would be rejected every time."""
    lacking = [
        (row.into, name)
        for owner, row in ROWS
        if owner == slug
        for name, column in tables()[row.into].items()
        if column.required and name not in (*row.columns, *AUTOMATIC)
    ]

    assert lacking == []


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_every_declared_event_is_named_in_a_test(slug: str) -> None:
    """Each has a golden log in the tests of its protocol: a built one, or recorded ones."""
    names = {
        title(event.name).partition("(")[0]
        for event in PROTOCOLS[slug].events
        if not event.is_confirmed
    }

    assert {name for name in names if name not in TESTS} == LISTED.get(slug, set())


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_windows_of_one_reading_do_not_overlap(slug: str) -> None:
    """One address is read once at a time by each ABI, or every log would count twice."""
    seen: dict[tuple[object, ...], list[tuple[int, float]]] = {}
    for contract in PROTOCOLS[slug].contracts:
        says = tuple(sorted((key, str(value)) for key, value in contract.says.items()))
        key = (contract.chain, contract.abi, contract.address.lower(), str(contract.only))
        distinct = says if contract.abi in {read.abi for read in PROTOCOLS[slug].reads} else ()
        window = (contract.from_block, contract.to_block or float("inf"))
        seen.setdefault((*key, distinct), []).append(window)

    twice = [
        key
        for key, windows in seen.items()
        for (_, end), (start, _) in zip(sorted(windows), sorted(windows)[1:], strict=False)
        if start <= end
    ]
    assert twice == []


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_a_share_of_fees_for_holders_is_in_the_splits(slug: str) -> None:
    """`buyback_columns` promises what the splits set aside: a rate that none uses is no promise."""
    protocol = PROTOCOLS[slug]
    states = any(policy.kind == "holders_share" for policy in protocol.policies)
    uses = any(
        isinstance(value, Share) and value.kind == "holders_share"
        for owner, row in ROWS
        if owner == slug and row.into == "fees"
        for value in row.columns.values()
    )

    assert uses == states


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_a_rate_begins_with_a_day_and_alone(slug: str) -> None:
    """Fees are split by the moment and promises made by the day: both have one rate of a kind."""
    begins = [(policy.kind, policy.valid_from) for policy in PROTOCOLS[slug].policies]

    assert [day for _, day in begins if date.fromisoformat(day).isoformat() != day] == []
    assert len(begins) == len(set(begins))


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_every_share_price_says_what_it_is_in(slug: str) -> None:
    """A token, or a currency; a venue whose events tell neither is named here."""
    is_silent = any(
        owner == slug and row.into == "share_prices" and "asset_token" not in row.columns
        for owner, row in ROWS
    )

    assert is_silent == (slug == "centrifuge")


def test_what_a_pool_manages_is_told_with_its_asset() -> None:
    """Told first without and later with it, a pool would stand twice in `tvl`."""
    odd = {
        (slug, row.into)
        for slug, row in ROWS
        for amount in ("assets_tokens", "supply_tokens")
        if row.into in {"pool_states", "share_prices"} and amount in row.columns
        if not _is_always_told(row.columns["asset_token"], row.columns[amount])
    }

    # The event that announces a pool of Clearpool to be read names its asset.
    assert odd == {("clearpool", "share_prices")}


def _is_always_told(asset: object, amount: object) -> bool:
    # An amount of a token that is not known is rejected, and so is what is read of a contract that
    # does not answer.
    is_of_asset = isinstance(amount, Amount) and amount.token == asset
    return isinstance(asset, Const | OfContract | str) or is_of_asset


def within(value: object) -> Iterator[object]:
    """Yield a value and all that it is made of."""
    yield value
    if is_dataclass(value):
        parts: tuple[object, ...] = tuple(getattr(value, one.name) for one in fields(value))
    elif isinstance(value, Mapping):
        parts = tuple(value.values())
    else:
        parts = value if isinstance(value, tuple) else ()
    for part in parts:
        yield from within(part)


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_what_a_column_refers_to_is_declared(slug: str) -> None:
    """A policy nobody states and a word no contract says would be null for ever, in silence."""
    protocol = PROTOCOLS[slug]
    referred = list(within((protocol.events, protocol.reads, protocol.entries)))
    stated = {policy.kind for policy in protocol.policies}
    said = {name for contract in protocol.contracts for name in contract.says}

    assert {one.kind for one in referred if isinstance(one, Share)} - stated == set()
    assert {one.name for one in referred if isinstance(one, OfContract)} - said == set()


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_an_address_is_one(slug: str) -> None:
    """Twenty bytes, in lower case or with a checksum that fits: a wrong digit is silence."""
    odd = [
        address
        for contract in PROTOCOLS[slug].contracts
        if not re.fullmatch("0x[0-9a-f]{40}", address := contract.address)
        and not is_checksum_address(address)
    ]

    assert odd == []


CODED = {
    *("kind", "cause", "fee_kind", "split_basis", "shortfall_basis"),
    *("derivation", "destination_kind", "asset_class"),
}


def listed_words(table: str, column: str) -> set[str]:
    """Return the words of a column's comments in schema.sql, before and behind it."""
    comments = r"((?: {4}--[^\n]*\n)*)"
    found = re.search(rf"{comments} {{4}}{column} [^\n]*?(--[^\n]*)?\n", definitions()[table])
    return set(re.findall("[a-z_]+", f"{found[1]} {found[2]}" if found else ""))


def words_of(value: object) -> Iterator[str]:
    """Yield the texts that a column can be."""
    match value:
        case Const(str() as word):
            yield word
        case Lookup(_, table):
            yield from (word for word in table.values() if isinstance(word, str))
        case When(_, then, otherwise):
            yield from (*words_of(then), *words_of(otherwise))


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_a_word_is_one_that_the_schema_lists(slug: str) -> None:
    """Metrics look for these words: one that is misspelt would be in no sum."""
    odd = [
        (row.into, name, word)
        for owner, row in ROWS
        if owner == slug
        for name, value in row.columns.items()
        if name in CODED
        for word in words_of(value)
        if word not in listed_words("liquidations" if name == "derivation" else row.into, name)
    ]

    assert odd == []


def test_a_currency_is_one_that_the_schema_lists() -> None:
    """Who joins amounts with tokens finds in the schema and the dictionary which words are none."""
    contracts = [one for protocol in PROTOCOLS.values() for one in protocol.contracts]
    told = {one.says["currency"] for one in contracts if "currency" in one.says}

    assert told >= {"EUR", "GBP", "CHF"}
    for place in (definitions()["share_prices"], meaning("asset_token")):
        assert told - {*re.findall(r"\b[A-Z]{3}\b", place)} == set()

"""PROTOCOLS.md: generated, whole, and up to date."""

import re

import pytest
from goldens import ROOT
from typer.testing import CliRunner

from indexer.catalogue import catalogue, section
from indexer.chains import ARBITRUM, ETHEREUM
from indexer.choices import protocol_named
from indexer.errors import UserError
from indexer.protocols import PROTOCOLS
from indexer.spec import Const, Contract, Discover, Event, Fixed, Policy, Protocol
from perpscope import app

VENUE = Protocol(
    slug="my_venue",
    name="My | venue",
    kind="perp",
    methodology="Fees are what it says.",
    contracts=(
        Contract(ARBITRUM, "gmx_v1/Vault", "0x" + "0a" * 20, 0),
        Contract(ETHEREUM, "gmx_v1/Vault", "0x" + "0a" * 20, 1_000),
        Contract(ETHEREUM, "gmx_v1/Vault", "0x" + "0b" * 20, 900),
        Contract(ETHEREUM, "maple/PoolDeployer", "0x" + "0c" * 20, 5),
    ),
    discoveries=(Discover("maple/PoolDeployer", "PoolDeployed", "pool_", "maple/Pool"),),
    events=(
        Event(
            abi="gmx_v1/Vault",
            name="CollectMarginFees(address,uint256,uint256)",
            into="fees",
            columns={"fee_kind": Const("margin"), "fee_usd": Fixed("feeUsd", 30)},
            is_confirmed=True,
        ),
    ),
    policies=(Policy("treasury_share", "0.3", "2024-01-01", "a link", "assumed"),),
    left_out=("Swaps: they log nothing.",),
    untold_shares="a bridge makes them",
)


def test_a_section_says_all_that_is_declared() -> None:
    """Rows with their golden, contracts by chain, factories, splits, and what is left out."""
    lines = section(VENUE).splitlines()

    assert "| Vault | CollectMarginFees | `fees` |  | event | recorded |" in lines
    assert f"| arbitrum | Vault | `0x{'0a' * 20}` |  | not known |" in lines
    assert "| ethereum | Vault | 2 addresses |  | 900 |" in lines
    assert f"| ethereum | PoolDeployer | `0x{'0c' * 20}` | Pool | 5 |" in lines
    assert "| treasury share | 0.3 | 2024-01-01 | assumed | a link |" in lines
    assert "- Swaps: they log nothing." in lines
    assert "Shares that no flow tells: a bridge makes them." in lines


def test_the_overview_has_a_line_for_each() -> None:
    """Names that hold a bar do not break the table."""
    line = "| [My \\| venue](#my-venue) | perp | ethereum, arbitrum | `fees` | 1 | 1 |"

    assert line in catalogue([VENUE]).splitlines()


def test_the_document_is_what_the_declarations_say() -> None:
    """`make docs` was run after the last change of a declaration."""
    stored = (ROOT / "PROTOCOLS.md").read_text(encoding="utf-8")

    assert stored == catalogue(list(PROTOCOLS.values())), "run `make docs`"


def test_the_readme_names_each_under_its_kind() -> None:
    """Its table has a row for each kind that has many, and one for all others."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## What is in it")[2].partition("\n\n[")[0]
    rows = dict(re.findall(r"^\| ([^|]+) \| (.+) \|$", table, re.M))
    places = {
        "perp": "perp DEXs",
        "credit": "credit",
        "rwa": "tokenised assets",
        "oracle": "oracles",
    }

    lost = [
        protocol.name
        for protocol in PROTOCOLS.values()
        if not {*re.findall(r"\w{3,}", protocol.name)}
        & {*re.findall(r"\w+", rows[places.get(protocol.kind, "yield, tokens, chains, a DEX")])}
    ]
    assert lost == [], "name it in README's table, in the row of its kind"


@pytest.mark.parametrize("slug", PROTOCOLS)
def test_a_protocol_says_what_it_does(slug: str) -> None:
    """Methodology and what is left out are sentences; nothing of the draft is left in them."""
    protocol = PROTOCOLS[slug]

    assert len(protocol.methodology.split()) > 10, "say in sentences what becomes which fact"
    assert all(sentence.endswith(".") for sentence in protocol.left_out)


def test_one_protocol_can_be_asked_for() -> None:
    """`perpscope protocols NAME` prints its section; an unknown name is named."""
    runner = CliRunner()

    assert runner.invoke(app, ["protocols", "gmx_v1"]).output == section(PROTOCOLS["gmx_v1"])
    assert str(runner.invoke(app, ["protocols", "gmx1"]).exception).startswith(
        "no protocol is called 'gmx1': did you mean gmx_v1 or "
    )


@pytest.mark.parametrize(
    ("word", "slugs"),
    [("sky", "maker"), ("BUIDL", "securitize"), ("gTrade", "gains"), ("GMX", "gmx_v1 or gmx_v2")],
)
def test_a_word_of_its_name_hints_at_a_protocol(word: str, slugs: str) -> None:
    """Who types what a venue calls itself, as the README does, is told its slug."""
    with pytest.raises(UserError, match=f"called '{word}': did you mean {slugs}\\?$"):
        protocol_named(word, PROTOCOLS)

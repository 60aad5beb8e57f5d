"""Aave, Compound v2 and Maker: liquidations, built from their ABIs (synthetic) and recorded."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from goldens import NOON, Built, frame, log, reasons, rows, scaled, usd
from recordings import address, captured, of_chain, place, words

from indexer.chains import ETHEREUM, Chain
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS
from indexer.spec import Protocol, Token, listed

AAVE_V2 = "0x7d2768de32b0b80b7a3454c06bdac94a69ddc7a9"
AAVE_V3 = "0x87870bca3f3fd6335c3f4ce8392d69350b4fa4e2"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
CUSDC = "0x39aa39c021dfbae8fac545936693ac917d5e7563"
CUSDT = "0xf650c3d88d12db855b8bf7d11be6c55a4e07dcc9"
CETH = "0x4ddc2d193948926d02f9b1fe9e1daa0718270ed5"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
ETHER = "0x" + "ee" * 20
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
CATS = (
    "0x78f2c2af65126834c51822f56be0d7469d7a523e",
    "0xa5679c04fc3d9d8b0aab1f0ab83555b301ca70ea",
)
USER, KEEPER = "0x" + "aa" * 20, "0x" + "cc" * 20

# What a node answers when it is asked for the tokens' decimals.
ASKED = {WETH: 18, USDC: 6}


def read(slug: str, logs: pl.DataFrame, chain: Chain = ETHEREUM) -> Facts:
    """Return the facts of one protocol, with the decimals a node would have told."""
    stated = [PROTOCOLS[slug], _told(chain)]
    headers = logs.select(number="block_number").unique()
    timed = headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us")))
    return facts([PROTOCOLS[slug]], chain, logs, timed, declared(stated, chain))


def _told(chain: Chain) -> Protocol:
    tokens = tuple(Token(chain, token, "T", places) for token, places in ASKED.items())
    return Protocol("told", "told", "credit", "", (), (), tokens=tokens)


def built(slug: str, one: Built, block: int = 20_000_000, chain: Chain = ETHEREUM) -> Facts:
    """Return the facts of one synthetic log."""
    return read(slug, frame([one], block=block), chain)


# --- Compound v2 ----------------------------------------------------------------------------------


def liquidate_borrow(market: str, repaid: int) -> Built:
    """Return a repayment in this market for 123.45678901 cUSDC."""
    return log(
        "compound_v2/CToken",
        "LiquidateBorrow",
        market,
        liquidator=KEEPER,
        borrower=USER,
        repayAmount=repaid,
        cTokenCollateral=CUSDC,
        seizeTokens=12_345_678_901,
    )


@pytest.mark.parametrize(
    ("market", "repaid", "asset", "tokens"),
    [
        (CETH, 15 * 10**17, ETHER, "1.5"),
        (CUSDT, 2_500_000, USDT, "2.5"),
        ("0xc11b1268c1a384e55c48c2391d8d480264a3a7f4", 150_000_000, None, "1.5"),
    ],
)
def test_a_liquidated_borrow_is_counted_in_the_markets_underlying(
    market: str, repaid: int, asset: str | None, tokens: str
) -> None:
    """The emitting market decides the debt's token; seized cTokens always have eight places."""
    result = built("compound_v2", liquidate_borrow(market, repaid))

    assert rows(result, "credit_events") == [
        {
            "kind": "liquidation",
            "pool": market,
            "account": USER,
            "counterparty": KEEPER,
            "asset_token": asset or "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599",
            "principal_tokens": usd(tokens),
            "collateral_token": CUSDC,
            "collateral_tokens": usd("123.45678901"),
        }
    ]
    assert reasons(result) == []


def test_every_market_has_an_underlying_with_decimals() -> None:
    """All twenty markets are declared with the token their debt is counted in."""
    markets = listed("compound_v2")

    tokens = {token.address.lower(): token.decimals for token in PROTOCOLS["compound_v2"].tokens}

    assert len({row["address"].lower() for row in markets}) == 20
    assert all(tokens[row["underlying"]] == int(row["underlying_decimals"]) for row in markets)


def test_every_recorded_liquidate_borrow_becomes_its_row(shared: Path) -> None:
    """All six recorded liquidations give the account and amounts their words say."""
    logs = captured(shared, "0x298637f6")
    underlying = {CETH: (ETHER, 18), CUSDT: (USDT, 6)}

    result = read("compound_v2", of_chain(logs, "ethereum"))

    expected = {
        place(one): (
            one["address"],
            address(words(one)[1]),
            address(words(one)[0]),
            underlying[one["address"]][0],
            scaled(words(one)[2], underlying[one["address"]][1]),
            address(words(one)[3]),
            scaled(words(one)[4], 8),
        )
        for one in logs
    }
    assert _liquidations(result) == expected
    assert len(logs) == 6
    assert reasons(result) == []


# --- Maker ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cat", CATS)
def test_a_bite_is_dai_owed_and_collateral_taken(cat: str) -> None:
    """The ilk is the pool as text; tab has 45 decimals and ink 18, in both Cats."""
    bite = log(
        "maker/Cat",
        "Bite",
        cat,
        ilk=b"ETH-A".ljust(32, b"\0"),
        urn=USER,
        ink=50 * 10**18,
        art=1,
        tab=39195 * 10**44 + 1,
        flip=KEEPER,
        id=7,
    )

    result = built("maker", bite, block=9_000_000)

    assert rows(result, "credit_events") == [
        {
            "kind": "liquidation",
            "pool": "ETH-A",
            "account": USER,
            "asset_token": DAI,
            "principal_tokens": usd("3919.5"),
            "collateral_tokens": usd("50"),
        }
    ]
    assert reasons(result) == []


def test_every_recorded_bite_becomes_its_row(shared: Path) -> None:
    """All three recorded bites of one vault give urn, collateral and Dai owed."""
    logs = captured(shared, "0xa716da86")

    result = read("maker", of_chain(logs, "ethereum"))

    expected = {
        place(one): (
            "ETH-A",
            address(one["topics"][2]),
            None,
            DAI,
            scaled(words(one)[2], 45),
            None,
            scaled(words(one)[0], 18),
        )
        for one in logs
    }
    assert _liquidations(result) == expected
    assert len(logs) == 3
    assert sum(row[6] for row in expected.values()) == Decimal("141.7")
    assert reasons(result) == []


def _liquidations(result: Facts) -> dict[tuple[str, int], tuple[object, ...]]:
    table = result.tables["credit_events"]
    assert set(table["kind"]) == {"liquidation"}
    columns = ("pool", "account", "counterparty", "asset_token", "principal_tokens")
    chosen = table.select("tx_hash", "log_index", *columns, "collateral_token", "collateral_tokens")
    return {(row[0], row[1]): row[2:] for row in chosen.iter_rows()}

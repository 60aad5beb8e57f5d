"""Compound v2: logs built from the ABI (synthetic), every recorded one, and what is read."""

from pathlib import Path
from typing import Any

import pytest
from goldens import Built, log, reasons, rows, scaled, usd
from lending_rig import answered, built, expected_rows, recorded, recorded_rows
from recordings import address, words

from indexer.protocols import PROTOCOLS
from indexer.spec import listed

SLUG = "compound_v2"
CETH = "0x4ddc2d193948926d02f9b1fe9e1daa0718270ed5"
CUSDC = "0x39aa39c021dfbae8fac545936693ac917d5e7563"
CUSDT = "0xf650c3d88d12db855b8bf7d11be6c55a4e07dcc9"
CWBTC = "0xc11b1268c1a384e55c48c2391d8d480264a3a7f4"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"
ETHER = "0x" + "ee" * 20
USER, KEEPER = "0x" + "aa" * 20, "0x" + "cc" * 20
UNDERLYING = {
    row["address"].lower(): (row["underlying"], int(row["underlying_decimals"]))
    for row in listed("compound_v2")
}


def market_log(name: str, market: str = CUSDC, **arguments: Any) -> Built:
    """Return a log of a market."""
    return log("compound_v2/CToken", name, market, **arguments)


def liquidate_borrow(market: str, repaid: int) -> Built:
    """Return a repayment in this market for 123.45678901 cUSDC."""
    return market_log(
        "LiquidateBorrow",
        market,
        liquidator=KEEPER,
        borrower=USER,
        repayAmount=repaid,
        cTokenCollateral=CUSDC,
        seizeTokens=12_345_678_901,
    )


def repay_borrow(payer: str, repaid: int, market: str = CUSDT) -> Built:
    """Return a repayment of the user's debt."""
    return market_log(
        "RepayBorrow",
        market,
        payer=payer,
        borrower=USER,
        repayAmount=repaid,
        accountBorrows=1,
        totalBorrows=2,
    )


@pytest.mark.parametrize(
    ("market", "repaid", "asset", "tokens"),
    [
        (CETH, 15 * 10**17, ETHER, "1.5"),
        (CUSDT, 2_500_000, USDT, "2.5"),
        (CWBTC, 150_000_000, WBTC, "1.5"),
    ],
)
def test_a_liquidated_borrow_is_counted_in_the_markets_underlying(
    market: str, repaid: int, asset: str, tokens: str
) -> None:
    """The emitting market decides the debt's token; seized cTokens always have eight places."""
    result = built(SLUG, {}, liquidate_borrow(market, repaid))

    assert rows(result, "credit_events") == [
        {
            "kind": "liquidation",
            "pool": market,
            "account": USER,
            "counterparty": KEEPER,
            "asset_token": asset,
            "principal_tokens": usd(tokens),
            "collateral_token": CUSDC,
            "collateral_tokens": usd("123.45678901"),
        }
    ]
    assert reasons(result) == []


def test_a_repayment_inside_a_liquidation_is_not_counted_twice() -> None:
    """The market logs it before the liquidation; another repayment of the same debt stays."""
    own = repay_borrow(USER, 1_000_000)
    forced = repay_borrow(KEEPER, 2_500_000)

    result = built(SLUG, {}, own, forced, liquidate_borrow(CUSDT, 2_500_000))

    found = [
        (row["kind"], row["counterparty"], row["principal_tokens"])
        for row in rows(result, "credit_events")
    ]
    assert sorted(found) == [
        ("liquidation", KEEPER, usd("2.5")),
        ("payment", USER, usd("1")),
    ]


def test_a_loan_and_flows_are_in_the_underlying() -> None:
    """Borrow, Mint and Redeem state the underlying; shares are cTokens of eight places."""
    logs = [
        market_log(
            "Borrow", borrower=USER, borrowAmount=5_000_000, accountBorrows=1, totalBorrows=2
        ),
        market_log("Mint", minter=USER, mintAmount=2_000_000, mintTokens=9_100_000_000),
        market_log("Redeem", redeemer=USER, redeemAmount=1_000_000, redeemTokens=4_500_000_000),
    ]

    result = built(SLUG, {}, *logs)

    (loan,) = rows(result, "credit_events")
    assert (loan["kind"], loan["account"], loan["principal_tokens"]) == ("funded", USER, usd("5"))
    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": CUSDC,
            "account": USER,
            "asset_token": USDC,
            "asset_tokens": usd(assets),
            "share_tokens": usd(shares),
        }
        for kind, assets, shares in (("deposit", "2", "91"), ("withdrawal", "1", "45"))
    ]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("AccrueInterest(uint256,uint256,uint256)", {}),
        ("AccrueInterest(uint256,uint256,uint256,uint256)", {"cashPrior": 999}),
    ],
)
def test_both_generations_of_accrual_are_gross_interest(name: str, more: dict[str, Any]) -> None:
    """The value of the same name stands first in early markets and second in later ones."""
    one = market_log(name, interestAccumulated=1_234_567, borrowIndex=3, totalBorrows=4, **more)

    assert rows(built(SLUG, {}, one), "fees") == [
        {
            "market": CUSDC,
            "fee_kind": "interest",
            "fee_token": USDC,
            "fee_tokens": usd("1.234567"),
            "split_basis": "none",
        }
    ]


def test_an_accrual_of_nothing_is_no_fee() -> None:
    """Two actions in one block accrue once; the second log says zero."""
    name = "AccrueInterest(uint256,uint256,uint256)"

    one = market_log(name, interestAccumulated=0, borrowIndex=3, totalBorrows=4)

    assert rows(built(SLUG, {}, one), "fees") == []


@pytest.mark.parametrize(("benefactor", "count"), [(CUSDC, 1), (KEEPER, 0)])
def test_reserves_that_a_market_adds_to_itself_are_of_a_liquidation(
    benefactor: str, count: int
) -> None:
    """What somebody gives to the reserves is no fee."""
    one = market_log("ReservesAdded", benefactor=benefactor, addAmount=28_000, newTotalReserves=1)

    found = rows(built(SLUG, {}, one), "fees")

    assert [(row["fee_kind"], row["fee_tokens"]) for row in found] == [
        ("liquidation", usd("0.028"))
    ] * count


def test_a_share_is_worth_the_exchange_rate() -> None:
    """The rate has 18 places more than the underlying less the eight of the cToken."""
    answers = {
        (CUSDC, "exchangeRateStored"): (213_456_789_012_345).to_bytes(32),
        (CUSDC, "totalSupply"): (7 * 10**8).to_bytes(32),
        (CETH, "exchangeRateStored"): (200_300_000_000_000_000_000_000_000).to_bytes(32),
        (CETH, "totalSupply"): (10**8).to_bytes(32),
    }

    result = answered(SLUG, "exchange_rate", answers, {})

    found = {row["pool"]: row for row in rows(result, "share_prices")}
    assert found == {
        CUSDC: {
            "pool": CUSDC,
            "asset_token": USDC,
            "share_price_tokens": usd("0.0213456789012345"),
            "supply_tokens": usd("7"),
        },
        CETH: {
            "pool": CETH,
            "asset_token": ETHER,
            "share_price_tokens": usd("0.02003"),
            "supply_tokens": usd("1"),
        },
    }


def test_every_market_has_an_underlying_with_decimals() -> None:
    """All twenty markets are declared with the token their debt is counted in."""
    tokens = {token.address.lower(): token.decimals for token in PROTOCOLS[SLUG].tokens}

    assert len(UNDERLYING) == 20
    assert all(tokens[token] == places for token, places in UNDERLYING.values())


# --- recorded -------------------------------------------------------------------------------------


def owed(one: dict[str, Any], word: int) -> Any:
    """Return a word of a recorded log in the underlying of its market."""
    return scaled(words(one)[word], UNDERLYING[one["address"]][1])


def test_every_recorded_liquidate_borrow_becomes_its_row(shared: Path) -> None:
    """All six recorded liquidations give the account and amounts their words say."""
    logs = recorded(shared, SLUG, "0x298637f6")

    found = recorded_rows(
        SLUG,
        logs,
        {},
        "credit_events",
        *("kind", "pool", "account", "counterparty", "asset_token", "principal_tokens"),
        *("collateral_token", "collateral_tokens"),
    )

    assert found == expected_rows(
        logs,
        [
            (
                "liquidation",
                one["address"],
                address(words(one)[1]),
                address(words(one)[0]),
                UNDERLYING[one["address"]][0],
                owed(one, 2),
                address(words(one)[3]),
                scaled(words(one)[4], 8),
            )
            for one in logs
        ],
    )
    assert len(logs) == 6


def test_every_recorded_loan_and_flow_becomes_its_row(shared: Path) -> None:
    """Loans, deposits and withdrawals of four markets give what their words say."""
    loans = recorded(shared, SLUG, "0x13ed6866")
    mints = recorded(shared, SLUG, "0x4c209b5f")
    redemptions = recorded(shared, SLUG, "0xe5b754fb")

    drawn = recorded_rows(SLUG, loans, {}, "credit_events", "kind", "account", "principal_tokens")
    columns = ("kind", "account", "asset_tokens", "share_tokens")
    flows = recorded_rows(SLUG, [*mints, *redemptions], {}, "pool_flows", *columns)

    assert drawn == expected_rows(
        loans, [("funded", address(words(one)[0]), owed(one, 1)) for one in loans]
    )
    assert flows == expected_rows(
        [*mints, *redemptions],
        [
            (kind, address(words(one)[0]), owed(one, 1), scaled(words(one)[2], 8))
            for kind, logs in (("deposit", mints), ("withdrawal", redemptions))
            for one in logs
        ],
    )
    assert (len(loans), len(mints) > 0, len(redemptions) > 0) == (7, True, True)


def test_a_recorded_repayment_is_a_payment_or_part_of_a_liquidation(shared: Path) -> None:
    """Of thirteen repayments, those that a recorded liquidation made are not payments."""
    repaid = recorded(shared, SLUG, "0x1a2a22cb")
    calls = recorded(shared, SLUG, "0x298637f6")
    forced = {
        (one["transactionHash"], one["address"], words(one)[0], words(one)[2]) for one in calls
    }
    own = [
        one
        for one in repaid
        if (one["transactionHash"], one["address"], words(one)[0], words(one)[2]) not in forced
    ]

    found = recorded_rows(
        SLUG, [*repaid, *calls], {}, "credit_events", "kind", "account", "counterparty"
    )

    payments = {place: row for place, row in found.items() if row[0] == "payment"}
    assert payments == expected_rows(
        own, [("payment", address(words(one)[1]), address(words(one)[0])) for one in own]
    )
    assert (len(repaid), len(own), len(calls)) == (13, 7, 6)


def test_every_recorded_accrual_becomes_its_fee(shared: Path) -> None:
    """Both generations; what accrued nothing gives no row."""
    early, late = recorded(shared, SLUG, "0x875352fb"), recorded(shared, SLUG, "0x4dec04e7")
    accrued = [(one, 0) for one in early] + [(one, 1) for one in late]
    counted = [(one, at) for one, at in accrued if words(one)[at]]

    found = recorded_rows(SLUG, [*early, *late], {}, "fees", "fee_kind", "market", "fee_tokens")

    assert found == expected_rows(
        [one for one, _ in counted],
        [("interest", one["address"], owed(one, at)) for one, at in counted],
    )
    assert len(accrued) > len(counted) > 30

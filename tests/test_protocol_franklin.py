"""Franklin Templeton: mints, redemptions and dividends, built from the ABIs (synthetic)."""

from typing import Any

import pytest
from goldens import Built, built_facts, log, reasons, rows, usd

from indexer.chains import ARBITRUM, AVALANCHE, BASE, BSC, ETHEREUM, POLYGON, Chain
from indexer.facts import Facts

BENJI = "0x3ddc84940ab509c11b20b76b466933f40b750dc9"
IBENJI = "0x90276e9d4a023b5229e0c2e9d4b2a83fe3a2b48c"
CONTROLLER = "0x8c8bfc3151c2161a4bad77268e246a08e5d9c666"
NOBODY, HOLDER, OTHER = "0x" + "00" * 20, "0x" + "a1" * 20, "0x" + "a2" * 20


def read(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("franklin", ETHEREUM, list(logs))


def moved(source: str, target: str, value: int, fund: str = BENJI) -> Built:
    """Return a Transfer."""
    return log("erc20/Token", "Transfer", fund, **{"from": source, "to": target, "value": value})


def dividend(
    account: str, shares: int, *, is_loss: bool = False, controller: str = CONTROLLER
) -> Built:
    """Return what a controller logs of a dividend."""
    return log(
        "franklin/Controller",
        "DividendDistributed",
        controller,
        account=account,
        date=1_735_682_400,
        rate=10**14,
        price=10**18,
        shares=shares,
        dividendCashAmount=shares,
        dividendBasis=10**22,
        isNegativeYield=is_loss,
    )


def flow(kind: str, shares: str) -> dict[str, Any]:
    """Return a row of `pool_flows` of the holder."""
    return {"kind": kind, "pool": BENJI, "account": HOLDER, "share_tokens": usd(shares)}


@pytest.mark.parametrize(
    ("transfer", "kind"),
    [(moved(NOBODY, HOLDER, 10**18), "mint"), (moved(HOLDER, NOBODY, 10**18), "redemption")],
)
def test_shares_without_a_dividend_are_bought_and_sold(transfer: Built, kind: str) -> None:
    """Nothing but the transfer is there."""
    result = read(transfer)

    assert rows(result, "pool_flows") == [flow(kind, "1")]
    assert reasons(result) == []


@pytest.mark.parametrize("is_first", [True, False])
def test_shares_that_a_controller_logs_are_a_dividend(is_first: bool) -> None:
    """Before or after the transfer, the same account and number say what it is."""
    paid, told = moved(NOBODY, HOLDER, 3 * 10**17), dividend(HOLDER, 3 * 10**17)

    result = read(*([told, paid] if is_first else [paid, told]))

    assert rows(result, "pool_flows") == [flow("dividend", "0.3")]
    assert reasons(result) == []


def test_a_loss_takes_shares() -> None:
    """A dividend below zero is a burn, and no redemption."""
    result = read(moved(HOLDER, NOBODY, 2 * 10**17), dividend(HOLDER, 2 * 10**17, is_loss=True))

    assert rows(result, "pool_flows") == [flow("dividend", "-0.2")]


def test_what_was_just_paid_may_be_redeemed_at_once() -> None:
    """Only a loss takes shares: a burn of as many as were paid is a redemption, and vice versa."""
    paid = [moved(NOBODY, HOLDER, 10**18), dividend(HOLDER, 10**18), moved(HOLDER, NOBODY, 10**18)]
    lost = dividend(HOLDER, 10**18, is_loss=True)
    bought = [moved(HOLDER, NOBODY, 10**18), lost, moved(NOBODY, HOLDER, 10**18)]

    assert rows(read(*paid), "pool_flows") == [flow("dividend", "1"), flow("redemption", "1")]
    assert sorted(row["kind"] for row in rows(read(*bought), "pool_flows")) == ["dividend", "mint"]


def test_a_dividend_of_another_account_or_size_is_not_this_one() -> None:
    """A purchase in the same transaction stays a purchase."""
    result = read(dividend(OTHER, 10**18), dividend(HOLDER, 5), moved(NOBODY, HOLDER, 10**18))

    assert rows(result, "pool_flows") == [flow("mint", "1")]


def test_equal_dividends_of_one_transaction_are_all_dividends() -> None:
    """Two days may pay the same: nothing is ambiguous about what they are."""
    logs = [dividend(HOLDER, 7), moved(NOBODY, HOLDER, 7), dividend(HOLDER, 7)]

    result = read(*logs, moved(NOBODY, HOLDER, 7))

    assert [row["kind"] for row in rows(result, "pool_flows")] == ["dividend", "dividend"]
    assert reasons(result) == []


def test_a_transfer_between_holders_is_no_flow() -> None:
    """Shares that change hands, or nothing at all, are not counted."""
    result = read(moved(HOLDER, OTHER, 1), moved(NOBODY, NOBODY, 0))

    assert result.tables["pool_flows"].is_empty()


@pytest.mark.parametrize(
    ("chain", "fund", "controller"),
    [
        (ETHEREUM, IBENJI, "0xab266e4fa5d088cc440433c3ea1e066fd710a0a5"),
        (
            POLYGON,
            "0x408a634b8a8f0de729b48574a3a7ec3fe820b00a",
            "0x72254a323775123ba500b00cacf3662367ef52fa",
        ),
        (
            ARBITRUM,
            "0xb9e4765bce2609bc1949592059b17ea72fee6c6a",
            "0x3a1540808757b7d9813de9843a9fb4b580844745",
        ),
        (
            AVALANCHE,
            "0xe08b4c1005603427420e64252a8b120cace4d122",
            "0xf208ff7c8aa13a3bf79b56146aafe81e1ca27044",
        ),
        (
            BASE,
            "0x60cfc2b186a4cf647486e42c42b11cc6d571d1e4",
            "0x095d7b0210c8347c6e080b52b8c3444297f9b27b",
        ),
        (
            BSC,
            "0x3d0a2a3a30a43a2c1c4b92033609245e819ae6a6",
            "0x6c4dd0157b714e269e11242e2a4812ab2c043318",
        ),
    ],
)
def test_every_chain_has_its_fund_and_its_controller(
    chain: Chain, fund: str, controller: str
) -> None:
    """A controller of another chain tells nothing."""
    known = [dividend(HOLDER, 10**18, controller=controller), moved(NOBODY, HOLDER, 10**18, fund)]
    unknown = [dividend(HOLDER, 10**18, controller=OTHER), moved(NOBODY, HOLDER, 10**18, fund)]

    flows = rows(built_facts("franklin", chain, known, unknown), "pool_flows")

    assert [(row["pool"], row["kind"]) for row in flows] == [(fund, "dividend"), (fund, "mint")]

"""USYC: shares made and redeemed, and reports of the price, built from the ABIs (synthetic)."""

from datetime import datetime

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import Built, built_facts, log, reasons, rows, usd

from indexer.chains import BSC, ETHEREUM
from indexer.facts import Facts

USYC = "0x136471a34f6ef19fe571effc1ca711fdb8e49f2b"
AGGREGATOR = "0x4c48bcb2160f8e0adbf9d4f3b034f1e36d1f8b3e"
NOBODY, HOLDER, OTHER = "0x" + "00" * 20, "0x" + "a1" * 20, "0x" + "a2" * 20


def read(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("usyc", ETHEREUM, list(logs))


def moved(source: str, target: str, value: int, token: str = USYC) -> Built:
    """Return a Transfer."""
    return log("erc20/Token", "Transfer", token, **{"from": source, "to": target, "value": value})


@pytest.mark.parametrize(
    ("transfer", "kind"),
    [(moved(NOBODY, HOLDER, 1_500_000), "mint"), (moved(HOLDER, NOBODY, 1_500_000), "redemption")],
)
def test_shares_come_from_nobody_and_go_to_nobody(transfer: Built, kind: str) -> None:
    """One transfer is one flow, of whoever holds the shares, with no money beside it."""
    result = read(transfer)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": USYC,
            "account": HOLDER,
            "asset_token": "USD",
            "share_tokens": usd("1.5"),
        }
    ]
    assert reasons(result) == []


def test_shares_on_bnb_chain_have_their_own_pool() -> None:
    """The token there has another address and the same six decimals."""
    there = "0x8d0fa28f221eb5735bc71d3a0da67ee5bc821311"
    logs = [moved(NOBODY, HOLDER, 1_500_000, there), moved(HOLDER, NOBODY, 500_000, there)]

    flows = rows(built_facts("usyc", BSC, logs), "pool_flows")

    assert [(row["kind"], row["pool"], row["share_tokens"]) for row in flows] == [
        ("mint", there, usd("1.5")),
        ("redemption", there, usd("0.5")),
    ]
    assert read(*logs).tables["pool_flows"].is_empty()


def test_a_transfer_between_holders_is_no_flow() -> None:
    """Shares that change hands are neither made nor redeemed; nor is nothing sent to nobody."""
    result = read(moved(HOLDER, OTHER, 1), moved(NOBODY, NOBODY, 0))

    assert result.tables["pool_flows"].is_empty()


def test_the_same_topic_of_another_token_is_not_read() -> None:
    """Every token logs Transfer: only the declared one makes shares of this fund."""
    assert read(moved(NOBODY, HOLDER, 1, OTHER)).tables["pool_flows"].is_empty()


def test_a_report_of_another_token_is_not_read() -> None:
    """Four arguments are SDYC's: its third number is a price too, of something else."""
    topic = keccak(text="BalanceReported(uint80,uint256,uint256,uint256)")
    data = encode(["uint80", *["uint256"] * 3], [7, 10**12, 110_123_456, 1_735_682_400])

    result = read(Built(AGGREGATOR, (topic,), data))

    assert result.tables["share_prices"].is_empty()


FIVE = {"balance": 10**12, "interest": 12_345}


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("BalanceReported(uint80,uint256,uint256,uint256,uint256)", FIVE),
        ("BalanceReported(uint80,uint256,uint256)", {}),
    ],
)
def test_a_report_is_a_share_price(name: str, others: dict[str, int]) -> None:
    """Whichever arguments it has, the price is eight decimals as of the moment it names."""
    report = log(
        "usyc/Aggregator",
        name,
        AGGREGATOR,
        roundId=7,
        price=110_123_456,
        updatedAt=1_735_682_400,
        **others,
    )

    assert rows(read(report), "share_prices") == [
        {
            "pool": USYC,
            "asset_token": "USD",
            "share_price_tokens": usd("1.10123456"),
            "nav_at": datetime(2024, 12, 31, 22, 0),
        }
    ]

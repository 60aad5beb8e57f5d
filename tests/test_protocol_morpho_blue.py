"""Morpho Blue: logs built from the ABI (synthetic), and every recorded one in markets as told."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from goldens import Built, log, reasons, rows, scaled, usd
from lending_rig import built, expected_rows, read, recorded
from recordings import address, of_chain, words

from indexer.chains import BASE, ETHEREUM, Chain
from indexer.facts import Facts, Known
from indexer.protocols import PROTOCOLS
from indexer.spec import listed
from indexer.tables import columns_of, empty

SLUG = "morpho_blue"
MORPHO = "0xbbbbbbbbbb9cc5e90e3b3af64bdaf62c37eeffcb"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WSTETH = "0x7f39c581f595b53c5cb19bd0b3f8da6c935e2ca0"
NOBODY = "0x" + "00" * 20
USER, CALLER, RECEIVER = "0x" + "aa" * 20, "0x" + "cc" * 20, "0x" + "dd" * 20
MARKET, OTHER_MARKET = b"\x01" * 32, b"\x02" * 32
POOL = "0x" + "01" * 32
ASKED = {USDC: 6, WSTETH: 18}


def morpho(name: str, market: bytes = MARKET, **arguments: Any) -> Built:
    """Return a log of Morpho on Ethereum."""
    return log("morpho_blue/Morpho", name, MORPHO, id=market, **arguments)


def created(collateral: str = WSTETH, market: bytes = MARKET) -> Built:
    """Return the creation of a market that lends USDC."""
    parameters = (USDC, collateral, "0x" + "ee" * 20, "0x" + "ff" * 20, 860_000_000_000_000_000)
    return morpho("CreateMarket", market, marketParams=parameters)


def told(*logs: Built) -> Facts:
    """Return the facts of logs in a market of USDC against wstETH."""
    return built(SLUG, ASKED, created(), *logs)


def test_a_market_is_its_hash_and_says_both_tokens() -> None:
    """What is lent is what it is of, and what secures it stands beside."""
    (market,) = told().markets.drop("block_number").to_dicts()

    assert {name: value for name, value in market.items() if value is not None} == {
        "chain_id": 1,
        "protocol": SLUG,
        "market": POOL,
        "index_token": USDC,
        "long_token": WSTETH,
        "asset_class": "unknown",
        "known_by": "event",
    }


def test_an_idle_market_has_no_collateral() -> None:
    """Nobody's address is no token; what is lent in it is read as in any other."""
    supply = morpho("Supply", caller=CALLER, onBehalf=USER, assets=7_000_000, shares=7 * 10**12)

    result = built(SLUG, ASKED, created(NOBODY), supply)

    assert result.markets["long_token"].to_list() == [None]
    assert [row["asset_tokens"] for row in rows(result, "pool_flows")] == [usd("7")]
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("name", "kind", "others"),
    [("Supply", "deposit", {}), ("Withdraw", "withdrawal", {"receiver": RECEIVER})],
)
def test_a_loan_token_flows_with_its_shares(name: str, kind: str, others: dict[str, Any]) -> None:
    """It is whose balance changed; shares have six places more than the token."""
    flow = morpho(
        name, caller=CALLER, onBehalf=USER, assets=2_505_597_173, shares=2_384_511_400_988_183,
        **others,
    )  # fmt: skip

    assert rows(told(flow), "pool_flows") == [
        {
            "kind": kind,
            "pool": POOL,
            "account": USER,
            "asset_token": USDC,
            "asset_tokens": usd("2505.597173"),
            "share_tokens": usd("2384.511400988183"),
        }
    ]


@pytest.mark.parametrize(
    ("name", "kind", "others"),
    [
        ("SupplyCollateral", "deposit", {}),
        ("WithdrawCollateral", "withdrawal", {"receiver": RECEIVER}),
    ],
)
def test_collateral_flows_in_its_own_token(name: str, kind: str, others: dict[str, Any]) -> None:
    """It earns nothing and has no shares."""
    flow = morpho(name, caller=CALLER, onBehalf=USER, assets=1_500_000_000_000_000_000, **others)

    assert rows(told(flow), "pool_flows") == [
        {
            "kind": kind,
            "pool": POOL,
            "account": USER,
            "asset_token": WSTETH,
            "asset_tokens": usd("1.5"),
        }
    ]


def test_loans_and_payments_are_the_borrowers() -> None:
    """Who pays for another is the counterparty; who receives a loan for another is nobody."""
    result = told(
        morpho("Borrow", caller=CALLER, onBehalf=USER, receiver=RECEIVER, assets=900, shares=8),
        morpho("Repay", caller=CALLER, onBehalf=USER, assets=400, shares=3),
    )

    same = {"pool": POOL, "account": USER, "asset_token": USDC}
    assert rows(result, "credit_events") == [
        {**same, "kind": "funded", "principal_tokens": usd("0.0009")},
        {**same, "kind": "payment", "counterparty": CALLER, "principal_tokens": usd("0.0004")},
    ]


def liquidated(bad_debt: int) -> Facts:
    """Return the facts of a liquidation that writes off so much."""
    amounts: dict[str, Any] = {
        "repaidAssets": 3_000_000_000,
        "repaidShares": 4,
        "seizedAssets": 10**18,
    }
    lost: dict[str, Any] = {"badDebtAssets": bad_debt, "badDebtShares": 5}
    return told(morpho("Liquidate", caller=CALLER, borrower=USER, **amounts, **lost))


def test_a_liquidation_is_repaid_and_seized_once() -> None:
    """The collateral leaves the borrower, and without a loss there is no shortfall."""
    result = liquidated(0)

    assert rows(result, "credit_events") == [
        {
            "kind": "liquidation",
            "pool": POOL,
            "account": USER,
            "counterparty": CALLER,
            "asset_token": USDC,
            "principal_tokens": usd("3000"),
            "collateral_token": WSTETH,
            "collateral_tokens": usd("1"),
        }
    ]
    assert rows(result, "pool_flows") == [
        {
            "kind": "withdrawal",
            "pool": POOL,
            "account": USER,
            "asset_token": WSTETH,
            "asset_tokens": usd("1"),
        }
    ]
    assert rows(result, "shortfalls") == []


def test_what_a_liquidation_writes_off_is_bad_debt() -> None:
    """In the loan token, beside what was repaid."""
    assert rows(liquidated(250_000), "shortfalls") == [
        {
            "kind": "bad_debt",
            "market": POOL,
            "account": USER,
            "asset_token": USDC,
            "shortfall_tokens": usd("0.25"),
        }
    ]


def test_interest_is_what_all_borrowers_owe_more() -> None:
    """Nobody's in particular; an accrual of nothing is no fee, whatever its rate."""
    result = told(
        morpho("AccrueInterest", prevBorrowRate=9, interest=1_234_567, feeShares=8),
        morpho("AccrueInterest", prevBorrowRate=9, interest=0, feeShares=0),
    )

    assert rows(result, "fees") == [
        {
            "market": POOL,
            "fee_kind": "interest",
            "fee_token": USDC,
            "fee_tokens": usd("1.234567"),
            "split_basis": "none",
        }
    ]


def test_a_market_nobody_announced_says_so() -> None:
    """Its amounts are in tokens that no log tells, and its rows are rejects that name it."""
    repay: dict[str, Any] = {"caller": CALLER, "onBehalf": USER, "assets": 1, "shares": 1}

    result = told(morpho("Repay", OTHER_MARKET, **repay))

    assert rows(result, "credit_events") == []
    assert {why for _, _, why in reasons(result)} == {
        f"the index token of 0x{'02' * 32} is not known"
    }


def test_a_deployment_is_read_from_its_own_block() -> None:
    """One address on Ethereum and Base, others elsewhere; one per chain."""
    starts = {row["chain"]: int(row["from_block"]) for row in listed(SLUG)}

    assert len(starts) == len(listed(SLUG)) == len(PROTOCOLS[SLUG].contracts) == 20
    assert (starts["ethereum"], starts["base"]) == (18_883_124, 13_977_148)
    same = [one.chain for one in PROTOCOLS[SLUG].contracts if one.address == MORPHO]
    assert same == [ETHEREUM, BASE]


# --- recorded -------------------------------------------------------------------------------------

# First topic: table, column of the amount, which topic is the account, which word the amount.
RECORDED = {
    "0xedf88704": ("pool_flows", "asset_tokens", 3, 0),
    "0xa56fc0ad": ("pool_flows", "asset_tokens", 2, 1),
    "0xa3b9472a": ("pool_flows", "asset_tokens", 3, 0),
    "0xe80ebd7c": ("pool_flows", "asset_tokens", 2, 1),
    "0x57095454": ("credit_events", "principal_tokens", 2, 1),
    "0x52acb05c": ("credit_events", "principal_tokens", 3, 0),
}


def announced(chain: Chain, markets: Iterable[str]) -> Known:
    """Return these markets as an earlier block announced them, of USDC against wstETH."""
    unsaid = [None] * 3
    rest = ("crypto", None, "event", 1)
    told = [(chain.chain_id, SLUG, one, None, USDC, WSTETH, *unsaid, *rest) for one in set(markets)]
    table = pl.DataFrame(told, columns_of("markets"), orient="row")
    return Known(empty("tokens"), table, empty("contracts"))


@pytest.mark.parametrize("topic0", RECORDED)
def test_every_recorded_log_becomes_its_row(shared: Path, topic0: str) -> None:
    """Market, account and amount are the log's own, once its market is announced."""
    table, column, account, word = RECORDED[topic0]
    logs = recorded(shared, SLUG, topic0)
    places = 18 if topic0 in ("0xa3b9472a", "0xe80ebd7c") else 6

    found: dict[tuple[str, int], tuple[Any, ...]] = {}
    for chain in {one.chain for one in PROTOCOLS[SLUG].contracts}:
        known = announced(chain, (one["topics"][1] for one in logs))
        result = read(SLUG, of_chain(logs, chain.slug), ASKED, chain, known)
        assert reasons(result) == []
        told = result.tables[table].select("tx_hash", "log_index", "pool", "account", column)
        found |= {row[:2]: row[2:] for row in told.iter_rows()}

    assert found == expected_rows(
        logs,
        [
            (one["topics"][1], address(one["topics"][account]), scaled(words(one)[word], places))
            for one in logs
        ],
    )
    assert found

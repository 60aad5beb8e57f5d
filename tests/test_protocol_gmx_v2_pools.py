"""GMX v2 beyond trades: pools, funding received, borrow rates, the beta, one address twice."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import Built, built_facts, keyed, reasons, recorded_logs, rows, scaled, usd
from recordings import address
from test_protocol_gmx_v2 import (
    BOTANIX_EMITTER,
    EMITTER,
    MARKET,
    ORDER,
    POSITION_KEY,
    TRADER,
    USD,
    USDC,
    USDC_PRICE,
    WETH,
    executed,
    made,
    of_transaction,
    oracle,
    position,
    recorded_facts,
    said,
    topic,
)

from indexer.chains import ARBITRUM, BOTANIX, MEGAETH

WBTC = "0x2f2a2543b76a4166549f7aab2e75bef0aefc5b0f"  # the market's long token
KEY, OTHER_KEY = b"\x0c" * 32, b"\x0d" * 32
VAULT = "0x" + "61" * 20


def valued(name: str, supply: int, value: int = 2_000 * USD, key: bytes = KEY) -> Built:
    """Return a MarketPoolValueInfo or MarketPoolValueUpdated of the market."""
    return keyed(
        name,
        EMITTER,
        [topic(MARKET)],
        address={"market": MARKET},
        uint256={"marketTokensSupply": supply},
        int256={"poolValue": value},
        bytes32={"tradeKey": key},
    )


def deposited(long: int, short: int) -> Built:
    """Return a DepositExecuted of these smallest units for 500 shares."""
    return keyed(
        "DepositExecuted",
        EMITTER,
        [KEY, topic(TRADER)],
        address={"account": TRADER},
        uint256={
            "longTokenAmount": long,
            "shortTokenAmount": short,
            "receivedMarketTokens": 500 * 10**18,
        },
        bytes32={"key": KEY},
    )


def withdrawn() -> Built:
    """Return a WithdrawalExecuted: who and which, and no amount."""
    return keyed(
        "WithdrawalExecuted",
        EMITTER,
        [KEY, topic(TRADER)],
        address={"account": TRADER},
        uint256={"swapPricingType": 0},
        bytes32={"key": KEY},
    )


LONG = {"asset_token": WBTC, "asset_tokens": usd("0.5")}
SHORT = {"asset_token": USDC, "asset_tokens": usd("30000")}
SHARES = {"share_tokens": usd("500")}


@pytest.mark.parametrize(
    ("long", "short", "expected"),
    [
        (50_000_000, 30_000 * 10**6, [{**LONG, **SHARES}, SHORT]),
        (50_000_000, 0, [{**LONG, **SHARES}]),
        (0, 30_000 * 10**6, [{**SHORT, **SHARES}]),
    ],
    ids=["both", "long", "short"],
)
def test_a_deposit_is_a_flow_per_token_and_its_shares_count_once(
    long: int, short: int, expected: list[dict[str, Any]]
) -> None:
    """The market is named by the value of the pool after the deposit of the same key."""
    result = made(deposited(long, short), valued("MarketPoolValueUpdated", 10**21))

    flow = {"kind": "deposit", "pool": MARKET, "account": TRADER}
    assert rows(result, "pool_flows") == [{**flow, **one} for one in expected]


def test_a_deposit_of_another_key_is_of_another_pool() -> None:
    """Without its own pool's value the market is not known, and the first release has none."""
    result = made(deposited(1, 0), valued("MarketPoolValueUpdated", 10**21, key=OTHER_KEY))

    assert rows(result, "pool_flows") == []
    assert reasons(result) == []


WITHDRAWAL = keccak(encode(["string"], ["WITHDRAWAL_FEE_TYPE"]))
SWAP = keccak(encode(["string"], ["SWAP_FEE_TYPE"]))


def paid_out(token: str, amount: int, kind: bytes = WITHDRAWAL, key: bytes = KEY) -> Built:
    """Return a SwapFeesCollected without a fee, of what is left of this amount."""
    none = dict.fromkeys(("tokenPrice", "feeReceiverAmount", "feeAmountForPool", "uiFeeAmount"), 0)
    return keyed(
        "SwapFeesCollected",
        EMITTER,
        [topic(MARKET)],
        address={"market": MARKET, "token": token},
        uint256={**none, "amountAfterFees": amount},
        bytes32={"tradeKey": key, "swapFeeType": kind},
    )


def test_a_withdrawal_is_a_flow_per_token_and_its_shares_count_once() -> None:
    """Shares go from 1,000 to 940; a swap of what was paid out, before or after, is no flow."""
    result = made(
        valued("MarketPoolValueInfo", 1_000 * 10**18),
        valued("MarketPoolValueInfo", 7 * 10**18, key=OTHER_KEY),
        paid_out(WBTC, 40_000_000, SWAP),
        paid_out(WBTC, 50_000_000),
        paid_out(USDC, 30_000 * 10**6),
        valued("MarketPoolValueUpdated", 940 * 10**18),
        withdrawn(),
    )

    flow = {"kind": "withdrawal", "pool": MARKET, "account": TRADER}
    first = {**LONG, "share_tokens": usd("60")}
    assert rows(result, "pool_flows") == [{**flow, **first}, {**flow, **SHORT}]
    assert result.tables["pool_flows"]["evidence"].to_list() == ["derived"] * 2
    assert reasons(result) == []


def test_shares_count_once_where_both_tokens_of_a_pool_are_one() -> None:
    """The second log of a withdrawal is the same token's, not another first."""
    result = made(
        valued("MarketPoolValueInfo", 1_000 * 10**18),
        paid_out(WBTC, 50_000_000),
        paid_out(WBTC, 50_000_000),
        valued("MarketPoolValueUpdated", 940 * 10**18),
        withdrawn(),
    )

    shares = [row.get("share_tokens") for row in rows(result, "pool_flows")]
    assert shares == [usd("60"), None]


def test_a_withdrawal_that_names_no_account_is_no_flow() -> None:
    """Before release 2.1 it said its key alone, and nothing is rejected for that."""
    items = {"bytes32": {"key": KEY}}
    result = made(paid_out(USDC, 10**6), keyed("WithdrawalExecuted", EMITTER, [KEY], **items))

    assert rows(result, "pool_flows") == []
    assert reasons(result) == []


def test_a_pools_share_is_its_value_by_its_supply() -> None:
    """2,000 dollars by 940 shares; a pool without shares has no price."""
    result = made(
        valued("MarketPoolValueUpdated", 940 * 10**18),
        valued("MarketPoolValueUpdated", 0, value=0),
    )

    assert rows(result, "share_prices") == [
        {
            "pool": MARKET,
            "asset_token": "USD",
            "share_price_tokens": scaled(2_000 * 10**18, 18, over=940),
            "supply_tokens": usd("940"),
        }
    ]


def test_a_vaults_share_is_its_value_by_its_supply() -> None:
    """GLV vaults say both when somebody enters or leaves."""
    items = {"value": 31_500 * USD, "supply": 21_000 * 10**18}
    update = keyed(
        "GlvValueUpdated", EMITTER, [topic(VAULT)], address={"glv": VAULT}, uint256=items
    )

    assert rows(made(update), "share_prices") == [
        {
            "pool": VAULT,
            "asset_token": "USD",
            "share_price_tokens": usd("1.5"),
            "supply_tokens": usd("21000"),
        }
    ]


STATE = {"asset_token": "USD"}


def test_what_is_managed_is_told_also_when_the_last_share_went() -> None:
    """2,000 dollars of 940 shares, then nothing of none: a measured zero without a price."""
    result = made(
        valued("MarketPoolValueUpdated", 940 * 10**18), valued("MarketPoolValueUpdated", 0, 0)
    )

    own = {**STATE, "pool": MARKET, "part": MARKET}
    assert rows(result, "pool_states") == [
        {**own, "assets_tokens": usd("2000")},
        {**own, "assets_tokens": usd("0")},
    ]
    assert len(rows(result, "share_prices")) == 1
    assert reasons(result) == []


def test_a_vault_says_that_it_holds_shares_of_markets() -> None:
    """Its value is in theirs; an emptied one is a measured zero."""
    result = made(
        *(
            keyed("GlvValueUpdated", EMITTER, [topic(VAULT)], address={"glv": VAULT}, uint256=items)
            for items in ({"value": 31_500 * USD, "supply": 10**18}, {"value": 0, "supply": 0})
        )
    )

    own = {**STATE, "pool": VAULT, "part": VAULT, "holds_pools": True}
    assert rows(result, "pool_states") == [
        {**own, "assets_tokens": usd("31500")},
        {**own, "assets_tokens": usd("0")},
    ]
    assert len(rows(result, "share_prices")) == 1


def accrued(delta: int, token: str = USDC, **more: int) -> Built:
    """Return a ClaimableFundingUpdated; with a `timeKey` it is collateral, not funding."""
    return keyed(
        "ClaimableFundingUpdated",
        EMITTER,
        [topic(TRADER)],
        address={"market": MARKET, "token": token, "account": TRADER},
        uint256={"delta": delta, "nextValue": delta, **more},
    )


def test_funding_received_is_below_zero() -> None:
    """What can be claimed from then on, at the minimum price of its token in the transaction."""
    prices = [oracle(WETH, 2_999 * 10**12, 3_001 * 10**12), oracle(USDC, USDC_PRICE, USDC_PRICE)]

    result = made(*prices, accrued(2_500_000), accrued(10**16, WETH))

    assert [row["paid_usd"] for row in rows(result, "funding")] == [usd("-2.5"), usd("-29.99")]
    assert rows(result, "funding")[0] == {
        "market": MARKET,
        "account": TRADER,
        "paid_usd": usd("-2.5"),
    }


def test_claimable_collateral_is_no_funding() -> None:
    """It shares the event's name and carries a time key; an accrual of nothing is none either."""
    price = oracle(USDC, USDC_PRICE, USDC_PRICE)

    assert rows(made(price, accrued(1, timeKey=485_000), accrued(0)), "funding") == []


def test_funding_received_without_a_price_is_not_known() -> None:
    """The row is there, the dollars are not."""
    assert rows(made(accrued(2_500_000)), "funding") == [{"market": MARKET, "account": TRADER}]


OTHER_MARKET = "0x70d95587d40a2caf56bd97485ab3eec10bee6336"


def accrued_by(market: str, *, is_long: bool) -> Built:
    """Return a FundingFeeAmountPerSizeUpdated: what this side of a market pays has risen."""
    return keyed(
        "FundingFeeAmountPerSizeUpdated",
        EMITTER,
        [topic(market)],
        address={"market": market, "collateralToken": USDC},
        uint256={"delta": 10**14, "value": 10**20},
        bool={"isLong": is_long},
    )


def announced(factor: int) -> Built:
    """Return the market's Funding at so many 1e-30 a second."""
    items = {"fundingFactorPerSecond": factor}
    return keyed("Funding", EMITTER, [topic(MARKET)], address={"market": MARKET}, uint256=items)


@pytest.mark.parametrize(
    ("logs", "rates"),
    [
        ((accrued_by(MARKET, is_long=True), announced(10**22)), ["0.000864"]),
        ((accrued_by(MARKET, is_long=False), announced(10**22)), ["-0.000864"]),
        (
            (
                accrued_by(MARKET, is_long=True),
                accrued_by(OTHER_MARKET, is_long=False),
                announced(10**22),
            ),
            ["0.000864"],
        ),
        ((announced(10**22), accrued_by(MARKET, is_long=True)), []),
        ((announced(0),), ["0"]),
    ],
    ids=["longs pay", "shorts pay", "another market", "nothing accrued", "nobody pays"],
)
def test_a_funding_rate_is_for_the_side_whose_fees_rose_before_it(
    logs: tuple[Built, ...], rates: list[str]
) -> None:
    """1e-8 a second; who pays stands in the event before, and zero needs nobody to."""
    result = made(*logs)

    assert rows(result, "funding") == [
        {"market": MARKET, "funding_rate_daily_ratio": usd(rate)} for rate in rates
    ]
    assert reasons(result) == []


def test_the_borrowing_factor_is_cumulative() -> None:
    """Per market and side, in units of 1e-30; an update that changes nothing is none."""
    updates = [
        keyed(
            "CumulativeBorrowingFactorUpdated",
            EMITTER,
            [topic(MARKET)],
            address={"market": MARKET},
            uint256={"delta": delta, "nextValue": 276_939 * 10**24},
            bool={"isLong": delta > 0},
        )
        for delta in (4 * 10**20, 0)
    ]

    assert rows(made(*updates), "funding") == [
        {"market": MARKET, "is_long": True, "funding_rate_cumulative_ratio": usd("0.276939")}
    ]


def test_a_decrease_of_the_beta_realises_under_the_old_name() -> None:
    """In July 2023 the profit was `pnlUsd`, and the executed order said nothing of its kind."""
    beta = keyed(
        "PositionDecrease",
        EMITTER,
        [topic(TRADER)],
        address={"account": TRADER, "market": MARKET, "collateralToken": USDC},
        uint256={"sizeDeltaUsd": 100 * USD, "orderType": 7},
        int256={"pnlUsd": -12 * USD},
        bool={"isLong": True},
        bytes32={"positionKey": POSITION_KEY},
    )
    silent = keyed("OrderExecuted", EMITTER, [ORDER], bytes32={"key": ORDER})

    result = made(beta, silent)

    (change,) = rows(result, "position_changes")
    (liquidation,) = rows(result, "liquidations")
    assert (change["cause"], change["realized_pnl_usd"]) == ("liquidation", usd("-12"))
    assert liquidation["realized_pnl_usd"] == usd("-12")
    assert "fee_usd" not in liquidation


def test_one_address_on_two_chains_is_two_contracts() -> None:
    """Botanix and MegaETH share the emitter's address; rows and markets are each chain's own."""
    market = "0x6682bb60590a045a956541b1433f016ed22e361d"  # of Botanix
    interest = keyed(
        "OpenInterestInTokensUpdated",
        BOTANIX_EMITTER,
        [topic(market)],
        address={"market": market, "collateralToken": "0xf4586028ffda7eca636864f80f8a3f2589e33795"},
        uint256={"nextValue": 150_000_000},
        int256={"delta": 50_000_000},
        bool={"isLong": True},
    )

    botanix = built_facts("gmx_v2", BOTANIX, [interest])
    megaeth = built_facts("gmx_v2", MEGAETH, [interest])

    assert botanix.tables["open_interest"]["chain_id"].to_list() == [3637]
    assert [row["open_interest_tokens"] for row in rows(botanix, "open_interest")] == [usd("1.5")]
    assert rows(megaeth, "open_interest") == []
    assert megaeth.rejects.select("chain_id", "reason").rows() == [
        (4326, f"the index token of {market} is not known")
    ]


def test_the_address_is_not_the_emitter_elsewhere() -> None:
    """On Arbitrum a log of that address is a stranger's."""
    moved = replace(position("PositionIncrease"), address=BOTANIX_EMITTER)

    assert rows(made(moved, executed(0)), "position_changes") == []


def test_recorded_withdrawals_are_what_was_asked_for(shared: Path) -> None:
    """The supply lost exactly the shares of the WithdrawalCreated of the same key."""
    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    for transaction in ("0x7036a955", "0x2a25ac06"):
        (asked,) = said(shared, transaction, "WithdrawalCreated")
        first, second = of_transaction(result, "pool_flows", transaction)
        assert first["share_tokens"] == scaled(asked["marketTokenAmount"], 18)
        assert "share_tokens" not in second
        for flow in (first, second):
            assert (flow["pool"], flow["account"]) == (asked["market"], asked["account"])


def test_recorded_withdrawals_are_what_the_pool_transferred(shared: Path) -> None:
    """The tokens themselves logged these amounts as they left the market."""
    flows = of_transaction(recorded_facts(shared, "gmx_v2", ARBITRUM), "pool_flows", "0x2a25ac06")
    left = {
        (one["address"], scaled(int(one["data"], 16), 18 if one["address"] == WETH else 6))
        for one in recorded_logs(shared / "data/logs/all_logs.jsonl.gz")
        if one["transactionHash"].startswith("0x2a25ac06")
        and one["address"] in (WETH, USDC)
        and address(one["topics"][1]) == flows[0]["pool"]
    }

    assert {(flow["asset_token"], flow["asset_tokens"]) for flow in flows} == left


def test_recorded_values_give_prices_of_shares(shared: Path) -> None:
    """A market's and a vault's, by the numbers of their events."""
    (pool,) = said(shared, "0x7036a955", "MarketPoolValueUpdated")
    (vault,) = said(shared, "0x7036a955", "GlvValueUpdated")

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    assert [
        (row["pool"], row["share_price_tokens"])
        for row in of_transaction(result, "share_prices", "0x7036a955")
    ] == [
        (pool["market"], scaled(pool["poolValue"], 12, over=pool["marketTokensSupply"])),
        (vault["glv"], scaled(vault["value"], 12, over=vault["supply"])),
    ]
    assert [
        (row["pool"], row["assets_tokens"], row.get("holds_pools"))
        for row in of_transaction(result, "pool_states", "0x7036a955")
    ] == [
        (pool["market"], scaled(pool["poolValue"], 30), None),
        (vault["glv"], scaled(vault["value"], 30), True),
    ]


@pytest.mark.parametrize(
    ("transaction", "pays"),
    [
        ("0x7036a955", 1),
        ("0x2a25ac06", -1),
        ("0xf8906e4e", 1),
        ("0xd4c6d03d", -1),
        ("0x17b8f52b", 1),
    ],
)
def test_a_recorded_rate_is_what_the_fees_of_its_side_rose_by(
    shared: Path, transaction: str, pays: int
) -> None:
    """A dollar of the side owed the rate times the seconds that the borrowing factor rose in."""
    price = {
        one["token"]: one["minPrice"] for one in said(shared, transaction, "OraclePriceUpdate")
    }
    rise = said(shared, transaction, "FundingFeeAmountPerSizeUpdated")[0]
    speeds = [one["borrowingFactorPerSecond"] for one in said(shared, transaction, "Borrowing")]
    rises = [one["delta"] for one in said(shared, transaction, "CumulativeBorrowingFactorUpdated")]
    seconds = max(rises) // max(speeds)
    owed = scaled(rise["delta"] * price[rise["collateralToken"]] * 86_400, 45, over=seconds)

    (rate,) = [
        row["funding_rate_daily_ratio"]
        for row in of_transaction(
            recorded_facts(shared, "gmx_v2", ARBITRUM), "funding", transaction
        )
        if "funding_rate_daily_ratio" in row
    ]

    assert rise["isLong"] == (pays > 0)
    assert abs(pays * rate / owed - 1) < Decimal("0.00001")


def test_recorded_accruals_are_worth_their_tokens(shared: Path) -> None:
    """The decrease made BTC and USDC claimable, at the prices of its own transaction."""
    transaction = "0xd4c6d03d"
    price = {
        one["token"]: one["minPrice"] for one in said(shared, transaction, "OraclePriceUpdate")
    }
    told = said(shared, transaction, "ClaimableFundingUpdated")

    result = recorded_facts(shared, "gmx_v2", ARBITRUM)

    paid = [
        row["paid_usd"]
        for row in of_transaction(result, "funding", transaction)
        if row.get("paid_usd", 0) < 0
    ]
    assert paid == [scaled(-one["delta"] * price[one["token"]], 30) for one in told]
    assert len(paid) == 2

"""Synthetix v3 perps: one golden per event and shape, all synthetic: no real log is at hand."""

from typing import Any

import polars as pl
import pytest
from asked import answered
from goldens import Built, built_facts, log, reasons, rows, usd
from handmade import table

from analytics.metrics.buybacks import supply_share
from indexer.chains import ARBITRUM, BASE, ETHEREUM
from indexer.facts import Facts
from indexer.protocols.synthetix_v3.values import BUYBACK, MARKET_UPDATED, PERPS, SNX

PROXY = "0x0a2af931effd34b81ebcc57e3d3c9b1e1de1c9ce"
ARBITRUM_PROXY = "0xd762960c31210cf1bdf75b06a5192d395eedc659"
BUYBACKS = (
    "0x53f1e640c058337a12d036265681bc172e6fb962",
    "0x632caa10a56343c5e6c0c066735840c096291b18",
)
SETTLER = "0x" + "5e" * 20
ETH, ACCOUNT = 100, 170_141_183_460_469_231_731_687_303_715_884_105_729
ONE = 10**18
PLACE = {"market": "100", "account": str(ACCOUNT)}


def settled(change: int, after: int, proxy: str = PROXY, **dollars: int) -> Built:
    """
    Return an OrderSettled in ETH at 2,000.

    Args:
        change: ETH bought (sold below zero).
        after: ETH of the position afterwards.
        proxy: the market proxy.
        dollars: pnl, accruedFunding, totalFees and its parts; zero where left out.
    """
    names = (
        *("pnl", "accruedFunding", "totalFees", "referralFees"),
        *("collectedFees", "settlementReward"),
    )
    amounts = {name: dollars.get(name, 0) * ONE for name in names}
    return log(
        PERPS,
        "OrderSettled",
        proxy,
        marketId=ETH,
        accountId=ACCOUNT,
        fillPrice=2_000 * ONE,
        sizeDelta=change * ONE,
        newSize=after * ONE,
        trackingCode=b"front".ljust(32, b"\0"),
        settler=SETTLER,
        **amounts,
    )


def updated(skew: int, size: int, change: int = 0, shape: int = 0, market: int = ETH) -> Built:
    """Return a MarketUpdated at 2,000; shape 1 is the one without an interest rate."""
    newest = {"interestRate": 0} if shape == 0 else {}
    return log(
        PERPS,
        MARKET_UPDATED[shape],
        PROXY,
        marketId=market,
        price=2_000 * ONE,
        skew=skew * ONE,
        size=size * ONE,
        sizeDelta=change * ONE,
        currentFundingRate=-3 * 10**15,
        currentFundingVelocity=9 * 10**18,
        **newest,
    )


def liquidated(amount: int, after: int) -> Built:
    """Return a PositionLiquidated of this much ETH that leaves a position of `after`."""
    return log(
        PERPS,
        "PositionLiquidated",
        PROXY,
        accountId=ACCOUNT,
        marketId=ETH,
        amountLiquidated=amount * ONE,
        currentPositionSize=after * ONE,
    )


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction on Base."""
    return built_facts("synthetix_v3", BASE, logs)


def change(side: str, delta: str, after: str, **more: Any) -> dict[str, Any]:
    """Return a position change in ETH at 2,000, from sizes in ETH."""
    return {
        **PLACE,
        "cause": "trade",
        "is_long": side == "long",
        "size_delta_tokens": usd(delta),
        "notional_delta_usd": 2_000 * usd(delta),
        "execution_price_usd": usd("2000"),
        "size_tokens": usd(after),
        "notional_usd": 2_000 * usd(after),
        **more,
    }


@pytest.mark.parametrize(
    ("bought", "after", "expected"),
    [
        (3, 3, [change("long", "3", "3")]),
        (2, 5, [change("long", "2", "5", realized_pnl_usd=usd("-7"))]),
        (-5, 0, [change("long", "-5", "0", realized_pnl_usd=usd("-7"))]),
        (-4, -4, [change("short", "4", "4")]),
        (1, -3, [change("short", "-1", "3", realized_pnl_usd=usd("-7"))]),
        (4, 0, [change("short", "-4", "0", realized_pnl_usd=usd("-7"))]),
        (
            -15,
            -5,
            [
                change("long", "-10", "0", realized_pnl_usd=usd("-7")),
                change("short", "5", "5"),
            ],
        ),
        (
            6,
            2,
            [
                change("long", "2", "2"),
                change("short", "-4", "0", realized_pnl_usd=usd("-7")),
            ],
        ),
    ],
    ids=["open long", "add", "close long", "open short", "cut", "close short", "turn", "turn back"],
)
def test_a_settlement_changes_the_side_it_touches(
    bought: int, after: int, expected: list[dict[str, Any]]
) -> None:
    """More of a side is above zero for longs and shorts; crossing zero is a change of each."""
    result = made(settled(bought, after, pnl=-7))

    assert reasons(result) == []
    assert rows(result, "position_changes") == expected


def charged(interest: int) -> Built:
    """Return an InterestCharged of so many dollars."""
    return log(PERPS, "InterestCharged", PROXY, accountId=ACCOUNT, interest=interest * ONE)


def test_profit_is_that_of_the_price_alone() -> None:
    """The event's pnl of 60 holds 5 of received funding and 2 of interest: the price made 57."""
    result = made(charged(2), settled(-5, 0, pnl=60, accruedFunding=5))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [usd("57")]


def test_interest_belongs_to_the_settlement_after_it() -> None:
    """Two settlements of an account in a transaction: each profit has its own interest back."""
    result = made(charged(2), settled(-5, 5, pnl=10), charged(3), settled(-5, 0, pnl=20))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [usd("12"), usd("23")]


def test_interest_stays_with_liquidity_providers() -> None:
    """No collector or referrer has a part in it; the settlement after it names the market."""
    result = made(charged(2), settled(-5, 0), charged(0), settled(1, 1))

    assert rows(result, "fees") == [
        {
            **PLACE,
            "fee_kind": "borrow",
            "fee_usd": usd("2"),
            "supply_side_usd": usd("2"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]


def test_a_liquidation_is_priced_by_the_update_right_before_it() -> None:
    """Of two updates of the market the nearer counts, and another market's never does."""
    far, near, other = updated(9, 9, 4), updated(0, 0, -3), updated(0, 0, 8, market=200)

    result = made(far, near, other, liquidated(amount=3, after=0))

    assert rows(result, "liquidations") == [
        {
            **PLACE,
            "is_long": True,
            "notional_usd": usd("6000"),
            "size_tokens": usd("3"),
            "mark_price_usd": usd("2000"),
            "execution_price_usd": usd("2000"),
            "shortfall_basis": "none",
            "derivation": "joined",
        }
    ]
    assert rows(result, "position_changes") == [
        {
            **PLACE,
            "cause": "liquidation",
            "is_long": True,
            "size_delta_tokens": usd("-3"),
            "notional_delta_usd": usd("-6000"),
            "execution_price_usd": usd("2000"),
            "size_tokens": usd("0"),
        }
    ]


@pytest.mark.parametrize("shape", [0, 1])
def test_a_short_that_is_gone_was_moved_up(shape: int) -> None:
    """The position went from -3 to 0; both shapes of the update say so."""
    result = made(updated(0, 0, change=3, shape=shape), liquidated(amount=3, after=0))

    assert result.tables["liquidations"]["is_long"].to_list() == [False]
    assert result.tables["liquidations"]["notional_usd"].to_list() == [usd("6000")]


def test_what_is_left_of_a_position_says_its_side() -> None:
    """A step of a larger liquidation leaves a rest; its sign is the side."""
    result = made(liquidated(amount=3, after=-7))

    assert result.tables["liquidations"]["is_long"].to_list() == [False]
    assert result.tables["position_changes"]["size_tokens"].to_list() == [usd("7")]


def test_a_liquidation_without_its_update_has_neither_price_nor_side() -> None:
    """Unknown is null: no price from elsewhere, and no side by default."""
    result = made(liquidated(amount=3, after=0))

    assert rows(result, "liquidations") == [
        {
            **PLACE,
            "size_tokens": usd("3"),
            "shortfall_basis": "none",
            "derivation": "joined",
        }
    ]


@pytest.mark.parametrize("shape", [0, 1])
def test_size_and_skew_give_both_sides(shape: int) -> None:
    """10 ETH in all, 4 more long than short: 7 long and 3 short, marked at 2,000."""
    result = made(updated(skew=4, size=10, shape=shape))

    assert rows(result, "open_interest") == [
        {
            "market": "100",
            "is_long": is_long,
            "open_interest_usd": usd(worth),
            "open_interest_tokens": usd(tokens),
        }
        for is_long, worth, tokens in ((True, "14000", "7"), (False, "6000", "3"))
    ]
    assert result.tables["open_interest"]["item_index"].to_list() == [0, 1]


@pytest.mark.parametrize("shape", [0, 1])
def test_an_update_carries_a_rate_and_a_price(shape: int) -> None:
    """The daily funding rate is a ratio of 1; the price is the oracle's."""
    created = log(
        PERPS, "MarketCreated", PROXY, perpsMarketId=ETH, marketName="Ether", marketSymbol="ETH"
    )

    result = made(created, updated(0, 0, shape=shape))

    assert rows(result, "funding") == [{"market": "100", "funding_rate_daily_ratio": usd("-0.003")}]
    assert rows(result, "oracle_updates") == [
        {
            "feed": "100",
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": usd("2000"),
            "provider": PROXY,
        }
    ]


def test_a_created_market_is_named_by_its_number() -> None:
    """Its symbol is the venue's; what kind of asset it is, no event says."""
    created = log(
        PERPS, "MarketCreated", PROXY, perpsMarketId=ETH, marketName="Ether", marketSymbol="ETH"
    )

    (market,) = made(created).markets.iter_rows(named=True)

    assert (market["market"], market["symbol"]) == ("100", "ETH")
    assert (market["asset_class"], market["known_by"]) == ("unknown", "event")


def test_funding_that_accrued_was_paid_by_the_account() -> None:
    """Accrued below zero is paid, above is received; the side is that of the position before."""
    result = made(settled(-5, 0, accruedFunding=-3), settled(4, 0, accruedFunding=2))

    paid = [row for row in rows(result, "funding") if "paid_usd" in row]
    assert paid == [
        {**PLACE, "is_long": True, "paid_usd": usd("3")},
        {**PLACE, "is_long": False, "paid_usd": usd("-2")},
    ]


def test_a_settlement_without_fees_or_funding_gives_neither() -> None:
    """Zero is not a payment: only the position changes."""
    result = made(settled(1, 1))

    assert rows(result, "fees") == rows(result, "funding") == []
    assert len(rows(result, "position_changes")) == 1


def fees(proxy: str = PROXY) -> Built:
    """Return a settlement of 12 in fees: 2 to the settler, 2 to a referrer, 4 collected."""
    return settled(1, 1, proxy, totalFees=12, settlementReward=2, referralFees=2, collectedFees=4)


ORDER_FEE = {
    **PLACE,
    "fee_kind": "order",
    "fee_usd": usd("10"),
    "supply_side_usd": usd("6"),
}


def test_fees_collected_on_base_buy_back() -> None:
    """The settler's 2 pay for gas; of 10, 4 go to holders and the rest to the supply side."""
    result = made(fees())

    assert rows(result, "fees") == [
        {**ORDER_FEE, "treasury_usd": usd("0"), "holders_usd": usd("4"), "split_basis": "event"}
    ]


@pytest.mark.parametrize(
    ("named", "split"),
    [
        ({}, {"split_basis": "none"}),
        (
            {"referralFees": 2},
            {
                "supply_side_usd": usd("10"),
                "treasury_usd": usd("0"),
                "holders_usd": usd("0"),
                "split_basis": "event",
            },
        ),
    ],
    ids=["neither", "a referrer alone"],
)
def test_a_settlement_that_names_no_part_has_no_split(
    named: dict[str, int], split: dict[str, Any]
) -> None:
    """A release logged zeros while it paid: zero counts where the other part is told."""
    result = made(settled(1, 1, PROXY, totalFees=12, settlementReward=2, **named))

    assert rows(result, "fees") == [{**PLACE, "fee_kind": "order", "fee_usd": usd("10"), **split}]


def test_fees_collected_on_arbitrum_go_to_somebody_unknown() -> None:
    """What the collector does there is not stated: null, not zero."""
    result = built_facts("synthetix_v3", ARBITRUM, [fees(ARBITRUM_PROXY)])

    assert rows(result, "fees") == [{**ORDER_FEE, "split_basis": "none"}]


@pytest.mark.parametrize(("margin", "debt"), [(-40, ["40"]), (0, []), (25, [])])
def test_a_negative_margin_is_bad_debt(margin: int, debt: list[str]) -> None:
    """The account owes more than it has at the moment it is flagged."""
    flagged = log(
        PERPS,
        "AccountFlaggedForLiquidation",
        PROXY,
        accountId=ACCOUNT,
        availableMargin=margin * ONE,
        requiredMaintenanceMargin=30 * ONE,
        liquidationReward=ONE,
        flagReward=ONE,
    )

    result = made(flagged)

    assert rows(result, "shortfalls") == [
        {"kind": "bad_debt", "account": str(ACCOUNT), "shortfall_usd": usd(dollars)}
        for dollars in debt
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == ({"derived"} if debt else set())


def attempt(reward: int) -> Built:
    """Return an AccountLiquidationAttempt that paid its keeper so many dollars."""
    return log(
        PERPS,
        "AccountLiquidationAttempt",
        PROXY,
        accountId=ACCOUNT,
        reward=reward * ONE,
        fullLiquidation=True,
    )


def test_a_keeper_is_paid_by_the_account_and_by_no_market() -> None:
    """One reward per attempt, whatever it liquidated; an attempt that paid nothing is no fee."""
    result = made(attempt(0), updated(0, 0, -3), liquidated(amount=3, after=0), attempt(9))

    assert rows(result, "fees") == [
        {
            "account": str(ACCOUNT),
            "fee_kind": "liquidation",
            "fee_usd": usd("9"),
            "supply_side_usd": usd("9"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]


@pytest.mark.parametrize("contract", BUYBACKS)
def test_bought_snx_is_burnt(contract: str) -> None:
    """Both contracts on Base: 100 SNX for 250 dollars, sent to the dead address."""
    bought = log(BUYBACK, "BuybackProcessed", contract, buyer=SETTLER, snx=100 * ONE, usd=250 * ONE)

    result = made(bought)

    assert rows(result, "buybacks") == [
        {
            "bought_token": SNX,
            "bought_tokens": usd("100"),
            "spent_usd": usd("250"),
            "burned_tokens": usd("100"),
            "destination_kind": "dead_burn",
        }
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == ["event"]


def test_the_supply_at_home_is_told_under_the_name_it_is_bought_as() -> None:
    """Ethereum is asked for SNX, and the row is of the token that Base buys: 340 million."""
    home = "0xc011a73ee8576fb46f5e1c5751ca3b9fe0af2a6f"
    told = {("totalSupply", home): 340_000_000 * ONE, ("balanceOf", home): 3 * ONE}

    found = answered("synthetix_v3", ETHEREUM, "supply", told)

    assert rows(found, "token_supplies") == [
        {"token": SNX, "supply_tokens": usd("340000000"), "dead_tokens": usd("3")}
    ]


def test_what_base_burns_is_a_share_of_the_supply_at_home() -> None:
    """100 of 1,000 SNX are burned on Base while Ethereum mints nothing: a tenth, gross and net."""
    home = "0xc011a73ee8576fb46f5e1c5751ca3b9fe0af2a6f"
    told = {("totalSupply", home): 1_000 * ONE, ("balanceOf", home): 0}
    bought = log(
        BUYBACK, "BuybackProcessed", BUYBACKS[0], buyer=SETTLER, snx=100 * ONE, usd=250 * ONE
    )
    read = answered("synthetix_v3", ETHEREUM, "supply", told).tables["token_supplies"]
    before = read.with_columns(pl.col("block_timestamp").dt.offset_by("-30d"))

    found = supply_share(
        made(bought).tables["buybacks"].lazy(),
        pl.concat([before, read]).lazy(),
        table("declared_facts").lazy(),
    ).collect()

    assert found["supply_share_gross_ratio"].to_list() == [0.0, 0.1]
    assert found["supply_share_net_ratio"].to_list() == [None, 0.1]


def test_a_size_beyond_every_number_costs_its_row_alone() -> None:
    """Dollars of more than 38 digits fit no column; the rate of the same log is still read."""
    result = made(updated(skew=0, size=10**25))

    assert {reason for _, _, reason in reasons(result)} == {"the value does not fit DECIMAL(38,18)"}
    assert len(rows(result, "open_interest")) == 0
    assert len(rows(result, "funding")) == 1

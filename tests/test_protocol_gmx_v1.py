"""GMX v1: one golden per event, synthetic unless the name says recorded."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from goldens import (
    Built,
    arguments,
    built_facts,
    facts_of,
    frame,
    log,
    reasons,
    recorded,
    recorded_logs,
    rows,
    scaled,
    usd,
)

from indexer.chains import ARBITRUM, AVALANCHE
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS

VAULT = "0x489ee077994b6658eafa855c308275ead8097c4a"
AVALANCHE_VAULT = "0x9ab2de34a33fb459b538c43f251eb825645e8595"
PRICE_EVENTS = "0x4530b7de1958270a2376be192a24175d795e1b07"
FIRST_FEED = "0x73fe72c9caa0faf0e488570d5898984783e728df"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
USDC_E = "0xa7d7079b0fead91f3e65f86e8915cb59c1a4c664"  # on Avalanche
LINK = "0xf97f4df75117a78c1a5a0dbb814af92458539fb4"
TRADER = "0x" + "aa" * 20
KEY = b"\x01" * 32
USD = 10**30
POSITION = {
    "market": WETH,
    "account": TRADER,
    "position_id": "0x" + "01" * 32,
    "is_long": False,
    "collateral_token": USDC,
}


def vault(name: str, **arguments: Any) -> Built:
    """Return a log of the Arbitrum Vault about the trader's short of ETH on USDC."""
    shared = {
        "key": KEY,
        "account": TRADER,
        "collateralToken": USDC,
        "indexToken": WETH,
        "isLong": False,
    }
    return log("gmx_v1/Vault", name, VAULT, **shared, **arguments)


def increase(size: int, collateral: int = 1_000, fee: int = 5) -> Built:
    """Return an IncreasePosition of these dollars at 2,500."""
    return vault(
        "IncreasePosition",
        collateralDelta=collateral * USD,
        sizeDelta=size * USD,
        price=2_500 * USD,
        fee=fee * USD,
    )


def decrease(size: int) -> Built:
    """Return a DecreasePosition of these dollars at 2,400."""
    return vault(
        "DecreasePosition", collateralDelta=0, sizeDelta=size * USD, price=2_400 * USD, fee=USD
    )


def liquidation() -> Built:
    """Return a LiquidatePosition of 10,000 dollars on 900 of collateral at 2,740."""
    return vault(
        "LiquidatePosition",
        size=10_000 * USD,
        collateral=900 * USD,
        reserveAmount=10_000 * 10**6,
        realisedPnl=-900 * USD,
        markPrice=2_740 * USD,
    )


def margin_fee(token: str, dollars: int) -> Built:
    """Return a CollectMarginFees of these dollars."""
    return log(
        "gmx_v1/Vault",
        "CollectMarginFees",
        VAULT,
        token=token,
        feeUsd=dollars * USD,
        feeTokens=dollars * 10**6,
    )


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction on Arbitrum."""
    return built_facts("gmx_v1", ARBITRUM, logs)


def test_an_increase_adds_size_and_collateral_after_the_fee() -> None:
    """1,000 dollars put in pay a fee of 5 first; the size grows by what the event says."""
    result = made(increase(size=10_000))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("10000"),
            "collateral_delta_usd": usd("995"),
            "execution_price_usd": usd("2500"),
        }
    ]


def test_a_decrease_realises_what_update_pnl_says() -> None:
    """The profit comes from UpdatePnl before it; how collateral changed is not known."""
    pnl = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=KEY, hasProfit=True, delta=160 * USD)

    result = made(pnl, decrease(size=4_000))

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("-4000"),
            "execution_price_usd": usd("2400"),
            "realized_pnl_usd": usd("160"),
        }
    ]


def test_a_loss_is_realised_below_zero() -> None:
    """UpdatePnl carries the amount without its sign."""
    pnl = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=KEY, hasProfit=False, delta=3 * USD)

    result = made(pnl, decrease(size=4_000))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [usd("-3")]


def test_a_decrease_takes_the_profit_of_its_own_position() -> None:
    """UpdatePnl of another position of the transaction is not its companion."""
    other = log("gmx_v1/Vault", "UpdatePnl", VAULT, key=b"\x02" * 32, hasProfit=True, delta=USD)

    result = made(other, decrease(size=4_000))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [None]


def test_a_liquidation_takes_its_fee_from_before_it() -> None:
    """The fee is the margin fee on the same token that the Vault collected just before."""
    earlier, own, other_token = margin_fee(USDC, 3), margin_fee(USDC, 10), margin_fee(WETH, 7)

    result = made(earlier, own, other_token, liquidation())

    assert rows(result, "liquidations") == [
        {
            **POSITION,
            "notional_usd": usd("10000"),
            "collateral_usd": usd("900"),
            "mark_price_usd": usd("2740"),
            "fee_usd": usd("10"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]


def test_a_liquidation_closes_the_position() -> None:
    """It is also a position change: all of the size and of the collateral, nothing left."""
    result = made(liquidation())

    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "liquidation",
            "notional_delta_usd": usd("-10000"),
            "collateral_delta_usd": usd("-900"),
            "execution_price_usd": usd("2740"),
            "notional_usd": usd("0"),
        }
    ]


def test_open_interest_is_the_sum_of_changes() -> None:
    """An increase adds, decreases and liquidations take away; moving collateral does neither."""
    result = made(increase(10_000), increase(0), decrease(4_000), decrease(0), liquidation())

    table = result.tables["open_interest"]
    assert table["open_interest_delta_usd"].to_list() == [
        usd("10000"),
        usd("-4000"),
        usd("-10000"),
    ]
    assert set(table["evidence"]) == {"derived"}
    assert rows(result, "open_interest")[0] == {
        "market": WETH,
        "is_long": False,
        "open_interest_delta_usd": usd("10000"),
    }


def test_a_margin_fee_belongs_to_the_change_after_it_and_is_split() -> None:
    """70 % go to GLP and 30 % to stakers; the fee inside the position event counts nothing."""
    result = made(margin_fee(USDC, 5), increase(size=10_000))

    assert rows(result, "fees") == [
        {
            "market": WETH,
            "account": TRADER,
            "fee_kind": "margin",
            "fee_token": USDC,
            "fee_tokens": usd("5"),
            "fee_usd": usd("5"),
            "supply_side_usd": usd("3.5"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("1.5"),
            "split_basis": "policy",
        }
    ]


def test_a_fee_of_nothing_is_no_fee() -> None:
    """Increases of collateral alone collect zero, and so may swaps."""
    swap = log("gmx_v1/Vault", "CollectSwapFees", VAULT, token=USDC, feeUsd=0, feeTokens=0)

    result = made(margin_fee(USDC, 0), increase(size=0), swap)

    assert rows(result, "fees") == []


def test_swap_fees_on_avalanche_read_as_the_abi_says() -> None:
    """There the dollars come first."""
    fee = log(
        "gmx_v1/Vault",
        "CollectSwapFees",
        AVALANCHE_VAULT,
        token=USDC_E,
        feeUsd=2 * USD,
        feeTokens=2 * 10**6,
    )

    result = built_facts("gmx_v1", AVALANCHE, [fee])

    assert rows(result, "fees") == [
        {
            "fee_kind": "swap",
            "fee_token": USDC_E,
            "fee_tokens": usd("2"),
            "fee_usd": usd("2"),
            "supply_side_usd": usd("1.4"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0.6"),
            "split_basis": "policy",
        }
    ]


def test_the_borrow_rate_is_cumulative() -> None:
    """UpdateFundingRate counts in millionths; a rate is the difference of two rows."""
    rate = log("gmx_v1/Vault", "UpdateFundingRate", VAULT, token=USDC, fundingRate=1_218_348)

    result = made(rate)

    assert rows(result, "funding") == [
        {"market": USDC, "funding_rate_cumulative_ratio": usd("1.218348")}
    ]


def test_a_price_names_its_asset_and_its_feed() -> None:
    """WETH is priced as ETH, in dollars, by the feed that reported it."""
    feed = "0x" + "fe" * 20
    update = log(
        "gmx_v1/FastPriceEvents",
        "PriceUpdate",
        PRICE_EVENTS,
        token=WETH,
        price=2_547_690 * 10**27,
        priceFeed=feed,
    )

    result = made(update)

    assert rows(result, "oracle_updates") == [
        {
            "feed": WETH,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": usd("2547.69"),
            "provider": feed,
        }
    ]


def test_the_first_feed_speaks_until_the_shared_one_does() -> None:
    """SetPrice counts up to the block before FastPriceEvents begins, and not after."""
    price = log("gmx_v1/FastPriceFeed", "SetPrice", FIRST_FEED, token=LINK, price=25 * USD)
    before, after = recorded_at(price, 3_716_731), recorded_at(price, 3_716_732)

    assert rows(before, "oracle_updates") == [
        {
            "feed": LINK,
            "asset": "LINK",
            "quote": "USD",
            "oracle_price_quote": usd("25"),
            "provider": FIRST_FEED,
        }
    ]
    assert rows(after, "oracle_updates") == []


def recorded_at(one: Built, block: int) -> Facts:
    """Return the facts of one log in this block on Arbitrum."""
    return facts_of("gmx_v1", ARBITRUM, frame([one], block=block))


def recorded_facts(shared: Path) -> Facts:
    """Return the facts of the recorded logs of GMX v1 on Arbitrum."""
    logs, headers = recorded(shared / "data/logs/gmx_v1.jsonl.gz", "arbitrum")
    protocols = [PROTOCOLS["gmx_v1"]]
    return facts(protocols, ARBITRUM, logs, headers, declared(protocols, ARBITRUM))


def test_the_recorded_close_gives_its_decrease_and_its_fee_once(shared: Path) -> None:
    """
    Transaction 0xa3dd437d closes a short with a profit; its fee stands in CollectMarginFees and
    in DecreasePosition and counts once.
    """
    closed = said(shared, "DecreasePosition")
    profit = said(shared, "UpdatePnl")

    result = recorded_facts(shared)

    assert reasons(result) == []
    assert rows(result, "position_changes") == [
        {
            "market": WETH,
            "account": closed["account"],
            "position_id": "0x" + closed["key"].hex(),
            "cause": "trade",
            "is_long": False,
            "collateral_token": USDC,
            "notional_delta_usd": scaled(-closed["sizeDelta"], 30),
            "execution_price_usd": scaled(closed["price"], 30),
            "realized_pnl_usd": scaled(profit["delta"], 30),
        }
    ]
    assert profit["hasProfit"]
    margin = [row for row in rows(result, "fees") if row["fee_kind"] == "margin"]
    assert [(row["market"], row["account"]) for row in margin] == [(WETH, closed["account"])]
    assert [row["fee_usd"] for row in margin] == [scaled(closed["fee"], 30)]


def said(shared: Path, name: str) -> dict[str, Any]:
    """Return the arguments of the only recorded Vault log of this event."""
    (one,) = (
        one
        for one in recorded_logs(shared / "data/logs/gmx_v1.jsonl.gz")
        if one["address"] == VAULT and one["_event"].startswith(name + "(")
    )
    return arguments(one, "gmx_v1/Vault", name)


def test_the_recorded_swap_fee_is_what_the_swap_kept_back(shared: Path) -> None:
    """On Arbitrum the amounts are exchanged: 1.04 LINK, worth 16.46 dollars."""
    result = recorded_facts(shared)

    kept_back = 948_534_109_000_000_000_000 - 947_490_721_480_100_000_000
    (swap,) = (row for row in rows(result, "fees") if row["fee_kind"] == "swap")
    assert swap["fee_token"] == LINK
    assert swap["fee_tokens"] == scaled(kept_back, 18) == Decimal("1.0433875199")
    assert swap["fee_usd"] == usd("16.4604815139424")

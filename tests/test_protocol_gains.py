"""Gains gTrade: every declared event, built from its ABI (synthetic), gives exactly its rows."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from goldens import NOON, Built, facts_of, frame, log, reasons, rows, usd

from analytics.metrics.concentration import concentration
from indexer.chains import APECHAIN, ARBITRUM, BASE, MEGAETH, POLYGON, Chain
from indexer.facts import Facts, declared, discovered, facts
from indexer.protocols import PROTOCOLS
from indexer.spec import listed

ABI = "gains/Diamond"
DIAMOND = "0xff162c694eaa571f685030649814282ea457f169"
DIAMONDS = {
    ARBITRUM: DIAMOND,
    POLYGON: "0x209a9a01980377916851af2ca075c2b170452018",
    BASE: "0x6cd5ac19a07518a8092eeffda4f1174c72704eeb",
    APECHAIN: "0x2be5d7058adba14bc38e4a83e94a81f7491b0163",
    MEGAETH: "0x2d5b1ba6e2093a5b927fe5bf8c049b107de31eaf",
}
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
GNS = "0x18c11fd286c5ec11c3b683caa813b77f5163a122"
TRADER, KEEPER = "0x" + "aa" * 20, "0x" + "cc" * 20
BLOCK = {"": 200_000_000, "9": 300_000_000, "9.4": 300_000_000, "10": 400_000_000}
LABEL = {"": "8", "9": "9", "9.4": "9.4", "10": "10"}  # what rows carry as version
GENERATIONS = ("", "9.4", "10")

# 1,000 USDC at ten times leverage, USDC at $0.9999, closed 25 % up: stake 999.90 dollars,
# notional 9,999, PnL 249.975; 4 are the token size from v10 on, 3.9996 in units of the base.
AMOUNT, LEVERAGE, PRICE, PROFIT = 1_000_000_000, 10_000, 99_990_000, 25 * 10**10
SIZE = 4 * 10**18
TRADE = {
    "market": "7",
    "account": TRADER,
    "position_id": "5",
    "is_long": True,
    "collateral_token": USDC,
}
SHAPES = {(row["kind"], row["version"]): row["event"] for row in listed("gains_shapes")}


def trade(version: str, size: int = SIZE, user: str = TRADER, pair: int = 7) -> tuple[Any, ...]:
    """Return the trade tuple of a generation: long 1,000 USDC at ten times leverage."""
    tail = (False, size, 0) if version == "10" else (0,)
    return (user, 5, pair, LEVERAGE, True, True, 3, 0, AMOUNT, 2_500 * 10**10, 0, 0, *tail)


def priced(version: str) -> dict[str, Any]:
    """Return the price arguments: executed at 2,500.5, the oracle said 2,499."""
    if version == "":
        return {"price": 25_005 * 10**9, "priceImpactP": 0}
    prices = {"oraclePrice": 2_499 * 10**10, "marketPrice": 25_005 * 10**9, "liqPrice": 1}
    impact = (0, 0, 0, 0, 0, 0) if version == "10" else 0
    return prices | {"priceImpact" if version == "10" else "priceImpactP": impact}


def execution(kind: str, version: str, **changes: Any) -> Built:
    """Return a MarketExecuted or LimitExecuted of a generation."""
    arguments = {
        "orderId": (TRADER, 1),
        "user": TRADER,
        "index": 5,
        "limitIndex": 0,
        "t": trade(version),
        "triggerCaller": KEEPER,
        "percentProfit": PROFIT,
        "amountSentToTrader": 0,
        "collateralPriceUsd": PRICE,
        "exactExecution": True,
        **priced(version),
    }
    return log(ABI, SHAPES[kind, version], DIAMOND, **arguments | changes)


def read(*logs: Built, version: str = "10") -> Facts:
    """Return the facts of one transaction on Arbitrum in a block of the generation."""
    return facts_of("gains", ARBITRUM, frame(logs, block=BLOCK[version]))


def sized(version: str, **columns: Decimal) -> dict[str, Decimal]:
    """Return the columns that only v10 knows."""
    return columns if version == "10" else {}


@pytest.mark.parametrize("version", GENERATIONS)
@pytest.mark.parametrize(
    ("kind", "how"), [("market", {"open": True}), ("trigger", {"orderType": 6})]
)
def test_an_execution_says_what_its_collateral_is_worth(
    version: str, kind: str, how: dict[str, Any]
) -> None:
    """The venue's own price of the collateral, 1e8, for openings and closings alike."""
    result = read(execution(kind, version, **how), version=version)

    assert [row for row in rows(result, "oracle_updates") if row["feed"] == USDC] == [
        {
            "feed": USDC,
            "asset": "USDC",
            "quote": "USD",
            "oracle_price_quote": usd("0.9999"),
            "provider": DIAMOND,
        }
    ]


def test_wrapped_collateral_is_priced_under_the_name_of_what_it_wraps() -> None:
    """WETH is priced as ETH, so that its price meets those of other venues."""
    levered = list(trade("10"))
    levered[6] = 2

    result = read(
        execution("market", "10", open=True, t=tuple(levered), collateralPriceUsd=250_000_000_000)
    )

    (row,) = (row for row in rows(result, "oracle_updates") if row["feed"] == WETH)
    assert row["asset"] == "ETH"
    assert row["oracle_price_quote"] == usd("2500")


@pytest.mark.parametrize("version", ["9.4", "10"])
@pytest.mark.parametrize(("pair", "asset", "quote"), [(7, "AAVE", "USD"), (22, "USD", "JPY")])
def test_a_market_order_says_the_oracles_price_of_its_pair(
    version: str, pair: int, asset: str, quote: str
) -> None:
    """The median of the nodes, without price impact, in what the pair is quoted in."""
    result = read(
        execution("market", version, open=False, t=trade(version, pair=pair)), version=version
    )

    assert [row for row in rows(result, "oracle_updates") if row["feed"] == str(pair)] == [
        {
            "feed": str(pair),
            "asset": asset,
            "quote": quote,
            "oracle_price_quote": usd("2499"),
            "provider": DIAMOND,
        }
    ]


def test_neither_a_trigger_nor_an_old_order_gives_a_price_of_a_pair() -> None:
    """A trigger's may be the order's own price, and until v9.4 all have price impact."""
    result = read(execution("trigger", "10", orderType=6), execution("market", "", open=True))

    assert {row["feed"] for row in rows(result, "oracle_updates")} == {USDC}
    assert reasons(result) == []


def test_a_pair_is_quoted_in_what_pair_added_says() -> None:
    """A pair that is not listed has a price once it was announced, and is rejected before."""
    added = log(ABI, "PairAdded", DIAMOND, index=9_999, **{"from": "NEW", "to": "EUR"})
    order = execution("market", "10", open=True, t=trade("10", pair=9_999))

    prices = [row for row in rows(read(added, order), "oracle_updates") if row["feed"] == "9999"]
    assert [(row["asset"], row["quote"]) for row in prices] == [("NEW", "EUR")]
    assert reasons(read(order)) == [
        (SHAPES["market", "10"], "oracle_updates", "quote is not known")
    ]


@pytest.mark.parametrize("version", GENERATIONS)
@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("market", {"open": True}),
        ("trigger", {"orderType": 2}),
        ("trigger", {"orderType": 3}),
    ],
)
def test_an_opening_adds_the_levered_collateral(
    version: str, kind: str, how: dict[str, Any]
) -> None:
    """Market, limit and stop openings of every generation add notional and nothing else."""
    result = read(execution(kind, version, **how), version=version)

    assert rows(result, "position_changes") == [
        TRADE
        | {
            "cause": "trade",
            "notional_delta_usd": usd("9999"),
            "collateral_delta_usd": usd("999.9"),
            "execution_price_usd": usd("2500.5"),
            "notional_usd": usd("9999"),
        }
        | sized(version, size_delta_tokens=usd("3.9996"), size_tokens=usd("3.9996"))
    ]
    assert result.tables["position_changes"]["version"].to_list() == [LABEL[version]]
    assert result.tables["liquidations"].is_empty()
    assert reasons(result) == []


@pytest.mark.parametrize("version", GENERATIONS)
@pytest.mark.parametrize(
    ("kind", "how", "cause"),
    [
        ("market", {"open": False}, "trade"),
        ("trigger", {"orderType": 4}, "trade"),
        ("trigger", {"orderType": 5}, "trade"),
        ("trigger", {"orderType": 6}, "liquidation"),
    ],
)
def test_a_closing_takes_the_notional_and_realises_the_price_move(
    version: str, kind: str, how: dict[str, Any], cause: str
) -> None:
    """Closings of every generation end the position; order type 6 is a liquidation."""
    result = read(execution(kind, version, **how), version=version)

    assert rows(result, "position_changes") == [
        TRADE
        | {
            "cause": cause,
            "notional_delta_usd": usd("-9999"),
            "collateral_delta_usd": usd("-999.9"),
            "execution_price_usd": usd("2500.5"),
            "realized_pnl_usd": usd("249.975"),
            "notional_usd": usd("0"),
        }
        | sized(version, size_delta_tokens=usd("-3.9996"))
    ]
    assert reasons(result) == []


def test_v10_counts_a_size_in_collateral_by_the_price() -> None:
    """1 WETH at 2,500 ten times: 10 WETH by 2,500 are 0.004 to the venue, and 10 of the base."""
    weth = (TRADER, 5, 7, LEVERAGE, True, True, 2, 0, 10**18, 2_500 * 10**10, 0, 0)
    opened = execution(
        "market",
        "10",
        open=True,
        t=(*weth, False, 4 * 10**15, 0),
        marketPrice=2_500 * 10**10,
        collateralPriceUsd=2_500 * 10**8,
    )

    (row,) = rows(read(opened), "position_changes")

    assert (row["size_delta_tokens"], row["notional_delta_usd"]) == (usd("10"), usd("25000"))
    assert row["size_tokens"] * row["execution_price_usd"] == row["notional_usd"]


@pytest.mark.parametrize("version", GENERATIONS)
@pytest.mark.parametrize(
    ("kind", "how"), [("market", {"open": True}), ("trigger", {"orderType": 6})]
)
def test_a_pair_in_yen_has_dollars_of_notional_alone(
    version: str, kind: str, how: dict[str, Any]
) -> None:
    """USD/JPY: a price of 150 is no 150 dollars, and a size is dollars by yen."""
    result = read(execution(kind, version, t=trade(version, pair=22), **how), version=version)

    named = {"execution_price_usd", "mark_price_usd", "size_delta_tokens", "size_tokens"}
    (change,) = rows(result, "position_changes")
    assert abs(change["notional_delta_usd"]) == usd("9999")
    for row in (change, *rows(result, "liquidations")):
        assert row.keys().isdisjoint(named)


@pytest.mark.parametrize("version", GENERATIONS)
def test_a_liquidation_names_the_keeper_and_the_whole_loss(version: str) -> None:
    """LimitExecuted of type 6 is one liquidation of the whole position, read directly."""
    lost = execution("trigger", version, orderType=6, percentProfit=-(10**12))

    result = read(lost, version=version)

    mark = "2500.5" if version == "" else "2499"
    assert rows(result, "liquidations") == [
        TRADE
        | {
            "liquidator": KEEPER,
            "notional_usd": usd("9999"),
            "collateral_usd": usd("999.9"),
            "mark_price_usd": usd(mark),
            "execution_price_usd": usd("2500.5"),
            "realized_pnl_usd": usd("-999.9"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
        | sized(version, size_tokens=usd("3.9996"))
    ]
    assert result.tables["liquidations"]["version"].to_list() == [LABEL[version]]


def test_a_liquidation_without_a_keeper_names_nobody() -> None:
    """A trade that a fee pushes over its limit is liquidated by the venue: no order, no caller."""
    lost = execution("trigger", "10", orderType=6, triggerCaller="0x" + "00" * 20)

    (liquidated,) = rows(read(lost), "liquidations")

    assert "liquidator" not in liquidated


def shorted(version: str) -> tuple[Any, ...]:
    """Return the trade tuple of a generation, short."""
    return tuple(False if place == 4 else value for place, value in enumerate(trade(version)))


@pytest.mark.parametrize("version", ["9.4", "10"])
@pytest.mark.parametrize(
    ("kind", "how", "who"),
    [
        ("market", {"open": False}, {}),
        ("trigger", {"orderType": 5}, {"liquidator": KEEPER}),
    ],
)
@pytest.mark.parametrize("is_long", [True, False])
def test_a_close_beyond_the_liquidation_price_is_a_liquidation(
    version: str, kind: str, how: dict[str, Any], who: dict[str, Any], is_long: bool
) -> None:
    """The oracle said 2,499: at or below the limit of a long, at or above that of a short."""
    side = trade(version) if is_long else shorted(version)
    lost = execution(kind, version, t=side, liqPrice=2_499 * 10**10, percentProfit=-(10**12), **how)

    result = read(lost, version=version)

    assert rows(result, "liquidations") == [
        TRADE
        | who
        | {
            "is_long": is_long,
            "notional_usd": usd("9999"),
            "collateral_usd": usd("999.9"),
            "mark_price_usd": usd("2499"),
            "execution_price_usd": usd("2500.5"),
            "realized_pnl_usd": usd("-999.9"),
            "shortfall_basis": "none",
            "derivation": "inferred",
        }
        | sized(version, size_tokens=usd("3.9996"))
    ]
    assert [row["cause"] for row in rows(result, "position_changes")] == ["liquidation"]


@pytest.mark.parametrize("version", ["9.4", "10"])
@pytest.mark.parametrize(
    ("is_long", "how"),
    [
        (True, {"liqPrice": 2_498 * 10**10}),
        (False, {"liqPrice": 2_500 * 10**10}),
        (False, {"liqPrice": 0}),
        (True, {"liqPrice": 2_600 * 10**10, "amountSentToTrader": 1}),
    ],
    ids=["above", "below", "no such price", "something was paid"],
)
def test_a_close_on_this_side_of_it_is_a_trade(
    version: str, is_long: bool, how: dict[str, Any]
) -> None:
    """Neither the price alone nor an empty hand alone makes a liquidation."""
    side = trade(version) if is_long else shorted(version)

    result = read(
        execution("market", version, open=False, t=side, **how),
        execution("trigger", version, orderType=4, t=side, **how),
        version=version,
    )

    assert result.tables["liquidations"].is_empty()
    assert [row["cause"] for row in rows(result, "position_changes")] == ["trade", "trade"]


def test_a_liquidation_by_name_is_counted_once() -> None:
    """Order type 6 beyond the liquidation price is the direct row alone."""
    result = read(execution("trigger", "10", orderType=6, liqPrice=2_600 * 10**10))

    assert [row["derivation"] for row in rows(result, "liquidations")] == ["direct"]


def test_a_trade_from_before_v10_has_no_token_size() -> None:
    """A zero positionSizeToken is not known, not measured zero."""
    old = execution("trigger", "10", orderType=6, t=trade("10", size=0))

    result = read(old)

    assert "size_tokens" not in rows(result, "liquidations")[0]
    assert "size_delta_tokens" not in rows(result, "position_changes")[0]


def test_an_unknown_order_type_is_rejected() -> None:
    """LimitExecuted carries types 2 to 6; another one costs the row and says so."""
    result = read(execution("trigger", "10", orderType=7))

    assert result.tables["position_changes"].is_empty()
    assert reasons(result) == [
        (SHAPES["trigger", "10"], "position_changes", "7 is not in the declared table")
    ]


# --- resizes --------------------------------------------------------------------------------------

# 500 of 1,000 USDC of position, executed at 2,500.5; what stays after a decrease is 100 USDC at
# five times.
SUM, WAS, NOW, PAID = 500_000_000, 1_000_000_000, 1_500_000_000, 25_005 * 10**9
IMPACT, STAYS, LOST = (0, 0, 0, 0, 0, PAID), (100_000_000, 5_000), -20_000_000
VALUES = {
    ("two-faced increase", "9"): (SUM, WAS, NOW, 1, 1, PAID, *[0] * 6),
    ("increase", "9.4"): (SUM, WAS, NOW, 1, 1, PAID, *[0] * 7),
    ("increase", "10"): (SUM, WAS, NOW, 1, 1, IMPACT, *[0] * 6, False, 0, 0, 0),
    ("decrease", ""): (SUM, WAS, 0, PAID, *[0] * 6, *STAYS),
    ("decrease", "9.4"): (SUM, WAS, 0, PAID, *[0] * 5, *STAYS),
    ("decrease", "10"): (False, SUM, WAS, 0, 0, IMPACT, 0, LOST, *[0] * 6, *STAYS),
}


def resize(kind: str, version: str, **changes: Any) -> Built:
    """Return a resize of a generation that took or gave 50 USDC of collateral."""
    arguments = {
        "orderId": (TRADER, 1),
        "cancelReason": 0,
        "collateralIndex": 3,
        "trader": TRADER,
        "pairIndex": 7,
        "index": 5,
        "long": True,
        "marketPrice": 1,
        "oraclePrice": 1,
        "collateralPriceUsd": PRICE,
        "collateralDelta": 50_000_000,
        "leverageDelta": 0,
        "values": VALUES[kind, version],
    }
    return log(ABI, SHAPES[kind, version], DIAMOND, **arguments | changes)


def oi_updated(name: str = "BorrowingPairOiUpdated", pair: int = 7, collateral: int = 3) -> Built:
    """Return the pair counter of the old bucket: 20,000 long and 3,000 short, in 1e10."""
    sides = {"newOiLong": 20_000 * 10**10, "newOiShort": 3_000 * 10**10}
    rest = {"long": True, "increase": True, "delta": 1}
    return log(ABI, name, DIAMOND, collateralIndex=collateral, pairIndex=pair, **rest, **sides)


@pytest.mark.parametrize("version", ["9.4", "10"])
def test_an_increase_adds_its_part(version: str) -> None:
    """A size increase adds the position delta in dollars and says the size after it."""
    result = read(resize("increase", version), version=version)

    assert rows(result, "position_changes") == [
        TRADE
        | {
            "cause": "trade",
            "notional_delta_usd": usd("499.95"),
            "collateral_delta_usd": usd("49.995"),
            "execution_price_usd": usd("2500.5"),
            "notional_usd": usd("1499.85"),
        }
    ]
    assert result.tables["position_changes"]["version"].to_list() == [version]


@pytest.mark.parametrize("version", ["", "9.4", "10"])
def test_a_decrease_takes_its_part(version: str) -> None:
    """It takes the position delta in dollars and says the size after it; from v10 on, its PnL."""
    block = version or "9"

    result = read(resize("decrease", version), version=block)

    assert rows(result, "position_changes") == [
        TRADE
        | {
            "cause": "trade",
            "notional_delta_usd": usd("-499.95"),
            "collateral_delta_usd": usd("-49.995"),
            "execution_price_usd": usd("2500.5"),
            "notional_usd": usd("499.95"),
        }
        | sized(version, realized_pnl_usd=usd("-19.998"))
    ]
    assert result.tables["position_changes"]["version"].to_list() == [block]


@pytest.mark.parametrize(("pair", "index"), [(7, 5), (5, 7), (7, 7)])
def test_the_market_of_an_ambiguous_increase_comes_from_open_interest(
    pair: int, index: int
) -> None:
    """Two versions swap pairIndex and index under one topic0: the counter names the pair."""
    increase = resize("two-faced increase", "9", pairIndex=pair, index=index)

    result = read(oi_updated(), increase, version="9")

    (row,) = rows(result, "position_changes")
    assert row["market"] == "7"
    assert row["position_id"] == str(pair + index - 7)
    assert row["notional_delta_usd"] == usd("499.95")


def test_an_ambiguous_increase_is_of_the_trade_that_closes() -> None:
    """Opened, increased and closed under one number: nothing of it is open."""
    increase = resize("two-faced increase", "9", pairIndex=7, index=5)
    logs = (
        execution("market", "", open=True),
        oi_updated(),
        increase,
        execution("market", "", open=False),
    )

    made = read(*logs, version="9").tables
    told = (made[name].lazy() for name in ("liquidations", "adls", "position_changes"))

    (held,) = concentration(*told).collect().iter_rows(named=True)
    assert (held["exposure"], held["account_count"], held["notional_usd"]) == ("open", 0, 0)


def test_a_cancelled_resize_changes_nothing() -> None:
    """The event also reports cancelled resizes, by a reason that is not zero."""
    result = read(
        resize("increase", "10", cancelReason=4), resize("decrease", "10", cancelReason=1)
    )

    assert result.tables["position_changes"].is_empty()
    assert reasons(result) == []


# --- fees -----------------------------------------------------------------------------------------

RECIPIENTS = [
    ("GovFeeCharged", "position", "treasury_usd"),
    ("GnsOtcFeeCharged", "position", "holders_usd"),
    ("GnsStakingFeeCharged", "position", "holders_usd"),
    ("GTokenFeeCharged", "position", "supply_side_usd"),
    ("GTokenOcFeeCharged", "position", "supply_side_usd"),
    ("ReferralFeeCharged", "position", "supply_side_usd"),
    ("TriggerFeeCharged", "order", "supply_side_usd"),
    ("BorrowingFeeCharged(address,uint8,uint256)", "borrow", "supply_side_usd"),
    ("BorrowingFeeCharged(address,uint32,uint8,uint256)", "borrow", "supply_side_usd"),
]


def fee(name: str = "GovFeeCharged", **changes: Any) -> Built:
    """Return a fee of 10 USDC."""
    arguments = {"trader": TRADER, "index": 5, "collateralIndex": 3, "amountCollateral": 10_000_000}
    return log(ABI, name, DIAMOND, **arguments | changes)


@pytest.mark.parametrize(("name", "kind", "receiver"), RECIPIENTS)
@pytest.mark.parametrize("version", GENERATIONS)
def test_a_fee_goes_to_the_recipient_its_event_names(
    name: str, kind: str, receiver: str, version: str
) -> None:
    """Each fee event is one row, priced by the execution that follows, all of it to one side."""
    result = read(fee(name), execution("trigger", version, orderType=4), version=version)

    sides = dict.fromkeys(["supply_side_usd", "treasury_usd", "holders_usd"], usd("0"))
    assert rows(result, "fees") == [
        {
            "market": "7",
            "account": TRADER,
            "fee_kind": kind,
            "fee_token": USDC,
            "fee_tokens": usd("10"),
            "fee_usd": usd("9.999"),
            "split_basis": "event",
        }
        | sides
        | {receiver: usd("9.999")}
    ]


@pytest.mark.parametrize(
    ("kind", "version"), [key for key in VALUES if key[0] != "two-faced increase"]
)
def test_a_fee_of_a_resize_takes_its_price_and_market(kind: str, version: str) -> None:
    """Fees of resizes find the resize that follows them."""
    result = read(fee(), resize(kind, version), version=version or "9")

    (row,) = rows(result, "fees")
    assert (row["market"], row["fee_usd"]) == ("7", usd("9.999"))


@pytest.mark.parametrize(("pair", "index"), [(7, 5), (5, 7)])
@pytest.mark.parametrize("kind", ["position", "borrow"])
def test_a_fee_of_an_ambiguous_increase_takes_its_market_from_open_interest(
    pair: int, index: int, kind: str
) -> None:
    """The order is charged after its counter moves, borrowing before; another collateral is not."""
    told = (oi_updated(), oi_updated(pair=5, collateral=1), fee())
    increase = resize("two-faced increase", "9", pairIndex=pair, index=index)

    result = read(
        oi_updated(pair=9), *(told if kind == "position" else told[::-1]), increase, version="9"
    )

    (row,) = rows(result, "fees")
    assert (row["market"], row["fee_usd"]) == ("7", usd("9.999"))


@pytest.mark.parametrize(("changes", "other"), [({"cancelReason": 4}, 7), ({}, 9)])
def test_a_fee_of_an_increase_that_no_counter_tells_has_no_market(
    changes: dict[str, int], other: int
) -> None:
    """What is cancelled moves none, and a counter of neither number is another trade's."""
    increase = resize("two-faced increase", "9", pairIndex=7, index=5, **changes)

    (row,) = rows(read(oi_updated(pair=other), fee(), increase, version="9"), "fees")

    assert ("market" in row, row["fee_usd"]) == (False, usd("9.999"))


def test_a_fee_outside_an_execution_keeps_its_tokens_and_no_dollars() -> None:
    """Without an execution of this trader after it, dollars and market are not known."""
    stranger = execution("trigger", "10", orderType=4, t=trade("10", user=KEEPER))

    result = read(execution("market", "10", open=True), fee(), stranger)

    (row,) = rows(result, "fees")
    assert row["fee_tokens"] == usd("10")
    assert not {"fee_usd", "treasury_usd", "market"} & set(row)


def test_two_executions_in_one_transaction_keep_their_fees() -> None:
    """A fee belongs to the next execution of its trader, not to a later one."""
    other = {"t": trade("10", pair=8), "collateralPriceUsd": 10**8}

    result = read(
        fee(),
        execution("market", "10", open=True),
        fee(),
        execution("market", "10", open=True, **other),
    )

    priced_fees = [(row["market"], row["fee_usd"]) for row in rows(result, "fees")]
    assert priced_fees == [("7", usd("9.999")), ("8", usd("10"))]


def processed(order_type: int, total: int = 50_000_000) -> Built:
    """Return the sum that v10 logs after the fees of an order and before its execution."""
    arguments = {"collateralIndex": 3, "trader": TRADER, "positionSizeCollateral": 10 * AMOUNT}
    said = {"orderType": order_type, "totalFeesCollateral": total}
    return log(ABI, "FeesProcessed", DIAMOND, **arguments, **said)


def test_what_a_liquidation_is_charged_is_its_fee() -> None:
    """From v10 on the sum says of which order it is; an opening beside it keeps its own kinds."""
    result = read(
        fee("GovFeeCharged"),
        fee("TriggerFeeCharged"),
        processed(6),
        execution("trigger", "10", orderType=6),
        fee("GovFeeCharged"),
        fee("TriggerFeeCharged"),
        processed(2, total=1),
        execution("trigger", "10", orderType=2),
    )

    kinds = ["liquidation", "liquidation", "position", "order"]
    assert result.tables["fees"].sort("log_index")["fee_kind"].to_list() == kinds
    assert result.tables["liquidations"]["fee_usd"].to_list() == [usd("49.995")]
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("version", "parts", "dollars"),
    [
        ("", ("GTokenFeeCharged", "GnsStakingFeeCharged", "TriggerFeeCharged"), "29.997"),
        (
            "9.4",
            (
                "ReferralFeeCharged",
                "GovFeeCharged",
                "TriggerFeeCharged",
                "GnsOtcFeeCharged",
                "GTokenFeeCharged",
            ),
            "49.995",
        ),
        ("9.4", ("GovFeeCharged", "GnsOtcFeeCharged", "GTokenFeeCharged"), "29.997"),
    ],
)
def test_before_the_sum_a_liquidations_fee_is_that_of_its_parts(
    version: str, parts: tuple[str, ...], dollars: str
) -> None:
    """Ten USDC each; a close before it and an opening after it, of the same trader, keep theirs."""
    result = read(
        *(fee(name) for name in parts),
        execution("market", version, open=False, orderId=(TRADER, 2)),
        *(fee(name) for name in parts),
        execution("trigger", version, orderType=6, orderId=(TRADER, 3)),
        *(fee(name) for name in parts),
        execution("trigger", version, orderType=2, orderId=(TRADER, 4)),
        version=version,
    )

    own = ["order" if name == "TriggerFeeCharged" else "position" for name in parts]
    kinds = [*own, *["liquidation"] * len(parts), *own]
    assert result.tables["fees"].sort("log_index")["fee_kind"].to_list() == kinds
    assert result.tables["liquidations"]["fee_usd"].to_list() == [usd(dollars)]
    assert reasons(result) == []


def test_an_inferred_liquidation_pays_the_fee_of_a_close() -> None:
    """Closed by its owner beyond the limit: an ordinary fee, and what it was charged."""
    lost = execution("market", "10", open=False, liqPrice=2_499 * 10**10)

    result = read(fee(), processed(1, total=7_000_000), lost)

    assert result.tables["fees"]["fee_kind"].to_list() == ["position"]
    assert result.tables["liquidations"]["fee_usd"].to_list() == [usd("6.9993")]


@pytest.mark.parametrize("name", ["HoldingFeesChargedOnTrade", "HoldingFeesRealizedOnTrade"])
def test_holding_fees_are_borrowing_and_signed_funding(name: str) -> None:
    """Both borrowing parts go to the vault; funding keeps its sign and is no fee."""
    tail = {"availableCollateralInDiamond": 0, "amountSentToVaultCollateral": 0}
    tail |= {"newRealizedTradingFeesCollateral": 0, "newRealizedPnlCollateral": 0}
    held = log(
        ABI,
        name,
        DIAMOND,
        collateralIndex=3,
        trader=TRADER,
        index=5,
        currentPairPrice=1,
        tradeHoldingFees=(-2_000_000, 3_000_000, 1_000_000, 2_000_000),
        **tail,
    )

    result = read(held, execution("market", "10", open=False))

    assert rows(result, "fees") == [
        {
            "market": "7",
            "account": TRADER,
            "fee_kind": "borrow",
            "fee_token": USDC,
            "fee_tokens": usd("4"),
            "fee_usd": usd("3.9996"),
            "supply_side_usd": usd("3.9996"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]
    assert rows(result, "funding") == [
        {
            "market": "7",
            "account": TRADER,
            "collateral_token": USDC,
            "is_long": True,
            "paid_usd": usd("-1.9998"),
        }
    ]


def test_a_funding_rate_is_of_a_pair_in_one_collateral() -> None:
    """-2e12 is -0.000002 % a second: -0.1728 % a day, which shorts pay."""
    stored = log(
        ABI,
        "PendingAccFundingFeesStored",
        DIAMOND,
        collateralIndex=3,
        pairIndex=7,
        data=(10**20, -(10**20), -2 * 10**12, 1_750_000_000, 0),
    )

    assert rows(read(stored), "funding") == [
        {
            "market": "7",
            "collateral_token": USDC,
            "funding_rate_daily_ratio": usd("-0.001728"),
        }
    ]


# --- open interest --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["BorrowingPairOiUpdated", "BorrowingPairOiBeforeV10Updated"])
def test_the_old_counter_is_collateral_in_ten_places(name: str) -> None:
    """Both sides of the old counter are restated, in dollars of the execution's price."""
    result = read(oi_updated(name), execution("market", "9.4", open=True), version="9.4")

    key = {"market": "7", "collateral_token": USDC}
    assert rows(result, "open_interest") == [
        key | {"is_long": True, "open_interest_usd": usd("19998")},
        key | {"is_long": False, "open_interest_usd": usd("2999.7")},
    ]
    assert set(result.tables["open_interest"]["version"]) == {"8-9.4"}


def test_the_v10_counter_is_in_dollars_and_tokens() -> None:
    """The counter of trades opened since v10 carries collateral and base units of both sides."""
    updated = log(
        ABI,
        "PairOiAfterV10Updated",
        DIAMOND,
        collateralIndex=3,
        pairIndex=7,
        oiDeltaCollateral=1,
        oiDeltaToken=1,
        open=True,
        long=True,
        newOiCollateral=(50_000_000_000, 10_000_000_000),
        newOiToken=(20 * 10**18, 4 * 10**18),
    )

    result = read(updated, execution("market", "10", open=True))

    key = {"market": "7", "collateral_token": USDC}
    assert rows(result, "open_interest") == [
        key
        | {
            "is_long": True,
            "open_interest_usd": usd("49995"),
            "open_interest_tokens": usd("19.998"),
        },
        key
        | {
            "is_long": False,
            "open_interest_usd": usd("9999"),
            "open_interest_tokens": usd("3.9996"),
        },
    ]
    assert set(result.tables["open_interest"]["version"]) == {"10"}


def test_open_interest_takes_the_price_of_its_own_pair() -> None:
    """An execution of another pair in the same transaction prices nothing here."""
    result = read(oi_updated(pair=8), execution("market", "9.4", open=True), version="9.4")

    assert [row.get("open_interest_usd") for row in rows(result, "open_interest")] == [None, None]


# --- buybacks, markets, collaterals -----------------------------------------------------------


def otc(collateral: int, diamond: str = DIAMOND, amount: int = 1_000_000_000) -> Built:
    """Return an OTC sale of 600 GNS: 100 to the treasury, 200 to stakers, 300 burned."""
    return log(
        ABI,
        "OtcExecuted",
        diamond,
        collateralIndex=collateral,
        collateralAmount=amount,
        gnsPriceCollateral=1,
        treasuryAmountGns=100 * 10**18,
        stakingAmountGns=200 * 10**18,
        burnAmountGns=300 * 10**18,
    )


SOLD = {
    "bought_token": GNS,
    "bought_tokens": usd("600"),
    "burned_tokens": usd("300"),
    "destination_kind": "mixed",
}


def test_a_buyback_with_a_stablecoin_is_dollars_at_par() -> None:
    """1,000 USDC spent are assumed to be 1,000 dollars, and the row says that it is assumed."""
    result = read(otc(3))

    spent = {"spent_token": USDC, "spent_tokens": usd("1000"), "spent_usd": usd("1000")}
    assert rows(result, "buybacks") == [SOLD | spent]
    assert result.tables["buybacks"]["evidence"].to_list() == ["assumed"]


def test_a_buyback_with_ether_has_no_dollars() -> None:
    """The event carries no price of the collateral: dollars stay unknown."""
    result = read(otc(2, amount=10**18))

    assert rows(result, "buybacks") == [SOLD | {"spent_token": WETH, "spent_tokens": usd("1")}]
    assert result.tables["buybacks"]["evidence"].to_list() == ["event"]


@pytest.mark.parametrize(
    ("chain", "collateral", "token"),
    [
        (POLYGON, 3, "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"),
        (BASE, 1, "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"),
        (APECHAIN, 1, "0x48b62137edfa95a428d35c09e44256a739f6b557"),
        (MEGAETH, 1, "0xfafddbb3fc7688494971a79cc65dca3ef82079e7"),
    ],
)
def test_a_collateral_index_is_read_by_the_chains_own_table(
    chain: Chain, collateral: int, token: str
) -> None:
    """The same index means another token on another chain."""
    bought = otc(collateral, DIAMONDS[chain])

    result = facts_of("gains", chain, frame([bought], block=BLOCK["10"]))

    assert [row["spent_token"] for row in rows(result, "buybacks")] == [token]


GNS_ON_BASE, NEW_VAULT = "0xfb1aaba03c31ea98a3eec7591808acb1947ee7ac", "0x" + "0b" * 20
GNS_ON_APECHAIN = "0xe31c676d8235437597581b44c1c4f8a30e90b38a"


def test_gns_has_an_address_of_its_own_on_each_chain() -> None:
    """What is bought on ApeChain is the GNS of that chain."""
    bought = otc(1, DIAMONDS[APECHAIN])

    (row,) = rows(facts_of("gains", APECHAIN, frame([bought], block=BLOCK["10"])), "buybacks")

    assert row["bought_token"] == GNS_ON_APECHAIN


def added(token: str) -> Built:
    """Return the word of the diamond on Base that index 2 is this token, with its own vault."""
    return log(ABI, "CollateralAdded", DIAMONDS[BASE], collateral=token, index=2, gToken=NEW_VAULT)


def test_a_collateral_that_nothing_names_is_rejected() -> None:
    """Index 2 on Base is in no list, and nothing was heard of it: no row, and a reason."""
    result = facts_of("gains", BASE, frame([otc(2, DIAMONDS[BASE])], block=BLOCK["10"]))

    assert result.tables["buybacks"].is_empty()
    assert {reason for _, _, reason in reasons(result)} == {
        "the index token of collateral 2 is not known"
    }


def test_a_collateral_is_what_the_diamond_says_it_added() -> None:
    """From then on index 2 is that token, and what is spent of it counts in its decimals."""
    logs = frame([added(GNS_ON_BASE), otc(2, DIAMONDS[BASE], 10**18)], block=BLOCK["10"])

    (row,) = rows(facts_of("gains", BASE, logs), "buybacks")

    assert (row["spent_token"], row["spent_tokens"]) == (GNS_ON_BASE, usd("1"))


def test_the_vault_of_an_added_collateral_is_read() -> None:
    """It says nothing of its asset: the diamond has."""
    deposit = log(
        "gains/GToken", "Deposit", NEW_VAULT,
        sender=TRADER, owner=TRADER, assets=10**18, shares=10**18,
    )  # fmt: skip
    logs = frame([added(GNS_ON_BASE), deposit], block=BLOCK["10"])
    protocols = [PROTOCOLS["gains"]]
    known = declared(protocols, BASE)
    children = discovered(protocols, BASE, logs, known)
    headers = logs.select(number="block_number", timestamp=pl.lit(NOON, pl.Datetime("us"))).unique()

    result = facts(protocols, BASE, logs, headers, replace(known, contracts=children))

    (row,) = rows(result, "pool_flows")
    assert (row["pool"], row["asset_token"], row["asset_tokens"]) == (
        NEW_VAULT,
        GNS_ON_BASE,
        usd("1"),
    )


def test_a_pair_becomes_a_market_by_its_number() -> None:
    """Markets are pair numbers; the base symbol comes from PairAdded."""
    result = read(log(ABI, "PairAdded", DIAMOND, index=7, **{"from": "ETH", "to": "USD"}))

    assert result.markets.select("market", "symbol", "asset_class").rows() == [
        ("7", "ETH", "unknown")
    ]


@pytest.mark.parametrize("chain", list(DIAMONDS))
def test_the_windows_of_a_diamond_leave_no_gap(chain: Chain) -> None:
    """Every block from the first one on belongs to exactly one version."""
    contracts = PROTOCOLS["gains"].contracts
    windows = [one for one in contracts if (one.chain, one.abi) == (chain, ABI)]

    starts = [one.from_block for one in windows[1:]]
    ends = [one.to_block for one in windows]

    assert {one.address.lower() for one in windows} == {DIAMONDS[chain]}
    assert ends == [*(start - 1 for start in starts), None]

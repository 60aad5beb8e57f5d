"""ApolloX v2: one golden per event and generation, all synthetic."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from goldens import Built, abi_of, built_facts, frame, log, reasons, rows, signature, usd

from indexer.chains import ARBITRUM, BASE, BSC, Chain
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of

ABI, DIAMOND = "apollox/Diamond", "0x1b6f2d3844c6ae7d56ceb3c3643b9060ba28feb0"
BTC = "0x" + "0b" * 20
CAKE = "0x" + "0c" * 20
USDT = "0x" + "0d" * 20  # 18 decimals here
TRADER, OTHER = "0x" + "aa" * 20, "0x" + "bb" * 20
HASH, OTHER_HASH = b"\x01" * 32, b"\x02" * 32
FIRST, SECOND = "first", "second"
WAD = 10**18


def shaped(event: str, generation: str, **values: Any) -> Built:
    """Return a log of an event that has two generations; the second has more arguments."""
    overloads = [one for one in abi_of(ABI) if one["name"] == event]
    entry = (min if generation == FIRST else max)(overloads, key=lambda one: len(signature(one)))
    named = {}
    for part in entry["inputs"]:
        value = values[part["name"]]
        if "components" in part:
            value = tuple(value[field["name"]] for field in part["components"])
        named[part["name"]] = value
    return log(ABI, signature(entry), DIAMOND, **named)


def opening(generation: str) -> Built:
    """Return an opening of a short of 0.25 BTC at 60,000."""
    trade = {
        "user": TRADER,
        "userOpenTradeIndex": 0,
        "entryPrice": 60_000 * 10**8,
        "pairBase": BTC,
        "tokenIn": USDT,
        "margin": 1_500 * WAD,
        "stopLoss": 0,
        "takeProfit": 0,
        "broker": 1,
        "isLong": False,
        "openFee": 12 * WAD,
        "longAccFundingFeePerShare": 0,
        "executionFee": WAD,
        "timestamp": 1,
        "qty": 25 * 10**8,
        "holdingFeeRate": 5,
        "openBlock": 9,
    }
    return shaped("OpenMarketTrade", generation, user=TRADER, tradeHash=HASH, ot=trade)


def closing(event: str, generation: str, **said: Any) -> Built:
    """Return a closing at 61,000."""
    info = {
        "closePrice": 61_000 * 10**8,
        "fundingFee": 3 * WAD,
        "closeFee": 12 * WAD,
        "pnl": -250 * WAD,
        "holdingFee": 0,
    }
    shared = {"user": TRADER, "tradeHash": HASH, "closeInfo": info, "executionType": 0}
    return shaped(event, generation, **{**shared, **said})


def update(generation: str, pair: str = BTC) -> Built:
    """Return an UpdatePairPositionInfo: 12 long, 7.5 short, longs received 0.002."""
    return shaped(
        "UpdatePairPositionInfo",
        generation,
        pairBase=pair,
        lastBlock=9,
        longQty=12 * 10**10,
        shortQty=75 * 10**9,
        longAccFundingFeePerShare=2 * 10**15,
        lpLongAvgPrice=1,
        lpShortAvgPrice=1,
        lpAveragePrice=1,
    )


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction, where the margin's token is known."""
    protocol = PROTOCOLS["apollox"]
    tokens = pl.DataFrame([(56, USDT, "USDT", 18, "call")], columns_of("tokens"), orient="row")
    headers = pl.DataFrame(
        {"number": [900_000_000], "timestamp": [datetime(2024, 6, 1)]},
        {"number": pl.Int64, "timestamp": pl.Datetime("us")},
    )
    known = replace(declared([protocol], BSC), tokens=tokens)
    return facts([protocol], BSC, frame(logs, block=900_000_000), headers, known)


CLOSED = {
    "market": BTC,
    "account": TRADER,
    "position_id": "0x" + HASH.hex(),
    "execution_price_usd": usd("61000"),
}
GONE = {"notional_usd": usd("0"), "size_tokens": usd("0"), "closed_ratio": usd("1")}
BOTH = pytest.mark.parametrize("generation", [FIRST, SECOND])


@BOTH
def test_an_opening_is_a_quantity_at_a_price(generation: str) -> None:
    """A quarter of a bitcoin at 60,000 is 15,000 dollars; the margin has no price."""
    assert rows(made(opening(generation)), "position_changes") == [
        {
            "market": BTC,
            "account": TRADER,
            "position_id": "0x" + HASH.hex(),
            "cause": "trade",
            "is_long": False,
            "collateral_token": USDT,
            "notional_delta_usd": usd("15000"),
            "size_delta_tokens": usd("0.25"),
            "execution_price_usd": usd("60000"),
            "notional_usd": usd("15000"),
            "size_tokens": usd("0.25"),
        }
    ]


@BOTH
@pytest.mark.parametrize(
    ("event", "how"),
    [
        ("CloseTradeSuccessful", {}),
        ("ExecuteCloseSuccessful", {"executionType": 0}),
        ("ExecuteCloseSuccessful", {"executionType": 1}),
    ],
)
def test_a_closing_closes_all_of_its_trade(
    event: str, how: dict[str, int], generation: str
) -> None:
    """Its pair is that of the update before it."""
    result = made(update(generation), closing(event, generation, **how))

    assert rows(result, "position_changes") == [{**CLOSED, "cause": "trade", **GONE}]
    assert len(result.tables["liquidations"]) == 0


@BOTH
def test_a_liquidation_is_execution_type_two(generation: str) -> None:
    """It is a liquidation and a change that leaves nothing."""
    result = made(
        update(generation), closing("ExecuteCloseSuccessful", generation, executionType=2)
    )

    assert rows(result, "liquidations") == [
        {**CLOSED, "shortfall_basis": "none", "derivation": "direct"}
    ]
    assert rows(result, "position_changes") == [{**CLOSED, "cause": "liquidation", **GONE}]


def test_a_keeper_closes_several_trades_at_once() -> None:
    """Each takes the pair that was updated for it."""
    other = {"user": OTHER, "tradeHash": OTHER_HASH, "executionType": 2}

    result = made(
        update(SECOND, CAKE),
        closing("ExecuteCloseSuccessful", SECOND, **other),
        update(SECOND),
        closing("ExecuteCloseSuccessful", SECOND, executionType=2),
    )

    found = [(row["account"], row["market"]) for row in rows(result, "liquidations")]
    assert found == [(OTHER, CAKE), (TRADER, BTC)]


def test_a_closing_without_its_update_is_refused() -> None:
    """Its market would be a guess."""
    result = made(closing("CloseTradeSuccessful", SECOND))

    (refused,) = reasons(result)
    assert refused[1:] == ("position_changes", "market is not known")


@BOTH
def test_an_update_tells_both_sides_and_the_funding_index(generation: str) -> None:
    """What longs received is below zero: shorts paid."""
    result = made(update(generation))

    assert rows(result, "open_interest") == [
        {"market": BTC, "is_long": True, "open_interest_tokens": usd("12")},
        {"market": BTC, "is_long": False, "open_interest_tokens": usd("7.5")},
    ]
    assert rows(result, "funding") == [
        {"market": BTC, "funding_rate_cumulative_ratio": usd("-0.002")}
    ]


def fee(name: str, generation: str, total: int) -> Built:
    """Return an OpenFee or CloseFee of these tokens; the second says the pool's part as well."""
    parts = {"daoAmount": total // 10, "brokerId": 1, "brokerAmount": total // 20}
    said = {"token": USDT, "totalFee": total, "alpPoolAmount": total // 4, **parts}
    return shaped(name, generation, **said)


@BOTH
@pytest.mark.parametrize("name", ["OpenFee", "CloseFee"])
def test_a_fee_belongs_to_the_trade_that_follows_it(name: str, generation: str) -> None:
    """The pair was updated before it; without a price it has tokens and no dollars."""
    after = opening(generation)
    if name == "CloseFee":
        after = closing("CloseTradeSuccessful", generation)

    paid, free = fee(name, generation, 12 * WAD), fee(name, generation, 0)

    result = made(update(generation), paid, free, after)

    assert rows(result, "fees") == [
        {
            "market": BTC,
            "account": TRADER,
            "fee_kind": "position",
            "fee_token": USDT,
            "fee_tokens": usd("12"),
            "split_basis": "none",
        }
    ]


def test_the_index_moves_between_trades_too() -> None:
    """Anybody may bring it up to date, which leaves both sides as they were."""
    moved = {
        "lastBlock": 10,
        "longAccFundingFeePerShare": -3 * 10**15,
        "marketPrice": 60_000 * 10**8,
    }

    result = made(log(ABI, "UpdatePairAccFundingFeePerShare", DIAMOND, pairBase=BTC, **moved))

    assert rows(result, "funding") == [
        {"market": BTC, "funding_rate_cumulative_ratio": usd("0.003")}
    ]
    assert len(result.tables["open_interest"]) == 0


def test_liquidity_comes_and_goes_for_shares() -> None:
    """Mints and burns of ALP say what they bring and take, and its shares."""
    minted = {"tokenIn": USDT, "amountIn": 500 * WAD, "alpOut": 400 * WAD}
    burned = {"tokenOut": USDT, "amountOut": 200 * WAD, "alpAmount": 150 * WAD, "receiver": OTHER}

    result = made(
        log(ABI, "MintAlp", DIAMOND, account=TRADER, **minted),
        log(ABI, "BurnAlp", DIAMOND, account=TRADER, **burned),
    )

    flow = {"pool": DIAMOND, "account": TRADER, "asset_token": USDT}
    deposited = {"asset_tokens": usd("500"), "share_tokens": usd("400")}
    withdrawn = {"asset_tokens": usd("200"), "share_tokens": usd("150")}
    assert rows(result, "pool_flows") == [
        {**flow, "kind": "deposit", **deposited},
        {**flow, "kind": "withdrawal", **withdrawn},
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("MintFee", ("tokenIn", "amountIn", "tokenInPrice", "mintFeeUsd")),
        ("BurnFee", ("tokenOut", "amountOut", "tokenOutPrice", "burnFeeUsd")),
    ],
)
def test_what_providers_pay_stays_in_the_pool(name: str, said: tuple[str, ...]) -> None:
    """It is in dollars; one that is free leaves no row."""
    token, amount, price, charged = said
    shared = {"account": TRADER, token: USDT, amount: 500 * WAD, price: 10**8, "alpAmount": 1}

    result = made(
        log(ABI, name, DIAMOND, **shared, **{charged: 3 * WAD // 2}),
        log(ABI, name, DIAMOND, **shared, **{charged: 0}),
    )

    assert rows(result, "fees") == [
        {
            "account": TRADER,
            "fee_kind": "swap",
            "fee_usd": usd("1.5"),
            "supply_side_usd": usd("1.5"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]


def test_a_pair_is_a_market_under_its_name() -> None:
    """Its margins, an array, are passed over."""
    pair = log(
        ABI,
        "AddPair",
        DIAMOND,
        base=BTC,
        pairType=0,
        status=0,
        slippageConfigIndex=1,
        feeConfigIndex=1,
        name="BTC/USD",
        leverageMargins=[(10**22, 1, 20, 9_500, 9_750)],
    )

    assert made(pair).markets.select("market", "symbol").rows() == [(BTC, "BTC/USD")]


@pytest.mark.parametrize(
    ("chain", "diamond"),
    [
        (ARBITRUM, "0xb3879e95a4b8e3ee570c232b19d520821f540e48"),
        (BASE, "0x9d93e5b2364070bc9837e91833f162430246dd57"),
    ],
)
def test_the_diamonds_of_other_chains_log_the_same(chain: Chain, diamond: str) -> None:
    """One that is not declared would be no fact at all."""
    elsewhere = replace(opening(SECOND), address=diamond)

    assert rows(built_facts("apollox", chain, [elsewhere]), "position_changes") == rows(
        made(opening(SECOND)), "position_changes"
    )

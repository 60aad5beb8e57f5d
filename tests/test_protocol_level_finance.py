"""Level Finance: one golden per event and release, all synthetic."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl
import pytest
from goldens import Built, abi_of, declared_as, frame, log, reasons, rows, usd

from indexer.chains import ARBITRUM, BSC
from indexer.facts import Facts, declared, discovered, facts
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of

ABI = "level_finance/Pool"
POOL = "0xa5abfb56a78d2bd4689b25b8a77fd49bb0675874"
ARBITRUM_POOL = "0x32b7bf19cb8b95c27e644183837813d4b595dcc6"
BTCB = "0x" + "0b" * 20  # 18 decimals here
USDT = "0x" + "0d" * 20
TRANCHE = "0x" + "0f" * 20
TRADER = "0x" + "aa" * 20
KEY = b"\x01" * 32
USD = 10**30
POSITION = {
    "market": BTCB,
    "account": TRADER,
    "position_id": "0x" + "01" * 32,
    "is_long": False,
    "collateral_token": USDT,
}
RELEASES = {
    "plain": ("plain", "tuple"),
    "indexed": ("indexed", "tuple"),
    "last": ("indexed", "int256"),
}


def entry_of(event: str, release: str) -> dict[str, Any]:
    """Return the entry of one release: where the key is, and how profit is written."""
    place, pnl = RELEASES[release]
    for entry in abi_of(ABI):
        types = {part["name"]: part for part in entry["inputs"]}
        if (
            entry["name"] == event
            and types["key"]["indexed"] == (place == "indexed")
            and ("pnl" not in types or types["pnl"]["type"] == pnl)
        ):
            return entry
    raise AssertionError(f"{event} has no release {release}")


def position(event: str, release: str, pool: str = POOL, **said: Any) -> Built:
    """Return a position event about a short of BTC on USDT at 20,000, closed at a loss of 150."""
    entry = entry_of(event, release)
    profit = said.pop("profit", -150)
    values: dict[str, Any] = {
        "key": KEY,
        "account": TRADER,
        "collateralToken": USDT,
        "indexToken": BTCB,
        "collateralValue": 950 * USD,
        "collateralChanged": 300 * USD,
        "sizeChanged": 4_000 * USD,
        "size": 10_000 * USD,
        "side": 1,
        "reserveAmount": 7,
        "entryPrice": 19_000 * 10 ** (30 - 18),
        "entryInterestRate": 3,
        "indexPrice": 20_000 * 10 ** (30 - 18),
        "feeValue": 20 * USD,
        "pnl": profit * USD if release == "last" else (int(profit > 0), abs(profit) * USD),
        **said,
    }
    named = {part["name"]: values[part["name"]] for part in entry["inputs"]}
    return log(ABI, declared_as(entry), pool, **named)


def made(*logs: Built, at: datetime = datetime(2023, 6, 1), known: int = 2) -> Facts:
    """Return the facts of one transaction on BSC, where both tokens have 18 decimals."""
    protocol = PROTOCOLS["level_finance"]
    tokens = pl.DataFrame(
        [(56, BTCB, "BTCB", 18, "call"), (56, USDT, "USDT", 18, "call")][:known],
        columns_of("tokens"),
        orient="row",
    )
    headers = pl.DataFrame(
        {"number": [900_000_000], "timestamp": [at]},
        {"number": pl.Int64, "timestamp": pl.Datetime("us")},
    )
    knowledge = replace(declared([protocol], BSC), tokens=tokens)
    return facts([protocol], BSC, frame(logs, block=900_000_000), headers, knowledge)


@pytest.mark.parametrize("release", ["plain", "indexed"])
def test_an_increase_adds_size(release: str) -> None:
    """Whether the key is data or topic, the row is the same; collateral is not read of it."""
    assert rows(made(position("IncreasePosition", release)), "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("4000"),
            "execution_price_usd": usd("20000"),
        }
    ]


@pytest.mark.parametrize("release", list(RELEASES))
def test_a_decrease_takes_size_and_collateral_and_realises(release: str) -> None:
    """A loss is below zero, written as a pair or as a signed integer."""
    assert rows(made(position("DecreasePosition", release)), "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("-4000"),
            "collateral_delta_usd": usd("-300"),
            "execution_price_usd": usd("20000"),
            "realized_pnl_usd": usd("-150"),
        }
    ]


@pytest.mark.parametrize("release", ["plain", "indexed"])
def test_what_is_left_is_told_by_the_event_after_the_change(release: str) -> None:
    """The nearest of the position itself: 9,000 after growing, then 5,000, then nothing."""
    other = position("UpdatePosition", release, key=b"\x02" * 32, size=USD)

    result = made(
        position("IncreasePosition", release),
        other,
        position("UpdatePosition", release, size=9_000 * USD),
        position("DecreasePosition", release),
        position("UpdatePosition", release, size=5_000 * USD),
        position("DecreasePosition", release, sizeChanged=5_000 * USD),
        position("ClosePosition", release, size=0),
    )

    assert result.tables["position_changes"].sort("log_index")["notional_usd"].to_list() == [
        usd("9000"),
        usd("5000"),
        usd("0"),
    ]


@pytest.mark.parametrize("release", list(RELEASES))
def test_a_profit_is_above_zero(release: str) -> None:
    """Sign 1 is above zero, as the constants of the source say and one of its comments denies."""
    result = made(position("DecreasePosition", release, profit=70))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [usd("70")]


@pytest.mark.parametrize("release", list(RELEASES))
def test_a_liquidation_closes_the_position(release: str) -> None:
    """One liquidation and one change that leaves nothing."""
    result = made(position("LiquidatePosition", release, profit=-900))

    assert rows(result, "liquidations") == [
        {
            **POSITION,
            "notional_usd": usd("10000"),
            "collateral_usd": usd("950"),
            "mark_price_usd": usd("20000"),
            "execution_price_usd": usd("20000"),
            "realized_pnl_usd": usd("-900"),
            "fee_usd": usd("20"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "liquidation",
            "notional_delta_usd": usd("-10000"),
            "execution_price_usd": usd("20000"),
            "realized_pnl_usd": usd("-900"),
            "notional_usd": usd("0"),
        }
    ]


@pytest.mark.parametrize("release", list(RELEASES))
def test_open_interest_is_the_sum_of_size_changes(release: str) -> None:
    """Increases add; decreases and liquidations take away; moving collateral does neither."""
    first = "plain" if release == "plain" else "indexed"
    result = made(
        position("IncreasePosition", first),
        position("IncreasePosition", first, sizeChanged=0),
        position("DecreasePosition", release),
        position("DecreasePosition", release, sizeChanged=0),
        position("LiquidatePosition", release),
    )

    table = result.tables["open_interest"].sort("log_index")
    assert table.select("market", "is_long", "open_interest_delta_usd").rows() == [
        (BTCB, False, usd(delta)) for delta in ("4000", "-4000", "-10000")
    ]


@pytest.mark.parametrize("release", list(RELEASES))
@pytest.mark.parametrize("event", ["IncreasePosition", "DecreasePosition", "LiquidatePosition"])
def test_a_fee_is_split_three_ways(event: str, release: str) -> None:
    """Of 20 dollars 9 are the providers', 4 the stakers', and the DAO has the rest."""
    chosen = "indexed" if (event, release) == ("IncreasePosition", "last") else release

    result = made(position(event, chosen), position(event, chosen, feeValue=0))

    assert rows(result, "fees") == [
        {
            "market": BTCB,
            "account": TRADER,
            "fee_kind": "margin",
            "fee_usd": usd("20"),
            "supply_side_usd": usd("9"),
            "treasury_usd": usd("7"),
            "holders_usd": usd("4"),
            "split_basis": "policy",
        }
    ]


def test_both_releases_in_one_range_keep_their_order() -> None:
    """An upgrade within a range is read on both sides of it."""
    result = made(
        position("IncreasePosition", "plain"),
        position("IncreasePosition", "indexed", sizeChanged=5 * USD),
        position("IncreasePosition", "plain", sizeChanged=6 * USD),
    )

    table = result.tables["position_changes"]
    assert table.select("log_index", "notional_delta_usd").rows() == [
        (0, usd("4000")),
        (1, usd("5")),
        (2, usd("6")),
    ]


def test_a_log_of_neither_release_is_refused() -> None:
    """A key in a topic and again among the data is no shape of this event."""
    plain = position("IncreasePosition", "plain")

    result = made(replace(plain, topics=(*plain.topics, KEY)))

    assert [(event, table) for event, table, _ in reasons(result)] == [("IncreasePosition", None)]


def test_an_unknown_side_is_refused() -> None:
    """There are two sides."""
    result = made(position("IncreasePosition", "plain", side=2, sizeChanged=0))

    assert ("IncreasePosition", "position_changes", "2 is not in the declared table") in reasons(
        result
    )


def test_deposits_and_withdrawals_flow_through_a_tranche() -> None:
    """Both name their token and pay a fee in it, whose dollars are not known."""
    deposit = {"amount": 500 * 10**18, "lpAmount": 480 * 10**18, "fee": 10**18}
    withdrawal = {"lpAmount": 100 * 10**18, "amountOut": 103 * 10**18, "fee": 10**17}
    shared = {"tranche": TRANCHE, "sender": TRADER, "token": USDT}

    result = made(
        log(ABI, "LiquidityAdded", POOL, **shared, **deposit),
        log(ABI, "LiquidityRemoved", POOL, **shared, **withdrawal),
    )

    flow = {"pool": TRANCHE, "account": TRADER, "asset_token": USDT}
    assert rows(result, "pool_flows") == [
        {**flow, "kind": "deposit", "asset_tokens": usd("500"), "share_tokens": usd("480")},
        {**flow, "kind": "withdrawal", "asset_tokens": usd("103"), "share_tokens": usd("100")},
    ]
    fee = {"account": TRADER, "fee_kind": "swap", "fee_token": USDT, "split_basis": "none"}
    assert rows(result, "fees") == [
        {**fee, "fee_tokens": usd("1")},
        {**fee, "fee_tokens": usd("0.1")},
    ]


def test_a_flow_without_a_fee_has_none() -> None:
    """Whoever brings the tranche nearer to its weights pays nothing."""
    free = log(
        ABI, "LiquidityRemoved", POOL,
        tranche=TRANCHE, sender=TRADER, token=USDT, lpAmount=1, amountOut=1, fee=0,
    )  # fmt: skip

    assert made(free).tables["fees"].is_empty()


@pytest.mark.parametrize(
    "name", ["InterestAccrued(address,uint256)", "InterestAccrued(address indexed,uint256)"]
)
def test_funding_is_the_borrow_index(name: str) -> None:
    """1e10 is 1. Shorts are secured by dollars, longs by their coin; of others nobody says."""
    busd, cake, other = (
        "0xe9e7cea3dedca5984780bafc599bd69add087d56",
        "0x0e09fabb73bd3ade0a17ecc321fd13a19e81ce82",
        "0x" + "77" * 20,
    )
    said = [log(ABI, name, POOL, token=token, borrowIndex=12_345_678_900) for token in (busd, cake)]

    told = {"funding_rate_cumulative_ratio": usd("1.23456789")}
    assert rows(made(*said, log(ABI, name, POOL, token=other, borrowIndex=0)), "funding") == [
        {"market": busd, "collateral_token": busd, "is_long": False, **told},
        {"market": cake, "collateral_token": cake, "is_long": True, **told},
        {"market": other, "collateral_token": other, "funding_rate_cumulative_ratio": usd("0")},
    ]


def test_a_price_needs_the_decimals_of_its_token() -> None:
    """Without them only what has no price is a row, and the token is asked for."""
    result = made(position("IncreasePosition", "plain"), known=0)

    assert result.unknown_tokens == (BTCB,)
    assert [table for _, table, _ in reasons(result)] == ["position_changes"]
    assert len(rows(result, "open_interest")) == 1


def test_the_pool_of_arbitrum_is_read_there() -> None:
    """The same address on the other chain is nobody's."""
    protocol = PROTOCOLS["level_finance"]
    logs = frame(
        [position("IncreasePosition", "indexed", pool) for pool in (POOL, ARBITRUM_POOL)],
        block=900_000_000,
    )
    headers = pl.DataFrame(
        {"number": [900_000_000], "timestamp": [datetime(2023, 6, 1)]},
        {"number": pl.Int64, "timestamp": pl.Datetime("us")},
    )

    result = facts([protocol], ARBITRUM, logs, headers, declared([protocol], ARBITRUM))

    assert result.tables["open_interest"]["log_index"].to_list() == [1]


ORACLE = "0x" + "0c" * 20
SHAPES = ("(address,uint256)", "(address indexed,uint256)")


def priced(
    shape: str,
    oracle: str,
    symbol: str,
    named: str = ORACLE,
    change: str = "(address,address)",
) -> Facts:
    """Return the facts of a price of 20,000 that an oracle posts after the pool names one."""
    protocol = PROTOCOLS["level_finance"]
    logs = frame(
        [
            log(
                ABI, f"OracleChanged{change}", POOL,
                oldOracle="0x" + "00" * 20, newOracle=named,
            ),
            log(
                "level_finance/Oracle", f"PricePosted{shape}", oracle,
                token=BTCB, price=20_000 * 10**12,
            ),
        ],
        block=900_000_000,
    )  # fmt: skip
    known = declared([protocol], BSC)
    tokens = pl.DataFrame([(56, BTCB, symbol, 18, "call")], columns_of("tokens"), orient="row")
    children = discovered([protocol], BSC, logs, known)
    headers = logs.select(number="block_number", timestamp=pl.lit(datetime(2023, 6, 1))).unique()
    return facts([protocol], BSC, logs, headers, replace(known, tokens=tokens, contracts=children))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_price_is_one_of_the_oracle_that_the_pool_names(shape: str) -> None:
    """Of a whole token, whatever its decimals, in both shapes of the event."""
    assert rows(priced(shape, ORACLE, "BTCB"), "oracle_updates") == [
        {
            "feed": BTCB,
            "asset": "BTCB",
            "quote": "USD",
            "oracle_price_quote": usd("20000"),
            "provider": ORACLE,
        }
    ]


@pytest.mark.parametrize("change", ["(address,address)", "(address indexed,address indexed)"])
def test_later_releases_name_their_oracle_among_the_topics(change: str) -> None:
    """Whichever release names it, its prices are read."""
    result = priced(SHAPES[1], ORACLE, "BTCB", change=change)

    assert [one["provider"] for one in rows(result, "oracle_updates")] == [ORACLE]
    assert reasons(result) == []


def test_a_price_of_any_other_oracle_is_none() -> None:
    """The event is anybody's; only who is named counts."""
    assert rows(priced(SHAPES[0], ORACLE, "BTCB", named="0x" + "0e" * 20), "oracle_updates") == []


@pytest.mark.parametrize(("symbol", "asset"), [("WETH", "ETH"), ("WBNB", "BNB"), ("CAKE", "CAKE")])
def test_a_wrapped_coin_is_priced_as_the_coin(symbol: str, asset: str) -> None:
    """So that its price stands beside those of other oracles."""
    assert priced(SHAPES[1], ORACLE, symbol).tables["oracle_updates"]["asset"].to_list() == [asset]


@pytest.mark.parametrize("shape", ["(address)", "(address indexed)"])
def test_a_listed_token_names_its_market(shape: str) -> None:
    """Positions name a market by its token; the listing says which asset that is."""
    result = made(log(ABI, f"TokenWhitelisted{shape}", POOL, token=BTCB))

    assert result.markets.select("market", "symbol", "index_token", "quote", "known_by").rows() == [
        (BTCB, "BTCB", BTCB, "USD", "event")
    ]

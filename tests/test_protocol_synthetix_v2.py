"""Synthetix futures v1 and perps v2: every shape, all synthetic: no real log is at hand."""

from typing import Any

import polars as pl
import pytest
from goldens import NOON, Built, frame, log, reasons, rows, usd

from analytics.metrics.concentration import concentration
from indexer.chains import OPTIMISM
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.routes import abi_entries
from indexer.protocols import PROTOCOLS
from indexer.protocols.synthetix_v2.liquidations import FLAGGED, KEEPERS_ONLY
from indexer.protocols.synthetix_v2.trades import WITH_SKEW, WITHOUT_SKEW
from indexer.protocols.synthetix_v2.values import MANAGER, MARKET, SUSD
from indexer.tables import columns_of, empty

SNX = PROTOCOLS["synthetix_v2"]
FUTURES_MANAGER = "0xc704c9aa89d1ca60f67b3075d05fbb92b3b00b3b"
FIRST = "0xdb89f3fc45a707dd49781495f77f8ae69bf5ca6e"
SECOND = "0xd30bdfd7e7a65fe109d5de1d4e95f3b800fb7463"
ETH = "0x2b3bb4c683bfc5239b029131eef3b1d214478d93"  # a proxy of perps v2
FUTURES = "0x" + "f1" * 20
TRADER, KEEPER = "0x" + "aa" * 20, "0x" + "cc" * 20
BLOCK = 100_000_000
ONE = 10**18
KEEPERS_V1 = (
    "PositionLiquidated(uint256 indexed,address indexed,address indexed,int256,uint256,uint256)"
)
KNOWN = Known(
    empty("tokens"),
    empty("markets"),
    pl.DataFrame(
        [(10, "synthetix_v2", MARKET, FUTURES, 60_000_000, FIRST, "0x00", 0)],
        columns_of("contracts"),
        orient="row",
    ),
)


def read(*logs: Built, known: Known = KNOWN, block: int = BLOCK) -> Facts:
    """Return the facts of one transaction, knowing one market of futures v1."""
    table = frame(logs, block=block)
    headers = table.select(number="block_number", timestamp=pl.lit(NOON, pl.Datetime("us")))
    return facts([SNX], OPTIMISM, table, headers.unique(), merged(declared([SNX], OPTIMISM), known))


def modified(
    traded: int, after: int, shape: str = WITH_SKEW, market: str = ETH, fee: int = 4
) -> Built:
    """Return a PositionModified of this much ETH at 2,000, with a fee in sUSD."""
    skew = {"skew": 7 * ONE} if shape == WITH_SKEW else {}
    return log(
        MARKET,
        shape,
        market,
        id=31,
        account=TRADER,
        margin=500 * ONE,
        size=after * ONE,
        tradeSize=traded * ONE,
        lastPrice=2_000 * ONE,
        fundingIndex=9,
        fee=fee * ONE,
        **skew,
    )


def liquidated(shape: str, size: int = -3, market: str = ETH) -> Built:
    """Return a PositionLiquidated of this much ETH at 2,100 that cost 12 sUSD, or 12 + 2 + 30."""
    parts = ("flaggerFee", "liquidatorFee", "stakersFee") if shape == FLAGGED else ("fee",)
    fees = dict(zip(parts, (12 * ONE, 2 * ONE, 30 * ONE), strict=False))
    return log(
        MARKET,
        shape,
        market,
        id=31,
        account=TRADER,
        liquidator=KEEPER,
        size=size * ONE,
        price=2_100 * ONE,
        **fees,
    )


def place(market: str = ETH) -> dict[str, Any]:
    """Return what every row about the position says."""
    return {
        "market": market,
        "account": TRADER,
        "position_id": "31",
        "collateral_token": SUSD,
    }


def change(side: str, delta: str, after: str, market: str = ETH) -> dict[str, Any]:
    """Return a position change in ETH at 2,000, from sizes in ETH."""
    return {
        **place(market),
        "cause": "trade",
        "is_long": side == "long",
        "size_delta_tokens": usd(delta),
        "notional_delta_usd": 2_000 * usd(delta),
        "execution_price_usd": usd("2000"),
        "size_tokens": usd(after),
        "notional_usd": 2_000 * usd(after),
    }


@pytest.mark.parametrize(
    ("traded", "after", "expected"),
    [
        (3, 3, [change("long", "3", "3")]),
        (2, 5, [change("long", "2", "5")]),
        (-5, 0, [change("long", "-5", "0")]),
        (-4, -4, [change("short", "4", "4")]),
        (-2, -6, [change("short", "2", "6")]),
        (1, -3, [change("short", "-1", "3")]),
        (-15, -5, [change("long", "-10", "0"), change("short", "5", "5")]),
        (6, 2, [change("short", "-4", "0"), change("long", "2", "2")]),
    ],
    ids=["open long", "add", "close long", "open short", "add short", "cut", "turn", "turn back"],
)
@pytest.mark.parametrize("shape", [WITHOUT_SKEW, WITH_SKEW])
def test_a_trade_changes_the_side_it_touches(
    shape: str, traded: int, after: int, expected: list[dict[str, Any]]
) -> None:
    """Both shapes say size after and size traded; crossing zero is a change of each side."""
    result = read(modified(traded, after, shape))

    assert rows(result, "position_changes") == expected
    assert rows(result, "open_interest") == [
        {
            "market": ETH,
            "is_long": row["is_long"],
            "open_interest_delta_tokens": row["size_delta_tokens"],
        }
        for row in expected
    ]
    assert set(result.tables["position_changes"]["version"]) == {"2"}
    assert set(result.tables["open_interest"]["evidence"]) == {"derived"}
    assert reasons(result) == []


@pytest.mark.parametrize(("first", "turned"), [(-4, 6), (4, -6)], ids=["to long", "to short"])
def test_a_position_that_turned_is_open_on_its_new_side(first: int, turned: int) -> None:
    """4 ETH one way, then 2 the other: the last of its rows holds 2, at 2,000 dollars."""
    made = read(modified(first, first), modified(turned, first + turned)).tables
    told = (made[name].lazy() for name in ("liquidations", "adls", "position_changes"))

    (held,) = concentration(*told).collect().iter_rows(named=True)

    assert (held["exposure"], held["account_count"]) == ("open", 1)
    assert held["notional_usd"] == usd("4000")


def test_a_market_of_futures_v1_is_its_own_version() -> None:
    """The shape is shared with the first perps v2; who emitted it decides."""
    result = read(modified(3, 3, WITHOUT_SKEW, FUTURES))

    assert rows(result, "position_changes") == [change("long", "3", "3", FUTURES)]
    assert set(result.tables["position_changes"]["version"]) == {"1"}


def test_a_market_first_announced_by_the_second_manager_is_perps_v2() -> None:
    """Futures v1 opened no market after it: a child takes the version of who announced it."""
    market = "0x" + "f3" * 20
    known = Known(empty("tokens"), empty("markets"), discovery(added(SECOND, market, b"NEW")))

    result = read(modified(3, 3, WITHOUT_SKEW, market), known=known)

    assert set(result.tables["position_changes"]["version"]) == {"2"}


@pytest.mark.parametrize("shape", [WITHOUT_SKEW, WITH_SKEW])
def test_a_fee_of_a_trade_is_the_stakers(shape: str) -> None:
    """All of it: claimed from the fee pool at first, burned against their debt later."""
    result = read(modified(3, 3, shape), modified(1, 4, shape, fee=0))

    assert rows(result, "fees") == [
        {
            "market": ETH,
            "account": TRADER,
            "fee_kind": "position",
            "fee_token": SUSD,
            "fee_tokens": usd("4"),
            "fee_usd": usd("4"),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("4"),
            "split_basis": "policy",
        }
    ]


@pytest.mark.parametrize("shape", [WITHOUT_SKEW, WITH_SKEW])
def test_a_change_of_margin_is_a_price_and_no_trade(shape: str) -> None:
    """Without a traded size nothing changes, and the price is the oracle's."""
    result = read(modified(0, 3, shape, fee=0), modified(3, 3, shape, fee=0))

    assert rows(result, "oracle_updates") == [
        {
            "feed": ETH,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": usd("2000"),
            "provider": ETH,
        }
    ]
    assert len(rows(result, "position_changes")) == 1


def order(name: str, account: str = TRADER, market: str = ETH, deposit: int = 0) -> Built:
    """Return what says that an order of 3 ETH with this deposit was submitted or removed."""
    times = {"DelayedOrderSubmitted": ("intentionTime", "executableAtTime")}
    numbers = dict.fromkeys(times.get(name, ("currentRoundId",)), 1)
    if name != "NextPriceOrderRemoved":
        numbers["isOffchain"] = True
    return log(
        MARKET,
        name,
        market,
        account=account,
        sizeDelta=3 * ONE,
        targetRoundId=0,
        commitDeposit=deposit * ONE,
        keeperDeposit=2 * ONE,
        trackingCode=bytes(32),
        **numbers,
    )


@pytest.mark.parametrize("shape", [WITHOUT_SKEW, WITH_SKEW])
@pytest.mark.parametrize("name", ["DelayedOrderSubmitted", "DelayedOrderRemoved"])
def test_what_an_order_would_fill_at_is_no_oracle_price(shape: str, name: str) -> None:
    """Deposits of orders move margin at the fill price: it counts the skew that would be made."""
    result = read(modified(0, 3, shape, fee=0), modified(3, 6, shape, fee=0), order(name))

    assert rows(result, "oracle_updates") == []
    assert len(rows(result, "position_changes")) == 1
    assert reasons(result) == []


@pytest.mark.parametrize(
    "logs",
    [
        (order("DelayedOrderRemoved"), modified(0, 3, fee=0)),
        (modified(0, 3, fee=0), order("DelayedOrderSubmitted", KEEPER)),
        (modified(0, 3, fee=0), order("DelayedOrderSubmitted", market=FUTURES)),
    ],
    ids=["before", "of another", "elsewhere"],
)
def test_an_order_takes_no_other_oracle_price(logs: tuple[Built, ...]) -> None:
    """What was settled before, is another account's or another market's says nothing of it."""
    assert len(rows(read(*logs), "oracle_updates")) == 1


REMOVALS = [("NextPriceOrderRemoved", FUTURES, "1"), ("DelayedOrderRemoved", ETH, "2")]


@pytest.mark.parametrize(("name", "market", "version"), REMOVALS)
@pytest.mark.parametrize("canceller", ["owner", "keeper"])
def test_the_deposit_of_a_cancelled_order_is_the_stakers(
    name: str, market: str, version: str, canceller: str
) -> None:
    """An owner gets his keeper's part back, a keeper has it; the rest goes to the fee pool."""
    refunded = [modified(0, 3, WITHOUT_SKEW, market, fee=0)] if canceller == "owner" else []

    result = read(*refunded, order(name, market=market, deposit=5))

    assert rows(result, "fees") == [
        {
            "market": market,
            "account": TRADER,
            "fee_kind": "order",
            "fee_token": SUSD,
            "fee_tokens": usd("5"),
            "fee_usd": usd("5"),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("5"),
            "split_basis": "policy",
        }
    ]
    assert set(result.tables["fees"]["version"]) == {version}
    assert reasons(result) == []


@pytest.mark.parametrize(("name", "market", "version"), REMOVALS)
def test_the_deposit_of_an_executed_order_came_back(name: str, market: str, version: str) -> None:
    """It is in the margin again before the trade, of which the fee alone counts."""
    back = modified(0, 3, WITHOUT_SKEW, market, fee=0)
    traded = modified(3, 6, WITHOUT_SKEW, market, fee=4)

    result = read(back, traded, order(name, market=market, deposit=5))

    assert [row["fee_kind"] for row in rows(result, "fees")] == ["position"]
    assert set(result.tables["fees"]["version"]) == {version}


def test_the_trade_of_another_keeps_no_deposit() -> None:
    """A keeper executes one account's order and cancels another's in one transaction."""
    traded = modified(3, 6, WITHOUT_SKEW)

    result = read(traded, order("DelayedOrderRemoved", KEEPER, deposit=5))

    assert [(row["account"], row["fee_usd"]) for row in rows(result, "fees")] == [
        (TRADER, usd("4")),
        (KEEPER, usd("5")),
    ]


@pytest.mark.parametrize(
    ("shape", "market", "version", "keepers", "stakers"),
    [
        (KEEPERS_V1, FUTURES, "1", "12", "0"),
        (KEEPERS_ONLY, ETH, "2", "12", "0"),
        (FLAGGED, ETH, "2", "14", "30"),
    ],
    ids=["futures v1", "first perps v2", "flagged"],
)
def test_a_liquidation_closes_the_position_and_pays_keepers_and_stakers(
    shape: str, market: str, version: str, keepers: str, stakers: str
) -> None:
    """Every shape is one liquidation of the whole short, and one fee with its parts."""
    result = read(modified(0, 0, WITHOUT_SKEW, market, fee=0), liquidated(shape, -3, market))

    side = {**place(market), "is_long": False}
    assert rows(result, "liquidations") == [
        {
            **side,
            "liquidator": KEEPER,
            "notional_usd": usd("6300"),
            "size_tokens": usd("3"),
            "mark_price_usd": usd("2100"),
            "execution_price_usd": usd("2100"),
            "fee_usd": usd(keepers) + usd(stakers),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert rows(result, "position_changes") == [
        {
            **side,
            "cause": "liquidation",
            "notional_delta_usd": usd("-6300"),
            "size_delta_tokens": usd("-3"),
            "execution_price_usd": usd("2100"),
            "notional_usd": usd("0"),
            "size_tokens": usd("0"),
        }
    ]
    assert rows(result, "fees") == [
        {
            "market": market,
            "account": TRADER,
            "fee_kind": "liquidation",
            "fee_token": SUSD,
            "fee_tokens": usd(keepers) + usd(stakers),
            "fee_usd": usd(keepers) + usd(stakers),
            "supply_side_usd": usd(keepers),
            "treasury_usd": usd("0"),
            "holders_usd": usd(stakers),
            "split_basis": "event",
        }
    ]
    assert rows(result, "open_interest") == [
        {"market": market, "is_long": False, "open_interest_delta_tokens": usd("-3")}
    ]
    assert set(result.tables["liquidations"]["version"]) == {version}
    assert reasons(result) == []


def test_a_liquidation_with_too_few_topics_is_rejected() -> None:
    """A log of the shared hash that is neither shape is told, not dropped."""
    whole = liquidated(KEEPERS_V1, -3, FUTURES)

    result = read(Built(whole.address, whole.topics[:2], whole.data))

    assert result.tables["liquidations"].is_empty()
    assert [reason for _, _, reason in reasons(result)] == [
        "log has 2 topics of 32 bytes, expected 1"
    ]


def test_funding_above_zero_is_paid_by_longs() -> None:
    """The rate is per day; what a unit has accrued since the beginning is no ratio."""
    recomputed = log(
        MARKET,
        "FundingRecomputed",
        ETH,
        funding=-50 * ONE,
        fundingRate=3 * 10**15,
        index=9,
        timestamp=1,
    )

    result = read(recomputed)

    assert rows(result, "funding") == [{"market": ETH, "funding_rate_daily_ratio": usd("0.003")}]


def added(manager: str, market: str, asset: bytes) -> Built:
    """Return a MarketAdded."""
    key = asset.ljust(32, b"\0")
    return log(MANAGER, "MarketAdded", manager, market=market, asset=key, marketKey=key)


@pytest.mark.parametrize(
    ("manager", "block"), [(FUTURES_MANAGER, 5_000_000), (FIRST, 60_000_000), (SECOND, BLOCK)]
)
def test_a_manager_announces_markets(manager: str, block: int) -> None:
    """The market is read from the block on that announces it, under the asset's name."""
    news = added(manager, "0x" + "f2" * 20, b"sLINK")

    found = discovered([SNX], OPTIMISM, frame([news], block=block), declared([SNX], OPTIMISM))
    result = read(news)

    assert found.select("abi", "address", "from_block", "parent").rows() == [
        (MARKET, "0x" + "f2" * 20, block, manager)
    ]
    assert result.markets.select("market", "symbol", "known_by").rows() == [
        ("0x" + "f2" * 20, "sLINK", "event")
    ]


def test_a_declared_market_is_read_once_when_its_manager_announces_it() -> None:
    """The proxies are declared and announced; the declaration stands, and nothing counts twice."""
    news = added(SECOND, ETH, b"sETH")
    known = merged(KNOWN, Known(empty("tokens"), empty("markets"), discovery(news)))

    result = read(news, modified(3, 3, WITHOUT_SKEW), known=known)

    assert len(rows(result, "position_changes")) == 1
    assert set(result.tables["position_changes"]["version"]) == {"2"}


def discovery(news: Built) -> pl.DataFrame:
    """Return what a log announces, as rows of `contracts`."""
    return discovered([SNX], OPTIMISM, frame([news], block=BLOCK - 1), declared([SNX], OPTIMISM))


@pytest.mark.parametrize(
    ("abi", "name", "topic0"),
    [
        (
            MARKET,
            WITHOUT_SKEW,
            "930fd93131df035ac630ef616ad4212af6370377bf327e905c2724cd01d95097",
        ),
        (MARKET, WITH_SKEW, "c0d933baa356386a245ade48f9a9c59db4612af2b5b9c17de5b451c628760f43"),
        (MARKET, KEEPERS_ONLY, "62e7eb6698aabc6740afc94f06bbdfb947fc109fd24d4adb26014d44053ac2c3"),
        (MARKET, FLAGGED, "8e83cfbf9c95216dce50909e376c0dcc3e23129a3aa1edd5013fa8b41648f883"),
        (
            MARKET,
            "DelayedOrderSubmitted",
            "9deb3648ccf8efc44205985ac6ead4ffb30791fea9ce7f9437ae398b31cf9d5a",
        ),
        (
            MARKET,
            "DelayedOrderRemoved",
            "b47a6f7db9b75acb005050d7dabb7a604b169c9f5669259b53bec86092ee6434",
        ),
        (
            MARKET,
            "NextPriceOrderRemoved",
            "a2c30b7be4efaff9ad0f74d77ec9a944a7cc92a7b8eb941fbfc6489fb19370f3",
        ),
        (
            MARKET,
            "FundingRecomputed",
            "fc48da481fcf86ce12ffab287c2f0876771bfd89d024ed05e59d8640035d603e",
        ),
        (
            MANAGER,
            "MarketAdded",
            "96bfb0243b17c28e58d33656cd16adf56e92fc6bbeedab19c4a1c56f585274d6",
        ),
    ],
)
def test_a_topic_is_the_one_on_chain(abi: str, name: str, topic0: str) -> None:
    """What nodes are asked for is what the markets and their managers log."""
    assert abi_entries(abi)[name].topic0.hex() == topic0

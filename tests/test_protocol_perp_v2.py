"""Perpetual Protocol v2: goldens of every event, synthetic: no log of it is recorded."""

from decimal import Decimal
from typing import Any

import pytest
from goldens import Built, built_facts, log, reasons, rows, scaled, usd

from indexer.chains import OPTIMISM
from indexer.facts import Facts
from indexer.protocols import PROTOCOLS

HOUSE = "0x82ac2ce43e33683c58be4cdc40975e73aa50f459"
EXCHANGE = "0xbd7a3b7dbeb096f0b832cf467b94b091f30c34ec"
BALANCES = "0xa7f3fc32043757039d5e13d790ee43edbcba8b7c"
VAULT = "0xad7b4c162707e0b2b5f6fddbd3f8538a5fba0d60"
REGISTRY = "0xd5820ee0f55205f6cde8bb0647072143b3060067"
FUND = "0x1c9a192df3936cbf093d8afdc352718bcf834eb6"
ETH = "0x8c835dfaa34e2ae61775e80ee29e2c724c6ae2bb"
BTC = "0x86f1e0420c26a858fc203a3645dd1a36868f18e5"
USDC = "0x7f5c764cbc14f9669b88837ca1490cca17c31607"
TRADER, LIQUIDATOR = "0x" + "aa" * 20, "0x" + "bb" * 20
ONE = 10**18
ROOT = 40 << 96  # a price of 1,600


def changed(
    size: int,
    notional: int,
    *,
    left: int,
    pnl: int = 0,
    trader: str = TRADER,
    market: str = ETH,
    fee: int = 0,
) -> Built:
    """
    Return a PositionChanged.

    Args:
        size: base that was exchanged; below zero where the trader gave it.
        notional: quote that was exchanged, likewise.
        left: the open notional after it: below zero of a long.
        pnl: what was realised.
        trader: whose.
        market: the base token.
        fee: part of what a long costs.
    """
    return log(
        "perp_v2/ClearingHouse",
        "PositionChanged",
        HOUSE,
        trader=trader,
        baseToken=market,
        exchangedPositionSize=size * ONE,
        exchangedPositionNotional=notional * ONE,
        fee=fee * ONE,
        openNotional=left * ONE,
        realizedPnl=pnl * ONE,
        sqrtPriceAfterX96=ROOT,
    )


def liquidated(notional: int, size: int, market: str = ETH, fee: int = 50) -> Built:
    """Return a PositionLiquidated of the trader by the liquidator."""
    return log(
        "perp_v2/ClearingHouse",
        "PositionLiquidated",
        HOUSE,
        trader=TRADER,
        baseToken=market,
        positionNotional=notional * ONE,
        positionSize=size * ONE,
        liquidationFee=fee * ONE,
        liquidator=LIQUIDATOR,
    )


def credited(amount: int, account: str = FUND) -> Built:
    """Return a PnlRealized of AccountBalance, of the fund unless it is another's."""
    said = {"trader": account, "amount": amount * ONE}
    return log("perp_v2/AccountBalance", "PnlRealized", BALANCES, **said)


def bad_debt(dollars: int, trader: str = TRADER) -> Built:
    """Return a BadDebtSettled of the Vault."""
    said = {"trader": trader, "amount": dollars * 10**6}
    return log("perp_v2/Vault", "BadDebtSettled", VAULT, **said)


def made(*transactions: list[Built]) -> Facts:
    """Return the facts of these transactions of one block of Optimism."""
    return built_facts("perp_v2", OPTIMISM, *transactions)


def changes(*logs: Built) -> list[dict[str, Any]]:
    """Return the position changes of one transaction without market and account."""
    found = rows(made(list(logs)), "position_changes")
    return [
        {name: value for name, value in row.items() if name not in {"market", "account"}}
        for row in found
    ]


def interest(*logs: Built) -> list[tuple[bool, Decimal, Decimal | None]]:
    """Return side, dollars and tokens of the changes of open interest."""
    return [
        (
            row["is_long"],
            row["open_interest_delta_usd"],
            row.get("open_interest_delta_tokens"),
        )
        for row in rows(made(list(logs)), "open_interest")
    ]


def test_a_long_is_opened_at_what_it_costs() -> None:
    """2 ETH for 3,200 dollars and a fee of 3: the position stands open for 3,203."""
    logs = [changed(2, -3_200, left=-3_203, fee=3)]

    assert rows(made(logs), "position_changes") == [
        {
            "market": ETH,
            "account": TRADER,
            "cause": "trade",
            "is_long": True,
            "notional_delta_usd": usd("3203"),
            "size_delta_tokens": usd("2"),
            "execution_price_usd": usd("1600"),
            "notional_usd": usd("3203"),
        }
    ]
    assert interest(*logs) == [(True, usd("3203"), usd("2"))]


def test_a_short_is_opened_at_what_it_brings() -> None:
    """2 ETH sold for 3,200 less the fee of 3; exposure grows on the short side."""
    (change,) = changes(changed(-2, 3_200, left=3_197, fee=3))

    assert (change["is_long"], change["notional_delta_usd"]) == (False, usd("3197"))
    assert (change["size_delta_tokens"], change["notional_usd"]) == (usd("2"), usd("3197"))


def test_a_part_that_is_closed_realises_its_part() -> None:
    """Half of a long of 3,200 is sold for 1,700, fee 2: 98 are realised and 1,600 stay open."""
    logs = [changed(-1, 1_700, left=-1_600, pnl=98, fee=2)]

    assert changes(*logs) == [
        {
            "cause": "trade",
            "is_long": True,
            "notional_delta_usd": usd("-1600"),
            "size_delta_tokens": usd("-1"),
            "execution_price_usd": usd("1700"),
            "realized_pnl_usd": usd("98"),
            "notional_usd": usd("1600"),
        }
    ]
    assert interest(*logs) == [(True, usd("-1600"), usd("-1"))]


def test_a_whole_short_is_closed_with_a_loss() -> None:
    """A short of 3,200 is bought back for 3,500."""
    (change,) = changes(changed(2, -3_500, left=0, pnl=-300))

    assert (change["is_long"], change["notional_delta_usd"]) == (False, usd("-3200"))
    assert (change["size_delta_tokens"], change["realized_pnl_usd"]) == (usd("-2"), usd("-300"))
    assert change["notional_usd"] == usd("0")


def test_a_trade_that_turns_the_position_is_two_changes() -> None:
    """A long of 1,600 becomes a short of 3,400: of 3 ETH sold, 1 closes and 2 open."""
    logs = [changed(-3, 5_100, left=3_400, pnl=100)]

    longs, shorts = changes(*logs)

    assert (longs["is_long"], longs["notional_delta_usd"]) == (True, usd("-1600"))
    assert (longs["realized_pnl_usd"], longs["notional_usd"]) == (usd("100"), usd("0"))
    assert (shorts["is_long"], shorts["notional_delta_usd"]) == (False, usd("3400"))
    assert "realized_pnl_usd" not in shorts
    assert (longs["size_delta_tokens"], shorts["size_delta_tokens"]) == (usd("-1"), usd("2"))
    assert interest(*logs) == [
        (True, usd("-1600"), usd("-1")),
        (False, usd("3400"), usd("2")),
    ]


def test_what_a_turned_position_closes_is_what_was_open() -> None:
    """A short of 2 is opened, turned into a long of 3 at a fee, and sold: nothing stays open."""
    logs = [
        changed(-2, 3_200, left=3_200),
        changed(5, -7_990, left=-4_800, pnl=0, fee=10),
        changed(-3, 4_800, left=0),
    ]

    deltas = rows(made(logs), "open_interest")

    for side in (True, False):
        of_side = [row for row in deltas if row["is_long"] == side]
        assert sum(row["open_interest_delta_usd"] for row in of_side) == 0
        assert sum(row["open_interest_delta_tokens"] for row in of_side) == 0


def test_a_liquidation_is_joined_to_the_changes_it_made() -> None:
    """
    A long of 1 ETH that cost 1,800 is taken over at 1,500; of the penalty of 50 the liquidator
    gets 25 as a discount, the fund 25.
    """
    logs = [
        changed(-1, 1_500, left=0, pnl=-300),
        credited(25),
        changed(1, -1_475, left=-1_475, trader=LIQUIDATOR),
        liquidated(1_500, 1),
    ]

    result = made(logs)

    assert rows(result, "liquidations") == [
        {
            "market": ETH,
            "account": TRADER,
            "liquidator": LIQUIDATOR,
            "is_long": True,
            "notional_usd": usd("1500"),
            "size_tokens": usd("1"),
            "mark_price_usd": usd("1600"),
            "execution_price_usd": usd("1500"),
            "realized_pnl_usd": usd("-300"),
            "fee_usd": usd("50"),
            "shortfall_basis": "none",
            "derivation": "joined",
        }
    ]
    assert rows(result, "fees") == [
        {
            "market": ETH,
            "account": TRADER,
            "fee_kind": "liquidation",
            "fee_usd": usd("50"),
            "supply_side_usd": usd("25"),
            "treasury_usd": usd("25"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]
    assert [change["cause"] for change in changes(*logs)] == ["liquidation", "takeover"]
    assert interest(*logs) == [(True, usd("-1800"), usd("-1")), (True, usd("1475"), usd("1"))]


def test_a_short_is_liquidated_by_a_buy() -> None:
    """The side is that of the trader's change before the liquidation, not of another's."""
    logs = [
        changed(2, -3_500, left=0, pnl=-300),
        changed(-2, 3_525, left=3_525, trader=LIQUIDATOR),
        liquidated(3_500, 2),
    ]

    (row,) = rows(made(logs), "liquidations")

    assert (row["is_long"], row["realized_pnl_usd"]) == (False, usd("-300"))


def test_a_liquidation_before_release_two_was_sold_into_the_pool() -> None:
    """Nobody takes it over, and the whole penalty is the liquidator's."""
    logs = [changed(-1, 1_490, left=0, pnl=-300), liquidated(1_490, 1)]

    (penalty,) = rows(made(logs), "fees")

    assert (penalty["supply_side_usd"], penalty["treasury_usd"]) == (usd("50"), usd("0"))
    assert [change["cause"] for change in changes(*logs)] == ["liquidation"]


def test_a_trade_beside_a_liquidation_stays_a_trade() -> None:
    """Of another market, another size, or in another transaction."""
    alone = [changed(-1, 1_500, left=0, pnl=-300), liquidated(1_500, 1)]
    other = changed(-1, 30_000, left=0, market=BTC)
    beside = changes(changed(3, -4_500, left=-4_500), other, *alone)
    after = made([changed(-1, 1_500, left=0, pnl=-300)], [liquidated(1_500, 1)])

    assert [row["cause"] for row in beside] == ["trade", "trade", "liquidation"]
    assert [row["cause"] for row in rows(after, "position_changes")] == ["trade"]
    (unjoined,) = rows(after, "liquidations")
    assert "is_long" not in unjoined
    assert "mark_price_usd" not in unjoined


def test_bad_debt_belongs_to_the_last_liquidation() -> None:
    """Two liquidations of one trader and one settlement after them: the loss counts once."""
    logs = [
        changed(-1, 1_500, left=0, pnl=-300),
        liquidated(1_500, 1),
        changed(-1, 30_000, left=0, pnl=-9_000, market=BTC),
        liquidated(30_000, 1, market=BTC),
        bad_debt(120),
    ]

    result = made(logs)

    assert [row.get("shortfall_usd") for row in rows(result, "liquidations")] == [None, usd("120")]
    assert [row["shortfall_basis"] for row in rows(result, "liquidations")] == ["none", "event"]
    assert rows(result, "shortfalls") == [
        {
            "kind": kind,
            "account": TRADER,
            "asset_token": USDC,
            "shortfall_tokens": usd("120"),
            "shortfall_usd": usd("120"),
        }
        for kind in ("bad_debt", "insurance_out")
    ]


@pytest.mark.parametrize(
    "transactions",
    [
        [[liquidated(1_500, 1), bad_debt(120, LIQUIDATOR)]],
        [[bad_debt(120), liquidated(1_500, 1)]],
        [[liquidated(1_500, 1)], [bad_debt(120)]],
    ],
    ids=["another trader", "before", "another transaction"],
)
def test_bad_debt_of_something_else_is_not_the_liquidations(
    transactions: list[list[Built]],
) -> None:
    """The Vault settles after the liquidation, for its trader, in its transaction."""
    (row,) = rows(made(*transactions), "liquidations")

    assert row["shortfall_basis"] == "none"
    assert "shortfall_usd" not in row


def test_a_taker_fee_is_shared_with_the_fund_as_the_fund_was_credited() -> None:
    """Of 3 dollars the fund gets what AccountBalance says before the change, makers the rest."""
    second = [credited(2), changed(1, -10_000, left=-10_010, fee=10, market=BTC)]

    result = made([credited(1), changed(2, -3_200, left=-3_203, fee=3), *second])

    assert rows(result, "fees")[0] == {
        "market": ETH,
        "account": TRADER,
        "fee_kind": "position",
        "fee_usd": usd("3"),
        "supply_side_usd": usd("2"),
        "treasury_usd": usd("1"),
        "holders_usd": usd("0"),
        "split_basis": "event",
    }
    assert [row["treasury_usd"] for row in rows(result, "fees")] == [usd("1"), usd("2")]


def test_what_a_trader_realises_is_no_part_of_a_fee() -> None:
    """AccountBalance is read for the fund alone; without its share the makers get everything."""
    result = made([credited(100, TRADER), changed(2, -3_200, left=-3_203, fee=3)])

    (fee,) = rows(result, "fees")
    assert (fee["supply_side_usd"], fee["treasury_usd"]) == (usd("3"), usd("0"))
    assert rows(result, "shortfalls") == []


def test_the_fund_takes_in_and_pays_out() -> None:
    """What it is credited with is in, what it is charged is out; nothing is neither."""
    result = made([credited(25), credited(-7), credited(0)])

    assert rows(result, "shortfalls") == [
        {"kind": "insurance_in", "shortfall_usd": usd("25")},
        {"kind": "insurance_out", "shortfall_usd": usd("7")},
    ]


def test_collateral_that_is_sold_pays_the_fund() -> None:
    """The fund's part is in USDC whatever is sold, and the sale is no liquidation of a position."""
    sale = log(
        "perp_v2/Vault",
        "CollateralLiquidated",
        VAULT,
        trader=TRADER,
        collateralToken="0x4200000000000000000000000000000000000006",
        liquidator=LIQUIDATOR,
        collateral=ONE,
        repaidSettlementWithoutInsuranceFundFeeX10_S=1_400 * 10**6,
        insuranceFundFeeX10_S=42_500_000,
        discountRatio=100_000,
    )

    result = made([sale])

    assert rows(result, "fees") == [
        {
            "account": TRADER,
            "fee_kind": "liquidation",
            "fee_token": USDC,
            "fee_tokens": usd("42.5"),
            "fee_usd": usd("42.5"),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd("42.5"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]
    assert rows(result, "shortfalls") == [
        {
            "kind": "insurance_in",
            "account": TRADER,
            "asset_token": USDC,
            "shortfall_tokens": usd("42.5"),
            "shortfall_usd": usd("42.5"),
        }
    ]
    assert rows(result, "liquidations") == []


@pytest.mark.parametrize(("size", "is_long"), [(2, True), (-2, False)])
def test_a_closed_market_settles_what_is_left(size: int, is_long: bool) -> None:
    """At the price of the close, for what the position cost; it is no liquidation."""
    sign = 1 if is_long else -1
    quit_market = log(
        "perp_v2/ClearingHouse",
        "PositionClosed",
        HOUSE,
        trader=TRADER,
        baseToken=ETH,
        closedPositionSize=size * ONE,
        closedPositionNotional=size * 1_000 * ONE,
        openNotional=-sign * 3_200 * ONE,
        realizedPnl=-sign * 1_200 * ONE,
        closedPrice=1_000 * ONE,
    )

    assert changes(quit_market) == [
        {
            "cause": "settlement",
            "is_long": is_long,
            "notional_delta_usd": usd("-3200"),
            "size_delta_tokens": usd("-2"),
            "execution_price_usd": usd("1000"),
            "realized_pnl_usd": usd(str(-sign * 1_200)),
            "notional_usd": usd("0"),
            "size_tokens": usd("0"),
        }
    ]
    assert interest(quit_market) == [(is_long, usd("-3200"), usd("-2"))]


def test_funding_is_above_zero_where_the_trader_pays() -> None:
    """A negative payment was received."""
    payments = [
        log(
            "perp_v2/ClearingHouse",
            "FundingPaymentSettled",
            HOUSE,
            trader=TRADER,
            baseToken=ETH,
            fundingPayment=payment,
        )
        for payment in (15 * 10**17, -3)
    ]

    assert [row["paid_usd"] for row in rows(made(payments), "funding")] == [
        usd("1.5"),
        usd("-0.000000000000000003"),
    ]


def test_both_averages_are_prices_of_the_asset() -> None:
    """The index under the market, the market's own under the Exchange, so they can be compared."""
    update = log(
        "perp_v2/Exchange",
        "FundingUpdated",
        EXCHANGE,
        baseToken=ETH,
        marketTwap=1_601 * ONE,
        indexTwap=1_600 * ONE,
    )

    assert rows(made([update]), "oracle_updates") == [
        {"feed": ETH, "asset": "ETH", "quote": "USD", "oracle_price_quote": usd("1600")},
        {"feed": EXCHANGE, "asset": "ETH", "quote": "USD", "oracle_price_quote": usd("1601")},
    ]


def test_a_pool_that_is_added_is_a_market() -> None:
    """Of a token nobody named yet; its symbol is asked for."""
    token, pool = "0x" + "71" * 20, "0x" + "72" * 20
    said = {"baseToken": token, "feeRatio": 3_000, "pool": pool}

    result = made([log("perp_v2/MarketRegistry", "PoolAdded", REGISTRY, **said)])

    (market,) = result.markets.to_dicts()
    assert (market["market"], market["parent"], market["index_token"]) == (token, pool, token)
    assert result.unknown_tokens == (token,)


def test_the_price_of_a_pool_is_the_square_of_its_root() -> None:
    """To the last digit: the root of vETH's pool at 1,234.5 dollars and a little."""
    root = 2_783_687_041_083_265_512_345_678_901_234
    change = log(
        "perp_v2/ClearingHouse",
        "PositionChanged",
        HOUSE,
        trader=TRADER,
        baseToken=ETH,
        exchangedPositionSize=-ONE,
        exchangedPositionNotional=1_234 * ONE,
        fee=0,
        openNotional=0,
        realizedPnl=0,
        sqrtPriceAfterX96=root,
    )

    (row,) = rows(made([change, liquidated(1_234, 1)]), "liquidations")

    assert row["mark_price_usd"] == scaled(root * root, 0, over=1 << 192)
    assert Decimal(1_234) < row["mark_price_usd"] < Decimal(1_235)


def test_twenty_markets_are_known_before_they_are_read() -> None:
    """The deployments' pools, by the symbol behind their virtual token."""
    markets = PROTOCOLS["perp_v2"].markets

    assert len(markets) == 20
    assert {one.symbol for one in markets} >= {"ETH", "BTC", "OP", "PERP"}
    assert reasons(made([])) == []

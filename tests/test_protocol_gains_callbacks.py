"""gTrade v6.3 to v7: every event of the callbacks contracts, built from their ABI (synthetic)."""

from decimal import Decimal
from typing import Any

import pytest
from goldens import Built, facts_of, frame, log, reasons, rows, usd

from indexer.chains import ARBITRUM, POLYGON, Chain
from indexer.facts import Facts
from indexer.facts.routes import abi_entries
from indexer.protocols import PROTOCOLS
from indexer.protocols.gains.callbacks import (
    ABI,
    LIMIT_7,
    LIMIT_63,
    LIMIT_64,
    MARKET_6,
    MARKET_7,
)

DAI = "0xda10009cbd5d07dd0cecc66161fc93d7c9000da1"
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
OF_DAI = "0x298a695906e16aea0a184a2815a76ead1a0b7522"
OF_USDC = "0x4542256c583bcad66a19a525b57203773a6485bf"
OF_WETH = "0x62a9f50c92a57c719ff741133caa55c7a81ce019"
TRADER, KEEPER = "0x" + "aa" * 20, "0x" + "cc" * 20
V6, V7 = 150_000_000, 180_000_000  # blocks of Arbitrum
PLACE = {"market": "7", "account": TRADER, "position_id": "2", "is_long": True}
# Shape, contract, its collateral, block, version, stake in collateral, and its worth in dollars.
SHAPES = {
    MARKET_6: (OF_DAI, DAI, V6, "6", 1_000 * 10**18, "1000"),
    LIMIT_63: (OF_DAI, DAI, V6, "6", 1_000 * 10**18, "1000"),
    LIMIT_64: (OF_DAI, DAI, V6, "6", 1_000 * 10**18, "1000"),
    MARKET_7: (OF_USDC, USDC, V7, "7", 1_000 * 10**6, "999.9"),
    LIMIT_7: (OF_USDC, USDC, V7, "7", 1_000 * 10**6, "999.9"),
}
MARKETS, LIMITS = (MARKET_6, MARKET_7), (LIMIT_63, LIMIT_64, LIMIT_7)


def execution(shape: str, stake: int | None = None, **how: Any) -> Built:
    """Return an execution at ten times leverage and 2,500.5, closed 25 % up; USDC at 0.9999."""
    contract, _, _, _, own, _ = SHAPES[shape]
    at = own if stake is None else stake
    arguments = {
        "orderId": 1,
        "limitIndex": 0,
        "t": (TRADER, 7, 2, 1_000 * 10**18, at, 2_400 * 10**10, True, 10, 0, 0),
        "nftHolder": KEEPER,
        "price": 25_005 * 10**9,
        "priceImpactP": 0,
        "positionSizeDai": 800 * 10**18,
        "percentProfit": 25 * 10**10,
        "daiSentToTrader": 0,
        "collateralPriceUsd": 99_990_000,
        "exactExecution": True,
    }
    return log(ABI, shape, contract, **arguments | how)


def read(*logs: Built, block: int = V6, chain: Chain = ARBITRUM) -> Facts:
    """Return the facts of one transaction."""
    return facts_of("gains", chain, frame(logs, block=block))


@pytest.mark.parametrize(
    ("shape", "how"),
    [
        *((shape, {"open": True}) for shape in MARKETS),
        *((shape, {"orderType": 3}) for shape in LIMITS),
    ],
)
def test_an_opening_adds_the_levered_collateral(shape: str, how: dict[str, Any]) -> None:
    """Leverage is a whole number; DAI of v6 is a dollar, USDC of v7 what the event says."""
    _, collateral, block, version, _, worth = SHAPES[shape]

    result = read(execution(shape, **how), block=block)

    assert rows(result, "position_changes") == [
        PLACE
        | {
            "collateral_token": collateral,
            "cause": "trade",
            "notional_delta_usd": 10 * usd(worth),
            "collateral_delta_usd": usd(worth),
            "execution_price_usd": usd("2500.5"),
            "notional_usd": 10 * usd(worth),
        }
    ]
    table = result.tables["position_changes"]
    assert table["version"].to_list() == [version]
    assert table["evidence"].to_list() == ["assumed" if version == "6" else "event"]
    assert result.tables["liquidations"].is_empty()
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("shape", "how", "cause"),
    [
        *((shape, {"open": False}, "trade") for shape in MARKETS),
        *((shape, {"orderType": 0}, "trade") for shape in LIMITS),
        *((shape, {"orderType": 1}, "trade") for shape in LIMITS),
        *((shape, {"orderType": 2}, "liquidation") for shape in LIMITS),
    ],
)
def test_a_closing_takes_it_back_and_realises_the_price_move(
    shape: str, how: dict[str, Any], cause: str
) -> None:
    """Order type 2 is a liquidation here; 25 % of the stake were made."""
    _, collateral, block, _, _, worth = SHAPES[shape]

    result = read(execution(shape, **how), block=block)

    assert rows(result, "position_changes") == [
        PLACE
        | {
            "collateral_token": collateral,
            "cause": cause,
            "notional_delta_usd": -10 * usd(worth),
            "collateral_delta_usd": -usd(worth),
            "execution_price_usd": usd("2500.5"),
            "realized_pnl_usd": usd(worth) / 4,
            "notional_usd": usd("0"),
        }
    ]
    assert len(rows(result, "liquidations")) == (cause == "liquidation")
    assert reasons(result) == []


@pytest.mark.parametrize("shape", LIMITS)
def test_a_liquidation_names_the_keeper(shape: str) -> None:
    """LimitExecuted of type 2 is one liquidation of the whole position, read directly."""
    _, collateral, block, version, _, worth = SHAPES[shape]
    lost = execution(shape, orderType=2, percentProfit=-(10**12))

    result = read(lost, block=block)

    assert rows(result, "liquidations") == [
        PLACE
        | {
            "collateral_token": collateral,
            "liquidator": KEEPER,
            "notional_usd": 10 * usd(worth),
            "collateral_usd": usd(worth),
            "execution_price_usd": usd("2500.5"),
            "realized_pnl_usd": -usd(worth),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert result.tables["liquidations"]["version"].to_list() == [version]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_trade_whose_collateral_lies_elsewhere_says_it_in_the_execution(shape: str) -> None:
    """Trades of the first contracts have no positionSizeDai of their own: 800, not zero."""
    _, _, block, _, own, worth = SHAPES[shape]
    said = {"stake": 0, "positionSizeDai": own * 8 // 10}

    result = read(execution(shape, open=False, orderType=2, **said), block=block)

    (closed,) = rows(result, "position_changes")
    assert closed["notional_delta_usd"] == -8 * usd(worth)
    assert closed["collateral_delta_usd"] == -8 * usd(worth) / 10
    assert closed["realized_pnl_usd"] == usd(worth) / 5
    for liquidated in rows(result, "liquidations"):
        assert liquidated["collateral_usd"] == usd(worth) * 8 / 10


def test_an_unknown_order_type_is_rejected() -> None:
    """LimitExecuted carries types 0 to 3; another one costs the row and says so."""
    result = read(execution(LIMIT_64, orderType=4))

    assert result.tables["position_changes"].is_empty()
    assert reasons(result) == [(LIMIT_64, "position_changes", "4 is not in the declared table")]


# --- fees -----------------------------------------------------------------------------------------

RECIPIENTS = [
    ("DevGovFeeCharged", "position", "treasury_usd"),
    ("GovFeeCharged", "position", "treasury_usd"),
    ("SssFeeCharged", "position", "holders_usd"),
    ("DaiVaultFeeCharged", "position", "supply_side_usd"),
    ("LpFeeCharged", "position", "supply_side_usd"),
    ("ReferralFeeCharged", "position", "supply_side_usd"),
    ("NftBotFeeCharged", "order", "supply_side_usd"),
    ("TriggerFeeCharged", "order", "supply_side_usd"),
    ("BorrowingFeeCharged", "borrow", "supply_side_usd"),
]
PARTS = ("supply_side_usd", "treasury_usd", "holders_usd")


def fee(name: str, contract: str, amount: int, **changes: bool) -> Built:
    """Return a fee event of this amount of collateral."""
    more = {"tradeValueDai": 1, "feeValueDai": amount, "valueDai": amount, "distributed": True}
    return log(ABI, name, contract, trader=TRADER, **more | changes)


@pytest.mark.parametrize(("name", "kind", "receiver"), RECIPIENTS)
@pytest.mark.parametrize("shape", [MARKET_6, MARKET_7])
def test_a_fee_goes_to_the_recipient_its_event_names(
    shape: str, name: str, kind: str, receiver: str
) -> None:
    """Three of the collateral, in dollars by the execution after it, or at par in v6."""
    contract, collateral, block, version, stake, _ = SHAPES[shape]
    dollars = usd("3") if version == "6" else usd("2.9997")

    result = read(fee(name, contract, 3 * stake // 1_000), execution(shape, open=True), block=block)

    assert rows(result, "fees") == [
        {
            "market": "7",
            "account": TRADER,
            "fee_kind": kind,
            "fee_token": collateral,
            "fee_tokens": usd("3"),
            "fee_usd": dollars,
            "split_basis": "event",
        }
        | {part: dollars if part == receiver else usd("0") for part in PARTS}
    ]
    table = result.tables["fees"]
    assert table["version"].to_list() == [version]
    assert table["evidence"].to_list() == ["assumed" if version == "6" else "event"]


@pytest.mark.parametrize(("block", "said"), [(V6, {"supply_side_usd": usd("3")}), (V7, {})])
def test_what_governance_is_not_given_stays_in_the_vault(
    block: int, said: dict[str, Decimal]
) -> None:
    """A cancelled close takes it from a trade whose collateral the vault has; v7 has no price."""
    result = read(fee("GovFeeCharged", OF_DAI, 3 * 10**18, distributed=False), block=block)

    (row,) = rows(result, "fees")
    others = {"treasury_usd": usd("0"), "holders_usd": usd("0")}
    assert {part: row[part] for part in PARTS if part in row} == others | said
    assert row["fee_tokens"] == usd("3")


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        (LIMIT_63, ("LpFeeCharged", "DaiVaultFeeCharged", "SssFeeCharged", "NftBotFeeCharged")),
        (LIMIT_63, ("DaiVaultFeeCharged", "SssFeeCharged", "NftBotFeeCharged")),
        (LIMIT_64, ("DaiVaultFeeCharged", "SssFeeCharged", "TriggerFeeCharged")),
        (LIMIT_7, ("DaiVaultFeeCharged", "SssFeeCharged", "TriggerFeeCharged")),
    ],
)
def test_what_a_liquidation_is_charged_is_logged_before_it(
    shape: str, parts: tuple[str, ...]
) -> None:
    """A hundredth of the stake each; a close before it, of the same trader, keeps its kinds."""
    contract, _, block, version, stake, worth = SHAPES[shape]
    charged = [fee(name, contract, stake // 100) for name in parts]
    closed = execution(MARKET_7 if version == "7" else MARKET_6, open=False, orderId=2)

    result = read(*charged, closed, *charged, execution(shape, orderType=2), block=block)

    own = ["position"] * (len(parts) - 1) + ["order"]
    kinds = result.tables["fees"].sort("log_index")["fee_kind"].to_list()
    assert kinds == own + ["liquidation"] * len(parts)
    (row,) = rows(result, "liquidations")
    assert row["fee_usd"] == len(parts) * usd(worth) / 100
    assert reasons(result) == []


def test_a_fee_that_the_vault_keeps_is_not_known() -> None:
    """Of a trade whose collateral lies there a liquidation logs what its keeper got alone."""
    others = [fee(name, OF_DAI, 10**18) for name in ("DaiVaultFeeCharged", "SssFeeCharged")]
    closed = execution(MARKET_6, open=False, orderId=2)
    lost = execution(LIMIT_64, stake=0, orderType=2)

    result = read(*others, closed, fee("TriggerFeeCharged", OF_DAI, 10**18), lost)

    (row,) = rows(result, "liquidations")
    assert "fee_usd" not in row


def test_a_fee_of_a_cancelled_order_has_no_dollars_in_v7() -> None:
    """Nothing in its transaction says what ether is worth: its tokens are known, no more."""
    result = read(fee("GovFeeCharged", OF_WETH, 10**18), block=V7)

    (row,) = rows(result, "fees")
    assert row["fee_token"] == WETH
    assert row["fee_tokens"] == usd("1")
    assert "fee_usd" not in row


@pytest.mark.parametrize(
    ("shape", "how"), [(MARKET_7, {"open": True}), (LIMIT_7, {"orderType": 0})]
)
def test_v7_says_what_its_collateral_is_worth(shape: str, how: dict[str, Any]) -> None:
    """The venue's own price of the collateral, 1e8; v6 has none."""
    result = read(execution(shape, **how), block=V7)

    assert rows(result, "oracle_updates") == [
        {
            "feed": USDC,
            "asset": "USDC",
            "quote": "USD",
            "oracle_price_quote": usd("0.9999"),
            "provider": OF_USDC,
        }
    ]
    assert rows(read(execution(MARKET_6, open=True)), "oracle_updates") == []


@pytest.mark.parametrize("chain", [ARBITRUM, POLYGON])
def test_each_collateral_has_its_contract(chain: Chain) -> None:
    """Two contracts of DAI one after the other, the second in two versions without a gap."""
    contracts = [
        one for one in PROTOCOLS["gains"].contracts if (one.chain, one.abi) == (chain, ABI)
    ]
    upgraded = [one for one in contracts if one.address == contracts[1].address]

    assert len({one.address for one in contracts}) == 4
    assert len({str(one.says["collateral"]) for one in contracts}) == 3
    assert [(one.version, one.says["priced"]) for one in upgraded] == [("6", "no"), ("7", "yes")]
    assert upgraded[1].from_block - 1 == upgraded[0].to_block


@pytest.mark.parametrize(
    ("name", "topic0"),
    [
        (MARKET_6, "2739a12dffae5d66bd9e126a286078ed771840f2288f0afa5709ce38c3330997"),
        (MARKET_7, "ca42b0e44cd853d207b87e8f8914eaefef9c9463a8c77ca33754aa62f6904f00"),
        (LIMIT_64, "1ab0771256522e5114b583b488c490436d6f8fe02b1e1c9697443e8704c4e840"),
        (LIMIT_7, "a97091b8c54bf9d1906c2a06322d0ea74fedde4538cdcdf95d81d0ffdca41857"),
        ("GovFeeCharged", "ccd80d359a6fbe0bfa5cbb1ecf0854adbe8c67b4ed6bf10d3c0d78c2be0f48cb"),
        ("SssFeeCharged", "d1e388cc27c5125a80cf538c12b26dc5a784071d324a81a736e4d17f238588e4"),
        ("DaiVaultFeeCharged", "60c73da98faf96842eabd77a0c73964cd189dbaf2c9ae90923a3fed137f30e3e"),
        ("BorrowingFeeCharged", "e7d34775bf6fd7b34e703a903ef79ab16166ebdffce96a66f4d2f84b6263bb29"),
    ],
)
def test_a_topic_is_the_one_on_chain(name: str, topic0: str) -> None:
    """What nodes are asked for is what the callbacks contracts log."""
    assert abi_entries(ABI)[name].topic0.hex() == topic0

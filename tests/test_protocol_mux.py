"""MUX: one golden per event and generation, all synthetic."""

from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from eth_utils.crypto import keccak
from goldens import NOON, Built, abi_of, built_facts, frame, log, reasons, rows, signature, usd

from indexer.chains import ARBITRUM, FANTOM, OPTIMISM, Chain
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of

POOLS: dict[Chain, str] = {
    ARBITRUM: "0x3e0199792ce69dc29a0a36146bfa68bd7c8d6633",
    FANTOM: "0x2e81f443a11a943196c88afcb5a0d807721a88e6",
    OPTIMISM: "0xc6bd76fa1e9e789345e003b361e4a0037dfb7260",
}
ABI = "mux/LiquidityPool"
TRADER = "0x" + "aa" * 20
USDC = "0x" + "0c" * 20
WETH = "0x" + "0e" * 20
# Account, collateral 0, asset 3, long.
SUB_ACCOUNT = b"\xaa" * 20 + bytes([0, 3, 1]) + bytes(9)
WAD = 10**18
POSITION = {
    "market": "3",
    "account": TRADER,
    "position_id": "0x" + SUB_ACCOUNT.hex(),
    "is_long": True,
    "collateral_token": USDC,
}
NEW, OLD = "new", "old"


def named(event: str, generation: str) -> str:
    """Return the signature of a position event of one generation."""
    overloads = [one for one in abi_of(ABI) if one["name"] == event]
    is_old = [
        any(part["name"] == "entryPrice" for part in one["inputs"][2]["components"])
        for one in overloads
    ]
    return signature(overloads[is_old.index(generation == OLD)])


def position(event: str, generation: str, **args: int | bool) -> Built:
    """Return a position event about 2 ETH at 1,500 on USDC at 0.999, closed at a loss of 90."""
    (entry,) = (one for one in abi_of(ABI) if signature(one) == named(event, generation))
    said: dict[str, Any] = {
        "subAccountId": SUB_ACCOUNT,
        "collateralId": 0,
        "profitAssetId": 3,
        "isLong": True,
        "amount": 2 * WAD,
        "assetPrice": 1_500 * WAD,
        "collateralPrice": 999 * WAD // 1_000,
        "profitAssetPrice": 1_500 * WAD,
        "entryPrice": 1_545 * WAD,
        "newEntryPrice": 1_545 * WAD,
        "feeUsd": 6 * WAD,
        "hasProfit": False,
        "pnlUsd": 90 * WAD,
        "remainPosition": 5 * WAD,
        "remainCollateral": 700 * WAD,
        **args,
    }
    packed = tuple(said[part["name"]] for part in entry["inputs"][2]["components"])
    return log(ABI, signature(entry), POOLS[ARBITRUM], trader=TRADER, assetId=3, args=packed)


def asset(number: int, symbol: str, token: str, chain: Chain = ARBITRUM) -> Built:
    """Return an AddAsset."""
    values = {"symbol": symbol.encode().ljust(32, b"\0"), "decimals": 18, "isStable": False}
    return log(
        ABI,
        "AddAsset",
        POOLS[chain],
        id=number,
        **values,
        tokenAddress=token,
        muxTokenAddress=token,
    )


ASSETS = (asset(0, "USDC", USDC), asset(3, "ETH", WETH))


def made(*logs: Built, chain: Chain = ARBITRUM) -> Facts:
    """Return the facts of a transaction after that which listed the assets; USDC is known."""
    listed = ASSETS if chain == ARBITRUM else ()
    told = frame(listed, logs, block=900_000_000)
    headers = told.select(number="block_number", timestamp=pl.lit(NOON, pl.Datetime("us"))).unique()
    tokens = pl.DataFrame([(42_161, USDC, "USDC", 6, "call")], columns_of("tokens"), orient="row")
    protocols = [PROTOCOLS["mux"]]
    return facts(
        protocols, chain, told, headers, replace(declared(protocols, chain), tokens=tokens)
    )


def test_assets_are_numbered_markets() -> None:
    """AddAsset gives a number its symbol and token."""
    markets = made().markets.select("market", "symbol", "index_token", "asset_class").rows()

    assert markets == [("0", "USDC", USDC, "crypto"), ("3", "ETH", WETH, "crypto")]


@pytest.mark.parametrize("generation", [NEW, OLD])
def test_an_opening_adds_an_amount_at_a_price(generation: str) -> None:
    """2 ETH at 1,500 are 3,000 dollars; what then remains only the second generation says."""
    result = made(position("OpenPosition", generation))

    left = {"notional_usd": usd("7500"), "size_tokens": usd("5")} if generation == NEW else {}
    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("3000"),
            "size_delta_tokens": usd("2"),
            "execution_price_usd": usd("1500"),
            **left,
        }
    ]


@pytest.mark.parametrize("generation", [NEW, OLD])
def test_a_closing_realises_its_loss(generation: str) -> None:
    """The amount comes off, and the profit without a sign gets one from its flag."""
    result = made(position("ClosePosition", generation))

    left = {"notional_usd": usd("7500"), "size_tokens": usd("5")} if generation == NEW else {}
    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "trade",
            "notional_delta_usd": usd("-3000"),
            "size_delta_tokens": usd("-2"),
            "execution_price_usd": usd("1500"),
            "realized_pnl_usd": usd("-90"),
            **left,
        }
    ]


def test_a_profit_is_above_zero() -> None:
    """The flag says so."""
    result = made(position("ClosePosition", NEW, hasProfit=True))

    assert result.tables["position_changes"]["realized_pnl_usd"].to_list() == [usd("90")]


@pytest.mark.parametrize("generation", [NEW, OLD])
def test_a_liquidation_closes_all_of_a_position(generation: str) -> None:
    """It is a liquidation, a change that leaves nothing, and never two of either."""
    result = made(position("Liquidate", generation))

    assert rows(result, "liquidations") == [
        {
            **POSITION,
            "notional_usd": usd("3000"),
            "size_tokens": usd("2"),
            "mark_price_usd": usd("1500"),
            "execution_price_usd": usd("1500"),
            "realized_pnl_usd": usd("-90"),
            "fee_usd": usd("6"),
            "shortfall_basis": "none",
            "derivation": "direct",
        }
    ]
    assert rows(result, "position_changes") == [
        {
            **POSITION,
            "cause": "liquidation",
            "notional_delta_usd": usd("-3000"),
            "size_delta_tokens": usd("-2"),
            "execution_price_usd": usd("1500"),
            "realized_pnl_usd": usd("-90"),
            "notional_usd": usd("0"),
            "size_tokens": usd("0"),
        }
    ]


@pytest.mark.parametrize("generation", [NEW, OLD])
def test_open_interest_is_the_sum_of_amounts(generation: str) -> None:
    """Openings add, closings and liquidations take away, in units of the asset."""
    events = ("OpenPosition", "ClosePosition", "Liquidate")

    result = made(*(position(event, generation) for event in events))

    table = result.tables["open_interest"].sort("log_index")
    assert table.select("market", "is_long", "open_interest_delta_tokens").rows() == [
        ("3", True, usd(delta)) for delta in ("2", "-2", "-2")
    ]
    assert set(table["evidence"]) == {"derived"}


@pytest.mark.parametrize("generation", [NEW, OLD])
@pytest.mark.parametrize("event", ["OpenPosition", "ClosePosition", "Liquidate"])
def test_a_fee_is_counted_once(event: str, generation: str) -> None:
    """It is read of the position event."""
    result = made(position(event, generation), position(event, generation, feeUsd=0))

    assert rows(result, "fees") == [
        {
            "market": "3",
            "account": TRADER,
            "fee_kind": "margin",
            "fee_usd": usd("6"),
            "split_basis": "none",
        }
    ]


def test_profit_that_is_taken_out_pays_its_funding_fee() -> None:
    """WithdrawProfit closes nothing, and no close charges again what it paid."""
    args = (SUB_ACCOUNT, 0, 3, True, 10**17, 1_500 * WAD, WAD, 1_500 * WAD, 1_545 * WAD, 6 * WAD)
    taken = log(ABI, "WithdrawProfit", POOLS[ARBITRUM], trader=TRADER, assetId=3, args=args)

    result = made(taken)

    (fee,) = rows(result, "fees")
    assert (fee["market"], fee["account"], fee["fee_usd"]) == ("3", TRADER, usd("6"))
    assert rows(result, "position_changes") == rows(result, "open_interest") == []


def collected(fee: int) -> Built:
    """Return a CollectedFee in USDC."""
    return log(ABI, "CollectedFee", POOLS[ARBITRUM], tokenId=0, fee=fee)


def withdrawn() -> Built:
    """Return a withdrawal of collateral."""
    amounts = {"rawAmount": 5 * 10**6, "wadAmount": 5 * WAD}
    return log(
        ABI,
        "WithdrawCollateral",
        POOLS[ARBITRUM],
        subAccountId=SUB_ACCOUNT,
        trader=TRADER,
        collateralId=0,
        **amounts,
    )


def test_a_withdrawal_of_collateral_settles_its_funding_fee() -> None:
    """A quarter of a USDC, which no other event tells; its dollars are not known."""
    result = made(collected(WAD // 4), withdrawn())

    assert rows(result, "fees") == [
        {
            "account": TRADER,
            "fee_kind": "margin",
            "fee_token": USDC,
            "fee_tokens": usd("0.25"),
            "split_basis": "none",
        }
    ]


@pytest.mark.parametrize("event", ["OpenPosition", "ClosePosition", "Liquidate"])
def test_a_collected_fee_that_another_event_tells_is_not_counted_again(event: str) -> None:
    """A position that is closed and its collateral withdrawn at once pays one fee."""
    result = made(collected(6 * WAD), position(event, NEW), withdrawn())

    assert [row["fee_usd"] for row in rows(result, "fees")] == [usd("6")]


def loan(event: str, who: str, fee: int, bad_debt: int = 0) -> Built:
    """Return what the pool says of a loan of 2,000 USDC, whose own decimals are 6."""
    said = {"rawBorrowAmount": 2_000 * 10**6, "rawRepayAmount": 2_000 * 10**6, "badDebt": bad_debt}
    (entry,) = (one for one in abi_of(ABI) if one["name"] == event)
    names = {part["name"] for part in entry["inputs"]}
    rest = {name: value for name, value in said.items() if name in names}
    return log(
        ABI, event, POOLS[ARBITRUM], assetId=0, project=WETH, rawFee=fee, **{who: TRADER}, **rest
    )


@pytest.mark.parametrize(("event", "who"), [("BorrowAsset", "borrower"), ("RepayAsset", "repayer")])
def test_an_account_of_the_aggregator_pays_for_its_loan(event: str, who: str) -> None:
    """Three quarters of a USDC, by a token of 6 decimals; a loan that costs nothing is no fee."""
    result = made(loan(event, who, fee=0), loan(event, who, fee=750_000))

    assert rows(result, "fees") == [
        {
            "account": TRADER,
            "fee_kind": "borrow",
            "fee_token": USDC,
            "fee_tokens": usd("0.75"),
            "split_basis": "none",
        }
    ]


def test_what_a_loan_leaves_unpaid_is_bad_debt() -> None:
    """12 USDC that the pool does not see again; a loan that is paid back leaves none."""
    result = made(
        loan("RepayAsset", "repayer", fee=0), loan("RepayAsset", "repayer", 0, bad_debt=12 * 10**6)
    )

    assert rows(result, "shortfalls") == [
        {
            "kind": "bad_debt",
            "account": TRADER,
            "asset_token": USDC,
            "shortfall_tokens": usd("12"),
        }
    ]


def test_the_fee_of_a_loan_is_none_of_a_withdrawal_after_it() -> None:
    """CollectedFee tells it before the loan does, and a withdrawal of the token may follow."""
    result = made(collected(WAD), loan("BorrowAsset", "borrower", fee=10**6), withdrawn())

    assert [row["fee_kind"] for row in rows(result, "fees")] == ["borrow"]


def test_a_withdrawal_without_a_fee_has_none() -> None:
    """Of what was never open nothing is owed."""
    assert rows(made(collected(0), withdrawn(), withdrawn()), "fees") == []


@pytest.mark.parametrize("event", ["AddLiquidity", "RemoveLiquidity"])
def test_providers_pay_in_the_token_they_bring_or_take(event: str) -> None:
    """0.01 ETH at 1,500 are 15 dollars."""
    values = {"trader": TRADER, "tokenId": 3, "tokenPrice": 1_500 * WAD, "mlpPrice": WAD}
    logs = [
        log(ABI, event, POOLS[ARBITRUM], **values, mlpAmount=7 * WAD, fee=fee)
        for fee in (WAD // 100, 0)
    ]

    assert rows(made(*logs), "fees") == [
        {
            "account": TRADER,
            "fee_kind": "swap",
            "fee_token": WETH,
            "fee_tokens": usd("0.01"),
            "fee_usd": usd("15"),
            "split_basis": "none",
        }
    ]


@pytest.mark.parametrize(
    ("event", "kind", "tokens"),
    [("AddLiquidity", "deposit", "2.01"), ("RemoveLiquidity", "withdrawal", "1.99")],
)
def test_a_flow_is_in_tokens_that_follow_from_shares(event: str, kind: str, tokens: str) -> None:
    """2,500 shares at 1.2 dollars are 2 ETH at 1,500; the fee is taken before, or after."""
    values = {"trader": TRADER, "tokenId": 3, "tokenPrice": 1_500 * WAD, "fee": WAD // 100}
    flow = log(
        ABI, event, POOLS[ARBITRUM], **values, mlpPrice=12 * WAD // 10, mlpAmount=2_500 * WAD
    )

    result = made(flow)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": POOLS[ARBITRUM],
            "account": TRADER,
            "asset_token": WETH,
            "asset_tokens": usd(tokens),
            "share_tokens": usd("2500"),
        }
    ]
    assert result.tables["pool_flows"]["evidence"].to_list() == ["derived"]
    assert rows(result, "share_prices") == [
        {"pool": POOLS[ARBITRUM], "asset_token": "USD", "share_price_tokens": usd("1.2")}
    ]


@pytest.mark.parametrize("generation", [NEW, OLD])
@pytest.mark.parametrize("event", ["OpenPosition", "ClosePosition", "Liquidate"])
def test_an_execution_tells_the_price_of_its_collateral(event: str, generation: str) -> None:
    """Not that of the asset, which holds the spread."""
    assert rows(made(position(event, generation)), "oracle_updates") == [
        {"feed": USDC, "asset": "USDC", "quote": "USD", "oracle_price_quote": usd("0.999")}
    ]


def test_funding_is_the_cumulative_rate_of_longs() -> None:
    """A wad is 1; the counter of shorts is in dollars and left out."""
    values = {"longFundingRate": 10, "shortFundingRate": 12, "shortCumulativeFunding": 9 * WAD}
    update = log(
        ABI,
        "UpdateFundingRate",
        POOLS[ARBITRUM],
        tokenId=3,
        **values,
        longCumulativeFundingRate=25 * 10**15,
    )

    assert rows(made(update), "funding") == [
        {"market": "3", "is_long": True, "funding_rate_cumulative_ratio": usd("0.025")}
    ]


@pytest.mark.parametrize("chain", list(POOLS), ids=lambda chain: chain.slug)
def test_each_chain_numbers_its_own_assets(chain: Chain) -> None:
    """A pool of another address, the same events."""
    result = built_facts("mux", chain, [asset(9, "FTM", WETH, chain)])

    assert result.markets.select("chain_id", "market").rows() == [(chain.chain_id, "9")]


def test_a_trade_before_its_asset_was_listed_keeps_its_row() -> None:
    """Without AddAsset the collateral's token is unknown, which costs its price and no more."""
    result = built_facts("mux", ARBITRUM, [position("OpenPosition", NEW)])

    assert "collateral_token" not in rows(result, "position_changes")[0]
    assert reasons(result) == [(named("OpenPosition", NEW), "oracle_updates", "feed is not known")]


@pytest.mark.parametrize(
    ("event", "generation", "topic0"),
    [
        ("Liquidate", NEW, "d63e21d9ddaf46f8d28d121f06e7ed33fcc0300af1f8c794e69056dbf37e2d6a"),
        ("Liquidate", OLD, "2851795e53e22d232ed21def9db9ff1f7bab38679157408500417d4907fda0db"),
        ("OpenPosition", NEW, "db27855d3e94a6c985e1e59c77870a73484ef3c40d29fbfe14bb3e686da86efb"),
        ("OpenPosition", OLD, "007ce471b1f4c8e15f6c6dfb466144c981075019e62e7b4bbc66046c4b8f6c18"),
    ],
)
def test_a_generation_has_its_topic(event: str, generation: str, topic0: str) -> None:
    """The two differ in what the tuple holds."""
    assert keccak(text=named(event, generation)).hex() == topic0

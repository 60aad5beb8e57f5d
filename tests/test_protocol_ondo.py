"""Ondo: hubs, instant managers of two generations, prices, built from the ABIs (synthetic)."""

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from asked import answered, asked
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import NOON, Built, built_facts, facts_of, frame, log, reasons, rows, usd

from indexer.chains import ETHEREUM, MANTLE
from indexer.facts import Facts

HUB, V1, V2 = "ondo/Hub", "ondo/InstantManagerV1", "ondo/InstantManager"
OUSG = "0x1b19c19393e2d034d8ff31ff34c81252fcbbee92"
USDY = "0x96f6ef951840721adbf46ac996b59e0235cb985c"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
CASH_MANAGER = "0x3501883a646f1f8417bcb62162372550954d618f"
OUSG_HUB = "0xf16c188c2d411627d39655a60409ec6707d3d5e8"
USDY_HUB = "0x25a103a1d6aec5967c1a4fe2039cdc514886b97e"
OUSG_V1 = "0x2826989983e3a66f0622132d019c2ae173eb6a43"
OUSG_V2 = "0x93358db73b6cd4b98d89c8f5f230e81a95c2643a"
USDY_V2 = "0xa42613c243b67bf6194ac327795b926b4b491f15"
LEGACY_ORACLE = "0x0502c5ae08e7cd64fe1aeda7d6e229413ecc6abe"
PRICER = "0x7fb0228c6338da4ec948df7b6a8e22ad2bb2bfb5"
USDY_ORACLE = "0xa0219aa5b31e65bc920b5b6dfb8edf0988121de0"
ORACLE = "0x9cad45a8bf0ed41ff33074449b357c7a1fab4094"
IN_DOLLARS = {"asset_token": "USD"}
USER, ADMIN = "0x" + "a1" * 20, "0x" + "a2" * 20
ONE, ID = 10**18, b"\7" * 32


def read(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("ondo", ETHEREUM, list(logs))


def flow(kind: str, pool: str, shares: str, **paid: Any) -> dict[str, Any]:
    """Return a row of `pool_flows`."""
    return {"kind": kind, "pool": pool, "account": USER, **paid, "share_tokens": usd(shares)}


def usdc(amount: str) -> dict[str, Any]:
    """Return money in USDC."""
    return {"asset_token": USDC, "asset_tokens": usd(amount)}


def fee(kind: str, pool: str, **amount: Any) -> dict[str, Any]:
    """Return a row of `fees` that nobody says the split of."""
    return {
        "market": pool,
        "account": USER,
        "fee_kind": kind,
        **amount,
        "split_basis": "none",
    }


# --- the first manager of OUSG --------------------------------------------------------------------


def by_epoch(name: str, **values: Any) -> Facts:
    """Return the facts of a log of the manager that counted epochs."""
    return read(log("ondo/CashManager", name, CASH_MANAGER, **values))


def test_a_mint_of_an_epoch_is_what_was_left_after_the_fee() -> None:
    """The request had paid the fee; the claim names what is left and the shares."""
    minted = {"cashAmountOut": 9 * ONE, "collateralAmountDeposited": 900_000_000}

    result = by_epoch(
        "MintCompleted", user=USER, **minted, exchangeRate=100_000_000, epochClaimedFrom=3
    )

    assert rows(result, "pool_flows") == [flow("mint", OUSG, "9", **usdc("900"))]
    assert set(result.tables["pool_flows"]["version"]) == {"epochs"}


def test_a_redemption_of_an_epoch_is_what_was_paid_out() -> None:
    """The shares had been destroyed with the request; the fee is told once for all."""
    redeemed = {"cashAmountRequested": 9 * ONE, "collateralAmountReturned": 899_000_000}

    result = by_epoch("RedemptionCompleted", user=USER, **redeemed, epoch=3)

    assert rows(result, "pool_flows") == [flow("redemption", OUSG, "9", **usdc("899"))]
    assert result.tables["fees"].is_empty()


@pytest.mark.parametrize(("amount", "count"), [(10**6, 1), (0, 0)])
def test_a_request_of_an_epoch_pays_its_fee(amount: int, count: int) -> None:
    """A fee of nothing is no row, and a request no flow."""
    paid = {"collateralAmountDeposited": 10**9, "depositAmountAfterFee": 10**9 - amount}

    result = by_epoch("MintRequested", user=USER, epoch=3, **paid, feeAmount=amount)

    assert (
        rows(result, "fees")
        == [fee("subscription", OUSG, fee_token=USDC, fee_tokens=usd("1"))] * count
    )
    assert result.tables["pool_flows"].is_empty()


@pytest.mark.parametrize(("amount", "count"), [(10**6, 1), (0, 0)])
def test_fees_of_an_epochs_redemptions_are_of_nobody(amount: int, count: int) -> None:
    """One log tells what was kept of all who were paid, mostly nothing."""
    result = by_epoch(
        "RedemptionFeesCollected", beneficiary=ADMIN, collateralAmountOut=amount, epoch=3
    )

    row = fee("redemption", OUSG, fee_token=USDC, fee_tokens=usd("1"))
    del row["account"]
    assert rows(result, "fees") == [row] * count


# --- hubs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hub", "pool"), [(OUSG_HUB, OUSG), (USDY_HUB, USDY)])
def test_a_completed_mint_is_a_flow_of_the_hubs_token(hub: str, pool: str) -> None:
    """The hub says which token; its collateral is USDC, after the fee that the request paid."""
    minted = log(
        HUB,
        "MintCompleted",
        hub,
        user=USER,
        depositId=ID,
        rwaAmountOut=95 * ONE // 10,
        collateralAmountDeposited=999_000_000,
        price=105 * ONE,
        priceId=3,
    )

    result = read(minted)

    assert rows(result, "pool_flows") == [flow("mint", pool, "9.5", **usdc("999"))]
    assert set(result.tables["pool_flows"]["version"]) == {"hub"}
    assert reasons(result) == []


def test_a_request_pays_its_fee_and_moves_no_shares() -> None:
    """Money and shares move on completion; the fee is taken when a mint is asked for."""
    requested = log(
        HUB,
        "MintRequested",
        OUSG_HUB,
        user=USER,
        depositId=ID,
        collateralAmountDeposited=10**9,
        depositAmountAfterFee=999_000_000,
        feeAmount=10**6,
    )

    result = read(requested)

    assert rows(result, "fees") == [fee("subscription", OUSG, fee_token=USDC, fee_tokens=usd("1"))]
    assert result.tables["pool_flows"].is_empty()


COMPLETED = "RedemptionCompleted(address,bytes32,uint256,uint256,{})"
OF_TWO = {"user": USER, "redemptionId": ID, "rwaAmountRequested": 2 * ONE}
PAID = {"collateralAmountReturned": 2_100_000, "price": 105 * ONE // 100}


def redeemed(fee_amount: int) -> Built:
    """Return a completed redemption of two OUSG."""
    return log(
        HUB,
        COMPLETED.format("uint256,uint256,uint256"),
        OUSG_HUB,
        **OF_TWO,
        **PAID,
        feeAmount=fee_amount,
        priceId=4,
    )


def test_a_completed_redemption_pays_what_is_left_after_the_fee() -> None:
    """What the investor received is the flow, what was kept the fee."""
    result = read(redeemed(5_000))

    assert rows(result, "pool_flows") == [flow("redemption", OUSG, "2", **usdc("2.1"))]
    assert rows(result, "fees") == [
        fee("redemption", OUSG, fee_token=USDC, fee_tokens=usd("0.005"))
    ]


def test_the_older_hub_tells_a_redemption_without_its_fee() -> None:
    """What USDY's hub logs has neither the fee nor the number of a price, and so another topic."""
    result = read(log(HUB, COMPLETED.format("uint256"), USDY_HUB, **OF_TWO, **PAID))

    assert rows(result, "pool_flows") == [flow("redemption", USDY, "2", **usdc("2.1"))]
    assert result.tables["fees"].is_empty()


def test_a_fee_of_zero_is_no_fee_row() -> None:
    """Most hubs charge nothing."""
    assert read(redeemed(0)).tables["fees"].is_empty()


# --- the first instant manager --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rebasing"),
    [
        ("InstantMintOUSG", {}),
        ("InstantMintRebasingOUSG", {"rousgAmountOut": 1_000 * ONE}),
    ],
)
def test_an_instant_mint_counts_ousg_whatever_form_it_is_handed_out_in(
    name: str, rebasing: dict[str, int]
) -> None:
    """A thousand rOUSG stand for 9.4 OUSG, and 9.4 is what is counted."""
    amounts = {"usdcAmountIn": 1_000_000_000, "ousgAmountOut": 94 * ONE // 10}
    minted = log(V1, name, OUSG_V1, sender=USER, **amounts, **rebasing)
    charged = log(
        V1,
        "MintFeesDeducted",
        OUSG_V1,
        sender=USER,
        feeReceiver=ADMIN,
        usdcFees=2_000_000,
        usdcAmountIn=1_000_000_000,
    )

    result = read(charged, minted)

    assert rows(result, "pool_flows") == [flow("mint", OUSG, "9.4", **usdc("1000"))]
    assert rows(result, "fees") == [fee("subscription", OUSG, fee_token=USDC, fee_tokens=usd("2"))]


@pytest.mark.parametrize(
    ("name", "rebasing"),
    [
        ("InstantRedemptionOUSG", {}),
        ("InstantRedemptionRebasingOUSG", {"rousgAmountIn": 1_000 * ONE}),
    ],
)
def test_an_instant_redemption_burns_ousg(name: str, rebasing: dict[str, int]) -> None:
    """ROUSG comes first in the log and is not the amount."""
    amounts = {"ousgAmountIn": 94 * ONE // 10, "usdcAmountOut": 998_000_000}
    burned = log(V1, name, OUSG_V1, sender=USER, **amounts, **rebasing)
    charged = log(
        V1,
        "RedeemFeesDeducted",
        OUSG_V1,
        sender=USER,
        feeReceiver=ADMIN,
        usdcFees=0,
        usdcAmountOut=998_000_000,
    )

    result = read(charged, burned)

    assert rows(result, "pool_flows") == [flow("redemption", OUSG, "9.4", **usdc("998"))]
    assert result.tables["fees"].is_empty()


def test_a_redemption_with_a_fee_has_its_fee_row() -> None:
    """The fee is what the receiver got, in USDC."""
    charged = log(
        V1,
        "RedeemFeesDeducted",
        OUSG_V1,
        sender=USER,
        feeReceiver=ADMIN,
        usdcFees=2_000_000,
        usdcAmountOut=998_000_000,
    )

    assert rows(read(charged), "fees") == [
        fee("redemption", OUSG, fee_token=USDC, fee_tokens=usd("2"))
    ]


# --- instant managers since 2025 ------------------------------------------------------------------


def subscription(manager: str, token: str = USDC) -> Built:
    """Return a subscription of 1,000 in a token for 9.4 shares, two dollars of it a fee."""
    return log(
        V2,
        "Subscription",
        manager,
        subscriber=USER,
        subscriberId=ID,
        rwaAmount=94 * ONE // 10,
        depositToken=token,
        depositAmount=1_000_000_000,
        depositUSDValue=1_000 * ONE,
        fee=2 * ONE,
    )


@pytest.mark.parametrize(("manager", "pool"), [(OUSG_V2, OUSG), (USDY_V2, USDY)])
def test_a_subscription_says_what_was_paid_with(manager: str, pool: str) -> None:
    """Any stablecoin may be deposited, in its own decimals; the fee is dollars of eighteen."""
    result = read(subscription(manager))

    assert rows(result, "pool_flows") == [flow("mint", pool, "9.4", **usdc("1000"))]
    assert rows(result, "fees") == [fee("subscription", pool, fee_usd=usd("2"))]
    assert set(result.tables["pool_flows"]["version"]) == {"instant 2"}


def test_a_deposit_in_a_token_nobody_knows_asks_for_its_decimals() -> None:
    """The row is kept back with its reason; the fee, in dollars, needs no token."""
    other = "0x" + "cc" * 20

    result = read(subscription(OUSG_V2, other))

    assert result.tables["pool_flows"].is_empty()
    assert result.unknown_tokens == (other,)
    assert [row["fee_usd"] for row in rows(result, "fees")] == [usd("2")]


def test_a_redemption_says_what_was_received() -> None:
    """The token received and its amount, after a fee in dollars."""
    redemption = log(
        V2,
        "Redemption",
        USDY_V2,
        redeemer=USER,
        redeemerId=ID,
        rwaAmount=3 * ONE,
        receivingToken=USDC,
        receiveTokenAmount=3_200_000,
        redemptionUSDValue=33 * ONE // 10,
        fee=ONE // 10,
    )

    result = read(redemption)

    assert rows(result, "pool_flows") == [flow("redemption", USDY, "3", **usdc("3.2"))]
    assert rows(result, "fees") == [fee("redemption", USDY, fee_usd=usd("0.1"))]


def test_a_subscription_by_the_admin_moves_shares_alone() -> None:
    """It was paid off chain: the log values it, and nobody deposited that value here."""
    by_admin = log(
        V2,
        "AdminSubscription",
        OUSG_V2,
        adminCaller=ADMIN,
        recipient=USER,
        recipientId=ID,
        rwaAmount=5 * ONE,
        usdAmount=550 * ONE,
        metadata=ID,
    )

    assert rows(read(by_admin), "pool_flows") == [flow("mint", OUSG, "5", **IN_DOLLARS)]


def test_a_rebasing_subscription_is_counted_once() -> None:
    """Its second log repeats the amounts of the first, under a name that v1 had as well."""
    signature = "InstantSubscriptionRebasingOUSG(address,uint256,uint256,address,uint256)"
    values = [94 * ONE // 10, 1_000 * ONE, USDC, 1_000_000_000]
    data = encode(["uint256", "uint256", "address", "uint256"], values)
    topics = (keccak(text=signature), bytes.fromhex(USER[2:]).rjust(32, b"\0"))

    result = read(subscription(OUSG_V2), Built(OUSG_V2, topics, data))

    assert len(rows(result, "pool_flows")) == 1
    assert reasons(result) == []


# --- prices ---------------------------------------------------------------------------------------


def at_block(block: int, one: Built) -> Facts:
    """Return the facts of one log at a block."""
    return facts_of("ondo", ETHEREUM, frame([one], block=block))


def checked(price: int) -> Built:
    """Return a price of the first oracle of OUSG, beside the ETF's that bounds it."""
    return log(
        "ondo/LegacyOracle",
        "RWAExternalComparisonCheckPriceSet",
        LEGACY_ORACLE,
        oldChainlinkPrice=11_000_000_000,
        oldRoundId=1,
        newChainlinkPrice=11_001_000_000,
        newRoundId=2,
        oldRWAPrice=104 * ONE,
        newRWAPrice=price,
    )


def test_the_first_oracle_prices_ousg_until_the_second_is_there() -> None:
    """The new price is the share's, not the old one, not the ETF's; later ones count no more."""
    before = at_block(22_141_382, checked(105 * ONE + 1))
    after = at_block(22_141_383, checked(105 * ONE + 1))

    assert rows(before, "share_prices") == [
        {"pool": OUSG, "asset_token": "USD", "share_price_tokens": usd("105.000000000000000001")}
    ]
    assert after.tables["share_prices"].is_empty()


def test_the_pricer_prices_usdy_until_its_oracle_is_there() -> None:
    """A price may be added late; the moment it is of stands in the log."""
    added = log(
        "ondo/Pricer",
        "PriceAdded",
        PRICER,
        priceId=12,
        price=1_012_345_678_000_000_000,
        timestamp=1_690_000_000,
    )

    before = at_block(18_485_027, added)

    assert rows(before, "share_prices") == [
        {
            "pool": USDY,
            "asset_token": "USD",
            "share_price_tokens": usd("1.012345678"),
            "nav_at": datetime(2023, 7, 22, 4, 26, 40),
        }
    ]
    assert at_block(18_485_028, added).tables["share_prices"].is_empty()


def test_the_price_of_usdy_is_asked_for_every_day() -> None:
    """Its oracle computes a price for each day, whether or not a range was set."""
    answers = {("getPrice", USDY_ORACLE): 1_098_765_430_000_000_000, ("totalSupply", USDY): 7 * ONE}

    result = answered("ondo", ETHEREUM, "usdy_price", answers)

    assert rows(result, "share_prices") == [
        {
            "pool": USDY,
            "asset_token": "USD",
            "share_price_tokens": usd("1.09876543"),
            "supply_tokens": usd("7"),
        }
    ]
    assert set(result.tables["share_prices"]["evidence"]) == {"state"}


def test_a_range_is_no_price() -> None:
    """It is set ahead of time: as a price of its block it would be a step up and down again."""
    signature = "RangeSet(uint256,uint256,uint256,uint256,uint256)"
    data = encode(["uint256"] * 4, [1_700_000_000, 1_702_000_000, 10**27 + 10**23, ONE])
    topics = (keccak(text=signature), (4).to_bytes(32))

    result = read(Built(USDY_ORACLE, topics, data))

    assert all(table.is_empty() for table in result.tables.values())


def test_the_price_of_ousg_is_asked_of_the_common_oracle() -> None:
    """The oracle is asked for the token, the token for its supply."""
    answers = {("getAssetPrice", ORACLE): 110 * ONE, ("totalSupply", OUSG): 2 * ONE}

    result = answered("ondo", ETHEREUM, "ousg_price", answers)
    questions = asked("ondo", ETHEREUM, "ousg_price")

    assert rows(result, "share_prices") == [
        {
            "pool": OUSG,
            "asset_token": "USD",
            "share_price_tokens": usd("110"),
            "supply_tokens": usd("2"),
        }
    ]
    price = questions.row(by_predicate=pl.col("call") == "getAssetPrice", named=True)
    assert price["input"][4:] == bytes.fromhex(OUSG[2:]).rjust(32, b"\0")


def test_usdy_on_mantle_is_a_pool_of_its_own() -> None:
    """Its oracle and token are others; managers are on Ethereum only."""
    usdy = "0x5be26527e817998a7206475496fde1e68957c5a6"
    oracle = "0xa96abbe61afedeb0d14a20440ae7100d9ab4882f"
    answers = {("getPrice", oracle): ONE, ("totalSupply", usdy): ONE}

    result = answered("ondo", MANTLE, "usdy_price", answers)
    elsewhere = built_facts("ondo", MANTLE, [subscription(USDY_V2)], at=NOON)

    assert [row["pool"] for row in rows(result, "share_prices")] == [usdy]
    assert elsewhere.tables["pool_flows"].is_empty()

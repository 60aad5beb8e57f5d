"""Superstate: subscriptions, redemptions and checkpoints, all built from the ABIs (synthetic)."""

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from goldens import NOON, Built, built_facts, frame, log, reasons, rows, usd

from indexer.chains import ARBITRUM, ETHEREUM, PLUME
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.protocols import PROTOCOLS
from indexer.tables import empty

SUPERSTATE = PROTOCOLS["superstate"]
NOW = 23_000_000

ABI = "superstate/Token"
USTB = "0x43415eb6ff9db7e26a15b704e7a3edce97d31c4e"
USCC = "0x14d60e7fdc0d71d8611742720e4c50e7a974020c"
ORACLE = "0xe4fa682f94610ccd170680cc3b045d77d9e528a8"
REDEEMER = "0x4c21b7577c8fe8b0b0669165ee7c8f67fa1454cf"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
IN_DOLLARS = {"asset_token": "USD"}
BUYER, OWNER, HOLDER = "0x" + "a1" * 20, "0x" + "a2" * 20, "0x" + "a3" * 20


def read(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("superstate", ETHEREUM, list(logs))


def learned(*logs: Built) -> Facts:
    """Return the facts of one transaction that announces contracts which speak in it."""
    table = frame(list(logs), block=NOW)
    known = declared([SUPERSTATE], ETHEREUM)
    born = Known(
        empty("tokens"), empty("markets"), discovered([SUPERSTATE], ETHEREUM, table, known)
    )
    headers = pl.DataFrame({"number": [NOW], "timestamp": [NOON]})
    return facts(
        [SUPERSTATE],
        ETHEREUM,
        table,
        headers.cast({"timestamp": pl.Datetime("us")}),
        merged(known, born),
    )


def mint(minter: str, to: str, amount: int, fund: str = USTB) -> Built:
    """Return a Mint."""
    return log(ABI, "Mint", fund, minter=minter, to=to, amount=amount)


def subscribed() -> Built:
    """Return a subscription for 1,000 USDC, one of them a fee, that gave 90.9 shares to HOLDER."""
    return log(
        ABI,
        "SubscribeV2",
        USTB,
        subscriber=BUYER,
        to=HOLDER,
        stablecoin=USDC,
        stablecoinInAmountAfterFee=999_000_000,
        stablecoinInAmountBeforeFee=1_000_000_000,
        superstateTokenOutAmount=90_900_000,
    )


def subscribed_before() -> Built:
    """Return the same subscription as the third version logs it: amounts the other way round."""
    return log(
        ABI,
        "Subscribe",
        USTB,
        subscriber=BUYER,
        stablecoin=USDC,
        stablecoinInAmount=1_000_000_000,
        stablecoinInAmountAfterFee=999_000_000,
        superstateTokenOutAmount=90_900_000,
    )


def flow(kind: str, account: str, shares: str, **paid: Any) -> dict[str, Any]:
    """Return a row of `pool_flows` of USTB."""
    return {
        "kind": kind,
        "pool": USTB,
        "account": account,
        **paid,
        "share_tokens": usd(shares),
    }


@pytest.mark.parametrize(
    ("subscription", "holder"), [(subscribed(), HOLDER), (subscribed_before(), BUYER)]
)
def test_a_subscription_is_one_mint(subscription: Built, holder: str) -> None:
    """Both logs of it give one flow, with the money of one and the shares of the other."""
    result = read(mint(BUYER, holder, 90_900_000), subscription)

    assert rows(result, "pool_flows") == [
        flow("mint", holder, "90.9", asset_token=USDC, asset_tokens=usd("1000"))
    ]
    assert rows(result, "fees") == [
        {
            "market": USTB,
            "account": BUYER,
            "fee_kind": "subscription",
            "fee_token": USDC,
            "fee_tokens": usd("1"),
            "split_basis": "none",
        }
    ]
    assert reasons(result) == []


def test_a_mint_by_the_issuer_tells_no_money() -> None:
    """Shares of another minter, or of another size, are not those of the subscription beside."""
    others = (mint(OWNER, HOLDER, 90_900_000), mint(BUYER, HOLDER, 5))

    result = read(*others, mint(BUYER, HOLDER, 90_900_000), subscribed())

    paid = [row.get("asset_tokens") for row in rows(result, "pool_flows")]
    assert paid == [None, None, usd("1000")]
    assert rows(result, "pool_flows")[1] == flow("mint", HOLDER, "0.000005", **IN_DOLLARS)
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("name", "account"), [("Burn", "from"), ("AdminBurn", "src"), ("OffchainRedeem", "src")]
)
def test_shares_are_redeemed_by_their_holder(name: str, account: str) -> None:
    """Whoever sends the transaction, the shares are those of the source, in every generation."""
    burned = log(ABI, name, USTB, **{"burner": OWNER, account: HOLDER, "amount": 2_500_000})

    assert rows(read(burned), "pool_flows") == [flow("redemption", HOLDER, "2.5", **IN_DOLLARS)]


def paid(shares: int, after: int, before: int, by: str = REDEEMER) -> Built:
    """Return what the redemption contract says of shares that it burned just before."""
    return log(
        "superstate/Redemption",
        "RedeemV2",
        by,
        redeemer=HOLDER,
        to=BUYER,
        superstateTokenInAmount=shares,
        usdcOutAmountAfterFee=after,
        usdcOutAmountBeforeFee=before,
    )


def burned_by_contract(name: str, shares: int, by: str = REDEEMER) -> Built:
    """Return the burn of shares that a redemption contract took from their holder."""
    holder = "from" if name == "Burn" else "src"
    return log(ABI, name, USTB, **{"burner": by, holder: by, "amount": shares})


def test_a_redemption_on_chain_is_one_flow_with_its_money() -> None:
    """The token's burn names the contract; the contract's own log names holder, USDC and fee."""
    result = read(
        burned_by_contract("OffchainRedeem", 90_000_000), paid(90_000_000, 999_000_000, 10**9)
    )

    assert rows(result, "pool_flows") == [
        flow("redemption", HOLDER, "90", asset_token=USDC, asset_tokens=usd("999"))
    ]
    assert rows(result, "fees") == [
        {
            "market": USTB,
            "account": HOLDER,
            "fee_kind": "redemption",
            "fee_token": USDC,
            "fee_tokens": usd("1"),
            "split_basis": "none",
        }
    ]
    assert reasons(result) == []


@pytest.mark.parametrize("burn", ["Burn", "OffchainRedeem"])
def test_the_first_redemption_contract_tells_no_fee(burn: str) -> None:
    """Redeem holds what was paid, and stands after either burn of the token."""
    redeemed = log(
        "superstate/Redemption",
        "Redeem",
        REDEEMER,
        redeemer=HOLDER,
        superstateTokenInAmount=90_000_000,
        usdcOutAmount=999_000_000,
    )

    result = read(burned_by_contract(burn, 90_000_000), redeemed)

    assert rows(result, "pool_flows") == [
        flow("redemption", HOLDER, "90", asset_token=USDC, asset_tokens=usd("999"))
    ]
    assert result.tables["fees"].is_empty()
    assert reasons(result) == []


def test_each_redemption_of_a_transaction_has_its_own_money() -> None:
    """Of two of equal size each takes the payment after it; one paid off chain has none."""
    result = read(
        burned_by_contract("OffchainRedeem", 10**6),
        paid(10**6, 11_000_000, 11_000_000),
        burned_by_contract("OffchainRedeem", 10**6),
        paid(10**6, 12_000_000, 12_000_000),
        log(ABI, "OffchainRedeem", USTB, burner=OWNER, src=OWNER, amount=10**6),
    )

    flows = [(row["account"], row.get("asset_tokens")) for row in rows(result, "pool_flows")]
    assert flows == [(HOLDER, usd("11")), (HOLDER, usd("12")), (OWNER, None)]
    assert result.tables["fees"].is_empty()


def test_a_redemption_contract_that_a_fund_announces_is_read() -> None:
    """A token names its next redemption contract, whose payments are that fund's."""
    fresh = "0x" + "0e" * 20
    told = log(
        ABI,
        "SetRedemptionContract",
        USTB,
        oldRedemptionContract=REDEEMER,
        newRedemptionContract=fresh,
    )
    redeemed = [burned_by_contract("OffchainRedeem", 10**6, fresh), paid(10**6, 10, 11, fresh)]

    result = learned(told, *redeemed)

    (redemption,), (fee,) = rows(result, "pool_flows"), rows(result, "fees")
    assert (redemption["account"], redemption["asset_tokens"]) == (HOLDER, usd("0.00001"))
    assert (fee["market"], fee["fee_tokens"]) == (USTB, usd("0.000001"))


def test_a_subscription_without_a_fee_has_no_fee_row() -> None:
    """Nothing charged is nothing to report."""
    free = log(
        ABI,
        "Subscribe",
        USTB,
        subscriber=BUYER,
        stablecoin=USDC,
        stablecoinInAmount=10**6,
        stablecoinInAmountAfterFee=10**6,
        superstateTokenOutAmount=1,
    )

    assert read(free).tables["fees"].is_empty()


def test_a_checkpoint_is_a_share_price_of_its_token() -> None:
    """Dollars of six decimals, as of the moment the fund was valued, not of the block."""
    checkpoint = log(
        "superstate/Oracle",
        "NewCheckpoint",
        ORACLE,
        timestamp=1_735_682_400,
        effectiveAt=1_735_700_000,
        navs=10_654_321,
    )

    assert rows(read(checkpoint), "share_prices") == [
        {
            "pool": USTB,
            "asset_token": "USD",
            "share_price_tokens": usd("10.654321"),
            "nav_at": datetime(2024, 12, 31, 22, 0),
        }
    ]


@pytest.mark.parametrize("fund", [USTB, USCC])
def test_an_oracle_that_a_fund_announces_prices_that_fund(fund: str) -> None:
    """A token names its next oracle, whose checkpoints are prices of that token alone."""
    fresh = "0x" + "0f" * 20
    set_oracle = log(ABI, "SetOracle", fund, oldOracle=ORACLE, newOracle=fresh)
    told = {"timestamp": 1_735_682_400, "effectiveAt": 1_735_700_000, "navs": 11_000_000}

    result = learned(set_oracle, log("superstate/Oracle", "NewCheckpoint", fresh, **told))

    (price,) = rows(result, "share_prices")
    assert (price["pool"], price["share_price_tokens"]) == (fund, usd("11"))


def test_the_second_fund_is_another_pool() -> None:
    """USCC has the same code and its own rows."""
    assert rows(read(mint(OWNER, HOLDER, 10**6, USCC)), "pool_flows")[0]["pool"] == USCC


@pytest.mark.parametrize(
    ("fund", "symbol"),
    [(ORACLE, "USTB"), (REDEEMER, "USCC")],
)
def test_the_funds_are_read_on_plume(fund: str, symbol: str) -> None:
    """Each has the address of an oracle or of a redeemer on Ethereum; here it is the token."""
    burned = log(ABI, "OffchainRedeem", fund, burner=OWNER, src=HOLDER, amount=2_500_000)

    result = built_facts("superstate", PLUME, [mint(OWNER, HOLDER, 10**6, fund), burned])

    assert rows(result, "pool_flows") == [
        {**flow("mint", HOLDER, "1", **IN_DOLLARS), "pool": fund},
        {**flow("redemption", HOLDER, "2.5", **IN_DOLLARS), "pool": fund},
    ]
    assert symbol in declared([SUPERSTATE], PLUME).tokens["symbol"].to_list()
    assert (
        built_facts("superstate", ETHEREUM, [mint(OWNER, HOLDER, 1, fund)])
        .tables["pool_flows"]
        .is_empty()
    )


def test_nothing_is_read_elsewhere() -> None:
    """A token of another address, or of another chain, mints nothing here."""
    stranger = read(mint(OWNER, HOLDER, 1, "0x" + "12" * 20))
    elsewhere = built_facts("superstate", ARBITRUM, [mint(OWNER, HOLDER, 1)])

    assert stranger.tables["pool_flows"].is_empty()
    assert elsewhere.tables["pool_flows"].is_empty()

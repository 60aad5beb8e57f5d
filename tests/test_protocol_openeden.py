"""OpenEden: money, shares and fees of three generations, built from the ABIs (synthetic)."""

from typing import Any

import pytest
from asked import answered
from goldens import Built, built_facts, log, reasons, rows, usd

from indexer.chains import ARBITRUM, BSC, ETHEREUM
from indexer.facts import Facts
from indexer.protocols.openeden import DEPOSITS, WITHDRAWALS

VAULT = "openeden/Vault"
TBILL = "0xdd50c053c096cb04a3e3362e2b622529ec5f2e8a"
TBILL_ARBITRUM = "0xf84d28a8d28292842dd73d1c5f99476a80b6666a"
TBILL_BSC = "0x5b4681f0d7a01b817675f25892d3ad73572fd1d9"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
PAYER, OWNER, TREASURY = "0x" + "a1" * 20, "0x" + "a2" * 20, "0x" + "a3" * 20

# By generation: one fee; its own and a partner's, which a later one lets be negative.
FEES: tuple[dict[str, int], ...] = (
    {"txsFee": 5_000_000},
    {"oeFee": 4_000_000, "pFee": 1_000_000, "totalFee": 5_000_000},
    {"oeFee": 6_000_000, "pFee": -1_000_000, "totalFee": 5_000_000},
)


def read(*logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts("openeden", ETHEREUM, list(logs))


def deposited(name: str, fees: dict[str, int], vault: str = TBILL) -> Built:
    """Return a deposit of 1,000 for 900 shares."""
    return log(
        VAULT,
        name,
        vault,
        sender=PAYER,
        receiver=OWNER,
        assets=1_000_000_000,
        shares=900_000_000,
        oplTreasury=TREASURY,
        treasury=TREASURY,
        **fees,
    )


def fee(kind: str) -> dict[str, Any]:
    """Return the row of a fee of five."""
    return {
        "market": TBILL,
        "account": PAYER,
        "fee_kind": kind,
        "fee_token": USDC,
        "fee_tokens": usd("5"),
        "split_basis": "none",
    }


@pytest.mark.parametrize(("name", "fees"), list(zip([n for n, _ in DEPOSITS], FEES, strict=True)))
def test_a_deposit_is_what_was_paid_and_whose_the_shares_are(
    name: str, fees: dict[str, int]
) -> None:
    """The fee is inside the money, and the whole of it, whatever its parts are."""
    result = read(deposited(name, fees))

    assert rows(result, "pool_flows") == [
        {
            "kind": "deposit",
            "pool": TBILL,
            "account": OWNER,
            "asset_token": USDC,
            "asset_tokens": usd("1000"),
            "share_tokens": usd("900"),
        }
    ]
    assert rows(result, "fees") == [fee("subscription")]
    assert reasons(result) == []


def withdrawn(name: str, fees: dict[str, int]) -> Built:
    """Return a withdrawal of 900 shares worth 1,000, of which 995 were received."""
    renamed = {"txFee" if key == "txsFee" else key: value for key, value in fees.items()}
    return log(
        VAULT,
        name,
        TBILL,
        sender=PAYER,
        receiver=OWNER,
        assets=1_000_000_000,
        shares=900_000_000,
        actualAssets=995_000_000,
        actualShare=900_000_000,
        prevId=b"\7" * 32,
        oplTreasury=TREASURY,
        **renamed,
    )


@pytest.mark.parametrize(
    ("name", "fees"), list(zip([n for n, _ in WITHDRAWALS], FEES, strict=True))
)
def test_a_withdrawal_is_what_was_received_and_whose_the_shares_were(
    name: str, fees: dict[str, int]
) -> None:
    """The sender owned the shares; the money is what is left after the fee."""
    result = read(withdrawn(name, fees))

    assert rows(result, "pool_flows") == [
        {
            "kind": "withdrawal",
            "pool": TBILL,
            "account": PAYER,
            "asset_token": USDC,
            "asset_tokens": usd("995"),
            "share_tokens": usd("900"),
        }
    ]
    assert rows(result, "fees") == [fee("redemption")]


def test_a_partner_may_pay_the_whole_fee() -> None:
    """A negative part can bring the whole down to nothing, and then there is no fee."""
    free = {"oeFee": 1_000_000, "pFee": -2_000_000, "totalFee": 0}

    assert read(deposited(DEPOSITS[2][0], free)).tables["fees"].is_empty()


def test_a_claimed_service_fee_is_a_management_fee() -> None:
    """What accrued is counted when it is paid."""
    claimed = log(VAULT, "ClaimServiceFee", TBILL, receiver=TREASURY, amount=12_500_000)

    assert rows(read(claimed), "fees") == [
        {
            "market": TBILL,
            "fee_kind": "management",
            "fee_token": USDC,
            "fee_tokens": usd("12.5"),
            "split_basis": "none",
        }
    ]


def test_the_vault_on_arbitrum_has_an_asset_that_nobody_names() -> None:
    """Its decimals are the shares'; the address stays unknown."""
    deposit = deposited(DEPOSITS[1][0], FEES[1], TBILL_ARBITRUM)

    result = built_facts("openeden", ARBITRUM, [deposit])

    (flow,) = rows(result, "pool_flows")
    assert (flow["asset_tokens"], flow["share_tokens"]) == (usd("1000"), usd("900"))
    assert "asset_token" not in flow
    assert reasons(result) == []


def test_the_vault_on_bnb_chain_counts_in_eighteen_places() -> None:
    """Its asset is no USDC of six: shares, money, fee and supply have the places it has."""
    name, fees = DEPOSITS[2][0], {key: fee * 10**12 for key, fee in FEES[2].items()}
    money = {"assets": 1_000 * 10**18, "shares": 900 * 10**18}
    parties = {"sender": PAYER, "receiver": OWNER, "oplTreasury": TREASURY, "treasury": TREASURY}

    result = built_facts("openeden", BSC, [log(VAULT, name, TBILL_BSC, **parties, **money, **fees)])

    (flow,), (charged,) = rows(result, "pool_flows"), rows(result, "fees")
    assert (flow["pool"], flow["asset_tokens"], flow["share_tokens"]) == (
        TBILL_BSC,
        usd("1000"),
        usd("900"),
    )
    assert (charged["market"], charged["fee_tokens"]) == (TBILL_BSC, usd("5"))
    oracle = "0x3347d0c6e2bd23b1148fbb7fef5f0fed281612a8"
    answers = {
        ("latestAnswer", oracle): 110_123_456,
        ("decimals", oracle): 8,
        ("totalSupply", TBILL_BSC): 5 * 10**24,
    }
    (price,) = rows(answered("openeden", BSC, "price", answers), "share_prices")
    assert (price["pool"], price["supply_tokens"]) == (TBILL_BSC, usd("5000000"))


@pytest.mark.parametrize(("decimals", "answer"), [(8, 110_123_456), (6, 1_101_234)])
def test_the_price_is_in_the_decimals_of_its_oracle(decimals: int, answer: int) -> None:
    """Nothing is assumed about them."""
    oracle = "0xce9a6626eb99eaea829d7fa613d5d0a2eae45f40"
    answers = {
        ("latestAnswer", oracle): answer,
        ("decimals", oracle): decimals,
        ("totalSupply", TBILL): 5 * 10**12,
    }

    result = answered("openeden", ETHEREUM, "price", answers)

    assert rows(result, "share_prices") == [
        {
            "pool": TBILL,
            "asset_token": "USD",
            "share_price_tokens": usd("1.10123456" if decimals == 8 else "1.101234"),
            "supply_tokens": usd("5000000"),
        }
    ]

"""Clearpool: prime and dynamic pools and the announcement of vaults, built from the ABIs."""

from typing import Any

import polars as pl
import pytest
from goldens import NOON, Built, built_facts, frame, log, reasons, rows, usd

from indexer.chains import ARBITRUM, BASE, ETHEREUM, POLYGON_ZKEVM, Chain
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of, empty

CLEARPOOL = PROTOCOLS["clearpool"]
PRIME_FACTORY = "0x83d5c08ecfe3f711e1ff34618c0dcc5fefbe1791"
FIRST_FACTORY = "0x969d7ddbe3b6f8b51e26d8473aaac1a9f4a6b47b"
DYNAMIC_FACTORY = "0xde204e5a060ba5d3b63c7a4099712959114c2d48"
ZKEVM_FACTORY = "0xce3fec90a05992df1357651fef6d143feec7ca16"
VAULT_FACTORY = "0x199a016ffbe14781365bcaed9cc52598b205dfad"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
BASE_USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
ODD = "0x" + "0d" * 20
POOL, BORROWER = "0x" + "a1" * 20, "0x" + "b1" * 20
LENDER, OTHER = "0x" + "b2" * 20, "0x" + "b3" * 20
DOLLAR = 10**6
BLOCK = 250_000_000


def prime_born(asset: str = USDC) -> Built:
    """Return the announcement of a prime pool."""
    return log(
        "clearpool/PrimeFactory",
        "PoolCreated",
        PRIME_FACTORY,
        pool=POOL,
        borrower=BORROWER,
        isBulletLoan=False,
        asset=asset,
        size=1,
        rateMantissa=2,
        tenor=3,
        depositWindow=4,
        spreadRate=5,
        originationRate=6,
        incrementPerRoll=7,
        penaltyRatePerYear=8,
    )


def dynamic_born(factory: str = DYNAMIC_FACTORY, asset: str = USDC) -> Built:
    """Return the announcement of a dynamic pool."""
    return log(
        "clearpool/DynamicFactory", "PoolCreated", factory, pool=POOL, owner=BORROWER, token=asset
    )


def first_born() -> Built:
    """Return the announcement of a dynamic pool by the factory of the first weeks."""
    return log(
        "clearpool/FirstFactory",
        "PoolCreated",
        FIRST_FACTORY,
        pool=POOL,
        manager=BORROWER,
        currency=USDC,
        forceCreated=True,
    )


def read(*logs: Built, chain: Chain = ETHEREUM) -> Facts:
    """Return the facts of one transaction, its announcements known; shares have six decimals."""
    table = frame(logs, block=BLOCK)
    known = declared([CLEARPOOL], chain)
    born = discovered([CLEARPOOL], chain, table, known)
    asked = [(chain.chain_id, POOL, "cpUSDC", 6, "call"), (chain.chain_id, ODD, "ODD", 18, "call")]
    tokens = pl.DataFrame(asked, columns_of("tokens"), orient="row")
    headers = table.select(number="block_number").unique()
    result = facts(
        [CLEARPOOL],
        chain,
        table,
        headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us"))),
        merged(known, Known(tokens, empty("markets"), born)),
    )
    assert reasons(result) == []
    return result


def prime(name: str, asset: str = USDC, /, **arguments: Any) -> Facts:
    """Return the facts of one log of a prime pool."""
    return read(prime_born(asset), log("clearpool/PrimePool", name, POOL, **arguments))


def dynamic(name: str, **arguments: Any) -> Facts:
    """Return the facts of one log of a dynamic pool."""
    return read(dynamic_born(), log("clearpool/DynamicPool", name, POOL, **arguments))


OWN = {"pool": POOL, "loan": POOL, "account": BORROWER, "asset_token": USDC}


# --- announcements --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "abi"),
    [
        (prime_born(), "clearpool/PrimePool"),
        (first_born(), "clearpool/DynamicPool"),
        (dynamic_born(), "clearpool/DynamicPool"),
    ],
)
def test_a_pool_is_announced_with_its_borrower_and_asset(born: Built, abi: str) -> None:
    """The owner of a dynamic pool is who borrows from it."""
    known = declared([CLEARPOOL], ETHEREUM)
    found = discovered([CLEARPOOL], ETHEREUM, frame([born], block=BLOCK), known)

    assert found.select("abi", "address").rows() == [(abi, POOL)]
    assert read(born).markets.select("market", "borrower", "index_token").rows() == [
        (POOL, BORROWER, USDC)
    ]


def vault_born() -> Built:
    """Return the announcement of a vault on Base."""
    return log(
        "clearpool/VaultFactory",
        "PoolCreated",
        VAULT_FACTORY,
        depositCap=1,
        repaymentFrequency=2,
        minimumNoticePeriod=3,
        minDeposit=4,
        lendAPR=5,
        asset=BASE_USDC,
        borrower=BORROWER,
        pool=POOL,
        bondNft=OTHER,
        kycRequired=True,
    )


def test_a_vault_is_announced_and_no_more() -> None:
    """Its events are not known, so it is a market without children to read."""
    born = vault_born()

    assert read(born, chain=BASE).markets.select("market", "borrower", "index_token").rows() == [
        (POOL, BORROWER, BASE_USDC)
    ]
    known = declared([CLEARPOOL], BASE)
    assert discovered([CLEARPOOL], BASE, frame([born], block=BLOCK), known).is_empty()


def test_four_announcements_of_one_name_are_four_topics() -> None:
    """PoolCreated differs between prime, dynamic pools and vaults."""
    topics = {born.topics[0] for born in (prime_born(), first_born(), dynamic_born(), vault_born())}

    assert len(topics) == 4


def test_a_factory_is_the_one_of_its_chain() -> None:
    """Polygon zkEVM's is not Arbitrum's."""
    here = built_facts("clearpool", POLYGON_ZKEVM, [dynamic_born(ZKEVM_FACTORY)])
    elsewhere = built_facts("clearpool", ARBITRUM, [dynamic_born(ZKEVM_FACTORY)])

    assert (len(here.markets), len(elsewhere.markets)) == (1, 0)


# --- prime ----------------------------------------------------------------------------------------


def test_what_a_lender_lends_is_deposit_and_funding_at_once() -> None:
    """The money goes to the borrower in the same transaction."""
    result = prime("Lent", lender=LENDER, amount=500_000 * DOLLAR)

    assert rows(result, "credit_events") == [
        OWN | {"kind": "funded", "counterparty": LENDER, "principal_tokens": usd("500000")}
    ]
    assert rows(result, "pool_flows") == [
        {
            "kind": "deposit",
            "pool": POOL,
            "account": LENDER,
            "asset_token": USDC,
            "asset_tokens": usd("500000"),
        }
    ]
    assert result.tables["credit_events"]["version"].to_list() == ["prime"]


def fee(kind: str, whole: str, supply: str, treasury: str) -> dict[str, Any]:
    """Return a fee row in USDC at par."""
    return {
        "market": POOL,
        "account": BORROWER,
        "fee_kind": kind,
        "fee_token": USDC,
        "fee_tokens": usd(whole),
        "fee_usd": usd(whole),
        "supply_side_usd": usd(supply),
        "treasury_usd": usd(treasury),
        "holders_usd": usd("0"),
        "split_basis": "event",
    }


FINAL = {
    "lender": LENDER,
    "repayed": 520_000 * DOLLAR,
    "spreadFee": 1_000 * DOLLAR,
    "originationFee": 2_500 * DOLLAR,
    "penalty": 300 * DOLLAR,
}


def test_a_final_repayment_has_principal_and_interest_in_one() -> None:
    """What the lender got includes the penalty; spread is interest that the treasury kept."""
    result = prime("Repayed", **FINAL)

    assert rows(result, "credit_events") == [
        OWN | {"kind": "payment", "counterparty": LENDER, "paid_tokens": usd("521000")}
    ]
    assert [row["asset_tokens"] for row in rows(result, "pool_flows")] == [usd("520000")]


def test_fees_of_a_final_repayment_are_spread_origination_and_penalty() -> None:
    """Fees come on top for the treasury; the penalty is the lender's and inside his money."""
    result = prime("Repayed", **FINAL)

    assert rows(result, "fees") == [
        fee("reserve", "1000", "0", "1000"),
        fee("origination", "2500", "0", "2500"),
        fee("penalty", "300", "300", "0"),
    ]
    assert set(result.tables["fees"]["evidence"]) == {"assumed"}


def test_a_payment_of_interest_alone_is_split() -> None:
    """Of 1,100 to the lender 100 are penalty; with the spread of 50 interest is 1,050 gross."""
    result = prime(
        "RepayedInterest",
        lender=LENDER,
        repayed=1_100 * DOLLAR,
        spreadFee=50 * DOLLAR,
        penalty=100 * DOLLAR,
    )

    assert rows(result, "fees") == [
        fee("interest", "1050", "1000", "50"),
        fee("penalty", "100", "100", "0"),
    ]
    assert rows(result, "credit_events") == [
        OWN
        | {
            "kind": "payment",
            "counterparty": LENDER,
            "principal_tokens": usd("0"),
            "interest_tokens": usd("1150"),
        }
    ]
    assert [row["asset_tokens"] for row in rows(result, "pool_flows")] == [usd("1100")]


def test_fees_that_were_not_taken_have_no_row() -> None:
    """A loan without penalty, spread or origination fee only pays."""
    result = prime("Repayed", **FINAL | {"spreadFee": 0, "originationFee": 0, "penalty": 0})

    assert result.tables["fees"].is_empty()


def test_an_asset_off_the_list_has_no_dollars() -> None:
    """Tokens are what the log says, and so is the evidence."""
    unit = 10**18
    taken = {"spreadFee": 10 * unit, "originationFee": 25 * unit, "penalty": 3 * unit}
    result = prime("Repayed", ODD, lender=LENDER, repayed=5_203 * unit, **taken)

    assert rows(result, "fees") == [
        odd_fee("reserve", "10"),
        odd_fee("origination", "25"),
        odd_fee("penalty", "3"),
    ]
    assert set(result.tables["fees"]["evidence"]) == {"event"}


def odd_fee(kind: str, tokens: str) -> dict[str, Any]:
    """Return a fee row in a token that nobody priced."""
    return {
        "market": POOL,
        "account": BORROWER,
        "fee_kind": kind,
        "fee_token": ODD,
        "fee_tokens": usd(tokens),
        "split_basis": "event",
    }


def test_interest_in_an_asset_off_the_list_has_no_dollars() -> None:
    """Of 11 to the lender 1 is penalty; with the spread of 0.5 interest is 10.5 gross."""
    unit = 10**18

    result = prime(
        "RepayedInterest",
        ODD,
        lender=LENDER,
        repayed=11 * unit,
        spreadFee=unit // 2,
        penalty=unit,
    )

    assert rows(result, "fees") == [odd_fee("interest", "10.5"), odd_fee("penalty", "1")]
    assert set(result.tables["fees"]["evidence"]) == {"event"}


@pytest.mark.parametrize(
    ("name", "arguments", "kind"),
    [
        ("Defaulted", {}, "default"),
        ("RollAccepted", {"rollId": 1, "newMaturity": 2}, "refinanced"),
    ],
)
def test_who_defaults_or_rolls_is_the_pool_that_says_so(
    name: str, arguments: dict[str, int], kind: str
) -> None:
    """Defaulted has no arguments at all; a pool is its own loan."""
    assert rows(prime(name, **arguments), "credit_events") == [OWN | {"kind": kind}]


@pytest.mark.parametrize(
    ("name", "kind"), [("CallbackCreated", "call"), ("CallbackCancelled", "call_removed")]
)
def test_a_callback_is_a_lenders_call(name: str, kind: str) -> None:
    """He asks for his money before maturity, and may take that back."""
    assert rows(prime(name, lender=LENDER), "credit_events") == [
        OWN | {"kind": kind, "counterparty": LENDER}
    ]


# --- dynamic --------------------------------------------------------------------------------------


def test_a_dynamic_pool_lends_to_its_owner() -> None:
    """The receiver may be anybody; who owes is the pool's borrower."""
    result = dynamic("Borrowed", amount=7 * DOLLAR, receiver=OTHER)

    assert rows(result, "credit_events") == [OWN | {"kind": "funded", "principal_tokens": usd("7")}]
    assert result.tables["credit_events"]["version"].to_list() == ["dynamic"]


def test_a_pool_of_the_first_factory_logs_what_later_ones_do() -> None:
    """It was announced in another shape, and lends in the same one."""
    lent = log("clearpool/DynamicPool", "Borrowed", POOL, amount=7 * DOLLAR, receiver=OTHER)

    assert rows(read(first_born(), lent), "credit_events") == [
        OWN | {"kind": "funded", "principal_tokens": usd("7")}
    ]


def test_a_repayment_to_a_dynamic_pool_is_not_split() -> None:
    """Debt includes interest that accrued, so neither part is known."""
    assert rows(dynamic("Repaid", amount=9 * DOLLAR), "credit_events") == [
        OWN | {"kind": "payment", "paid_tokens": usd("9")}
    ]


@pytest.mark.parametrize(
    ("name", "kind", "who"),
    [("Provided", "deposit", "provider"), ("Redeemed", "withdrawal", "redeemer")],
)
def test_lenders_of_a_dynamic_pool_hold_shares(name: str, kind: str, who: str) -> None:
    """Currency first, then shares, in both directions."""
    result = dynamic(name, **{who: LENDER}, currencyAmount=110 * DOLLAR, tokens=100 * DOLLAR)

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": POOL,
            "account": LENDER,
            "asset_token": USDC,
            "asset_tokens": usd("110"),
            "share_tokens": usd("100"),
        }
    ]


def test_reserves_are_the_treasurys_when_they_are_handed_over() -> None:
    """Interest accrues by the second; this is when the protocol takes its part."""
    result = dynamic("ReservesTransferred", treasury=OTHER, amount=12 * DOLLAR)

    expected = fee("reserve", "12", "0", "12")
    del expected["account"]
    assert rows(result, "fees") == [expected]


def test_reserves_off_the_list_have_no_dollars() -> None:
    """What was handed over is known in the pool's asset alone."""
    handed = log(
        "clearpool/DynamicPool", "ReservesTransferred", POOL, treasury=OTHER, amount=10**18
    )

    result = read(dynamic_born(asset=ODD), handed)

    expected = odd_fee("reserve", "1")
    del expected["account"]
    assert rows(result, "fees") == [expected]
    assert set(result.tables["fees"]["evidence"]) == {"event"}


def told(name: str, *answers: int) -> Facts:
    """Return the facts of what a dynamic pool answers."""
    logs = frame([dynamic_born()], block=BLOCK)
    born = discovered([CLEARPOOL], ETHEREUM, logs, declared([CLEARPOOL], ETHEREUM))
    tokens = pl.DataFrame([(1, POOL, "cpUSDC", 6, "call")], columns_of("tokens"), orient="row")
    learned = Known(tokens, read(dynamic_born()).markets, born)
    known = merged(declared([CLEARPOOL], ETHEREUM), learned)
    due = pl.DataFrame([(name, BLOCK, b"\xbb" * 32, NOON)], DUE, orient="row")
    reads = questions(CLEARPOOL, ETHEREUM, known, due).with_columns(
        pl.Series("answer", [answer.to_bytes(32) for answer in answers], pl.Binary),
        state=pl.lit("available"),
        detail=pl.lit(None, pl.String),
    )
    return read_facts([CLEARPOOL], ETHEREUM, reads, known)


PART = {"pool": POOL, "part": POOL, "asset_token": USDC}


@pytest.mark.parametrize(
    ("state", "status"),
    [(0, "active"), (1, "warning"), (2, "provisional_default"), (3, "default"), (4, "closed")],
)
def test_a_dynamic_pools_default_is_a_status(state: int, status: str) -> None:
    """No event says it; it is asked once a day."""
    assert rows(told("status", state), "pool_states") == [PART | {"status": status}]


def test_a_status_nobody_declared_is_a_reject() -> None:
    """A sixth state would be news, not a guess."""
    found = told("status", 5)

    assert found.tables["pool_states"].is_empty()
    assert reasons(found) == [("status", "pool_states", "5 is not in the declared table")]


def test_a_dynamic_pools_size_and_principal_are_its_state() -> None:
    """Principal without interest."""
    assert rows(told("state", 100 * DOLLAR, 80 * DOLLAR), "pool_states") == [
        PART | {"assets_tokens": usd("100"), "principal_tokens": usd("80")}
    ]


def test_a_dynamic_pools_share_price_is_its_exchange_rate() -> None:
    """The rate has 18 decimals, shares those of the asset."""
    assert rows(told("share_price", 1_050_000_000_000_000_000, 3 * DOLLAR), "share_prices") == [
        {
            "pool": POOL,
            "asset_token": USDC,
            "share_price_tokens": usd("1.05"),
            "supply_tokens": usd("3"),
        }
    ]

"""Maple: discovery, loans, defaults, fees and flows, all built from the ABIs (synthetic)."""

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from eth_utils.crypto import keccak
from goldens import NOON, Built, frame, log, reasons, rows, usd

from indexer.chains import BASE, ETHEREUM, Chain
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.facts.routes import abi_entries
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of, empty

MAPLE = PROTOCOLS["maple"]
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
SYRUP_USDC = "0x80ac24aa929eaf5013f6436cda2a7ba190f5cc0b"
OTL_FACTORY = "0x6fad515fc046dd17166453a79725f50b917b7cf6"
FTL_FACTORY = "0x36a7350309b2eb30f3b908ab0154851b5ed81db0"
AUCTIONEER = "0xa2091116649b070d2a27fc5c85c9820302114c63"
DEPLOYER = "0xdaf005b31b10f33ee42ceb1a4b983434fe947488"
FEE_MANAGER = "0xfeaca6a5703e6f9de0ebe0975c93ae34c00523f2"
LOAN, ETHER_LOAN = "0x" + "a1" * 20, "0x" + "a2" * 20
MANAGER, POOL_MANAGER, POOL = "0x" + "b1" * 20, "0x" + "b2" * 20, "0x" + "b3" * 20
AUCTION, STRATEGY = "0x" + "b4" * 20, "0x" + "b5" * 20
BORROWER, LENDER, OTHER = "0x" + "c1" * 20, "0x" + "c2" * 20, "0x" + "c3" * 20
BLOCK = 25_000_000
MILLION = 10**6 * 10**6  # a million USDC


def children(*places: tuple[str, str]) -> pl.DataFrame:
    """Return rows of `contracts` for children that were announced earlier: abi and address."""
    announced = [
        (1, "maple", f"maple/{abi}", address, BLOCK - 10, OTL_FACTORY, "0x00", 0)
        for abi, address in places
    ]
    return pl.DataFrame(announced, columns_of("contracts"), orient="row")


def markets(*places: tuple[str, str, str | None, str | None]) -> pl.DataFrame:
    """Return rows of `markets` that were learned earlier: market, asset, parent, borrower."""
    learned = [
        (1, "maple", market, None, asset, WBTC, None, parent, borrower, "credit", None, "event", 1)
        for market, asset, parent, borrower in places
    ]
    return pl.DataFrame(learned, columns_of("markets"), orient="row")


CHILDREN = children(
    ("OpenTermLoan", LOAN),
    ("FixedTermLoan", LOAN),
    ("OpenTermLoan", ETHER_LOAN),
    ("FixedTermLoan", ETHER_LOAN),
    ("OpenTermLoanManager", MANAGER),
    ("FixedTermLoanManager", MANAGER),
    ("PoolManager", POOL_MANAGER),
    ("Pool", POOL),
    ("Pool", SYRUP_USDC),
    ("Liquidator", AUCTION),
    ("Strategy", STRATEGY),
)
LOANS = markets(
    (LOAN, USDC, MANAGER, BORROWER),
    (ETHER_LOAN, WETH, None, None),
    (MANAGER, USDC, POOL, None),
    (POOL_MANAGER, USDC, POOL, None),
    (AUCTION, USDC, POOL, None),
    (STRATEGY, USDC, POOL, None),
)
SATOSHIS = pl.DataFrame([(1, WBTC, "WBTC", 8, "call")], columns_of("tokens"), orient="row")


def read(
    *logs: Built,
    contracts: pl.DataFrame = CHILDREN,
    loans: pl.DataFrame = LOANS,
    chain: Chain = ETHEREUM,
) -> Facts:
    """Return the facts of one transaction, knowing these children and loans."""
    table = frame(logs, block=BLOCK)
    headers = table.select(number="block_number").unique()
    earlier = Known(SATOSHIS, loans, contracts)
    return facts(
        [MAPLE],
        chain,
        table,
        headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us"))),
        merged(declared([MAPLE], chain), earlier),
    )


def otl(name: str, loan: str = LOAN, **arguments: Any) -> Built:
    """Return a log of an open-term loan."""
    dates = {"paymentDueDate_": 1, "defaultDate_": 2}
    return log("maple/OpenTermLoan", name, loan, **dates | arguments)


def ftl(name: str, loan: str = LOAN, **arguments: Any) -> Built:
    """Return a log of a fixed-term loan."""
    return log("maple/FixedTermLoan", name, loan, **arguments)


# --- discovery ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factory", "abi"),
    [
        (FTL_FACTORY, "maple/FixedTermLoan"),
        ("0xea067db5b32ce036ee5d8607dbb02f544768dbc6", "maple/FixedTermLoan"),
        (OTL_FACTORY, "maple/OpenTermLoan"),
        ("0x1551717ae4fdcb65ed028f7fb7aba39908f6a7a6", "maple/FixedTermLoanManager"),
        ("0x90b14505221a24039a2d11ad5862339db97cc160", "maple/OpenTermLoanManager"),
        ("0xe463cd473ecc1d1a4ecf20b62624d84dd20a8339", "maple/PoolManager"),
        (AUCTIONEER, "maple/Liquidator"),
        ("0x01ab799f77f9a9f4dd0d2b6e7c83dcf3f48d5650", "maple/Strategy"),
        ("0x27327e08de810c687687f95bfce92088089b56db", "maple/Strategy"),
        ("0x876d54dbf61473ca169b89b95344a14e81f37afe", "maple/Strategy"),
    ],
)
def test_a_factory_says_what_its_children_are(factory: str, abi: str) -> None:
    """All factories share one event; which one speaks decides how the child is read."""
    found = discovered([MAPLE], ETHEREUM, frame([deployed(factory, LOAN)], block=BLOCK), nothing())

    assert found.select("abi", "address", "from_block", "parent").rows() == [
        (abi, LOAN, BLOCK, factory)
    ]


def test_a_deployer_announces_its_pool() -> None:
    """PoolDeployed gives the pool's address; whose it is, its manager says itself."""
    deployment = log(
        "maple/PoolDeployer",
        "PoolDeployed",
        DEPLOYER,
        pool_=POOL,
        poolManager_=POOL_MANAGER,
        withdrawalManager_=OTHER,
        strategies_=[MANAGER],
    )

    found = discovered([MAPLE], ETHEREUM, frame([deployment], block=BLOCK), nothing())

    assert found.select("abi", "address").rows() == [("maple/Pool", POOL)]


def born_pool(asset: str = USDC) -> Built:
    """Return what a pool manager says when it is born."""
    return log(
        "maple/PoolManager",
        "Initialized",
        POOL_MANAGER,
        owner_=OTHER,
        asset_=asset,
        pool_=POOL,
    )


def tree(result: Facts) -> list[tuple[str, str, str | None]]:
    """Return what was learned of markets: market, asset, parent."""
    return result.markets.select("market", "index_token", "parent").rows()


def test_a_pool_manager_announces_its_pool_and_both_have_the_asset() -> None:
    """The pool is the root; its manager belongs to it."""
    known = merged(nothing(), Known(empty("tokens"), empty("markets"), CHILDREN))

    found = discovered([MAPLE], ETHEREUM, frame([born_pool()], block=BLOCK), known)
    result = read(born_pool(), loans=empty("markets"))

    assert found.select("abi", "address").rows() == [("maple/Pool", POOL)]
    assert tree(result) == [(POOL, USDC, None), (POOL_MANAGER, USDC, POOL)]


@pytest.mark.parametrize("abi", ["FixedTermLoanManager", "OpenTermLoanManager"])
@pytest.mark.parametrize("parent", [POOL, POOL_MANAGER])
def test_a_loan_manager_belongs_to_the_pool_whichever_it_is_born_of(abi: str, parent: str) -> None:
    """Managers until V200 name the pool, later ones the pool manager, in the same event."""
    born = log(f"maple/{abi}", "Initialized", MANAGER, poolManager_=parent)

    result = read(born_pool(), born, loans=empty("markets"))

    assert tree(result)[2:] == [(MANAGER, USDC, POOL)]


def test_a_strategy_belongs_to_the_pool_that_adds_it() -> None:
    """Its asset is the pool's; a loan manager that is added as a strategy is known already."""
    added = [
        log("maple/PoolManager", "StrategyAdded", POOL_MANAGER, strategy_=one)
        for one in (STRATEGY, MANAGER)
    ]
    born = log("maple/OpenTermLoanManager", "Initialized", MANAGER, poolManager_=POOL_MANAGER)

    result = read(born_pool(USDT), born, *added, loans=empty("markets"))

    assert tree(result)[2:] == [(MANAGER, USDT, POOL), (STRATEGY, USDT, POOL)]


def auctioned(factory: str, *parties: str) -> Built:
    """Return a factory's announcement with the addresses it was given."""
    return log(
        "maple/ProxyFactory",
        "InstanceDeployed",
        factory,
        version=200,
        instance=AUCTION,
        initializationArguments=b"".join(
            bytes.fromhex(one[2:]).rjust(32, b"\0") for one in parties
        ),
    )


def test_an_auction_names_the_manager_the_collateral_and_the_funds() -> None:
    """The factory hands them over as three words of bytes; only auctions are read so."""
    result = read(auctioned(AUCTIONEER, MANAGER, WBTC, USDC))
    other = read(auctioned(OTL_FACTORY, MANAGER, WBTC, USDC))

    assert result.markets.select("market", "parent", "long_token", "index_token").rows() == [
        (AUCTION, POOL, WBTC, USDC)
    ]
    assert other.markets.is_empty()


def test_a_child_is_read_in_the_block_that_announces_it() -> None:
    """A loan's own events of its first transaction become facts, though they precede the news."""
    logs = [opened_otl(), deployed(OTL_FACTORY, LOAN), otl("Funded", amount_=MILLION)]
    born = discovered([MAPLE], ETHEREUM, frame(logs, block=BLOCK), nothing())

    result = read(*logs, contracts=born, loans=empty("markets"))

    assert result.markets.select("market", "index_token", "parent", "borrower").rows() == [
        (LOAN, USDC, MANAGER, BORROWER)
    ]
    assert rows(result, "credit_events") == [
        {
            "kind": "funded",
            "pool": MANAGER,
            "loan": LOAN,
            "account": BORROWER,
            "counterparty": MANAGER,
            "asset_token": USDC,
            "principal_tokens": usd("1000000"),
        }
    ]
    assert reasons(result) == []


def deployed(factory: str, child: str) -> Built:
    """Return a factory's announcement."""
    return log(
        "maple/ProxyFactory",
        "InstanceDeployed",
        factory,
        version=100,
        instance=child,
        initializationArguments=b"\x01" * 70,
    )


def opened_otl(asset: str = USDC) -> Built:
    """Return an open-term loan's Initialized."""
    return otl(
        "Initialized",
        borrower_=BORROWER,
        lender_=MANAGER,
        fundsAsset_=asset,
        principalRequested_=MILLION,
        termDetails_=[1, 2, 3],
        rates_=[1, 2, 3, 4],
    )


def nothing() -> Known:
    """Return what the declaration alone knows of Ethereum."""
    return declared([MAPLE], ETHEREUM)


# --- loans ----------------------------------------------------------------------------------------

TERMS: dict[str, Any] = {
    "borrower_": BORROWER,
    "feeManager_": FEE_MANAGER,
    "assets_": [WETH, USDC],
    "termDetails_": [1, 2, 3],
    "amounts_": [1, 2, 3],
    "rates_": [1, 2, 3, 4],
    "fees_": [1, 2],
}


@pytest.mark.parametrize(
    ("name", "lender"),
    [
        ("Initialized(address,address[2],uint256[3],uint256[3],uint256[4])", None),
        (
            "Initialized(address,address,address[2],uint256[3],uint256[3],uint256[4],uint256[2])",
            None,
        ),
        (
            "Initialized(address,address,address,address[2],uint256[3],uint256[3],"
            "uint256[4],uint256[2])",
            MANAGER,
        ),
    ],
)
def test_a_fixed_term_loan_lends_the_second_of_its_assets(name: str, lender: str | None) -> None:
    """`assets_` is collateral, then funds; the lender is named since v5."""
    result = read(ftl(name, **TERMS, lender_=MANAGER), loans=empty("markets"))

    assert result.markets.select(
        *("market", "index_token", "long_token", "parent", "borrower", "asset_class")
    ).rows() == [(LOAN, USDC, WETH, lender, BORROWER, "credit")]


OWN = {"loan": LOAN, "account": BORROWER, "asset_token": USDC}


def test_a_fixed_term_loan_is_funded_by_its_lender() -> None:
    """Funded names the manager that lends."""
    funded = ftl("Funded", lender_=MANAGER, amount_=MILLION, nextPaymentDueDate_=1)

    assert rows(read(funded), "credit_events") == [
        OWN
        | {
            "kind": "funded",
            "pool": POOL,
            "counterparty": MANAGER,
            "principal_tokens": usd("1000000"),
        }
    ]


@pytest.mark.parametrize("name", ["PaymentMade", "LoanClosed"])
@pytest.mark.parametrize(
    ("types", "extra", "version"),
    [
        ("uint256,uint256", {}, "1"),
        ("uint256,uint256,uint256,uint256", {"delegateFeePaid_": 1, "treasuryFeePaid_": 1}, "1"),
        ("uint256,uint256,uint256", {"fees_": 9, "feesPaid_": 9}, "2"),
    ],
)
def test_a_fixed_term_payment_is_principal_and_interest_in_every_generation(
    name: str, types: str, extra: dict[str, Any], version: str
) -> None:
    """Two, four or three arguments: the first two are always principal and interest."""
    paid = ftl(f"{name}({types})", principalPaid_=100_000_000, interestPaid_=7_500_000, **extra)

    result = read(paid)

    assert rows(result, "credit_events") == [
        OWN
        | {
            "kind": "payment",
            "pool": POOL,
            "principal_tokens": usd("100"),
            "interest_tokens": usd("7.5"),
        }
    ]
    assert result.tables["credit_events"]["version"].to_list() == [version]


def test_an_open_term_payment_adds_late_interest() -> None:
    """Interest is what was due plus what was late; the lender is in the event."""
    paid = otl(
        "PaymentMade",
        lender_=OTHER,
        principalPaid_=0,
        interestPaid_=7_000_000,
        lateInterestPaid_=500_000,
        delegateServiceFee_=10**6,
        platformServiceFee_=10**6,
    )

    assert rows(read(paid), "credit_events") == [
        OWN
        | {
            "kind": "payment",
            "pool": OTHER,
            "principal_tokens": usd("0"),
            "interest_tokens": usd("7.5"),
        }
    ]


@pytest.mark.parametrize(
    "signature",
    [
        "Initialized(address,address,address,uint256,uint32[3],uint64[4])",
        "PaymentMade(address,uint256,uint256,uint256,uint256,uint256,uint40,uint40)",
        "PrincipalCalled(uint256,uint40,uint40)",
    ],
)
def test_open_term_loans_log_what_their_release_does(signature: str) -> None:
    """Drafts of the loan had other arguments, and so other topics, which no chain has."""
    assert keccak(text=signature).hex() in {
        entry.topic0.hex() for entry in abi_entries("maple/OpenTermLoan").values()
    }


def test_a_called_loan_names_the_principal_to_return() -> None:
    """A call is no default: it is its own kind."""
    assert rows(read(otl("PrincipalCalled", principalToReturn_=MILLION)), "credit_events") == [
        OWN | {"kind": "call", "pool": POOL, "principal_tokens": usd("1000000")}
    ]


TERMS_ACCEPTED: dict[str, Any] = {
    "refinanceCommitment_": b"\1" * 32,
    "refinancer_": OTHER,
    "deadline_": 1,
    "calls_": [b"\2"],
}


@pytest.mark.parametrize(
    ("abi", "plain", "kind"),
    [
        ("FixedTermLoan", ftl("LoanImpaired", nextPaymentDueDate_=1), "impairment"),
        ("OpenTermLoan", otl("Impaired"), "impairment"),
        ("FixedTermLoan", ftl("ImpairmentRemoved", nextPaymentDueDate_=1), "impairment_removed"),
        ("OpenTermLoan", otl("ImpairmentRemoved"), "impairment_removed"),
        ("OpenTermLoan", otl("CallRemoved"), "call_removed"),
        (
            "FixedTermLoan",
            ftl("NewTermsAccepted(bytes32,address,bytes[])", **TERMS_ACCEPTED),
            "refinanced",
        ),
        (
            "FixedTermLoan",
            ftl("NewTermsAccepted(bytes32,address,uint256,bytes[])", **TERMS_ACCEPTED),
            "refinanced",
        ),
        ("OpenTermLoan", otl("NewTermsAccepted", **TERMS_ACCEPTED), "refinanced"),
    ],
)
def test_what_becomes_of_a_loan_is_an_event_of_the_loan(abi: str, plain: Built, kind: str) -> None:
    """Impairments, calls taken back and new terms come without amounts."""
    alone = children((abi, LOAN))

    assert rows(read(plain, contracts=alone), "credit_events") == [
        OWN | {"kind": kind, "pool": POOL}
    ]


def test_seized_collateral_is_in_its_own_token() -> None:
    """A fixed-term loan hands over collateral and funds; the default follows elsewhere."""
    seized = ftl(
        "Repossessed",
        collateralRepossessed_=25 * 10**8,
        fundsRepossessed_=MILLION,
        destination_=OTHER,
    )

    assert rows(read(seized), "credit_events") == [
        OWN
        | {
            "kind": "repossession",
            "pool": POOL,
            "counterparty": OTHER,
            "principal_tokens": usd("1000000"),
            "collateral_token": WBTC,
            "collateral_tokens": usd("25"),
        }
    ]


def test_an_open_term_loan_has_no_collateral_to_seize() -> None:
    """Collateral is held off chain: what is seized is funds, often none."""
    seized = otl("Repossessed", fundsRepossessed_=0, destination_=OTHER)

    assert rows(read(seized), "credit_events") == [
        OWN
        | {
            "kind": "repossession",
            "pool": POOL,
            "counterparty": OTHER,
            "principal_tokens": usd("0"),
        }
    ]


def test_a_loan_without_a_known_lender_is_its_own_pool() -> None:
    """Before v5 the lender is not announced; the loan stands in, and amounts use its asset."""
    paid = ftl(
        "PaymentMade(uint256,uint256,uint256)",
        ETHER_LOAN,
        principalPaid_=10**18,
        interestPaid_=5 * 10**16,
        fees_=0,
    )

    (row,) = rows(read(paid), "credit_events")

    assert (row["pool"], row["asset_token"]) == (ETHER_LOAN, WETH)
    assert (row["principal_tokens"], row["interest_tokens"]) == (usd("1"), usd("0.05"))


def test_an_amount_of_an_unknown_loan_is_rejected() -> None:
    """Without the loan's Initialized the asset is not known, so no amount is."""
    result = read(otl("Funded", amount_=MILLION), loans=empty("markets"))

    assert result.tables["credit_events"].is_empty()
    assert reasons(result) == [
        ("Funded", "credit_events", f"the index token of {LOAN} is not known")
    ]


# --- defaults and recoveries ------------------------------------------------------------------


def finished(losses: int = 50 * MILLION, loan: str = LOAN) -> Built:
    """Return the end of a default with losses before cover."""
    return log(
        "maple/PoolManager",
        "CollateralLiquidationFinished",
        POOL_MANAGER,
        loan_=loan,
        unrealizedLosses_=losses,
    )


def covered(to_pool: int, to_treasury: int = 1) -> Built:
    """Return what the delegate's cover paid, logged just before the end of the default."""
    return log(
        "maple/PoolManager",
        "CoverLiquidated",
        POOL_MANAGER,
        toTreasury_=to_treasury,
        toPool_=to_pool,
    )


def test_a_default_without_cover_loses_everything_unrealised() -> None:
    """V100 managers log no cover: the loss is the event's."""
    assert rows(read(finished()), "credit_events") == [
        OWN | {"kind": "default", "pool": POOL, "loss_tokens": usd("50000000")}
    ]


def test_cover_is_a_recovery_and_lowers_the_loss() -> None:
    """Finished carries the loss before cover; what cover paid to the pool is taken off."""
    result = read(covered(2 * MILLION), finished())

    assert sorted(rows(result, "credit_events"), key=lambda row: str(row["kind"])) == [
        OWN | {"kind": "default", "pool": POOL, "loss_tokens": usd("48000000")},
        OWN | {"kind": "recovery", "pool": POOL, "principal_tokens": usd("2000000")},
    ]
    assert reasons(result) == []


def test_cover_that_paid_nothing_is_no_recovery() -> None:
    """The event comes with every default, even when nothing was covered."""
    result = read(covered(0), finished())

    assert [row["kind"] for row in rows(result, "credit_events")] == ["default"]


def test_an_auction_of_collateral_is_a_liquidation() -> None:
    """Triggered starts an auction; the default follows when it ends."""
    triggered = log("maple/PoolManager", "CollateralLiquidationTriggered", POOL_MANAGER, loan_=LOAN)

    assert rows(read(triggered), "credit_events") == [OWN | {"kind": "liquidation", "pool": POOL}]


def test_a_v100_manager_removes_an_impairment() -> None:
    """Loans of V100 managers log no removal of their own."""
    removed = log("maple/PoolManager", "LoanImpairmentRemoved", POOL_MANAGER, loan_=LOAN)

    assert rows(read(removed), "credit_events") == [
        OWN | {"kind": "impairment_removed", "pool": POOL}
    ]


def test_seized_funds_of_an_open_term_loan_are_a_recovery() -> None:
    """Only what reaches the pool is recovered; the rest is the borrower's and the treasury's."""
    distributed = log(
        "maple/OpenTermLoanManager",
        "LiquidatedFundsDistributed",
        MANAGER,
        loan_=LOAN,
        toBorrower_=1,
        toPool_=3 * MILLION,
        toTreasury_=2,
    )

    assert rows(read(distributed), "credit_events") == [
        OWN | {"kind": "recovery", "pool": POOL, "principal_tokens": usd("3000000")}
    ]


def test_a_default_of_which_nothing_was_left_is_no_recovery() -> None:
    """The manager logs what it hands out of every default, also where the loan held nothing."""
    distributed = log(
        "maple/OpenTermLoanManager",
        "LiquidatedFundsDistributed",
        MANAGER,
        loan_=LOAN,
        toBorrower_=0,
        toPool_=0,
        toTreasury_=2,
    )

    result = read(distributed, covered(0), finished())

    assert [row["kind"] for row in rows(result, "credit_events")] == ["default"]


def test_a_sale_at_auction_has_both_sides_in_their_own_tokens() -> None:
    """What was sold and what came back; which loan it was, the auction does not say."""
    sold = log(
        "maple/Liquidator",
        "PortionLiquidated",
        AUCTION,
        swapAmount_=5 * 10**7,
        returnedAmount_=30_000 * 10**6,
    )

    assert rows(read(sold), "credit_events") == [
        {
            "kind": "collateral_sale",
            "pool": POOL,
            "asset_token": USDC,
            "principal_tokens": usd("30000"),
            "collateral_token": WBTC,
            "collateral_tokens": usd("0.5"),
        }
    ]


def test_what_pool_manager_v100_repeats_is_not_counted() -> None:
    """Its LoanImpaired and LoanFunded were logged by the loans too."""
    topics = {
        "LoanImpaired(address,uint256)": [1],
        "LoanFunded(address,address,uint256)": [2, 3],
    }
    twice = [
        Built(
            POOL_MANAGER,
            (keccak(text=name), bytes.fromhex(LOAN[2:]).rjust(32, b"\0")),
            b"".join(one.to_bytes(32) for one in words),
        )
        for name, words in topics.items()
    ]

    assert read(*twice).tables["credit_events"].is_empty()


def test_a_default_leaves_bad_debt_and_draws_on_cover() -> None:
    """The loss after cover, and what cover paid: together the loss before it."""
    result = read(covered(2 * MILLION), finished())

    assert sorted(rows(result, "shortfalls"), key=lambda row: str(row["kind"])) == [
        {
            "kind": "bad_debt",
            "market": LOAN,
            "account": BORROWER,
            "asset_token": USDC,
            "shortfall_tokens": usd("48000000"),
            "shortfall_usd": usd("48000000"),
        },
        {
            "kind": "insurance_out",
            "market": LOAN,
            "asset_token": USDC,
            "shortfall_tokens": usd("2000000"),
            "shortfall_usd": usd("2000000"),
        },
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == {"assumed"}


def test_a_default_that_cover_pays_in_full_leaves_no_bad_debt() -> None:
    """The default stands with a loss of zero."""
    result = read(covered(50 * MILLION), finished())

    assert [row["kind"] for row in rows(result, "shortfalls")] == ["insurance_out"]
    assert [
        row["loss_tokens"] for row in rows(result, "credit_events") if row["kind"] == "default"
    ] == [usd("0")]


def test_a_loss_in_ether_has_no_dollars() -> None:
    """Tokens are what the log says; dollars nobody gave."""
    result = read(covered(10**18, 5), finished(4 * 10**18, ETHER_LOAN))

    assert sorted(rows(result, "shortfalls"), key=lambda row: str(row["kind"])) == [
        {
            "kind": kind,
            "market": ETHER_LOAN,
            "asset_token": WETH,
            "shortfall_tokens": usd(tokens),
        }
        for kind, tokens in (("bad_debt", "3"), ("insurance_out", "1"))
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == {"event"}


def test_cover_that_a_delegate_gives_is_insurance_of_the_pool() -> None:
    """It is in the pool's asset."""
    given = log("maple/PoolManager", "CoverDeposited", POOL_MANAGER, amount_=MILLION)

    assert rows(read(given), "shortfalls") == [
        {
            "kind": "insurance_in",
            "market": POOL,
            "asset_token": USDC,
            "shortfall_tokens": usd("1000000"),
            "shortfall_usd": usd("1000000"),
        }
    ]


def test_cover_in_ether_has_no_dollars() -> None:
    """A pool of ether is covered in ether."""
    given = log("maple/PoolManager", "CoverDeposited", POOL_MANAGER, amount_=2 * 10**18)

    result = read(given, loans=markets((POOL_MANAGER, WETH, POOL, None)))

    assert rows(result, "shortfalls") == [
        {
            "kind": "insurance_in",
            "market": POOL,
            "asset_token": WETH,
            "shortfall_tokens": usd("2"),
        }
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == {"event"}


# --- states ---------------------------------------------------------------------------------------

PART = {"pool": POOL, "part": MANAGER, "asset_token": USDC}


@pytest.mark.parametrize("abi", ["FixedTermLoanManager", "OpenTermLoanManager"])
def test_a_manager_logs_what_is_lent_and_what_may_be_lost(abi: str) -> None:
    """Both are absolute; the topic of the losses differs between the kinds of managers."""
    lent = log(f"maple/{abi}", "PrincipalOutUpdated", MANAGER, principalOut_=7 * MILLION)
    lost = log(f"maple/{abi}", "UnrealizedLossesUpdated", MANAGER, unrealizedLosses_=0)

    result = read(lent, lost, contracts=children((abi, MANAGER)))

    assert rows(result, "pool_states") == [
        PART | {"principal_tokens": usd("7000000")},
        PART | {"unrealized_loss_tokens": usd("0")},
    ]
    assert reasons(result) == []


def test_the_losses_of_the_two_kinds_of_managers_are_two_events() -> None:
    """uint256 there, uint128 here: one ABI for both would lose one of them."""
    topics = {
        log(f"maple/{abi}", "UnrealizedLossesUpdated", MANAGER, unrealizedLosses_=0).topics[0]
        for abi in ("FixedTermLoanManager", "OpenTermLoanManager")
    }

    assert len(topics) == 2


# --- fees -----------------------------------------------------------------------------------------


def claimed(loan: str = LOAN, unit: int = 10**6) -> Built:
    """Return a claim of 100 gross interest with 8 and 4 of management and 3 and 2 of service."""
    return log(
        "maple/OpenTermLoanManager",
        "ClaimedFundsDistributed",
        MANAGER,
        loan_=loan,
        principal_=0,
        netInterest_=100 * unit,
        delegateManagementFee_=8 * unit,
        delegateServiceFee_=3 * unit,
        platformManagementFee_=4 * unit,
        platformServiceFee_=2 * unit,
    )


def split(kind: str, whole: str, supply: str, treasury: str, market: str = LOAN) -> dict[str, Any]:
    """Return a fee row in USDC at par."""
    return {
        "market": market,
        "fee_kind": kind,
        "fee_token": USDC,
        "fee_tokens": usd(whole),
        "fee_usd": usd(whole),
        "supply_side_usd": usd(supply),
        "treasury_usd": usd(treasury),
        "holders_usd": usd("0"),
        "split_basis": "event",
    }


def test_an_open_term_claim_is_gross_interest_and_service_fees() -> None:
    """The third value is gross: management fees are inside it and never added again."""
    result = read(claimed())

    assert rows(result, "fees") == [
        split("interest", "100", "96", "4"),
        split("service", "5", "3", "2"),
    ]
    assert set(result.tables["fees"]["evidence"]) == {"assumed"}
    assert reasons(result) == []


def test_a_fee_in_ether_has_no_dollars() -> None:
    """Only USDC and USDT are taken at par; other assets keep their tokens and the log's word."""
    result = read(claimed(ETHER_LOAN, 10**18))

    interest = rows(result, "fees")[0]
    assert (interest["fee_token"], interest["fee_tokens"]) == (WETH, usd("100"))
    assert not {"fee_usd", "supply_side_usd", "treasury_usd"} & set(interest)
    assert set(result.tables["fees"]["evidence"]) == {"event"}


def test_fixed_term_interest_is_net_and_management_fees_complete_it() -> None:
    """The manager's two events of one payment add up to gross interest, counted once."""
    manager = "maple/FixedTermLoanManager"
    net = log(
        manager, "FundsDistributed", MANAGER, loan_=LOAN, principal_=0, netInterest_=88 * 10**6
    )
    managed = log(
        manager,
        "ManagementFeesPaid",
        MANAGER,
        loan_=LOAN,
        delegateManagementFee_=8 * 10**6,
        platformManagementFee_=4 * 10**6,
    )

    result = read(net, managed)

    assert rows(result, "fees") == [
        split("interest", "88", "88", "0"),
        split("management", "12", "8", "4"),
    ]
    assert sum(row["fee_usd"] for row in rows(result, "fees")) == Decimal(100)


def test_a_default_pays_platform_fees_of_what_it_recovers_and_of_cover() -> None:
    """Both are the treasury's whole; nothing is a fee where the treasury gets nothing."""
    recovered, nothing = (
        log(
            "maple/OpenTermLoanManager",
            "LiquidatedFundsDistributed",
            MANAGER,
            loan_=LOAN,
            toBorrower_=1,
            toPool_=3 * MILLION,
            toTreasury_=treasury,
        )
        for treasury in (4 * 10**6, 0)
    )
    result = read(recovered, covered(2 * MILLION, 5 * 10**6), finished())

    assert rows(result, "fees") == [
        split("service", "4", "0", "4"),
        split("service", "5", "0", "5"),
    ]
    assert set(result.tables["fees"]["evidence"]) == {"assumed"}
    assert read(nothing, covered(MILLION, 0), finished()).tables["fees"].is_empty()


def test_origination_and_service_fees_come_from_the_fee_manager() -> None:
    """The loan is in the data there; partial refinance fees belong to their receivers."""
    originated = log(
        "maple/LoanFeeManager",
        "OriginationFeesPaid",
        FEE_MANAGER,
        loan_=LOAN,
        delegateOriginationFee_=10 * 10**6,
        platformOriginationFee_=5 * 10**6,
    )
    served = log(
        "maple/LoanFeeManager",
        "ServiceFeesPaid",
        FEE_MANAGER,
        loan_=LOAN,
        delegateServiceFee_=3 * 10**6,
        partialRefinanceDelegateServiceFee_=1 * 10**6,
        platformServiceFee_=2 * 10**6,
        partialRefinancePlatformServiceFee_=4 * 10**6,
    )

    assert rows(read(originated, served), "fees") == [
        split("origination", "15", "10", "5"),
        split("service", "10", "4", "6"),
    ]


@pytest.mark.parametrize(
    ("abi", "name", "fees"),
    [
        (
            "maple/OpenTermLoanManager",
            "ClaimedFundsDistributed",
            ("delegateManagementFee_", "delegateServiceFee_", "platformManagementFee_"),
        ),
        ("maple/FixedTermLoanManager", "FundsDistributed", ()),
        (
            "maple/FixedTermLoanManager",
            "ManagementFeesPaid",
            ("delegateManagementFee_", "platformManagementFee_"),
        ),
        (
            "maple/LoanFeeManager",
            "OriginationFeesPaid",
            ("delegateOriginationFee_", "platformOriginationFee_"),
        ),
        (
            "maple/LoanFeeManager",
            "ServiceFeesPaid",
            (
                "delegateServiceFee_",
                "partialRefinanceDelegateServiceFee_",
                "platformServiceFee_",
                "partialRefinancePlatformServiceFee_",
            ),
        ),
    ],
)
def test_a_payment_without_a_fee_charges_none(abi: str, name: str, fees: tuple[str, ...]) -> None:
    """Managers log their shares with each payment; of nothing there is no row."""
    others = {
        "ClaimedFundsDistributed": {"principal_": 1, "netInterest_": 0, "platformServiceFee_": 0},
        "FundsDistributed": {"principal_": 1, "netInterest_": 0},
    }
    emitter = FEE_MANAGER if abi == "maple/LoanFeeManager" else MANAGER
    arguments = dict.fromkeys(fees, 0) | others.get(name, {})

    result = read(log(abi, name, emitter, loan_=LOAN, **arguments))

    assert result.tables["fees"].is_empty()
    assert reasons(result) == []


def test_a_payment_of_a_first_loan_without_interest_charges_none() -> None:
    """Its principal is a payment all the same."""
    paid = ftl(
        "PaymentMade(uint256,uint256,uint256,uint256)",
        principalPaid_=1,
        interestPaid_=0,
        delegateFeePaid_=0,
        treasuryFeePaid_=0,
    )
    result = read(paid)

    assert result.tables["fees"].is_empty()
    assert [row["kind"] for row in rows(result, "credit_events")] == ["payment"]


def test_the_repeated_service_fee_of_a_payment_is_not_counted() -> None:
    """From v4 on PaymentMade repeats what the fee manager logged: no fee row comes from it."""
    paid = ftl(
        "PaymentMade(uint256,uint256,uint256)", principalPaid_=1, interestPaid_=1, fees_=10**6
    )

    assert read(paid).tables["fees"].is_empty()


@pytest.mark.parametrize("name", ["PaymentMade", "LoanClosed"])
def test_loans_before_v4_carry_their_fees_themselves(name: str) -> None:
    """v3 logs both service fees nowhere else; interest then is gross and its split not known."""
    types = "uint256,uint256,uint256,uint256"
    paid = ftl(
        f"{name}({types})",
        principalPaid_=0,
        interestPaid_=100 * 10**6,
        delegateFeePaid_=3 * 10**6,
        treasuryFeePaid_=2 * 10**6,
    )

    result = read(paid)

    assert rows(result, "fees") == [
        {
            "market": LOAN,
            "fee_kind": "interest",
            "fee_token": USDC,
            "fee_tokens": usd("100"),
            "fee_usd": usd("100"),
            "split_basis": "none",
        },
        split("service", "5", "3", "2"),
    ]
    assert set(result.tables["fees"]["version"]) == {"1"}


@pytest.mark.parametrize("name", ["PaymentMade(uint256,uint256)", "LoanClosed(uint256,uint256)"])
def test_loans_of_the_first_generation_carry_interest_only(name: str) -> None:
    """v2 logs principal and interest."""
    paid = ftl(name, ETHER_LOAN, principalPaid_=0, interestPaid_=10**18)

    assert rows(read(paid), "fees") == [
        {
            "market": ETHER_LOAN,
            "fee_kind": "interest",
            "fee_token": WETH,
            "fee_tokens": usd("1"),
            "split_basis": "none",
        }
    ]


def test_a_strategys_fee_is_the_treasurys() -> None:
    """Strategy fees are platform income, in the asset of the pool that added it."""
    result = read(log("maple/Strategy", "StrategyFeesCollected", STRATEGY, fees=25 * 10**5))

    assert rows(result, "fees") == [split("management", "2.5", "0", "2.5", market=STRATEGY)]


ETHER = 10**18


def ether_fee(kind: str, tokens: str, basis: str = "event") -> dict[str, Any]:
    """Return a fee row of the loan in ether: tokens and no dollars, its holders' share apart."""
    row = {
        "market": ETHER_LOAN,
        "fee_kind": kind,
        "fee_token": WETH,
        "fee_tokens": usd(tokens),
        "split_basis": basis,
    }
    return row | ({"holders_usd": usd("0")} if basis == "event" else {})


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        (
            [
                log(
                    "maple/FixedTermLoanManager",
                    "FundsDistributed",
                    MANAGER,
                    loan_=ETHER_LOAN,
                    principal_=0,
                    netInterest_=88 * ETHER,
                ),
                log(
                    "maple/FixedTermLoanManager",
                    "ManagementFeesPaid",
                    MANAGER,
                    loan_=ETHER_LOAN,
                    delegateManagementFee_=8 * ETHER,
                    platformManagementFee_=4 * ETHER,
                ),
            ],
            [ether_fee("interest", "88"), ether_fee("management", "12")],
        ),
        (
            [
                log(
                    "maple/LoanFeeManager",
                    "OriginationFeesPaid",
                    FEE_MANAGER,
                    loan_=ETHER_LOAN,
                    delegateOriginationFee_=10 * ETHER,
                    platformOriginationFee_=5 * ETHER,
                ),
                log(
                    "maple/LoanFeeManager",
                    "ServiceFeesPaid",
                    FEE_MANAGER,
                    loan_=ETHER_LOAN,
                    delegateServiceFee_=3 * ETHER,
                    partialRefinanceDelegateServiceFee_=1 * ETHER,
                    platformServiceFee_=2 * ETHER,
                    partialRefinancePlatformServiceFee_=4 * ETHER,
                ),
            ],
            [ether_fee("origination", "15"), ether_fee("service", "10")],
        ),
        (
            [
                log(
                    "maple/OpenTermLoanManager",
                    "LiquidatedFundsDistributed",
                    MANAGER,
                    loan_=ETHER_LOAN,
                    toBorrower_=1,
                    toPool_=30 * ETHER,
                    toTreasury_=4 * ETHER,
                ),
                covered(2 * ETHER, 5 * ETHER),
                finished(50 * ETHER, ETHER_LOAN),
            ],
            [ether_fee("service", "4"), ether_fee("service", "5")],
        ),
    ],
    ids=["fixed term", "fee manager", "default"],
)
def test_fees_of_a_loan_in_ether_have_no_dollars(
    logs: list[Built], expected: list[dict[str, Any]]
) -> None:
    """Whoever logs them: tokens are what the log says, and so is the evidence."""
    result = read(*logs)

    assert rows(result, "fees") == expected
    assert set(result.tables["fees"]["evidence"]) == {"event"}
    assert reasons(result) == []


@pytest.mark.parametrize("name", ["PaymentMade", "LoanClosed"])
def test_fees_that_an_old_loan_in_ether_carries_have_no_dollars(name: str) -> None:
    """Interest and both service fees of v3, as above, in ether."""
    paid = ftl(
        f"{name}(uint256,uint256,uint256,uint256)",
        ETHER_LOAN,
        principalPaid_=0,
        interestPaid_=9 * ETHER,
        delegateFeePaid_=3 * ETHER,
        treasuryFeePaid_=2 * ETHER,
    )

    result = read(paid)

    assert rows(result, "fees") == [
        ether_fee("interest", "9", "none"),
        ether_fee("service", "5"),
    ]
    assert set(result.tables["fees"]["evidence"]) == {"event"}


def test_a_strategys_fee_in_ether_has_no_dollars() -> None:
    """Where the pool's asset is not at par, the fee has tokens only."""
    known = markets((STRATEGY, WETH, POOL, None))

    result = read(
        log("maple/Strategy", "StrategyFeesCollected", STRATEGY, fees=10**17), loans=known
    )

    assert rows(result, "fees") == [
        {
            "market": STRATEGY,
            "fee_kind": "management",
            "fee_token": WETH,
            "fee_tokens": usd("0.1"),
            "split_basis": "event",
        }
    ]
    assert set(result.tables["fees"]["evidence"]) == {"event"}


# --- flows ----------------------------------------------------------------------------------------


def flow(name: str, pool: str) -> Built:
    """Return 1,000 assets against 950 shares, six decimals each."""
    owner = LENDER if name == "Deposit" else OTHER
    people = {"caller_": OTHER, "receiver_": LENDER, "owner_": owner}
    return log("maple/Pool", name, pool, **people, assets_=10**9, shares_=95 * 10**7)


@pytest.mark.parametrize(("name", "kind"), [("Deposit", "deposit"), ("Withdraw", "withdrawal")])
def test_a_flow_belongs_to_whom_shares_or_money_go(name: str, kind: str) -> None:
    """The router deposits, the queue redeems shares it holds. Shares count like the asset."""
    result = read(flow(name, SYRUP_USDC))

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": SYRUP_USDC,
            "account": LENDER,
            "asset_token": USDC,
            "asset_tokens": usd("1000"),
            "share_tokens": usd("950"),
        }
    ]
    assert reasons(result) == []


def test_shares_that_a_first_deposit_leaves_to_nobody_are_counted() -> None:
    """They are a tenth of a share here; what they cost is in the depositor's own row."""
    bootstrap = log(
        "maple/Pool",
        "BootstrapMintPerformed",
        SYRUP_USDC,
        caller_=OTHER,
        receiver_=LENDER,
        assets_=10**9,
        shares_=10**9,
        bootStrapMintAmount_=10**5,
    )

    result = read(bootstrap, flow("Deposit", SYRUP_USDC))

    _, nobodys = rows(result, "pool_flows")
    assert nobodys == {
        "kind": "deposit",
        "pool": SYRUP_USDC,
        "account": "0x" + "00" * 20,
        "asset_token": USDC,
        "asset_tokens": usd("0"),
        "share_tokens": usd("0.1"),
    }
    assert reasons(result) == []


def test_a_request_to_withdraw_queues_and_moves_nothing() -> None:
    """Requests are in shares; what was escrowed is not asked for twice."""
    asked = log(
        "maple/Pool",
        "RedemptionRequested",
        SYRUP_USDC,
        owner_=LENDER,
        shares_=10**9,
        escrowedShares_=10**9,
    )
    removed = log("maple/Pool", "SharesRemoved", SYRUP_USDC, owner_=LENDER, shares_=4 * 10**8)

    assert rows(read(asked, removed), "pool_flows") == [
        {
            "kind": kind,
            "pool": SYRUP_USDC,
            "account": LENDER,
            "asset_token": USDC,
            "share_tokens": usd(shares),
        }
        for kind, shares in (
            ("withdrawal_request", "1000"),
            ("withdrawal_request_removed", "400"),
        )
    ]


def test_a_pool_whose_decimals_nobody_told_asks_for_them() -> None:
    """A pool that is not declared needs its share token's decimals first."""
    result = read(flow("Deposit", POOL))

    assert result.tables["pool_flows"].is_empty()
    assert result.unknown_tokens == (POOL,)


def test_the_factories_on_base_are_other_ones() -> None:
    """A factory of Ethereum announces nothing on Base, Base's own does."""
    at_base = deployed("0x8b487386e432f0f82ca611f59dbe973761fbb1ad", LOAN)
    elsewhere = deployed(OTL_FACTORY, ETHER_LOAN)
    known = declared([MAPLE], BASE)

    found = discovered([MAPLE], BASE, frame([at_base, elsewhere], block=BLOCK), known)

    assert found.select("abi", "address").rows() == [("maple/OpenTermLoan", LOAN)]


def told(read_name: str, *answers: tuple[str | int, ...]) -> Facts:
    """Return the facts of one read's answers, contract by contract in order of address."""
    known = merged(declared([MAPLE], ETHEREUM), Known(SATOSHIS, LOANS, CHILDREN))
    due = pl.DataFrame([(read_name, BLOCK, b"\xbb" * 32, NOON)], DUE, orient="row")
    asked = questions(MAPLE, ETHEREUM, known, due)
    words = [word(one) for answer in answers for one in answer]
    reads = asked.with_columns(
        pl.Series("answer", words, pl.Binary),
        state=pl.lit("available"),
        detail=pl.lit(None, pl.String),
    )
    return read_facts([MAPLE], ETHEREUM, reads, known)


def word(value: str | int) -> bytes:
    """Return an address or a number as a 32-byte word."""
    return int(value, 16).to_bytes(32) if isinstance(value, str) else value.to_bytes(32)


def test_a_share_price_is_what_the_pool_converts_at() -> None:
    """Assets for 10**18 of the smallest shares give 18 places, whatever the pool's decimals."""
    worth, supply = 1_137_400_123_456_789_012, 1_700 * MILLION
    found = told("share_price", (worth, supply, USDC), (10**18, 5, WETH))

    assert rows(found, "share_prices") == [
        {
            "pool": SYRUP_USDC,
            "asset_token": USDC,
            "share_price_tokens": Decimal("1.137400123456789012"),
            "supply_tokens": usd("1700000000"),
        }
    ]


def test_a_pool_whose_decimals_are_unknown_asks_for_them() -> None:
    """Its price is kept back with the reason until the token has been asked."""
    found = told("share_price", (10**18, 1, USDC), (10**18, 5, WETH))

    assert found.unknown_tokens == (POOL,)
    assert reasons(found) == [
        ("share_price", "share_prices", f"decimals of token {POOL} are not known")
    ]


def test_a_pools_assets_are_gross_and_its_unrealised_losses_stand_beside_them() -> None:
    """Who leaves gets a share of the difference."""
    found = told("pool_state", (1_933 * MILLION, 12 * MILLION, USDC), (5 * 10**17, 0, WETH))

    assert rows(found, "pool_states") == [
        {
            "pool": SYRUP_USDC,
            "part": SYRUP_USDC,
            "asset_token": USDC,
            "assets_tokens": usd("1933000000"),
            "unrealized_loss_tokens": usd("12000000"),
        },
        {
            "pool": POOL,
            "part": POOL,
            "asset_token": WETH,
            "assets_tokens": usd("0.5"),
            "unrealized_loss_tokens": usd("0"),
        },
    ]


@pytest.mark.parametrize("managed", [3 * MILLION, 0])
def test_a_strategy_tells_what_it_manages_for_its_pool(managed: int) -> None:
    """In the pool's asset; nothing is measured as zero."""
    found = told("strategy_state", (managed, MILLION))

    assert rows(found, "pool_states") == [
        {
            "pool": POOL,
            "part": STRATEGY,
            "asset_token": USDC,
            "assets_tokens": usd(str(managed // 10**6)),
            "unrealized_loss_tokens": usd("1000000"),
        }
    ]


# --- collateral and strategies --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moved", "kind"),
    [
        (ftl("CollateralPosted", amount_=25 * 10**8), "collateral_posted"),
        (
            ftl("CollateralRemoved", amount_=25 * 10**8, destination_=OTHER),
            "collateral_removed",
        ),
    ],
)
def test_a_borrower_gives_collateral_and_takes_it_back(moved: Built, kind: str) -> None:
    """In the collateral's own token, of the loan that logs it; no principal moves."""
    assert rows(read(moved), "credit_events") == [
        OWN
        | {
            "kind": kind,
            "pool": POOL,
            "collateral_token": WBTC,
            "collateral_tokens": usd("25"),
        }
    ]


def test_an_impaired_strategy_is_an_impairment_of_its_pool() -> None:
    """No loan, no borrower and no amount: what is unrealised is read from the strategy."""
    impaired = log("maple/Strategy", "StrategyImpaired", STRATEGY)

    assert rows(read(impaired), "credit_events") == [
        {"kind": "impairment", "pool": POOL, "asset_token": USDC}
    ]

"""TrueFi: pools, loans, credit lines, stakers and the SAFU, built from the ABIs (synthetic)."""

from typing import Any

import polars as pl
import pytest
from goldens import NOON, Built, frame, log, reasons, rows, usd

from indexer.chains import ETHEREUM
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of

TRUEFI = PROTOCOLS["truefi"]
POOL_FACTORY = "0x1391d9223e08845e536157995085fe0cef8bd393"
LOAN_FACTORY = "0x69d844fb5928d0e7bc530cc6325a88e53d6685bc"
LENDER = "0xa606dd423df7dfb65efe14ab66f5fdebf62ff583"
LIQUIDATOR = "0x7ac899754dd042024bb168fd5c9a07420f444bdf"
SAFU = "0x1ea63189eb1f4c109b10cf6567f328c826aa6151"
FIRST_POOL = "0xa1e72267084192db7387c8cc1328fade470e4149"
FIRST_FACTORY = "0x4ace6de67e9a9edff5c2d0a584390fb5394119e7"
FIRST_LENDER = "0x16d02dc67eb237c387023339356b25d1d54b0922"
FIRST_LOAN = "0x" + "a5" * 20
TUSD = "0x0000000000085d4780b73119b644ae5ecd22b376"
TF_USDC = "0xa991356d261fbaf194463af6df8f0464f8f1c742"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
TRU = "0x4c19596f5aaff459fa38b0f7ed92f11ae6543784"
ODD, ODD_POOL, ODD_LOAN = "0x" + "0d" * 20, "0x" + "0e" * 20, "0x" + "0f" * 20
LOAN, DEBT = "0x" + "a1" * 20, "0x" + "a2" * 20
AGENCY, LINES = "0x" + "a3" * 20, "0x" + "a4" * 20
BORROWER, STAKER, OTHER = "0x" + "b1" * 20, "0x" + "b2" * 20, "0x" + "b3" * 20
ZERO_ADDRESS = "0x" + "00" * 20
DOLLAR = 10**6
BLOCK = 14_000_000
CHILDREN = (
    ("truefi/Pool", ODD_POOL, POOL_FACTORY),
    ("truefi/Loan", LOAN, LOAN_FACTORY),
    ("truefi/Loan", ODD_LOAN, LOAN_FACTORY),
    ("truefi/Loan", FIRST_LOAN, FIRST_FACTORY),
    ("truefi/DebtToken", DEBT, LOAN_FACTORY),
    ("truefi/Lender", AGENCY, TF_USDC),
    ("truefi/CreditAgency", LINES, TF_USDC),
)
MARKETS = (
    (LOAN, USDC, TF_USDC),
    (DEBT, USDC, TF_USDC),
    (ODD_POOL, ODD, None),
    (ODD_LOAN, ODD, ODD_POOL),
)


def read(*logs: Built, markets: tuple[tuple[str, str, str | None], ...] = MARKETS) -> Facts:
    """Return the facts of one transaction, with these markets learned earlier."""
    born = [(1, "truefi", abi, at, 1, parent, "0x00", 0) for abi, at, parent in CHILDREN]
    learned = [
        (1, "truefi", market, None, asset, None, None, parent, None, "credit", None, "event", 1)
        for market, asset, parent in markets
    ]
    asked = [(1, ODD, "ODD", 6, "call")]
    earlier = Known(
        pl.DataFrame(asked, columns_of("tokens"), orient="row"),
        pl.DataFrame(learned, columns_of("markets"), orient="row"),
        pl.DataFrame(born, columns_of("contracts"), orient="row"),
    )
    table = frame(logs, block=BLOCK)
    headers = table.select(number="block_number").unique()
    result = facts(
        [TRUEFI],
        ETHEREUM,
        table,
        headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us"))),
        merged(declared([TRUEFI], ETHEREUM), earlier),
    )
    assert reasons(result) == []
    return result


def of_pool(name: str, emitter: str = TF_USDC, /, **arguments: Any) -> Built:
    """Return a log of a pool."""
    return log("truefi/Pool", name, emitter, **arguments)


def of_loan(name: str, emitter: str = LOAN, /, **arguments: Any) -> Built:
    """Return a log of a loan."""
    return log("truefi/Loan", name, emitter, **arguments)


OWN = {"pool": TF_USDC, "loan": LOAN, "asset_token": USDC}


# --- announcements --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("announced", "abi", "child"),
    [
        (
            log("truefi/PoolFactory", "PoolCreated", POOL_FACTORY, token=ODD, pool=ODD_POOL),
            "truefi/Pool",
            ODD_POOL,
        ),
        (
            log("truefi/LoanFactory", "LoanTokenCreated", LOAN_FACTORY, loanToken=LOAN),
            "truefi/Loan",
            LOAN,
        ),
        (
            log("truefi/LoanFactory", "LoanTokenCreated", FIRST_FACTORY, loanToken=FIRST_LOAN),
            "truefi/Loan",
            FIRST_LOAN,
        ),
        (
            log("truefi/LoanFactory", "DebtTokenCreated", LOAN_FACTORY, debtToken=DEBT),
            "truefi/DebtToken",
            DEBT,
        ),
        (of_pool("FixedTermLoanAgencyChanged", newFTLAgency=AGENCY), "truefi/Lender", AGENCY),
        (of_pool("CreditAgencyChanged", newCreditAgency=LINES), "truefi/CreditAgency", LINES),
    ],
)
def test_pools_loans_and_agencies_are_announced(announced: Built, abi: str, child: str) -> None:
    """Factories name pools, loans and debts; a pool names who may lend for it."""
    known = declared([TRUEFI], ETHEREUM)
    found = discovered([TRUEFI], ETHEREUM, frame([announced], block=BLOCK), known)

    assert found.select("abi", "address").rows() == [(abi, child)]


def test_a_pool_is_a_market_of_its_token() -> None:
    """The token comes first in the announcement."""
    created = log("truefi/PoolFactory", "PoolCreated", POOL_FACTORY, token=ODD, pool=ODD_POOL)

    assert read(created, markets=()).markets.select("market", "index_token").rows() == [
        (ODD_POOL, ODD)
    ]


# --- loans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lender", [LENDER, AGENCY])
def test_who_funds_a_loan_says_which_pool_and_token_it_has(lender: str) -> None:
    """Loans say nothing of either themselves; the agency that a pool named is read like it."""
    funded = log("truefi/Lender", "Funded", lender, pool=TF_USDC, loanToken=LOAN, amount=3 * DOLLAR)

    result = read(funded, markets=())

    assert result.markets.select("market", "index_token", "parent").rows() == [
        (LOAN, USDC, TF_USDC)
    ]
    assert rows(result, "credit_events") == [
        OWN | {"kind": "funded", "counterparty": lender, "principal_tokens": usd("3")}
    ]


def test_a_repayment_has_principal_and_interest_in_one() -> None:
    """The pool's Repaid has the same topic, and is not a payment of the borrower."""
    repaid = of_loan("Repaid", repayer=BORROWER, repaidAmount=21 * DOLLAR)
    passed_on = of_pool("Repaid", payer=LENDER, amount=21 * DOLLAR)

    assert repaid.topics[0] == passed_on.topics[0]
    assert rows(read(repaid, passed_on), "credit_events") == [
        OWN | {"kind": "payment", "paid_tokens": usd("21")}
    ]


def test_an_old_loan_says_at_its_default_what_was_returned() -> None:
    """That is no loss: the row has no amount."""
    defaulted = of_loan("Defaulted(uint256)", returnedAmount=5 * DOLLAR)

    assert rows(read(defaulted), "credit_events") == [OWN | {"kind": "default"}]


def test_the_first_lender_lends_for_the_first_pool() -> None:
    """Its event names no pool; what the loan pays later is that pool's, in TUSD, of version 1."""
    funded = log("truefi/FirstLender", "Funded", FIRST_LENDER, loanToken=FIRST_LOAN, amount=10**18)
    paid = of_loan("Repaid", FIRST_LOAN, repayer=BORROWER, repaidAmount=2 * 10**18)

    result = read(funded, paid, markets=())

    own = {"pool": FIRST_POOL, "loan": FIRST_LOAN, "asset_token": TUSD}
    assert rows(result, "credit_events") == [
        {"kind": "funded", **own, "counterparty": FIRST_LENDER, "principal_tokens": usd("1")},
        {"kind": "payment", **own, "paid_tokens": usd("2")},
    ]
    assert set(result.tables["credit_events"]["version"]) == {"1"}


@pytest.mark.parametrize(("status", "kinds"), [(3, []), (4, ["default"])])
def test_a_first_loan_that_closes_unpaid_has_defaulted(status: int, kinds: list[str]) -> None:
    """Three is settled, four is not."""
    closed = of_loan("Closed", FIRST_LOAN, status=status, returnedAmount=10**18)

    found = rows(read(closed, markets=((FIRST_LOAN, TUSD, FIRST_POOL),)), "credit_events")

    assert [(row["kind"], row["pool"]) for row in found] == [(kind, FIRST_POOL) for kind in kinds]


def test_the_first_generation_is_read_from_its_factory_on() -> None:
    """Nothing of it can log before block 11,280,381."""
    first = {FIRST_FACTORY, FIRST_LENDER, FIRST_POOL}
    starts = {c.from_block for c in TRUEFI.contracts if c.address.lower() in first}

    assert starts == {11_280_381}


def test_a_new_loan_says_at_its_default_what_is_unpaid() -> None:
    """It becomes a debt of the same pool, in the same token."""
    defaulted = of_loan("Defaulted(address,uint256)", debtToken=DEBT, unpaidAmount=8 * DOLLAR)

    result = read(defaulted, markets=MARKETS[:1])

    assert rows(result, "credit_events") == [OWN | {"kind": "default", "loss_tokens": usd("8")}]
    assert result.markets.select("market", "index_token", "parent").rows() == [
        (DEBT, USDC, TF_USDC)
    ]


def test_what_a_debt_repays_is_recovery() -> None:
    """The loan behind it had defaulted."""
    repaid = log("truefi/DebtToken", "Repaid", DEBT, repayer=BORROWER, repaidAmount=2 * DOLLAR)

    assert rows(read(repaid), "credit_events") == [
        OWN | {"loan": DEBT, "kind": "recovery", "principal_tokens": usd("2")}
    ]


# --- fees -----------------------------------------------------------------------------------------


def reclaimed(pool: str, loan: str, whole: int, passed_on: int) -> list[Built]:
    """Return a repayment of a lender to a pool, the stakers' deposit, and what was reclaimed."""
    return [
        of_pool("Repaid", pool, payer=LENDER, amount=passed_on),
        of_pool("Joined", staker=LENDER, deposited=whole - passed_on, minted=1),
        log("truefi/Lender", "Reclaimed", LENDER, pool=pool, loanToken=loan, amount=whole),
    ]


def test_stakers_keep_what_the_lender_did_not_pass_on() -> None:
    """Twice in one transaction, each is set against its own repayment."""
    first = reclaimed(TF_USDC, LOAN, 1_100 * DOLLAR, 1_090 * DOLLAR)
    second = reclaimed(ODD_POOL, ODD_LOAN, 50 * DOLLAR, 49 * DOLLAR)

    result = read(*first, *second)

    assert rows(result, "fees") == [
        {
            "market": LOAN,
            "fee_kind": "reserve",
            "fee_token": USDC,
            "fee_tokens": usd("10"),
            "fee_usd": usd("10"),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd("0"),
            "holders_usd": usd("10"),
            "split_basis": "event",
        },
        {
            "market": ODD_LOAN,
            "fee_kind": "reserve",
            "fee_token": ODD,
            "fee_tokens": usd("1"),
            "split_basis": "event",
        },
    ]
    assert result.tables["fees"]["evidence"].to_list() == ["assumed", "derived"]


def test_a_lender_without_a_fee_keeps_nothing() -> None:
    """All was passed on."""
    assert read(*reclaimed(TF_USDC, LOAN, DOLLAR, DOLLAR)).tables["fees"].is_empty()


def test_a_joining_fee_is_the_treasurys_when_it_is_collected() -> None:
    """A collection of nothing is no fee."""
    taken = of_pool("Collected", beneficiary=OTHER, amount=25 * DOLLAR)
    nothing = of_pool("Collected", beneficiary=OTHER, amount=0)

    assert rows(read(taken, nothing), "fees") == [
        {
            "market": TF_USDC,
            "fee_kind": "subscription",
            "fee_token": USDC,
            "fee_tokens": usd("25"),
            "fee_usd": usd("25"),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd("25"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]


def test_what_the_first_pool_collects_may_be_of_borrowers() -> None:
    """Of two kinds in one sum, neither is told."""
    collected = of_pool("Collected", FIRST_POOL, beneficiary=OTHER, amount=10**18)

    assert read(collected).tables["fees"].is_empty()


def test_a_fee_off_the_list_has_no_dollars() -> None:
    """Joining a pool of an odd token, or paying it interest, is what the log says in tokens."""
    joined = of_pool("Collected", ODD_POOL, beneficiary=OTHER, amount=25 * DOLLAR)
    paid = log(
        "truefi/CreditAgency",
        "InterestPaid",
        LINES,
        pool=ODD_POOL,
        borrower=BORROWER,
        amount=4 * DOLLAR,
    )
    odd = {"market": ODD_POOL, "fee_token": ODD}

    result = read(joined, paid)

    assert sorted(rows(result, "fees"), key=lambda row: str(row["fee_kind"])) == [
        odd
        | {
            "account": BORROWER,
            "fee_kind": "interest",
            "fee_tokens": usd("4"),
            "split_basis": "none",
        },
        odd | {"fee_kind": "subscription", "fee_tokens": usd("25"), "split_basis": "event"},
    ]
    assert set(result.tables["fees"]["evidence"]) == {"event"}


def test_a_credit_line_pays_interest_and_principal_apart() -> None:
    """Its split is not told, so the fee has none."""
    line = {"pool": TF_USDC, "borrower": BORROWER}
    own = {"kind": "payment", "pool": TF_USDC, "account": BORROWER, "asset_token": USDC}

    result = read(
        log("truefi/CreditAgency", "InterestPaid", LINES, **line, amount=4 * DOLLAR),
        log("truefi/CreditAgency", "PrincipalRepaid", LINES, **line, amount=90 * DOLLAR),
    )

    assert rows(result, "credit_events") == [
        own | {"interest_tokens": usd("4")},
        own | {"principal_tokens": usd("90")},
    ]
    assert rows(result, "fees") == [
        {
            "market": TF_USDC,
            "account": BORROWER,
            "fee_kind": "interest",
            "fee_token": USDC,
            "fee_tokens": usd("4"),
            "fee_usd": usd("4"),
            "split_basis": "none",
        }
    ]


ENTERED = log("truefi/CreditAgency", "EnteredDefault", LINES, borrower=BORROWER, reason=3)


def given(pool: str, debt: str, amount: int) -> Built:
    """Return a debt that a pool gets for what it lent."""
    return of_pool("DebtAdded", pool, debtToken=debt, amount=amount * DOLLAR)


def test_a_credit_line_defaults_to_each_pool_it_owes() -> None:
    """Each gets a debt, which is a market of it; the agency says whose only after all of them."""
    owed = {"kind": "default", "account": BORROWER}

    result = read(given(TF_USDC, DEBT, 8), given(ODD_POOL, OTHER, 3), ENTERED, markets=MARKETS[2:])

    assert rows(result, "credit_events") == [
        owed | OWN | {"loan": DEBT, "loss_tokens": usd("8")},
        owed | {"pool": ODD_POOL, "loan": OTHER, "asset_token": ODD, "loss_tokens": usd("3")},
    ]
    assert result.markets.select("market", "index_token", "parent").rows() == [
        (DEBT, USDC, TF_USDC),
        (OTHER, ODD, ODD_POOL),
    ]


def test_the_default_of_a_loan_is_told_once() -> None:
    """Its pool gets the debt that the loan itself names; a line beside it has its own."""
    defaulted = of_loan("Defaulted(address,uint256)", debtToken=DEBT, unpaidAmount=8 * DOLLAR)
    line = {"pool": TF_USDC, "loan": OTHER, "asset_token": USDC, "account": BORROWER}

    result = read(given(TF_USDC, DEBT, 8), defaulted, given(TF_USDC, OTHER, 3), ENTERED)

    assert sorted(rows(result, "credit_events"), key=lambda row: str(row["loan"])) == [
        OWN | {"kind": "default", "loss_tokens": usd("8")},
        line | {"kind": "default", "loss_tokens": usd("3")},
    ]


def test_what_the_debt_of_a_credit_line_repays_is_its_pools() -> None:
    """So is what the SAFU pays for it."""
    repaid = log("truefi/DebtToken", "Repaid", DEBT, repayer=BORROWER, repaidAmount=2 * DOLLAR)

    result = read(
        given(TF_USDC, DEBT, 8), ENTERED, repaid, liquidated(5 * DOLLAR, DOLLAR), markets=()
    )

    found = {(row["kind"], row["pool"]) for row in rows(result, "credit_events")}
    assert found == {("default", TF_USDC), ("recovery", TF_USDC)}
    assert rows(result, "shortfalls") == [
        shortfall("insurance_out", DEBT, "5"),
        shortfall("bad_debt", DEBT, "1"),
    ]


def test_a_credit_line_enters_default_with_its_borrower() -> None:
    """Whatever the reason; where no pool says that it is owed, it is the agency's."""
    assert rows(read(ENTERED), "credit_events") == [
        {"kind": "default", "pool": LINES, "account": BORROWER}
    ]


# --- lenders --------------------------------------------------------------------------------------


def exited(said: int, burned: int = 95 * DOLLAR) -> Facts:
    """Return the facts of an exit that burns shares and says a number."""
    return read(
        of_pool("Transfer", **{"from": STAKER, "to": ZERO_ADDRESS, "value": burned}),
        of_pool("Exited", staker=STAKER, amount=said),
    )


def test_who_joins_gets_shares_in_the_decimals_of_the_token() -> None:
    """Deposited first, minted second."""
    joined = of_pool("Joined", staker=STAKER, deposited=100 * DOLLAR, minted=95 * DOLLAR)

    assert rows(read(joined), "pool_flows") == [
        {
            "kind": "deposit",
            "pool": TF_USDC,
            "account": STAKER,
            "asset_token": USDC,
            "asset_tokens": usd("100"),
            "share_tokens": usd("95"),
        }
    ]


def test_who_leaves_is_told_the_money_and_burns_the_shares() -> None:
    """Shares come from the transfer that burned them."""
    (row,) = rows(exited(101 * DOLLAR), "pool_flows")

    assert (row["kind"], row["asset_tokens"], row["share_tokens"]) == (
        "withdrawal",
        usd("101"),
        usd("95"),
    )


def test_an_exit_that_says_the_shares_has_no_amount_of_money() -> None:
    """The first pools paid in parts of loans: what was burned is all that is told."""
    (row,) = rows(exited(95 * DOLLAR), "pool_flows")

    assert "asset_tokens" not in row
    assert row["share_tokens"] == usd("95")


def test_a_transfer_between_people_is_no_flow() -> None:
    """It is read only for what an exit burned."""
    moved = of_pool("Transfer", **{"from": STAKER, "to": OTHER, "value": DOLLAR})

    assert read(moved).tables["pool_flows"].is_empty()


# --- who pays for defaults ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "more"),
    [
        ("Liquidated(address,uint256,uint256)", {"loan": LOAN}, OWN),
        ("Liquidated(address[],uint256,uint256)", {"debts": [DEBT, LOAN]}, {"pool": LIQUIDATOR}),
        ("LegacyLiquidated", {"legacyLoan": LOAN}, OWN),
        ("LegacyLiquidated", {"legacyLoan": OTHER}, {"pool": LIQUIDATOR, "loan": OTHER}),
    ],
)
def test_tru_of_stakers_is_taken_in_eight_decimals(
    name: str, arguments: dict[str, Any], more: dict[str, str]
) -> None:
    """It is the pool's of the loan; of several debts, or of a loan nobody knows, nobody's."""
    taken = log(
        "truefi/Liquidator",
        name,
        LIQUIDATOR,
        **arguments,
        defaultedValue=7,
        withdrawnTru=1_234 * 10**8,
    )

    assert rows(read(taken), "credit_events") == [
        {
            "kind": "liquidation",
            "collateral_token": TRU,
            "collateral_tokens": usd("1234"),
        }
        | more
    ]


def shortfall(kind: str, market: str, tokens: str) -> dict[str, Any]:
    """Return a shortfall in USDC at par."""
    return {
        "kind": kind,
        "market": market,
        "asset_token": USDC,
        "shortfall_tokens": usd(tokens),
        "shortfall_usd": usd(tokens),
    }


def liquidated(repaid: int, deficit: int) -> Built:
    """Return what the SAFU did for a defaulted debt."""
    return log(
        "truefi/SAFU",
        "Liquidated",
        SAFU,
        debt=DEBT,
        repaid=repaid,
        deficiencyToken=OTHER,
        deficit=deficit,
    )


def test_the_safu_pays_a_part_and_owes_the_rest() -> None:
    """What it owes is bad debt for now."""
    result = read(liquidated(30 * DOLLAR, 70 * DOLLAR))

    assert rows(result, "shortfalls") == [
        shortfall("insurance_out", DEBT, "30"),
        shortfall("bad_debt", DEBT, "70"),
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == {"assumed"}


def test_the_safu_that_pays_all_owes_nothing() -> None:
    """No row of zero."""
    result = read(liquidated(DOLLAR, 0))

    assert [row["kind"] for row in rows(result, "shortfalls")] == ["insurance_out"]


def test_liquidated_of_another_contract_takes_no_tru() -> None:
    """The topic alone decides nothing: only the liquidator's is read with three arguments."""
    arguments = {"loan": LOAN, "defaultedValue": 1, "withdrawnTru": 10**8}
    name = "Liquidated(address,uint256,uint256)"

    strange = read(log("truefi/Liquidator", name, SAFU, **arguments))
    own = read(log("truefi/Liquidator", name, LIQUIDATOR, **arguments))

    assert (rows(strange, "credit_events"), rows(strange, "shortfalls")) == ([], [])
    assert [row["kind"] for row in rows(own, "credit_events")] == ["liquidation"]


def test_what_the_safu_redeems_of_a_debt_goes_into_it() -> None:
    """The borrower paid after all."""
    redeemed = log(
        "truefi/SAFU", "Redeemed", SAFU, debt=DEBT, burnedAmount=1, redeemedAmount=6 * DOLLAR
    )

    assert rows(read(redeemed), "shortfalls") == [shortfall("insurance_in", DEBT, "6")]


def test_what_a_debt_repays_is_recovered_once() -> None:
    """The SAFU redeems it, and pays the pool's deficit with it: insurance, no second recovery."""
    repaid = log("truefi/DebtToken", "Repaid", DEBT, repayer=OTHER, repaidAmount=70 * DOLLAR)
    redeemed = log(
        "truefi/SAFU", "Redeemed", SAFU, debt=DEBT, burnedAmount=1, redeemedAmount=70 * DOLLAR
    )
    result = read(repaid, redeemed, of_pool("DeficitReclaimed", debt=DEBT, deficit=70 * DOLLAR))

    assert rows(result, "credit_events") == [
        OWN | {"loan": DEBT, "kind": "recovery", "principal_tokens": usd("70")}
    ]
    assert sorted(rows(result, "shortfalls"), key=lambda row: str(row["kind"])) == [
        shortfall("insurance_in", DEBT, "70"),
        shortfall("insurance_out", DEBT, "70"),
    ]


def test_a_shortfall_off_the_list_has_no_dollars() -> None:
    """Tokens are what the log says."""
    result = read(of_pool("DeficitReclaimed", ODD_POOL, debt=ODD_LOAN, deficit=DOLLAR))

    assert rows(result, "shortfalls") == [
        {
            "kind": "insurance_out",
            "market": ODD_LOAN,
            "asset_token": ODD,
            "shortfall_tokens": usd("1"),
        }
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == {"event"}


def test_what_the_safu_does_for_an_odd_debt_has_no_dollars() -> None:
    """What it pays, owes and redeems, in the token that the debt is in."""
    redeemed = log(
        "truefi/SAFU", "Redeemed", SAFU, debt=DEBT, burnedAmount=1, redeemedAmount=6 * DOLLAR
    )

    result = read(liquidated(30 * DOLLAR, 70 * DOLLAR), redeemed, markets=((DEBT, ODD, ODD_POOL),))

    assert rows(result, "shortfalls") == [
        {"kind": kind, "market": DEBT, "asset_token": ODD, "shortfall_tokens": usd(tokens)}
        for kind, tokens in (("insurance_out", "30"), ("bad_debt", "70"), ("insurance_in", "6"))
    ]
    assert set(result.tables["shortfalls"]["evidence"]) == {"event"}


# --- state ----------------------------------------------------------------------------------------


def told(name: str, *answers: int) -> Facts:
    """Return the facts of what all five pools answer alike."""
    known = declared([TRUEFI], ETHEREUM)
    due = pl.DataFrame([(name, BLOCK, b"\xbb" * 32, NOON)], DUE, orient="row")
    reads = questions(TRUEFI, ETHEREUM, known, due)
    return read_facts(
        [TRUEFI],
        ETHEREUM,
        reads.with_columns(
            pl.Series("answer", [answer.to_bytes(32) for answer in answers] * 5, pl.Binary),
            state=pl.lit("available"),
            detail=pl.lit(None, pl.String),
        ),
        known,
    )


def test_a_share_price_is_the_pools_value_over_its_supply() -> None:
    """Exact to 18 places, cut off there."""
    found = told("share_price", 2_000_000 * DOLLAR, 1_500_000 * DOLLAR)

    (row,) = (one for one in rows(found, "share_prices") if one["pool"] == TF_USDC)
    assert row == {
        "pool": TF_USDC,
        "asset_token": USDC,
        "share_price_tokens": usd("1.333333333333333333"),
        "supply_tokens": usd("1500000"),
    }


def test_a_pool_without_shares_has_no_price() -> None:
    """What one of none is worth is not a question, and no fault."""
    found = told("share_price", 0, 0)

    assert found.tables["share_prices"].is_empty()
    assert reasons(found) == []


def test_a_pools_value_is_in_its_own_token() -> None:
    """Six decimals here, eighteen there."""
    values = {
        row["pool"]: row["assets_tokens"] for row in rows(told("state", 10**18), "pool_states")
    }

    assert values[TF_USDC] == usd("1000000000000")
    assert sorted(values.values()) == sorted([usd("1")] * 3 + [usd("1000000000000")] * 2)

"""Goldfinch: loans, backers, the senior pool and version 1, built from the ABIs (synthetic)."""

from typing import Any

import polars as pl
import pytest
from goldens import NOON, Built, built_facts, frame, log, reasons, rows, usd

from indexer.chains import ETHEREUM
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.tables import empty

GOLDFINCH = PROTOCOLS["goldfinch"]
FACTORY = "0xd20508e1e971b80ee172c73517905bfffcbd87f9"
SENIOR = "0x8481a6ebaf5c7dabc3f7e09e44a89531fd31f822"
LEGACY = "0xb01b315e32d1d9b5ce93e296d483e1f0aad39e75"
DESK = "0xd52dc1615c843c30f2e4668e101c0938e6007220"
FIDU = "0x6a445e9f40e0b97c92d0b8a3366cef1d67f700bf"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
LOAN, LINE = "0x" + "a1" * 20, "0x" + "a2" * 20
BORROWER, BACKER, OTHER = "0x" + "b1" * 20, "0x" + "b2" * 20, "0x" + "b3" * 20
DOLLAR, SHARE = 10**6, 10**18


def created() -> Built:
    """Return the factory's announcement of the loan."""
    return log("goldfinch/Factory", "PoolCreated", FACTORY, pool=LOAN, borrower=BORROWER)


def of_loan(name: str, **arguments: Any) -> Built:
    """Return a log of the loan."""
    return log("goldfinch/Loan", name, LOAN, **arguments)


def of_senior(name: str, **arguments: Any) -> Built:
    """Return a log of the senior pool."""
    return log("goldfinch/SeniorPool", name, SENIOR, **arguments)


def of_legacy(name: str, **arguments: Any) -> Built:
    """Return a log of version 1's pool."""
    return log("goldfinch/LegacyPool", name, LEGACY, **arguments)


def read(*logs: Built) -> Facts:
    """Return the facts of one transaction in which the loan is created too."""
    result = loan_facts(created(), *logs)
    assert reasons(result) == []
    return result


def loan_facts(*logs: Built) -> Facts:
    """Return the facts of one transaction, with what it announces known."""
    table = frame(logs, block=20_000_000)
    known = declared([GOLDFINCH], ETHEREUM)
    born = discovered([GOLDFINCH], ETHEREUM, table, known)
    headers = table.select(number="block_number").unique()
    return facts(
        [GOLDFINCH],
        ETHEREUM,
        table,
        headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us"))),
        merged(known, Known(empty("tokens"), empty("markets"), born)),
    )


OWN = {"pool": LOAN, "loan": LOAN, "account": BORROWER, "asset_token": USDC}


# --- loans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "child"), [("PoolCreated", "pool"), ("CallableLoanCreated", "loan")]
)
def test_a_loan_is_announced_with_its_borrower(name: str, child: str) -> None:
    """Tranched pools and callable loans are read alike."""
    born = log("goldfinch/Factory", name, FACTORY, **{child: LOAN, "borrower": BORROWER})
    table = frame([born], block=20_000_000)

    found = discovered([GOLDFINCH], ETHEREUM, table, declared([GOLDFINCH], ETHEREUM))
    result = built_facts("goldfinch", ETHEREUM, [born])

    assert found.select("abi", "address").rows() == [("goldfinch/Loan", LOAN)]
    assert result.markets.select("market", "borrower", "index_token", "asset_class").rows() == [
        (LOAN, BORROWER, USDC, "credit")
    ]


def test_a_drawdown_funds_the_loan() -> None:
    """Each time it is drawn, in USDC."""
    result = read(of_loan("DrawdownMade", borrower=BORROWER, amount=2_500_000 * DOLLAR))

    assert rows(result, "credit_events") == [
        OWN | {"kind": "funded", "principal_tokens": usd("2500000")}
    ]
    assert result.tables["credit_events"]["version"].to_list() == ["2"]


def paid(interest: int = 100 * DOLLAR, reserve: int = 10 * DOLLAR) -> Built:
    """Return a payment sent by somebody else, of which 7 were left unapplied."""
    return of_loan(
        "PaymentApplied",
        payer=OTHER,
        pool=LOAN,
        interest=interest,
        principal=400 * DOLLAR,
        remaining=7 * DOLLAR,
        reserve=reserve,
    )


def test_a_payment_is_the_borrowers_and_what_was_not_applied_is_no_part_of_it() -> None:
    """`remaining` is overpayment, neither debt nor principal."""
    assert rows(read(paid()), "credit_events") == [
        OWN
        | {
            "kind": "payment",
            "principal_tokens": usd("400"),
            "interest_tokens": usd("100"),
        }
    ]


def interest(market: str, whole: str, supply: str, treasury: str) -> dict[str, Any]:
    """Return a fee row of interest."""
    return {
        "market": market,
        "fee_kind": "interest",
        "fee_token": USDC,
        "fee_tokens": usd(whole),
        "fee_usd": usd(whole),
        "supply_side_usd": usd(supply),
        "treasury_usd": usd(treasury),
        "holders_usd": usd("0"),
        "split_basis": "event",
    }


def test_interest_includes_the_reserves_part() -> None:
    """100 of interest with a reserve of 10 are 90 for lenders, never 110."""
    result = read(paid())

    assert rows(result, "fees") == [interest(LOAN, "100", "90", "10") | {"account": BORROWER}]
    assert set(result.tables["fees"]["evidence"]) == {"assumed"}


def test_a_payment_of_principal_alone_is_no_fee() -> None:
    """Nothing was earned."""
    assert read(paid(interest=0, reserve=0)).tables["fees"].is_empty()


def test_a_called_loan_names_the_principal_to_return() -> None:
    """A call is no default."""
    called = of_loan(
        "CallRequestSubmitted",
        originalTokenId=1,
        callRequestedTokenId=2,
        remainingTokenId=3,
        callAmount=50_000 * DOLLAR,
    )

    assert rows(read(called), "credit_events") == [
        OWN | {"kind": "call", "principal_tokens": usd("50000")}
    ]


def moved(owner: str) -> tuple[Built, Built]:
    """Return a deposit into a tranche and a withdrawal of interest and principal."""
    token = {"owner": owner, "tranche": 2, "tokenId": 9}
    return (
        of_loan("DepositMade", **token, amount=1_000 * DOLLAR),
        of_loan(
            "WithdrawalMade",
            **token,
            interestWithdrawn=40 * DOLLAR,
            principalWithdrawn=60 * DOLLAR,
        ),
    )


def test_a_backer_lends_and_takes_interest_and_principal_back() -> None:
    """Both parts of a withdrawal left the loan."""
    own = {"pool": LOAN, "account": BACKER, "asset_token": USDC}

    assert rows(read(*moved(BACKER)), "pool_flows") == [
        own | {"kind": "deposit", "asset_tokens": usd("1000")},
        own | {"kind": "withdrawal", "asset_tokens": usd("100")},
    ]


def test_what_the_senior_pool_lends_on_is_not_counted_again() -> None:
    """Its lenders' deposits were flows already."""
    assert read(*moved(SENIOR)).tables["pool_flows"].is_empty()


# --- the senior pool ------------------------------------------------------------------------------


@pytest.mark.parametrize(("of_pool", "pool"), [(of_senior, SENIOR), (of_legacy, LEGACY)])
def test_shares_have_eighteen_decimals_and_dollars_six(of_pool: Any, pool: str) -> None:
    """FIDU is minted for USDC, in both generations."""
    deposit = of_pool(
        "DepositMade", capitalProvider=BACKER, amount=1_100 * DOLLAR, shares=1_000 * SHARE
    )

    assert rows(read(deposit), "pool_flows") == [
        {
            "kind": "deposit",
            "pool": pool,
            "account": BACKER,
            "asset_token": USDC,
            "asset_tokens": usd("1100"),
            "share_tokens": usd("1000"),
        }
    ]


@pytest.mark.parametrize(("of_pool", "pool"), [(of_senior, SENIOR), (of_legacy, LEGACY)])
def test_who_leaves_gets_the_rest_and_the_reserve_its_fee(of_pool: Any, pool: str) -> None:
    """The fee is in the withdrawal; the reserve's own event repeats it."""
    left = of_pool(
        "WithdrawalMade",
        capitalProvider=BACKER,
        userAmount=995 * DOLLAR,
        reserveAmount=5 * DOLLAR,
    )

    result = read(left)

    assert rows(result, "pool_flows") == [
        {
            "kind": "withdrawal",
            "pool": pool,
            "account": BACKER,
            "asset_token": USDC,
            "asset_tokens": usd("995"),
        }
    ]
    assert rows(result, "fees") == [
        {
            "market": pool,
            "account": BACKER,
            "fee_kind": "redemption",
            "fee_token": USDC,
            "fee_tokens": usd("5"),
            "fee_usd": usd("5"),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd("5"),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
    ]


def test_a_withdrawal_without_a_fee_has_none() -> None:
    """No row of zero."""
    left = of_senior("WithdrawalMade", capitalProvider=BACKER, userAmount=DOLLAR, reserveAmount=0)

    assert read(left).tables["fees"].is_empty()


@pytest.mark.parametrize(
    ("amount", "kind", "loss"),
    [(-3_000 * DOLLAR, "impairment", "3000"), (1_000 * DOLLAR, "impairment_removed", "-1000")],
)
def test_a_write_down_is_a_loss_below_zero_and_taken_back_above(
    amount: int, kind: str, loss: str
) -> None:
    """Losses add up to what is written down now."""
    written = of_senior("PrincipalWrittenDown", tranchedPool=LOAN, amount=amount)

    assert rows(read(written), "credit_events") == [
        {
            "kind": kind,
            "pool": SENIOR,
            "loan": LOAN,
            "account": BORROWER,
            "asset_token": USDC,
            "loss_tokens": usd(loss),
        }
    ]


def test_a_write_down_of_nothing_is_no_event() -> None:
    """A check that changed nothing logs zero."""
    written = of_senior("PrincipalWrittenDown", tranchedPool=LOAN, amount=0)

    assert read(written).tables["credit_events"].is_empty()


def test_requests_to_withdraw_queue_in_shares() -> None:
    """Cancelling gives back what was asked for, less the fee: both left the queue."""
    place = {"epochId": 1, "tokenId": 2, "operator": BACKER}
    queue = [
        of_senior("WithdrawalRequested", **place, fiduRequested=100 * SHARE),
        of_senior("WithdrawalAddedTo", **place, fiduRequested=50 * SHARE),
        of_senior("WithdrawalCanceled", **place, fiduCanceled=147 * SHARE, reserveFidu=3 * SHARE),
        of_senior("ReserveSharesCollected", user=BACKER, reserve=OTHER, amount=3 * SHARE),
    ]
    own = {"pool": SENIOR, "account": BACKER, "asset_token": USDC}

    result = read(*queue)

    assert rows(result, "pool_flows") == [
        own | {"kind": "withdrawal_request", "share_tokens": usd("100")},
        own | {"kind": "withdrawal_request", "share_tokens": usd("50")},
        own | {"kind": "withdrawal_request_removed", "share_tokens": usd("150")},
    ]
    assert rows(result, "fees") == [
        {
            "market": SENIOR,
            "account": BACKER,
            "fee_kind": "redemption",
            "fee_token": FIDU,
            "fee_tokens": usd("3"),
            "split_basis": "event",
        }
    ]


# --- version 1 ------------------------------------------------------------------------------------


def test_version_1_lends_through_credit_lines() -> None:
    """The desk logs what is drawn and paid; the borrower is who it calls the payer."""
    drawn = log(
        "goldfinch/CreditDesk",
        "DrawdownMade",
        DESK,
        borrower=BORROWER,
        creditLine=LINE,
        drawdownAmount=9_000 * DOLLAR,
    )
    payment = log(
        "goldfinch/CreditDesk",
        "PaymentApplied",
        DESK,
        payer=BORROWER,
        creditLine=LINE,
        interestAmount=90 * DOLLAR,
        principalAmount=10 * DOLLAR,
        remainingAmount=DOLLAR,
    )
    line = {"pool": LEGACY, "loan": LINE, "account": BORROWER, "asset_token": USDC}

    result = read(drawn, payment)

    assert rows(result, "credit_events") == [
        line | {"kind": "funded", "principal_tokens": usd("9000")},
        line | {"kind": "payment", "principal_tokens": usd("10"), "interest_tokens": usd("90")},
    ]
    assert set(result.tables["credit_events"]["version"]) == {"1"}


def test_interest_of_version_1_is_the_pools_part_and_the_reserves() -> None:
    """Three arguments there, two in the senior pool: the sum is gross."""
    collected = of_legacy(
        "InterestCollected", payer=LINE, poolAmount=81 * DOLLAR, reserveAmount=9 * DOLLAR
    )

    assert rows(read(collected), "fees") == [interest(LINE, "90", "81", "9")]


def test_the_yield_of_idle_money_is_no_interest_of_borrowers() -> None:
    """Swept back from Compound, the pool pays itself."""
    swept = of_legacy("InterestCollected", payer=LEGACY, poolAmount=9, reserveAmount=1)

    assert read(swept).tables["fees"].is_empty()


def test_version_1_spells_its_write_downs_otherwise() -> None:
    """Another topic, the same meaning: below zero a loss, above zero one that is taken back."""
    written = of_legacy("PrincipalWrittendown", creditline=LINE, amount=-5 * DOLLAR)
    taken_back = of_legacy("PrincipalWrittendown", creditline=LINE, amount=2 * DOLLAR)
    senior = of_senior("PrincipalWrittenDown", tranchedPool=LINE, amount=-5 * DOLLAR)
    line = {"pool": LEGACY, "loan": LINE, "asset_token": USDC}

    assert written.topics[0] != senior.topics[0]
    assert rows(read(written, taken_back), "credit_events") == [
        line | {"kind": "impairment", "loss_tokens": usd("5")},
        line | {"kind": "impairment_removed", "loss_tokens": usd("-2")},
    ]


# --- state ----------------------------------------------------------------------------------------


def told(name: str, *answers: int) -> Facts:
    """Return the facts of what the senior pool answers."""
    known = declared([GOLDFINCH], ETHEREUM)
    due = pl.DataFrame([(name, 20_000_000, b"\xbb" * 32, NOON)], DUE, orient="row")
    reads = questions(GOLDFINCH, ETHEREUM, known, due).with_columns(
        pl.Series("answer", [answer.to_bytes(32) for answer in answers], pl.Binary),
        state=pl.lit("available"),
        detail=pl.lit(None, pl.String),
    )
    return read_facts([GOLDFINCH], ETHEREUM, reads, known)


def test_the_share_price_is_in_dollars_and_the_supply_is_fidus() -> None:
    """The pool says the price; the token, asked beside it, its supply."""
    assert rows(told("share_price", 1_143_900_000_000_000_000, 87 * 10**24), "share_prices") == [
        {
            "pool": SENIOR,
            "asset_token": USDC,
            "share_price_tokens": usd("1.1439"),
            "supply_tokens": usd("87000000"),
        }
    ]


def test_loans_and_write_downs_of_the_senior_pool_are_its_state() -> None:
    """Assets are after write-downs, as the contract counts them."""
    found = told("state", 99_000_000 * DOLLAR, 98_000_000 * DOLLAR, 4_000_000 * DOLLAR)

    assert rows(found, "pool_states") == [
        {
            "pool": SENIOR,
            "part": SENIOR,
            "asset_token": USDC,
            "assets_tokens": usd("99000000"),
            "principal_tokens": usd("98000000"),
            "unrealized_loss_tokens": usd("4000000"),
        }
    ]

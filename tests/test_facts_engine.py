"""The words of a declaration, one by one, on a small protocol over GMX v1's Vault events."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from goldens import Built, frame, log, reasons, rows, scaled
from hypothesis import given
from hypothesis import strategies as st

from indexer.chains import ARBITRUM, AVALANCHE
from indexer.facts import (
    Facts,
    Known,
    declared,
    digest,
    discovered,
    facts,
    log_filter,
    merged,
    owned,
    policies,
)
from indexer.spec import (
    Abs,
    Amount,
    Arg,
    Companion,
    Const,
    Contract,
    DecimalsOf,
    Discover,
    Emitter,
    Equals,
    Event,
    Exists,
    First,
    Fixed,
    Int,
    IsNegative,
    Lookup,
    Market,
    Neg,
    Nonzero,
    Not,
    OfContract,
    OfMarket,
    OneOf,
    Policy,
    Positive,
    Product,
    Protocol,
    Rest,
    Share,
    Sum,
    SymbolOf,
    Time,
    Token,
    Value,
    When,
)
from indexer.tables import empty

VAULT = "0x" + "0a" * 20
TOKEN = "0x" + "70" * 20
OTHER = "0x" + "71" * 20
TRADER = "0x" + "ee" * 20
NOON = datetime(2025, 6, 1, 12)
TIME = pl.Datetime("us")
OF_OTHER = Amount("feeTokens", Const(OTHER))
FEE: dict[str, Value] = {"fee_kind": Const("margin"), "split_basis": Const("none")}


def small(*events: Event, **said: Any) -> Protocol:
    """Return a protocol of one vault with these events."""
    contract = Contract(ARBITRUM, "gmx_v1/Vault", VAULT, 100, says=said.pop("says", {}))
    return Protocol(
        slug="small",
        name="Small",
        kind="perp",
        methodology="for tests",
        contracts=said.pop("contracts", (contract,)),
        events=events,
        tokens=(Token(ARBITRUM, TOKEN, "tok", 6),),
        **said,
    )


def fee(where: tuple[Any, ...] = (), **columns: Value) -> Event:
    """Return CollectMarginFees into `fees` with these columns."""
    return Event("gmx_v1/Vault", "CollectMarginFees", "fees", {**FEE, **columns}, where)


def margin(fee_usd: int = 0, fee_tokens: int = 0, token: str = TOKEN) -> Built:
    """Return a CollectMarginFees log."""
    arguments = {"token": token, "feeUsd": fee_usd, "feeTokens": fee_tokens}
    return log("gmx_v1/Vault", "CollectMarginFees", VAULT, **arguments)


def pnl(key: int, has_profit: bool, delta: int) -> Built:
    """Return an UpdatePnl log."""
    arguments = {"key": bytes([key]) * 32, "hasProfit": has_profit, "delta": delta}
    return log("gmx_v1/Vault", "UpdatePnl", VAULT, **arguments)


def made(protocol: Protocol, *transactions: list[Built], known: Known | None = None) -> Facts:
    """Return the facts of these transactions in block 200."""
    headers = pl.DataFrame({"number": [200], "timestamp": [NOON]}).with_columns(
        pl.col("timestamp").cast(pl.Datetime("us"))
    )
    known = known or declared([protocol], ARBITRUM)
    return facts([protocol], ARBITRUM, frame(*transactions, block=200), headers, known)


def fees_of(event: Event, *logs: Built, **said: Any) -> list[dict[str, Any]]:
    """Return the fee rows of logs of one transaction, without the constant columns."""
    made_of = rows(made(small(event, **said), list(logs)), "fees")
    return [{name: value for name, value in row.items() if name not in FEE} for row in made_of]


def test_a_row_carries_its_provenance() -> None:
    """Chain, block, log, transaction, time, protocol, version and evidence need no declaration."""
    result = made(small(fee()), [margin(), margin()])

    row = result.tables["fees"].row(1, named=True)
    assert row["chain_id"] == 42161
    assert (row["block_number"], row["log_index"], row["item_index"]) == (200, 1, 0)
    assert row["tx_hash"] == "0x" + "01" * 32
    assert row["block_timestamp"] == NOON
    assert (row["protocol"], row["version"], row["evidence"]) == ("small", "1", "event")


def test_fixed_truncates_toward_zero() -> None:
    """The nineteenth decimal is cut off, on both sides of zero."""
    event = fee(fee_usd=Fixed("feeUsd", 19), fee_tokens=Fixed(Neg("feeUsd"), 19))

    assert fees_of(event, margin(29)) == [
        {"fee_usd": Decimal("2E-18"), "fee_tokens": Decimal("-2E-18")}
    ]


def test_a_sum_is_halved_once() -> None:
    """`over` divides the exact sum, so a mid price loses nothing before the last step."""
    event = fee(fee_usd=Fixed(Sum(("feeUsd", "feeTokens")), 0, over=2))

    assert fees_of(event, margin(1, 2)) == [{"fee_usd": Decimal("1.5")}]


def test_amounts_use_the_tokens_decimals() -> None:
    """A token amount is counted in whole tokens, prices by the complement of its decimals."""
    price = Fixed("feeUsd", DecimalsOf("token", plus=30, times=-1))
    event = fee(fee_tokens=Amount("feeTokens", "token"), fee_usd=price)

    assert fees_of(event, margin(5 * 10**24, 2_500_000)) == [
        {"fee_tokens": Decimal("2.5"), "fee_usd": Decimal(5)}
    ]


def test_an_unknown_token_costs_its_own_row() -> None:
    """Another log of the same batch is not touched, and the token is named for whoever can ask."""
    event = fee(fee_tokens=Amount("feeTokens", "token"))

    result = made(small(event), [margin(0, 1, OTHER), margin(0, 1_000_000)])

    assert [row["fee_tokens"] for row in rows(result, "fees")] == [Decimal(1)]
    assert reasons(result) == [
        ("CollectMarginFees", "fees", f"decimals of token {OTHER} are not known")
    ]
    assert result.unknown_tokens == (OTHER,)


def test_a_number_beyond_the_column_is_rejected() -> None:
    """2^256 - 1 at no decimals is not wrapped and not rounded; the row says why it is missing."""
    event = fee(fee_usd=Fixed("feeUsd", 0))

    result = made(small(event), [margin(2**256 - 1), margin(10**20 - 1)])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal(10**20 - 1)]
    assert reasons(result)[0][2] == "the value does not fit DECIMAL(38,18)"


def test_a_product_beyond_256_bits_is_rejected() -> None:
    """An overflow inside an expression stays an overflow, whatever it is divided by later."""
    event = fee(fee_usd=Fixed(Product("feeUsd", "feeTokens"), 150))

    result = made(small(event), [margin(2**200, 2**100)])

    assert reasons(result)[0][2] == "the value does not fit DECIMAL(38,18)"


@given(
    st.integers(0, 2**255 - 1),
    st.integers(0, 2**255 - 1),
    st.integers(0, 60),
    st.sampled_from([1, 2, 3]),
)
def test_expressions_equal_python_integers(a: int, b: int, decimals: int, over: int) -> None:
    """Sum, difference, sign and product agree with unlimited integers to the last digit."""
    value = Product(Positive(Sum(("feeUsd", Neg("feeTokens")))), Int(3))
    event = fee(fee_usd=Fixed(value, decimals, over), fee_tokens=Fixed(Abs(Neg("feeUsd")), 60))
    units = 3 * max(a - b, 0) * 10**18 // (10**decimals * over)

    result = made(small(event), [margin(a, b)])

    fits = units < 10**38 and 3 * max(a - b, 0) < 2**256
    assert [row["fee_usd"] for row in rows(result, "fees")] == (
        [scaled(3 * max(a - b, 0), decimals, over)] if fits else []
    )


def test_the_first_value_present_wins() -> None:
    """A companion that is not there gives way to the constant."""
    companion = Companion("UpdatePnl", take="delta")
    event = fee(fee_usd=Fixed(First((companion, Int(7))), 0))

    assert fees_of(event, margin()) == [{"fee_usd": Decimal(7)}]
    assert fees_of(event, margin(), pnl(1, has_profit=True, delta=9)) == [{"fee_usd": Decimal(9)}]


def test_what_is_wrong_with_a_later_value_is_no_fault_of_the_first() -> None:
    """Decimals that are not known cost only the row that has nothing else."""
    event = fee((), fee_usd=First((When(Nonzero("feeUsd"), Fixed("feeUsd", 0)), OF_OTHER)))

    result = made(small(event), [margin(3, 5), margin(0, 5)])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal(3)]
    assert len(reasons(result)) == 1


def test_a_companion_belongs_to_the_same_transaction() -> None:
    """The same event in the next transaction is another story."""
    event = fee(fee_usd=Fixed(Companion("UpdatePnl", take="delta"), 0))

    result = made(small(event), [margin()], [pnl(1, has_profit=True, delta=9)])

    assert "fee_usd" not in rows(result, "fees")[0]


def test_two_companions_where_one_is_demanded_reject_the_row() -> None:
    """Ambiguity is never resolved by chance."""
    event = fee(fee_usd=Fixed(Companion("UpdatePnl", take="delta"), 0))
    twice = [pnl(1, has_profit=True, delta=9), pnl(2, has_profit=True, delta=8)]

    result = made(small(event), [*twice, margin()])

    assert reasons(result) == [
        ("CollectMarginFees", "fees", "more than one companion event matches")
    ]


@pytest.mark.parametrize(("nearest", "delta"), [("before", 8), ("after", 6)])
def test_the_nearest_companion_is_taken(nearest: Any, delta: int) -> None:
    """Between several matches, the closest log on the asked side wins."""
    event = fee(fee_usd=Fixed(Companion("UpdatePnl", take="delta", nearest=nearest), 0))
    before = [pnl(1, has_profit=True, delta=9), pnl(1, has_profit=True, delta=8)]
    after = [pnl(1, has_profit=True, delta=6), pnl(1, has_profit=True, delta=5)]

    assert fees_of(event, *before, margin(), *after) == [{"fee_usd": Decimal(delta)}]


def test_companions_match_on_arguments() -> None:
    """A companion with another key is not a companion."""
    profit = Companion("UpdatePnl", take="delta", on={"key": "key"})
    close = Event(
        "gmx_v1/Vault",
        "DecreasePosition",
        "position_changes",
        {
            "market": "indexToken",
            "account": "account",
            "cause": Const("trade"),
            "realized_pnl_usd": Fixed(profit, 0),
        },
        where=(Exists(profit),),
    )

    def decrease(key: int) -> Built:
        return log(
            "gmx_v1/Vault",
            "DecreasePosition",
            VAULT,
            key=bytes([key]) * 32,
            account=TRADER,
            collateralToken=TOKEN,
            indexToken=TOKEN,
            collateralDelta=0,
            sizeDelta=0,
            isLong=True,
            price=0,
            fee=0,
        )

    result = made(small(close), [pnl(2, has_profit=True, delta=5), decrease(1), decrease(2)])

    assert [row["realized_pnl_usd"] for row in rows(result, "position_changes")] == [Decimal(5)]


def test_when_chooses_row_by_row() -> None:
    """A fault in the branch that is not taken does not reject the row."""
    chosen = When(Equals("token", OTHER), Fixed("feeUsd", 0), Amount("feeTokens", "token"))
    event = fee(fee_usd=chosen)

    assert fees_of(event, margin(3, 9, OTHER), margin(3, 5_000_000)) == [
        {"fee_usd": Decimal(3)},
        {"fee_usd": Decimal(5)},
    ]


def test_conditions_choose_logs() -> None:
    """Every condition of `where` must hold, and a log that fails one is no reject."""
    event = fee(
        where=(Nonzero("feeUsd"), OneOf("feeTokens", (1, 2)), Not(Equals("feeUsd", 5))),
        fee_usd=Fixed("feeUsd", 0),
    )

    result = made(small(event), [margin(0, 1), margin(5, 1), margin(6, 3), margin(7, 2)])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal(7)]
    assert reasons(result) == []


def test_a_number_beyond_256_bits_is_not_zero() -> None:
    """What does not fit is no zero: the log is rejected by its column, not passed over."""
    event = fee(
        where=(Nonzero(Sum(("feeUsd", "feeTokens"))),),
        fee_usd=Fixed(Sum(("feeUsd", "feeTokens")), 0),
    )

    result = made(small(event), [margin(2**256 - 1, 1)])

    assert rows(result, "fees") == []
    assert reasons(result)[0][2] == "the value does not fit DECIMAL(38,18)"


def test_negative_is_below_zero() -> None:
    """Zero with a turned sign is not negative."""
    event = fee(where=(IsNegative(Neg("feeUsd")),), fee_usd=Fixed("feeUsd", 0))

    assert fees_of(event, margin(0), margin(1)) == [{"fee_usd": Decimal(1)}]


def test_each_branch_refuses_an_amount_of_a_token_that_is_not_known() -> None:
    """Decimals that were asked for in one branch are missing in the other, and elsewhere, too."""
    amount = Amount("feeTokens", "token")
    branches = fee(fee_tokens=When(Equals("feeUsd", 1), amount, amount))
    apart = fee(fee_usd=When(Equals("feeUsd", 1), amount, Fixed("feeUsd", 0)), fee_tokens=amount)
    logs = [margin(1, 5, OTHER), margin(2, 5, OTHER)]

    for event in (branches, apart):
        result = made(small(event), logs)

        assert rows(result, "fees") == []
        assert len(reasons(result)) == 2


def test_a_branch_that_is_not_taken_refuses_nothing() -> None:
    """A value outside the table of the other branch costs no row, as in numbers."""
    kind = When(Equals("feeUsd", 2), Const("close"), Lookup("feeUsd", {0: "open"}))
    event = fee(fee_kind=kind)

    result = made(small(event), [margin(2), margin(3), margin(0)])

    assert [row["fee_kind"] for row in rows(result, "fees")] == ["close", "open"]
    assert [reason[2] for reason in reasons(result)] == ["3 is not in the declared table"]


def test_lookups_translate_and_refuse() -> None:
    """A value outside the table rejects its row instead of passing as unknown."""
    event = Event(
        "gmx_v1/Vault",
        "CollectMarginFees",
        "fees",
        {"fee_kind": Lookup("feeUsd", {0: "open", 1: "close"}), "split_basis": Const("none")},
    )

    result = made(small(event), [margin(1), margin(2)])

    assert [row["fee_kind"] for row in rows(result, "fees")] == ["close"]
    assert reasons(result)[0][2] == "2 is not in the declared table"


def test_contracts_and_markets_answer_for_themselves() -> None:
    """Text can come from the contract's declaration, from markets, tokens or the emitter."""
    event = fee(
        market=OfMarket("token", "symbol"),
        account=Emitter(),
        fee_token=OfContract("asset"),
        fee_usd=Fixed("feeUsd", OfContract("decimals")),
    )
    market = Market(ARBITRUM, TOKEN, "TOK/USD")

    result = fees_of(event, margin(250), says={"asset": "gold", "decimals": 2}, markets=(market,))

    assert result == [
        {"market": "TOK/USD", "account": VAULT, "fee_token": "gold", "fee_usd": Decimal("2.5")}
    ]


def test_symbols_come_in_upper_case() -> None:
    """An asset is the same asset whichever venue spells it."""
    event = fee(fee_token=SymbolOf("token"))

    assert fees_of(event, margin()) == [{"fee_token": "TOK"}]


SPLIT = (
    Policy("supply_side_share", "0.7", "2025-01-01", "a page", "documentation"),
    Policy("supply_side_share", "0.63", "2025-06-01", "a vote", "governance"),
)


def test_a_split_follows_the_policy_in_force() -> None:
    """The share of the block's day applies, and what is left balances to the last digit."""
    whole = Fixed("feeUsd", 0)
    event = fee(
        fee_usd=whole,
        supply_side_usd=Share(whole, "supply_side_share"),
        treasury_usd=Rest("fee_usd", ("supply_side_usd",)),
    )

    assert fees_of(event, margin(100), policies=SPLIT) == [
        {"fee_usd": Decimal(100), "supply_side_usd": Decimal(63), "treasury_usd": Decimal(37)}
    ]


def test_a_policy_is_in_force_from_its_first_moment() -> None:
    """A block at midnight of its first day has the new share, not the one that ends there."""
    whole = Fixed("feeUsd", 0)
    event = fee(supply_side_usd=Share(whole, "supply_side_share"))
    protocol = small(event, policies=SPLIT)
    headers = pl.DataFrame({"number": [200], "timestamp": [datetime(2025, 6, 1)]})
    known = declared([protocol], ARBITRUM)

    result = facts([protocol], ARBITRUM, frame([margin(100)], block=200), headers, known)

    assert result.tables["fees"]["supply_side_usd"].to_list() == [Decimal(63)]


def test_before_its_first_policy_a_split_is_unknown() -> None:
    """Nothing in force is null, not zero, and the fee itself stays known."""
    whole = Fixed("feeUsd", 0)
    late = (Policy("supply_side_share", "0.7", "2025-06-02", "a page", "documentation"),)
    event = fee(fee_usd=whole, supply_side_usd=Share(whole, "supply_side_share"))

    assert fees_of(event, margin(100), policies=late) == [{"fee_usd": Decimal(100)}]


def test_policies_end_where_the_next_begins() -> None:
    """The policy table has no overlap and no gap."""
    table = policies([small(fee(), policies=SPLIT)])

    assert table.select("valid_from", "valid_to").rows() == [
        (datetime(2025, 1, 1), datetime(2025, 6, 1)),
        (datetime(2025, 6, 1), None),
    ]


def test_one_log_can_give_two_rows_of_a_table() -> None:
    """Rows that one log puts into one table are told apart by their item index."""
    result = made(
        small(fee(fee_usd=Fixed("feeUsd", 0)), fee(fee_usd=Fixed("feeTokens", 0))),
        [margin(1, 2)],
    )

    assert result.tables["fees"].select("item_index", "fee_usd").rows() == [
        (0, Decimal(1)),
        (1, Decimal(2)),
    ]


def test_a_block_without_a_time_gives_no_facts() -> None:
    """Facts need a time; without one the log is a reject, not a row of a made-up time."""
    protocol = small(fee())
    headers = pl.DataFrame(
        {"number": [200], "timestamp": [None]},
        {"number": pl.Int64, "timestamp": pl.Datetime("us")},
    )
    logs = frame([margin()], block=200)

    result = facts([protocol], ARBITRUM, logs, headers, declared([protocol], ARBITRUM))

    assert reasons(result) == [("CollectMarginFees", "fees", "block timestamp is not known")]


def test_an_undecodable_log_is_a_reject() -> None:
    """Data of the wrong length names the event and no table."""
    broken = replace(margin(), data=b"\x00" * 31)

    result = made(small(fee()), [broken, margin()])

    assert len(result.tables["fees"]) == 1
    ((event, table, reason),) = reasons(result)
    assert (event, table) == ("CollectMarginFees", None)
    assert "31 bytes" in reason


def test_logs_outside_the_contracts_window_are_not_its() -> None:
    """The same address before its first block or after its last belongs to nobody."""
    contract = Contract(ARBITRUM, "gmx_v1/Vault", VAULT, 201)
    early = small(fee(), contracts=(contract,))
    late = small(fee(), contracts=(replace(contract, from_block=100, to_block=199),))
    logs = frame([margin()], block=200)

    for protocol in (early, late):
        known = declared([protocol], ARBITRUM)
        assert owned([protocol], ARBITRUM, logs, known)["small"].to_list() == [False]
        assert made(protocol, [margin()]).tables["fees"].is_empty()


def test_a_topic_of_a_stranger_is_not_owned() -> None:
    """topic0 alone never decides: the same event of another address stays out."""
    stranger = replace(margin(), address="0x" + "ff" * 20)
    protocol = small(fee())
    logs = frame([stranger, margin()], block=200)

    mine = owned([protocol], ARBITRUM, logs, declared([protocol], ARBITRUM))

    assert mine["small"].to_list() == [False, True]


def test_the_filter_names_every_address_and_topic() -> None:
    """Companions are fetched too, or their columns would be null for good."""
    protocol = small(fee(fee_usd=Fixed(Companion("UpdatePnl", take="delta"), 0)))

    asked = log_filter([protocol], ARBITRUM, declared([protocol], ARBITRUM))

    assert asked.addresses == (bytes.fromhex("0a" * 20),)
    assert set(asked.topic0s) == {margin().topics[0], pnl(1, has_profit=True, delta=1).topics[0]}


FACTORY = small(
    fee(fee_usd=Fixed("feeUsd", 0)),
    contracts=(Contract(ARBITRUM, "gmx_v1/FastPriceEvents", OTHER, 100),),
    discoveries=(Discover("gmx_v1/FastPriceEvents", "PriceUpdate", "priceFeed", "gmx_v1/Vault"),),
)


def birth(child: str) -> Built:
    """Return a log by which the factory of this test announces a child."""
    arguments = {"token": TOKEN, "price": 1, "priceFeed": child}
    return log("gmx_v1/FastPriceEvents", "PriceUpdate", OTHER, **arguments)


def test_children_are_found_and_read() -> None:
    """A child announced by its factory is read from its birth on, by its own ABI."""
    logs = frame([birth(VAULT)], block=200)
    known = declared([FACTORY], ARBITRUM)

    children = discovered([FACTORY], ARBITRUM, logs, known)
    known = merged(known, Known(known.tokens, known.markets, children))
    result = made(FACTORY, [margin(4)], known=known)

    assert children.select("address", "abi", "from_block", "parent").rows() == [
        (VAULT, "gmx_v1/Vault", 200, OTHER)
    ]
    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal(4)]


def announced(name: str, symbol: str, market: Value = "token") -> Event:
    """Return an event of the vault into `markets`."""
    told: dict[str, Value] = {
        "market": market,
        "symbol": Const(symbol),
        "asset_class": Const("crypto"),
        "known_by": Const("event"),
    }
    return Event("gmx_v1/Vault", name, "markets", told)


def created() -> Built:
    """Return an UpdateFundingRate log."""
    return log("gmx_v1/Vault", "UpdateFundingRate", VAULT, token=TOKEN, fundingRate=1)


def over(protocol: Protocol, blocks: dict[int, list[Built]], known: Known | None = None) -> Facts:
    """Return the facts of blocks of one transaction each."""
    told = {"number": list(blocks), "timestamp": [NOON] * len(blocks)}
    headers = pl.DataFrame(told, {"number": pl.Int64, "timestamp": TIME})
    logs = pl.concat([frame(these, block=number) for number, these in blocks.items()])
    return facts([protocol], ARBITRUM, logs, headers, known or declared([protocol], ARBITRUM))


def test_markets_learned_in_a_batch_serve_that_batch() -> None:
    """A market's creation and its first trade may share a range."""
    learn = announced("UpdateFundingRate", "NEW/USD")
    protocol = small(fee(market=OfMarket("token", "symbol")), learn)

    result = made(protocol, [margin()], [created()])

    assert [row["market"] for row in rows(result, "fees")] == ["NEW/USD"]
    assert result.markets.select("market", "symbol").rows() == [(TOKEN, "NEW/USD")]


def test_a_market_is_known_from_the_block_that_announces_it_on() -> None:
    """Logs before it read the same whether they share a range with it or not."""
    learn = announced("UpdateFundingRate", "NEW")
    protocol = small(fee(market=OfMarket("token", "symbol")), learn)

    result = over(protocol, {199: [margin()], 200: [margin(), created()]})

    assert [row.get("market") for row in rows(result, "fees")] == [None, "NEW"]


def test_what_a_later_block_announced_again_hides_no_earlier_announcement() -> None:
    """Later blocks may be read before earlier ones: what they taught is not what stands."""
    learn = announced("UpdateFundingRate", "NEW")
    protocol = small(fee(market=OfMarket("token", "symbol")), learn)
    later = over(protocol, {300: [created()]}).markets
    known = merged(
        declared([protocol], ARBITRUM), Known(empty("tokens"), later, empty("contracts"))
    )

    result = over(protocol, {200: [margin(), created()]}, known)
    learned = merged(known, Known(empty("tokens"), result.markets, empty("contracts")))

    assert [row.get("market") for row in rows(result, "fees")] == ["NEW"]
    assert learned.markets["block_number"].to_list() == [200]


def test_the_earlier_of_two_announcements_stands_in_whatever_order_they_are_declared() -> None:
    """One range tells of a market what two do."""
    late, learn = (
        announced("UpdatePnl", "LATE", Const(TOKEN)),
        announced("UpdateFundingRate", "NEW"),
    )
    protocol = small(fee(market=OfMarket("token", "symbol")), late, learn)

    result = over(protocol, {200: [margin(), created()], 201: [pnl(1, has_profit=True, delta=9)]})

    assert [row.get("market") for row in rows(result, "fees")] == ["NEW"]
    assert result.markets.select("symbol", "block_number").rows() == [("NEW", 200)]


def test_batches_do_not_matter() -> None:
    """Two transactions together give the rows they give apart."""
    protocol = small(fee(fee_usd=Fixed("feeUsd", 0)))
    first, second = [margin(1), margin(2**256 - 1)], [margin(3)]

    together = made(protocol, first, second)

    apart = pl.concat([made(protocol, first).tables["fees"], made(protocol, second).tables["fees"]])
    assert together.tables["fees"]["fee_usd"].to_list() == apart["fee_usd"].to_list()
    assert len(together.rejects) == 1


def test_the_digest_is_of_meaning_not_of_prose() -> None:
    """Changed words keep the digest, and what is of another chain; a changed fact does not."""
    protocol = small(fee(fee_usd=Fixed("feeUsd", 30)), policies=SPLIT)
    same = replace(protocol, methodology="better said", name="Smaller")

    here, there = (
        [
            replace(protocol, tokens=(*protocol.tokens, Token(chain, OTHER, "TOK", 18))),
            replace(protocol, markets=(Market(chain, TOKEN, "TOK/USD"),)),
        ]
        for chain in (ARBITRUM, AVALANCHE)
    )

    for one in (same, *there):
        assert digest(one, ARBITRUM) == digest(protocol, ARBITRUM)
    for other in (
        replace(protocol, events=(fee(fee_usd=Fixed("feeUsd", 18)),)),
        replace(protocol, policies=SPLIT[:1]),
        replace(protocol, contracts=()),
        *here,
    ):
        assert digest(other, ARBITRUM) != digest(protocol, ARBITRUM)
    assert digest(protocol, AVALANCHE) != digest(protocol, ARBITRUM)


def test_a_token_that_two_protocols_declare_is_one() -> None:
    """What the first says stands, in whatever case the second writes the address."""
    address = TOKEN.replace("70", "7A")
    both = [
        replace(small(), slug=slug, tokens=(Token(ARBITRUM, one, symbol, 6),))
        for slug, one, symbol in (("a", address, "A"), ("b", address.lower(), "B"))
    ]

    assert declared(both, ARBITRUM).tokens["symbol"].to_list() == ["A"]


def test_plain_arguments_render_by_their_type() -> None:
    """An address is lower-case hex and a number its digits, in any text column."""
    event = fee(account=Arg("token"), market=Arg("feeTokens"))

    assert fees_of(event, margin(0, 2**200)) == [{"account": TOKEN, "market": str(2**200)}]


@pytest.mark.parametrize("has_profit", [True, False])
def test_a_flag_is_rendered_by_its_name(has_profit: bool) -> None:
    """In a text column a Boolean is true or false, not a digit."""
    event = replace(fee(market="hasProfit"), name="UpdatePnl")

    assert fees_of(event, pnl(1, has_profit, 0)) == [{"market": str(has_profit).lower()}]


@pytest.mark.parametrize(
    ("second", "moment"),
    [(253_402_300_799, datetime(9999, 12, 31, 23, 59, 59)), (253_402_300_800, None), (2**64, None)],
)
def test_a_time_that_nobody_meant_rejects_its_row(second: int, moment: datetime | None) -> None:
    """Seconds beyond the year 9999 are another unit, or no time at all."""
    price: dict[str, Value] = {"pool": "token", "share_price_tokens": Fixed("feeTokens", 0)}
    event = replace(fee(), into="share_prices", columns=price | {"nav_at": Time("feeUsd")})

    result = made(small(event), [margin(second)])

    assert [row["nav_at"] for row in rows(result, "share_prices")] == [moment] * bool(moment)
    told = [reason for *_, reason in reasons(result)]
    assert told == ["the time is beyond the year 9999"] * (not moment)


def test_an_event_that_the_abi_has_not_is_named() -> None:
    """Beside it stands what the ABI has, by which an overloaded one is found too."""
    misnamed = replace(fee(), name="CollectMarginFee")

    with pytest.raises(ValueError, match=r"no event CollectMarginFee; it has .*MarginFees"):
        fees_of(misnamed, margin())


@pytest.mark.parametrize("value", ["feeUsd", Rest("feed_usd", ())])
def test_a_column_that_cannot_be_made_is_named(value: Value) -> None:
    """What is no number in a column of numbers, or the rest of a column that is not there."""
    with pytest.raises((TypeError, KeyError)) as refused:
        fees_of(fee(fee_usd=value), margin())

    assert refused.value.__notes__ == ["column fee_usd of fees, made of CollectMarginFees"]

"""What a treasury and a creditor ask: what was paid, who owes, what waits, is old or was lost."""

from collections.abc import Mapping

import duckdb
import polars as pl
import pytest
from handmade import at, fill, shown, table

from analytics.load import rows
from analytics.queries import arguments, query_named

POOL = {"chain_id": 1, "protocol": "maple", "asset_token": "0xusdc"}


def test_a_queue_is_what_was_asked_less_what_was_taken_back_and_paid() -> None:
    """Of 10 shares asked for 3 were taken back and 5 paid: 2 of 20 wait; later is later."""
    flows = (
        flow("deposit", 20),
        flow("withdrawal_request", 10),
        flow("withdrawal_request_removed", 3),
        flow("withdrawal", 5),
        flow("withdrawal_request", 100, at(9)),
    )
    supplies = [{"supply_tokens": 25}, {"supply_tokens": 20, "block_number": 2}]

    assert answer(
        "redemption_queue",
        "counted_in request_count waiting_tokens waiting_ratio",
        {"until": at(8).isoformat()},
        pool_flows=table("pool_flows", *flows),
        share_prices=table("share_prices", *(POOL | each for each in supplies)),
    ) == [("shares", 1, "2", 0.1)]


def test_a_queue_told_in_assets_is_counted_in_assets() -> None:
    """Hyperliquid's bridge has no shares; a pool that was never asked has no row."""
    asked = ({"kind": "withdrawal_request", "asset_tokens": 7},)
    paid = ({"kind": "withdrawal", "asset_tokens": 9}, {"kind": "withdrawal", "pool": "0xother"})

    assert answer(
        "redemption_queue",
        "pool counted_in waiting_tokens waiting_ratio",
        pool_flows=table("pool_flows", *(POOL | each for each in asked + paid)),
        share_prices=table("share_prices", POOL | {"supply_tokens": 20}),
    ) == [("0xpool", "assets", "-2", None)]


def test_nobody_knows_a_queue_of_which_a_payment_tells_no_shares() -> None:
    """Goldfinch asks in shares and pays in dollars: one amount is unknown, and so is what waits."""
    paid = POOL | {"kind": "withdrawal", "asset_tokens": 5}

    assert answer(
        "redemption_queue",
        "requested_tokens paid_tokens unknown_count waiting_tokens",
        pool_flows=table("pool_flows", flow("withdrawal_request", 10), paid),
    ) == [("10", None, 1, None)]


def test_a_price_is_as_old_as_the_moment_it_is_of() -> None:
    """Told at 0 s, 100 s and 160 s, each a minute late; the last one repeats the one before."""
    prices = [(0, 1, -60), (100, 2, 40), (160, 2, 100)]

    assert answer(
        "nav_ages",
        "price_count stated_count nav_at age_seconds replaced_seconds oldest_seconds moved_at",
        share_prices=table("share_prices", *(price(*each) for each in prices)),
        **indexed(500),
    ) == [(3, 3, at(100), 400.0, 140.0, 400.0, at(100))]


def test_what_was_read_at_a_block_comes_after_what_it_logged() -> None:
    """A log says 3 and the block's state 2: it stands at 2; a price that is assumed is none."""
    read = price(0, 2) | {"log_index": -1}
    assumed = price(9, 1) | {"evidence": "assumed"}

    assert answer(
        "nav_ages",
        "price_count share_price_tokens stated_count nav_at age_seconds",
        share_prices=table("share_prices", read, price(0, 3) | {"log_index": 5}, assumed),
        **indexed(30),
    ) == [(2, "2", 0, at(0), 30.0)]


def test_of_what_is_not_indexed_no_age_is_known() -> None:
    """Without a covered block nobody knows until when nothing was said."""
    prices = table("share_prices", price(0, 1))

    assert answer("nav_ages", "nav_at age_seconds moved_at", share_prices=prices) == [
        (at(0), None, None)
    ]


def test_what_came_back_is_not_owed() -> None:
    """One owes 60 after interest and a loss, one has paid: the former is all of the pool."""
    events = (
        loan("0xa", kind="funded", principal_tokens=100),
        loan("0xa", kind="payment", principal_tokens=30, interest_tokens=5),
        loan("0xa", kind="payment", interest_tokens=5),
        loan("0xa", kind="default", loss_tokens=10),
        loan("0xb", kind="funded", principal_tokens=50),
        loan("0xb", kind="payment", principal_tokens=50),
        loan("0xc", kind="payment", principal_tokens=9, pool="0xnever_lent"),
    )
    found = answer(
        "borrowers",
        "pool account principal_tokens pool_ratio",
        credit_events=table("credit_events", *events),
    )

    assert found == [("0xpool", "0xa", "60", 1.0)]


@pytest.mark.parametrize(
    ("other", "shown_other"),
    [
        ({"kind": "payment"}, ("0xb", None, None, 1)),
        ({"kind": "payment", "principal_tokens": 2}, ("0xb", "-2", None, 0)),
    ],
)
def test_a_part_of_what_is_not_known_is_not_known(
    other: Mapping[str, object], shown_other: tuple[object, ...]
) -> None:
    """Another one's payment without an amount, or of a loan from before: nobody knows the whole."""
    events = (loan("0xa", kind="funded", principal_tokens=100), loan("0xb", **other))
    found = answer(
        "borrowers",
        "account principal_tokens pool_ratio unknown_count",
        {"pool": "0xpool", "accounts": "2"},
        credit_events=table("credit_events", *events),
    )

    assert found == [("0xa", "100", None, 0), shown_other]


def test_who_holds_is_told_beside_all_shares() -> None:
    """One took 30 and gave 10 back, one redeems what he was sent: 20 of 80 are the former's."""
    flows = (
        flow("deposit", 30, asset_tokens=33),
        flow("redemption", 10, asset_tokens=12),
        flow("dividend", 0),
        flow("withdrawal", 4, account="0xb", asset_tokens=5),
    )
    columns = "account shares_tokens pool_ratio net_tokens flow_count"
    frames = {"pool_flows": table("pool_flows", *flows)}
    supply = {"share_prices": table("share_prices", POOL | {"supply_tokens": 80})}

    assert answer("lenders", columns, **frames, **supply) == [
        ("0xa", "20", 0.25, "21", 3),
        ("0xb", "-4", -0.05, "-5", 1),
    ]
    assert answer("lenders", columns, **frames) == [
        ("0xa", "20", None, "21", 3),
        ("0xb", "-4", None, "-5", 1),
    ]


def test_a_loss_stands_beside_its_cover() -> None:
    """A default of 8 net of 2 that cover paid, of 5 given; 4 written down, 1 of them back again."""
    events = (
        loan("0xa", kind="default", loss_tokens=8),
        loan("0xa", kind="default"),
        loan("0xa", kind="impairment", loss_tokens=4),
        loan("0xa", kind="impairment_removed", loss_tokens=-1),
        loan("0xa", kind="recovery", principal_tokens=3),
    )
    cover = [("insurance_in", 5), ("insurance_out", 2), ("bad_debt", 8)]
    shortfalls = (POOL | {"kind": kind, "shortfall_tokens": tokens} for kind, tokens in cover)
    in_dollars = {"protocol": "gmx", "kind": "bad_debt", "shortfall_usd": 1}

    assert answer(
        "credit_losses",
        "default_count defaulted_tokens written_down_tokens recovered_tokens bad_debt_tokens"
        " cover_in_tokens cover_out_tokens unknown_count",
        credit_events=table("credit_events", *events),
        shortfalls=table("shortfalls", *shortfalls, in_dollars),
    ) == [(2, "8", "3", "3", "8", "5", "2", 1)]


PARTS = ("supply_side_usd", "treasury_usd", "holders_usd")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (60.0, 10.0, 30.0)),
        ({"supply_side_share": "0.2"}, (20.0, 20.0, 60.0)),
        ({"holders_share_of_revenue": "0.5"}, (60.0, 20.0, 20.0)),
        ({"supply_side_share": "1", "holders_share_of_revenue": "0"}, (100.0, 0.0, 0.0)),
        ({"supply_side_share": "0.5", "fee_kind": "swap"}, (5.0, None, None)),
    ],
)
def test_another_split_of_the_same_fees(
    given: dict[str, str], expected: tuple[object, ...]
) -> None:
    """Of 100, split 60, 10 and 30; of 10 for swaps, which all went to the supply side."""
    fees = table(
        "fees",
        {"fee_usd": 100} | dict(zip(PARTS, (60, 10, 30), strict=True)),
        {"fee_usd": 10, "fee_kind": "swap"} | dict(zip(PARTS, (10, 0, 0), strict=True)),
        {"fee_usd": 7, "split_basis": "none"},
    )

    assert answer(
        "split_changed",
        "new_supply_side_usd new_treasury_usd new_holders_usd",
        {"fee_kind": "position"} | given,
        fees=fees,
    ) == [expected]


def test_what_a_split_leaves_is_told_exactly() -> None:
    """Of a million dollars a cent is left, and of that cent a thousandth to the treasury."""
    parts = dict(zip(PARTS, ("999999.99", "0.00001", "0.00999"), strict=True))

    assert answer(
        "split_changed",
        "new_treasury_usd new_holders_usd",
        fees=table("fees", {"fee_usd": "1000000"} | parts),
    ) == [(0.00001, 0.00999)]


@pytest.mark.parametrize(("burned", "expected"), [(None, None), (3, "3")])
def test_a_day_without_purchases_does_not_tell_what_purchases_burned(
    burned: int | None, expected: str | None
) -> None:
    """A purchase one day, fees alone the next: unknown stays unknown, and is not zero."""
    assert answer(
        "buyback_promises",
        "day_count burned_tokens",
        buybacks=table("buybacks", {"burned_tokens": burned}),
        fees=table("fees", {"fee_usd": 1, "block_timestamp": at(days=1)}),
    ) == [(2, expected)]


def flow(kind: str, shares: object, when: object = at(1), **told: object) -> dict[str, object]:
    """Return a flow of shares."""
    return POOL | {"kind": kind, "share_tokens": shares, "block_timestamp": when} | told


def price(seconds: float, tokens: object, nav: float | None = None) -> dict[str, object]:
    """Return a share's price, and which moment it is of where that is told."""
    told = {"nav_at": at(nav)} if nav is not None else {}
    place = {"block_number": int(seconds) + 1, "block_timestamp": at(seconds)}
    return POOL | place | {"share_price_tokens": tokens} | told


def loan(account: str, **told: object) -> dict[str, object]:
    """Return an event of a loan of this account."""
    return POOL | {"account": account} | told


def indexed(seconds: float) -> dict[str, pl.DataFrame]:
    """Return what says that all was indexed until so many seconds after 21:00."""
    return {
        "coverage": table("coverage", POOL | {"from_block": 1, "to_block": 9}),
        "blocks": table("blocks", {"chain_id": 1, "number": 9, "timestamp": at(seconds)}),
    }


def answer(
    name: str, columns: str, given: Mapping[str, str] | None = None, /, **frames: pl.DataFrame
) -> list[object]:
    """Return some columns of an answer over these rows; decimals as short text."""
    with duckdb.connect() as con:
        fill(con, frames)
        query = query_named(name)
        found = rows(con, query.sql, arguments(query, dict(given or {})))
    return [tuple(shown(value) for value in row) for row in found.select(columns.split()).rows()]

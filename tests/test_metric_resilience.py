"""Claims that nothing happened, and what an event did to pools and protocols."""

from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from both_engines import agreed
from handmade import at, column, table

Row = Mapping[str, object]
EVENT = {"event_start": at(0).isoformat(), "event_end": at(100).isoformat()}
INSIDE: dict[str, object] = {"block_timestamp": at(0), "block_number": 5}  # the first moment
BEFORE: dict[str, object] = {"block_timestamp": at(-50), "block_number": 1}
AFTER: dict[str, object] = {"block_timestamp": at(100), "block_number": 9}  # the first after it
ENDS: tuple[Row, ...] = (
    {"number": 1, "timestamp": at(-1)},
    {"number": 10, "timestamp": at(101)},
    {"number": 5, "timestamp": at(50)},
    {"number": 0, "timestamp": at(-9)},
    {"number": 11, "timestamp": at(109)},
)


def claim(
    covered: tuple[tuple[int, int], ...] = ((1, 5), (6, 10)),
    ends: tuple[Row, ...] = ENDS,
    **facts: Row,
) -> dict[str, object]:
    """Return what can be said of an event in blocks 1 to 10."""
    spans = ({"from_block": first, "to_block": last} for first, last in covered)
    world = {"blocks": table("blocks", *ends), "coverage": table("coverage", *spans)}
    world["declared_facts"] = table("declared_facts", {"fact": "credit_events"})
    world |= {name: table(name, row) for name, row in facts.items()}
    (row,) = agreed("zero_liquidations", world, **EVENT).to_dicts()
    return row


def test_a_claim_holds_where_every_block_is_covered_and_nothing_happened() -> None:
    """The blocks of the claim and their proof are shown."""
    row = claim()

    assert row["verdict"] == "holds"
    assert (row["window_from_block"], row["window_to_block"]) == (1, 10)
    assert (row["window_blocks"], row["covered_blocks"], row["proofs"]) == (10, 10, "fetched")


def test_what_proves_other_blocks_proves_none_of_the_window() -> None:
    """The proofs are those of blocks of the window, and none where it is not known."""
    outside: Row = {"from_block": 11, "to_block": 20, "proof": "bloom"}
    inside: Row = {"from_block": 1, "to_block": 10, "proof": "fetched"}

    def proofs(*spans: Row, ends: tuple[Row, ...] = ENDS) -> list[object]:
        facts = {"blocks": table("blocks", *ends), "coverage": table("coverage", *spans)}
        return column(agreed("zero_liquidations", facts, **EVENT), "proofs")

    assert proofs(inside, outside) == ["fetched"]
    assert proofs(outside) == [None]
    assert proofs(inside, outside, ends=ENDS[:1]) == [None]


@pytest.mark.parametrize(
    "facts",
    [
        {"credit_events": INSIDE | {"kind": "liquidation"}},
        {"credit_events": INSIDE | {"kind": "default"}},
        {"credit_events": INSIDE | {"kind": "impairment"}},
        {"credit_events": INSIDE | {"kind": "repossession"}},
        {"credit_events": INSIDE | {"kind": "collateral_sale"}},
        {"credit_events": INSIDE | {"kind": "seizure"}},
        {"liquidations": INSIDE},
    ],
)
@pytest.mark.parametrize("covered", [((1, 10),), ((5, 5),)])
def test_one_event_refutes_it_whatever_is_covered(
    facts: dict[str, Any], covered: tuple[tuple[int, int], ...]
) -> None:
    """A gap does not make an event disappear."""
    assert claim(covered, **facts)["verdict"] == "does not hold"


@pytest.mark.parametrize(
    "facts",
    [
        {"credit_events": INSIDE | {"kind": "call"}},
        {"credit_events": INSIDE | {"kind": "payment"}},
        {"credit_events": BEFORE | {"kind": "default"}},
        {"credit_events": AFTER | {"kind": "default"}},
        {"liquidations": AFTER | {"protocol": "other"}},
        {"rejects": {"block_number": 5, "fact": "fees"}},
        {"rejects": {"block_number": 11}},
    ],
)
def test_what_is_no_loss_or_elsewhere_does_not(facts: dict[str, Any]) -> None:
    """A call, a payment, another time, another protocol, an unreadable fee."""
    assert claim(**facts)["verdict"] == "holds"


@pytest.mark.parametrize("covered", [((1, 4), (6, 10)), ((1, 9),), ((2, 10),), ((20, 30),)])
def test_a_gap_leaves_it_open(covered: tuple[tuple[int, int], ...]) -> None:
    """A zero outside what is indexed says nothing."""
    assert claim(covered)["verdict"] == "not covered"


@pytest.mark.parametrize("fact", ["credit_events", "liquidations", None])
def test_an_unreadable_log_leaves_it_open(fact: str | None) -> None:
    """It might have been the liquidation."""
    row = claim(rejects={"block_number": 5, "fact": fact})

    assert (row["verdict"], row["reject_count"]) == ("not covered", 1)


@pytest.mark.parametrize(
    "declared", [{"fact": "buybacks"}, {"fact": "liquidations", "chain_id": 7}]
)
@pytest.mark.parametrize("covered", [((1, 10),), ((5, 5),)])
def test_who_could_not_tell_of_a_loss_claims_nothing(
    declared: dict[str, Any], covered: tuple[tuple[int, int], ...]
) -> None:
    """Only buybacks are read of it, or its liquidations elsewhere: a zero is nobody's finding."""
    assert claim(covered, declared_facts=declared)["verdict"] == "cannot tell"


@pytest.mark.parametrize(
    "facts",
    [{"liquidations": BEFORE}, {"credit_events": BEFORE | {"kind": "payment"}}],
)
def test_who_told_of_some_once_can_tell(facts: dict[str, Any]) -> None:
    """What no declaration says, rows do, as those of files that were brought."""
    silent = {"fact": "fees"}

    assert claim(declared_facts=silent, **facts)["verdict"] == "holds"
    assert claim(declared_facts=silent, liquidations=INSIDE)["verdict"] == "does not hold"


def test_time_that_no_block_surrounds_is_not_covered() -> None:
    """Without a block at or after the event's end nobody knows where it ends."""
    row = claim(ends=ENDS[:1])

    assert (row["verdict"], row["window_blocks"], row["covered_blocks"]) == (
        *("not covered", None),
        None,
    )


def pools(**facts: tuple[Row, ...]) -> pl.DataFrame:
    """Return what the event did to pools."""
    frames = {name: table(name, *rows) for name, rows in facts.items()}
    return agreed("pool_resilience", frames, **EVENT)


def test_a_pool_loses_price_and_money() -> None:
    """From 2 to 1.5 is a quarter; 30 of the 100 it managed left, net of 10 that came."""
    result = pools(
        share_prices=(
            BEFORE | {"share_price_tokens": 2, "supply_tokens": 999},
            INSIDE | {"share_price_tokens": "1.5"},
            AFTER | {"share_price_tokens": 9},
        ),
        pool_flows=(
            INSIDE | {"kind": "withdrawal", "asset_tokens": 40},
            INSIDE | {"kind": "deposit", "asset_tokens": 10},
            BEFORE | {"kind": "withdrawal", "asset_tokens": 5},
        ),
        pool_states=(
            BEFORE | {"assets_tokens": 100},
            BEFORE | {"assets_tokens": 60, "part": "0xmanager"},
            INSIDE | {"assets_tokens": 50},
        ),
    )

    assert result.select("price_change_ratio", "outflow_ratio").rows() == [(-0.25, 0.3)]
    assert result.select("managed_tokens", "flow_count").rows() == [(100.0, 2)]


@pytest.mark.parametrize(
    ("table_name", "told"),
    [
        ("share_prices", {"share_price_tokens": 1}),
        ("pool_states", {"assets_tokens": 1}),
        ("pool_flows", {"kind": "deposit", "asset_tokens": 1}),
    ],
)
def test_a_pool_that_came_after_the_event_has_no_row(
    table_name: str, told: dict[str, object]
) -> None:
    """It is first told of in the moment that is no longer of the event."""
    assert pools(**{table_name: (AFTER | told,)}).is_empty()
    assert not pools(**{table_name: (INSIDE | told,)}).is_empty()


def test_shares_times_price_stand_in_for_what_is_managed() -> None:
    """25 shares of 2; nothing flowed, which is a measured zero."""
    result = pools(
        share_prices=(BEFORE | {"share_price_tokens": 2, "supply_tokens": 25},),
        declared_facts=({"fact": "pool_flows"},),
    )

    assert result.select("managed_tokens", "outflow_ratio").rows() == [(50.0, 0.0)]
    assert result["price_change_ratio"].to_list() == [None]


def test_what_left_is_unknown_where_nothing_tells_of_flows() -> None:
    """Declared on another chain, a flow that never came here is no zero; of another pool it is."""
    facts: dict[str, tuple[Row, ...]] = {
        "share_prices": (BEFORE | {"share_price_tokens": 2, "supply_tokens": 25},),
        "declared_facts": ({"fact": "share_prices"}, {"fact": "pool_flows", "chain_id": 5}),
    }
    frames = {name: table(name, *rows) for name, rows in facts.items()}
    flow = BEFORE | {"kind": "deposit", "pool": "0xother", "asset_tokens": 1}

    (silent,) = pools(**facts).select("out_tokens", "flow_count", "outflow_ratio").rows()
    beside = agreed("resilience", frames, **EVENT).select("^(flow|unknown|worst_o).*$")

    assert silent == (None, None, None)
    assert beside.rows() == [(None, None, None)]
    assert pools(**facts, pool_flows=(flow,))["outflow_ratio"].to_list() == [None, 0.0]


def test_a_price_that_is_assumed_has_no_change() -> None:
    """A dollar by a fund's terms is one after the event too, whatever happened."""
    dollar = {"share_price_tokens": 1, "supply_tokens": 25, "evidence": "assumed"}

    result = pools(share_prices=(BEFORE | dollar, INSIDE | dollar))

    assert result.select("price_change_ratio", "managed_tokens").rows() == [(None, 25.0)]


def test_an_outflow_without_an_amount_is_unknown() -> None:
    """Nor is one a share of something unknown."""
    state = BEFORE | {"assets_tokens": 100}
    result = pools(pool_flows=(INSIDE | {"kind": "withdrawal"},), pool_states=(state,))

    assert result["outflow_ratio"].to_list() == [None]
    assert pools(pool_flows=(INSIDE | {"kind": "deposit"},))["outflow_ratio"].to_list() == [None]


def test_no_row_is_a_zero_of_what_a_declaration_would_tell() -> None:
    """Declared, an event that never came is a zero; what is not declared, nobody knows."""
    facts: dict[str, tuple[Row, ...]] = {
        "share_prices": (INSIDE | {"protocol": "fund", "share_price_tokens": 1},),
        "liquidations": (INSIDE | {"protocol": "unpriced", "notional_usd": None},),
        "declared_facts": tuple(
            {"protocol": protocol, "fact": fact}
            for protocol, fact in (
                *(("perp", "liquidations"), ("perp", "fees"), ("lender", "credit_events")),
                *(("unpriced", "liquidations"), ("unpriced", "adls"), ("feed", "oracle_updates")),
            )
        ),
    }
    frames = {name: table(name, *rows) for name, rows in facts.items()}

    result = agreed("resilience", frames, **EVENT)

    counts = ("family", "liquidation_count", "adl_count", "default_count")
    assert result.select("protocol", *counts).rows() == [
        ("fund", "funds", None, None, None),
        ("lender", "credit", None, None, 0),
        ("perp", "perps", 0, None, None),
        ("unpriced", "perps", 1, 0, None),
    ]
    assert column(result, "liquidation_notional_usd") == [None, None, "0", None]
    assert column(result, "adl_notional_usd") == [None, None, None, "0"]


def test_perps_and_credit_stand_side_by_side() -> None:
    """A venue with liquidations and an ADL, a lender with one default, a fund with a price."""
    facts: dict[str, tuple[Row, ...]] = {
        "liquidations": (
            INSIDE | {"protocol": "perp", "notional_usd": 7},
            AFTER | {"protocol": "perp", "notional_usd": 9},
        ),
        "adls": (BEFORE | {"protocol": "perp", "notional_usd": 3},),
        "declared_facts": ({"protocol": "venue", "fact": "open_interest"},),
        "credit_events": (
            INSIDE | {"protocol": "lender", "kind": "default"},
            BEFORE | {"protocol": "lender", "kind": "liquidation"},
        ),
        "share_prices": (
            BEFORE | {"protocol": "fund", "share_price_tokens": 2},
            INSIDE | {"protocol": "fund", "share_price_tokens": 1},
            BEFORE | {"protocol": "fund", "pool": "0xother", "share_price_tokens": 1},
            INSIDE | {"protocol": "fund", "pool": "0xother", "share_price_tokens": 2},
        ),
    }
    frames = {name: table(name, *rows) for name, rows in facts.items()}

    result = agreed("resilience", frames, **EVENT)

    counts = ("family", "liquidation_count", "adl_count", "lending_liquidation_count")
    assert result.select("protocol", *counts, "default_count").rows() == [
        ("fund", "funds", None, None, None, None),
        ("lender", "credit", None, None, 0, 1),
        ("perp", "perps", 1, 0, None, None),
        ("venue", "perps", None, None, None, None),
    ]
    assert column(result, "liquidation_notional_usd") == [None, None, "7", None]
    assert column(result, "adl_notional_usd") == [None, None, "0", None]
    assert result["worst_price_change_ratio"].to_list() == [-0.5, None, None, None]
    assert result["priced_pool_count"].to_list() == [2, None, None, None]

"""The simulated world is one world: repeatable, and in agreement with itself."""

from collections import Counter
from datetime import datetime
from decimal import Decimal

import pytest
from simulated_world import SEED, total, totals, world

from indexer.simulation.encoding import topic
from indexer.simulation.ledger import Row, exact, text
from indexer.simulation.prices import CRASH, END, START, between, block_times, depth, paths
from indexer.simulation.scenarios import ONE, SCENARIOS
from indexer.simulation.served import SIMULATED_CLIENT
from indexer.simulation.world import simulated

CRASH_HOURS = {datetime(2026, 1, 6, 20), datetime(2026, 1, 6, 21)}
Side = tuple[object, object, object]


def side(row: Row) -> Side:
    """Return market, collateral token and direction of a row."""
    return row["market"], row["collateral_token"], row["is_long"]


def of(table: str, protocol: str) -> list[Row]:
    """Return the rows of one protocol in the simulator's books."""
    return [row for row in world().ledger.rows(table) if row["protocol"] == protocol]


def test_a_seed_decides_every_byte() -> None:
    """The same seed makes the same blocks again, another seed makes others."""
    script = SCENARIOS["calm"]
    one, again, other = (simulated(seed, script) for seed in (SEED, SEED, SEED + 1))

    assert again.digest() == one.digest() != other.digest()


def test_prices_need_no_luck_to_crash() -> None:
    """Whatever the seed, the wick is deep, the book is thin then, and prices come back up."""
    times = block_times()

    for seed in range(5):
        eth = [prices["ETH"] for prices in paths(seed, times).values()]
        before, wick = eth[times.index(CRASH)], min(eth[times.index(CRASH) :])
        after = eth[times.index(CRASH + 7_200)]
        assert wick < before * 80 // 100 < after * 95 // 100
    assert depth(CRASH + 1_500) * 10 == depth(START) == ONE


def test_lines_between_points() -> None:
    """Outside the points the nearest holds, between two of them the straight line."""
    points = ((0, 0), (10, 100), (20, 0))

    found = [between(points, place) for place in (-5, 0, 5, 10, 15, 99)]

    assert found == [0, 0, 50, 100, 50, 0]


def test_the_node_says_that_it_is_simulated() -> None:
    """Both chains carry the client version by which every reader knows them."""
    assert {chain.client_version for chain in world().chains} == {SIMULATED_CLIENT}
    assert [chain.chain_id for chain in world().chains] == [42161, 1]


def test_blocks_are_linked_and_cover_three_days() -> None:
    """Each block names its parent's hash; time runs from the second block to the last day's end."""
    for chain in world().chains:
        blocks = chain.blocks
        parents = [str(block.header["parentHash"]) for block in blocks[1:]]
        assert parents == [block.hash for block in blocks[:-1]]
        assert int(str(blocks[1].header["timestamp"]), 16) == START
        assert END - int(str(blocks[-1].header["timestamp"]), 16) <= 120


def test_open_interest_is_the_sum_of_positions() -> None:
    """The venue's running totals equal its open positions, in dollars, tokens and margin."""
    venue = world().venue
    expected: dict[object, tuple[int, int, int]] = {}
    for one in venue.positions.values():
        key = (one.market.address, one.collateral.address, one.is_long)
        was = expected.get(key, (0, 0, 0))
        now = (one.size_usd, one.size_tokens, one.margin)
        expected[key] = (was[0] + now[0], was[1] + now[1], was[2] + now[2])

    assert {key: sums for key, sums in venue.sizes.items() if any(sums)} == expected


def test_changes_of_positions_add_up_to_what_is_open() -> None:
    """Every increase and decrease in the books together leaves what the venue ends with."""
    changed = totals(of("position_changes", "gmx_v2"), side, "notional_delta_usd")

    sizes = world().venue.sizes
    ends = {(text(key[0]), text(key[1]), key[2]): exact(sums[0], 30) for key, sums in sizes.items()}
    assert changed.keys() == ends.keys()
    # Each change is cut off at 1e-18 dollars on its own.
    assert all(abs(changed[key] - ends[key]) < Decimal("1e-14") for key in ends)


def test_nobody_is_liquidated_and_deleveraged_at_once() -> None:
    """One order is a trade, a liquidation or an ADL, never two of them."""
    liquidated = {row["tx_hash"] for row in world().ledger.rows("liquidations")}
    deleveraged = {row["tx_hash"] for row in world().ledger.rows("adls")}

    assert not liquidated & deleveraged


def test_forced_closes_are_position_changes_too() -> None:
    """Each liquidation and each ADL closes a position by exactly its notional."""
    causes = {("liquidation", "liquidations"), ("adl", "adls")}

    for cause, table in causes:
        changes = [row for row in of("position_changes", "gmx_v2") if row["cause"] == cause]
        cuts = {row["tx_hash"]: row["notional_usd"] for row in of(table, "gmx_v2")}
        closed = {row["tx_hash"]: row["notional_delta_usd"] for row in changes}
        assert cuts.keys() == closed.keys() != set()
        assert all(cuts[key] == -closed[key] for key in cuts)  # type: ignore[operator]


def test_adls_cut_winners() -> None:
    """An ADL always closes a position in profit."""
    gains = [row["realized_pnl_usd"] for row in world().ledger.rows("adls")]

    assert gains
    assert all(isinstance(gain, Decimal) and gain > 0 for gain in gains)


def test_the_crash_is_where_the_liquidations_are() -> None:
    """Most liquidated notional falls into the two hours of the crash, mostly of longs."""
    rows = world().ledger.rows("liquidations")
    in_crash = [
        row
        for row in rows
        if isinstance(at := row["block_timestamp"], datetime)
        and at.replace(minute=0, second=0) in CRASH_HOURS
    ]

    assert total(in_crash, "notional_usd") * 2 > total(rows, "notional_usd")
    sides = totals(in_crash, lambda row: row["is_long"], "notional_usd")
    assert sides[True] > 2 * sides[False]


def test_bad_debt_is_what_insolvent_closes_left() -> None:
    """Shortfalls and the liquidations they belong to say the same, and there are some."""
    debts = totals(of("shortfalls", "gmx_v2"), lambda row: row["tx_hash"], "shortfall_usd")
    left = totals(of("liquidations", "gmx_v2"), lambda row: row["tx_hash"], "shortfall_usd")

    assert debts
    assert debts == {key: value for key, value in left.items() if value}


def test_an_insolvent_close_pays_no_fee() -> None:
    """Where the margin ran out there are fees that would have been due, and no fee in the books."""
    insolvent = {row["tx_hash"] for row in of("shortfalls", "gmx_v2")}

    assert not insolvent & {row["tx_hash"] for row in of("fees", "gmx_v2")}


def test_every_fee_is_split_to_the_last_digit() -> None:
    """Supply side, treasury and holders of each fee add up to the fee."""
    for row in world().ledger.rows("fees"):
        parts = [row[name] for name in ("supply_side_usd", "treasury_usd", "holders_usd")]
        assert sum(part for part in parts if isinstance(part, Decimal)) == row["fee_usd"]


def test_buybacks_spend_no_more_than_stakers_get() -> None:
    """What is spent on the token stays below the holders' part of the fees."""
    spent = total(world().ledger.rows("buybacks"), "spent_usd")

    assert 0 < spent < total(of("fees", "gmx_v2"), "holders_usd")


def test_the_credit_pool_pays_through_the_crash() -> None:
    """Loans pay interest before, in and after the crash, and none is impaired."""
    rows = of("credit_events", "maple")

    days = {at.day for row in rows if isinstance(at := row["block_timestamp"], datetime)}
    assert days == {5, 6, 7}
    assert {row["kind"] for row in rows} == {"funded", "payment", "call"}


def test_there_is_noise_to_be_ignored() -> None:
    """More logs are on the chain than any declaration asks for, of strangers and of the emitter."""
    topics = Counter(key[1] for block in world().chains[0].blocks for key in block.log_keys)

    assert topics["0x" + topic("Transfer(address,address,uint256)").hex()] > 100


@pytest.mark.parametrize(
    ("value", "places", "over", "expected"),
    [(1_999, 21, 1, "1E-18"), (-1_999, 21, 1, "-1E-18"), (10**30, 30, 3, "0.333333333333333333")],
)
def test_the_books_cut_off_toward_zero(value: int, places: int, over: int, expected: str) -> None:
    """Numbers in the books end at 18 places, nearer to zero than the exact one."""
    assert exact(value, places, over) == Decimal(expected)

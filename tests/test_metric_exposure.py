"""Drawdowns of open interest, its reconciliation, leverage and concentration, by hand."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import polars as pl
import pytest
from both_engines import (
    concentration,
    leverage_at_liquidation,
    open_interest,
    open_interest_against_closed,
    open_interest_drawdown,
    open_interest_reconciliation,
    open_interest_total,
)
from handmade import at, column, shown, table, units
from hypothesis import given
from hypothesis import strategies as st

Row = Mapping[str, object]
Metric = Callable[..., pl.LazyFrame]
changes = st.lists(st.tuples(st.booleans(), st.integers(-(10**30), 10**30)), min_size=1)


def hour(number: int) -> dict[str, object]:
    """Return the time of an event in this hour."""
    return {"block_timestamp": at(3600 * number), "block_number": number + 1}


def grown(number: int, usd: object, tokens: object = 0, **more: object) -> dict[str, object]:
    """Return a change of open interest in this hour."""
    deltas = {"open_interest_delta_usd": usd, "open_interest_delta_tokens": tokens}
    return hour(number) | deltas | more


def moved(number: int, usd: object, cause: str = "trade", **more: object) -> dict[str, object]:
    """Return a change of a position in this hour."""
    return hour(number) | {"notional_delta_usd": usd, "cause": cause} | more


def traded(number: int, size: object, price: object, **more: object) -> dict[str, object]:
    """Return a change of a position by this size at this price."""
    usd = Decimal(str(size)) * Decimal(str(price))
    at_price = {"size_delta_tokens": size, "execution_price_usd": price}
    return moved(number, usd) | at_price | more


def drawdown(*rows: Row) -> pl.DataFrame:
    """Return the drawdowns of the markets of these events."""
    return open_interest_drawdown(table("open_interest", *rows).lazy()).collect()


def total(*rows: Row) -> pl.DataFrame:
    """Return what is open over all markets of these events."""
    return open_interest_total(table("open_interest", *rows).lazy()).collect()


def both(
    metric: Metric, states: Sequence[Row], positions: Sequence[Row], bucket_seconds: int = 3600
) -> pl.DataFrame:
    """Return a metric of open interest and positions."""
    frames = table("open_interest", *states).lazy(), table("position_changes", *positions).lazy()
    return metric(*frames, bucket_seconds=bucket_seconds).collect()


def test_a_market_that_is_silent_stays_open() -> None:
    """60 long of one market and 40 of another are 100, and 70 when the first closes 30."""
    result = total(grown(0, 60), grown(1, 40, market="ETH"), grown(3, -30))

    assert result["bucket_at"].to_list() == [at(), at(3600), at(3 * 3600)]
    assert column(result, "open_interest_total_usd") == ["60", "100", "70"]
    assert result["market_count"].to_list() == result["delta_market_count"].to_list() == [1, 2, 2]


def test_markets_of_venues_and_chains_are_added() -> None:
    """The same name on another chain or of another protocol is another market."""
    result = total(grown(0, 1), grown(0, 2, chain_id=10), grown(0, 4, protocol="other"))

    assert column(result, "open_interest_long_usd") == ["7"]
    assert result["market_count"].to_list() == [3]


def test_a_market_that_is_not_known_is_counted_and_not_added() -> None:
    """A market that told its longs alone has no total; before any has, the sum is not known."""
    one_sided = hour(0) | {"open_interest_usd": 9, "market": "ETH"}
    closed = hour(2) | {"open_interest_usd": 0, "market": "ETH", "is_long": False}

    result = total(one_sided, grown(1, 5), closed)

    assert column(result, "open_interest_total_usd") == [None, "5", "14"]
    assert column(result, "open_interest_long_usd") == ["9", "14", "14"]
    assert column(result, "open_interest_short_usd") == [None, "0", "0"]
    assert result["unknown_market_count"].to_list() == [1, 1, 0]
    assert result["delta_market_count"].to_list() == [0, 1, 1]


@given(changes)
def test_with_one_market_the_total_is_the_market(drawn: list[tuple[bool, int]]) -> None:
    """A venue's only market is all of it, to the last digit."""
    rows = [
        grown(place, units(number), is_long=is_long)
        for place, (is_long, number) in enumerate(drawn)
    ]
    market = open_interest(table("open_interest", *rows).lazy()).collect()
    names = [f"open_interest_{name}_usd" for name in ("long", "short", "total")]

    assert total(*rows).select(names).equals(market.select(names))


def test_a_drawdown_is_from_the_highest_so_far_to_the_lowest_to_come() -> None:
    """100, 50, 80, 20: from 100 to 20 is a fall of 80 %, from nothing later none."""
    result = drawdown(grown(0, 100), grown(1, -50), grown(2, 30), grown(3, -60))

    market = result.filter(pl.col("market") == "BTC")
    assert column(market, "peak_usd") == ["100", "100", "100", "100"]
    assert column(market, "lowest_usd") == ["20", "20", "20", None]
    assert market["drawdown_usd_ratio"].to_list() == [-0.8, -0.8, -0.8, None]


def test_no_fall_is_deeper_than_all_that_was_open() -> None:
    """5 and 10 less are less than nothing: what was open before is missing, and so is the fall."""
    result = drawdown(grown(0, 5), grown(1, -10), grown(2, 20), grown(3, -3))

    market = result.filter(pl.col("market") == "BTC")
    assert column(market, "lowest_usd") == ["-5", "12", "12", None]
    assert market["drawdown_usd_ratio"].to_list() == [None, 1.4, -0.2, None]


def test_a_fall_of_the_price_is_no_drawdown_in_base_units() -> None:
    """Dollars halve while the same coins stay open."""
    result = drawdown(grown(0, 100, 2), grown(1, -50, 0)).filter(pl.col("market") == "BTC")

    assert result["drawdown_usd_ratio"].to_list() == [-0.5, None]
    assert result["drawdown_tokens_ratio"].to_list() == [0.0, None]


def test_markets_of_a_protocol_are_added_in_dollars_only() -> None:
    """One falls from 60 to 30 while the other stays at 40: 100 to 70."""
    result = drawdown(grown(0, 60), grown(0, 40, market="ETH"), grown(1, -30))

    venue = result.filter(pl.col("market").is_null())
    assert column(venue, "open_interest_total_usd") == ["100", "70"]
    assert venue["drawdown_usd_ratio"].to_list() == [-0.3, None]
    assert venue["open_interest_total_tokens"].to_list() == [None, None]


def test_a_protocol_is_unknown_while_a_market_of_it_is() -> None:
    """A market with one side of it told has no total."""
    one_sided = hour(0) | {"market": "ETH", "open_interest_usd": 5}
    other = hour(1) | {"market": "ETH", "open_interest_usd": 5, "is_long": False}

    result = drawdown(grown(0, 60), one_sided, other).filter(pl.col("market").is_null())

    assert column(result, "open_interest_total_usd") == [None, "70"]


def told(number: int, version: str, usd: object, tokens: object = None) -> list[Row]:
    """Return what a version says is open in this hour, half of it on each side."""
    said = {"version": version, "open_interest_usd": usd, "open_interest_tokens": tokens}
    return [hour(number) | said | {"is_long": is_long} for is_long in (True, False)]


def test_what_moves_to_the_next_release_does_not_fall() -> None:
    """80 under one release and 20 under the next, then 0 and 90: 100 fell to 90, by a tenth."""
    rows = (*told(0, "9", 40), *told(0, "10", 10, 1), *told(1, "9", 0), *told(1, "10", 45, 4))

    falls, whole = drawdown(*rows), total(*rows)

    assert falls["market"].to_list() == ["BTC", "BTC", None, None]
    assert column(falls, "open_interest_total_usd") == ["100", "90"] * 2
    assert falls["drawdown_usd_ratio"].to_list() == [-0.1, None] * 2
    assert whole["market_count"].to_list() == [1, 1]
    assert column(whole, "open_interest_total_usd") == ["100", "90"]


def test_a_market_is_unknown_or_of_changes_once() -> None:
    """One side of two versions of a market, and changes of two of another: one of each."""
    sides = [row for version in ("1", "2") for row in told(0, version, 5)[:1]]
    others = [grown(0, 5, market="ETH", version=version) for version in ("1", "2")]

    whole = total(*sides, *others)

    counts = ("market_count", "unknown_market_count", "delta_market_count")
    assert whole.select(counts).rows() == [(2, 1, 1)]


def test_a_release_that_tells_dollars_alone_has_no_tokens_while_they_are_zero() -> None:
    """Known where only the next one has any; where the old one alone has spoken, nothing is."""
    rows = (*told(0, "9", 0), *told(1, "10", 10, 1), *told(2, "9", 5), *told(3, "9", 0))

    result = both(open_interest_reconciliation, rows, [])
    falls = drawdown(*rows)

    assert column(result, "state_tokens") == [None, "2", None, "2"]
    assert column(falls, "open_interest_total_tokens")[:4] == [None, "2", None, "2"]


def test_closings_explain_a_fall_of_open_interest() -> None:
    """100 less 30 traded, 20 liquidated, 10 deleveraged, 5 taken over, and 8 nobody explains."""
    closings = [
        moved(1, -30),
        moved(1, -20, "liquidation"),
        moved(1, -10, "adl"),
        moved(1, -5, "takeover"),
    ]

    result = both(
        open_interest_against_closed, [grown(0, 100), grown(1, -73)], [moved(0, 100), *closings]
    )

    assert column(result, "open_interest_change_usd") == ["100", "-73"]
    names = ("opened", *(f"closed_by_{cause}" for cause in ("trade", "liquidation", "adl")))
    assert [column(result, f"{name}_usd")[1] for name in names] == ["0", "30", "20", "10"]
    assert column(result, "closed_by_other_usd") == ["0", "5"]
    assert column(result, "unexplained_usd") == ["0", "-8"]


def test_the_first_absolute_value_is_a_level() -> None:
    """Its change is unknown; that of the next is not. Silence about dollars is no change."""
    states = [
        hour(0) | {"open_interest_usd": 100},
        hour(1) | {"open_interest_tokens": 1},
        hour(2) | {"open_interest_usd": 70},
    ]

    result = both(open_interest_against_closed, states, [moved(2, -30)])

    assert column(result, "open_interest_change_usd") == [None, "0", "-30"]
    assert column(result, "unexplained_usd") == [None, "0", "0"]


def test_a_level_after_a_change_counts_what_the_change_left_of_it() -> None:
    """100, then 50 more, then 160: 50 and 10 more are open, of the longs; shorts stay at 30."""
    states = [
        *(hour(0) | {"open_interest_usd": usd, "is_long": usd == 100} for usd in (100, 30)),
        grown(1, 50),
        *(hour(2) | {"open_interest_usd": usd, "is_long": usd == 160} for usd in (160, 30)),
    ]

    result = both(open_interest_against_closed, states, [moved(1, 50), moved(2, 10)])

    assert column(result, "open_interest_change_usd") == [None, "50", "10"]
    assert column(result, "unexplained_usd") == [None, "0", "0"]


def test_what_a_market_never_tells_is_unknown() -> None:
    """Without positions nothing is explained, without open interest there is nothing to explain."""
    alone = both(open_interest_against_closed, [grown(0, 5)], [])
    positions = both(open_interest_against_closed, [], [moved(0, 5), moved(1, None)])

    assert alone.select("opened_usd", "unknown_count", "unexplained_usd").row(0) == (None,) * 3
    assert positions["open_interest_change_usd"].to_list() == [None, None]
    assert positions["unknown_count"].to_list() == [0, 1]


def test_a_market_that_tells_base_units_alone_tells_no_change_in_dollars() -> None:
    """MUX, ApolloX and Synthetix v2 do: what was opened is not left unexplained by it."""
    states = [grown(0, None, 2), grown(1, 5, 2, market="ETH"), grown(2, None, 2, market="ETH")]

    result = both(open_interest_against_closed, states, [moved(0, 100), moved(1, -30)])

    assert column(result, "market") == ["BTC", "BTC", "ETH", "ETH"]
    assert column(result, "open_interest_change_usd") == [None, None, "5", "0"]
    assert column(result, "unexplained_usd") == [None] * 4


def test_positions_and_state_are_compared_in_both_units() -> None:
    """Positions add up to 90 and 9 where the venue says 100 and 9: 1,000 bps and none."""
    result = both(
        open_interest_reconciliation,
        [grown(1, 100, 9)],
        [moved(0, 60, size_delta_tokens=6), moved(1, 30, size_delta_tokens=3)],
    )

    assert column(result, "error_usd") == ["-10"]
    assert column(result, "error_tokens") == ["0"]
    assert result.select("error_usd_bps", "error_tokens_bps").rows() == [(-1000.0, 0.0)]


def test_a_change_that_is_not_told_ends_the_sum() -> None:
    """From then on nobody knows; the other unit goes on."""
    positions = [moved(0, 5, size_delta_tokens=1), moved(1, None, size_delta_tokens=1)]

    result = both(open_interest_reconciliation, [grown(0, 5), grown(1, 5)], positions)

    assert column(result, "events_usd") == ["5", None]
    assert column(result, "events_tokens") == ["1", "2"]


@given(changes)
def test_the_sum_of_changes_is_the_open_interest(steps: list[tuple[bool, int]]) -> None:
    """Positions that change as open interest does leave no error and nothing unexplained."""
    states = [
        grown(place % 3, units(number), is_long=side) for place, (side, number) in enumerate(steps)
    ]
    positions = [moved(place % 3, units(number)) for place, (_, number) in enumerate(steps)]

    errors = both(open_interest_reconciliation, states, positions)
    unexplained = both(open_interest_against_closed, states, positions)

    assert {*column(errors, "error_usd")} == {"0"}
    assert {*column(unexplained, "unexplained_usd")} == {"0"}
    total = shown(units(sum(number for _, number in steps)))
    assert column(errors, "events_usd")[-1] == total


def test_a_release_closes_what_an_earlier_one_opened() -> None:
    """100 opened under one version and closed under another, while the figure names one or both."""
    positions = [moved(0, 100), moved(1, -100, version="1.5")]
    one = [grown(0, 100), grown(1, -100)]
    two = [grown(0, 60), grown(0, 40, version="1.5"), grown(1, -40, version="1.5"), grown(1, -60)]

    for states in (one, two):
        errors = both(open_interest_reconciliation, states, positions)
        unexplained = both(open_interest_against_closed, states, positions)
        assert column(errors, "state_usd") == ["100", "0"]
        assert column(errors, "error_usd") == ["0", "0"]
        assert column(unexplained, "unexplained_usd") == ["0", "0"]


def test_what_is_open_is_unknown_while_it_is_under_one_release() -> None:
    """One side of a second version is told, then the other: nothing is known in between."""
    one_sided = hour(1) | {"open_interest_usd": 5, "version": "2"}
    other = hour(2) | {"open_interest_usd": 5, "version": "2", "is_long": False}

    result = both(open_interest_reconciliation, [grown(0, 60), one_sided, other], [])

    assert column(result, "state_usd") == ["60", None, "70"]


@pytest.mark.parametrize("metric", [open_interest_against_closed, open_interest_reconciliation])
def test_a_bucket_has_at_least_a_second(metric: Metric) -> None:
    """A bucket of zero seconds is refused."""
    with pytest.raises(ValueError, match="bucket_seconds must be at least 1, got 0"):
        both(metric, [], [], bucket_seconds=0)


def test_percentiles_are_positions_of_their_own() -> None:
    """Of leverages 1 to 120 the median is the 60th, p95 the 114th, p99 the 119th: of 118.8."""
    rows = ({"notional_usd": number * 3, "collateral_usd": 3} for number in range(1, 121))

    result = leverage_at_liquidation(table("liquidations", *rows).lazy()).collect()

    names = ("median_leverage", "p95_leverage", "p99_leverage", "highest_leverage")
    assert result.select(names).row(0) == (60.0, 114.0, 119.0, 120.0)


def test_a_position_without_collateral_has_no_leverage() -> None:
    """It is counted; so is one whose notional is not known."""
    rows = (
        {"notional_usd": 5, "collateral_usd": 0},
        {"collateral_usd": 5},
        {"notional_usd": 5},
    )

    result = leverage_at_liquidation(table("liquidations", *rows).lazy()).collect()

    assert result.select("liquidation_count", "known_count", "median_leverage").row(0) == (
        *(3, 0),
        None,
    )


def shares(
    liquidated: Sequence[Row], cut: Sequence[Row] = (), held: Sequence[Row] = ()
) -> pl.DataFrame:
    """Return the concentration of these rows."""
    return concentration(
        table("liquidations", *liquidated).lazy(),
        table("adls", *cut).lazy(),
        table("position_changes", *held).lazy(),
    ).collect()


def test_the_largest_accounts_hold_their_share() -> None:
    """Twelve accounts, one with 89 of 100 in two events, the others with 1 each."""
    small: list[Row] = [{"account": f"0x{n}", "notional_usd": 1} for n in range(11)]
    large: list[Row] = [{"account": "0xwhale", "notional_usd": usd} for usd in (80, 9)]

    result = shares(small + large)

    assert result.select("exposure", "account_count").row(0) == ("liquidated", 12)
    assert result.select("top_1_share", "top_10_share", "top_100_share").row(0) == (0.89, 0.98, 1.0)


def test_gini_is_zero_among_equals_and_half_of_two_where_one_has_all_but_nothing() -> None:
    """Four equals have 0; of 1 and 3 the mean difference is a quarter of the whole."""
    equal: list[Row] = [{"account": f"0x{n}", "notional_usd": 7} for n in range(4)]
    uneven: list[Row] = [{"account": f"0x{n}", "notional_usd": n} for n in (1, 3)]

    assert shares(equal)["gini"].to_list() == [0.0]
    assert shares(uneven)["gini"].to_list() == [0.25]


@given(st.lists(st.integers(1, 10**27), min_size=1, max_size=12), st.integers(2, 10**6))
def test_concentration_does_not_depend_on_the_unit(amounts: list[int], factor: int) -> None:
    """All dollars times a factor leave shares and Gini as they are, up to the last places."""
    found = [
        shares(
            [
                {"account": f"0x{n}", "notional_usd": units(amount * k)}
                for n, amount in enumerate(amounts)
            ]
        ).row(0, named=True)
        for k in (1, factor)
    ]

    for name in ("top_1_share", "top_10_share", "gini"):
        assert found[0][name] == pytest.approx(found[1][name], rel=1e-12, abs=1e-15)
    assert 0 <= found[0]["gini"] < 1


def test_what_is_open_is_what_is_left_of_a_position() -> None:
    """As the venue says after a change, else the sum of its changes; closed ones are not there."""
    rows: list[Row] = [
        moved(1, -4, account="0xa", notional_usd=6),
        moved(0, 5, account="0xb"),
        moved(1, -3, account="0xb"),
        moved(0, 5, account="0xc"),
        moved(1, -5, account="0xc"),
        moved(0, None, account="0xd"),
    ]

    result = shares([], [], rows)

    assert result.select("exposure", "account_count", "unknown_count").row(0) == ("open", 2, 1)
    assert column(result, "notional_usd") == ["8"]
    assert result["top_1_share"].to_list() == [0.75]


def test_what_is_left_of_a_size_is_open_at_its_last_price() -> None:
    """A loss is nothing open, a gain takes nothing away: sizes add up where prices differ."""
    rows: list[Row] = [
        traded(0, 1, 60_000, account="0xflat", size_tokens=1),
        traded(1, -1, 50_000, account="0xflat", size_tokens=0),
        traded(0, 1, 50_000, account="0xwinner", size_tokens=1),
        traded(1, "-0.9", 60_000, account="0xwinner", size_tokens="0.1"),
        traded(0, 1, 60_000, account="0xsum"),
        traded(1, "-0.5", 50_000, account="0xsum"),
        traded(0, 1, 60_000, account="0xgone"),
        moved(1, -50_000, account="0xgone", size_delta_tokens=-1),
    ]

    result = shares([], [], rows)

    assert result.select("account_count", "unknown_count").row(0) == (2, 0)
    assert column(result, "notional_usd") == ["31000"]


@pytest.mark.parametrize(("chain", "left"), [(-1, ["2"]), (1, ["7"])])
def test_trades_without_an_order_are_ordered_by_what_they_leave(
    chain: int, left: list[str]
) -> None:
    """One order filled three times in a millisecond: the numbers of trades say nothing of which."""
    rows: list[Row] = [
        traded(1, change, 1, size_tokens=after) | {"chain_id": chain, "log_index": number}
        for number, change, after in ((7, -3, 7), (1, -1, 2), (4, -4, 3))
    ]

    assert column(shares([], [], rows), "notional_usd") == left


def test_a_closing_that_names_its_position_alone_closes_it() -> None:
    """Of a later release, without side and collateral; a part of unknown size is unknown."""
    rows: list[Row] = [
        *(
            moved(0, 10, notional_usd=10, position_id=name) | {"collateral_token": "0xusdc"}
            for name in ("whole", "closed", "cut")
        ),
        moved(1, None, position_id="closed", is_long=None, notional_usd=0, version="v2"),
        moved(1, None, position_id="cut", is_long=None, closed_ratio="0.5"),
    ]

    result = shares([], [], rows)

    assert result.select("account_count", "unknown_count").row(0) == (1, 1)
    assert column(result, "notional_usd") == ["10"]


def test_a_position_that_turned_is_open_once() -> None:
    """A short of four is what is left of it, and the long it was is not open beside that."""
    rows: list[Row] = [
        moved(0, 10, is_long=True, notional_usd=10, position_id="net"),
        moved(1, -6, is_long=False, notional_usd=4, position_id="net"),
    ]

    assert column(shares([], [], rows), "notional_usd") == ["4"]


def test_positions_without_a_name_are_apart_by_side() -> None:
    """A short that is closed says nothing of a long; a side that is not told is no other's."""
    rows: list[Row] = [
        moved(0, 10, is_long=True, notional_usd=10, position_id=None),
        moved(1, -4, is_long=False, notional_usd=0, position_id=None),
        moved(2, -4, is_long=None, notional_usd=0, position_id=None),
    ]

    assert column(shares([], [], rows), "notional_usd") == ["10"]


def test_a_closing_of_what_nobody_saw_opening_is_unknown() -> None:
    """What is left of it is not below zero; cut-off digits are."""
    rows: list[Row] = [
        moved(0, -5, account="0xa"),
        moved(0, "-0.000000000000000001", account="0xb"),
    ]

    assert shares([], [], rows)["unknown_count"].to_list() == [1]


@pytest.mark.parametrize("unit", ["notional_delta_usd", "size_delta_tokens"])
def test_what_its_first_change_lowers_was_opened_before(unit: str) -> None:
    """$10 went, $30 came: what is open is not $20, for nobody saw what there was at first."""
    rows: list[Row] = [
        moved(second, None) | {"execution_price_usd": 1, unit: change}
        for second, change in ((0, -10), (1, 30))
    ]

    result = shares([], [], rows)

    assert result.select("account_count", "unknown_count").row(0) == (None, 1)


def test_what_cut_off_digits_leave_of_a_closed_position_is_nothing() -> None:
    """Leverage is cut off when margin is moved, so that a closing takes less than was opened."""
    rows: list[Row] = [
        moved(0, 10_000, account="0xa"),
        moved(1, "-9999.99999999", account="0xa"),
        moved(0, 5, account="0xb"),
    ]

    result = shares([], [], rows)

    assert result.select("account_count", "unknown_count").row(0) == (1, 0)
    assert column(result, "notional_usd") == ["5"]


def test_rows_without_an_owner_are_counted_and_not_shared_out() -> None:
    """An account or a notional that is not known is of somebody: not of nobody, and not $0."""
    result = shares([{"account": None, "notional_usd": 5}], [{"account": "0xa"}])

    columns = ("exposure", "account_count", "notional_usd", "unknown_count", "gini")
    assert result.select(columns).rows() == [
        ("deleveraged", None, None, 1, None),
        ("liquidated", None, None, 1, None),
    ]

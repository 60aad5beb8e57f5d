"""The stages of a cascade, on events that can be followed with a finger."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from handmade import at, column, load, table

from analytics.compute import collected, compute
from analytics.errors import UserError

Row = Mapping[str, object]


def stages(stage: int, **rows: Sequence[Row]) -> pl.DataFrame:
    """Return one stage of the timeline of these facts."""
    frames = {name: table(name, *each) for name, each in rows.items()}
    return collected(compute("cascade_stages", load(**frames))).filter(stage=stage)


def prices(*quotes: tuple[float, object], feed: str = "0xf") -> list[Row]:
    """Return updates of BTC: seconds after 21:00, price."""
    return [
        {"asset": "BTC", "feed": feed, "block_timestamp": at(s), "oracle_price_quote": price}
        for s, price in quotes
    ]


def liquidated(*moments: float, size: int = 60) -> list[Row]:
    """Return liquidations of one size at these seconds."""
    return [{"notional_usd": size, "block_timestamp": at(each)} for each in moments]


# Two hours of a price that swings by 10 bps a minute.
CALM = [(60 * minute, 1000 + minute % 2) for minute in range(120)]
# And of one that swings by 3 %.
WILD = [(60 * minute, 1000 + 30 * (minute % 2)) for minute in range(120)]


def test_a_fall_beyond_the_usual_is_the_trigger() -> None:
    """After swings of 10 bps a fall of 5 % in a minute is the trigger, when it is quoted."""
    result = stages(1, oracle_updates=prices(*CALM, (7_205, 950)))

    assert result.select("verdict", "asset", "feed").rows() == [("seen", "BTC", "0xf")]
    assert column(result, "start_at") == [at(7_205)]
    assert column(result, "threshold") == [100.0]
    assert column(result, "observed_value") == [pytest.approx(10_000 * 51 / 1001)]


def test_a_status_of_a_sequencer_is_no_price_that_moves() -> None:
    """Down every minute is no calm market: only the price has a row."""
    status = {"asset": "BASE SEQUENCER", "quote": "DOWN"}
    down = [dict(row) | status for row in prices((0, 1), (60, 1))]

    result = stages(1, oracle_updates=[*prices(*CALM), *down])

    assert column(result, "asset") == ["BTC"]


def test_what_was_usual_an_hour_ago_decides() -> None:
    """Swings of 3 % a minute make one of 5 % nothing new: six deviations are 18 %."""
    result = stages(1, oracle_updates=prices(*WILD, (7_205, 1_060)))

    assert column(result, "verdict") == ["not seen"]
    assert result["threshold"][0] > 1_500


def test_what_is_usual_of_one_feed_is_not_of_another() -> None:
    """Beside a calm one a wild one stays wild, and the calm one calm."""
    calm, wild = prices(*CALM, (7_205, 950)), prices(*WILD, (7_205, 1_060), feed="0xe")

    result = stages(1, oracle_updates=[*calm, *wild])

    assert result.select("feed", "verdict").rows() == [("0xe", "not seen"), ("0xf", "seen")]


def test_a_stretch_is_told_by_its_first_moment_and_its_peak() -> None:
    """A fall by 32 %, and a rise by half a minute later, when another minute was usual."""
    fall, rise = (7_205, 700), (7_265, 1_050)

    first, both = (
        stages(1, oracle_updates=prices(*WILD, *rows)) for rows in ([fall], [fall, rise])
    )

    for name in ("start_at", "threshold", "observed_value"):
        assert column(both, name) == column(first, name)
    assert column(both, "end_at") == [at(7_265)]
    assert column(both, "peak_value") == [5_000.0]


@pytest.mark.parametrize("lasts", [(950, 900), (900, 950)])
def test_of_one_feed_on_two_chains_the_lesser_fall_begins(lasts: tuple[int, int]) -> None:
    """Which chain it is does not matter."""
    rows = [
        dict(row) | {"chain_id": chain}
        for chain, last in enumerate(lasts, 1)
        for row in prices(*CALM, (7_205, last))
    ]

    result = stages(1, oracle_updates=rows)

    assert column(result, "observed_value") == [pytest.approx(10_000 * 51 / 1001)]
    assert column(result, "peak_value") == [pytest.approx(10_000 * 101 / 1001)]


def test_too_short_a_history_is_not_known() -> None:
    """Twenty quotes do not tell what is usual, so a fall of half is neither seen nor excluded."""
    result = stages(1, oracle_updates=prices(*CALM[:20], (7_205, 500)))

    assert column(result, "verdict") == ["not known"]
    assert column(result, "start_at") == [None]


def test_a_move_below_the_least_trigger_is_none_of_a_short_history() -> None:
    """Of moves by 10 and one by 100 bps none is a trigger, whatever is usual: more is the least."""
    result = stages(1, oracle_updates=prices(*CALM[:19], (1_140, 1_010)))

    assert column(result, "verdict") == ["not seen"]
    assert column(result, "threshold") == [100.0]


def test_what_was_usual_ten_days_ago_is_not_known() -> None:
    """Two hours of quotes, silence, and a fall of 5 % in a minute: the day before told no move."""
    old = [(second - 10 * 86_400, price) for second, price in CALM]

    result = stages(1, oracle_updates=prices(*old, (0, 1_000), (60, 950)))

    assert column(result, "verdict") == ["not known"]


@pytest.mark.parametrize(("minutes", "verdict"), [(29, "seen"), (30, "not known")])
def test_moves_leave_the_history_one_by_one(minutes: int, verdict: str) -> None:
    """Of a move a minute in an hour 30 are younger than a day when 29 are older; then one less."""
    end = 86_400 + 3_600 + 60 * minutes

    result = stages(1, oracle_updates=prices(*CALM[:60], (end - 60, 1_000), (end, 950)))

    assert column(result, "verdict") == [verdict]


def test_three_liquidations_in_a_minute_begin_the_stage() -> None:
    """Without a history the first of three in a minute is the start; two are not enough."""
    few = stages(2, liquidations=liquidated(0, 30))
    many = stages(2, liquidations=liquidated(0, 30, 59))

    assert column(few, "verdict") == ["not seen"]
    assert column(many, "verdict") == ["seen"]
    assert column(many, "start_at") == [at(0)]
    assert column(many, "observed_value") == [3.0]


def test_liquidations_are_compared_with_the_day_before() -> None:
    """Of 8,640 a day, 0.1 a second, ten times as much is 1: three of 10 a minute are not that."""
    day = liquidated(0, *range(0, 3_500, 100), size=240)
    quiet = stages(2, liquidations=day + liquidated(7_200, 7_201, 7_202, size=10))
    loud = stages(2, liquidations=day + liquidated(7_200, 7_201, 7_202, size=30))

    assert column(quiet, "verdict") == ["not seen"]
    assert column(loud, "start_at") == [at(7_200)]
    assert column(loud, "threshold") == [pytest.approx(1.0)]


def test_what_is_usual_of_one_protocol_is_not_of_another() -> None:
    """Another one that liquidates a thousand times as much changes nothing."""
    rows = liquidated(0, size=8_640) + liquidated(7_200, 7_201, 7_202, size=30)
    other = [{**row, "protocol": "another"} for row in liquidated(0, size=8_640_000)]

    result = stages(2, liquidations=[*rows, *other]).filter(pl.col("protocol") != "another")

    assert column(result, "threshold") == [pytest.approx(1.0)]


def test_an_unknown_notional_in_the_history_leaves_the_usual_unknown() -> None:
    """Three of 30 may be less than usual after one nobody tells, until that is forgotten."""
    rows = [{"notional_usd": None}, *liquidated(*range(7_200, 7_203), size=30)]
    later = liquidated(*range(90_000, 90_003), size=300)

    early, late = stages(2, liquidations=rows), stages(2, liquidations=rows + later)

    assert column(early, "verdict") == ["not known"]
    assert column(late, "start_at") == [at(90_000)]
    assert column(late, "threshold") == [pytest.approx(900 / 86_400)]


@pytest.mark.parametrize(
    ("sizes", "verdict"),
    [((10, 10), "not known"), ((40, 40), "seen"), ((10,), "not seen")],
    ids=["may be enough", "is enough without it", "too few, whatever it was"],
)
def test_an_unknown_notional_in_the_window_may_be_enough(
    sizes: tuple[int, ...], verdict: str
) -> None:
    """Beside 60 dollars in a minute, the threshold, one that nobody tells decides."""
    known = [row for size in sizes for row in liquidated(7_200, size=size)]
    untold = {"notional_usd": None, "block_timestamp": at(7_230)}

    result = stages(2, liquidations=[*liquidated(0, size=8_640), *known, untold])

    assert column(result, "verdict") == [verdict]


def test_what_could_not_be_beyond_leaves_nothing_unknown() -> None:
    """Two are too few whatever their notional; three of 10 are less than what is told of a day."""
    untold = {"notional_usd": None}
    alone, three = liquidated(7_200, size=900), liquidated(*range(7_200, 7_203), size=10)
    usual = liquidated(100_000, size=8_640) + liquidated(*range(107_200, 107_203), size=10)

    in_part = [untold, *liquidated(0, size=8_640), *three]
    for rows in ([untold, untold], [untold, *alone, *usual], in_part):
        assert column(stages(2, liquidations=rows), "verdict") == ["not seen"]
    in_part.extend(liquidated(7_203, 7_204, size=20))
    for rows in ([untold, *three], [untold, *three, *liquidated(200_000, size=900)], in_part):
        assert column(stages(2, liquidations=rows), "verdict") == ["not known"]


def test_what_is_told_of_the_usual_and_no_more_is_not_beyond_it() -> None:
    """Beside one nobody tells, 8,640 of a day are 0.1 a second: three of 20 are ten times that."""
    rows = [{"notional_usd": None}, *liquidated(0, size=8_640)]

    result = stages(2, liquidations=rows + liquidated(*range(7_200, 7_203), size=20))

    assert column(result, "verdict") == ["not seen"]


def test_what_may_be_enough_once_leaves_all_unknown() -> None:
    """Three of 15 are too few and more than two of 10, but beside those is one nobody tells."""
    day, whole = liquidated(0, size=8_640), liquidated(*range(9_000, 9_003), size=15)
    untold = {"notional_usd": None, "block_timestamp": at(7_202)}
    in_part = [*liquidated(7_200, 7_201, size=10), untold]

    assert column(stages(2, liquidations=day + whole), "verdict") == ["not seen"]
    assert column(stages(2, liquidations=day + in_part + whole), "verdict") == ["not known"]


def test_nothing_but_untold_is_not_seen_to_be_beyond() -> None:
    """Three that nobody tells, where less than a dollar a second would do."""
    untold = [{"notional_usd": None, "block_timestamp": at(7_200 + each)} for each in range(3)]

    result = stages(2, liquidations=[*liquidated(0, size=864), *untold])

    assert column(result, "verdict") == ["not known"]


def test_what_was_liquidated_before_the_history_is_forgotten() -> None:
    """Ten millions a month ago are not of the day before; neither is what ends it on the second."""
    month = liquidated(*range(10), size=1_000_000)
    late = stages(2, liquidations=month + liquidated(*range(2_592_000, 2_592_010), size=6_000))

    assert column(late, "start_at") == [at(0), at(2_592_000)]
    assert column(late, "threshold") == [0.0, 0.0]

    day = liquidated(0, size=8_640)
    inside, outside = (
        stages(2, liquidations=day + liquidated(last, last, last + 1, size=30))
        for last in (89_999, 90_000)
    )
    assert column(inside, "threshold") == [pytest.approx(1.0)]
    assert column(outside, "threshold") == [0.0]


def test_liquidation_alone_ends_with_the_first_adl() -> None:
    """What is liquidated after the first ADL is not of the stage before it."""
    rows = liquidated(0, 10, 20, 40, 50, 60)
    cut = [{"notional_usd": 1, "block_timestamp": at(15)}]

    result = stages(2, liquidations=rows, adls=cut)

    assert column(result, "end_at") == [at(10)]


@pytest.mark.parametrize(("days", "verdict"), [(1, "not seen"), (1.01, "seen")])
def test_an_adl_of_another_event_is_none_of_this_one(days: float, verdict: str) -> None:
    """What was deleveraged longer ago than a day leaves room for liquidation alone."""
    cut = [{"notional_usd": 5, "block_timestamp": at(20, days=-days)}]

    result = stages(2, liquidations=liquidated(0, 10, 20), adls=cut)

    assert column(result, "verdict") == [verdict]


def test_deleveraging_lasts_until_nearly_all_is_done() -> None:
    """Of 99 + 1 the last one is beyond 99 %: the stage ends before it."""
    cuts = [
        {"notional_usd": size, "block_timestamp": at(seconds)}
        for seconds, size in ((0, 9), (60, 90), (120, 1))
    ]

    result = stages(3, adls=cuts)

    assert column(result, "start_at") == [at(0)]
    assert column(result, "end_at") == [at(60)]
    assert column(result, "threshold") == [-1.0]
    assert column(result, "peak_value") == [90.0]


@pytest.mark.parametrize(("pause", "starts"), [(86_400, [0]), (86_401, [0, 86_401])])
def test_deleveraging_of_a_day_is_one_event(pause: int, starts: list[int]) -> None:
    """A day after 99 the last one is beyond 99 % of them; later it is an event of its own."""
    sizes = ((0, 99), (pause, 1))
    cuts = [{"notional_usd": size, "block_timestamp": at(second)} for second, size in sizes]

    assert column(stages(3, adls=cuts), "start_at") == [at(each) for each in starts]


def test_adls_of_nothing_are_under_way_until_the_last() -> None:
    """Of two that cut zero dollars no part is 99 %."""
    cuts = [{"notional_usd": 0, "block_timestamp": at(second)} for second in (0, 60)]

    result = stages(3, adls=cuts)

    assert (column(result, "start_at"), column(result, "end_at")) == ([at(0)], [at(60)])


def test_while_an_adl_is_unknown_deleveraging_lasts_until_the_last() -> None:
    """How much of it was 99 % is not known; nor is what an ADL was that does not say it."""
    cuts = [
        {"notional_usd": size, "block_timestamp": at(seconds)}
        for seconds, size in ((0, None), (60, 99), (120, 1))
    ]

    result = stages(3, adls=cuts)

    assert (column(result, "start_at"), column(result, "end_at")) == ([at(0)], [at(120)])
    assert (column(result, "observed_value"), column(result, "peak_value")) == ([None], [99.0])


def test_what_was_deleveraged_in_another_event_is_no_part_of_this_one() -> None:
    """After a million in spring, five dollars in autumn are all there is to be done, but a cent."""
    sizes = ((0, 1_000_000), (8_640_000, 5), (8_641_000, "0.01"))
    cuts = [{"notional_usd": size, "block_timestamp": at(second)} for second, size in sizes]

    assert column(stages(3, adls=cuts), "start_at") == [at(0), at(8_640_000)]


def test_without_an_adl_none_was_seen() -> None:
    """Liquidations without ADLs say so in one row, if something would have told of one."""
    told, untold = (
        stages(3, liquidations=liquidated(0, 30), declared_facts=[{"fact": fact}, {"fact": fact}])
        for fact in ("adls", "liquidations")
    )

    assert column(told, "verdict") == ["not seen"]
    assert column(untold, "verdict") == ["not known"]
    assert stages(3).is_empty()


def test_sources_apart_are_a_dislocation_and_its_end_a_recovery() -> None:
    """One source is 10 % off from 21:00:15 to 21:01, and then 1 % for ten minutes: both agree."""
    right = prices(*((10 * step, 100) for step in range(67)))
    wrong = prices((5, 100), (15, 90), (65, 101), feed="0xother")

    off = stages(4, oracle_updates=right + wrong)
    back = stages(5, oracle_updates=right + wrong)

    assert column(off, "start_at") == [at(15)]
    assert column(off, "end_at") == [at(60)]
    assert column(off, "observed_value") == [1_000.0]
    assert column(back, "verdict") == ["seen"]
    assert column(back, "start_at") == [at(60)]


@pytest.mark.parametrize("steps", [20, 66])
def test_a_recovery_nobody_watched_is_not_known(steps: int) -> None:
    """Where quotes end before ten minutes in which sources agreed, nobody knows that it lasted."""
    right = prices(*((10 * step, 100) for step in range(steps)))
    wrong = prices((5, 100), (15, 90), (65, 100), feed="0xother")

    assert column(stages(5, oracle_updates=right + wrong), "verdict") == ["not known"]


def test_where_nothing_was_dislocated_nothing_recovers() -> None:
    """5 % apart, which is not beyond 5 %, and then together again."""
    right = prices(*((10 * step, 100) for step in range(80)))
    wrong = prices((5, 100), (15, 105), (65, 100), feed="0xother")

    for stage in (4, 5):
        result = stages(stage, oracle_updates=right + wrong)
        assert column(result, "verdict") == ["not seen"]
        assert column(result, "peak_value") == [500.0]


def test_the_furthest_of_a_stretch_is_what_was_dislocated() -> None:
    """Before it is 10 % off, a source is 2 % off; a third one never is: one stretch, one end."""
    right = prices(*((10 * step, 100) for step in range(80)))
    wrong = prices((5, 98), (15, 90), (65, 100), feed="0xother")
    third = prices(*((10 * step, 100) for step in range(80)), feed="0xthird")

    off = stages(4, oracle_updates=[*right, *third, *wrong])
    back = stages(5, oracle_updates=[*right, *third, *wrong])

    assert (column(off, "start_at"), column(off, "end_at")) == ([at(15)], [at(60)])
    assert column(back, "start_at") == [at(60)]
    assert column(back, "observed_value") == [pytest.approx(10_000 / 9)]


@pytest.mark.parametrize(("again", "ends"), [(660, [670]), (660.001, [60, 670])])
def test_sources_that_part_again_have_not_agreed(again: float, ends: list[int]) -> None:
    """Apart until 60 s, and again ten minutes later: one stretch, or two if it is longer."""
    right = prices(*((10 * step, 100) for step in range(130)))
    off = ((5, 100), (15, 90), (65, 100), (again, 90), (675, 100))

    result = stages(5, oracle_updates=[*right, *prices(*off, feed="0xother")])

    assert column(result, "start_at") == [at(each) for each in ends]


def test_a_source_beside_zero_has_not_recovered() -> None:
    """One source says zero and no more: that the other goes on for an hour proves nothing."""
    going_on = prices(*((60 * minute, 1000) for minute in range(60)))

    result = stages(5, oracle_updates=[*going_on, *prices((1, 1000), (90, 0), feed="0xe")])

    assert column(result, "verdict") == ["not known"]


def test_a_pause_parts_two_stretches() -> None:
    """More than ten minutes without an ADL make two stretches, ten minutes make one."""
    cut = {"notional_usd": 50}

    one = stages(3, adls=[cut, cut | {"block_timestamp": at(600)}])
    two = stages(3, adls=[cut, cut | {"block_timestamp": at(600.001)}])

    assert (one.height, two.height) == (1, 2)


def test_open_interest_above_its_median_is_a_build_up() -> None:
    """100 for forty hours and then 130 is more than 1.25 times the median."""
    sizes = [100] * 40 + [130]
    rows = [
        {"open_interest_usd": size, "block_timestamp": at(3_600 * hour)}
        for hour, size in enumerate(sizes)
    ]
    rows.insert(0, {"open_interest_usd": 0, "is_long": False})

    result = stages(0, open_interest=rows).filter(measure="open_interest_usd")

    assert column(result, "start_at") == [at(40 * 3_600)]
    assert column(result, "threshold") == [125.0]


def test_what_is_open_in_all_markets_is_added() -> None:
    """100 and 50, of which the 100 become 150: 200 is more than 1.25 times 150."""
    opened = [("BTC", 0, 100), ("ETH", 0, 50), ("BTC", 3, 150)]
    rows: list[Row] = [
        {"market": market, "open_interest_usd": usd, "block_timestamp": at(3_600 * hour)}
        for market, hour, usd in opened
    ]
    shorts = [
        {"market": market, "open_interest_usd": 0, "is_long": False} for market in ("BTC", "ETH")
    ]
    both = [*shorts, *rows]
    other = [dict(row) | {"protocol": "another"} for row in both[:-1]]

    found = stages(0, open_interest=[*both, *other]).filter(measure="open_interest_usd")
    result = found.filter(protocol="venue")

    assert found.select("protocol", "verdict").rows() == [
        ("another", "not known"),
        ("venue", "seen"),
    ]
    assert column(result, "threshold") == [187.5]
    assert column(result, "observed_value") == [200.0]


def test_where_nothing_was_beyond_the_lowest_threshold_and_the_peak_are_told() -> None:
    """100 and then 120: at first 125 would have been a build-up, and 150 in the end."""
    rows: list[Row] = [
        {"open_interest_usd": 120 if hour else 100, "block_timestamp": at(3_600 * hour)}
        for hour in range(4)
    ]
    shorts = {"open_interest_usd": 0, "is_long": False}

    result = stages(0, open_interest=[shorts, *rows]).filter(measure="open_interest_usd")

    assert column(result, "verdict") == ["not seen"]
    assert (column(result, "threshold"), column(result, "peak_value")) == ([125.0], [120.0])


def test_less_than_nothing_is_no_open_interest() -> None:
    """10 less, of what was open before, and no more of it: nothing is known of a build-up."""
    changes = [(0, -10), (1, 0), (2, 0), (3, 0)]
    rows = [
        {"open_interest_delta_usd": change, "block_timestamp": at(3_600 * hour)} | side
        for hour, change in changes
        for side in ({}, {"is_long": False})
    ]

    result = stages(0, open_interest=rows).filter(measure="open_interest_usd")

    assert column(result, "verdict") == ["not known"]


def test_what_was_open_stays_open_while_nobody_speaks() -> None:
    """100 ten days ago and 130 now is more than 1.25 times what was usual all that time."""
    rows: list[Row] = [
        {"open_interest_usd": 100, "block_timestamp": at(days=-10)},
        {"open_interest_usd": 0, "is_long": False, "block_timestamp": at(days=-10)},
        {"open_interest_usd": 130},
    ]

    result = stages(0, open_interest=rows).filter(measure="open_interest_usd")

    assert column(result, "verdict") == ["seen"]


def test_what_is_open_is_not_added_again_after_an_hour_in_which_it_was_not_known() -> None:
    """$100 by a change, then by an amount, beside which no short is known till there is none."""
    told = (
        {"open_interest_delta_usd": 100},
        {"open_interest_usd": 100},
        {"open_interest_usd": 0, "is_long": False},
        {"open_interest_usd": 130},
    )
    rows = [
        row | {"block_number": hour, "block_timestamp": at(3_600 * hour)}
        for hour, row in enumerate(told)
    ]

    result = stages(0, open_interest=rows).filter(measure="open_interest_usd")

    assert column(result, "threshold") == [125.0]
    assert column(result, "observed_value") == [130.0]


def test_what_was_open_last_is_usual_after_a_silence() -> None:
    """$200, then $100 for two days: $130 is a build-up of those $100, and not of $150."""
    opened = [(0, 200), (3_600, 100), (176_400, 130)]
    events = [
        {"open_interest_usd": usd, "block_number": number, "block_timestamp": at(s)}
        for number, (s, usd) in enumerate(opened, 1)
    ]
    shorts = {"open_interest_usd": 0, "is_long": False, "block_number": 0}

    result = stages(0, open_interest=[shorts, *events]).filter(measure="open_interest_usd")

    assert column(result, "verdict") == ["seen"]
    assert column(result, "threshold") == [125.0]


def test_high_funding_is_a_build_up() -> None:
    """0.2 % a day, whoever pays, is above 0.1 %; that of another market may be lower."""
    rows = [
        {"funding_rate_daily_ratio": "-0.002"},
        {"funding_rate_daily_ratio": "0.0001", "market": "ETH"},
    ]

    result = stages(0, funding=rows).filter(measure="funding_rate_daily_ratio")

    assert column(result, "verdict") == ["seen"]
    assert column(result, "observed_value") == [0.002]


def test_every_stage_has_a_word_for_what_nobody_tells() -> None:
    """Of a liquidation alone, and of a rate of funding: each measure once, with its stage."""
    frames = {
        "liquidations": table("liquidations", *liquidated(0)),
        "funding": table("funding", {"funding_rate_daily_ratio": "0.0001"}),
    }

    found = collected(compute("cascade_stages", load(**frames)))

    assert found.select("stage", "name", "measure", "verdict").rows() == [
        (0, "build_up", "funding_rate_daily_ratio", "not seen"),
        (0, "build_up", "open_interest_usd", "not known"),
        (1, "trigger", "return_bps", "not known"),
        (2, "liquidation", "velocity_usd_per_second", "not seen"),
        (3, "deleveraging", "adl_notional_usd", "not known"),
        (4, "dislocation", "deviation_bps", "not known"),
        (5, "recovery", "deviation_bps", "not known"),
    ]


def test_no_order_of_rows_matters() -> None:
    """Facts of two protocols, in time and backward: the same timeline, in the order it says."""
    cuts = [{"notional_usd": 1, "block_timestamp": at(s)} for s in (20, 7_300, 90_000)]
    rates = [{"funding_rate_daily_ratio": "0.01", "block_timestamp": at(s)} for s in (0, 9, 700)]
    opened = [
        {"open_interest_usd": usd, "is_long": is_long, "block_timestamp": at(3_600 * hour)}
        for hour, usd in enumerate((100, 90, 150, 400))
        for is_long in (True, False)
    ]
    facts: dict[str, list[Row]] = {
        "liquidations": liquidated(0, 10, 3_600, 7_200, 7_205, 7_210, 9_000, 9_001, 9_002),
        "adls": [*cuts],
        "funding": [*rates],
        "open_interest": [*opened],
    }
    quotes = prices(*CALM, (7_205, 950)), prices((5, 1000), (5_000, 900), (7_000, 950), feed="0xe")
    frames = {
        name: table(name, *rows, *(dict(row) | {"protocol": "another"} for row in rows))
        for name, rows in facts.items()
    } | {"oracle_updates": table("oracle_updates", *quotes[0], *quotes[1])}

    forward, backward = (
        collected(compute("cascade_stages", load(**given)))
        for given in (frames, {name: frame.reverse() for name, frame in frames.items()})
    )

    assert forward.equals(backward)
    assert forward["stage"].unique().to_list() == [0, 1, 2, 3, 4, 5]
    keys = ("stage", "measure", "protocol", "asset", "feed", "start_at")
    assert forward.equals(forward.sort(keys))


def test_settings_may_be_as_small_as_they_can_mean_something() -> None:
    """A second of history, no pause at all, two moves, one liquidation, thresholds of zero."""
    zeros = ("quiet_seconds", "settled_seconds", "trigger_bps", "dislocation_bps", "recovery_bps")
    ones = ("history_seconds", "return_seconds", "window_seconds", "least_liquidations")
    least = dict.fromkeys(zeros, 0) | dict.fromkeys(ones, 1) | {"least_returns": 2}

    found = compute("cascade_stages", load(), **least, funding_daily_ratio=0, adl_share_ratio=1)

    assert collected(found).is_empty()


@pytest.mark.parametrize(
    "setting",
    [
        {"quiet_seconds": -1},
        {"window_seconds": 0},
        {"history_seconds": 0},
        {"settled_seconds": -1},
        {"return_seconds": 0},
        {"least_returns": 1},
        {"least_liquidations": 0},
        {"adl_share_ratio": 0.0},
        {"velocity_ratio": -1.0},
        {"adl_share_ratio": 1.01},
        {"funding_daily_ratio": -0.1},
        {"trigger_bps": -1.0},
        {"dislocation_bps": float("nan")},
        {"dislocation_bps": -1.0},
        {"recovery_bps": -1.0},
        {"recovery_bps": 501.0},
    ],
    ids=str,
)
def test_settings_that_mean_nothing_are_refused(setting: dict[str, object]) -> None:
    """A time that runs backward, a count of nothing, a ratio or distance below zero."""
    with pytest.raises(UserError, match=next(iter(setting))):
        compute("cascade_stages", load(), **setting)

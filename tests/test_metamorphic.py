"""Changes of the facts whose effect on every metric is known beforehand, whatever the metric is."""

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import duckdb
import polars as pl
import polars.selectors as cs
import pytest
from handmade import at, load, table, write_database
from polars.testing import assert_frame_equal
from test_twins import NEVER_NULL, SIGNED, TEXTS, choices, in_time

from analytics import load as databases
from analytics.beginnings import looks_back
from analytics.compute import collected, compute, defaults_of, facts_of
from analytics.expressions import INSTANT
from analytics.metrics import METRICS
from analytics.reports.asked import Asked
from analytics.reports.scope import Limits, Scope
from indexer.tables import columns_of, fact_tables

DEVIATIONS = ("oracle_deviation", "oracle_deviation_area", "oracle_deviation_extremes")
LOOKING_BACK = pytest.mark.parametrize(
    "metric", [*filter(looks_back, sorted(METRICS)), *DEVIATIONS]
)
EVENTFUL = [name for name in sorted(METRICS) if defaults_of(name).get("event_start")]
TABLES = sorted(frozenset().union(*(facts_of(metric) for metric in METRICS)))
# Seconds after 21:00: many events of one moment, and some of other days and months.
SECONDS = (0, 0, 1, 2, 30, 60, 62, 3600, 7200, 86_400, 90_000, 864_000, 2_592_000, 6_000_000)
# What a table tells once of everything.
ONCE = {
    "accounts": ("chain_id", "protocol", "account"),
    "feeds": ("chain_id", "protocol", "feed"),
    "markets": ("chain_id", "protocol", "market"),
    "tokens": ("chain_id", "address"),
}
DAYS = 406  # whole weeks
BLOCKS = {1: 10**7, 42161: 100}
PLACES = (
    *("block_number", "number", "from_block", "to_block"),
    *("window_from_block", "window_to_block", "worst_block_number"),
)
TIMES = ("date", "bucket_at", "block_timestamp")
SINCE = datetime(2025, 10, 11)
PROTOCOLS = ("protocol", "reference_protocol", "other_protocol")
NAMES = (
    *("account", "liquidator", "counterparty", "market", "protocol", "version", "feed", "loan"),
    *("index_token", "pool", "part", "collateral_token", "fee_token", "spent_token", "tx_hash"),
    *("bought_token", "asset_token", "token", "address", "position_id", "reference_protocol"),
    *("reference_feed", "price_protocol", "price_feed", "price_tx_hash", "parent"),
)
# From the last printable character to the first, so that whoever was first is last.
MIRROR = dict(zip(range(33, 127), range(126, 32, -1), strict=True))

# Where a relation does not hold, and why. What is not here must hold.
_VALUED = "of several prices in one second the first by name counts, where none is nearer"
_BUSIEST = "of two sources that speak as much the first by name counts"
_ASSETS = "rows are of assets or of all protocols together"
UNNAMED = {
    **dict.fromkeys(("income_valuations", "pool_valuations", "share_valuations"), _VALUED),
    **dict.fromkeys(("fees_valued", "buybacks_valued", "net_flows_valued", "tvl_valued"), _VALUED),
    **dict.fromkeys(("buyback_prices", "tvl_growth_valued"), _VALUED),
    **dict.fromkeys(("event_drops", "event_shape"), _BUSIEST),
    **dict.fromkeys(
        ("price_multiples", "discounted_cash_flow"), "a token without a symbol is called itself"
    ),
    "adl_allocation": "equal positions stand in the order of their names",
}
UNPARTED = {
    **dict.fromkeys(("open_interest_total", "asset_correlation", "event_shape"), _ASSETS),
    **dict.fromkeys(("event_drops", "cascade_stages"), _ASSETS),
    **dict.fromkeys(("cascade_sessions", "session_sensitivity"), _ASSETS),
}
UNSCALED = {
    "share_valuations": "what is valued is a price",
    "cascade_stages": "one column has many units",
    **dict.fromkeys(("impact_depth", "impact_depth_change"), "a power of dollars"),
}
UNENDED = {
    "adl_state": "a row tells until when it stood",
    "depth": "a pool of this world may tell of its start after other events",
    "open_interest_against_closed": "what a market tells at all is known from what it told later",
    "open_interest_drawdown": "the lowest comes after the peak",
    "oracle_deviation_area": "the last price of all lasts for no time",
}
# Rows of no time are not those of a beginning.
TIMED = [name for name in sorted(METRICS) if {*TIMES} & {*compute(name, load()).collect_schema()}]


def of_all_but(others: Container[str]) -> pytest.MarkDecorator:
    """Return the mark of a test of every metric but these."""
    return pytest.mark.parametrize(
        "metric", [each for each in sorted(METRICS) if each not in others]
    )


def value(name: str, column: str, dtype: pl.DataType, random: Random) -> object:
    """Return something for a column: few keys, so that rows meet, and amounts of some size."""
    if (chosen := choices(name, column)) is not None:
        return random.choice(chosen)
    if isinstance(dtype, pl.Decimal):
        sign = random.choice((1, -1)) if column.endswith(SIGNED) else 1
        known = Decimal(sign * random.randrange(1, 10**9)) / 1000
        return known if column in NEVER_NULL or random.random() > 0.1 else None
    is_time = isinstance(dtype, pl.Datetime) and column != "valid_to"
    return at(random.choice(SECONDS)) if is_time else None


def filled(name: str, random: Random) -> pl.DataFrame:
    """Return rows of a table: facts of three blocks of two chains, in the order of time."""
    found = []
    for _ in range(72 if name == "oracle_updates" else 24):
        row = {each: value(name, each, kind, random) for each, kind in columns_of(name).items()}
        told = {each: what for each, what in row.items() if what is not None}
        is_fact = {"block_number": random.randint(1, 3)} if name in fact_tables() else {}
        found.append({"account": None} | told | TEXTS.get(name, {}) | is_fact)
    rows = table(name, *found).unique(ONCE.get(name), keep="first", maintain_order=True)
    return in_time(rows) if name in fact_tables() else rows


@cache
def world() -> Mapping[str, pl.DataFrame]:
    """Return rows of every table that a metric reads, always the same ones."""
    random = Random(11)
    return {name: filled(name, random) for name in TABLES}


def answer(metric: str, frames: Mapping[str, pl.DataFrame], **settings: object) -> pl.DataFrame:
    """Return a metric of these tables."""
    return collected(compute(metric, load(**frames), **settings))


@cache
def told(metric: str) -> pl.DataFrame:
    """Return a metric of the world as it is."""
    return answer(metric, world())


@cache
def changed(change: Callable[[pl.DataFrame], pl.DataFrame]) -> Mapping[str, pl.DataFrame]:
    """Return the world with each of its tables changed."""
    return {name: change(frame) for name, frame in world().items()}


def later(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows of days later, and of other blocks on each chain."""
    higher = pl.col("chain_id").replace_strict(BLOCKS) if "chain_id" in frame.columns else 0
    moved = [
        (pl.col(name) + timedelta(days=DAYS)).cast(kind)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.Datetime | pl.Date)
    ]
    raised = [
        (pl.col(name) + higher).cast(frame.schema[name]) for name in PLACES if name in frame.columns
    ]
    return frame.with_columns(*moved, *raised)


def renamed(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows of which everything but assets has another name, in the reverse order."""
    names = [name for name in NAMES if frame.schema.get(name) == pl.String]
    every = {each for name in names for each in frame[name].drop_nulls()} - {"all"}
    return frame.with_columns(
        pl.col(names).replace({each: each.translate(MIRROR) for each in every})
    )


def doubled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows with twice the dollars and tokens, at the same prices."""
    kept = ("_ratio", "_bps", "_count", "_per_token")
    amounts = [
        name
        for name in frame.columns
        if ("_usd" in name or name.endswith("_tokens"))
        and not name.endswith(kept)
        and "price" not in name
    ]
    return frame.with_columns((pl.col(name) * 2).cast(frame.schema[name]) for name in amounts)


def repeated(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows of protocols, and the same ones of as many others."""
    if "protocol" not in frame.columns:
        return frame
    return pl.concat([frame, frame.with_columns(pl.col("protocol") + "~")])


@pytest.mark.parametrize("metric", sorted(METRICS))
def test_another_time_moves_nothing_but_times(metric: str) -> None:
    """All that happened, 400 days later and in other blocks: the same rows, 400 days later."""
    moments = {
        name: (datetime.fromisoformat(str(said)) + timedelta(days=DAYS)).isoformat()
        for name, said in defaults_of(metric).items()
        if name in {"event_start", "event_end"} and said
    }
    found = answer(metric, changed(later), **moments)

    assert_frame_equal(later(told(metric)), found, check_exact=True)


@of_all_but(UNNAMED)
def test_a_name_is_nothing_but_a_name(metric: str) -> None:
    """Everything renamed, what was first in the alphabet is last: the same under new names."""
    found = answer(metric, changed(renamed))

    assert_frame_equal(renamed(told(metric)), found, check_exact=True, check_row_order=False)


@of_all_but(UNPARTED)
def test_another_protocol_changes_nothing_for_the_first(metric: str) -> None:
    """A second protocol does all that each one does: nobody's own rows are others."""
    found = answer(metric, changed(repeated))
    is_first = [~pl.col(name).str.ends_with("~") for name in PROTOCOLS if name in found.columns]

    assert_frame_equal(told(metric), found.filter(is_first), check_exact=True)


@of_all_but(UNSCALED)
def test_twice_the_amounts_are_twice_the_money(metric: str) -> None:
    """Twice the dollars and tokens at the same prices: ratios, counts and times stay."""
    # Products of floats are rounded to millionths of a dollar before and after they are doubled.
    expected, found = (
        frame.with_columns(cs.decimal().cast(pl.Float64))
        for frame in (doubled(told(metric)), answer(metric, changed(doubled)))
    )
    assert_frame_equal(expected, found, rel_tol=1e-6, abs_tol=1e-5)


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield the world as an open database."""
    path = tmp_path_factory.mktemp("world") / "p.duckdb"
    with databases.database(write_database(path, world())) as opened:
        yield opened


@pytest.mark.parametrize("metric", TIMED)
def test_a_beginning_leaves_rows_out_and_changes_none(
    metric: str, con: duckdb.DuckDBPyConnection
) -> None:
    """With --from, a row is what it is without."""
    begun = collected(Asked(Scope(con, Limits(since=SINCE)), metric, {}).rows)

    time = next(name for name in TIMES if name in begun.columns)
    is_since = pl.col(time).cast(pl.Datetime("us")) >= SINCE
    assert_frame_equal(told(metric).filter(is_since), begun, check_exact=True)


@pytest.mark.parametrize("metric", [each for each in TIMED if each not in UNENDED])
def test_an_end_leaves_rows_out_and_changes_none(
    metric: str, con: duckdb.DuckDBPyConnection
) -> None:
    """With --to, a row is what it is without: what comes later changes nothing that was."""
    ended = collected(Asked(Scope(con, Limits(until=SINCE - INSTANT)), metric, {}).rows)

    time = next(name for name in TIMES if name in ended.columns)
    is_before = pl.col(time).cast(pl.Datetime("us")) < SINCE
    assert_frame_equal(told(metric).filter(is_before), ended, check_exact=True)


@LOOKING_BACK
def test_a_beginning_within_a_period_leaves_the_period_whole(
    metric: str, con: duckdb.DuckDBPyConnection
) -> None:
    """What is made also of what was before says of the period of --from what it says without."""
    asked = Asked(Scope(con, Limits(since=at(30))), metric, {})

    begun = collected(asked.rows)

    is_meant = asked.is_meant(told(metric).schema)
    assert_frame_equal(told(metric).filter(is_meant), begun, check_exact=True)


@pytest.mark.parametrize("metric", EVENTFUL)
def test_a_beginning_within_an_event_leaves_the_event_whole(
    metric: str, con: duckdb.DuckDBPyConnection
) -> None:
    """The time of an event is a setting: with --from its rows say what they say without."""
    begun = collected(Asked(Scope(con, Limits(since=SINCE)), metric, {}).rows)

    assert_frame_equal(told(metric), begun, check_exact=True)


@pytest.mark.parametrize("metric", ["heartbeat_breaches", "missed_updates"])
def test_what_was_overdue_when_the_time_began_is_overdue(
    metric: str, con: duckdb.DuckDBPyConnection
) -> None:
    """A price of before --from that was replaced after it is a row, one replaced before it none."""
    begun = collected(Asked(Scope(con, Limits(since=SINCE)), metric, {}).rows)

    replaced_at = pl.col("replaced_at")
    expected = told(metric).filter(replaced_at.is_null() | (replaced_at >= SINCE))
    assert_frame_equal(expected, begun, check_exact=True)
    assert begun.filter((pl.col("price_at") < SINCE) & (replaced_at >= SINCE)).height


# The command cuts what a report does not look back for.
@of_all_but([*filter(looks_back, METRICS)])
def test_a_report_with_a_beginning_says_what_its_command_gives(
    metric: str, con: duckdb.DuckDBPyConnection
) -> None:
    """Of a time alone a report computes what the command under it computes."""
    scope = Scope(con, Limits(since=SINCE))

    begun = collected(Asked(scope, metric, {}).rows)

    assert_frame_equal(scope.metric(metric), begun, check_exact=True)


def test_there_is_something_to_say_of_nearly_every_metric() -> None:
    """A relation of no rows holds always."""
    without = {metric for metric in METRICS if told(metric).is_empty()}

    assert without <= {"asset_correlation", "venue_lead_lag", "executed_depth"}

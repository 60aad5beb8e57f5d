"""Restating: which days change when a policy does, shown before anything is changed."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path

import duckdb
import polars as pl
import pytest
from commands import perpscope
from handmade import shown
from simulated_world import SEED, world
from sync_rig import FEED, FIRST, answer, contents, job, run, served, told
from typer.testing import CliRunner

from analytics.errors import UserError, WorldError
from analytics.reports import write_report
from analytics.reports.published import published_extent, published_income, published_policies
from analytics.reports.scope import Limits
from indexer.chains import ARBITRUM, ETHEREUM
from indexer.protocols import PROTOCOLS
from indexer.simulation.demo import index_served, scenario_named
from indexer.simulation.node import serve
from indexer.simulation.world import World, simulated
from indexer.spec import Const, Event, Fixed, Int, Policy, Protocol, Rest, Share
from indexer.sync import Ledger, redecode, restate
from indexer.sync.rederiving import differences
from perpscope import app, outcome

HUNDRED = Fixed(Int(100), 0)
PAID = replace(
    FEED,
    events=(
        Event(
            abi="chainlink/Aggregator",
            name="AnswerUpdated",
            into="fees",
            columns={
                "fee_kind": Const("service"),
                "fee_usd": HUNDRED,
                "supply_side_usd": Share(HUNDRED, "supply_side_share"),
                "treasury_usd": Fixed(Int(0), 0),
                "holders_usd": Rest("fee_usd", ("supply_side_usd", "treasury_usd")),
                "split_basis": Const("policy"),
            },
        ),
    ),
)


def with_shares(**days: str) -> Protocol:
    """Return the protocol with a share of suppliers from each of these days of December 2022."""
    return replace(
        PAID,
        policies=tuple(
            Policy("supply_side_share", value, f"2022-12-{day[1:]}", "test", "assumed")
            for day, value in days.items()
        ),
    )


def with_promise(value: str) -> Protocol:
    """Return the protocol with a share of its revenue for holders from the sixth on."""
    promise = Policy("holders_share_of_revenue", value, "2022-12-06", "test", "governance")
    return replace(OLD, policies=(*OLD.policies, promise))


OLD = with_shares(d01="0.7")
CHANGED = with_shares(d01="0.7", d05="0.6")


def indexed(path: Path, protocol: Protocol, *, fees: int = 4, seconds: int = 86_400) -> Path:
    """Index fees of a hundred dollars, by default one a day from the third of December on."""
    paid = {FIRST + number: [answer(FIRST + number)] for number in range(1, fees + 1)}
    with serve([served(told(paid, fees + 1, seconds=seconds))]) as node:
        run(job(path, protocols=(protocol,), declarations={"feed": protocol}), node.url)
    return path


def changes(
    path: Path,
    protocol: Protocol,
    *,
    keep: bool = False,
    published: pl.DataFrame | None = None,
    policies: pl.DataFrame | None = None,
    within: pl.DataFrame | None = None,
) -> list[tuple[object, ...]]:
    """Return the days that change: day of the month, figure, before, after, change."""
    ledger = Ledger(path, ETHEREUM, {"feed": protocol})
    found = restate(
        ledger, [protocol], keep=keep, published=published, policies=policies, within=within
    )
    columns = ("date", "figure", "before", "after", "change")
    return [
        tuple(one.day if isinstance(one, date) else shown(one) for one in row)
        for row in found.select(columns).iter_rows()
    ]


def test_a_rate_that_changes_in_mid_month_restates_from_its_day(tmp_path: Path) -> None:
    """From the fifth on suppliers get sixty instead of seventy: two days, and no day before."""
    path = indexed(tmp_path / "a.duckdb", OLD)
    before = contents(path)

    assert changes(path, CHANGED) == [
        row
        for day in (5, 6)
        for row in (
            (day, "supply_side_usd", "70", "60", "-10"),
            (day, "holders_usd", "30", "40", "10"),
            (day, "policy_usd", "30", "40", "10"),
        )
    ]
    assert contents(path) == before


def test_a_policy_that_is_added_later_makes_unknown_known(tmp_path: Path) -> None:
    """Without any rate nobody knew the split; with one from the fifth, the third stays unknown."""
    path = indexed(tmp_path / "a.duckdb", PAID)

    found = changes(path, with_shares(d05="0.7"))

    assert found[:4] == [
        (5, "supply_side_usd", None, "70", None),
        (5, "holders_usd", None, "30", None),
        (5, "declared_ratio", None, "1", None),
        (5, "policy_usd", None, "30", None),
    ]
    assert {row[0] for row in found} == {5, 6}


def test_a_promise_restates_though_no_split_does(tmp_path: Path) -> None:
    """A rate of revenue that the fees' own split does not use changes what is declared."""
    path = indexed(tmp_path / "a.duckdb", OLD)

    found = changes(path, with_promise("0.25"))

    assert found == [
        (6, "declared_ratio", "1", "0.25", "-0.75"),
        (6, "policy_usd", "30", "7.5", "-22.5"),
    ]


def test_a_promise_is_shown_of_all_chains_as_it_is_kept_for_all(tmp_path: Path) -> None:
    """Policies name no chain: what applying on one moves on another is shown with it, not never."""
    path = indexed(tmp_path / "a.duckdb", OLD)
    with closing(duckdb.connect(path)) as con:
        con.execute("insert into fees select * replace (42161 as chain_id) from fees")
    late = with_promise("0.25")

    found = restate(Ledger(path, ETHEREUM, {"feed": late}), [late], keep=True)

    assert found.filter(pl.col("figure") == "policy_usd")["chain_id"].to_list() == [1, 42161]
    assert changes(path, late) == []


def test_a_share_that_buys_restates_the_promise_alone(tmp_path: Path) -> None:
    """Half of what holders are to get buys the token from the sixth on: fifteen of thirty."""
    path = indexed(tmp_path / "a.duckdb", OLD)
    half = Policy("buyback_share", "0.5", "2022-12-06", "test", "governance")

    found = changes(path, replace(OLD, policies=(*OLD.policies, half)))

    assert found == [(6, "policy_usd", "30", "15", "-15")]


def test_applying_is_decoding_again(tmp_path: Path) -> None:
    """What was shown is kept: the database is what `redecode` makes, and then nothing changes."""
    path, other = indexed(tmp_path / "a.duckdb", OLD), indexed(tmp_path / "b.duckdb", OLD)
    expected = changes(path, CHANGED)

    assert changes(path, CHANGED, keep=True) == expected
    redecode(Ledger(other, ETHEREUM, {"feed": CHANGED}), [CHANGED])
    assert contents(path) == contents(other)
    assert changes(path, CHANGED) == []


def test_a_day_that_appears_has_no_before() -> None:
    """A day on one side alone is unknown on the other; days that are equal are left out."""
    old = pl.DataFrame(
        {"chain_id": 1, "protocol": "p", "date": [date(2025, 1, 1)], "fees_usd": [Decimal(5)]}
    )
    late = pl.concat([old, old.with_columns(date=pl.lit(date(2025, 1, 2)))])

    assert differences(old, late).select("date", "before", "after").rows() == [
        (date(2025, 1, 2), None, Decimal(5))
    ]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--output", "none/days.csv"), "none is no folder: make it"),
        (("--output", "days.csv", "--format", "json"), "is no name for json"),
        (("--format", "parquet"), "parquet is binary: name a file"),
    ],
)
def test_nothing_is_applied_that_cannot_be_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, ...], said: str
) -> None:
    """Once it is kept nothing changes any more, and no run tells which days did."""
    words = ("restate", "--chain", "ethereum", "--apply", "--database", tmp_path / "a.duckdb")

    assert perpscope(*words, *more) == 2
    assert said in capsys.readouterr().err


# --- against what was published -------------------------------------------------------------------


def test_a_report_is_the_record_of_what_was_published(tmp_path: Path) -> None:
    """The database was restated since; its report still says seventy, and the difference shows."""
    path = indexed(tmp_path / "a.duckdb", OLD)
    folder = write_report(path, tmp_path / "report")
    changes(path, CHANGED, keep=True)

    published = published_income(folder, ETHEREUM.chain_id)

    assert changes(path, CHANGED) == []
    assert changes(path, CHANGED, published=published.head(3)) == [
        (5, "supply_side_usd", "70", "60", "-10"),
        (5, "holders_usd", "30", "40", "10"),
        (5, "policy_usd", "30", "40", "10"),
    ]
    (folder / "parquet" / "fees.parquet").write_bytes(b"other")
    with pytest.raises(WorldError, match="is not the file that its report wrote"):
        published_income(folder, ETHEREUM.chain_id)
    missing = r"cannot be read \(No such file or directory\): expected the folder that"
    with pytest.raises(UserError, match=missing):
        published_income(tmp_path, ETHEREUM.chain_id)


def test_what_a_report_said_was_promised_is_compared_too(tmp_path: Path) -> None:
    """A rate that no split of a fee uses was raised since: the promise of its days differs."""
    path = indexed(tmp_path / "a.duckdb", with_promise("0.25"))
    folder = write_report(path, tmp_path / "report")
    raised = with_promise("0.5")
    changes(path, raised, keep=True)
    told, policies = published_income(folder, ETHEREUM.chain_id), published_policies(folder)

    assert changes(path, raised, published=told, policies=policies) == [
        (6, "declared_ratio", "0.25", "0.5", "0.25"),
        (6, "policy_usd", "7.5", "15", "7.5"),
    ]
    assert changes(path, with_promise("0.25"), published=told, policies=policies) == []


@pytest.mark.parametrize(
    ("fees", "limits", "told"),
    [
        pytest.param(3, Limits(), [200, 100], id="the fourth is under way"),
        pytest.param(
            4,
            Limits(since=datetime(2022, 12, 3, 12), until=datetime(2022, 12, 4, 12)),
            [100, 100],
            id="from noon to noon",
        ),
    ],
)
def test_a_day_that_a_report_told_in_part_is_compared_in_that_part(
    tmp_path: Path, fees: int, limits: Limits, told: list[int]
) -> None:
    """Two fees a day, at five in the morning and in the evening; later ones restate nothing."""
    path = indexed(tmp_path / "a.duckdb", OLD, fees=fees, seconds=43_200)
    folder = write_report(path, tmp_path / "report", limits=limits)
    published = published_income(folder, ETHEREUM.chain_id)
    extent = published_extent(folder, ETHEREUM.chain_id)
    indexed(path, OLD, fees=6, seconds=43_200)

    changed = with_shares(d01="0.7", d04="0.6")

    assert published["fees_usd"].to_list() == told
    assert changes(path, OLD, published=published, within=extent) == []
    assert changes(path, changed, published=published, within=extent) == [
        (4, "supply_side_usd", "70", "60", "-10"),
        (4, "holders_usd", "30", "40", "10"),
        (4, "policy_usd", "30", "40", "10"),
    ]


# --- the simulated world --------------------------------------------------------------------------


@dataclass(frozen=True)
class Story:
    """A simulated history: its world, the days from the sixth of January on, and a part of them."""

    world: Callable[[], World]
    days: tuple[int, ...]
    part: Limits


HOURS = Story(
    partial(simulated, SEED, scenario_named("calm")),
    (6,),
    Limits(since=datetime(2026, 1, 6, 0, 20), until=datetime(2026, 1, 6, 0, 40)),
)
THREE_DAYS = Story(
    world, (6, 7), Limits(since=datetime(2026, 1, 6, 12), until=datetime(2026, 1, 7, 6))
)


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(HOURS, id="hours"),
        pytest.param(THREE_DAYS, id="three days", marks=pytest.mark.soak),
    ],
)
def story(request: pytest.FixtureRequest) -> Story:
    """Return a simulated history."""
    found: Story = request.param
    return found


@pytest.fixture(scope="module")
def database(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of its Arbitrum."""
    path = tmp_path_factory.mktemp("restate") / "simulated.duckdb"
    chain = next(one for one in story.world().chains if one.chain_id == ARBITRUM.chain_id)
    with serve([chain]) as node:
        index_served(path, chain, node.urls[chain.slug])
    return path


def test_a_simulated_history_is_restated(story: Story, database: Path) -> None:
    """Half of revenue for holders from a day on: what they gain the treasury loses."""
    gmx = PROTOCOLS["gmx_v2"]
    half = Policy("holders_share_of_revenue", "0.5", "2026-01-06", "test", "assumed")
    changed = replace(gmx, policies=(*gmx.policies, half))
    before = contents(database)

    found = restate(
        Ledger(database, ARBITRUM, {**PROTOCOLS, "gmx_v2": changed}), [changed], keep=False
    )

    moved = {
        figure: found.filter(pl.col("figure") == figure).sort("date")["change"]
        for figure in found["figure"].unique()
    }
    assert set(moved) == {"treasury_usd", "holders_usd", "declared_ratio", "policy_usd"}
    assert (moved["treasury_usd"] + moved["holders_usd"] == 0).all()
    assert (moved["holders_usd"] < 0).all()
    assert set(found["date"]) == {date(2026, 1, day) for day in story.days}
    assert set(found.filter(pl.col("figure") == "declared_ratio")["after"]) == {Decimal("0.5")}
    assert contents(database) == before


def test_the_command_shows_what_would_change(story: Story, database: Path, tmp_path: Path) -> None:
    """Nothing changes, nor does what a report told in part; what is not stored is refused."""
    folder = write_report(database, tmp_path / "report", limits=story.part)
    words = ["restate", "--chain", "arbitrum", "--database", str(database)]

    result = CliRunner().invoke(app, [*words, "gmx_v2", "--format", "csv"])
    against = CliRunner().invoke(app, [*words, "--format", "csv", "--against", str(folder)])

    shown = CliRunner().invoke(app, [*words, "gmx_v2"])

    assert result.stdout == against.stdout == "chain_id,protocol,date,figure,before,after,change\n"
    assert shown.stdout.startswith("nothing changes\n")
    assert outcome(lambda: app([*words, "gains"], standalone_mode=False)) == 2

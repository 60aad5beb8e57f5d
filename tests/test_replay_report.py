"""A report is made again, to the byte, from whatever database holds the same blocks."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from shutil import copytree
from typing import Any

import duckdb
import polars as pl
import pytest
from handmade import write_database
from report_rows import market, silenced, written_market
from simulated_world import world
from sync_rig import DECLARATIONS, FEED, FIRST, blocks, job, run, served
from typer.testing import CliRunner, Result

from analytics import load
from analytics.errors import UserError, WorldError
from analytics.reports import Limits, write_report
from analytics.reports.manifest import CARDS
from analytics.reports.published import published_extent, published_income
from analytics.reports.replay import replayed
from analytics.reports.summary import Summary
from indexer.simulation.demo import index_served
from indexer.simulation.node import serve
from indexer.tables import tables
from perpscope import app

COUNT = 300
SOME = FIRST + 199


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve the small chain to every test of this file."""
    with serve([served(blocks(COUNT))]) as node:
        yield node.url


@pytest.fixture(scope="module")
def bundle(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the chain's first two hundred blocks."""
    place = tmp_path_factory.mktemp("bundle")
    run(job(place / "a.duckdb", to_block=SOME), url)
    return write_report(place / "a.duckdb", place / "report")


@pytest.fixture(scope="module")
def elsewhere(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same blocks, the later ones fetched first, the rows in no order at all."""
    place = tmp_path_factory.mktemp("elsewhere")
    # The last run fetches what the first could not know: events of a pool that was born earlier.
    for first, last in ((FIRST + 150, SOME), (FIRST, FIRST + 149), (FIRST, SOME)):
        run(job(place / "a.duckdb", from_block=first, to_block=last), url)
    return shuffled(place / "a.duckdb", place / "b.duckdb")


def calm_market(folder: Path, **replaced: pl.DataFrame) -> Path:
    """Write the small market without what charts and events are made of, and return its path."""
    silent = ("liquidations", "open_interest", "oracle_updates")
    nothing = {name: market()[name].clear() for name in silent}
    return written_market(folder, **(nothing | replaced))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with a database of a calm market and the report made of it."""
    place = tmp_path_factory.mktemp("made")
    write_report(calm_market(place), place / "report")
    return place


@pytest.fixture
def made(made_once: Path, tmp_path: Path) -> Path:
    """Return a copy of that report that may be changed, beside the database `market.duckdb`."""
    return copytree(made_once, tmp_path / "made") / "report"


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path inside."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a report."""
    said: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return said


def command(*arguments: str | Path) -> Result:
    """Run `perpscope replay-report`."""
    return CliRunner().invoke(app, ["replay-report", *map(str, arguments)])


def shuffled(path: Path, copy: Path) -> Path:
    """Write a database with the same rows in another physical order."""
    with duckdb.connect(copy) as con:
        con.execute(f"attach '{path}' as held (read_only)")
        for name in tables():
            con.execute(f"create table {name} as from held.{name} order by hash({name}::varchar)")
    return copy


def test_what_came_since_changes_no_byte(url: str, bundle: Path, tmp_path: Path) -> None:
    """Ranges of another size, the rest of the chain, and a protocol with what it states."""
    path, other = tmp_path / "b.duckdb", replace(FEED, slug="other")
    run(job(path, max_span=29, max_logs=20), url)
    run(job(path, protocols=(other,), declarations={**DECLARATIONS, "other": other}), url)

    assert replayed(bundle, path).differing == ()


def test_logs_of_a_contract_that_got_other_code_are_counted_again(tmp_path: Path) -> None:
    """The one table of a report that counts logs is the same without those of other contracts."""
    path = calm_market(tmp_path, **silenced(141))
    made = write_report(path, tmp_path / "report")

    assert "Silent: 1 contract of gmx_v2" in (made / "report.md").read_text("utf-8")
    assert replayed(made, path).differing == ()


def test_another_order_gives_the_same_bytes(elsewhere: Path, bundle: Path, tmp_path: Path) -> None:
    """A report written of a database that was filled in another order is the same."""
    assert contents(write_report(elsewhere, tmp_path / "report")) == contents(bundle)


@pytest.mark.soak  # the test above writes the same report, the one before it replays the bundle
def test_another_order_is_replayed(elsewhere: Path, bundle: Path) -> None:
    """A bundle is made again from a database that was filled in another order."""
    assert replayed(bundle, elsewhere).differing == ()


# tests/test_report_bundle.py turns the rows of a market, tests/test_twins.py those of each metric
@pytest.mark.soak
def test_the_simulated_market_gives_the_same_bytes(tmp_path: Path) -> None:
    """A report with every chart and table is the same from rows in another order."""
    chain = world().chains[1]
    with serve([chain]) as node:
        index_served(tmp_path / "a.duckdb", chain, node.url)
    made = write_report(tmp_path / "a.duckdb", tmp_path / "report")

    found = replayed(made, shuffled(tmp_path / "a.duckdb", tmp_path / "b.duckdb"))

    assert found.differing == ()
    assert found.file_count == len(contents(made))


@pytest.mark.soak  # both sides of the comparison below are limited, and made again
def test_limits_are_kept(tmp_path: Path) -> None:
    """A report on one venue and some hours is made again on these."""
    database = written_market(tmp_path)
    limits = Limits(protocol="gmx_v2", since=market()["fees"]["block_timestamp"][1])
    made = write_report(database, tmp_path / "report", limits)

    assert replayed(made, database).differing == ()


def test_both_sides_of_a_comparison_are_in_the_bundle(tmp_path: Path) -> None:
    """
    Coverage, digests and transactions are of both protocols, and both are made again.

    Coverage is also of the oracle whose prices judge what the two do.
    """
    database = calm_market(tmp_path, oracle_updates=market()["oracle_updates"])
    since = market()["fees"]["block_timestamp"][1]
    sides = Limits(protocol="gmx_v2", since=since), Limits(protocol="maple")
    made = write_report(database, tmp_path / "report", *sides)

    said, sent = manifest(made), pl.read_parquet(made / "transactions.parquet")

    covered = {row["protocol"] for row in said["inputs"]["coverage"]}
    assert covered == {"gmx_v2", "maple", "chainlink"}
    assert set(sent["protocol"]) == {"gmx_v2", "maple"}
    assert said["inputs"]["facts"]["credit_events"]["rows"] == 0
    assert said["inputs"]["compared_facts"]["credit_events"]["rows"] == 1
    assert replayed(made, database).differing == ()


def test_a_fact_that_changed_is_named(made: Path, tmp_path: Path) -> None:
    """Another amount of one fee: the table is named as the reason, and the command fails."""
    fees = market()["fees"]
    half = fees.with_columns(
        (pl.col("holders_usd") - 1).alias("holders_usd"),
        (pl.col("treasury_usd") + 1).alias("treasury_usd"),
    )
    (tmp_path / "other").mkdir()
    other = calm_market(tmp_path / "other", fees=half)

    result = command(made, "--database", other)

    assert isinstance(result.exception, WorldError)
    assert "input: fees has 3 rows, the bundle was made of 3 others" in result.stdout
    assert "csv/holders_revenue.csv" in result.stdout


def claimed(bundle: Path, place: Path, **values: str) -> Result:
    """Replay a report that says something else of its blocks than the database it is made from."""
    path = place / "claimed.duckdb"
    path.write_bytes((bundle.parent / "a.duckdb").read_bytes())
    with duckdb.connect(path) as con:
        for name, value in values.items():
            con.execute(f"update coverage set {name} = ?", [value])
    made = write_report(path, place / "claimed")
    return command(made, "--database", bundle.parent / "a.duckdb")


def test_other_logs_than_the_database_holds_are_named(bundle: Path, tmp_path: Path) -> None:
    """A report that rests on logs and a block that the database does not know is refused."""
    result = claimed(bundle, tmp_path, logs_digest="7" * 64, to_block_hash="0x" + "12" * 32)

    where = f"blocks {FIRST}–{SOME} of feed on ethereum"
    assert f"coverage: {where} hold other logs than the bundle says" in result.stdout
    assert f"coverage: the last of {where} has another hash than the bundle says" in result.stdout
    assert isinstance(result.exception, WorldError)
    assert "rests on other blocks or logs than the database holds" in str(result.exception)


def test_a_proof_that_the_database_has_not_is_named(bundle: Path, tmp_path: Path) -> None:
    """The same bytes, made of logs that are proven less far than the report says."""
    result = claimed(bundle, tmp_path, proof="receipts")

    assert result.exit_code == 0
    assert "the same bytes in all" in result.stdout
    assert "proven further, the bundle says: feed on ethereum: receipts, here fetched" in (
        result.stdout
    )


def test_blocks_that_are_not_there_are_named(url: str, bundle: Path, tmp_path: Path) -> None:
    """A database that covers less cannot give the report before it is indexed further."""
    run(job(tmp_path / "b.duckdb", to_block=SOME - 1), url)

    said = f"rests on blocks {FIRST}–{SOME} of feed on ethereum, .* not cover: index them first"
    with pytest.raises(WorldError, match=said):
        replayed(bundle, tmp_path / "b.duckdb")


def test_blocks_of_another_declaration_are_there(bundle: Path, tmp_path: Path) -> None:
    """After `redecode` under a changed declaration nothing is left to index: what helps is said."""
    path = tmp_path / "a.duckdb"
    path.write_bytes((bundle.parent / "a.duckdb").read_bytes())
    with duckdb.connect(path) as con:
        con.execute("update coverage set declaration_digest = 'another/same' where true")

    said = f"blocks {FIRST}–{SOME} of feed on ethereum, which the database holds as another"
    with pytest.raises(WorldError, match=said):
        replayed(bundle, path)


def test_a_bundle_that_was_changed_is_refused(made: Path) -> None:
    """A digit that somebody changed in a file is found before anything is computed."""
    page = made / "report.md"
    page.write_text(page.read_text(encoding="utf-8").replace("25.00", "26.00"), encoding="utf-8")

    with pytest.raises(WorldError, match=r"report.md in .* is not what the manifest says"):
        replayed(made, made.parent / "market.duckdb")


def test_another_version_is_named(bundle: Path, tmp_path: Path) -> None:
    """A bundle of another Polars differs in its manifest, and the reason says so."""
    older = copytree(bundle, tmp_path / "report")
    said = manifest(older)
    said["versions"]["polars"] = "0.1"
    (older / "manifest.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")

    found = replayed(older, bundle.parent / "a.duckdb")

    assert found.differing == ("manifest.json",)
    assert found.reasons[0].startswith("version: polars is ")
    assert found.reasons[0].endswith("the bundle was made by 0.1")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read"),
        ("{}", "has format None"),
        ("[]", "has format None"),
        (b"\xff", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ('{"code": "\\ud800"}', "cannot be read"),
    ],
)
def test_a_folder_that_is_no_bundle_is_refused(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    """A manifest that is broken or of another format is the user's mistake."""
    octets = text.encode() if isinstance(text, str) else text
    (tmp_path / "manifest.json").write_bytes(octets)

    with pytest.raises(UserError, match=said):
        replayed(tmp_path, tmp_path / "none.duckdb")
    with pytest.raises(UserError, match=said):
        published_income(tmp_path, 1)


def changed_by_hand(made: Path, *path: str | int, to: object) -> Path:
    """Return the report after somebody wrote something else into its manifest."""
    said = manifest(made)
    *places, last = path
    part: Any = said
    for place in places:
        part = part[place]
    part[last] = to
    (made / "manifest.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("inputs",), None),
        (("files",), []),
        (("limits",), {}),
        (("limits", "since"), "yesterday"),
        (("limits", "until"), 5),
        (("limits", "protocol"), 5),
        (("limits", "chain_id"), {}),
        (("limits", "chain_id"), [1]),
        (("limits", "chain_id"), True),
        (("limits", "chain_id"), 42161.0),
        (("limits", "chain_id"), "42161"),
        (("compared_with",), {"protocol": None, "chain_id": {}, "since": None, "until": None}),
        (("inputs", "facts"), None),
        (("inputs", "facts", "fees"), {}),
        (("inputs", "coverage", 0), {"chain_id": 42161}),
        (("inputs", "coverage", 0, "from_block"), "x"),
    ],
)
def test_a_manifest_that_nobody_can_read_is_refused(
    made: Path, path: tuple[str | int, ...], to: object
) -> None:
    """What was changed by hand into no manifest is named as that, and is no defect of ours."""
    edited, database = changed_by_hand(made, *path, to=to), made.parent / "market.duckdb"

    with pytest.raises(UserError, match=r"manifest.json is not as `perpscope report` wrote it"):
        replayed(edited, database)


def test_a_time_of_another_zone_is_one(made: Path) -> None:
    """Who writes a start in another zone into it is told what differs, as of any other start."""
    edited = changed_by_hand(made, "limits", "since", to="2025-10-10T02:00:00+02:00")

    found = replayed(edited, made.parent / "market.duckdb")

    assert {"manifest.json", "report.md"} <= {*found.differing}


def test_an_extent_that_nobody_can_read_is_refused(made: Path) -> None:
    """Who restates against a report whose time was changed into none is told so."""
    with pytest.raises(UserError, match="since of the report must be a time"):
        published_extent(changed_by_hand(made, "limits", "since", to="yesterday"), 1)


def test_a_manifest_that_alone_differs_was_changed(made: Path) -> None:
    """Another number in it, and every file as it was: nothing beside the facts is to blame."""
    edited = changed_by_hand(made, "summary", "income", "fees_usd", to="1")

    found = replayed(edited, made.parent / "market.duckdb")

    assert found.differing == ("manifest.json",)
    assert found.reasons == (
        "manifest.json was changed after it was written: all that it tells of is the same",
    )


def test_a_chain_of_another_origin_changes_no_byte(made: Path) -> None:
    """What is indexed later from a node is no part of the report on a simulated market."""
    database = made.parent / "market.duckdb"
    with duckdb.connect(database) as con:
        con.execute("insert into origins values (8453, 'geth', 'node')")
        con.execute(
            "insert into coverage by name "
            "select * replace (8453 as chain_id, 'later' as protocol) from coverage limit 1"
        )

    said = command(made, "--database", database).stdout

    assert said == f"the same bytes in all {len(contents(made))} files\n"


def test_a_digest_knows_rows_and_not_their_order(tmp_path: Path) -> None:
    """Rows in another order have the same one, a last digit makes another."""
    fees = market()["fees"]
    changed = fees.with_columns(pl.col("fee_usd") + Decimal("1e-18"))
    digests = []
    for number, frame in enumerate((fees, fees.reverse(), changed, fees.head(2))):
        path = write_database(tmp_path / f"{number}.duckdb", {"fees": frame})
        with load.database(path) as con:
            digests.append(load.digest(con, "fees"))

    assert digests[0] == digests[1]
    assert [count for count, _ in digests] == [3, 3, 3, 2]
    assert len({digest for _, digest in digests}) == 3


def test_every_number_names_its_transactions(made: Path) -> None:
    """Card → metric → facts → transactions: digests and counts are those of the rows."""
    said, sent = manifest(made), pl.read_parquet(made / "transactions.parquet")

    income = said["cards"]["income"][0]
    fees = said["inputs"]["facts"]["fees"]

    assert income == {"kind": "metric", "asked": "fees", "facts": ["fees"]}
    numbers = {each.name for each in fields(Summary)} - {"kinds", "doubts"}
    assert CARDS.keys() == said["cards"].keys() == numbers
    assert (fees["rows"], fees["transactions"], fees["proof"]) == (3, 3, ["not covered"])
    assert sent.filter(table="fees")["fact_count"].sum() == 3
    for entries in said["sections"].values():
        assert all(entry["facts"] for entry in entries)

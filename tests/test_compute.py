"""The resolver: facts and metrics by parameter name, settings, and requests it refuses."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from os import fsdecode
from pathlib import Path

import duckdb
import polars as pl
import pytest
from every_fact import every_fact
from handmade import at, column, load, table, units, write_database
from polars.testing import assert_frame_equal

from analytics.compute import (
    collected,
    compute,
    facts_of,
    inputs_of,
    is_narrowed,
    is_of_two,
    methodology,
    settings_of,
    wired,
)
from analytics.errors import UserError, WorldError
from analytics.load import SCHEMA_VERSION, database, database_path, facts
from analytics.metrics import METRICS, Metric
from indexer.store import open_database
from indexer.tables import columns_of, tables

SPLIT = {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}


HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read(1)
"""


def nothing(*frames: pl.LazyFrame) -> pl.LazyFrame:
    """Return no rows, whatever the inputs."""
    return pl.LazyFrame({"inputs": [len(frames)]})


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_rests_on_facts(name: str) -> None:
    """Following the parameter names of a metric ends at tables of the schema."""
    assert facts_of(name) <= set(tables())


@pytest.mark.parametrize("name", sorted(METRICS))
def test_every_metric_answers_an_empty_database(name: str) -> None:
    """Without a single fact there is an answer without rows."""
    result = collected(compute(name, load()))

    assert result.is_empty()
    assert result.width > 1


def test_a_metric_is_computed_before_the_one_that_needs_it() -> None:
    """`buyback_ratio` loads buybacks and computes revenue from fees."""
    spent = table("buybacks", {"spent_usd": 1})

    result = collected(compute("buyback_ratio", load(buybacks=spent, fees=table("fees", SPLIT))))

    assert column(result, "buyback_ratio") == [0.25]


def test_a_shared_name_is_the_metric_outside_and_the_fact_inside() -> None:
    """Asked for, `liquidations` is the metric; as a parameter of any metric it is the fact."""
    cut = load(
        adls=table("adls", {"notional_usd": 3}),
        liquidations=table("liquidations", {"notional_usd": 2}),
    )

    asked = collected(compute("liquidations", cut))
    inside = collected(compute("adls", cut))

    assert "liquidation_count" in asked.columns
    assert column(inside, "adl_to_liquidation_ratio") == [1.5]


def test_a_metric_may_need_several_metrics() -> None:
    """The order of the parameters is the order of the inputs, at any depth."""

    def first(fees: pl.LazyFrame) -> pl.LazyFrame:
        return nothing(fees)

    def second(first: pl.LazyFrame, fees: pl.LazyFrame, buybacks: pl.LazyFrame) -> pl.LazyFrame:
        return nothing(first, fees, buybacks)

    ours: dict[str, Metric] = {"first": first, "second": second}

    assert collected(wired("second", load(), {}, ours)).item() == 3
    assert facts_of("second", ours) == {"fees", "buybacks"}


def test_settings_reach_the_metric_that_declares_them() -> None:
    """A bucket of a minute is a bucket of a minute."""
    rows = load(liquidations=table("liquidations", {}, {"block_timestamp": at(60)}))

    result = collected(compute("liquidations", rows, bucket_seconds=60))

    assert column(result, "bucket_at") == [at(0), at(60)]


def test_settings_reach_metrics_behind_the_metric() -> None:
    """A setting of a metric that is needed can be given to the one that needs it."""

    def inner(fees: pl.LazyFrame, *, days: int = 1) -> pl.LazyFrame:
        return nothing(fees).with_columns(days=days)

    def outer(inner: pl.LazyFrame) -> pl.LazyFrame:
        return inner

    ours: dict[str, Metric] = {"inner": inner, "outer": outer}

    assert settings_of("outer", ours) == {"days": int}
    assert collected(wired("outer", load(), {"days": 7}, ours))["days"].item() == 7


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("fee", {}, "no metric is called fee: did you mean fees?"),
        ("xyz", {}, "no metric is called xyz: `perpscope metric` lists them"),
        ("", {}, "no metric is called '': `perpscope metric` lists them"),
        (
            "buyback_ratio",
            {"window": 3},
            "no setting of buyback_ratio is called window: did you mean window_days?",
        ),
        ("fees", {"days": 3}, "no setting of fees is called days: there are none"),
        (
            "buyback_ratio",
            {"window_days": 0},
            "buyback_ratio: window_days must be at least 1, got 0",
        ),
        (
            "adls",
            {"bucket_seconds": 10**30},
            "adls: bucket_seconds must be at most 3162240000, got 1000",
        ),
    ],
)
def test_a_wrong_request_is_one_sentence(name: str, settings: dict[str, int], message: str) -> None:
    """An unknown metric or setting, or a value the metric refuses, is named with what is near."""
    with pytest.raises(UserError, match=re.escape(message)):
        compute(name, load(), **settings)


def test_a_sum_that_does_not_fit_is_refused() -> None:
    """More than DECIMAL(38,18) can hold is an error, never a wrong number."""
    largest = {"fee_usd": units(10**38 - 1)}

    with pytest.raises(WorldError, match="cannot be computed from these rows: overflow"):
        collected(compute("fees", load(fees=table("fees", largest, largest))))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_methodology_is_the_docstring(name: str) -> None:
    """Every metric says what it is, its formula, its inputs, its rows and its source."""
    text = methodology(name)

    assert len(text.splitlines()[0].split()) > 5
    for section in ("Formula:", "Args:", "Returns:", "Source:"):
        assert section in text.splitlines()
    for needed in (*inputs_of(name), *settings_of(name)):
        assert f"{needed}:" in text


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_methodology_names_columns_in_their_order(name: str) -> None:
    """Whoever reads Returns beside a CSV finds the columns where they are said to be."""
    text = " ".join(methodology(name).partition("Returns:")[2].partition("\n\n")[0].split())
    while (bare := re.sub(r"\([^()]*\)", "", text)) != text:
        text = bare
    columns = compute(name, load()).collect_schema().names()
    said = re.findall(r"\w+", text.partition(": ")[2].partition(". ")[0])
    named = [word for word in dict.fromkeys(said) if word in columns]

    assert named == [column for column in columns if column in named]


@pytest.mark.parametrize(
    ("name", "table", "is_so"),
    [
        ("fees_valued", "fees", True),
        ("fees_valued", "oracle_updates", False),
        ("liquidations_off_oracle", "oracle_updates", False),
        ("oracle_deviation", "oracle_updates", False),
        ("oracle_staleness", "oracle_updates", True),
        ("heartbeat_breaches", "feeds", True),
    ],
)
def test_prices_of_others_are_kept(name: str, table: str, is_so: bool) -> None:
    """A limit of protocol narrows what a metric is about, not the prices it is judged by."""
    assert is_narrowed(name, table) is is_so


@pytest.mark.parametrize(
    "name", [name for name in METRICS if facts_of(name) <= {"oracle_updates", "feeds"}]
)
def test_metrics_of_two_sources_have_a_reference(name: str) -> None:
    """What is about prices alone is of two sources if, and only if, its rows name the other."""
    columns = compute(name, load()).collect_schema()

    assert is_of_two(name) is ("reference_protocol" in columns)


def test_facts_come_as_they_were_stored(tmp_path: Path) -> None:
    """Columns, types and all 18 places survive the way through DuckDB and Arrow."""
    stored = table("fees", SPLIT | {"fee_usd": units(10**37 + 1)}, {"fee_usd": None})
    path = write_database(tmp_path / "p.duckdb", {"fees": stored})

    with database(path) as con:
        loaded = facts(con, "fees").collect()

    assert loaded.schema == columns_of("fees")
    assert loaded.equals(stored)


def test_every_file_of_metrics_is_listed(root: Path) -> None:
    """Of a file that the package does not list, no command, report or test would know."""
    files = {path.stem for path in (root / "analytics/metrics").glob("[!_]*.py")}
    listed = {metric.__module__.rpartition(".")[2] for metric in METRICS.values()}

    assert files == listed, "list it in analytics/metrics/__init__.py"


def test_the_readme_computes_in_a_notebook(tmp_path: Path, root: Path) -> None:
    """What README shows runs as it stands beside the demo's folder, and so do one's own rows."""
    (tmp_path / "perpscope-demo").mkdir()
    rows = table("fees", SPLIT | {"fee_usd": 3}, SPLIT | {"fee_usd": 4})
    write_database(tmp_path / "perpscope-demo" / "simulated.duckdb", {"fees": rows})
    text = (root / "README.md").read_text(encoding="utf-8")
    shown = text.partition("```python\n")[2].partition("```")[0]
    cast = re.findall(r"`(ours\.cast\(.*\))`", text)
    told = (
        "\nfrom indexer.tables import columns_of\n"
        f"print(by_day['fees_usd'], {cast[0]}.equals(ours))"
    )

    run = subprocess.run(
        (sys.executable, "-c", shown + told),
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.stderr == ""
    assert "7.000000000000000000" in run.stdout
    assert run.stdout.endswith("True\n")


def test_facts_are_filtered_where_they_are_read(tmp_path: Path) -> None:
    """Protocol, chain and times narrow a table; both ends of the time are inside."""
    rows: list[dict[str, object]] = [
        {"fee_usd": 1},
        {"fee_usd": 2, "block_timestamp": at(10)},
        {"fee_usd": 4, "block_timestamp": at(20)},
        {"fee_usd": 8, "protocol": "other", "block_timestamp": at(10)},
        {"fee_usd": 16, "chain_id": 2, "block_timestamp": at(10)},
        {"fee_usd": 32, "block_timestamp": at(21)},
    ]
    path = write_database(tmp_path / "p.duckdb", {"fees": table("fees", *rows)})

    with database(path) as con:
        kept = facts(con, "fees", protocol="venue", chain_id=1, since=at(10), until=at(20))
        result = kept.select("fee_usd").collect()

    assert column(result, "fee_usd") == ["2", "4"]


def test_a_filter_leaves_tables_without_its_column_alone(tmp_path: Path) -> None:
    """Policies have no chain and no block time, so only the protocol narrows them."""
    policy = {"kind": "buyback_share", "value": 1, "valid_from": at(), "source": "", "basis": ""}
    path = write_database(tmp_path / "p.duckdb", {"policies": table("policies", policy)})

    with database(path) as con:
        kept = facts(con, "policies", protocol="venue", chain_id=9, since=at(99))

        assert kept.collect().height == 1


@pytest.fixture(scope="module")
def rows_of_facts() -> Mapping[str, pl.DataFrame]:
    """Return the rows of every fact."""
    return every_fact()


@pytest.fixture(scope="module")
def file_of_rows(
    tmp_path_factory: pytest.TempPathFactory, rows_of_facts: Mapping[str, pl.DataFrame]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield the rows of every fact as an open database."""
    path = tmp_path_factory.mktemp("rows") / "p.duckdb"
    with database(write_database(path, rows_of_facts)) as con:
        yield con


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_of_a_file_is_the_metric_of_its_rows(
    name: str, file_of_rows: duckdb.DuckDBPyConnection, rows_of_facts: Mapping[str, pl.DataFrame]
) -> None:
    """Tables are read from one file in one plan, their keys as categories, and say the same."""
    result = collected(compute(name, partial(facts, file_of_rows, is_coded=True)))

    assert result.height > 0
    assert_frame_equal(result, collected(compute(name, load(**rows_of_facts))), check_exact=True)


def test_a_table_nobody_knows_is_named(tmp_path: Path) -> None:
    """A database without a table that is asked for says which, and what may be wrong."""
    path = write_database(tmp_path / "p.duckdb", {})

    told = "has no table nonsense: either indexer/schema.sql names none so"

    with database(path) as con, pytest.raises(WorldError, match=re.escape(told)):
        facts(con, "nonsense")


def test_a_database_is_opened_read_only(tmp_path: Path) -> None:
    """Nothing in the analytics can change a database, nor read another file."""
    path = write_database(tmp_path / "p.duckdb", {})

    with database(path) as con:
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            con.execute("delete from fees")
        with pytest.raises(duckdb.PermissionException):
            con.execute("select * from read_csv('/etc/hostname')")


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Keep a database open for writing in another process, until its standard input ends."""
    writer = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        yield writer
        writer.stdin.close()


def test_a_locked_database_says_so(tmp_path: Path) -> None:
    """A file another process keeps locked is waited for, then named."""
    path = write_database(tmp_path / "p.duckdb", {})

    with (
        held(path),
        pytest.raises(WorldError, match=r"is locked by another process.* in 0.2 s: try again"),
        database(path, wait_seconds=0.2),
    ):
        pass


def test_a_writer_that_finishes_is_waited_for(tmp_path: Path) -> None:
    """A reader that arrives during a commit gets its turn when the writer is done."""
    path = write_database(tmp_path / "p.duckdb", {})

    with held(path) as writer:
        assert writer.stdin is not None
        letting_go = threading.Timer(0.3, writer.stdin.close)
        letting_go.start()
        with database(path, wait_seconds=30) as con:
            answer = con.execute("select 1").fetchone()
        letting_go.join()

    assert answer == (1,)


def test_a_reader_leaves_the_lock_of_its_own_process_alone(tmp_path: Path) -> None:
    """As in `watch`: a lock is lost as soon as the process closes the file anywhere."""
    path = write_database(tmp_path / "p.duckdb", {})
    words = (sys.executable, "-c", f"import duckdb; duckdb.connect({str(path)!r}, read_only=True)")
    with closing(open_database(path)):
        with pytest.raises(WorldError), database(path, wait_seconds=0):
            pass
        other = subprocess.run(words, capture_output=True, text=True, check=False)

    assert "Could not set lock on file" in other.stderr


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A database of a later perpscope is not guessed at."""
    path = write_database(tmp_path / "p.duckdb", {})
    with duckdb.connect(str(path)) as con:
        con.execute(f"update schema_version set version = {SCHEMA_VERSION + 1}")

    seen = f"has schema version {SCHEMA_VERSION + 1}, this perpscope reads up to {SCHEMA_VERSION}"
    with pytest.raises(WorldError, match=seen), database(path):
        pass


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A text file, an empty folder and a file of another program are named, not read."""
    text = tmp_path / "notes.duckdb"
    text.write_text("not a database, only some text that is long enough to look at\n" * 99)
    empty = tmp_path / "empty.duckdb"
    duckdb.connect(str(empty)).close()
    sqlite = tmp_path / "sqlite.duckdb"
    sqlite.write_bytes(b"SQLite format 3\0".ljust(4096, b"\0"))

    for path in (text, sqlite):
        with pytest.raises(UserError, match=f"{path} is not a DuckDB database: expected a file"):
            database(path).__enter__()
    odd = Path(fsdecode(bytes(tmp_path / "n") + b"\xff.duckdb"))
    odd.write_bytes(empty.read_bytes())
    with pytest.raises(WorldError, match="its name is not UTF-8"):
        database(odd).__enter__()
    with pytest.raises(UserError, match="is a database, but not one of perpscope"):
        database(empty).__enter__()
    with pytest.raises(WorldError, match="there is no database at"):
        database(tmp_path / "missing.duckdb").__enter__()
    with pytest.raises(UserError, match=f"{tmp_path} is a folder: expected a file; correct --data"):
        database(tmp_path).__enter__()
    for folder in (tmp_path / "nowhere", text):
        with pytest.raises(UserError, match=f"there is no folder {folder} for a.duckdb: expected"):
            database(folder / "a.duckdb").__enter__()


def test_the_configuration_names_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is named wins, then perpscope.toml, then perpscope.duckdb."""
    monkeypatch.chdir(tmp_path)

    without = database_path(None)
    (tmp_path / "perpscope.toml").write_text('database = "elsewhere.duckdb"\n')

    assert without == Path("perpscope.duckdb")
    assert database_path(None) == Path("elsewhere.duckdb")
    assert database_path(Path("named.duckdb")) == Path("named.duckdb")


def test_a_configuration_that_is_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong PERPSCOPE_CONFIG never falls back to another database in silence."""
    monkeypatch.setenv("PERPSCOPE_CONFIG", str(tmp_path / "gone.toml"))

    with pytest.raises(UserError, match="which PERPSCOPE_CONFIG names"):
        database_path(None)


@pytest.mark.parametrize("name", ["PERPSCOPE_DATABSE", "PERPSCOPE_CONFIG_FILE"])
def test_a_variable_that_nearly_names_the_database_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A misspelled variable never leaves another database to be read in silence."""
    monkeypatch.setenv(name, "x.duckdb")
    monkeypatch.setenv("PERPSCOPE_EXAMPLES", "6")

    with pytest.raises(UserError, match=f"variable {name} is no setting: expected PERPSCOPE_"):
        database_path(None)


@pytest.mark.parametrize(
    ("text", "message"), [("database = [", "is not TOML"), ("database = 5", "must be text, got 5")]
)
def test_a_broken_configuration_is_the_users_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    """A configuration that cannot be read is named."""
    config = tmp_path / "perpscope.toml"
    config.write_text(text)
    monkeypatch.setenv("PERPSCOPE_CONFIG", str(config))

    with pytest.raises(UserError, match=message):
        database_path(None)

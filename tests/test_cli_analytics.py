"""`perpscope query` and `perpscope metric`: formats, lists, and what a mistake looks like."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from errno import EACCES, ENOSPC
from pathlib import Path

import commands
import polars as pl
import pytest
from handmade import at, table, write_database
from typer.testing import CliRunner, Result

from analytics.beginnings import FROM_THE_FIRST, looks_back
from analytics.compute import settings_of
from analytics.errors import UserError, WorldError
from analytics.export import table_text, write
from analytics.formats import Format
from analytics.metrics import METRICS
from analytics.queries import queries
from analytics.reports.options import limited
from perpscope import app, outcome

Run = Callable[..., Result]

EXACT = "12345678901234567890.123456789012345678"
HEADER = "chain_id,protocol,account,liquidation_count,market_count,notional_usd"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database with three liquidations of two accounts."""
    rows: list[dict[str, object]] = [
        {"notional_usd": EXACT, "block_timestamp": at(0.000005)},
        {"notional_usd": 5, "account": "0xb"},
        {"notional_usd": None, "account": "0xb"},
    ]
    frames = {"liquidations": table("liquidations", *rows), "coverage": covered()}
    return write_database(tmp_path_factory.mktemp("answers") / "p.duckdb", frames)


def covered() -> pl.DataFrame:
    """Return coverage of one protocol on Ethereum."""
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    return table("coverage", {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-"))


@pytest.fixture(scope="module")
def run(path: Path) -> Run:
    """Return what calls a command on that database."""
    return lambda *arguments: CliRunner().invoke(app, [*arguments, "--database", str(path)])


def perpscope(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the whole command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "perpscope", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
    )


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_closed_standard_output_is_no_traceback(path: Path, form: str) -> None:
    """What starts in a service may have none: nothing is written, and nothing is wrong."""
    words = f"-m perpscope query liquidated_accounts --format {form} --database '{path}' >&-"

    done = subprocess.run(
        ["/bin/sh", "-c", f"'{sys.executable}' {words}"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_csv_is_exact(run: Run) -> None:
    """All 38 digits, times in ISO with their microseconds, and nothing for unknown."""
    result = run("query", "liquidated_accounts", "--format", "csv")

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith(HEADER)
    assert lines[1].startswith(f"1,venue,0xa,1,1,{EXACT},,,,,2025-10-10T21:00:00.000005Z,")
    assert lines[2].startswith("1,venue,0xb,2,1,5.000000000000000000,,,,,2025-10-10T21:00:00Z,")


def test_json_is_exact(run: Run) -> None:
    """A list of objects; decimals are text, because a JSON number loses digits."""
    result = run("query", "liquidated_accounts", "--format", "json")

    first, second = json.loads(result.stdout)
    assert first["notional_usd"] == EXACT
    assert first["first_at"] == "2025-10-10T21:00:00.000005Z"
    assert first["shortfall_usd"] is None
    assert second["liquidation_count"] == 2


def test_parquet_keeps_types(run: Run, tmp_path: Path) -> None:
    """Parquet has the decimals and times as they were computed."""
    output = tmp_path / "answer.parquet"

    result = run("metric", "liquidations", "--format", "parquet", "--output", str(output))

    frame = pl.read_parquet(output)
    assert result.exit_code == 0
    assert frame.schema["notional_usd"] == pl.Decimal(38, 18)
    assert frame["notional_usd"].item() == Decimal("12345678901234567895.123456789012345678")


def test_a_table_is_for_reading(run: Run) -> None:
    """Rounded numbers with thousands separators, one line per row, and how many there are."""
    result = run("query", "liquidated_accounts")

    assert "12,345,678,901,234,567,890.12" in result.stdout
    assert result.stdout.splitlines()[-1] == "2 rows"


def test_a_parameter_narrows_the_answer(run: Run) -> None:
    """`--param` is repeatable and typed."""
    result = run(
        *("query", "liquidated_accounts", "--format", "csv"),
        *("--param", "accounts=1", "--param", "until=2025-10-10T21:00:00"),
    )

    assert [line[:11] for line in result.stdout.splitlines()[1:]] == ["1,venue,0xb"]


def test_a_setting_changes_the_metric(run: Run) -> None:
    """`--setting` reaches the metric, and filters narrow the facts."""
    result = run(
        *("metric", "liquidation_velocity", "--setting", "window_seconds=5"),
        *("--protocol", "venue", "--chain", "ethereum", "--to", "2025-10-10T23:00:00+02:00"),
        *("--format", "csv"),
    )

    assert result.stdout.splitlines()[1] == (
        "venue,2025-10-10T21:00:00Z,2,1,5.000000000000000000,1.0,"
    )


def test_a_metric_can_begin_later(run: Run) -> None:
    """`--from` leaves out what was before: after the last liquidation there is no row."""
    asked = ("metric", "liquidation_velocity", "--format", "csv", "--from")

    whole = run(*asked, "2025-10-10T21:00:00").stdout.splitlines()
    later = run(*asked, "2025-10-11T21:00:00").stdout.splitlines()

    assert len(whole) > len(later) == 1


def test_a_window_that_began_earlier_is_a_whole_one(tmp_path: Path) -> None:
    """`--from` leaves out rows, not what windows hold of before; `--cut-windows` that as well."""
    days = [{"fee_usd": 2**day, "block_timestamp": at(days=day)} for day in range(3)]
    frames = {"fees": table("fees", *days), "coverage": covered()}
    path = write_database(tmp_path / "fees.duckdb", frames)
    asked = ("metric", "run_rate", "--setting", "window_days=2", "--format", "json")

    def fees(*more: str) -> list[int]:
        """Return the fees of each row's window."""
        said = CliRunner().invoke(app, [*asked, "--database", str(path), *more]).stdout
        return [int(Decimal(row["fees_usd"])) for row in json.loads(said)]

    assert fees() == [1, 3, 6]
    assert fees("--from", "2025-10-11T22:00:00") == [3, 6]
    assert fees("--from", "2025-10-11T22:00:00", "--cut-windows") == [4]


def test_a_stage_keeps_the_history_it_is_judged_by(tmp_path: Path) -> None:
    """`--from` leaves out stages that were over; the threshold of others is what it was."""
    prices = [
        {"asset": "ETH", "oracle_price_quote": 100 + (place % 2), "block_timestamp": at(60 * place)}
        for place in range(90)
    ]
    fall = {"asset": "ETH", "oracle_price_quote": 50, "block_timestamp": at(7200)}
    frames = {"oracle_updates": table("oracle_updates", *prices, fall), "coverage": covered()}
    path = write_database(tmp_path / "prices.duckdb", frames)
    asked = ("metric", "cascade_stages", "--format", "csv", "--database", str(path))

    whole = CliRunner().invoke(app, [*asked]).stdout.splitlines()
    later = CliRunner().invoke(app, [*asked, "--from", "2025-10-10T22:30:00"]).stdout.splitlines()
    none = CliRunner().invoke(app, [*asked, "--from", "2025-10-10T23:30:00"]).stdout.splitlines()

    seen = [line for line in whole if ",seen," in line]
    assert len(seen) == 1
    assert later == whole
    assert none == [line for line in whole if line not in seen]


def two_days() -> pl.DataFrame:
    """Return headers of two blocks, a day apart."""
    blocks = [
        {"number": number, "timestamp": at(days=day), "hash": b"h", "parent_hash": b"p"}
        for number, day in ((1, 0), (9, 1))
    ]
    return table("blocks", *blocks)


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database of a covered day on which nothing happened."""
    frames = {"blocks": two_days(), "coverage": covered()}
    return write_database(tmp_path_factory.mktemp("day") / "p.duckdb", frames)


@pytest.mark.parametrize(
    ("arguments", "is_said"),
    [
        (("metric", "adls", "--from", "2025-10-12"), True),
        (("metric", "adls", "--to", "2025-10-10T20:59:59"), True),
        (("query", "adl_victims", "--param", "since=2025-10-12"), True),
        (("metric", "adls", "--from", "2025-10-10T22:00:00"), False),
        (("metric", "adls", "--to", "2025-10-10T21:00:00"), False),
        (("metric", "adls"), False),
        (("query", "adl_victims"), False),
    ],
)
def test_a_time_that_was_never_looked_at_is_not_a_time_without_rows(
    looked_at: Path, arguments: tuple[str, ...], is_said: bool
) -> None:
    """Both are answered by no rows; of the first standard error says what is covered instead."""
    result = CliRunner().invoke(app, [*arguments, "--database", str(looked_at)])

    assert result.exit_code == 0
    assert "0 rows" in result.stdout
    said = "perpscope: no block of this time is covered: what is covered lies from "
    span = "2025-10-10 21:00:00 to 2025-10-11 21:00:00"
    assert result.stderr == (f"{said}{span}\n" if is_said else "")


@pytest.mark.parametrize(
    ("settings", "is_said"),
    [
        ((), False),
        (("event_start=2025-10-11T22:00", "event_end=2025-10-12"), True),
    ],
)
def test_an_event_that_was_never_looked_at_is_named(
    looked_at: Path, settings: tuple[str, ...], is_said: bool
) -> None:
    """Zeros and no rows are of the event that settings name, or default to."""
    asked = (("metric", "resilience"), ("metric", "event_drops"), ("query", "metrics/resilience"))
    for command, name in asked:
        option = "--setting" if command == "metric" else "--param"
        given = [word for each in settings for word in (option, each)]
        result = CliRunner().invoke(app, [command, name, *given, "--database", str(looked_at)])

        event = "perpscope: of the event from 2025-10-11 22:00:00 to 2025-10-12 00:00:00 no block "
        assert result.exit_code == 0
        assert (event in result.stderr) is is_said
        assert ("of the event" in result.stderr) is is_said


@pytest.mark.parametrize("start", ["2025-10-12", "2025-1-1"])
def test_an_event_that_is_none_is_refused_in_a_sentence(looked_at: Path, start: str) -> None:
    """DuckDB takes an event that ends before it begins, and times that the metric does not."""
    said = ("--param", f"event_start={start}", "--param", "event_end=2025-10-11")
    database = ("--database", str(looked_at))
    result = CliRunner().invoke(app, ["query", "metrics/resilience", *said, *database])

    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith("resilience: event_")


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("fees", "perpscope: no rows: of what is asked for, adls is not_applicable: nothing that "),
        ("adls", ""),
    ],
)
def test_no_rows_of_what_nobody_tells_are_no_zero(tmp_path: Path, fact: str, said: str) -> None:
    """Of a venue whose declaration fills no such table standard error says so; a zero is silent."""
    told = table("declared_facts", {"fact": fact})
    frames = {"blocks": two_days(), "coverage": covered(), "declared_facts": told}
    path = write_database(tmp_path / "p.duckdb", frames)

    for arguments in (("metric", "adls"), ("query", "adl_victims")):
        result = CliRunner().invoke(app, [*arguments, "--database", str(path)])

        assert result.exit_code == 0
        assert "0 rows" in result.stdout
        assert result.stderr.startswith(said)
        assert ("adls" in result.stderr) is bool(said)


@pytest.mark.parametrize(
    ("command", "other"),
    [(("metric", "concentration"), "venue"), (("report",), "venue"), (("report",), "another")],
)
def test_a_sum_that_is_too_large_names_the_largest_amounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], other: str
) -> None:
    """A unit that is wrong is found, also where only two venues together are too much."""
    told = (("0xwrong", 9 * 10**19), ("0xright", 12), ("0xalso", 8 * 10**19))
    *ours, others = ({"tx_hash": tx, "notional_usd": usd} for tx, usd in told)
    rows = table("liquidations", *ours, others | {"protocol": other})
    path = write_database(tmp_path / "wrong.duckdb", {"liquidations": rows, "coverage": covered()})
    words = [*command, "--database", str(path), "--output", str(tmp_path / "answer")]

    code = commands.perpscope(*words)

    said = capsys.readouterr().err
    assert code == 1
    assert said.count("\n") == 1
    assert "90,000,000,000,000,000,000 in liquidations.notional_usd of 0xwrong" in said
    assert [each.name for each in tmp_path.iterdir()] == ["wrong.duckdb"]


def test_a_time_of_another_century_is_named_and_can_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A node or a file said it: exit 1 and how to go on."""
    years = {"notional_usd": 1}, {"notional_usd": 1, "block_timestamp": at(days=365 * 170)}
    frames = {"liquidations": table("liquidations", *years), "coverage": covered()}
    path = write_database(tmp_path / "years.duckdb", frames)
    words = ["report", "--database", str(path), "--output", str(tmp_path / "answer")]

    codes = [commands.perpscope(*words, *more) for more in ((), ("--to", "2026-01-01"))]

    assert codes == [1, 0]
    said = "facts are from 2025-10-10 21:00:00 to 2195-08-30 21:00:00 UTC, more than a century"
    assert said in capsys.readouterr().err


def test_a_day_ends_before_it_begins_however_it_is_written(tmp_path: Path) -> None:
    """What happens at midnight is the next day's; a time of midnight is that very moment."""
    midnight = table("adls", {"notional_usd": 5, "block_timestamp": at(3 * 3600)})
    frames = {"adls": midnight, "coverage": covered()}
    path = write_database(tmp_path / "midnight.duckdb", frames)
    asked = ("metric", "adls", "--format", "csv", "--database", str(path), "--to")

    *until_day, until_time = (
        CliRunner().invoke(app, [*asked, to]).stdout
        for to in ("2025-10-11", "20251011", "2025-W41-6", "2025-10-11T00:00")
    )

    assert not any("2025-10-11" in said for said in until_day)
    assert "2025-10-11" in until_time


def test_states_of_before_are_no_rows_of_the_time(tmp_path: Path) -> None:
    """With --from a state of before is what later changes add to, not a row of its own."""
    told = ({"open_interest_usd": 7}, {"open_interest_delta_usd": 1, "block_timestamp": at(7200)})
    frames = {
        "open_interest": table("open_interest", *({"is_long": True} | each for each in told)),
        "coverage": covered(),
    }
    path = write_database(tmp_path / "p.duckdb", frames)
    asked = ("metric", "open_interest", "--from", "2025-10-10T22:30:00", "--format", "json")

    rows = json.loads(CliRunner().invoke(app, [*asked, "--database", str(path)]).stdout)

    assert [row["open_interest_long_usd"] for row in rows] == ["8.000000000000000000"]


def test_it_is_decided_of_every_window_which_way_it_looks() -> None:
    """What holds a window before its rows looks back; what holds one after them does not."""
    words = ("window", "history", "ago", "before")
    windows = {name for name in METRICS for each in settings_of(name) if each.startswith(words)}

    assert {name for name in METRICS if looks_back(name)} - FROM_THE_FIRST == windows - {
        *("adl_undo", "survival"),
        "liquidation_velocity",  # ahead, but its acceleration looks back
        "yield_stability",  # of share prices, which keep their past
    }


def test_a_price_of_before_values_what_came_after(tmp_path: Path) -> None:
    """`--from` between a price and a fee: the fee has its price, unless that is cut off as well."""
    late = {"block_timestamp": at(7200)}
    frames = {
        "fees": table("fees", {"fee_token": "0xt", "fee_tokens": 2} | late),
        "tokens": table(
            "tokens", {"address": "0xt", "symbol": "ETH", "decimals": 18, "known_by": "call"}
        ),
        "oracle_updates": table("oracle_updates", {"asset": "ETH", "oracle_price_quote": 3000}),
        "coverage": covered(),
    }
    path = write_database(tmp_path / "p.duckdb", frames)
    asked = ("metric", "fees_valued", "--format", "json", "--from", "2025-10-10T22:00:00")

    def valued(*more: str) -> list[object]:
        """Return the value of each row."""
        said = CliRunner().invoke(app, [*asked, "--database", str(path), *more]).stdout
        return [row["valued_usd"] for row in json.loads(said)]

    assert valued() == ["6000.000000000000000000"]
    assert valued("--cut-windows") == [None]


def test_what_was_opened_before_is_open(tmp_path: Path) -> None:
    """`--from` after a position was opened: it is open, and what was liquidated before is not."""
    frames = {
        "position_changes": table("position_changes", {"account": "0xa", "notional_usd": 7}),
        "liquidations": table("liquidations", {"account": "0xb", "notional_usd": 5}),
        "coverage": covered(),
    }
    path = write_database(tmp_path / "p.duckdb", frames)
    asked = ("metric", "concentration", "--format", "json", "--from", "2025-10-10T22:00:00")

    def held(*more: str) -> list[tuple[object, object]]:
        """Return the exposure and the dollars of each row."""
        said = CliRunner().invoke(app, [*asked, "--database", str(path), *more]).stdout
        return [(row["exposure"], row["notional_usd"]) for row in json.loads(said)]

    assert held() == [("open", "7.000000000000000000")]
    assert held("--cut-windows") == []


def test_who_bought_before_bought_nothing_since(tmp_path: Path) -> None:
    """`--from` after the only purchase: a day of fees has none, which is zero and not unknown."""
    frames = {
        "buybacks": table("buybacks", {"spent_usd": 7}),
        "fees": table("fees", {"fee_usd": 5, "block_timestamp": at(86_400)}),
        "coverage": covered(),
    }
    path = write_database(tmp_path / "p.duckdb", frames)
    asked = ("metric", "buyback_columns", "--format", "json", "--from", "2025-10-11")

    def bought(*more: str) -> list[object]:
        """Return how many purchases each row has."""
        said = CliRunner().invoke(app, [*asked, "--database", str(path), *more]).stdout
        return [row["buyback_count"] for row in json.loads(said)]

    assert bought() == [0]
    assert bought("--cut-windows") == [None]


def test_prices_are_taken_from_whoever_tells_them(tmp_path: Path) -> None:
    """`--protocol` keeps the fees of one protocol, and values them at the price of another."""
    fee = {"fee_token": "0xt", "fee_tokens": 2}
    other = {"protocol": "oracle", "chain_id": 2, "asset": "ETH", "oracle_price_quote": 3000}
    frames = {
        "fees": table("fees", fee, fee | {"protocol": "other"}),
        "tokens": table(
            "tokens", {"address": "0xt", "symbol": "ETH", "decimals": 18, "known_by": "call"}
        ),
        "oracle_updates": table("oracle_updates", other),
        "coverage": covered(),
    }
    path = write_database(tmp_path / "fees.duckdb", frames)
    asked = ("metric", "fees_valued", "--protocol", "venue", "--chain", "ethereum")

    result = CliRunner().invoke(app, [*asked, "--format", "json", "--database", str(path)])

    assert [row["valued_usd"] for row in json.loads(result.stdout)] == ["6000.000000000000000000"]


def test_a_metric_and_its_twin_print_the_same(run: Run) -> None:
    """`metric NAME` and `query metrics/NAME` are two ways to one answer."""
    metric = run("metric", "liquidations", "--format", "csv")

    twin = run("query", "metrics/liquidations", "--format", "csv")

    assert metric.stdout == twin.stdout


def test_query_without_a_name_lists_the_questions() -> None:
    """Every question, with what it asks; no database is needed."""
    result = CliRunner().invoke(app, ["query"])

    assert result.exit_code == 0
    for name, query in queries().items():
        assert name in result.stdout
        assert query.question in result.stdout


def test_a_select_of_ones_own_is_answered_exactly(run: Run) -> None:
    """Any table, in any format, through a connection that waits for the indexer."""
    asked = "select account, sum(notional_usd) as paid_usd, sum(chain_id) as n from liquidations"

    result = run("query", "--sql", f"{asked} group by all order by 1", "--format", "csv")

    assert result.stdout == f"account,paid_usd,n\n0xa,{EXACT},1\n0xb,5.000000000000000000,2\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sql", "delete from fees"), "--sql takes one SELECT, not DELETE: the database is"),
        (("--sql", "select 1; select 2"), "--sql takes one SELECT, not SELECT, SELECT:"),
        (("--sql", ""), "--sql takes one SELECT, not nothing:"),
        (("--sql", "copy fees to 'a.csv'"), "--sql takes one SELECT"),
        (("--sql", "selec 1"), "--sql cannot be understood: Parser Error"),
        (("--sql", "select nothing from fees"), "--sql cannot be understood: Binder Error"),
        (("--sql", "select $a"), "--sql cannot be understood: Invalid Input Error"),
        (("--sql", "select data from logs"), "column data of --sql is BLOB: make it a number"),
        (("--sql", "select 'infinity'::timestamp as at"), "column at of --sql holds a time beyond"),
        (("--sql", "select '-infinity'::date as day"), "column day of --sql holds a time beyond"),
        (("--sql", "select [1] as many"), "column many of --sql is INTEGER[]: make it a number"),
        (("--sql", "select [1.5] as many"), "column many of --sql is DECIMAL(2,1)[]: make it a"),
        (("--sql", "select [1] as one, 1 as one"), "column one of --sql is INTEGER[]: make it a"),
        (("--sql", "select 1", "oracle_off"), "--sql stands alone: leave out the name"),
        (("--sql", "select 1", "--protocol", "gmx_v2"), "--sql stands alone"),
        (("fee_split", "--explain", "--from", "2025-10-10"), "--explain takes --param alone"),
    ],
)
def test_what_is_no_select_of_plain_columns_is_refused(
    run: Run, words: tuple[str, ...], said: str
) -> None:
    """What would change something, is more than one, or no format could hold."""
    result = run("query", *words)

    assert isinstance(result.exception, UserError)
    assert str(result.exception).startswith(said)


def test_metric_without_a_name_lists_the_metrics() -> None:
    """Every metric with the first line of its methodology."""
    result = CliRunner().invoke(app, ["metric"])

    assert [line.split()[0] for line in result.stdout.splitlines()] == sorted(METRICS)
    assert "What part of its revenue a protocol put into its own token" in result.stdout


def test_explain_prints_the_methodology() -> None:
    """`--explain` needs no database and says formula, source, inputs, settings and defaults."""
    result = CliRunner().invoke(app, ["metric", "buyback_ratio", "--explain"])

    assert "Formula:\n    buyback_ratio(d) = " in result.stdout
    assert result.stdout.endswith(
        "Reads: buybacks, fees, declared_facts. Settings: window_days=30.\n"
    )


def test_explain_prints_what_a_query_takes_and_means() -> None:
    """`--explain` needs no database: grain, units, parameters with defaults, and the SELECT."""
    result = CliRunner().invoke(app, ["query", "oracle_off", "--explain"])

    assert result.stdout.startswith("Which oracle was off, against which other source, and ")
    assert "\nGrain: one row per pair of sources of an asset" in result.stdout
    assert "\nUnits: *_bps 1 = 0.01 %" in result.stdout
    assert (
        "\n    threshold_bps=100 (a difference above this, either way, is off)\n" in result.stdout
    )
    assert "\nReads: oracle_updates.\n" in result.stdout
    _, _, select = queries()["oracle_off"].sql.partition("\nwith\n")
    assert result.stdout.endswith(f"\nwith\n{select.rstrip()}\n")


@pytest.mark.parametrize(("limit", "row_count"), [({"accounts": "1"}, 1), ({}, 2)])
def test_a_select_with_its_values_runs_in_any_client(
    path: Path, limit: dict[str, str], row_count: int
) -> None:
    """With `--param` the SELECT that is explained is whole: what it gives is the query's answer."""
    given = {"since": "2025-10-10T21:00", **limit}
    words = [word for key, value in given.items() for word in ("--param", f"{key}={value}")]
    explained = CliRunner().invoke(app, ["query", "liquidated_accounts", "--explain", *words])
    select = explained.stdout.partition("Reads: liquidations.\n")[2]

    assert "between timestamp '2025-10-10 21:00:00' and" in select
    database = ("--database", str(path), "--format", "csv")
    asked = CliRunner().invoke(app, ["query", "liquidated_accounts", *words, *database])
    again = CliRunner().invoke(app, ["query", "--sql", select, *database])
    assert again.stdout == asked.stdout
    assert asked.stdout.count("\n") == 1 + row_count


@pytest.mark.parametrize("name", queries())
def test_every_query_runs_with_its_values_in_it(name: str, looked_at: Path) -> None:
    """Every kind of value is written so that DuckDB reads it."""
    values = {"text": "it's", "transaction": "0xcafe", "timestamp": "2025-10-10"}
    given = [
        f"{each.name}={each.default}"
        if each.default not in {"null", "required"}
        else f"{each.name}={values.get(each.kind, '1')}"
        for each in queries()[name].parameters
    ]
    words = [word for each in given for word in ("--param", each)]
    explained = CliRunner().invoke(app, ["query", name, "--explain", *words])
    select = explained.stdout.partition("\nReads: ")[2].partition("\n")[2]

    result = CliRunner().invoke(app, ["query", "--sql", select, "--database", str(looked_at)])
    assert result.exit_code == 0, result.exception


@pytest.mark.parametrize("name", queries())
def test_every_query_can_be_explained(name: str) -> None:
    """Parameters that have no default are shown without one; comments of the file are not SQL."""
    result = CliRunner().invoke(app, ["query", name, "--explain"])

    assert result.exit_code == 0
    assert all(f"\n    {each.name}" in result.stdout for each in queries()[name].parameters)
    assert "question:" not in result.stdout
    assert "=null" not in result.stdout


def test_an_output_file_appears_whole(run: Run, tmp_path: Path) -> None:
    """A file replaces the old one at once, and nothing else is left behind."""
    output = tmp_path / "out" / "answer.csv"
    output.parent.mkdir()
    output.write_text("old")

    result = run("query", "coverage_gaps", "--format", "csv", "--output", str(output))

    assert result.exit_code == 0
    assert result.stdout == ""
    assert output.read_text().startswith("chain_id,protocol,gap_from_block")
    assert list(output.parent.iterdir()) == [output]


def test_a_file_that_has_appeared_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does what cannot be tidied up hide why it could not be written."""

    def refuse(_path: Path, *_more: object, **_named: object) -> None:
        raise PermissionError(EACCES, "Permission denied")

    def fill_up(_path: Path, _content: bytes) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "unlink", refuse)
    write(pl.DataFrame({"a": [1]}), Format.CSV, tmp_path / "a.csv")
    monkeypatch.setattr(Path, "write_bytes", fill_up)

    with pytest.raises(WorldError, match="No space left on device"):
        write(pl.DataFrame({"a": [2]}), Format.CSV, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "a\n1\n"


def test_an_output_never_takes_a_databases_place(path: Path, tmp_path: Path) -> None:
    """An answer written over what it was read from would be the end of it."""
    database = tmp_path / "copy.duckdb"
    database.write_bytes(path.read_bytes())

    with pytest.raises(UserError, match=r"copy.duckdb is a database: name another file"):
        write(pl.DataFrame({"a": [1]}), Format.CSV, database)

    assert database.read_bytes() == path.read_bytes()


def test_an_output_that_its_owner_protects_stays(tmp_path: Path) -> None:
    """A rename asks for the rights of the folder alone, and a shell would have refused."""
    output = tmp_path / "published.csv"
    output.write_text("mine")
    output.chmod(0o444)

    with pytest.raises(UserError, match=r"published.csv is protected from writing"):
        write(pl.DataFrame({"a": [1]}), Format.CSV, output)

    assert output.read_text() == "mine"


def test_an_output_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """A name that the file system has no room for is the world's, and is said."""
    with pytest.raises(WorldError, match=r"a\.csv cannot be written: File name too long; mend"):
        write(pl.DataFrame({"place": [1]}), Format.CSV, tmp_path / f"{'a' * 250}.csv")

    assert list(tmp_path.iterdir()) == []


def test_a_file_says_what_it_is(run: Run, tmp_path: Path) -> None:
    """Without a format the suffix decides; a table in a file is cut nowhere."""
    asked = ("metric", "liquidations", "--output")
    run(*asked, str(tmp_path / "a.json"))
    run(*asked, str(tmp_path / "a.txt"))
    run("trace", "liquidations", "--together", "--output", str(tmp_path / "a.csv"))

    assert json.loads((tmp_path / "a.json").read_text())
    assert (tmp_path / "a.txt").read_text().lstrip().startswith("chain_id ")
    assert (tmp_path / "a.csv").read_text().startswith("number,")


def test_a_file_that_is_named_as_another_format_is_refused(tmp_path: Path) -> None:
    """A spreadsheet cannot open a workbook that holds CSV; a name that says nothing is taken."""
    frame = pl.DataFrame({"place": [1]})

    with pytest.raises(UserError, match="is no name for csv: leave out --format"):
        write(frame, Format.CSV, tmp_path / "a.xlsx")
    write(frame, Format.CSV, tmp_path / "a.txt")

    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_table_in_a_file_is_whole(tmp_path: Path) -> None:
    """On the terminal the first hundred rows are enough."""
    frame = pl.DataFrame({"place": range(250)})
    write(frame, Format.TABLE, tmp_path / "a.txt")

    assert (tmp_path / "a.txt").read_text().endswith("249\n\n250 rows\n")
    assert table_text(frame).endswith("… 150 more rows; --format csv writes all of them\n")


def test_a_ratio_in_a_table_has_six_digits_and_an_amount_its_cents() -> None:
    """Dollars that are no decimals are read like those that are, never as powers of ten."""
    shown = table_text(pl.DataFrame({"value": [0.123456789, 999.5, -1061552.436]}))

    assert [line.strip() for line in shown.splitlines()[3:6]] == [
        "0.123457",
        "999.5",
        "-1,061,552.44",
    ]


def test_no_amount_in_a_table_has_digits_that_nobody_reads() -> None:
    """Less than a cent is said so beside cents; of prices and ratios six digits are said."""
    told = ("0.000000000000000022", "-0.000000000000000022", "0.005", "0", "-1194.123456")
    amounts = pl.DataFrame(
        {"amount_usd": told, "price_usd": told}, schema_overrides={"amount_usd": pl.String}
    ).cast(pl.Decimal(38, 18))
    ratios = pl.DataFrame({"ratio": [2.5e-7, 1 / 3, 0.0]})

    lines = table_text(amounts).splitlines()[3:8]
    assert [line.split() for line in lines] == [
        ["<0.01", "0.000000000000000022"],
        ["-<0.01", "-0.000000000000000022"],
        ["<0.01", "0.005"],
        ["0.00", "0.00"],
        ["-1,194.12", "-1,194.12"],
    ]
    assert [line.strip() for line in table_text(ratios).splitlines()[3:6]] == [
        *("0.00000025", "0.333333", "0"),
    ]


def test_what_is_no_file_is_written_to(tmp_path: Path) -> None:
    """A pipe stays a pipe and gets the answer; a link still leads to its file."""
    pipe, link, file = tmp_path / "pipe", tmp_path / "link.csv", tmp_path / "file.csv"
    os.mkfifo(pipe)
    link.symlink_to(file)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    for output in (pipe, link):
        write(pl.DataFrame({"a": [1]}), Format.CSV, output)

    assert os.read(reader, 99) == b"a\n1\n"
    os.close(reader)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert file.read_text() == "a\n1\n"


def test_a_day_ends_before_itself() -> None:
    """`--to` holds a time, and of a day nothing: two days side by side share no instant."""
    limits = limited(None, None, "2025-10-10", "2025-10-11")

    assert limits.until == datetime(2025, 10, 10, 23, 59, 59, 999_999)
    assert limited(None, None, None, "2025-10-11T00:00").until == datetime(2025, 10, 11)
    with pytest.raises(UserError, match="name a later end"):
        limited(None, None, "2025-10-10", "2025-10-10")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query", "adl_victim"], "no query is called adl_victim: did you mean adl_victims?"),
        (["metric", "feess"], "no metric is called feess: did you mean fees?"),
        (
            ["metric", "adl_victims"],
            "adl_victims is a query: `perpscope query adl_victims` asks it",
        ),
        (["query", "fees"], "fees is a metric: `perpscope metric fees` computes it"),
        (
            ["query", "adl_victims", "--param", "accounts"],
            "--param takes name=value, got accounts",
        ),
        (["query", "adl_victims", "--param", ""], "--param takes name=value, got ''"),
        (["metric", "adls", "--protocol", ""], "protocol '' is not in this database: it has"),
        (
            ["query", "adl_victims", "--param", "accounts=3", "--param", "accounts=4"],
            "--param says accounts twice: expected one value for each name",
        ),
        (
            ["query", "adl_victims", "--param", "account=3"],
            "adl_victims has no parameter account: it has since, until, accounts",
        ),
        (
            ["query", "adl_victims", "--param", "accounts=x"],
            "parameter accounts: 'x' is not a whole number",
        ),
        (
            ["query", "adl_victims", "--param", "accounts=-1"],
            "parameter accounts: '-1' is not a whole number from 1 to",
        ),
        (
            ["metric", "adls", "--setting", "bucket_seconds=x"],
            "setting bucket_seconds of adls: 'x' is not a whole number",
        ),
        (
            ["metric", "adls", "--setting", "bucket=60"],
            "no setting of adls is called bucket: did you mean bucket_seconds?",
        ),
        (
            ["metric", "adls", "--setting", "bucket_seconds=0"],
            "adls: bucket_seconds must be at least 1, got 0",
        ),
        (
            ["metric", "adls", "--to", "noon"],
            "--to: 'noon' is not a UTC time like 2025-10-10T21:15:00",
        ),
        (
            ["metric", "adls", "--protocol", "venu"],
            "protocol venu is not in this database: it has venue",
        ),
        (
            ["metric", "adls", "--chain", "base"],
            "chain base is not in this database: it has ethereum",
        ),
        (
            ["query", "oracle_off", "--param", "threshold_bps=nan"],
            "parameter threshold_bps: 'nan' is not a number",
        ),
        (
            ["metric", "adls", "--chain", "4242"],
            "chain 4242 is not in this database: it has ethereum",
        ),
        (
            ["metric", "adls", "--to", "0001-01-01T00:00:00+14:00"],
            "--to: '0001-01-01T00:00:00+14:00' is not a UTC time",
        ),
        (
            ["metric", "adls", "--to", "0001-01-01"],
            "--to 0001-01-01: no time is before it; expected a later day",
        ),
        (
            ["metric", "adls", "--from", "2025-10-11", "--to", "2025-10-10"],
            "the time would end at 2025-10-10 00:00:00, before 2025-10-11 00:00:00: swap the times",
        ),
        (
            ["trace", "adls", "--from", "2025-10-11", "--to", "2025-10-10"],
            "the time would end at 2025-10-10 00:00:00, before 2025-10-11 00:00:00: swap the times",
        ),
        (
            ["query", "adl_victims", "--param", "since=2025-10-11", "--param", "until=2025-10-10"],
            "the time would end at 2025-10-10 00:00:00, before 2025-10-11 00:00:00: swap the times",
        ),
        (
            ["metric", "adls", "--output", ""],
            ". is a folder: name a file with --output",
        ),
        (
            ["metric", "adls", "--output", "-"],
            "--output -: expected a file; leave out --output for standard output",
        ),
        (
            ["metric", "adls", "--format", "parquet"],
            "parquet is binary: name a file with --output",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_users_mistake_exits_2(
    path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence that names what was seen and what was expected, and exit code 2."""
    code = outcome(lambda: app([*arguments, "--database", str(path)]))

    printed = capsys.readouterr()
    assert (code, printed.out) == (2, "")
    assert printed.err.startswith(f"perpscope: {message}")
    assert len(printed.err.splitlines()) == 1


def test_a_missing_database_exits_1(tmp_path: Path) -> None:
    """The world's fault is exit code 1, in one sentence that says what to do."""
    missing = tmp_path / "missing.duckdb"

    result = perpscope("query", "coverage_gaps", "--database", str(missing))

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"perpscope: there is no database at {missing}: index first, or name one with --database\n"
    )


def test_half_a_database_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A copy that was broken off opens, and cannot be read to the end."""
    rows = table("fees", *({"fee_usd": number} for number in range(5_000)))
    path = write_database(tmp_path / "half.duckdb", {"fees": rows, "coverage": covered()})
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    code = commands.perpscope("metric", "fees", "--database", path)

    said = capsys.readouterr().err
    assert code == 1
    assert said.count("\n") == 1
    assert "half.duckdb cannot be read to the end (IO Error: Could not read enough bytes" in said
    assert said.endswith("or bring a whole copy of the file\n")


def test_an_output_in_no_folder_exits_2(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is not there is the user's mistake, in one sentence that names it."""
    code = commands.perpscope(
        *("query", "coverage_gaps", "--database", path),
        *("--output", path.parent / "none" / "answer.csv"),
    )

    said = capsys.readouterr().err
    assert code == 2
    assert "none is no folder: make it, or name another with --output" in said
    assert len(said.splitlines()) == 1


def test_an_unknown_format_exits_2() -> None:
    """The formats there are, are named."""
    result = perpscope("query", "coverage_gaps", "--format", "docx")

    assert result.returncode == 2
    assert "parquet" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("twin", "given", "said"),
    [
        ("discounted_cash_flow", "discount_ratio=-1", "must be above terminal_growth_ratio"),
        ("adl_allocation", "rank=size", "rank must be one of profit, documented, side_aware"),
    ],
)
def test_a_twin_refuses_what_its_metric_refuses(run: Run, twin: str, given: str, said: str) -> None:
    """SQL would compute with it, and nobody would see that the numbers mean nothing."""
    result = run("query", f"metrics/{twin}", "--param", given)

    assert isinstance(result.exception, UserError)
    assert said in str(result.exception)


def test_a_protocol_as_a_parameter_is_one_that_is_there(run: Run) -> None:
    """As with --protocol: no rows of a name that is misspelt would be taken for none."""
    result = run("query", "imported_files", "--param", "protocol=gmx_v3")

    assert isinstance(result.exception, UserError)
    assert "protocol gmx_v3 is not in this database" in str(result.exception)


def test_an_answer_without_rows_says_so(run: Run) -> None:
    """A question nothing answers is not an error."""
    result = run("query", "adl_victims")

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "0 rows"


def test_a_long_table_is_cut_and_says_so(tmp_path: Path) -> None:
    """The first hundred rows, and how many more there are."""
    rows = [{"account": f"0x{index:03}"} for index in range(103)]
    path = write_database(tmp_path / "p.duckdb", {"liquidations": table("liquidations", *rows)})

    result = CliRunner().invoke(
        app,
        ["query", "liquidated_accounts", "--param", "accounts=200", "--database", str(path)],
    )

    assert result.stdout.splitlines()[-1] == "… 3 more rows; --format csv writes all of them"
    assert "0x099" in result.stdout
    assert "0x100" not in result.stdout

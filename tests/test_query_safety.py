"""What a user types is a value, and what a question reads is this database: nothing else."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir

import pytest
from handmade import table, write_database
from typer.testing import CliRunner

from analytics import load
from analytics.errors import AnalyticsError, UserError, WorldError
from analytics.queries import arguments, query_named
from analytics.reports.scope import Limits, Scope
from perpscope import app

INJECTION = "0x'; drop table fees; --"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small database."""
    facts = {
        "fees": table("fees", {"fee_usd": 1, "protocol": "venue"}),
        "liquidations": table("liquidations", {"tx_hash": INJECTION, "notional_usd": 5}),
    }
    return write_database(tmp_path_factory.mktemp("safety") / "p.duckdb", facts)


@pytest.fixture
def con(path: Path) -> Iterator[load.Connection]:
    """Yield it as every command opens it."""
    with load.database(path) as opened:
        yield opened


def test_a_parameter_is_a_value(con: load.Connection) -> None:
    """Quotes and semicolons find the row that has them, and do nothing."""
    asked = query_named("transaction_facts")

    found = load.rows(con, asked.sql, arguments(asked, {"tx_hash": INJECTION}))

    assert found["fact"].to_list() == ["liquidations"]
    assert con.execute("select count(*) from fees").fetchone() == (1,)


def test_a_limit_is_a_value(con: load.Connection) -> None:
    """A protocol with a quote in its name is looked for, not run."""
    limits = Limits(protocol="venue' or true --")

    assert Scope(con, limits).query("fee_split").is_empty()
    assert Scope(con, Limits(protocol="venue")).query("fee_split").height == 1


@pytest.mark.parametrize(
    "statement",
    [
        "insert into fees select * from fees",
        "delete from fees",
        "drop table fees",
        "create table mine (x integer)",
        "update fees set fee_usd = 0",
    ],
)
def test_nothing_is_written(con: load.Connection, path: Path, statement: str) -> None:
    """The file is open for reading only: a statement that writes is refused, and no byte moves."""
    before = sha256(path.read_bytes()).hexdigest()

    with pytest.raises(AnalyticsError, match="read-only"):
        load.rows(con, statement, {})

    assert sha256(path.read_bytes()).hexdigest() == before


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from '{file}'",
        "select * from read_parquet('https://example.org/x.parquet')",
        "attach '{file}.duckdb' as other",
        "copy fees to '{file}.out'",
        "install httpfs",
        "set enable_external_access = true",
    ],
)
def test_nothing_outside_is_reached(con: load.Connection, tmp_path: Path, statement: str) -> None:
    """No file, no network, no extension, and no way to allow them again."""
    file = tmp_path / "secret.csv"
    file.write_text("a\n1\n", encoding="utf-8")

    with pytest.raises(AnalyticsError):
        load.rows(con, statement.format(file=file), {})

    assert list(tmp_path.iterdir()) == [file]


def test_rows_that_do_not_fit_are_not_the_fault_of_who_asks(con: load.Connection) -> None:
    """Where nothing was given, nothing that was given is wrong."""
    asked = "select said::integer from (values ({})) as saying (said)"

    with pytest.raises(WorldError, match="cannot answer"):
        load.rows(con, asked.format("'x'"), {})
    with pytest.raises(UserError, match="does not take these parameters"):
        load.rows(con, asked.format("$said"), {"said": "x"})


def test_what_does_not_fit_in_memory_lies_beside_nothing(con: load.Connection, path: Path) -> None:
    """It goes to a folder of the temporary directory, and the memory of a report has an end."""
    load.limit_memory(con)

    rows = con.execute("select current_setting('temp_directory'), current_setting('memory_limit')")
    ((folder, limit),) = rows.fetchall()
    assert Path(folder).parent == Path(gettempdir())
    assert limit == "488.2 MiB"
    assert list(path.parent.iterdir()) == [path]


def test_variables_of_the_program_are_no_tables(con: load.Connection) -> None:
    """A frame that happens to have the name a query asks for is not read."""
    secret = table("fees")
    assert secret.is_empty()

    with pytest.raises(AnalyticsError, match="secret"):
        load.rows(con, "select * from secret", {})


def test_the_command_binds_as_well(path: Path) -> None:
    """`perpscope query --param` ends in the same place."""
    result = CliRunner().invoke(
        app,
        ["query", "transaction_facts", "--param", f"tx_hash={INJECTION}", "--database", str(path)],
    )

    assert result.exit_code == 0
    assert "1 row\n" in result.stdout

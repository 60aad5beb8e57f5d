"""The `perpscope` command: exit codes, and one sentence where a traceback would be."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from errno import ENOSPC
from importlib.metadata import version
from inspect import getdoc
from pathlib import Path

import pytest
import typer
from handmade import table, write_database
from typer.testing import CliRunner

import analytics.cli
import analytics.errors
import indexer.cli
import indexer.errors
from perpscope import app, found_at, outcome


def raising(error: BaseException) -> Callable[[], object]:
    """Return a command that stops with this error."""

    def command() -> object:
        raise error

    return command


def perpscope(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user would."""
    return subprocess.run(
        [sys.executable, "-m", "perpscope", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
    )


def completed(typed: str) -> list[str]:
    """Return what the shell would offer in the place of the last word."""
    words = ["perpscope", *typed.split()]
    asked = {
        "_PERPSCOPE_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    result = CliRunner().invoke(app, prog_name="perpscope", env=asked)
    assert result.exit_code == 0
    return result.stdout.split()


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("metric funding_p", ["funding_paid"]),
        ("query oracle_", ["oracle_off"]),
        ("trace transaction_f", ["transaction_facts"]),
        ("trace buyback_r", ["buyback_ratio"]),
        ("index --protocol gmx", ["gmx_v1", "gmx_v2"]),
        ("protocols chainlink_", ["chainlink_proxies"]),
        ("restate gmx", ["gmx_v1", "gmx_v2"]),
        *(
            (f"{command} --chain arbitrum-s", ["arbitrum-sepolia"])
            for command in ("plan", "verify", "doctor", "new-protocol", "metric fees")
        ),
    ],
)
def test_the_shell_completes_names(typed: str, names: list[str]) -> None:
    """Nobody has to know by heart what metrics, queries, protocols and chains are called."""
    assert completed(typed) == names


@pytest.mark.parametrize("option", ["--protocol", "--compare-protocol"])
def test_the_shell_completes_what_is_in_the_database(tmp_path: Path, option: str) -> None:
    """Of protocols only those that are there have numbers; without a database there are none."""
    there = ({"protocol": slug} for slug in ("gmx_v1", "gmx_v2", "maple", "gmx_v2"))
    path = write_database(tmp_path / "a.duckdb", {"coverage": table("coverage", *there)})
    words = "report --database {} {} gmx_v".format

    assert completed(words(path, option)) == ["gmx_v1", "gmx_v2"]
    assert completed(words(tmp_path / "b.duckdb", option)) == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (indexer.errors.UserError("no chain is called x"), 2),
        (analytics.errors.UserError("no metric is called x"), 2),
        (indexer.errors.NodeUnavailable("no answer"), 1),
        (indexer.errors.RangeTooLarge("10,000 blocks at most"), 1),
        (analytics.errors.WorldError("the database is locked"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_an_error_is_one_line_and_its_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user's mistake exits 2, the world's exits 1, and both say what happened in one line."""
    result = outcome(raising(error))

    assert result == code
    assert capsys.readouterr().err == f"perpscope: {error}\n"


LOADING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.{before})
class Interrupting:
    def find_spec(self, name, *_):
        if name == "{module}":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
import perpscope
perpscope.app(["query"], standalone_mode=False)
"""


# The program loads the first, a command the others: before Polars listens itself, and after.
@pytest.mark.parametrize("module", ["typer", "polars", "polars.series"])
# A shell lets what it starts in the background ignore interruptions.
@pytest.mark.parametrize(
    ("before", "code"), [("default_int_handler", -signal.SIGINT), ("SIG_IGN", 0)]
)
def test_an_interruption_while_modules_load_is_quiet(module: str, before: str, code: int) -> None:
    """Nothing is on standard error; the process ends as one that was interrupted, if it hears."""
    words = [sys.executable, "-c", LOADING.format(module=module, before=before)]

    done = subprocess.run(words, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (code, b"")


@pytest.mark.parametrize("before", ["default_int_handler", "SIG_IGN"])
def test_loading_leaves_the_handler_as_it_was(before: str) -> None:
    """Commands end tidily, and what ignores interruptions goes on ignoring them."""
    code = (
        f"import signal; signal.signal(2, signal.{before}); import perpscope; "
        f"assert signal.getsignal(2) == signal.{before}"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_full_disk_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    """What could not be written, why, and what to do about it."""
    result = outcome(raising(OSError(ENOSPC, "No space left on device", "report.html")))

    assert result == 1
    assert capsys.readouterr().err == (
        "perpscope: report.html cannot be read or written: No space left on device; make room for "
        "it there, or name another place\n"
    )


def test_a_full_place_without_a_name_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output may be a file on a full disk, and has no name to tell."""
    assert outcome(raising(OSError(ENOSPC, "No space left on device"))) == 1

    said = "perpscope: No space left on device: make room, or write to another place\n"
    assert capsys.readouterr().err == said


def test_a_folder_that_was_removed_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The system names nothing then, so what to do is said."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()

    assert outcome(Path("report").resolve) == 1
    said = "perpscope: No such file or directory: run it in a folder that is there\n"
    assert capsys.readouterr().err == said


@pytest.mark.parametrize(("encoding", "sigma"), [("latin-1", b"\\u03a3"), ("utf-8", b"\xce\xa3")])
def test_what_a_terminal_cannot_write_is_spelled_out(encoding: str, sigma: bytes) -> None:
    """A locale of 256 characters is no reason for a traceback."""
    code = "import perpscope; perpscope.app = lambda: print('\u03a3'); perpscope.main()"
    words = [sys.executable, "-c", code]

    env = os.environ | {"PYTHONIOENCODING": encoding}
    done = subprocess.run(words, capture_output=True, check=False, env=env)

    assert (done.returncode, done.stdout, done.stderr) == (0, sigma + b"\n", b"")


def test_a_message_of_several_lines_is_joined(capsys: pytest.CaptureFixture[str]) -> None:
    """A library's message with line breaks inside still takes one line."""
    outcome(raising(indexer.errors.WorldError("cannot open\n\n  the file")))

    assert capsys.readouterr().err == "perpscope: cannot open the file\n"


def test_an_interrupt_exits_130(capsys: pytest.CaptureFixture[str]) -> None:
    """Control-C ends quietly, with the code shells expect."""
    result = outcome(raising(KeyboardInterrupt()))

    assert result == 130
    assert capsys.readouterr().err == ""


ENDED = """
import os, signal, perpscope
def command():
    try:
        os.kill(os.getpid(), signal.{name})
    finally:
        os.kill(os.getpid(), signal.{again})
        print("tidied", end="")
perpscope.app = command
perpscope.main()
"""


@pytest.mark.parametrize(("name", "again"), [("SIGTERM", "SIGWINCH"), ("SIGHUP", "SIGHUP")])
def test_a_signal_exits_130_tidily(name: str, again: str) -> None:
    """What a command had half written is removed: a report's folder, a file of --output."""
    words = [sys.executable, "-c", ENDED.format(name=name, again=again)]

    done = subprocess.run(words, capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (130, b"tidied", b"")


def test_a_command_under_nohup_outlives_its_terminal() -> None:
    """What is to ignore SIGHUP goes on ignoring it."""
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)" + ENDED
    words = [sys.executable, "-c", code.format(name="SIGHUP", again="SIGHUP")]

    done = subprocess.run(words, capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, b"tidied", b"")


ENDLESS = """
import os, signal, sys, threading, duckdb, perpscope
done = threading.Event()
def interrupt():
    while not done.wait(0.5):
        os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
endless = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
alone = duckdb.connect(config={"threads": 1})  # one that waits for another does not listen
code = perpscope.outcome(lambda: alone.execute(endless).fetchall())
done.set()
sys.exit(code)
"""


def test_an_interrupt_within_the_database_exits_130() -> None:
    """DuckDB answers Control-C with an error of its own, which is no traceback to the user."""
    words = [sys.executable, "-c", ENDLESS]

    done = subprocess.run(words, capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stderr) == (130, b"")


def test_a_bug_is_not_hidden() -> None:
    """An error nobody raised on purpose keeps its traceback."""
    with pytest.raises(ZeroDivisionError):
        outcome(raising(ZeroDivisionError()))


def test_version_names_the_engines() -> None:
    """`--version` prints perpscope's version and those its numbers rest on."""
    result = perpscope("--version")

    assert result.returncode == 0
    assert result.stdout.split(", ")[0] == f"perpscope {version('perpscope')}"
    assert f"duckdb {version('duckdb')}, polars {version('polars')}" in result.stdout


def test_python_without_docstrings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports would have no methodology, and other bytes than those of everybody else."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "2")

    result = perpscope("metric")

    assert result.returncode == 2
    assert result.stderr.startswith("perpscope: Python leaves out docstrings")
    assert len(result.stderr.splitlines()) == 1


def test_an_unknown_command_exits_2() -> None:
    """A mistyped command is the user's mistake: exit 2, the command named, no traceback."""
    result = perpscope("indeks")

    assert result.returncode == 2
    assert "indeks" in result.stderr
    assert "Traceback" not in result.stderr


LOADED = """
import sys
import indexer.rpc.posting
from perpscope import app
from typer.main import get_command
for name in get_command(app).commands:
    app([name, "--help"], standalone_mode=False)
print({rare} & set(sys.modules), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def helps() -> subprocess.CompletedProcess[str]:
    """Return what a narrow terminal is told of every command, and what that loaded."""
    rare = {"altair", "eth_abi", "jinja2", "web3", "xlsxwriter"}
    return subprocess.run(
        [sys.executable, "-c", LOADED.format(rare=rare)],
        capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"},
    )  # fmt: skip


def test_what_few_commands_need_is_not_loaded_before(
    helps: subprocess.CompletedProcess[str],
) -> None:
    """Charts take a quarter of a second to load and web3 a whole one; HTTP does without."""
    assert helps.stderr == "set()\n"


def test_no_word_of_help_is_cut(helps: subprocess.CompletedProcess[str]) -> None:
    """Choices that a column of 80 characters would cut in the middle are said in words."""
    assert "--setting" in helps.stdout
    assert re.findall(r"<\w+\|[\w|]*\s", helps.stdout) == []


ASKED = """
import sys
from perpscope import app
app({words}, standalone_mode=False)
print({others} & set(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "others"),
    [
        (["--version"], {"duckdb", "numpy", "polars", "pydantic", "rich"}),
        (["--help"], {"duckdb", "indexer.config", "numpy", "polars"}),
        (["query"], {"indexer.config", "numpy", "pyarrow"}),
        (["protocols"], {"analytics.metrics", "analytics.reports"}),
    ],
)
def test_a_command_loads_nothing_for_others(words: list[str], others: set[str]) -> None:
    """A command that needs no nodes, declarations or rows does not wait for them to load."""
    code = ASKED.format(words=words, others=others)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


@pytest.mark.parametrize(
    ("place", "does"), [*indexer.cli.COMMANDS.values(), *analytics.cli.COMMANDS.values()]
)
def test_the_list_of_commands_says_what_each_says_of_itself(place: str, does: str) -> None:
    """The list is shown without loading a command, and is right about all of them."""
    found = found_at(place)()
    if isinstance(found, typer.Typer):
        assert found.registered_callback is not None
        found = found.registered_callback.callback
    assert getdoc(found) == does


WRITERS = ("index", "import", "plan", "verify", "redecode", "status", "watch", "restate")
READERS = ("query", "metric", "report", "trace", "check", "compare", "replay-report")


@pytest.mark.parametrize("command", [*WRITERS, *READERS])
def test_help_names_the_variables_that_say_where_the_database_is(command: str) -> None:
    """What a command heeds of the environment stands in its help."""
    said = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert "PERPSCOPE_DATABASE" in said
    assert "PERPSCOPE_CONFIG" in said


def test_help_says_that_the_settings_come_first() -> None:
    """`index` proves as far as the settings say, and nothing else where they say nothing."""
    said = CliRunner().invoke(app, ["index", "--help"], env={"COLUMNS": "200"}).output
    assert "by default as the settings say, or fetched" in said


def test_garbage_is_collected_once_all_is_loaded() -> None:
    """The search is off while modules are loaded, and on when a command runs."""
    enabled = "import perpscope, gc; print(gc.isenabled())"
    words = [sys.executable, "-c", enabled]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "True\n"

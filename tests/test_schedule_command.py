"""`perpscope schedule --print`: units and lines that systemd and cron read as they are meant."""

import shlex
import shutil
import subprocess
import sys
from configparser import RawConfigParser
from functools import partial
from pathlib import Path

import pytest

from indexer.schedules import trigger
from perpscope import app, outcome

Unit = dict[str, dict[str, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with a hostile name and a configuration of two chains."""
    place = tmp_path / "my $HOME, 5% off"
    place.mkdir()
    monkeypatch.chdir(place)
    (place / "perpscope.toml").write_text(
        'database = "x y.duckdb"\n[chains.arbitrum]\nrpc = "https://node.example/${ARB_KEY}"\n'
        '[chains.base]\nrpc = "http://127.0.0.1:9"\n',
        encoding="utf-8",
    )
    return place


def printed(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, str]:
    """Return what is printed, by the file or place each part is for."""
    words = ["schedule", "--print", *more]
    assert outcome(partial(app, words, standalone_mode=False)) == 0
    parts: dict[str, str] = {}
    name = ""
    for line in capsys.readouterr().out.splitlines():
        if line.startswith(("# perpscope-", "# crontab")):
            name = line.removeprefix("# ").split(",")[0]
            name = f"{name} {len(parts)}" if name == "crontab" else name
        parts[name] = parts.get(name, "") + f"{line}\n"
    return parts


def parsed(text: str) -> Unit:
    """Return a unit's sections."""
    reader = RawConfigParser()
    reader.optionxform = str  # type: ignore[assignment, method-assign]
    reader.read_string(text)
    return {section: dict(reader[section]) for section in reader.sections()}


def command_of(line: str) -> list[str]:
    """Return the words systemd would run."""
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


def test_a_unit_runs_index_with_the_users_own_paths(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Interpreter, configuration, database and folder; that it was stopped is no failure."""
    parts = printed(capsys)

    unit = parsed(parts["perpscope-index-arbitrum.service"])["Service"]
    assert unit["SuccessExitStatus"] == "130"
    assert command_of(unit["ExecStart"]) == [
        *(sys.executable, "-m", "perpscope", "index", "--chain", "arbitrum"),
        *("--database", str(folder / "x y.duckdb")),
        *("--config", str(folder / "perpscope.toml")),
    ]
    assert unit["Type"] == "oneshot"
    assert unit["WorkingDirectory"].replace("%%", "%") == str(folder)
    assert "perpscope-index-base.service" in parts


def test_a_timer_waits_for_the_run_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The pause counts from the end of a run, so that runs never overlap."""
    timer = parsed(printed(capsys, "--every", "7")["perpscope-index-base.timer"])

    assert folder.is_dir()
    assert timer["Timer"]["OnUnitInactiveSec"] == "7min"
    assert timer["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize(("minutes", "is_uneven"), [("10", False), ("45", True)])
def test_a_crontab_that_begins_anew_each_hour_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str], minutes: str, *, is_uneven: bool
) -> None:
    """Cron runs what is due every 45 minutes at 0 and 45 of each hour: 15 minutes later again."""
    parts = printed(capsys, "--every", minutes)

    assert folder.is_dir()
    assert any("counted anew each hour" in text for text in parts.values()) == is_uneven


def test_a_crontab_line_runs_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five fields, then a shell line; cron would end it at a bare percent sign."""
    text = next(text for name, text in printed(capsys).items() if name.startswith("crontab"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]

    *fields, command = lines[0].split(" ", 5)
    assert trigger(" ".join(fields))
    assert "%" not in command.replace("\\%", "")
    words = shlex.split(command.replace("\\%", "%"))
    assert words[:4] == ["cd", str(folder), "&&", sys.executable]
    assert words[-1] == str(folder / "perpscope.toml")
    assert "It needs ARB_KEY" in text


def test_systemd_accepts_the_units(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where systemd is there to ask, it has nothing to say."""
    if not (analyze := shutil.which("systemd-analyze")):
        pytest.skip("needs systemd-analyze")
    names = [f"perpscope-index-arbitrum.{kind}" for kind in ("service", "timer")]
    parts = printed(capsys)
    for name in names:
        (folder / name).write_text(parts[name], encoding="utf-8")

    paths = [str(folder / name) for name in names]
    done = subprocess.run([analyze, "verify", *paths], capture_output=True, text=True, check=False)

    about = [line for line in done.stderr.splitlines() if "perpscope" in line]
    assert (done.returncode, about) == (0, [])


def test_without_a_chain_there_is_nothing_to_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user's mistake, in one sentence."""
    monkeypatch.chdir(tmp_path)

    code = outcome(partial(app, ["schedule", "--print"], standalone_mode=False))

    assert code == 2
    assert "no chain is configured" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("[chains.base]", "no endpoint for base"),
        ('[chains.base]\nrpc = "node.example"', "is not an endpoint"),
        ('protocols = "gmx_v3"\n[chains.base]\nrpc = "http://a"', "no protocol is called"),
        ('[chains.base]\nrpc = "http://a"\nprotocols = "ostium"', "is not declared on base"),
        (
            'protocols = "ostium"\n[chains.base]\nrpc = "http://a"',
            "none of ostium, which the settings",
        ),
        ('[chains.hypercore]\nrpc = "http://a"', "is no EVM chain"),
        ('phases = "no.csv"\n[chains.base]\nrpc = "http://a"', "no.csv"),
        ('[storage]\nsnapshot = "a.duckdb"\n[chains.base]\nrpc = "http://a"', "storage.snapshot"),
    ],
)
def test_what_index_would_refuse_is_not_scheduled(
    settings: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same sentence and exit code at once, not in a journal that nobody reads."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PERPSCOPE_DATABASE", "a.duckdb")
    Path("perpscope.toml").write_text(settings, encoding="utf-8")
    chain = settings.partition("[chains.")[2].partition("]")[0]

    commands = (["schedule", "--print"], ["index", "--chain", chain])
    told = [
        (outcome(partial(app, words, standalone_mode=False)), capsys.readouterr())
        for words in commands
    ]

    assert [(code, text.out, said in text.err) for code, text in told] == [(2, "", True)] * 2

"""Settings from file and environment, and what is said when they do not fit."""

import os
import re
from datetime import datetime
from inspect import getdoc
from pathlib import Path

import pytest
from pydantic import BaseModel

from analytics.load import database_path
from indexer.chains import ARBITRUM, ARBITRUM_SEPOLIA, BASE
from indexer.cli.given import job_of
from indexer.config import Config, configuration
from indexer.errors import UserError
from indexer.settings import ChainSettings, Retries, Storage, Wallet, Watch

KEY = "s3cret-key-0123456789"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder without settings in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("PERPSCOPE_"):
            monkeypatch.delenv(name)
    return tmp_path


def written(folder: Path, text: str, name: str = "perpscope.toml") -> Path:
    """Write a configuration file and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_there_are_defaults() -> None:
    """Nothing has to be configured to begin."""
    config = configuration()

    assert config.database == "perpscope.duckdb"
    assert config.chain(ARBITRUM) == ChainSettings()
    assert config.endpoints(ARBITRUM) == ()


def test_protocols_of_all_chains_are_indexed_where_they_are(folder: Path) -> None:
    """One list serves chains that have different protocols; a chain's own list stands for it."""
    written(folder, 'protocols = ["gmx_v2", "maple"]\n[chains.arbitrum]\nprotocols = "gmx_v1"')
    settings = configuration()

    jobs = {
        slug: job_of(slug, None, (None, None), settings, path=folder / "a.duckdb").protocols
        for slug in ("arbitrum", "avalanche", "ethereum")
    }

    named = {slug: [item.slug for item in protocols] for slug, protocols in jobs.items()}
    assert named == {"arbitrum": ["gmx_v1"], "avalanche": ["gmx_v2"], "ethereum": ["maple"]}


def test_manners_reach_every_endpoint(folder: Path) -> None:
    """Pace, concurrency and hedging are a chain's, for configured URLs and for given ones."""
    written(
        folder,
        """
        [chains.arbitrum]
        rpc = ["ws://127.0.0.1:1/a"]
        requests_per_second = 25
        concurrency = 3
        hedge_ratio = 0
        """,
    )

    config = configuration()
    endpoints = [*config.endpoints(ARBITRUM), *config.endpoints(ARBITRUM, ["http://127.0.0.1:2"])]

    assert [endpoint.url for endpoint in endpoints] == ["ws://127.0.0.1:1/a", "http://127.0.0.1:2"]
    for endpoint in endpoints:
        assert endpoint.requests_per_second == 25
        assert endpoint.concurrency == 3
        assert endpoint.hedge_ratio == 0


@pytest.mark.parametrize(
    "line",
    ["requests_per_second = 1e-9", "concurrency = 0", "hedge_ratio = 2", "concurrency = 'x'"],
)
def test_manners_that_are_none_are_refused(folder: Path, line: str) -> None:
    """The setting is named."""
    written(folder, f"[chains.arbitrum]\n{line}\n")

    with pytest.raises(UserError, match=f"chains.arbitrum.{line.split(maxsplit=1)[0]}"):
        configuration()


def test_the_file_in_the_working_directory_is_read(folder: Path) -> None:
    """Every setting arrives with its type."""
    written(
        folder,
        """
        database = "x.duckdb"
        protocols = ["gmx_v2"]
        [chains.arbitrum]
        rpc = ["http://127.0.0.1:1/a", "http://127.0.0.1:2/b"]
        protocols = ["gmx_v1"]
        from_block = 7
        max_span = 1_000
        max_logs = 10
        [retries]
        tries = 2
        first_wait_seconds = 1
        timeout_seconds = 2.5
        """,
    )

    config = configuration()

    assert (config.database, config.protocols) == ("x.duckdb", ("gmx_v2",))
    assert config.chain(ARBITRUM) == ChainSettings(
        rpc=("http://127.0.0.1:1/a", "http://127.0.0.1:2/b"),
        protocols=("gmx_v1",),
        from_block=7,
        max_span=1_000,
        max_logs=10,
    )
    assert [endpoint.url for endpoint in config.endpoints(ARBITRUM)] == [
        "http://127.0.0.1:1/a",
        "http://127.0.0.1:2/b",
    ]
    assert {(endpoint.tries, endpoint.timeout_seconds) for endpoint in config.endpoints(ARBITRUM)}
    assert config.endpoints(ARBITRUM)[0].tries == 2
    assert config.endpoints(ARBITRUM)[0].timeout_seconds == 2.5


def test_a_file_of_windows_is_read(folder: Path) -> None:
    """Its editors end lines with two signs, and may begin a text with a mark that it is one."""
    text = '\ufeffdatabase = "a.duckdb"\r\n[chains.base]\r\nmax_logs = 7\r\n'
    (folder / "perpscope.toml").write_bytes(text.encode())

    config = configuration()

    assert (config.database, config.chain(BASE).max_logs) == ("a.duckdb", 7)
    assert database_path(None) == Path("a.duckdb")


def test_a_named_file_goes_before_the_one_in_the_working_directory(folder: Path) -> None:
    """--config names the file to read, and only that is read."""
    written(folder, 'database = "here"')
    other = written(folder, 'database = "there"', "other.toml")

    assert configuration(other).database == "there"


def test_the_environment_names_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PERPSCOPE_CONFIG does what --config does."""
    other = written(folder, 'database = "there"', "other.toml")
    monkeypatch.setenv("PERPSCOPE_CONFIG", str(other))

    assert configuration().database == "there"


def test_the_environment_wins_over_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Single settings are replaced; the others of the section stay."""
    written(folder, '[chains.arbitrum]\nrpc = "http://file/"\nmax_span = 5')
    monkeypatch.setenv("PERPSCOPE_CHAINS__ARBITRUM__RPC", "http://a/,http://b/")
    monkeypatch.setenv("PERPSCOPE_CHAINS__ARBITRUM_SEPOLIA__MAX_SPAN", "9")

    config = configuration()

    assert config.chain(ARBITRUM).rpc == ("http://a/", "http://b/")
    assert config.chain(ARBITRUM).max_span == 5
    assert config.chain(ARBITRUM_SEPOLIA).max_span == 9


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2025-10-10", 0),
        ('"2025-10-10"', 0),
        ("2025-10-10T06:00:00", 6),
        ('"2025-10-10T06:00"', 6),
        ("2025-10-10T06:00:00+02:00", 4),
    ],
)
def test_a_date_is_its_first_instant_in_utc(folder: Path, text: str, hour: int) -> None:
    """Dates and moments of the file, written either way, become UTC without a zone."""
    written(folder, f"[chains.base]\nfrom_date = {text}")

    assert configuration().chain(BASE).from_date == datetime(2025, 10, 10, hour)


def test_keys_come_from_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`${NAME}` is filled in when the endpoint is used, and printed nowhere."""
    written(folder, '[chains.arbitrum]\nrpc = ["https://node.example/${NODE_KEY}"]')
    monkeypatch.setenv("NODE_KEY", KEY)

    config = configuration()
    (endpoint,) = config.endpoints(ARBITRUM)

    assert endpoint.url == f"https://node.example/{KEY}"
    assert KEY not in f"{config!r} {config} {endpoint!r} {endpoint}"


def test_a_key_written_into_the_file_is_not_printed(folder: Path) -> None:
    """Nobody should, and somebody will."""
    written(folder, f'[chains.arbitrum]\nrpc = ["https://node.example/{KEY}"]')

    assert KEY not in f"{configuration()!r} {configuration()}"


def test_a_missing_key_is_named_when_its_endpoint_is_used(folder: Path) -> None:
    """Other chains can be used without it."""
    written(
        folder,
        '[chains.arbitrum]\nrpc = ["https://node.example/${NO_SUCH_KEY}"]\n'
        '[chains.base]\nrpc = ["http://127.0.0.1:1/"]',
    )

    config = configuration()

    assert len(config.endpoints(BASE)) == 1
    with pytest.raises(UserError, match=r"chains\.arbitrum\.rpc .* NO_SUCH_KEY, which is not set"):
        config.endpoints(ARBITRUM)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("node.example/SECRET", r"^chains\.arbitrum\.rpc\.1: \(\.\.\.\) is not an endpoint: "),
        ("https://node.example/${MY-SECRET}", r"^chains\.arbitrum\.rpc has a \$\{ that no var"),
    ],
)
def test_an_endpoint_that_is_none_is_named_by_its_place(folder: Path, url: str, said: str) -> None:
    """Its URL, which may be a key, is not printed, and so does not tell which one it is."""
    written(folder, f'[chains.arbitrum]\nrpc = ["http://127.0.0.1:1/", "{url}"]')

    with pytest.raises(UserError, match=said) as caught:
        configuration().endpoints(ARBITRUM)

    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('databse = "x"', '"databse" in .*perpscope.toml is no setting: expected one of database'),
        ("database = 5", "database is 5 in .*: expected text"),
        ("chains = 5", "chains is 5 in .*: expected a section"),
        ("[chains.arbitrum]\nrpc = 5", r"chains\.arbitrum\.rpc is 5 in .*: expected a list"),
        ("[chains.arbitrum]\nrpc = [5]", r"chains\.arbitrum\.rpc\.0 is 5 in .*: expected text"),
        ('[chains.base]\nmax_span = "10"', r"max_span is '10' in .*: expected a whole number"),
        (
            "[chains.base]\nmax_span = 0",
            r"max_span is 0 in .*: expected greater than or equal to 1",
        ),
        ("[chains.base]\nfrom_block = 1.5", r"from_block is 1\.5 in .*: expected a whole number"),
        ("[chains.base]\nfrom_date = 5", r"from_date is 5 in .*: expected a date such as"),
        ('[chains.base]\nfrom_date = "soon"', r"from_date is 'soon' in .*: expected a date"),
        (
            '[chains.base]\nfrom_date = "9999-12-31T23:00-02:00"',
            r"from_date is '9999-12-31T23:00-02:00' in .*: expected a date",
        ),
        (
            "[chains.base]\nfrom_block = 1\nfrom_date = 2025-10-10",
            r"{from_block = 1, from_date = 2025-10-10} .* from_block or from_date, not both",
        ),
        ("[chains.base]\nrcp = []", r'"rcp" in .* one of rpc, .* at \[chains\.base\]'),
        (
            "[chains.bsae]\nrpc = []",
            "'bsae' in .*: expected one of the chains abstract, apechain, ",
        ),
        ("[retries]\ntrys = 1", r'"trys" in .* one of tries, .* at \[retries\]'),
        ("[retries]\ntries = true", "tries is true in .*: expected a whole number"),
        ("database = 2025-10-10", "database is 2025-10-10 in .*: expected text"),
        ("[watch]\nindex = 06:00:00", "index is 06:00:00 in .*: expected text"),
        (
            "[retries]\ntries = [2025-10-10T06:00:00Z, {a = true}]",
            r"tries is \[2025-10-10T06:00:00\+00:00, {a = true}\] in .*: expected a whole number",
        ),
        ("[retries]\ntimeout_seconds = 1e9", "timeout_seconds is 1000000000.0 in"),
        ("_env_file = 5", '"_env_file" in .* is no setting'),
        ("a =", "cannot be read as TOML"),
        (f"a = {'[' * 5_000}", "cannot be read as TOML: maximum recursion depth exceeded"),
        (r'database = "a\u0000b"', r"database is 'a\\x00b' in .*: expected a path"),
        ('phases = [""]', r"phases\.0 is '' in .*: expected a path"),
        ('[storage]\nsnapshot = "\\u0000"', r"storage\.snapshot is '\\x00' in"),
    ],
)
def test_what_does_not_fit_is_named(folder: Path, text: str, said: str) -> None:
    """Key, value seen, what was expected and the file, in one sentence."""
    written(folder, text)

    with pytest.raises(UserError, match=said) as caught:
        configuration()

    assert "\n" not in str(caught.value)


def test_a_wrong_value_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is named instead of the file."""
    monkeypatch.setenv("PERPSCOPE_RETRIES__TRIES", "many")

    with pytest.raises(UserError, match="in the environment variable PERPSCOPE_RETRIES__TRIES"):
        configuration()


def test_a_variable_below_a_list_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes a section of what is a list, with no file at all."""
    monkeypatch.setenv("PERPSCOPE_WALLETS__0__CHAIN", "ethereum")

    with pytest.raises(UserError, match="in the environment variable PERPSCOPE_WALLETS__0__CHAIN"):
        configuration()


def test_a_variable_of_brackets_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is no JSON because it nests too deep is read as it stands."""
    monkeypatch.setenv("PERPSCOPE_RETRIES__TRIES", "[" * 100_000)

    with pytest.raises(UserError, match=r"retries\.tries is '\[\[.*: expected a whole number"):
        configuration()


def test_variables_that_contradict_each_other_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A section cannot be a plain value as well."""
    monkeypatch.setenv("PERPSCOPE_RETRIES", "5")
    monkeypatch.setenv("PERPSCOPE_RETRIES__TRIES", "5")

    with pytest.raises(UserError, match=r"variable PERPSCOPE_RETRIES__TRIES sets a part of"):
        configuration()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PERPSCOPE_DATABSE", "PERPSCOPE_DATABASE"),
        ("PERPSCOPE_CONFG", "PERPSCOPE_CONFIG"),
        ("PERPSCOPE_CHAIN__ARBITRUM__RPC", "PERPSCOPE_CHAINS"),
        ("PERPSCOPE_CHAINS_ARBITRUM_RPC", "PERPSCOPE_CHAINS"),
    ],
)
def test_a_variable_that_nearly_is_a_setting_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, meant: str
) -> None:
    """What a misspelled name was to set is never left as it is in silence."""
    monkeypatch.setenv(name, "x")

    with pytest.raises(UserError, match=f"variable {name} is no setting: expected {meant},"):
        configuration()


def test_other_variables_with_our_prefix_are_let_be(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint's key may be called like a setting, and what is far from all is not ours."""
    written(folder, '[chains.base]\nrpc = ["http://127.0.0.1:1/${PERPSCOPE_CHAIN}"]')
    for name in ("PERPSCOPE_CHAIN", "PERPSCOPE_EXAMPLES", "PERPSCOPE_PATH"):
        monkeypatch.setenv(name, "x")

    assert configuration().variables(BASE) == ("PERPSCOPE_CHAIN",)


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    """Only a file that was asked for must exist."""
    with pytest.raises(UserError, match=r"there is no settings file .*nowhere\.toml"):
        configuration(folder / "nowhere.toml")


def test_a_folder_is_no_file(folder: Path) -> None:
    """The system's reason is passed on."""
    with pytest.raises(UserError, match="cannot be read as TOML: Is a directory"):
        configuration(folder)


def test_bytes_that_are_no_text_are_refused(folder: Path) -> None:
    """TOML is UTF-8."""
    path = folder / "perpscope.toml"
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(UserError, match="cannot be read as TOML"):
        configuration()


@pytest.mark.parametrize(
    "text",
    [
        f'database = {{url = "https://u:{KEY}@host/{KEY}"}}',
        f'chains = {{arbitrum = {{rpc = {{url = "https://host/{KEY}"}}}}}}',
        f'[chains.arbitrum]\nmax_span = "https://host/{KEY}"',
    ],
)
def test_a_url_in_the_wrong_place_keeps_its_secret(folder: Path, text: str) -> None:
    """Whatever value is shown, keys in URLs are not."""
    written(folder, text)

    with pytest.raises(UserError) as caught:
        configuration()

    assert KEY not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_do_not_change() -> None:
    """A configuration is read once and stays."""
    config = Config()

    with pytest.raises(ValueError, match="frozen"):
        config.database = "other"


SECTIONS: dict[str, type[BaseModel]] = {
    "": Config,
    "`[chains.<name>]` ": ChainSettings,
    "`[retries]` ": Retries,
    "`[storage]` ": Storage,
    "`[watch]` ": Watch,
    "`[[wallets]]` ": Wallet,
}


def meanings(model: type[BaseModel]) -> dict[str, str]:
    """Return what the docstring of a group of settings says of each."""
    _, _, said = (getdoc(model) or "").partition("Attributes:\n")
    found = re.findall(r"^    (\w[\w, ]*): (.*(?:\n {8}.*)*)", said, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in found for name in names.split(", ")}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_readme_names_every_setting(section: str, root: Path) -> None:
    """With its default and its meaning, as the docstring has them."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    told = meanings(SECTIONS[section])
    fields = SECTIONS[section].model_fields
    groups = {each.strip("`[] ").partition(".")[0] for each in SECTIONS}

    for name in fields.keys() - groups:
        default = getattr(fields[name].default, "value", fields[name].default)
        shown = "" if default in (None, ()) else f"`{default}`"
        shown = "required" if fields[name].is_required() else shown
        assert f"| {section}| `{name}` | {shown} | {told[name]} |" in readme

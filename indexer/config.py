"""
Settings: where the database is, which chains and protocols, through which endpoints.

They come from `perpscope.toml` in the working directory, or the file named by --config or
PERPSCOPE_CONFIG. Environment variables win over the file: PERPSCOPE_DATABASE,
PERPSCOPE_CHAINS__ARBITRUM__RPC and so on, lists separated by commas. Keys stay out of files:
`${NAME}` in an endpoint's URL is an environment variable, filled in when the endpoint is used.

    database = "perpscope.duckdb"
    phases = ["phases-ethereum.csv"]

    [chains.arbitrum]
    rpc = ["https://arb-mainnet.example/v2/${ARBITRUM_KEY}", "http://127.0.0.1:8547"]
    protocols = ["gmx_v2", "chainlink"]
    requests_per_second = 25

    [retries]
    tries = 5

    [[wallets]]
    protocol = "maple"
    chain = "ethereum"
    address = "0x..."
    source = "who says that this is the programme's wallet"

    [storage]
    snapshot = "perpscope.snapshot.duckdb"

    [watch]
    index = "30s"
    report = "0 * * * *"
"""

import json
import os
import re
import tomllib
from collections.abc import Sequence
from datetime import date, time
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from indexer.chains import CHAINS, Chain
from indexer.errors import UserError
from indexer.phases import with_phases
from indexer.settings import ChainSettings, Place, Places, Retries, Storage, Texts, Wallet, Watch
from indexer.spec import Protocol
from indexer.wallets import declarations

if TYPE_CHECKING:
    from indexer.rpc import Endpoint

DEFAULT_FILE = Path("perpscope.toml")

_PREFIX = "PERPSCOPE_"
_MANNERS = {"requests_per_second", "concurrency", "hedge_ratio"}
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_URL = re.compile(r"\w+://[^\s'\"]+")
_SLUGS = sorted(chain.slug for chain in CHAINS)
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "dict_type": "a section",
    "model_type": "a section",
}
_SECTIONS: dict[str, type[BaseModel]] = {
    "retries": Retries,
    "storage": Storage,
    "wallets": Wallet,
    "watch": Watch,
}


def _slug(slug: str) -> str:
    if slug not in _SLUGS:
        raise ValueError(f"one of the chains {', '.join(_SLUGS)}")
    return slug


class Config(BaseSettings):
    """
    All settings, checked; `configuration` reads them.

    Attributes:
        database: path of the DuckDB file; paths are relative to the folder perpscope runs in.
        protocols: slugs to index, on each chain those it has; empty for all that are declared.
        phases: lists of contracts that stood behind declared ones; `phases.with_phases` adds them.
        chains: slug -> that chain's settings.
        retries: patience with endpoints.
        wallets: whose receipts count as buybacks; `wallets.declarations` makes them so.
        storage: what is kept beside the database.
        watch: what `perpscope watch` does and when.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    database: Place = "perpscope.duckdb"
    protocols: Texts = ()
    phases: Places = ()
    chains: dict[Annotated[str, AfterValidator(_slug)], ChainSettings] = {}
    retries: Retries = Retries()
    wallets: tuple[Wallet, ...] = ()
    storage: Storage = Storage()
    watch: Watch = Watch()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic calls by keyword
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Put the environment before the file; nothing else is read."""
        return (InitSettingsSource(settings_cls, _environment()), init_settings)

    def chain(self, chain: Chain) -> ChainSettings:
        """Return a chain's settings; all defaults where none are given."""
        return self.chains.get(chain.slug, ChainSettings())

    def declarations(self, chain: Chain | None) -> dict[str, Protocol]:
        """
        Return every protocol by slug, with what the settings add to it.

        Args:
            chain: whose additions count, so that those of other chains leave facts of this one as
                they are; None for all.

        Raises:
            UserError: a wallet or a list of phases does not fit.
        """
        return with_phases(declarations(self.wallets, chain), self.phases, chain)

    def variables(self, chain: Chain) -> tuple[str, ...]:
        """Return the environment variables the chain's endpoints need."""
        names = (name for url in self.chain(chain).rpc for name in _VARIABLE.findall(url))
        return tuple(dict.fromkeys(names))

    def endpoints(self, chain: Chain, urls: Sequence[str] | None = None) -> "tuple[Endpoint, ...]":
        """
        Return the chain's endpoints in order of preference, environment variables filled in.

        Args:
            chain: whose settings apply.
            urls: where to ask instead of where the settings say.

        Raises:
            UserError: a variable is not set, or a URL is none.
        """
        # What asks nodes takes half a second to load, and commands that ask none do without.
        from indexer.rpc import Endpoint

        own = self.chain(chain)
        manners = self.retries.model_dump() | own.model_dump(include=_MANNERS)
        told = [("--rpc", url) for url in urls or ()] or [
            (f"chains.{chain.slug}.rpc.{number}", _expanded(url, chain))
            for number, url in enumerate(own.rpc)
        ]
        found = []
        for place, url in told:
            try:
                found.append(Endpoint(url, **manners))
            except UserError as error:  # it does not show the URL: there may be many
                raise UserError(f"{place}: {error}") from None
        return tuple(found)


def _environment() -> dict[str, Any]:
    """Return PERPSCOPE_* variables as nested settings; `__` separates levels, `_` is a dash."""
    settings: dict[str, Any] = {}
    for name, value in sorted(os.environ.items()):
        path = _path(name)
        if path and path[0] in Config.model_fields:
            *sections, key = path
            place = settings
            for section in sections:
                place = _section(place.setdefault(section, {}), name)
            place[key] = _typed(value)
    return settings


def configuration_file(path: Path | None = None) -> Path | None:
    """Return the file settings are read from: as `configuration` finds it; None for none."""
    named = path or (Path(given) if (given := os.environ.get(f"{_PREFIX}CONFIG")) else None)
    return named or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)


def configuration(path: Path | None = None) -> Config:
    """
    Return the settings from the environment and a file.

    Args:
        path: the file; None for PERPSCOPE_CONFIG, else `perpscope.toml` where it exists.

    Raises:
        UserError: the file cannot be read, a key or value in it does not fit, or a variable has
            nearly the name of a setting.
    """
    named = configuration_file(path)
    content = _content(named) if named else {}
    # pydantic-settings takes keyword arguments with an underscore for itself.
    if hidden := [key for key in content if key.startswith("_")]:
        raise UserError(_unknown((hidden[0],), named or DEFAULT_FILE))
    try:
        config = Config(**content)
    except ValidationError as error:
        # The cause would print values, which may be keys.
        raise UserError(_sentence(error, named or DEFAULT_FILE)) from None
    _check_variables(config)
    return config


def _check_variables(config: Config) -> None:
    # Others may use the prefix, as an endpoint's key may: only what looks like a setting is one.
    keys = {name for chain in CHAINS for name in config.variables(chain)}
    known = [*Config.model_fields, "config"]
    for name in sorted({*os.environ} - keys):
        first = next(iter(_path(name)), "")
        near = [each for each in known if first.startswith(f"{each}_")]
        near += get_close_matches(first, known, n=1, cutoff=0.75)
        if near and first not in known:
            raise UserError(
                f"the environment variable {name} is no setting: expected {_PREFIX}"
                f"{near[0].upper()}, and two underscores between levels; correct or unset it"
            )


def _content(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise UserError(
            f"there is no settings file {path}: expected a TOML file; correct --config or "
            f"{_PREFIX}CONFIG"
        ) from None
    except (OSError, ValueError, RecursionError) as error:  # the last: thousands of brackets
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(
            f"{path} cannot be read as TOML: {reason}; correct the file or name another with "
            "--config"
        ) from error


def _path(name: str) -> list[str]:
    if not name.startswith(_PREFIX):
        return []
    path = name.removeprefix(_PREFIX).lower().split("__")
    if path[0] == "chains" and len(path) > 1:
        path[1] = path[1].replace("_", "-")
    return path


def _section(value: Any, variable: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise UserError(
        f"the environment variable {variable} sets a part of what a shorter one already sets to a "
        "plain value: expected a section there; unset one of them"
    )


def _typed(value: str) -> Any:
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _sentence(error: ValidationError, path: Path) -> str:
    first = error.errors(include_url=False)[0]
    place = tuple(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return _unknown(place, path)
    if first["type"] == "missing":
        return f"{'.'.join(place)} is missing in {_source(place, path)}: expected it; add it"
    from indexer.rpc import redacted

    seen = _URL.sub(lambda found: redacted(found[0]), _written(first["input"]))[:80]
    wanted = _EXPECTED.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    wanted = wanted.removeprefix("Input should be ")
    name = ".".join(part for part in place if part != "[key]")
    return f"{name} is {seen} in {_source(place, path)}: expected {wanted}; correct it"


def _written(value: Any) -> str:
    """Return a value as TOML writes it."""
    match value:
        case dict():
            pairs = (f"{key} = {_written(each)}" for key, each in value.items())
            return f"{{{', '.join(pairs)}}}"
        case list() | tuple():
            return f"[{', '.join(map(_written, value))}]"
        case date() | time():
            return value.isoformat()
        case bool() | None:
            return json.dumps(value)
        case _:
            return repr(value)


def _unknown(place: tuple[str, ...], path: Path) -> str:
    section = _SECTIONS.get(place[0], ChainSettings)
    names = ", ".join((section if len(place) > 1 else Config).model_fields)
    where = f"[{'.'.join(place[:-1])}]" if len(place) > 1 else "the top level"
    return (
        f'"{place[-1]}" in {_source(place, path)} is no setting: expected one of {names} at '
        f"{where}; correct or remove it"
    )


def _source(place: tuple[str, ...], path: Path) -> str:
    for name in os.environ:
        said = tuple(_path(name))
        # What a variable sets below a place makes a section of it.
        if said and all(part == other for part, other in zip(said, place, strict=False)):
            return f"the environment variable {name}"
    return str(path)


def _expanded(url: str, chain: Chain) -> str:
    def variable(found: re.Match[str]) -> str:
        if (value := os.environ.get(found[1])) is None:
            raise UserError(
                f"chains.{chain.slug}.rpc needs the environment variable {found[1]}, which is not "
                f"set: expected `export {found[1]}=...`"
            )
        return value

    if "${" in _VARIABLE.sub("", url):  # else the node would be sent it as it stands
        raise UserError(
            f"chains.{chain.slug}.rpc has a ${{ that no variable's name follows: expected "
            "${NAME}, of letters, digits and underscores; correct it"
        )
    return _VARIABLE.sub(variable, url)

"""`perpscope schedule`: units of systemd and lines of a crontab that run `perpscope index`."""

import getpass
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from indexer.chains import Chain
from indexer.cli.given import chains_configured, job_of
from indexer.cli.options import ConfigFile, Database
from indexer.cli.places import database_of, snapshot_of
from indexer.config import Config, configuration, configuration_file

_SERVICE = """\
# {name}.service
[Unit]
Description=perpscope: index {chain} into {database}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
WorkingDirectory={folder}
EnvironmentFile=-{variables}
ExecStart={command}
TimeoutStartSec=infinity
SuccessExitStatus=130
"""
_TIMER = """\
# {name}.timer
[Unit]
Description=perpscope: index {chain} every {minutes} min

[Timer]
OnBootSec=1min
OnUnitInactiveSec={minutes}min

[Install]
WantedBy=timers.target
"""
_CRON = """\
# crontab, in the place of the units{anew}
*/{minutes} * * * * cd {folder} && {command}
"""


def schedule(
    *,
    print_units: Annotated[  # noqa: ARG001 - said for clearness: nothing is installed
        bool, typer.Option("--print", help="Print them; perpscope installs nothing itself.")
    ] = True,
    every: Annotated[int, typer.Option(min=1, max=59, help="Minutes between runs.")] = 10,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Print a systemd unit, a timer and a crontab line for each configured chain."""
    settings = configuration(config)
    path = database_of(database, settings).absolute()
    file = configuration_file(config)
    chains = chains_configured(settings)
    for chain in chains:
        _check(settings, chain, path)
    for chain in chains:
        typer.echo(_texts(settings, chain, path, file and file.absolute(), every))


def _check(settings: Config, chain: Chain, path: Path) -> None:
    """Refuse what `index` would refuse; variables may be set where it runs, and not here."""
    job_of(chain.slug, None, (None, None), settings, path=path)
    snapshot_of(settings, path)
    if told := [url for url in settings.chain(chain).rpc if "${" not in url]:
        settings.endpoints(chain, told)


def _texts(settings: Config, chain: Chain, database: Path, file: Path | None, every: int) -> str:
    folder = Path.cwd()
    words = [sys.executable, "-m", "perpscope", "index", "--chain", chain.slug]
    words += ["--database", str(database), *(("--config", str(file)) if file else ())]
    unit = {"name": f"perpscope-index-{chain.slug}", "chain": chain.slug, "minutes": every}
    service = _SERVICE.format(
        **unit,
        database=_unit_text(str(database)),
        user=getpass.getuser(),
        folder=_unit_text(str(folder)),
        variables=_unit_text(str(folder / "perpscope.env")),
        command=" ".join(_unit_word(word) for word in words),
    )
    line = _CRON.format(
        anew="; minutes are counted anew each hour" if 60 % every else "",
        minutes=every,
        folder=_cron_word(str(folder)),
        command=" ".join(map(_cron_word, words)),
    )
    return "\n".join((service, _TIMER.format(**unit), line + _needs(settings, chain)))


def _needs(settings: Config, chain: Chain) -> str:
    names = settings.variables(chain)
    if not names:
        return ""
    return (
        f"# It needs {', '.join(names)}: NAME=value lines in perpscope.env for systemd, and in "
        "the crontab\n"
    )


def _unit_text(text: str) -> str:
    return text.replace("%", "%%")


def _unit_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_unit_text(escaped)}"' if escaped != shlex.quote(escaped) else _unit_text(escaped)


def _cron_word(word: str) -> str:
    return shlex.quote(word).replace("%", "\\%")

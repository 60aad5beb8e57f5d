"""The options that commands have in common; `given` and `places` say what they stand for."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How findings are printed."""

    TABLE = "table"
    JSON = "json"


def protocols_begun(incomplete: str) -> list[str]:
    """Return the protocols whose names begin as what is typed, for the shell's completion."""
    from indexer.protocols import PROTOCOLS

    return [slug for slug in PROTOCOLS if slug.startswith(incomplete)]


def chains_begun(incomplete: str) -> list[str]:
    """Return the chains whose names begin as what is typed, for the shell's completion."""
    from indexer.chains import CHAINS

    return [chain.slug for chain in CHAINS if chain.slug.startswith(incomplete)]


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="PERPSCOPE_CONFIG",
        help="Settings; by default perpscope.toml, if there.",
    ),
]
Database = Annotated[
    Path | None,
    typer.Option(
        envvar="PERPSCOPE_DATABASE", help="The DuckDB file; by default the one the settings name."
    ),
]
ChainName = Annotated[
    str,
    typer.Option("--chain", help="A chain, for example arbitrum.", autocompletion=chains_begun),
]
ProtocolNames = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        help="A protocol; repeatable. By default all on the chain.",
        autocompletion=protocols_begun,
    ),
]
Earners = Annotated[
    list[str] | None,
    typer.Argument(
        help="Whose income; all on the chain without one.", autocompletion=protocols_begun
    ),
]
ToIndex = Annotated[
    list[str] | None,
    typer.Option(
        "--protocol",
        help="A protocol; repeatable. By default those of the settings, or all on the chain.",
        autocompletion=protocols_begun,
    ),
]
Form = Annotated[Format, typer.Option("--format", help="How to print it.")]
Urls = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc", help="A node's URL; repeatable, best first. By default those of the settings."
    ),
]

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="BLOCK|MOMENT",
        help="First block, or a date or moment (UTC) it is not before. By default as the settings "
        "say, or each contract's own.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="BLOCK|MOMENT",
        help="Last block, or a date or moment it is before. By default the chain's last one.",
    ),
]
MaxSpan = Annotated[
    int | None,
    typer.Option(
        min=1, help="Most blocks in one request; by default as the settings say, or found out."
    ),
]

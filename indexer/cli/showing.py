"""`perpscope status` and `perpscope protocols`: what is stored, and what can be."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.catalogue import catalogue, chains_of, section
from indexer.chains import CHAINS
from indexer.choices import protocol_named
from indexer.cli.options import ConfigFile, Database, Form, Format, protocols_begun
from indexer.cli.places import database_of
from indexer.cli.printing import chain_slug, print_json, print_table
from indexer.config import Config, configuration
from indexer.protocols import PROTOCOLS
from indexer.spec import first_block

if TYPE_CHECKING:
    import polars as pl

    from indexer.store import Snapshot, Status

_STATUS = (
    "chain",
    "protocol",
    "from",
    "to",
    "finalized to",
    "missing blocks",
    "proof",
    "rejects",
    "newest block",
)

_IMPORTS = (
    "chain",
    "protocol",
    "imported",
    "files",
    "entries",
    "of them new",
    "rejects",
    "from",
    "to",
    "longest pause",
)
_ENDS = ("from_at", "to_at")


def status(
    *, database: Database = None, config: ConfigFile = None, form: Form = Format.TABLE
) -> None:
    """Show how complete, how final and how proven what is stored is."""
    from indexer.store import status as stored_status

    settings = configuration(config)
    path = database_of(database, settings)
    found = stored_status(path, _starts(settings))
    changed = _changed(settings, found.coverage)
    if form is Format.JSON:
        print_json(_told(path, found) | {"changed": changed})
        return
    _print(path, found)
    for row in changed:
        typer.echo(
            f"the declaration of {row['protocol']} has changed since its blocks on {row['chain']} "
            "were indexed; `perpscope index` brings them up to date, or says what does"
        )


def _changed(settings: Config, coverage: "pl.DataFrame") -> list[dict[str, Any]]:
    """Return whose stored blocks were indexed under another declaration than today's."""
    from indexer.sync.declarations import is_unchanged

    stored = coverage.partition_by("chain_id", as_dict=True)
    return [
        {"chain": chain.slug, "chain_id": chain.chain_id, "protocol": protocol.slug}
        for chain in CHAINS
        if (rows := stored.get((chain.chain_id,))) is not None
        for protocol in settings.declarations(chain).values()
        if not is_unchanged(protocol, chain, rows)
    ]


def _print(path: Path, found: "Status") -> None:
    if found.snapshot is not None:
        typer.echo(_edition(found.snapshot))
    if found.protocols.is_empty() and found.imports.is_empty():
        typer.echo("nothing is indexed yet: run `perpscope index`")
        return
    _print_imports(found.imports)
    if found.protocols.is_empty():
        return
    print_table(_STATUS, (_status_line(row) for row in found.protocols.iter_rows(named=True)))
    kinds = found.origins.select("chain_id", "kind").unique(maintain_order=True)
    for chain_id, kind in kinds.filter(~kinds["kind"].is_in(["node", "imported"])).iter_rows():
        typer.echo(f"{chain_slug(chain_id)} holds {kind} blocks")
    _print_unproven(path, found.coverage)
    _print_reads(found.reads)
    _print_upgrades(found.upgrades)
    _print_accounts(_named(found))
    if len(found.gaps):
        print_table(
            ("chain", "protocol", "missing from", "to"),
            ((chain_slug(row[0]), row[1], row[2], row[3]) for row in found.gaps.iter_rows()),
        )


def _named(found: "Status") -> "pl.DataFrame":
    return found.accounts.join(found.protocols, on=["chain_id", "protocol"], how="semi")


def _told(path: Path, found: "Status") -> dict[str, Any]:
    from indexer.store import read_failures

    tables = {
        "protocols": found.protocols,
        "gaps": found.gaps,
        "imports": found.imports,
        "kinds": found.origins.select("chain_id", "kind").unique().sort("chain_id", "kind"),
        "waivers": _waivers(found.coverage),
        "reads": found.reads,
        "upgrades": found.upgrades,
        "accounts": _named(found),
    }
    told = {
        name: [{"chain": chain_slug(row["chain_id"])} | row for row in rows.iter_rows(named=True)]
        for name, rows in tables.items()
    }
    wrong = [
        {"chain": chain_slug(chain_id), "chain_id": chain_id} | row
        for chain_id in found.coverage["chain_id"].unique().sort()
        for row in read_failures(path, chain_id).iter_rows(named=True)
    ]
    snapshot = None if found.snapshot is None else vars(found.snapshot)
    return {"snapshot": snapshot, **told, "wrong": wrong}


def _starts(settings: Config) -> dict[tuple[int, str], int]:
    return {
        (chain.chain_id, slug): start
        for slug, protocol in settings.declarations(None).items()
        for chain in chains_of(protocol)
        if (start := first_block(protocol, chain)) is not None
    }


def _print_unproven(path: Path, coverage: "pl.DataFrame") -> None:
    from indexer.store import read_failures

    for chain_id, waiver in _waivers(coverage).iter_rows():
        typer.echo(f"{chain_slug(chain_id)} is not proven further: {waiver}")
    for chain_id in coverage["chain_id"].unique().sort():
        failures = read_failures(path, chain_id)
        disputed = (failures["level"] == "agreed").sum()
        for what, count in (("wrong", len(failures) - disputed), ("disputed", disputed)):
            if count:
                typer.echo(
                    f"{chain_slug(chain_id)} holds {what} blocks in {count:,} of the ranges "
                    "`verify` looked at; run `perpscope repair`"
                )


def _waivers(coverage: "pl.DataFrame") -> "pl.DataFrame":
    waived = coverage.drop_nulls("waiver").select("chain_id", "waiver")
    return waived.unique().sort("chain_id", "waiver")


def _print_imports(imports: "pl.DataFrame") -> None:
    if imports.is_empty():
        return
    print_table(_IMPORTS, (_import_line(row) for row in imports.iter_rows(named=True)))
    typer.echo(
        "what is imported rests on these files, `perpscope query imported_files` names them; no "
        "block links them, so nothing shows what they lack"
    )


def _import_line(row: dict[str, Any]) -> tuple[object, ...]:
    pause = row["pause_seconds"]
    return (
        chain_slug(row["chain_id"]),
        row["protocol"],
        row["kind"],
        *(f"{row[name]:,}" for name in ("files", "entries_read", "entries_used", "rejects")),
        *("-" if row[name] is None else f"{row[name]:%Y-%m-%dT%H:%M:%S}Z" for name in _ENDS),
        "-" if pause is None else f"{pause:,} s",
    )


def _print_reads(reads: "pl.DataFrame") -> None:
    if len(reads):
        print_table(
            ("chain", "protocol", "state read", "came to", "calls"),
            ((chain_slug(row[0]), *row[1:4], f"{row[4]:,}") for row in reads.iter_rows()),
        )


def _print_upgrades(upgrades: "pl.DataFrame") -> None:
    if len(upgrades):
        print_table(
            ("chain", "protocol", "contracts given other code", "times", "last in block", "at"),
            (
                (chain_slug(row[0]), *row[1:5], f"{row[5]:%Y-%m-%dT%H:%M:%S}Z")
                for row in upgrades.iter_rows()
            ),
        )
        typer.echo(
            "what other code logs under a signature that no declaration names is not read; "
            "`perpscope query upgrades` names the contracts and counts the events that fell silent"
        )


def _print_accounts(accounts: "pl.DataFrame") -> None:
    if len(accounts):
        print_table(
            ("chain", "protocol", "account", "named", "because"),
            ((chain_slug(row[0]), *row[1:]) for row in accounts.iter_rows()),
        )


def protocols(
    name: Annotated[
        str | None,
        typer.Argument(
            help="One of them: all that is known of it.", autocompletion=protocols_begun
        ),
    ] = None,
    *,
    config: ConfigFile = None,
    markdown: Annotated[bool, typer.Option(help="All of all of them: PROTOCOLS.md.")] = False,
) -> None:
    """List the protocols perpscope knows, and where; or what is covered, and what is not."""
    if markdown:
        typer.echo(catalogue(list(PROTOCOLS.values())), nl=False)
        return
    known = configuration(config).declarations(None)
    if name is not None:
        typer.echo(section(protocol_named(name, known)), nl=False)
        return
    lines = (
        (slug, item.name, item.kind, ", ".join(sorted(chain.slug for chain in chains_of(item))))
        for slug, item in known.items()
    )
    print_table(("protocol", "name", "kind", "chains"), lines)


def _edition(snapshot: "Snapshot") -> str:
    moment = f"{snapshot.published_at:%Y-%m-%dT%H:%M:%S}Z"
    if snapshot.is_copy:
        return f"this is snapshot {snapshot.number}, published at {moment}"
    return f"snapshot {snapshot.number} was published at {moment}"


def _status_line(row: dict[str, Any]) -> tuple[object, ...]:
    return (
        chain_slug(row["chain_id"]),
        row["protocol"],
        row["from_block"],
        row["to_block"],
        "-" if row["finalized_to"] is None else row["finalized_to"],
        f"{row['missing_blocks']:,} in {row['gaps']}" if row["gaps"] else "none",
        row["proofs"],
        f"{row['rejects']:,}",
        _age(row["newest_block_at"]),
    )


def _age(moment: datetime | None) -> str:
    from indexer.tables import now

    if moment is None:
        return "time not known"
    seconds = (now() - moment).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"

"""`perpscope rewind` and `perpscope redecode`: what needs no node."""

from collections.abc import Mapping
from typing import Annotated

import typer

from indexer.choices import protocols_named
from indexer.cli.given import ledger_of
from indexer.cli.options import ChainName, ConfigFile, Database, ProtocolNames
from indexer.cli.printing import print_table
from indexer.errors import WorldError
from indexer.sync import redecode, rederived, take_back


def rewind(
    *,
    chain: ChainName,
    to_block: Annotated[int, typer.Option(min=0, help="The last block to keep.")],
    protocol: ProtocolNames = None,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Take back everything above a block; the raw logs move to `orphans`."""
    ledger = ledger_of(chain, database, config)
    done = take_back(
        ledger, protocols_named(protocol or (), ledger.chain, ledger.declarations), to_block
    )
    for slug, last in done.covered.items():
        kept = f"is kept to block {last:,}" if last is not None else "is cleared"
        typer.echo(f"{slug} on {ledger.chain.slug} {kept}")
    typer.echo(f"{done.logs:,} logs moved to orphans; `perpscope index` fetches the blocks again")


def redecode_command(
    *,
    chain: ChainName,
    protocol: ProtocolNames = None,
    diff: Annotated[
        bool,
        typer.Option("--diff", help="Change nothing; exit 1 where other rows would be written."),
    ] = False,
    database: Database = None,
    config: ConfigFile = None,
) -> None:
    """Derive facts again from stored logs and answers, without a node."""
    ledger = ledger_of(chain, database, config)
    chosen = protocols_named(protocol or (), ledger.chain, ledger.declarations)
    if diff:
        _compare(ledger.chain.slug, rederived(ledger, chosen))
        return
    written = redecode(ledger, chosen)
    print_table(("table", "rows"), ((name, f"{rows:,}") for name, rows in written.items() if rows))


def _compare(chain: str, differing: Mapping[str, tuple[int, int]]) -> None:
    if not differing:
        typer.echo(f"{chain}: every row is what the stored logs and answers give")
        return
    titles = "table", "rows that do not follow", "rows that are missing"
    print_table(titles, ((name, *map("{:,}".format, each)) for name, each in differing.items()))
    raise WorldError(
        f"tables of {chain} that are not what its stored logs and answers give: {len(differing)}, "
        f"expected none: rows or a declaration were changed since; `perpscope redecode --chain "
        f"{chain}` writes them again"
        + (", and `rewind` and `index` coverage" if "coverage" in differing else "")
    )

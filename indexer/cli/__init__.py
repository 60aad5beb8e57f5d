"""
The indexer's commands, a module for each kind; `app` mounts them.

`watch_command` makes one more of what others bring: it is mounted by whoever knows both packages.
"""

import typer

from indexer.cli.doctoring import doctor
from indexer.cli.drafting import draft_protocol
from indexer.cli.importing import import_command
from indexer.cli.indexing import index_command
from indexer.cli.phasing import phases
from indexer.cli.planning import plan
from indexer.cli.proving import repair_command, verify_command
from indexer.cli.restating import redecode_command, rewind
from indexer.cli.scheduling import schedule
from indexer.cli.showing import protocols, status
from indexer.cli.watching import watch_command
from indexer.simulation.commands import replay

__all__ = ["app", "watch_command"]

app = typer.Typer()
app.command("index")(index_command)
app.command("import")(import_command)
app.command()(plan)
app.command()(phases)
app.command()(status)
app.command()(doctor)
app.command("verify")(verify_command)
app.command("repair")(repair_command)
app.command()(rewind)
app.command("redecode")(redecode_command)
app.command()(protocols)
app.command("new-protocol")(draft_protocol)
app.command()(schedule)
app.command()(replay)

"""The indexer's commands, a module for each kind; `app` mounts them."""

import typer

from indexer.cli.doctoring import doctor
from indexer.cli.indexing import index_command
from indexer.cli.planning import plan
from indexer.cli.proving import repair_command, verify_command
from indexer.cli.restating import redecode_command, rewind
from indexer.cli.showing import protocols, status
from indexer.simulation.commands import replay

app = typer.Typer()
app.command("index")(index_command)
app.command()(plan)
app.command()(status)
app.command()(doctor)
app.command("verify")(verify_command)
app.command("repair")(repair_command)
app.command()(rewind)
app.command("redecode")(redecode_command)
app.command()(protocols)
app.command()(replay)

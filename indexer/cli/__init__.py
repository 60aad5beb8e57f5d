"""
The indexer's commands, a module for each kind.

`COMMANDS` says of each where it is and what it does, so that a list of them loads none of them.
"""

COMMANDS = {
    "index": (
        "indexer.cli.indexing:index_command",
        "Bring the database up to date with a chain, then exit.",
    ),
    "import": (
        "indexer.cli.importing:import_command",
        "Take files of a venue that is no EVM chain into the database, each whole or not at all.",
    ),
    "plan": (
        "indexer.cli.planning:plan",
        "Say how many requests and how long `index` would take; a few ranges are really asked for.",
    ),
    "phases": (
        "indexer.cli.phasing:phases",
        "Ask feeds which aggregators they stood on, where no log tells; keep the answers as a "
        "list.",
    ),
    "status": (
        "indexer.cli.showing:status",
        "Show how complete, how final and how proven what is stored is.",
    ),
    "doctor": (
        "indexer.cli.doctoring:doctor",
        "Ask every endpoint what it can do, and say what is wrong and what it costs.",
    ),
    "verify": (
        "indexer.cli.proving:verify_command",
        "Prove that no stored log is missing or, by receipts, changed or made up; else exit 1.",
    ),
    "repair": (
        "indexer.cli.proving:repair_command",
        "Fetch again what `verify` found wrong, prove it, and put it in place.",
    ),
    "rewind": (
        "indexer.cli.restating:rewind",
        "Take back everything above a block; the raw logs move to `orphans`.",
    ),
    "redecode": (
        "indexer.cli.restating:redecode_command",
        "Derive facts again from stored logs and answers, without a node.",
    ),
    "protocols": (
        "indexer.cli.showing:protocols",
        "List the protocols perpscope knows, and where; or what is covered, and what is not.",
    ),
    "new-protocol": (
        "indexer.cli.drafting:draft_protocol",
        "Write the first draft of a declaration, its ABI and its test into a checkout.",
    ),
    "schedule": (
        "indexer.cli.scheduling:schedule",
        "Print a systemd unit, a timer and a crontab line for each configured chain.",
    ),
    "replay": (
        "indexer.simulation.commands:replay",
        "Serve recorded chains over JSON-RPC on 127.0.0.1 until interrupted.",
    ),
}

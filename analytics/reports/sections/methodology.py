"""How the numbers are made: the methodology of each metric, the questions, the policies."""

from collections.abc import Sequence

from analytics.compute import defaults_of, methodology
from analytics.queries import query_named
from analytics.reports.context import Context
from analytics.reports.parts import Card, Section, Source, table


def policies(context: Context) -> Section:
    """Return the section with each protocol's stated fee splits and buyback rates."""
    order = ["protocol", "kind", "valid_from"]
    stated = context.scope.facts("policies").collect().sort(order)
    shown = stated.rename({"value": "value_ratio"})
    source = Source("policies", "facts", "policies", stated)
    nothing = {"valid_to": "still in force"}
    none = "No fee split or buyback rate is stated by the declarations of these protocols."
    return Section(
        "policies",
        "Policies",
        ("Where events do not say how a fee is split, these statements do.",)
        if stated.height
        else (none,),
        tables=(table("Policies", shown, rows=200, source=source, nothing=nothing),)
        if stated.height
        else (),
        sources=(source,),
    )


def explained(
    cards: Sequence[Card], sections: Sequence[Section]
) -> tuple[tuple[str, str, str], ...]:
    """Return kind, name and explanation of each metric and query a page rests on."""
    asked = {(str(source.kind), source.asked) for part in sections for source in part.sources}
    asked |= {("metric", origin.metric) for card in cards for origin in card.origins}
    return tuple(
        (kind, name, _metric(name) if kind == "metric" else _question(name))
        for kind, name in sorted(asked)
        if kind in ("metric", "query")
    )


def _metric(name: str) -> str:
    settings = ", ".join(f"{each}={value}" for each, value in defaults_of(name).items())
    if not settings:
        return f"{methodology(name)}\n\nSettings: none."
    return (
        f"{methodology(name)}\n\nSettings, where the command under a number names no other: "
        f"{settings}."
    )


def _question(name: str) -> str:
    asked = query_named(name)
    return (
        f"{asked.question}\nReads: {', '.join(asked.reads)}. Rows: {asked.grain}.\n"
        f"Units: {asked.units}."
    )


def tracing(context: Context) -> Section:
    """Return the section that says how to check a number."""
    largest = context.scope.facts("liquidations").select("tx_hash", "notional_usd")
    example = largest.sort("notional_usd", "tx_hash", descending=True, nulls_last=True).head(1)
    found = example.collect()["tx_hash"].to_list() or ["0x…"]
    return Section(
        "tracing",
        "How to trace a number",
        (
            "Every row of a fact carries the transaction and log it was decoded from. The largest "
            "items above show their transaction; open it in an explorer of its chain, or list "
            "everything perpscope read from it: `perpscope query transaction_facts "
            f"--param tx_hash={found[0]}`",
            "The command under a number, chart or table gives its rows again. `perpscope trace "
            "METRIC --where column=value` lists the facts and transactions that a row of a metric "
            "rests on, and computes it from these alone to show that they are all; the one under "
            "a table is of its first row, the one under a chart of the first in its file. With "
            "`--together` it is of all rows that fit, and adds them up: so it is where a number "
            "here is made of several. A command takes this report's protocol, chain and time, but "
            "no beginning where a number looks back beyond it, and `--cut-windows` where a metric "
            "does that and the number here does not; a question takes its own parameters. What "
            "else the report is limited to, it is limited to alone.",
            "The rows behind each section are in csv/, json/ and parquet/, with every digit. "
            "manifest.json names, for each file, the metric or query, its settings and the SHA-256 "
            "digest of its rows, the digests of the input, and the versions used; "
            "transactions.parquet lists every transaction. `perpscope replay-report FOLDER` makes "
            "the report again from any database that covers these blocks, and compares each byte.",
        ),
    )

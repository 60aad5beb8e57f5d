"""What the numbers rest on: where the data is from, what is covered, what is missing."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl

from analytics.reports.availability import availability, older_sentence, reached
from analytics.reports.chain_names import chain_name
from analytics.reports.context import Context
from analytics.reports.demands import TESTED_IN_FULL, breach_sentence, stray_sentence
from analytics.reports.numerals import counted, moment
from analytics.reports.parts import Section, Source, Table, table
from analytics.reports.times import SLACK, covered_times

_KEYS = ["chain_id", "protocol"]
_FILE = ["chain_id", "protocol", "file", "kind", "entries_read", "entries_used", "rejects"]
_FILE += ["from_at", "to_at"]
_EVIDENCE = {
    "event": "told by an event",
    "state": "read from state",
    "derived": "derived from others",
    "offchain": "from off the chain",
    "assumed": "assumed: a par value, a policy or a setting",
}
_LISTED: tuple[tuple[str, str, list[str]], ...] = (
    ("Imported files", "imports", _FILE),
    ("What must hold of the facts", "identities", []),
    ("What each source has told", "availability", []),
    ("Accounts that have a name, and who says so", "named_accounts", []),
    ("Gaps between covered blocks", "coverage_gaps", []),
    ("Stored blocks that were found wrong", "failed_audits", []),
    ("Logs that could not become facts", "rejects_by_reason", []),
    (
        "Contracts that were given other code: does the declaration know what they log since?",
        "upgrades",
        [
            *("chain_id", "protocol", "contract", "release", "implementation", "block_timestamp"),
            *("logs_before_count", "logs_after_count", "silent_events_count"),
            *("begun_events_count", "tx_hash"),
        ],
    ),
)
# Where null is known: nothing was left untested, and of no row there is no last one.
_NOTHING = {
    "identities": {"reason": TESTED_IN_FULL},
    "availability": {"last_at": "none"},
    "upgrades": {"release": "not told", "implementation": "not told"},
}


def covered(context: Context) -> Section:
    """Return the section about coverage, gaps, finality, proof and rejects."""
    sources = _sources(context)
    return Section(
        "covered",
        "What the numbers rest on",
        (
            "A block is covered when every log of the protocol's declared contracts and events "
            "in it was fetched and stored. Proof says how far that is checked: fetched = the node "
            "answered for it; bloom = the block's header, recomputed, or else its receipts exclude "
            "every declared event that is not stored; receipts = every stored log, too, is in "
            "receipts that recompute to the header's root; waived = the chain cannot be checked, "
            "for the reason beside it. Finality is as of the moment of fetching.",
        ),
        tables=_tables(context, {source.name: source for source in sources}),
        sources=sources,
    )


def _sources(context: Context) -> tuple[Source, ...]:
    proof = context.scope.query("coverage_proof")
    gaps = context.scope.query("coverage_gaps")
    failed = context.scope.query("failed_audits")
    evidence = context.scope.query("evidence_mix")
    named = context.scope.query("named_accounts")
    return (
        Source("coverage", "facts", "coverage", context.coverage),
        Source("coverage_proof", "query", "coverage_proof", proof),
        Source("coverage_gaps", "query", "coverage_gaps", gaps),
        Source("failed_audits", "query", "failed_audits", failed),
        Source("evidence_mix", "query", "evidence_mix", evidence),
        Source("named_accounts", "query", "named_accounts", named),
        Source("imports", "facts", "imports", context.imports),
        Source("upgrades", "query", "upgrades", _replaced(context)),
        Source("rejects_by_reason", "query", "rejects_by_reason", context.rejects),
        Source("availability", "query", "availability", availability(context.scope)),
        Source("identities", "check", "identities", context.scope.assessed[1]),
    )


def warnings(context: Context) -> tuple[str, ...]:
    """Return what a reader must know before trusting a number, in sentences."""
    return tuple(
        sentence
        for sentence in (
            ""
            if context.kinds
            else "Nothing of what was asked for is covered: no number is known.",
            breach_sentence(context.scope),
            stray_sentence(context.scope),
            _recorded_sentence(context),
            *_imported_sentences(context.imports),
            *_gap_sentences(context.scope.query("coverage_gaps")),
            _reject_sentence(context.rejects),
            older_sentence(context.scope),
            *_silence_sentences(_replaced(context)),
            *_failure_sentences(availability(context.scope)),
            *_limit_sentences(context),
            _finality_sentence(context.coverage),
            _proof_sentence(context.coverage),
            _audit_sentence(context),
        )
        if sentence
    )


def _tables(context: Context, sources: Mapping[str, Source]) -> tuple[Table, ...]:
    shown = [_blocks(context, sources["coverage_proof"]), *_evidence(sources["evidence_mix"])]
    for caption, name, columns in _LISTED:
        source = sources[name]
        if source.frame.height:
            nothing = _NOTHING.get(name)
            shown.append(
                table(caption, source.frame, columns, rows=100, source=source, nothing=nothing)
            )
    return tuple(shown)


def _evidence(source: Source) -> tuple[Table, ...]:
    if source.frame.is_empty():
        return ()
    kinds = [
        pl.col("row_count").filter(pl.col("evidence") == kind).sum().alias(f"{kind}_count")
        for kind in _EVIDENCE
    ]
    mix = source.frame.group_by("protocol").agg(pl.col("row_count").sum(), *kinds)
    headers = {f"{kind}_count": words for kind, words in _EVIDENCE.items()}
    caption = "What each row rests on"
    return (
        table(caption, mix.sort("protocol"), headers=headers, source=source, keys=("protocol",)),
    )


def _blocks(context: Context, source: Source) -> Table:
    kinds = pl.DataFrame(
        {"chain_id": list(context.kinds), "data": list(context.kinds.values())},
        {"chain_id": pl.Int64, "data": pl.String},
    )
    rejected = context.rejects.group_by(_KEYS).agg(pl.col("reject_count").sum())
    shown = (
        source.frame.join(kinds, on="chain_id", how="left", maintain_order="left")
        .join(covered_times(context.scope), on=_KEYS, how="left", maintain_order="left")
        .join(rejected, on=_KEYS, how="left", maintain_order="left")
        .with_columns(pl.col("reject_count").fill_null(0))
    )
    columns = ["chain_id", "data", "protocol", "from_block", "to_block", "blocks", "first_at"]
    columns += ["last_at", "proof", "finality", "reject_count"]
    columns += ["waiver"] if source.frame["waiver"].count() else []
    headers = {
        "first_at": "first block at, UTC",
        "last_at": "last block at, UTC",
        "waiver": "not proven further because",
    }
    return table("Covered blocks", shown, columns, rows=200, headers=headers, source=source)


def _recorded_sentence(context: Context) -> str:
    replayed = [chain_name(chain) for chain, kind in context.kinds.items() if "recorded" in kind]
    if not replayed:
        return ""
    return (
        f"Recorded: {', '.join(replayed)} were replayed from captured logs. What nobody captured "
        "looks empty, so coverage, totals and zeros speak of the recording, not of the chain."
    )


def _imported_sentences(imports: pl.DataFrame) -> list[str]:
    spans = imports.group_by(_KEYS).agg(
        pl.len().alias("files"), pl.col("from_at").min(), pl.col("to_at").max()
    )
    return [
        f"Imported: {protocol} on {chain_name(chain)} rests on {counted(files, 'file')} that the "
        f"user brought{_between(first, last)}. Nothing proves that they are complete: totals are "
        "lower bounds, and a zero is none."
        for chain, protocol, files, first, last in spans.sort(_KEYS).iter_rows()
    ]


def _between(first: datetime | None, last: datetime | None) -> str:
    return "" if first is None or last is None else f", from {moment(first)} to {moment(last)}"


def _gap_sentences(gaps: pl.DataFrame) -> list[str]:
    sums = gaps.group_by(_KEYS).agg(pl.len().alias("gaps"), pl.col("gap_blocks").sum())
    return [
        f"Gaps: {counted(blocks, 'block')} of {protocol} on {chain_name(chain)} between the first "
        f"and the last covered one not indexed ({counted(count, 'gap')}). "
        "Its totals are lower bounds."
        for chain, protocol, count, blocks in sums.sort(_KEYS).iter_rows()
    ]


def _reject_sentence(rejects: pl.DataFrame) -> str:
    count = int(rejects["reject_count"].sum())
    if not count:
        return ""
    return (
        f"Rejects: {counted(count, 'log')} matched a declaration and could not become facts "
        f"({counted(rejects['reason'].n_unique(), 'reason')}, listed below). Totals lack them."
    )


def _replaced(context: Context) -> pl.DataFrame:
    # The code that a contract began with replaced none.
    return context.scope.query("upgrades").filter(pl.col("logs_before_count") > 0)


def _silence_sentences(upgrades: pl.DataFrame) -> list[str]:
    silent = upgrades.filter(pl.col("silent_events_count") > 0)
    counts = silent.group_by(_KEYS).agg(pl.col("contract").n_unique()).sort(_KEYS)
    return [
        f"Silent: {counted(count, 'contract')} of {protocol} on {chain_name(chain)} stopped "
        "logging some of its events when it was given other code. What is told instead under a "
        "signature that no declaration names is not read, and totals lack it."
        for chain, protocol, count in counts.iter_rows()
    ]


def _failure_sentences(states: pl.DataFrame) -> list[str]:
    failed = states.filter(pl.col("state") == "source_error")
    facts = failed.group_by(_KEYS).agg(pl.col("fact").sort()).sort(_KEYS)
    return [
        f"Failed: {', '.join(names)} of {protocol} on {chain_name(chain)} could not be read: the "
        "contract refused when it was asked last, or what it logged became no fact. Totals lack "
        "that, and a zero of it is none."
        for chain, protocol, names in facts.iter_rows()
    ]


def _limit_sentences(context: Context) -> list[str]:
    limits = context.scope.limits
    missed = reached(context.scope).filter(~pl.col("is_reached"))
    spans = context.scope.spans.join(missed, on=_KEYS, how="anti")
    ends = spans.group_by(_KEYS).agg(pl.col("from_at").min(), pl.col("to_at").max()).sort(_KEYS)
    first, last = ends.select(pl.col("from_at").min(), pl.col("to_at").max()).row(0)
    is_early = limits.since is not None and first is not None and limits.since < first
    is_late = limits.until is not None and last is not None and limits.until > last
    begins_late = pl.col("from_at") > pl.lit(limits.since, pl.Datetime("us")) + SLACK
    ends_early = pl.col("to_at") < pl.lit(limits.until, pl.Datetime("us")) - SLACK
    partly = [
        *([] if is_early else ends.filter(begins_late).select(_KEYS).rows()),
        *([] if is_late else ends.filter(ends_early).select(_KEYS).rows()),
    ]
    outside, in_part = _named(missed.select(_KEYS).rows()), _named(dict.fromkeys(partly))
    told = (
        (outside, f"Outside: of {outside} nothing that is covered is of the time asked for."),
        (
            in_part,
            f"In part: of {in_part} only a part of the time asked for is covered, as far as is "
            "known. Totals lack the rest.",
        ),
        (is_early, "The time asked for begins before the first covered block."),
        (is_late, "The time asked for ends after the last covered block."),
    )
    return [sentence for is_said, sentence in told if is_said]


def _named(sources: Iterable[tuple[int, str]]) -> str:
    return ", ".join(f"{protocol} on {chain_name(chain)}" for chain, protocol in sources)


def _finality_sentence(coverage: pl.DataFrame) -> str:
    loose = coverage.filter(pl.col("finality") != "finalized")
    if loose.is_empty():
        return ""
    chains = ", ".join(chain_name(each) for each in loose["chain_id"].unique().sort())
    return (
        f"Finality: some blocks of {chains} were not final when they were fetched; "
        "a reorganisation may still change them."
    )


def _proof_sentence(coverage: pl.DataFrame) -> str:
    unproven = coverage.filter(pl.col("proof").is_in(["fetched", "waived"]))
    if unproven.is_empty():
        return ""
    share = "No covered range is" if unproven.height == coverage.height else "Not every range is"
    waived = unproven.filter(pl.col("proof") == "waived")["waiver"].drop_nulls().unique().sort()
    reasons = f" Waived: {'; '.join(waived)}." if len(waived) else ""
    return f"Proof: {share} proven complete beyond what the node answered.{reasons}"


def _audit_sentence(context: Context) -> str:
    failed = context.scope.query("failed_audits")
    if failed.is_empty():
        return ""
    return (
        f"Audits: {counted(failed.height, 'range')} of stored blocks found wrong and not yet "
        "repaired."
    )

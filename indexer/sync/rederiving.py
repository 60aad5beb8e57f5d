"""Facts again from stored logs, and blocks taken back by hand: no node is asked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import polars as pl

from indexer.chains import Chain
from indexer.errors import UserError
from indexer.facts import Known, facts, merged, owned
from indexer.facts.reads import read_facts
from indexer.spec import Protocol
from indexer.store import (
    FIGURES,
    Reading,
    Rederived,
    Rewound,
    Stored,
    promised_of,
    rederive,
    rewind,
)
from indexer.sync.declarations import has_same_reach, is_unchanged, label, stated
from indexer.sync.reorgs import Ledger
from indexer.tables import empty

_RATIO_PLACES = 12


def redecode(ledger: Ledger, protocols: Sequence[Protocol]) -> dict[str, int]:
    """
    Derive facts of some protocols again from stored logs and reads, under today's declarations.

    Returns:
        Rows written, by table.

    Raises:
        UserError: nothing of these protocols is stored, or a declaration asks for other logs now.
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: the database cannot be written; it is as before.
    """
    return _again(ledger, protocols, keep=True).written


def rederived(ledger: Ledger, protocols: Sequence[Protocol]) -> dict[str, tuple[int, int]]:
    """
    Compare what is stored of some protocols with what `redecode` would write; it is only read.

    Returns:
        Table -> how many of its rows are not what is derived, and how many that are derived are
        not there; of tables in which there are any. Rows of `coverage` do not follow whose digest
        is not that of the stored logs, or that begin within another of their protocol.

    Raises:
        UserError: nothing of these protocols is stored, or a declaration asks for other logs now.
        DatabaseBusy: another process wrote to the database all the time.
        DatabaseUnusable: the database cannot be read.
    """
    return _again(ledger, protocols, keep=False, is_compared=True).differing


def restate(
    ledger: Ledger,
    protocols: Sequence[Protocol],
    *,
    keep: bool,
    published: pl.DataFrame | None = None,
    policies: pl.DataFrame | None = None,
    within: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """
    Return the days whose income reads otherwise under today's declarations and their policies.

    Args:
        ledger: the chain's part of the database.
        protocols: whose income.
        keep: whether the facts become those of today, as `redecode` makes them; else the file is
            only read.
        published: days that are compared instead of those of the database: chain_id, protocol, date
            and FIGURES but what policies declare. Days it does not have are left out.
        policies: rows of `policies` that were published with them.
        within: the blocks and times whose fees count: chain_id, protocol, from_block, to_block
            (Int64), since, until (Datetime, null is open), all included. All fees without it.

    Returns:
        One row per chain, protocol, UTC day and figure that changes, sorted: before, after and
        change (Decimal; dollars, or a ratio to twelve places; null where it is not known). Policies
        are of a protocol on all its chains: what they promise elsewhere changes with them.

    Raises:
        UserError: nothing of these protocols is stored, or a declaration asks for other logs now.
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: the database cannot be written; it is as before.
    """
    done = _again(ledger, protocols, keep=keep, within=within)
    if published is None:
        return differences(done.before, done.after)
    slugs = [protocol.slug for protocol in protocols]
    told = published.filter(pl.col("protocol").is_in(slugs))
    before = promised_of(told, empty("policies") if policies is None else policies)
    return differences(
        before, done.after.join(before, on=["chain_id", "protocol", "date"], how="semi")
    )


def differences(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """Return the figures by day that differ, of those that both sides have; see `restate`."""
    told = [name for name in FIGURES if name in before.columns]
    exact = [
        pl.col(name).round(_RATIO_PLACES).cast(pl.Decimal(38, 18))
        if name.endswith("_ratio")
        else pl.col(name)
        for name in told
    ]
    keys = ["chain_id", "protocol", "date"]
    old, late = (
        side.select(*keys, *exact).unpivot(
            told, index=keys, variable_name="figure", value_name=name
        )
        for side, name in ((before, "before"), (after, "after"))
    )
    return (
        old.join(late, on=[*keys, "figure"], how="full", coalesce=True)
        .filter(pl.col("before").ne_missing(pl.col("after")))
        .with_columns(change=pl.col("after") - pl.col("before"))
        .sort(*keys, pl.col("figure").cast(pl.Enum(FIGURES)))
    )


def _again(
    ledger: Ledger,
    protocols: Sequence[Protocol],
    *,
    keep: bool,
    within: pl.DataFrame | None = None,
    is_compared: bool = False,
) -> Rederived:
    ledger.stored()  # what nothing declares is refused before anything waits to write

    def read(stored: Stored) -> Reading:
        chosen = stored_among(protocols, ledger.chain, stored)
        for protocol in chosen:
            _check_reach(protocol, ledger.chain, stored.coverage)
        known = ledger.known(_without_markets(stored, chosen))
        derived = _Deriving(ledger.chain, chosen, known)
        gone = stored.tokens.join(known.tokens, on="address", how="anti")
        return Reading(
            {protocol.slug: label(protocol, ledger.chain) for protocol in chosen},
            stated(chosen, ledger.chain),
            gone["address"].to_list(),
            derived.rows,
            derived.read_rows,
            {protocol.slug: derived.owned(protocol) for protocol in chosen},
        )

    place = ledger.path, ledger.chain.chain_id
    return rederive(*place, read, keep=keep, within=within, is_compared=is_compared)


def _check_reach(protocol: Protocol, chain: Chain, coverage: pl.DataFrame) -> None:
    if not has_same_reach(protocol, chain, coverage):
        raise UserError(
            f"{protocol.slug} reads other logs of {chain.slug} now than were stored, so its facts "
            f"cannot be derived from them: `perpscope index --chain {chain.slug} --protocol "
            f"{protocol.slug}` fetches what is new to it"
        )


def _without_markets(stored: Stored, protocols: Sequence[Protocol]) -> Stored:
    slugs = [protocol.slug for protocol in protocols]
    return replace(stored, markets=stored.markets.filter(~pl.col("protocol").is_in(slugs)))


class _Deriving:
    def __init__(self, chain: Chain, protocols: Sequence[Protocol], known: Known) -> None:
        self._chain, self._known = chain, known
        self._protocols = {protocol.slug: protocol for protocol in protocols}

    def owned(self, protocol: Protocol) -> Callable[[pl.DataFrame], Mapping[str, pl.Series]]:
        """Return the function that says which of some logs are a protocol's."""
        return lambda logs: owned([protocol], self._chain, logs, self._known)

    def rows(
        self, slug: str, logs: pl.DataFrame, headers: pl.DataFrame
    ) -> Mapping[str, pl.DataFrame]:
        """Return the rows of one protocol, and remember the markets among them."""
        protocol = self._protocols[slug]
        logs = logs.drop("chain_id")
        logs = logs.filter(self.owned(protocol)(logs)[slug])
        found = facts([protocol], self._chain, logs, headers, self._known)
        learned = Known(empty("tokens"), found.markets, empty("contracts"))
        self._known = merged(self._known, learned)
        return {**found.tables, "rejects": found.rejects, "markets": found.markets}

    def read_rows(self, slug: str, reads: pl.DataFrame) -> Mapping[str, pl.DataFrame]:
        """Return the rows that one protocol's answers make."""
        found = read_facts([self._protocols[slug]], self._chain, reads, self._known)
        return {**found.tables, "rejects": found.rejects}


def take_back(ledger: Ledger, protocols: Sequence[Protocol], to_block: int) -> Rewound:
    """
    Take back everything of some protocols above a block.

    What was indexed under another declaration than today's goes whole: it could not be added to.

    Raises:
        UserError: nothing of these protocols is stored.
        DatabaseBusy: another process held the database all the time.
        DatabaseUnusable: the database cannot be written; it is as before.
    """
    stored = ledger.stored()
    cuts = {
        protocol.slug: _cut(protocol, ledger.chain, stored.coverage, to_block)
        for protocol in stored_among(protocols, ledger.chain, stored)
    }
    reason = f"rewound to block {to_block} by hand"
    return rewind(ledger.path, ledger.chain.chain_id, cuts, reason, ledger.owned)


def _cut(protocol: Protocol, chain: Chain, coverage: pl.DataFrame, to_block: int) -> int:
    return to_block if is_unchanged(protocol, chain, coverage) else -1


def stored_among(
    protocols: Sequence[Protocol], chain: Chain, stored: Stored
) -> tuple[Protocol, ...]:
    """
    Return the protocols that have coverage on the chain.

    Raises:
        UserError: none of them has.
    """
    slugs = set(stored.coverage["protocol"])
    found = tuple(protocol for protocol in protocols if protocol.slug in slugs)
    if not found:
        few = ", ".join(item.slug for item in protocols[:4])
        whose = few if len(protocols) < 4 else f"{len(protocols)} protocols"
        raise UserError(
            f"nothing of {whose} on {chain.slug} is stored: "
            "expected blocks that were indexed; run `perpscope index` first"
        )
    return found

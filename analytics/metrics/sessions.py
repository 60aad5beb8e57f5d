"""Forced exits of all protocols together: which were of one cascade, and who had which part."""

from collections.abc import Mapping

import polars as pl

from analytics.clusters import clustered
from analytics.expressions import (
    account_count,
    check,
    distinct_count,
    known_total,
    ratio,
    row_count,
    seconds_between,
    unknown_count,
)
from analytics.worth import EVENT, valued

_TEXTS = ("market", "account", "token")
_DOLLARS = pl.Decimal(38, 18)
_IS_EXIT = pl.col("kind") != "bad_debt"
_GAPS_SECONDS = (5, 12, 30, 60, 300, 900)


def forced_closes(  # noqa: PLR0917 -- one parameter per input
    liquidations: pl.LazyFrame,
    adls: pl.LazyFrame,
    credit_events: pl.LazyFrame,
    shortfalls: pl.LazyFrame,
    tokens: pl.LazyFrame,
    oracle_updates: pl.LazyFrame,
    *,
    tolerance_seconds: int = 90_000,
    par_symbols: str = "-",
) -> pl.LazyFrame:
    """
    What was closed by force, whatever protocol did it, and the bad debt beside it: one schema.

    Liquidations of positions, whole or partial, ADLs, and liquidations of loans, whose notional is
    the debt repaid. Each event is of one kind: an ADL is no liquidation, and collateral that an
    event of its own seizes is no second one. A default is a decision, not a sale. Bad debt is what
    an exit left, no exit, though one log may tell both; what a liquidation itself tells of it is in
    `liquidations`, and may be the same loss. What is told in tokens is valued as
    `income_valuations` does.

    Formula:
        notional_usd, bad_debt_usd = as told, else amount_tokens * price_usd, exact, then rounded
        half to even at 1e-18

    Args:
        liquidations: one row per liquidated position: notional_usd (USD, one-sided).
        adls: one row per position cut: notional_usd (USD, closed).
        credit_events: one row per event, liquidations used: principal_tokens of asset_token.
        shortfalls: one row per event, bad debt used: shortfall_usd, else shortfall_tokens of
            asset_token.
        tokens: symbol of a token, and how it is known: what a contract calls itself may be a lie.
        oracle_updates: one row per update: asset, quote, chain_id, protocol, feed,
            oracle_price_quote, block_timestamp, evidence.
        tolerance_seconds: how old a price may be and still count, inclusive.
        par_symbols: symbols worth a dollar where no price is near enough, in any case, with commas
            between them; - for none.

    Returns:
        One row per event, sorted by time: block_timestamp, kind (liquidation, adl,
        lending_liquidation, bad_debt), the event, market (of a loan its pool), account (null where
        none is told), notional_usd (Decimal, USD; zero of bad debt), bad_debt_usd (Decimal, USD;
        zero of all else); null while no price is known.

    Raises:
        ValueError: tolerance_seconds is negative or longer than a century.

    Source:
        Liquidation, partial liquidation, ADL, lending liquidation and bad debt as one schema: no
        vendor's has ADLs.
    """
    seized = credit_events.filter(pl.col("kind") == "liquidation")
    debt = shortfalls.filter(pl.col("kind") == "bad_debt")
    of_loan = {"market": "pool", "token": "asset_token", "amount_tokens": "principal_tokens"}
    lost = {"usd": "shortfall_usd", "token": "asset_token", "amount_tokens": "shortfall_tokens"}
    closes = pl.concat(
        [
            _closes(liquidations, "liquidation", {"usd": "notional_usd"}),
            _closes(adls, "adl", {"usd": "notional_usd"}),
            _closes(seized, "lending_liquidation", of_loan),
            _closes(debt, "bad_debt", lost),
        ]
    )
    key = ("kind", *EVENT)
    is_asked = pl.col("usd").is_null() & pl.col("amount_tokens").is_not_null()
    asked = closes.filter(is_asked).select(*key, "block_timestamp", "token", "amount_tokens")
    worth = valued(asked, tokens, oracle_updates, tolerance_seconds, par_symbols, by=key)
    amount = pl.coalesce("usd", "value_usd")
    return (
        closes.join(worth.select(*key, "value_usd"), on=key, how="left")
        .select(
            *("block_timestamp", *key, "market", "account"),
            # Bad debt closes nothing, and an exit is no event of bad debt: zero is measured.
            notional_usd=pl.when(_IS_EXIT).then(amount).otherwise(0),
            bad_debt_usd=pl.when(~_IS_EXIT).then(amount).otherwise(0),
        )
        .sort("block_timestamp", *key)
    )


def cascade_sessions(forced_closes: pl.LazyFrame, *, gap_seconds: int = 60) -> pl.LazyFrame:
    """
    Cascades through all protocols: forced exits that no silence longer than the gap parts.

    Over protocols, chains and kinds together, where a wave is of one protocol and kind. The gap is
    a minute by default: five blocks of Ethereum, since on a chain whose blocks are 12 s apart a
    silence of 5 s says nothing. `session_sensitivity` tells what other gaps would say. Every
    session has its rows, also one of a single exit. Bad debt neither begins nor lengthens a
    session: it is of the one during which it was told, both ends included, or of none. An address
    is an account of each chain.

    Formula:
        a session begins where block_timestamp - that of the exit before > gap_seconds
        lag_seconds = first_at - the first exit of the session
        notional_share = Σ notional_usd / Σ notional_usd of the session

    Args:
        forced_closes: the metric: one row per exit or bad debt: kind, notional_usd, bad_debt_usd
            (USD).
        tolerance_seconds: of it.
        par_symbols: of it.
        gap_seconds: the longest silence within a session, inclusive.

    Returns:
        One row per session, protocol and kind, sorted by session and first moment: session (Int64,
        from 1), first_at, last_at, event_count, account_count (Int64, null where none is told),
        unknown_count (Int64, events without dollars), notional_usd, bad_debt_usd (Decimal, USD,
        sums of what is known, null when nothing is; zero of the other kinds), protocol_count
        (Int64, with an exit in the session), lag_seconds, session_seconds (Float64, from its first
        exit to its last), notional_share (Float64; null while a notional of it is unknown).

    Raises:
        ValueError: gap_seconds is below 1 or longer than a century.

    Source:
        The rule of waves (a gap, over all coins), with protocols and chains taken together.
    """
    check("gap_seconds", gap_seconds, least=1)
    exits = _in_sessions(forced_closes, gap_seconds)
    spans = _spans(exits)
    told = pl.concat([exits, _during(forced_closes.filter(~_IS_EXIT), spans)])
    is_whole = pl.col("unknown_notional_count") == 0
    share = ratio(pl.col("notional_usd"), pl.col("session_usd"))
    return (
        _summed(told)
        .join(spans, on="session")
        .select(
            *("session", "protocol", "kind", "first_at", "last_at", "event_count"),
            *("account_count", "unknown_count", "notional_usd", "bad_debt_usd", "protocol_count"),
            seconds_between("began_at", "first_at").alias("lag_seconds"),
            "session_seconds",
            pl.when(is_whole).then(share).alias("notional_share"),
        )
        .sort("session", "first_at", "protocol", "kind")
    )


def session_sensitivity(forced_closes: pl.LazyFrame) -> pl.LazyFrame:
    """
    How many sessions there are, of how many protocols and how large, by the silence that ends one.

    Nobody announces a cascade: where one ends is a rule of whoever counts. What is said of sessions
    of a minute holds as far as the rows beside it say the same.

    Formula:
        `cascade_sessions` with gaps of 5, 12, 30, 60, 300 and 900 seconds

    Args:
        forced_closes: the metric: one row per exit: notional_usd (USD); bad debt is not used.
        tolerance_seconds: of it.
        par_symbols: of it.

    Returns:
        One row per gap, sorted; none without an exit: gap_seconds, event_count, session_count,
        single_count (sessions of one exit), shared_count (sessions of several protocols),
        most_protocol_count (protocols of the session with most of them; all Int64), longest_seconds
        (Float64, of the longest session), largest_share (Float64, of all notional in the largest
        session; null while a notional is unknown).

    Source:
        As `wave_sensitivity`: of one rule of 5 s a study told 16 waves and its rows give 36.
    """
    counted = [_counted(forced_closes, seconds) for seconds in _GAPS_SECONDS]
    return pl.concat(counted).sort("gap_seconds")


def _closes(events: pl.LazyFrame, kind: str, names: Mapping[str, str]) -> pl.LazyFrame:
    unknown = pl.lit(None, dtype=_DOLLARS)
    amounts = [
        (pl.col(names[name]) if name in names else unknown).alias(name)
        for name in ("usd", "amount_tokens")
    ]
    named = {"market": "market", "account": "account", **names}
    texts = [
        (pl.col(named[name]) if name in named else pl.lit(None)).cast(pl.String).alias(name)
        for name in _TEXTS
    ]
    return events.select(pl.lit(kind).alias("kind"), *EVENT, "block_timestamp", *texts, *amounts)


def _in_sessions(closes: pl.LazyFrame, gap_seconds: int) -> pl.LazyFrame:
    exits = closes.filter(_IS_EXIT)
    found = clustered(exits, gap_seconds * 1_000, time="block_timestamp")
    return found.rename({"cluster": "session"})


def _spans(exits: pl.LazyFrame) -> pl.LazyFrame:
    """Return one row per session: its ends, its length, its protocols and its notional."""
    moment = pl.col("block_timestamp")
    return (
        exits.group_by("session")
        .agg(
            began_at=moment.min(),
            ended_at=moment.max(),
            exit_count=row_count(),
            protocol_count=distinct_count("protocol"),
            unknown_notional_count=unknown_count("notional_usd"),
            session_usd=known_total(pl.col("notional_usd")),
        )
        .with_columns(session_seconds=seconds_between("began_at", "ended_at"))
    )


def _during(debt: pl.LazyFrame, spans: pl.LazyFrame) -> pl.LazyFrame:
    ends = spans.select("session", "began_at", "ended_at").sort("began_at")
    return (
        debt.sort("block_timestamp")
        .join_asof(ends, left_on="block_timestamp", right_on="began_at")
        .filter(pl.col("block_timestamp") <= pl.col("ended_at"))
        .drop("began_at", "ended_at")
    )


def _summed(told: pl.LazyFrame) -> pl.LazyFrame:
    moment, amount = pl.col("block_timestamp"), pl.col("notional_usd") + pl.col("bad_debt_usd")
    return told.group_by("session", "protocol", "kind").agg(
        moment.min().alias("first_at"),
        moment.max().alias("last_at"),
        row_count().alias("event_count"),
        account_count().alias("account_count"),
        amount.null_count().cast(pl.Int64).alias("unknown_count"),
        *(known_total(pl.col(name)).alias(name) for name in ("notional_usd", "bad_debt_usd")),
    )


def _counted(closes: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    notional, is_whole = pl.col("session_usd"), pl.col("unknown_notional_count").sum() == 0
    share = ratio(notional.max(), notional.sum())
    return (
        _spans(_in_sessions(closes, seconds))
        .with_columns(gap_seconds=pl.lit(seconds, pl.Int64))
        .group_by("gap_seconds")
        .agg(
            event_count=pl.col("exit_count").sum(),
            session_count=row_count(),
            single_count=(pl.col("exit_count") == 1).sum().cast(pl.Int64),
            shared_count=(pl.col("protocol_count") > 1).sum().cast(pl.Int64),
            most_protocol_count=pl.col("protocol_count").max(),
            longest_seconds=pl.col("session_seconds").max(),
            largest_share=pl.when(is_whole).then(share),
        )
    )

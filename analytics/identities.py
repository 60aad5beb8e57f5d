"""
What must hold of the facts themselves, whoever computes from them.

    fee_split           fee = supply side + treasury + holders, in every row that knows all four
    buyback_burn        no purchase burns more than it bought
    open_interest_usd   open interest = what it was + what changed, event by event, on each side
    open_interest_tokens    the same in base units
    position_tokens     a position = what it was + what changed, from one event of it to the next
    balance_tokens      what who buys for a protocol holds = what it held + what it bought or gave
    imported_position   a position of a venue that is no chain, from one moment to the next
    imported_balance    such a balance there: tokens that came or went otherwise are a breach
    pool_supply         shares = what there were + minted - burned, from one reading to the next

Each says of every row that could be compared whether it holds, and of the others why not: a part
is not known, the row begins its series, not all that happened in between is there (a gap in
coverage, a reject, a recording, the end of an imported file), or the protocol makes or destroys
shares that no flow tells. A breach is therefore never a gap: it is a fact that is wrong, or one
that is there twice, or a declaration that reads it wrongly.

There is no tolerance but what the facts themselves state. Dollars of 30 places are cut after the
eighteenth, so an open interest may differ from the sum of its parts by 1e-18 for each part that was
cut. What HyperCore did within a millisecond has no order.
"""

from collections.abc import Iterator

import polars as pl

from analytics.compute import Load
from analytics.expressions import EVENT_ORDER, INTO_POOL, OUT_OF_POOL
from analytics.texts import coded, spelled

_VENUE = ("chain_id", "protocol")
_PLACE = ("block_number", "log_index", "item_index", "tx_hash", "block_timestamp")
_COLUMNS = (
    *("identity", *_VENUE, "version", "subject", *_PLACE),
    *("expected", "found", "is_held", "reason"),
)
_UNKNOWN = "a part is not known"
_FIRST = "the first of its series"
_BETWEEN = "not all that happened in between is there"
_IN_FILES = "the files do not hold what happened in between"
_NO_ORDER = "several events of one moment, whose order is not told"
_NO_FLOW = "not all shares are told by flows: "
_SERIES = ("chain_id", "protocol", "version", "is_long", "collateral_token", "market")
_POSITION = ("account", "position_id", *_SERIES)
_BALANCE = ("chain_id", "protocol", "version", "account", "token")
_POOL = ("chain_id", "protocol", "pool")
_MINTS, _BURNS = (*INTO_POOL, "dividend"), OUT_OF_POOL


def comparisons(load: Load) -> pl.LazyFrame:
    """
    Return every comparison of every identity.

    Args:
        load: returns a table by name.

    Returns:
        One row per identity and fact, in no order: identity, chain_id, protocol, version, subject
        (the market, token or pool), the fact's place and transaction, expected and found (Decimal;
        what burned at most, of buyback_burn), is_held (null where it cannot be told), reason (why
        not; null where it can).
    """
    return pl.concat(each.select(_COLUMNS) for each in _all(load))


def assessed(compared: pl.LazyFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Return what does not hold, and how much was compared.

    Args:
        compared: comparisons, or some of them.

    Returns:
        The comparisons that do not hold, in their order, without is_held and reason; and one row
        per identity, chain, protocol and reason, sorted: row_count, breach_count (Int64); reason is
        null for what was compared.
    """
    is_broken = ~pl.col("is_held")
    order = ("identity", *_VENUE, "subject", *_PLACE[:-1])
    keys = ("identity", *_VENUE, "reason")
    broken = compared.filter(is_broken).drop("is_held", "reason").sort(order)
    counts = compared.group_by(keys).agg(
        row_count=pl.len().cast(pl.Int64), breach_count=is_broken.sum().cast(pl.Int64)
    )
    found = pl.collect_all([broken, counts.sort(keys)], engine="streaming")
    return found[0], found[1]


def _all(load: Load) -> Iterator[pl.LazyFrame]:
    yield _fee_split(load("fees"))
    yield _buyback_burn(load("buybacks"))
    for unit in ("usd", "tokens"):
        level, change = f"open_interest_{unit}", f"open_interest_delta_{unit}"
        known = _told(load("open_interest"), identity=level, level=level, change=change)
        yield _continued(_placed(known, "open_interest", load), _SERIES, is_cut=unit == "usd")
    for table, thing, level, change, series in (
        ("position_changes", "position", "size_tokens", "size_delta_tokens", _POSITION),
        ("balances", "balance", "balance_tokens", "delta_tokens", _BALANCE),
    ):
        told = _told(load(table), identity=f"{thing}_tokens", level=level, change=change)
        on_chain = told.filter(pl.col("chain_id") > 0)
        yield _continued(_placed(on_chain, table, load), series, is_cut=False)
        yield _imported(
            told.filter(pl.col("chain_id") < 0).with_columns(identity=pl.lit(f"imported_{thing}")),
            load("imports"),
            series,
        )
    yield _pool_supply(load)


def _told(facts: pl.LazyFrame, *, identity: str, level: str, change: str) -> pl.LazyFrame:
    """Return the facts that tell how large something is, or how it changed."""
    says = pl.col(level).is_not_null() | pl.col(change).is_not_null()
    return facts.filter(says).with_columns(identity=pl.lit(identity), level=level, change=change)


def _fee_split(fees: pl.LazyFrame) -> pl.LazyFrame:
    parts = pl.col("supply_side_usd") + pl.col("treasury_usd") + pl.col("holders_usd")
    told = fees.with_columns(identity=pl.lit("fee_split"), subject="market", expected=parts)
    return _within_a_row(told, "fee_usd", pl.col("expected") == pl.col("fee_usd"))


def _buyback_burn(buybacks: pl.LazyFrame) -> pl.LazyFrame:
    told = buybacks.with_columns(
        identity=pl.lit("buyback_burn"), subject="bought_token", expected="bought_tokens"
    )
    return _within_a_row(told, "burned_tokens", pl.col("burned_tokens") <= pl.col("expected"))


def _within_a_row(told: pl.LazyFrame, found: str, held: pl.Expr) -> pl.LazyFrame:
    reason = pl.when(held.is_null()).then(pl.lit(_UNKNOWN))
    return told.with_columns(found=found, is_held=held, reason=reason)


def _continued(placed: pl.LazyFrame, series: tuple[str, ...], *, is_cut: bool) -> pl.LazyFrame:
    """Compare each level of a series with the one before and all changes since, itself included."""
    change = pl.col("change")
    told = (
        coded(placed, series)
        .sort(EVENT_ORDER)
        .with_columns(
            moved=change.fill_null(0).cum_sum().over(series),
            parts=change.is_not_null().cum_sum().over(series),
        )
        .filter(pl.col("level").is_not_null())
        .with_columns(
            pl.col("level", "moved", "parts", "stretch").shift(1).over(series).name.prefix("last_"),
            is_first=pl.int_range(pl.len()).over(series) == 0,
        )
    )
    expected = pl.col("last_level") + (pl.col("moved") - pl.col("last_moved"))
    parts = pl.col("parts") - pl.col("last_parts") if is_cut else pl.lit(0)
    levels = spelled(told).with_columns(
        subject=series[-1], expected=expected, found="level", reason=_reason(change.is_null())
    )
    return levels.with_columns(_is_near(parts * 1.0000001e-18))


def _reason(is_unknown: pl.Expr) -> pl.Expr:
    """Return why a row cannot be compared with the one before it in its series; null if it can."""
    is_whole = (pl.col("stretch") == pl.col("last_stretch")).fill_null(value=False)
    return (
        pl.when("is_first")
        .then(pl.lit(_FIRST))
        .when(is_unknown)
        .then(pl.lit(_UNKNOWN))
        .when(~is_whole)
        .then(pl.lit(_BETWEEN))
    )


def _is_near(allowed: pl.Expr) -> pl.Expr:
    is_near = (pl.col("expected") - pl.col("found")).abs().cast(pl.Float64) <= allowed
    return pl.when(pl.col("reason").is_null()).then(is_near).alias("is_held")


def _imported(
    changed: pl.LazyFrame, imports: pl.LazyFrame, series: tuple[str, ...]
) -> pl.LazyFrame:
    """Compare each level at the start of a moment with the end of the moment before."""
    told = _of_moments(changed, series)
    is_ordered = pl.col("is_ordered") & pl.col("last_is_ordered")
    reason = (
        pl.when(pl.col("last_end").is_null())
        .then(pl.lit(_FIRST))
        .when(~is_ordered)
        .then(pl.lit(_NO_ORDER))
        .when(pl.col("is_within").is_null())
        .then(pl.lit(_IN_FILES))
    )
    return (
        told.join(
            _within_a_file(told, imports, series),
            on=[*series, "block_timestamp"],
            how="left",
            nulls_equal=True,
        )
        .with_columns(subject=series[-1], expected="last_end", found="start", reason=reason)
        .with_columns(_is_near(pl.lit(0.0)))
    )


def _of_moments(changed: pl.LazyFrame, series: tuple[str, ...]) -> pl.LazyFrame:
    """Return of each level and moment its start and end, and those of the moment before."""
    after, change = pl.col("level"), pl.col("change")
    before, is_up = after - change, (change >= 0).all()
    return (
        changed.filter(after.is_not_null() & change.is_not_null())
        .sort(EVENT_ORDER)
        .group_by(*series, "block_timestamp", maintain_order=True)
        .agg(
            pl.col("identity", "block_number", "log_index", "item_index", "tx_hash").first(),
            start=pl.when(is_up).then(before.min()).otherwise(before.max()),
            end=pl.when(is_up).then(after.max()).otherwise(after.min()),
            is_ordered=is_up | (change <= 0).all(),
        )
        .sort("block_timestamp")
        .with_columns(
            pl.col("end", "block_timestamp", "is_ordered")
            .shift(1)
            .over(series)
            .name.prefix("last_"),
        )
    )


def _within_a_file(
    told: pl.LazyFrame, imports: pl.LazyFrame, series: tuple[str, ...]
) -> pl.LazyFrame:
    """Return the moments for which a file without a reject holds all since the moment before."""
    # When what a file told was refused, it does not say.
    whole = imports.filter(pl.col("rejects") == 0).rename({"from_at": "last_block_timestamp"})
    # Of the files that begin by a moment one holds all since if the last of them to end does.
    spans = (
        whole.group_by(*_VENUE, "about", "last_block_timestamp")
        .agg(pl.col("to_at").max())
        .drop_nulls("last_block_timestamp")
        .sort("last_block_timestamp")
        .with_columns(pl.col("to_at").cum_max().over(*_VENUE, "about"))
    )
    ways: list[tuple[pl.LazyFrame, tuple[str, ...]]] = [
        (spans.filter(pl.col("about").is_null()).drop("about"), _VENUE),
        *(
            (spans.rename({"about": name}), (*_VENUE, name))
            for name in ("account", "market")
            if name in series
        ),
    ]
    asked = told.sort("last_block_timestamp")
    return pl.concat(
        asked.join_asof(files, on="last_block_timestamp", by=list(by), check_sortedness=False)
        .filter(pl.col("block_timestamp") <= pl.col("to_at"))
        .select(*series, "block_timestamp", is_within=pl.lit(value=True))
        for files, by in ways
    ).unique()


def _pool_supply(load: Load) -> pl.LazyFrame:
    # A reading is of the end of its block; what a price event tells in the middle of one is not.
    read = load("share_prices").filter(
        (pl.col("log_index") < 0) & pl.col("supply_tokens").is_not_null()
    )
    flows = _share_flows(load("pool_flows"))
    told = (
        _placed(read, "pool_flows", load)
        .sort("block_number")
        .join_asof(flows, on="block_number", by=list(_POOL), check_sortedness=False)
        .sort(EVENT_ORDER)
        .with_columns(
            pl.col("supply_tokens", "minted", "unknown", "stretch")
            .shift(1)
            .over(_POOL)
            .name.prefix("last_"),
            is_first=pl.int_range(pl.len()).over(_POOL) == 0,
        )
    )
    is_unknown = pl.col("unknown").fill_null(0) != pl.col("last_unknown").fill_null(0)
    minted = pl.col("minted").fill_null(0) - pl.col("last_minted").fill_null(0)
    says = told.join(load("untold_shares"), on=list(_VENUE), how="left")
    return says.with_columns(
        identity=pl.lit("pool_supply"),
        subject="pool",
        expected=pl.col("last_supply_tokens") + minted,
        found="supply_tokens",
        reason=pl.coalesce(_NO_FLOW + pl.col("reason"), _reason(is_unknown)),
    ).with_columns(_is_near(pl.lit(0.0)))


def _share_flows(flows: pl.LazyFrame) -> pl.LazyFrame:
    """Return, of each pool and block with a flow, the shares minted so far and rows not known."""
    shares, kind = pl.col("share_tokens"), pl.col("kind")
    signed = pl.when(kind.is_in(_MINTS)).then(shares).when(kind.is_in(_BURNS)).then(-shares)
    is_lost = shares.is_null() & kind.is_in([*_MINTS, *_BURNS])
    return (
        flows.group_by(*_POOL, "block_number")
        .agg(minted=signed.sum(), unknown=is_lost.sum())
        .sort("block_number")
        .with_columns(pl.col("minted", "unknown").cum_sum().over(_POOL))
    )


def _placed(facts: pl.LazyFrame, table: str, load: Load) -> pl.LazyFrame:
    """
    Return facts with `stretch`: equal for two of them only if all that happened between is there.

    Null where nothing is known to be complete: in blocks outside coverage, on chains that were
    replayed from a recording, and of a log that left a reject meant for the table as well. Such a
    reject ends one stretch and begins another, in the midst of a block too.
    """
    recorded = load("origins").filter(pl.col("kind") == "recorded").select("chain_id").unique()
    spans = _stretches(load("coverage")).join(recorded, on="chain_id", how="anti")
    is_meant = pl.col("fact").is_null() | (pl.col("fact") == table)
    rejected = (
        load("rejects")
        .filter(is_meant)
        .group_by(*_VENUE, at=_log())
        .agg(pl.len().alias("lost"))
        .sort("at")
        .with_columns(pl.col("lost").cum_sum().over(_VENUE), lost_at="at")
    )
    is_inside = pl.col("block_number") <= pl.col("end")
    is_whole = pl.col("at").ne_missing(pl.col("lost_at"))
    stretch = pl.struct("begin", pl.col("lost").fill_null(0))
    return (
        facts.with_columns(at=_log())
        .sort("at")
        .join_asof(
            spans.sort("begin"),
            left_on="block_number",
            right_on="begin",
            by=list(_VENUE),
            check_sortedness=False,
            coalesce=False,
        )
        .join_asof(rejected, on="at", by=list(_VENUE), check_sortedness=False)
        .with_columns(stretch=pl.when(is_inside & is_whole).then(stretch))
    )


def _log() -> pl.Expr:
    """Return where a log is on its chain as one number; what was read comes after its block's."""
    log = pl.col("log_index").cast(pl.Int128)
    after = pl.when(log < 0).then(2**32 + log).otherwise(log)
    return pl.col("block_number").cast(pl.Int128) * 2**33 + after


def _stretches(coverage: pl.LazyFrame) -> pl.LazyFrame:
    """Return the longest runs of blocks without a gap: begin, end, inclusive."""
    reached = pl.col("to_block").cum_max().shift(1).over(_VENUE)
    is_apart = (pl.col("from_block") > reached + 1).fill_null(value=True)
    return (
        coverage.sort(*_VENUE, "from_block")
        .with_columns(run=is_apart.cum_sum())
        .group_by(*_VENUE, "run")
        .agg(begin=pl.col("from_block").min(), end=pl.col("to_block").max())
        .drop("run")
    )

"""Facts as evidence: the transaction of each, where to look it up, how far its block is proven."""

from collections.abc import Mapping
from decimal import Context, Decimal

import polars as pl
from polars import selectors

from analytics.computations import Computation
from analytics.proofs import with_proof
from analytics.reports.chain_names import block_link, transaction_link
from analytics.reports.numerals import counted

_FIRST = (
    *("table", "chain_id", "protocol", "version", "block_number", "block_timestamp"),
    *("tx_hash", "hash_kind", "log_index", "item_index", "evidence", "proof", "finality"),
    "link",
)
# By its place, of a chain: what was read from a contract's state.
_IS_READ = (pl.col("log_index") < 0) & (pl.col("chain_id") > 0)
# Zeros stand for a transaction that a venue does not tell.
_IS_NAMELESS = (pl.col("tx_hash") == f"0x{0:064x}") & (pl.col("chain_id") < 0)
# What the rows of `blocks` call it, and all others.
_OF_BLOCKS = {"number": "block_number", "timestamp": "block_timestamp"}
# Raw bytes, of blocks: only Parquet has them.
_HEX = selectors.binary().bin.encode("hex").str.replace("^", "0x")
_EXACT = Context(prec=76)
_NOT_ADDED = ("price", "ratio", "cumulative", "capacity")
_AMOUNTS = ("_usd", "_tokens")
# What stands at one moment stands at the next one as well.
_LEVELS = frozenset(
    {
        *("open_interest", "open_interest_drawdown", "open_interest_total", "adl_ranks", "depth"),
        *("open_interest_reconciliation", "loans_outstanding", "utilisation", "tvl", "tvl_valued"),
        *("pool_valuations", "share_valuations", "tvl_growth_valued"),
    }
)
_LEVEL = "unrealized"
# Rows of different ones tell of the same: another share of it, another price beside it, a part of
# it.
_TOLD_AGAIN = (
    *("fact", "measure", "exposure", "share_percent", "lag_days", "event", "feed", "part"),
    *("reference_chain_id", "reference_protocol", "reference_feed"),
)
_WHAT_TOKENS = ("token", "protocol", "market", "pool")


def evidence(
    facts: Mapping[str, pl.DataFrame],
    coverage: pl.DataFrame,
    *,
    made_up: frozenset[int] = frozenset(),
) -> pl.DataFrame:
    """
    Return facts of several tables as one frame, with what a reader needs to check each.

    Args:
        facts: rows by table, of one at least.
        coverage: the table `coverage`.
        made_up: chains whose data is simulated: no explorer has heard of it.

    Returns:
        The rows in the order of the chain, table by table: table, the columns every fact has,
        hash_kind (what `tx_hash` is: transaction; block, of a fact that was read from a contract's
        state; venue, of one that came in a file), proof, link (null where no explorer shows it),
        then every other column of any table; null where a table has no such column. A table that
        states instead of telling events (policies) has no hash and no proof, a log no proof.
    """
    frames = [
        _checked(rows, coverage, made_up).with_columns(table=pl.lit(name))
        for name, rows in sorted(facts.items())
        if rows.height
    ]
    joined = pl.concat(frames, how="diagonal_relaxed").with_columns(_HEX)
    first = [name for name in _FIRST if name in joined.columns]
    return joined.select(*first, pl.exclude(first))


def subtotals(facts: Mapping[str, pl.DataFrame], row: pl.DataFrame) -> pl.DataFrame:
    """
    Return what the amounts of facts add up to, and which numbers of a metric's row that is.

    Args:
        facts: rows by table.
        row: the row that rests on them.

    Returns:
        One row per table and amount that any of its rows knows: table, amount, row_count,
        known_count (Int64), total (String, every digit: a sum may be longer than a decimal of
        ours; null of tokens that may not be the same), equals (String: columns of the row with
        exactly this value; null where none has, and of zero, which is the sum of anything).
    """
    found = [
        (table, name, rows.height, rows.height - rows[name].null_count(), total(rows[name]))
        for table, rows in sorted(facts.items())
        for name, dtype in rows.schema.items()
        if isinstance(dtype, pl.Decimal) and not any(word in name for word in _NOT_ADDED)
    ]
    numbers = {name: row[name].item() for name, dtype in row.schema.items() if dtype.is_decimal()}
    told = []
    for table, name, height, known, summed in found:
        equal = ", ".join(n for n, v in numbers.items() if v == summed != 0) or None
        is_sum = equal is not None or not (name.endswith("_tokens") and _is_mixed(facts[table]))
        if known:
            told.append((table, name, height, known, f"{summed:f}" if is_sum else None, equal))
    counts = {"row_count": pl.Int64, "known_count": pl.Int64}
    schema = {"table": pl.String, "amount": pl.String} | counts
    return pl.DataFrame(told, schema | {"total": pl.String, "equals": pl.String}, orient="row")


def added(computed: Computation, rows: pl.DataFrame) -> pl.DataFrame:
    """
    Return, as one row, what amounts of rows add up to; null where none is known.

    What has a window has none, because its rows overlap, nor has what tells levels. Rows that tell
    of the same events have none, and tokens only where all rows are of the same.

    Args:
        computed: how the rows are computed.
        rows: some of its rows.

    Returns:
        A column (Decimal) for each amount that adds up; none where nothing does.
    """
    known = {name: rows[name].drop_nulls() for name in _summable(computed, rows)}
    sums = {name: [total(values) if len(values) else None] for name, values in known.items()}
    return pl.DataFrame(sums, dict.fromkeys(sums, pl.Decimal(38, 18)))


def places(rows: pl.DataFrame) -> str:
    """Return " in 2 transactions and read at 1 block", of facts of one table."""
    if "tx_hash" not in rows.columns:
        return ""
    sent = rows.filter(~_IS_READ & ~_IS_NAMELESS).select("chain_id", "tx_hash").n_unique()
    read = rows.filter(_IS_READ).select("chain_id", "block_number").n_unique()
    told = f" in {counted(sent, 'transaction')}" if sent else ""
    if read:
        told += f"{' and' if told else ''} read at {counted(read, 'block')}"
    return told


def total(column: pl.Series) -> Decimal:
    """Return the sum of what is known of a column of decimals, every digit of it."""
    summed = Decimal(0)
    for value in column.drop_nulls():
        summed = _EXACT.add(summed, value)
    return summed


def _summable(computed: Computation, rows: pl.DataFrame) -> list[str]:
    has_window = any(setting.startswith("window") for setting in computed.settings)
    is_level = computed.name.removeprefix("metrics/") in _LEVELS  # in Polars or in SQL
    different = [name for name in rows.columns if rows[name].n_unique() > 1]
    if has_window or is_level or not {*_TOLD_AGAIN}.isdisjoint(different):
        return []
    amounts = _AMOUNTS[:1] if _is_mixed(rows) else _AMOUNTS
    return [
        name
        for name, dtype in rows.schema.items()
        if isinstance(dtype, pl.Decimal)
        and name.endswith(amounts)
        and not any(word in name for word in (*_NOT_ADDED, _LEVEL))
    ]


def _is_mixed(rows: pl.DataFrame) -> bool:
    return any(rows[name].n_unique() > 1 for name in rows.columns if name.endswith(_WHAT_TOKENS))


def _checked(rows: pl.DataFrame, coverage: pl.DataFrame, made_up: frozenset[int]) -> pl.DataFrame:
    if "tx_hash" not in rows.columns:
        return rows.rename(_OF_BLOCKS, strict=False)
    kind = pl.when(_IS_READ).then(pl.lit("block")).otherwise(pl.lit("transaction"))
    # Logs are of all protocols that read them, and each has coverage of its own.
    placed = with_proof(rows, coverage) if "protocol" in rows.columns else rows.with_columns(_HEX)
    told = placed.with_columns(
        hash_kind=pl.when(pl.col("chain_id") < 0).then(pl.lit("venue")).otherwise(kind)
    )
    keys = told.select("chain_id", "block_number", "tx_hash", "hash_kind").iter_rows()
    links = [None if each[0] in made_up else _link(*each) for each in keys]
    # What could not become facts is of a whole log.
    items = ["item_index"] if "item_index" in rows.columns else []
    order = ["chain_id", "block_number", "log_index", *items, "tx_hash"]
    return told.with_columns(link=pl.Series(links, dtype=pl.String)).sort(order)


def _link(chain_id: int, block_number: int, tx_hash: str, kind: str) -> str | None:
    if kind == "block":
        return block_link(chain_id, block_number)
    return transaction_link(chain_id, tx_hash)

"""Buybacks: what was bought, what it cost, and how that compares with revenue."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any

import polars as pl

from analytics import load
from analytics.expressions import known_total, whole_total
from analytics.reports.charts import PALETTE, Drawing, bars, colored, lines
from analytics.reports.context import Context, by_period
from analytics.reports.numerals import period
from analytics.reports.parts import Chart, Section, Source, Table, table
from analytics.reports.scope import Scope, Span
from analytics.reports.sections.listed import Shown, ranked
from analytics.reports.sections.valued import valued
from analytics.reports.summary import whole_window
from analytics.reports.times import day_count, named_days, whole_days

_TITLE = "Value accrual"
_WORDS = (
    "The executed ratio is dollars really spent per dollar of revenue; beside it stands what the "
    "splits of fees in force set aside for holders, bought back or not; a policy may promise them "
    "a part of what a split gives to the treasury. While less than a window is covered, the "
    "trailing ratio and the share of supply are over what is. A buyback is not a burn: only burned "
    "tokens, destroyed or at a dead address, are out of everybody's reach."
)
_BOUGHT = (
    *("protocol", "chain_id", "symbol", "destination_kind", "buyback_count"),
    *("bought_tokens", "burned_tokens", "spent_usd", "average_price_usd"),
)
_LARGEST = (
    *("block_timestamp", "chain_id", "protocol", "symbol"),
    *("bought_tokens", "spent_usd", "evidence", "tx_hash"),
)
_SHARES = (
    *("protocol", "chain_id", "symbol", "date", "bought_tokens", "issued_tokens"),
    *("supply_tokens", "supply_share_gross_bps", "supply_share_net_bps"),
)
_VALUED = (
    *("protocol", "symbol", "date", "price_usd", "market_cap_usd", "price_to_fees_years"),
    *("price_to_revenue_years", "price_to_holders_revenue_years", "value_to_market_ratio"),
)
_OTHERS = "all others"
# As many as have a colour for each of their two lines.
_BUYERS = len(PALETTE) // 2

_WORTH = Shown(
    *(
        "buybacks_valued",
        "Purchases with those paid in tokens at the price of their moment, by day",
    ),
    (
        *("date", "chain_id", "protocol", "destination_kind", "spent_token", "spent_usd"),
        *("told_usd", "valued_usd", "valued_count", "unpriced_count"),
    ),
    keys=("date", "chain_id", "protocol", "destination_kind", "bought_token", "spent_token"),
    largest_first="valued_usd",
    rows=10,
    headers={"told_usd": "told in dollars", "valued_usd": "valued, USD"},
)
_PAID = Shown(
    *("buyback_prices", "What was paid for the token, beside an oracle's price of then"),
    (
        *("block_timestamp", "chain_id", "protocol", "symbol", "bought_tokens", "spent_usd"),
        *("paid_price_usd", "price_usd", "premium_bps", "age_seconds", "price_protocol", "tx_hash"),
    ),
    keys=("chain_id", "protocol", "tx_hash", "log_index", "item_index"),
    largest_first="spent_usd",
    rows=10,
)


def accrual(context: Context) -> Section:
    """Return the section about buybacks and the executed buyback ratio."""
    sources = {source.name: source for source in _sources(context.scope)}
    whole = sources["buyback_ratio_whole"]
    ratios = table(
        "Executed against set aside, over the whole time",
        whole.frame,
        ("protocol", "spent_usd", "revenue_usd", "buyback_ratio", "declared_ratio"),
        headers={"buyback_ratio": "executed", "declared_ratio": "set aside for holders"},
        source=whole,
        keys=("protocol",),
    )
    if sources["buybacks"].frame.is_empty():
        words = (context.absence("buybacks", "buybacks"),)
        tables = (ratios,) if whole.frame.height else ()
        return Section("buybacks", _TITLE, words, tables=tables, sources=(*sources.values(),))
    worth, told = zip(*(valued(context, each) for each in (_PAID, _WORTH)), strict=True)
    return Section(
        "buybacks",
        _TITLE,
        (_WORDS,),
        charts=(
            *_spending(context, sources["buybacks"]),
            *_ratios(context, sources["buyback_ratio"]),
        ),
        tables=(ratios, *_tables(context.scope, sources), *chain(*told)),
        sources=(*sources.values(), *chain(*worth)),
    )


def _tables(scope: Scope, sources: Mapping[str, Source]) -> tuple[Table, ...]:
    return (
        *_purchases(scope, sources),
        *_promised(sources["buyback_columns"]),
        *_shares(scope, sources["supply_share"]),
        *_multiples(scope, sources),
    )


def _purchases(scope: Scope, sources: Mapping[str, Source]) -> tuple[Table, ...]:
    facts, where = scope.facts("buybacks").collect(), sources["buybacks_by_destination"]
    largest = _largest(facts, where.frame)
    return (
        table(
            "What was bought, and where it went",
            where.frame,
            _BOUGHT,
            source=where,
            keys=("protocol", "chain_id", "symbol", "destination_kind"),
        ),
        table("Largest purchases", largest, _LARGEST, source=sources["buybacks"]),
    )


def _sources(scope: Scope) -> tuple[Source, ...]:
    looking_back = partial(scope.metric, with_past=True)
    name, trailing = "buyback_ratio", looking_back("buyback_ratio")
    whole, days = whole_window(scope), whole_days(scope)
    settings: dict[str, Any] = {"window_days": scope.days}
    destinations = scope.metric("buybacks_by_destination")
    return (
        Source("buybacks", "metric", "buybacks", scope.metric("buybacks")),
        Source("buyback_ratio", "metric", name, trailing, {"window_days": 30}, with_past=True),
        Source("buyback_ratio_whole", "metric", name, whole, settings),
        Source("buybacks_by_destination", "metric", "buybacks_by_destination", destinations),
        Source(
            "supply_share",
            "metric",
            "supply_share",
            looking_back("supply_share"),
            {"window_days": 30},
            with_past=True,
        ),
        Source("buyback_columns", "metric", "buyback_columns", scope.metric("buyback_columns")),
        Source("buyback_lag", "metric", "buyback_lag", scope.metric("buyback_lag")),
        *(() if days is None else _valuations(scope, days)),
    )


def _valuations(scope: Scope, days: Span) -> tuple[Source, ...]:
    settings: dict[str, Any] = {"window_days": day_count(days)}
    return tuple(
        Source(
            name,
            "metric",
            name,
            scope.metric(name, between=days, **settings),
            settings,
            between=days,
        )
        for name in ("price_multiples", "discounted_cash_flow")
    )


def _promised(source: Source) -> tuple[Table, ...]:
    # What is known of some days alone cannot be held against what was spent on all of them.
    whole = (whole_total(pl.col(name)) for name in ("policy_usd", "spent_usd"))
    # That a day without purchases burned nothing says nothing of those that do not tell.
    has_bought, burned = pl.col("buyback_count") > 0, pl.col("burned_tokens")
    known = {
        "burned_tokens": pl.when(has_bought.any())
        .then(known_total(burned.filter(has_bought)))
        .otherwise(known_total(burned)),
        "buyback_count": known_total(pl.col("buyback_count")),
    }
    keys = ("protocol", "policy_kind")
    shown = (
        source.frame.sort("protocol", "date")
        .group_by(*keys, maintain_order=True)
        .agg(*whole, **known)
        .sort(*keys)
    )
    return (table("Promised by policy, spent, and burned", shown, source=source, keys=keys),)


def _multiples(scope: Scope, sources: Mapping[str, Source]) -> tuple[Table, ...]:
    days = whole_days(scope)
    if days is None:
        return ()
    multiples, worth = sources["price_multiples"], sources["discounted_cash_flow"]
    keys = ["protocol", "symbol", "date"]
    priced = multiples.frame.join(worth.frame.select(*keys, "value_to_market_ratio"), on=keys)
    last = priced.sort("date").group_by("protocol", "symbol").last().drop_nulls("market_cap_usd")
    if last.is_empty():
        return ()
    title = f"Market value in years of income, from {named_days(days)}"
    headers = {"value_to_market_ratio": "holders' income discounted at 15 %, to market value"}
    return (
        table(
            title,
            last.sort("protocol", "symbol"),
            _VALUED,
            headers=headers,
            source=multiples,
            keys=("protocol", "symbol"),
        ),
    )


def _symbols(scope: Scope, rows: pl.DataFrame) -> pl.DataFrame:
    address = pl.col("address").alias("token")
    known = load.facts(scope.con, "tokens").group_by(address).agg(pl.col("symbol").max())
    named = rows.join(known.collect(), on="token", how="left")
    return named.with_columns(pl.coalesce("symbol", "token").alias("symbol"))


def _shares(scope: Scope, source: Source) -> tuple[Table, ...]:
    supplies = source.frame
    if supplies.is_empty():
        return ()
    last = supplies.sort("date").group_by("protocol", "token").last()
    # A month's purchases are hundredths of a per cent of most supplies.
    shown = _symbols(scope, last).with_columns(
        supply_share_gross_bps=pl.col("supply_share_gross_ratio") * 10_000,
        supply_share_net_bps=pl.col("supply_share_net_ratio") * 10_000,
    )
    title = "Share of supply over 30 days, before and after what was issued meanwhile"
    keys = ("protocol", "chain_id", "symbol")
    return (table(title, shown.sort("protocol", "token"), _SHARES, source=source, keys=keys),)


def _largest(facts: pl.DataFrame, destinations: pl.DataFrame) -> pl.DataFrame:
    keys = ["chain_id", "bought_token"]
    symbols = destinations.group_by(keys).agg(pl.col("symbol").max())
    order = ["spent_usd", "bought_tokens", "tx_hash", "log_index"]
    down = [True, True, False, False]
    largest = facts.sort(order, descending=down, nulls_last=True).head(10)
    named = largest.join(symbols, on=keys, how="left", maintain_order="left")
    return named.with_columns(pl.coalesce("symbol", "bought_token").alias("symbol"))


def _spending(context: Context, source: Source) -> tuple[Chart, ...]:
    rows = (
        by_period(context.scope.facts("buybacks"), context.bar_seconds)
        .group_by("at", series="protocol")
        .agg(value=known_total(pl.col("spent_usd")))
        .drop_nulls("value")
        .collect()
    )
    rows = _few(rows)
    title = f"Spent on buybacks per {period(context.bar_seconds)}"
    colors = colored(sorted(set(rows["series"]), key=lambda name: (name == _OTHERS, name)))
    drawing = Drawing("buybacks", title, "spent", "USD", colors, source)
    return (bars(context.canvas, drawing, rows, context.bar_seconds),) if rows.height else ()


def _few(rows: pl.DataFrame) -> pl.DataFrame:
    """Return bars with a colour for each buyer; the smallest are one where they are too many."""
    spent = rows.group_by("series").agg(pl.col("value").sum())
    largest = ranked(spent, pl.col("value"), ("series",))["series"]
    named = largest if len(largest) <= len(PALETTE) else largest.head(len(PALETTE) - 1)
    is_named = pl.col("series").is_in(named.to_list())
    return (
        rows.group_by("at", series=pl.when(is_named).then("series").otherwise(pl.lit(_OTHERS)))
        .agg(pl.col("value").sum())
        .sort("at", "series")
    )


def _ratios(context: Context, source: Source) -> tuple[Chart, ...]:
    named = pl.concat_str("protocol", pl.lit(" "), "kind")
    buys = (pl.col("spent_usd") > 0) | (pl.col("declared_ratio") > 0)
    is_drawn = pl.any_horizontal(pl.col("buyback_ratio", "declared_ratio").is_not_null())
    ratios = source.frame.filter(buys.any().over("protocol") & is_drawn)
    sizes = ratios.group_by("protocol").agg(pl.col("spent_usd", "revenue_usd").max())
    order = ["spent_usd", "revenue_usd", "protocol"]
    buyers = sizes.sort(order, descending=[True, True, False], nulls_last=True)["protocol"]
    rows = (
        ratios.filter(pl.col("protocol").is_in(buyers.head(_BUYERS).to_list()))
        .rename({"buyback_ratio": "executed", "declared_ratio": "set aside"})
        .unpivot(["executed", "set aside"], index=["protocol", "date"], variable_name="kind")
        .select(at=pl.col("date").cast(pl.Datetime("us")), series=named, value="value")
        .drop_nulls("value")
        .sort("at", "series")
    )
    if rows["at"].n_unique() < 2:
        return ()
    most = f", the {_BUYERS} largest buyers" if len(buyers) > _BUYERS else ""
    title = f"Buybacks per dollar of revenue, trailing 30 days{most}"
    colors = colored(sorted(set(rows["series"])))
    drawing = Drawing("buyback_ratio", title, "ratio", "%", colors, source)
    return (lines(context.canvas, drawing, rows, lasting=timedelta(days=1)),)

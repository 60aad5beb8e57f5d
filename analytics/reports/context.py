"""What all sections of one report share: the scope, the canvas, names, and words for nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

import polars as pl

from analytics.reports.availability import doubt
from analytics.reports.chain_names import chain_name
from analytics.reports.charts import Canvas
from analytics.reports.numerals import counted, moment
from analytics.reports.scope import Scope

_SAID = {
    "simulated": "SIMULATED DATA",
    "recorded": "RECORDED DATA",
    "node": "NODE DATA",
    "imported": "IMPORTED DATA",
    "unknown": "DATA OF UNKNOWN ORIGIN",
}
# Bars stay apart and countable up to this many.
_BARS = 100
# A sentence names this many ranges of blocks.
_RANGES = 6
_PERIODS = (60, 300, 900, 3600, 14_400)


@dataclass(frozen=True)
class Context:
    """One report's scope, and what is asked of it more than once."""

    scope: Scope

    @cached_property
    def kinds(self) -> Mapping[int, str]:
        """Where the rows of each covered chain come from: simulated, recorded, node, unknown."""
        origins = self.scope.facts("origins").collect()
        covered = pl.concat([self.coverage["chain_id"], self.imports["chain_id"]]).unique().sort()
        found = {
            chain: sorted(origins.filter(pl.col("chain_id") == chain)["kind"].unique())
            for chain in covered
        }
        return {chain: " and ".join(kinds) or "unknown" for chain, kinds in found.items()}

    @cached_property
    def stamp(self) -> str:
        """The origin of the data in a few words; chains are named where they differ."""
        chains: dict[str, list[str]] = {}
        for chain, kind in self.kinds.items():
            chains.setdefault(kind, []).append(chain_name(chain))
        if len(chains) == 1:
            return _words(next(iter(chains)))
        said = [f"{_words(kind)}: {', '.join(names)}" for kind, names in sorted(chains.items())]
        return " · ".join(reversed(said)) or "NO DATA"

    @property
    def is_simulated(self) -> bool:
        """Whether any chain of the report is simulated."""
        return any("simulated" in kind for kind in self.kinds.values())

    @cached_property
    def coverage(self) -> pl.DataFrame:
        """The rows of `coverage` within the limits."""
        keys = ["chain_id", "protocol", "from_block", "to_block"]
        return self.scope.facts("coverage").collect().sort(keys)

    @cached_property
    def imports(self) -> pl.DataFrame:
        """The files that were imported, within the limits of protocol and chain."""
        keys = ["chain_id", "protocol", "from_at", "file", "sha256"]
        return self.scope.facts("imports").drop("imported_at").collect().sort(keys)

    @cached_property
    def rejects(self) -> pl.DataFrame:
        """Logs that could not become facts, counted by reason."""
        return self.scope.query("rejects_by_reason")

    @cached_property
    def canvas(self) -> Canvas:
        """The time axis and the stamp of every chart."""
        first, last = self.scope.extent or (datetime.min, datetime.min)
        protocol = self.scope.limits.protocol
        stamp = self.stamp if protocol is None else f"{self.stamp} · {protocol}"
        return Canvas(stamp, first, last)

    @cached_property
    def bar_seconds(self) -> int:
        """The length of a period that gives bars enough room: a day wherever there is a week."""
        span = self.scope.length or timedelta()
        is_week = self.scope.days >= 7 if self.scope.span is None else span >= timedelta(days=7)
        fitting = (each for each in _PERIODS if span.total_seconds() <= each * _BARS)
        return 86_400 if is_week else next(fitting, 86_400)

    def named(self, rows: pl.DataFrame) -> pl.DataFrame:
        """
        Return rows with their market's symbol, and enough of its address to tell it apart.

        What was `market` before is `market_id`; `market_symbol` is without the address, where the
        symbol is known.
        """
        keys = ["chain_id", "protocol", "market"]
        symbols = self.scope.facts("markets").group_by(keys).agg(pl.col("symbol").max()).collect()
        market = pl.col("market")
        short = market.str.slice(0, 6) + "…" + market.str.slice(-4)
        place = pl.when(market.str.starts_with("0x")).then(short).otherwise(market)
        is_plain = pl.col("symbol").is_null() | (pl.col("symbol") == market)
        label = pl.when(is_plain).then(market).otherwise(pl.col("symbol") + " (" + place + ")")
        joined = rows.join(symbols, on=keys, how="left", maintain_order="left")
        symbol = pl.coalesce("symbol", "market")
        return joined.with_columns(market=label, market_id=market, market_symbol=symbol).drop(
            "symbol"
        )

    def with_symbol(self, rows: pl.DataFrame, of: str = "asset_token") -> pl.DataFrame:
        """Return rows with the symbol of a token of theirs, or else its address, as `symbol`."""
        keys = ["chain_id", of]
        tokens = self.scope.facts("tokens").group_by("chain_id", "address")
        symbols = tokens.agg(pl.col("symbol").max()).rename({"address": of}).collect()
        joined = rows.join(symbols, on=keys, how="left", maintain_order="left")
        return joined.with_columns(symbol=pl.coalesce("symbol", of))

    def absence(self, what: str, table: str) -> str:
        """Return why there is nothing to show: nothing happened, or nobody looked."""
        if why := doubt(self.scope, table):
            return f"No {what} can be told: {why}."
        lost = self.rejects.filter(pl.col("fact") == table)["reject_count"].sum()
        lacking = (
            f" But {counted(int(lost), 'log')} meant for it could not become facts, "
            "so this is not a measured zero."
            if lost
            else ""
        )
        return f"No {what} {self._span()}in the covered blocks: {self._ranges()}.{lacking}"

    def _span(self) -> str:
        since, until = self.scope.limits.since, self.scope.limits.until
        first = f"from {moment(since)} " if since else ""
        return first + (f"to {moment(until)} " if until else "")

    def _ranges(self) -> str:
        spans = self.coverage.group_by("chain_id", "protocol").agg(
            pl.col("from_block").min(), pl.col("to_block").max()
        )
        by_range: dict[str, list[str]] = {}
        for chain, protocol, low, high in spans.sort("chain_id", "protocol").iter_rows():
            by_range.setdefault(f"{chain_name(chain)} {low}–{high}", []).append(protocol)
        files = self.imports.group_by("chain_id", "protocol").len()
        for chain, protocol, count in files.sort("chain_id", "protocol").iter_rows():
            by_range[f"{counted(count, 'file')} of {chain_name(chain)}"] = [protocol]
        if len(by_range) > _RANGES:
            return f"{len(by_range)} ranges, listed under “What the numbers rest on”"
        return "; ".join(f"{blocks} ({', '.join(names)})" for blocks, names in by_range.items())


def by_period(facts: pl.LazyFrame, seconds: int) -> pl.LazyFrame:
    """Return facts with the start of their period as `at`."""
    return facts.with_columns(at=pl.col("block_timestamp").dt.truncate(f"{seconds}s"))


def long_rows(frame: pl.DataFrame, series: Mapping[str, str]) -> pl.DataFrame:
    """
    Return columns as rows of a chart: `at`, `series`, `value`.

    Args:
        frame: has `at` and a column per series.
        series: the name of each series by its column.
    """
    return (
        frame.select("at", *series)
        .unpivot(index="at", variable_name="series", value_name="value")
        .with_columns(pl.col("series").replace_strict(dict(series)))
        .drop_nulls("value")
        .sort("at", "series")
    )


def _words(kind: str) -> str:
    return " and ".join(_SAID.get(each, each) for each in kind.split(" and "))

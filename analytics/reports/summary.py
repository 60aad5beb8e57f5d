"""The five numbers a person would ask for, as plain values."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl

from analytics import load
from analytics.expressions import held, known_total, ratio, row_count, whole_total
from analytics.reports.availability import doubt
from analytics.reports.numerals import bps, count, dollars, moment, percent
from analytics.reports.scope import Limits, Scope, checked

NO_TWO_SOURCES = "no two sources of one asset at most an hour apart"
_TOLD_BY = {
    "income": "fees",
    "accrual": "buybacks",
    "liquidations": "liquidations",
    "adls": "adls",
    "deviation": "oracle_updates",
    "exposure": "open_interest",
}


@dataclass(frozen=True)
class Income:
    """Fees and what the protocols keep of them, USD: sums of what is known, and what is not."""

    fees_usd: Decimal | None
    revenue_usd: Decimal | None
    fee_count: int
    unpriced_count: int
    unsplit_count: int


@dataclass(frozen=True)
class Accrual:
    """
    Buybacks, USD, and their ratio to the revenue of the protocols that bought (0.25 = 25 %).

    The ratio is of `window_days`, up to the day `buyer_on` of the one protocol whose it is; both
    are None where it is not that of one. `protocol_count` have a ratio, known or not.
    """

    spent_usd: Decimal | None
    buyback_ratio: float | None
    buyback_count: int
    unpriced_count: int
    window_days: int
    protocol_count: int
    buyer: str | None
    buyer_on: date | None


@dataclass(frozen=True)
class Exits:
    """
    Positions closed by force: notional in USD, one-sided, how many, and whose.

    `account_count` is None where no event tells its account.
    """

    notional_usd: Decimal | None
    event_count: int
    account_count: int | None
    long_ratio: float | None
    unknown_notional_count: int
    unknown_account_count: int


@dataclass(frozen=True)
class Deviation:
    """The oracle update furthest from another source of the same asset, in its period."""

    asset: str
    quote: str
    chain_id: int
    protocol: str
    feed: str
    reference_chain_id: int
    reference_protocol: str
    reference_feed: str
    deviation_bps: float
    period_seconds: int
    block_timestamp: datetime
    tx_hash: str


@dataclass(frozen=True)
class Exposure:
    """
    Open interest over all markets, USD, at the end of the periods of `period_seconds`.

    Of `delta_market_count` markets only changes are known, so what was open before is missing; a
    period in which they come to less than nothing is not known.
    """

    peak_usd: Decimal | None
    peak_at: datetime | None
    final_usd: Decimal | None
    final_at: datetime | None
    market_count: int
    unknown_market_count: int
    delta_market_count: int
    period_seconds: int


@dataclass(frozen=True)
class Summary:
    """
    The five numbers, and what kind of data they come from.

    Attributes:
        kinds: where the rows came from: simulated, recorded, node.
        income: fees and protocol revenue.
        accrual: buybacks and the executed buyback ratio.
        liquidations: liquidated positions.
        adls: auto-deleveraged positions.
        deviation: the worst oracle deviation; None where no two sources could be compared.
        exposure: open interest at its peak and at the end.
        doubts: by part, why its zero is none: the state of the source that should have told.
    """

    kinds: tuple[str, ...]
    income: Income
    accrual: Accrual
    liquidations: Exits
    adls: Exits
    deviation: Deviation | None
    exposure: Exposure
    doubts: dict[str, str] = field(default_factory=dict)

    def lines(self) -> tuple[str, ...]:
        """Return the numbers as five lines of text, to print."""
        return (
            f"fees {dollars(self.income.fees_usd)}, "
            f"protocol revenue {dollars(self.income.revenue_usd)}",
            f"buybacks {dollars(self.accrual.spent_usd)}, "
            f"{percent(self.accrual.buyback_ratio)} of the revenue of those who buy back",
            f"liquidated {dollars(self.liquidations.notional_usd)} one-sided, "
            f"{self._told('liquidations', self.liquidations.account_count)} accounts, "
            f"{percent(self.liquidations.long_ratio)} long",
            f"ADL {dollars(self.adls.notional_usd)} in "
            f"{self._told('adls', self.adls.event_count)} events",
            f"worst oracle deviation {self._deviation()}; open interest peaked at "
            f"{dollars(self.exposure.peak_usd)}, ended at {dollars(self.exposure.final_usd)}",
        )

    def _told(self, part: str, number: int | None) -> str:
        return count(None if part in self.doubts else number)

    def _deviation(self) -> str:
        worst = self.deviation
        if worst is None:
            return f"n/k ({NO_TWO_SOURCES})"
        when = moment(worst.block_timestamp)
        pair = f"{worst.protocol} against {worst.reference_protocol}"
        return f"{bps(worst.deviation_bps)} bps ({worst.asset}, {pair}, {when})"


def summary(path: Path, limits: Limits | None = None) -> Summary:
    """
    Return the five numbers of a database.

    Args:
        path: the DuckDB file.
        limits: the protocol, chain and time to look at; everything by default.

    Raises:
        WorldError: the database is missing, locked, not ours, or nothing is indexed in it.
        UserError: the limits name what is not there.
    """
    with load.database(path) as con:
        return summed_up(checked(Scope(con, limits or Limits())))


def summed_up(scope: Scope) -> Summary:
    """Return the five numbers of an open database."""
    kinds = scope.facts("origins").join(_chains(scope), on="chain_id", how="semi")
    return Summary(
        kinds=tuple(kinds.select("kind").unique().sort("kind").collect()["kind"]),
        income=_income(scope),
        accrual=_accrual(scope),
        liquidations=_exits(scope, "liquidations"),
        adls=_exits(scope, "adls"),
        deviation=_deviation(scope),
        exposure=_exposure(scope),
        doubts={part: why for part, table in _TOLD_BY.items() if (why := doubt(scope, table))},
    )


def _chains(scope: Scope) -> pl.LazyFrame:
    told = (scope.facts(table).select("chain_id") for table in ("coverage", "imports"))
    return pl.concat(told)


def whole_window(scope: Scope) -> pl.DataFrame:
    """Return `buyback_ratio` over the whole time as one window: one row per protocol."""
    ratios = scope.metric("buyback_ratio", window_days=scope.days)
    return ratios.group_by("protocol").last().sort("protocol")


def _income(scope: Scope) -> Income:
    charged, kept = scope.metric("fees"), scope.metric("protocol_revenue")
    return Income(
        fees_usd=_measured(scope, "fees", _total(charged, "fees_usd")),
        revenue_usd=_measured(scope, "fees", _total(kept, "revenue_usd")),
        fee_count=_count(charged, "fee_count"),
        unpriced_count=_count(charged, "unpriced_count"),
        unsplit_count=_count(kept, "unsplit_count"),
    )


def _accrual(scope: Scope) -> Accrual:
    bought = scope.metric("buybacks")
    ratios = whole_window(scope)
    # Where nobody bought, who could have is known to have spent nothing.
    buyers = (
        ratios.join(bought, on="protocol", how="semi")
        if bought.height
        else ratios.drop_nulls("spent_usd")
    )
    sums = buyers.select(whole_total(pl.col(name)) for name in ("spent_usd", "revenue_usd"))
    executed = sums.select(ratio(pl.col("spent_usd"), pl.col("revenue_usd"))).item()
    buyer = buyers.row(0, named=True) if buyers.height == 1 else {}
    return Accrual(
        spent_usd=_measured(scope, "buybacks", _total(bought, "spent_usd")),
        buyback_ratio=executed,
        buyback_count=_count(bought, "buyback_count"),
        unpriced_count=_count(bought, "unpriced_count"),
        window_days=scope.days,
        protocol_count=ratios.height,
        buyer=buyer.get("protocol"),
        buyer_on=buyer.get("date"),
    )


def _exits(scope: Scope, name: str) -> Exits:
    closed = scope.metric(name)
    both = pl.col("notional_long_usd").sum() + pl.col("notional_short_usd").sum()
    whose = scope.facts(name).group_by("chain_id", "account").agg(row_count()).collect()
    told, nobody = whose.drop_nulls("account"), whose.filter(pl.col("account").is_null())
    events = "liquidation_count" if name == "liquidations" else "adl_count"
    return Exits(
        notional_usd=_measured(scope, name, _total(closed, "notional_usd")),
        event_count=_count(closed, events),
        account_count=None if told.height == 0 < nobody.height else told.height,
        long_ratio=closed.select(ratio(pl.col("notional_long_usd").sum(), both)).item(),
        unknown_notional_count=_count(closed, "unknown_notional_count"),
        unknown_account_count=_count(nobody, "len"),
    )


def _deviation(scope: Scope) -> Deviation | None:
    compared = scope.extremes.drop_nulls("worst_deviation_bps")
    if compared.is_empty():
        return None
    size = pl.col("worst_deviation_bps").abs()
    worst = compared.sort(size, descending=True, maintain_order=True).row(0, named=True)
    named = {"deviation_bps": worst["worst_deviation_bps"], "block_timestamp": worst["worst_at"]}
    told = {"tx_hash": scope.transaction(worst), "period_seconds": scope.extreme_seconds}
    known = worst | named | told
    return Deviation(**{name: known[name] for name in Deviation.__dataclass_fields__})


def _exposure(scope: Scope) -> Exposure:
    seconds = scope.period_seconds
    total = scope.metric("open_interest_total", with_past=True, bucket_seconds=seconds)
    known = total.filter(held(pl.col("open_interest_total_usd")).is_not_null())
    peak = known.sort("open_interest_total_usd", descending=True, maintain_order=True)
    highest, final, last = (
        frame.row(0, named=True) if frame.height else {}
        for frame in (peak, known.tail(1), total.tail(1))
    )
    return Exposure(
        peak_usd=highest.get("open_interest_total_usd"),
        peak_at=highest.get("bucket_at"),
        final_usd=final.get("open_interest_total_usd"),
        final_at=final.get("bucket_at"),
        market_count=last.get("market_count", 0),
        unknown_market_count=last.get("unknown_market_count", 0),
        delta_market_count=last.get("delta_market_count", 0),
        period_seconds=seconds,
    )


def _total(frame: pl.DataFrame, column: str) -> Decimal | None:
    total: Decimal | None = frame.select(known_total(pl.col(column))).item()
    return total


def _measured(scope: Scope, table: str, total: Decimal | None) -> Decimal | None:
    return None if doubt(scope, table) else total


def _count(frame: pl.DataFrame, column: str) -> int:
    return int(frame[column].sum())

"""The five numbers as cards: what each is, its value, and what to know before quoting it."""

from dataclasses import replace

from analytics.reports.chain_names import chain_name
from analytics.reports.numerals import (
    UNKNOWN,
    bps,
    count,
    counted,
    dollars,
    moment,
    percent,
    period,
)
from analytics.reports.parts import Card
from analytics.reports.summary import Accrual, Deviation, Exits, Exposure, Income, Summary


def cards(numbers: Summary) -> tuple[Card, ...]:
    """Return one card per number, in the order of the sections."""
    made = {
        "income": _income(numbers.income),
        "accrual": _accrual(numbers.accrual),
        "liquidations": _liquidations(numbers.liquidations),
        "adls": _adls(numbers.adls),
        "deviation": _deviation(numbers.deviation),
        "exposure": _exposure(numbers.exposure),
    }
    return tuple(_doubted(card, numbers.doubts.get(part)) for part, card in made.items())


def _doubted(card: Card, why: str | None) -> Card:
    if why is None:
        return card
    return replace(card, value=UNKNOWN, second_value=UNKNOWN, details=(why,))


def _income(income: Income) -> Card:
    details = [f"{counted(income.fee_count, 'fee')} charged"]
    if income.unpriced_count:
        details.append(f"{count(income.unpriced_count)} of them without a price: a lower bound")
    if income.unsplit_count:
        details.append(f"split of {count(income.unsplit_count)} not known: revenue lacks them")
    return Card(
        label="Total fees",
        value=dollars(income.fees_usd),
        second_label="protocol revenue",
        second_value=dollars(income.revenue_usd),
        details=tuple(details),
    )


def _accrual(accrual: Accrual) -> Card:
    details = [counted(accrual.buyback_count, "purchase")]
    if accrual.unpriced_count:
        details.append(f"cost of {count(accrual.unpriced_count)} not known: a lower bound")
    return Card(
        label="Buybacks",
        value=dollars(accrual.spent_usd),
        second_label="executed, of revenue of those who bought",
        second_value=percent(accrual.buyback_ratio),
        details=tuple(details),
    )


def _liquidations(exits: Exits) -> Card:
    details = [counted(exits.event_count, "liquidation")]
    if exits.event_count:
        details.append(f"{percent(exits.long_ratio)} long, of what has a known side")
    return Card(
        label="Liquidated, one-sided",
        value=dollars(exits.notional_usd),
        second_label="accounts",
        second_value=count(exits.account_count),
        details=(*details, *_unknown(exits)),
    )


def _adls(exits: Exits) -> Card:
    details = (counted(exits.account_count, "account"), *_unknown(exits))
    return Card(
        "Closed by ADL", dollars(exits.notional_usd), "events", count(exits.event_count), details
    )


def _unknown(exits: Exits) -> list[str]:
    missing = exits.unknown_notional_count
    return [f"notional of {count(missing)} not known: a lower bound"] if missing else []


def _deviation(worst: Deviation | None) -> Card:
    label = "Worst oracle deviation"
    if worst is None:
        return Card(label, "n/k", "asset", "n/k", ("no two sources of one asset to compare",))
    source = f"{worst.protocol} on {chain_name(worst.chain_id)}"
    reference = f"{worst.reference_protocol} on {chain_name(worst.reference_chain_id)}"
    return Card(
        label=label,
        value=f"{bps(worst.deviation_bps)} bps",
        second_label="asset",
        second_value=f"{worst.asset}/{worst.quote}",
        details=(f"{source} against {reference}", moment(worst.block_timestamp), worst.tx_hash),
    )


def _exposure(exposure: Exposure) -> Card:
    if exposure.market_count == 0:
        details: tuple[str, ...] = ("no open interest in the covered blocks",)
    else:
        details = (
            f"peak in the {period(exposure.period_seconds)} from {moment(exposure.peak_at)}",
            f"end in the one from {moment(exposure.final_at)}, "
            f"{counted(exposure.market_count, 'market')}",
        )
    if exposure.unknown_market_count:
        missing = counted(exposure.unknown_market_count, "market")
        details = (*details, f"dollars of {missing} not known: a lower bound")
    if exposure.delta_market_count:
        partial = counted(exposure.delta_market_count, "market")
        details = (*details, f"{partial} only announcing changes: what was open before is missing")
    return Card(
        label="Peak open interest",
        value=dollars(exposure.peak_usd),
        second_label="at the end",
        second_value=dollars(exposure.final_usd),
        details=details,
    )

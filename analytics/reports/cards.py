"""The numbers that matter as cards: what each is, its value, its change, what to know first."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from analytics.plain_text import shortened, visible
from analytics.reports.chain_names import chain_name
from analytics.reports.numerals import (
    UNKNOWN,
    bps,
    change,
    clock,
    count,
    counted,
    dollars,
    exact,
    percent,
    period,
    short_dollars,
)
from analytics.reports.parts import Card, Origin
from analytics.reports.summary import (
    NO_TWO_SOURCES,
    Accrual,
    Deviation,
    Exits,
    Exposure,
    Income,
    Summary,
)

_PAIR = (
    *("asset", "quote", "chain_id", "protocol", "feed"),
    *("reference_chain_id", "reference_protocol", "reference_feed"),
)


def cards(numbers: Summary, before: Summary | None = None) -> tuple[Card, ...]:
    """
    Return one card per number, in the order of the sections.

    Args:
        numbers: the numbers.
        before: the same numbers of what they are compared with; None where that is not covered.
    """
    made = {
        "income": _income(numbers.income),
        "accrual": _accrual(numbers.accrual),
        "liquidations": _liquidations(numbers.liquidations),
        "adls": _adls(numbers.adls),
        "deviation": _deviation(numbers.deviation),
        "exposure": _exposure(numbers.exposure),
    }
    shown = [_doubted(card, numbers.doubts.get(part)) for part, card in made.items()]
    if before is None:
        return tuple(replace(card, change=UNKNOWN) for card in shown)
    pairs = zip(shown, _compared(numbers), _compared(before), strict=True)
    return tuple(replace(card, change=change(now, then)) for card, now, then in pairs)


def _compared(numbers: Summary) -> tuple[Decimal | float | None, ...]:
    worst = numbers.deviation
    return (
        numbers.income.fees_usd,
        numbers.accrual.spent_usd,
        numbers.liquidations.notional_usd,
        numbers.adls.notional_usd,
        None if worst is None else abs(worst.deviation_bps),
        numbers.exposure.peak_usd,
    )


def _money(value: Decimal | None, second: Decimal | None = None) -> dict[str, Any]:
    found = {"short": short_dollars(value), "exact": _digits(value)}
    if second is not None:
        found |= {"second_short": short_dollars(second), "second_exact": _digits(second)}
    return found


def _digits(value: Decimal | None) -> str:
    return "" if value is None else f"${exact(value)}"


def _doubted(card: Card, why: str | None) -> Card:
    if why is None:
        return card
    unknown: dict[str, Any] = {
        "value": UNKNOWN,
        "second_value": UNKNOWN,
        "short": "",
        "second_short": "",
    }
    return replace(card, **unknown, exact="", second_exact="", details=(why,))


def _income(income: Income) -> Card:
    details, is_empty = [f"{counted(income.fee_count, 'fee')} charged"], not income.fee_count
    if income.unpriced_count:
        without = f"{count(income.unpriced_count)} of them without a price"
        details.append(_lacking(without, income.fees_usd))
    if income.unsplit_count:
        unsplit = f"split of {count(income.unsplit_count)} not known"
        details.append(f"{unsplit}: revenue lacks all fees of their day, market and kind")
    return Card(
        label="Total fees",
        value=dollars(income.fees_usd),
        second_label="protocol revenue",
        second_value=dollars(income.revenue_usd),
        details=tuple(details),
        **_money(income.fees_usd, income.revenue_usd),
        origins=(
            Origin("fees", is_empty=is_empty),
            Origin("protocol_revenue", said="protocol revenue", is_empty=is_empty),
        ),
    )


def _accrual(accrual: Accrual) -> Card:
    details = [counted(accrual.buyback_count, "purchase")]
    if accrual.unpriced_count:
        without = f"cost of {count(accrual.unpriced_count)} not known"
        details.append(_lacking(without, accrual.spent_usd))
    buyer, settings = accrual.buyer, {"window_days": accrual.window_days}
    where = {} if buyer is None else {"protocol": buyer, "date": accrual.buyer_on}
    executed = Origin(
        "buyback_ratio", where, settings, said="executed", is_empty=not accrual.protocol_count
    )
    return Card(
        label="Buybacks",
        value=dollars(accrual.spent_usd),
        second_label="executed, of revenue of those who bought",
        second_value=percent(accrual.buyback_ratio),
        details=tuple(details),
        **_money(accrual.spent_usd),
        second_exact=exact(accrual.buyback_ratio),
        origins=(Origin("buybacks", is_empty=not accrual.buyback_count), executed),
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
        **_money(exits.notional_usd),
        origins=(Origin("liquidations", is_empty=not exits.event_count),),
    )


def _adls(exits: Exits) -> Card:
    return Card(
        label="Closed by ADL",
        value=dollars(exits.notional_usd),
        second_label="events",
        second_value=count(exits.event_count),
        details=(*_accounts(exits), *_unknown(exits)),
        **_money(exits.notional_usd),
        origins=(Origin("adls", is_empty=not exits.event_count),),
    )


def _accounts(exits: Exits) -> list[str]:
    return [] if exits.account_count is None else [counted(exits.account_count, "account")]


def _unknown(exits: Exits) -> list[str]:
    notional, account = exits.unknown_notional_count, exits.unknown_account_count
    lacking = _lacking(f"notional of {count(notional)} not known", exits.notional_usd)
    return [lacking] * (notional > 0) + [f"account of {count(account)} not known"] * (account > 0)


def _lacking(what: str, total: Decimal | None) -> str:
    """Say what a number lacks, and what it is where there is one all the same."""
    return what if total is None else f"{what}: a lower bound"


def _deviation(worst: Deviation | None) -> Card:
    label = "Worst oracle deviation"
    if worst is None:
        details = (NO_TWO_SOURCES,)
        origins = (Origin("oracle_deviation_extremes", is_empty=True),)
        return Card(label, UNKNOWN, "asset", UNKNOWN, details, origins=origins)
    source = f"{worst.protocol} on {chain_name(worst.chain_id)}"
    reference = f"{worst.reference_protocol} on {chain_name(worst.reference_chain_id)}"
    where = {name: getattr(worst, name) for name in _PAIR} | {"worst_at": worst.block_timestamp}
    # In longer periods, which begin before the report does, another update may be the worst.
    settings = {"bucket_seconds": worst.period_seconds}
    return Card(
        label=label,
        value=f"{bps(worst.deviation_bps)} bps",
        second_label="asset",
        second_value=shortened(visible(f"{worst.asset}/{worst.quote}")),
        details=(f"{source} against {reference}", clock(worst.block_timestamp), worst.tx_hash),
        exact=f"{exact(worst.deviation_bps)} bps",
        origins=(Origin("oracle_deviation_extremes", where, settings, with_past=True),),
    )


def _exposure(exposure: Exposure) -> Card:
    if exposure.market_count == 0:
        details: tuple[str, ...] = ("no open interest in the covered blocks",)
    elif exposure.peak_at is None:
        details = (counted(exposure.market_count, "market"),)
    else:
        details = (
            f"peak in the {period(exposure.period_seconds)} from {clock(exposure.peak_at)}",
            f"end in the one from {clock(exposure.final_at)}, "
            f"{counted(exposure.market_count, 'market')}",
        )
    if exposure.unknown_market_count:
        missing = counted(exposure.unknown_market_count, "market")
        details = (*details, _lacking(f"dollars of {missing} not known", exposure.peak_usd))
    if exposure.delta_market_count:
        partial = counted(exposure.delta_market_count, "market")
        details = (*details, f"{partial} only announcing changes: what was open before is missing")
    return Card(
        label="Peak open interest",
        value=dollars(exposure.peak_usd),
        second_label="at the end",
        second_value=dollars(exposure.final_usd),
        details=details,
        **_money(exposure.peak_usd, exposure.final_usd),
        origins=tuple(_open_at(exposure)),
    )


def _open_at(exposure: Exposure) -> Iterator[Origin]:
    settings = {"bucket_seconds": exposure.period_seconds}
    moments = {exposure.peak_at: "", exposure.final_at: "at the end"} | {exposure.peak_at: ""}
    for at, said in moments.items():
        where = {} if at is None else {"bucket_at": at}
        yield Origin(
            *("open_interest_total", where, settings),
            with_past=True,
            said=said,
            is_empty=at is None,
        )

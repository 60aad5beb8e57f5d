"""The five numbers: each equals its metric, and what nobody knows stays unknown."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from handmade import at, load, table, write_database
from report_rows import GMX, market, written_market

from analytics.compute import collected, compute
from analytics.errors import UserError, WorldError
from analytics.load import database
from analytics.reports import Limits, Summary, summary
from analytics.reports.cards import cards
from analytics.reports.scope import Scope

CENT = Decimal("0.01")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    """Return the summary of the small market."""
    return summary(written_market(tmp_path_factory.mktemp("summary")))


def metric(name: str, **settings: object) -> pl.DataFrame:
    """Return a metric of the small market, computed from its frames."""
    return collected(compute(name, load(**market()), **settings))


def test_income_is_the_metric(numbers: Summary) -> None:
    """Fees and revenue are the sums of their metrics, to the last digit."""
    income = numbers.income

    assert income.fees_usd == metric("fees")["fees_usd"].sum()
    assert income.fees_usd == Decimal("25.000000000000000001")
    assert income.revenue_usd == metric("protocol_revenue")["revenue_usd"].sum() == 8
    assert (income.fee_count, income.unsplit_count) == (3, 1)


def test_the_executed_ratio_is_the_metric_over_the_whole_time(numbers: Summary) -> None:
    """One window over all days, unknown because one day's revenue is unknown."""
    whole = metric("buyback_ratio", window_days=2).filter(pl.col("protocol") == "gmx_v2")

    assert numbers.accrual.spent_usd == metric("buybacks")["spent_usd"].sum() == 2
    assert numbers.accrual.buyback_ratio == whole["buyback_ratio"].last()
    assert numbers.accrual.buyback_ratio is None


def test_the_executed_ratio_counts_buyers_only(tmp_path: Path) -> None:
    """Revenue of a protocol that never bought is no part of the ratio."""
    earned = {"fee_usd": 8, "supply_side_usd": 0, "treasury_usd": 8, "holders_usd": 0}
    fees = table("fees", GMX | earned, earned | {"protocol": "idle"})

    result = summary(written_market(tmp_path, fees=fees))

    assert result.accrual.buyback_ratio == 0.25


def test_nothing_bought_is_an_executed_ratio_of_zero(tmp_path: Path) -> None:
    """Beside revenue of 8 of who declares buybacks; who declares none has no part in it."""
    earned = {"fee_usd": 8, "supply_side_usd": 0, "treasury_usd": 8, "holders_usd": 0}
    fees = table("fees", GMX | earned, earned | {"protocol": "idle"})
    declared = table("declared_facts", GMX | {"fact": "buybacks"})
    nothing = {"buybacks": table("buybacks"), "declared_facts": declared}

    result = summary(written_market(tmp_path, fees=fees, **nothing))

    assert result.accrual.buyback_ratio == 0


def test_liquidations_are_the_metric(numbers: Summary) -> None:
    """Notional adds up the metric; an account in two buckets counts once."""
    closed = metric("liquidations")

    result = numbers.liquidations

    assert result.notional_usd == closed["notional_usd"].sum() == 1_234_667
    assert (result.event_count, result.account_count) == (3, 2)
    assert result.long_ratio == 1_234_567 / 1_234_667
    assert result.unknown_notional_count == 1


def test_adls_are_the_metric(numbers: Summary) -> None:
    """Without an ADL notional is a zero and the long share is unknown."""
    assert numbers.adls.notional_usd == metric("adls")["notional_usd"].sum() == 0
    assert numbers.adls.event_count == 0
    assert numbers.adls.long_ratio is None


def test_nobody_told_is_no_account(tmp_path: Path) -> None:
    """Rows whose account is not told are no account; where none tells it, nobody knows how many."""
    told, nobody = ({**GMX, "notional_usd": 1, "account": account} for account in ("0xa", None))
    path = written_market(
        tmp_path,
        liquidations=table("liquidations", told, nobody, told, nobody),
        adls=table("adls", nobody),
    )

    result = summary(path)

    assert (result.liquidations.event_count, result.liquidations.account_count) == (4, 1)
    assert (result.adls.event_count, result.adls.account_count) == (1, None)
    details = {card.label: card.details for card in cards(result)}
    assert "account of 2 not known" in details["Liquidated, one-sided"]
    assert details["Closed by ADL"] == ("account of 1 not known",)


def test_a_lower_bound_is_of_a_number(tmp_path: Path) -> None:
    """Where no fee has a price there is no bound; of revenue all of a day's kind is missing."""
    nowhere = {**GMX, "fee_usd": None, "split_basis": "none"}
    path = written_market(tmp_path, fees=table("fees", nowhere))

    (fees,) = (card for card in cards(summary(path)) if card.label == "Total fees")

    assert (fees.value, fees.second_value) == ("n/k", "n/k")
    assert fees.details == (
        "1 fee charged",
        "1 of them without a price",
        "split of 1 not known: revenue lacks all fees of their day, market and kind",
    )


@pytest.mark.parametrize(("spent", "bound"), [(2, ": a lower bound"), (None, "")])
def test_a_purchase_of_unknown_cost_is_counted(
    tmp_path: Path, spent: int | None, bound: str
) -> None:
    """What was spent lacks it; where nothing else is known there is no bound."""
    rows = table("buybacks", GMX | {"spent_usd": spent}, GMX)

    (card,) = (
        card
        for card in cards(summary(written_market(tmp_path, buybacks=rows)))
        if card.label == "Buybacks"
    )

    lacking = 1 if spent else 2
    assert card.details == ("2 purchases", f"cost of {lacking} not known{bound}")
    assert card.value == ("$2.00" if spent else "n/k")


def test_a_text_has_no_count_of_what_nobody_tells(tmp_path: Path) -> None:
    """Two protocols tell of fees alone: no account was liquidated, as far as nobody knows."""
    none = {name: table(name) for name in ("liquidations", "adls", "oracle_updates")}
    declared = table("declared_facts", {**GMX, "fact": "fees"})

    lines = summary(written_market(tmp_path, declared_facts=declared, **none)).lines()

    assert lines[2] == "liquidated n/k one-sided, n/k accounts, n/k long"
    assert lines[3] == "ADL n/k in n/k events"
    assert lines[4].startswith("worst oracle deviation n/k (no two sources of one asset at most an")


@pytest.mark.parametrize(("since", "worst"), [(100.5, -250), (101, 100)])
def test_a_report_may_begin_within_a_second(tmp_path: Path, since: float, worst: int) -> None:
    """From half a second past 100 on the update of that second counts, and what is later."""
    price = {"asset": "ETH", "quote": "USD", "chain_id": 1}
    prices = ((0, "chainlink", 2000), (100.25, "gmx_v2", 1990), (100.75, "gmx_v2", 1950))
    updates = table(
        "oracle_updates",
        *(
            price | {"protocol": who, "oracle_price_quote": told, "block_timestamp": at(second)}
            for second, who, told in (*prices, (200, "gmx_v2", 2020))
        ),
    )

    numbers = summary(written_market(tmp_path, oracle_updates=updates), Limits(since=at(since)))

    assert numbers.deviation is not None
    assert numbers.deviation.deviation_bps == pytest.approx(worst)


def test_the_worst_deviation_is_in_the_metric(numbers: Summary) -> None:
    """The update furthest from another source, with its sign, sources and transaction."""
    compared = metric("oracle_deviation")

    worst = numbers.deviation

    assert worst is not None
    assert worst.deviation_bps == compared["deviation_bps"].min() == -250
    assert (worst.protocol, worst.reference_protocol) == ("gmx_v2", "chainlink")
    assert worst.tx_hash in compared["tx_hash"].to_list()


def test_open_interest_peaks_and_ends_as_the_metric(numbers: Summary) -> None:
    """With one market the peak and the end are those of the metric."""
    seconds = numbers.exposure.period_seconds
    both = metric("open_interest", bucket_seconds=seconds)["open_interest_long_usd"]

    assert numbers.exposure.peak_usd is None
    assert (both.max(), both.last()) == (900, 500)


def test_a_single_moment_has_the_shortest_period(tmp_path: Path) -> None:
    """One block lasts no time: its open interest is that of a minute, not of the week around it."""
    told = GMX | {"open_interest_usd": 10, "block_timestamp": at(61)}
    sides = table("open_interest", *(told | {"is_long": is_long} for is_long in (True, False)))
    path = written_market(tmp_path, open_interest=sides)

    exposure = summary(path, Limits(since=at(61), until=at(61))).exposure

    assert (exposure.peak_at, exposure.period_seconds) == (at(60), 60)


def test_open_interest_adds_markets_that_are_silent(tmp_path: Path) -> None:
    """A market keeps its last value while another speaks; the peak is of the sum."""
    rows = [
        GMX
        | {"market": name, "is_long": side, "open_interest_usd": usd}
        | {"block_timestamp": at(hours * 3600), "block_number": 100 + hours}
        for name, side, usd, hours in (
            *(("A", True, 10, 0), ("A", False, 0, 0)),
            *(("B", True, 5, 1), ("B", False, 7, 1)),
            *(("A", True, 1, 2),),
        )
    ]

    result = summary(written_market(tmp_path, open_interest=table("open_interest", *rows))).exposure

    assert [result.peak_usd, result.final_usd] == [Decimal(22), Decimal(13)]
    assert result.peak_at is not None
    assert result.peak_at < at(7200)


def test_open_interest_below_zero_is_not_known(tmp_path: Path) -> None:
    """A position whose opening was not indexed is closed: nobody was short of open interest."""
    closed = {"open_interest_usd": None, "open_interest_delta_usd": -5}
    facts = table("open_interest", closed | {"is_long": True, "block_timestamp": at(60)})

    result = summary(written_market(tmp_path, open_interest=facts)).exposure

    assert (result.peak_usd, result.final_usd) == (None, None)
    assert (result.market_count, result.delta_market_count) == (1, 1)


def test_a_peak_that_is_not_known_has_no_time_and_bounds_nothing(numbers: Summary) -> None:
    """The card says which markets there are, and no week or bound of a number that is missing."""
    card = next(each for each in cards(numbers) if each.label == "Peak open interest")

    assert card.value == "n/k"
    assert card.details == ("1 market", "dollars of 1 market not known")


def test_cards_print_the_summary(numbers: Summary) -> None:
    """What the cards show is what the summary holds, rounded to the cent."""
    shown = {card.label: card for card in cards(numbers)}

    assert shown["Total fees"].value == "$25.00"
    assert shown["Total fees"].second_value == "$8.00"
    assert shown["Liquidated, one-sided"].value == "$1,234,667.00"
    assert shown["Worst oracle deviation"].value == "-250.0 bps"
    assert shown["Closed by ADL"].value == "$0"
    assert shown["Peak open interest"].value == "n/k"


def test_lines_are_five(numbers: Summary) -> None:
    """The text to print has one line per number."""
    lines = numbers.lines()

    assert len(lines) == 5
    assert lines[0] == "fees $25.00, protocol revenue $8.00"


def test_limits_hold_for_every_number(tmp_path: Path) -> None:
    """A protocol, a chain or a time leaves out everything else, and never what came before."""
    path = written_market(tmp_path)

    late = summary(path, Limits(since=at(3600), until=at(7200)))
    other = summary(path, Limits(protocol="maple"))
    chain = summary(path, Limits(chain_id=1))

    assert late.income.fees_usd == 10
    assert late.liquidations.event_count == 0
    assert other.income.fee_count == chain.income.fee_count == 0


@pytest.mark.parametrize("limits", [Limits(protocol="gmx_v2"), Limits(chain_id=42161)])
def test_an_oracle_is_compared_with_those_of_others(tmp_path: Path, limits: Limits) -> None:
    """Limits are about the source that is off; another chain's is one of the two in the query."""
    price = {"asset": "ETH", "oracle_price_quote": 2000}
    own = {"protocol": "gmx_v2", "chain_id": 42161, "feed": "0xg", "block_timestamp": at(60)}
    updates = [
        price | {"protocol": "chainlink", "chain_id": 1},
        price | own | {"oracle_price_quote": 1500},
        price | {"protocol": "chainlink", "chain_id": 10},
        price | {"protocol": "chainlink", "chain_id": 10, "block_timestamp": at(120)},
    ]
    path = written_market(tmp_path, oracle_updates=table("oracle_updates", *updates))

    with database(path) as con:
        scope = Scope(con, limits)
        compared = scope.metric("oracle_deviation")
        off = scope.query("oracle_off")

    assert summary(path, limits).deviation is not None
    assert compared["deviation_bps"].to_list() == [-2500, -2500]
    assert off.select("chain_id", "reference_chain_id").rows() == [(10, 42161), (1, 42161)]


def test_no_limit_of_time_is_lost_between_two_oracles(tmp_path: Path) -> None:
    """Of three prices the two within the time are compared, at the moment of the last."""
    path = written_market(tmp_path)

    with database(path) as con:
        compared = Scope(con, Limits(protocol="chainlink", since=at(1))).metric("oracle_deviation")

    assert compared["block_timestamp"].to_list() == [at(120)]


def test_nothing_indexed_is_one_sentence(tmp_path: Path) -> None:
    """An empty database has no numbers; it says what to do."""
    path = write_database(tmp_path / "empty.duckdb", {})

    with pytest.raises(WorldError, match="nothing is indexed in this database: run `perpscope"):
        summary(path)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (
            Limits(protocol="dydx"),
            "protocol dydx is not in this database: it has chainlink, gmx_v2",
        ),
        (Limits(chain_id=10), "chain optimism is not in this database: it has arbitrum, ethereum"),
        (Limits(since=at(9), until=at(1)), "swap the times"),
    ],
)
def test_impossible_limits_are_refused(tmp_path: Path, limits: Limits, said: str) -> None:
    """A protocol or chain that is not there, and a time that runs backwards, are mistakes."""
    path = written_market(tmp_path)

    with pytest.raises(UserError, match=said):
        summary(path, limits)


def test_prices_of_others_and_of_before_are_kept(tmp_path: Path) -> None:
    """Limits narrow the fees of a report, not the prices they are valued at."""
    fee = {"fee_token": "0xt", "fee_tokens": 2}
    update = {"protocol": "oracle", "chain_id": 2, "asset": "ETH", "oracle_price_quote": 10}
    token = {"address": "0xt", "symbol": "ETH", "decimals": 18, "known_by": "call"}
    frames = {
        "fees": table("fees", fee, fee | {"block_timestamp": at(60)}),
        "oracle_updates": table("oracle_updates", update),
        "tokens": table("tokens", token),
    }
    path = write_database(tmp_path / "fees.duckdb", frames)

    with database(path) as con:
        scope = Scope(con, Limits(protocol="venue", chain_id=1, since=at(30)))
        valued = scope.metric("fees_valued")

    assert valued.select("fee_count", "valued_usd").row(0) == (1, 20)

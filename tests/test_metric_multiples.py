"""Multiples and discounted income on tables small enough to compute in the head."""

import polars as pl
import pytest
from both_engines import agreed, price_multiples
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import UserError
from analytics.metrics.multiples import discounted_cash_flow

FEE: dict[str, object] = {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 3, "holders_usd": 1}
# A thousand tokens, of which 270 are out of reach.
SUPPLY = {"token": "0xt", "supply_tokens": 1000, "dead_tokens": 270, "block_timestamp": at(60)}
GOV = {"address": "0xt", "symbol": "Gov", "decimals": 18, "known_by": "call"}
PRICE = {"asset": "GOV", "oracle_price_quote": 5}

rates = st.floats(-0.5, 0.5)


def multiples(
    *prices: dict[str, object],
    supplies: tuple[dict[str, object], ...] = (SUPPLY,),
    fees: tuple[dict[str, object], ...] = (FEE,),
    named: tuple[dict[str, object], ...] = (GOV,),
    window_days: int = 1,
    tolerance_seconds: int = 86_400,
) -> pl.DataFrame:
    """Return the multiples of a token with ten dollars of fees a day, under these prices."""
    return price_multiples(
        table("fees", *fees).lazy(),
        table("token_supplies", *supplies).lazy(),
        table("tokens", *named).lazy(),
        table("oracle_updates", *prices).lazy(),
        window_days=window_days,
        tolerance_seconds=tolerance_seconds,
    ).collect()


def test_a_multiple_is_years_of_income() -> None:
    """730 tokens at 5 dollars are 3,650: a year of fees, 2.5 of revenue, 10 of the holders'."""
    result = multiples(PRICE)

    assert column(result, "market_cap_usd") == [3650.0]
    assert column(result, "fees_annual_usd") == [3650.0]
    assert column(result, "price_to_fees_years") == [1.0]
    assert column(result, "price_to_revenue_years") == [2.5]
    assert column(result, "price_to_holders_revenue_years") == [10.0]


def test_the_price_is_the_latest_before_the_reading() -> None:
    """Not an older one, not one after it, not one in another currency, and not a zero."""
    result = multiples(
        PRICE,
        PRICE | {"oracle_price_quote": "0.7", "block_timestamp": at(30)},
        PRICE | {"oracle_price_quote": 8, "block_timestamp": at(40), "quote": "EUR"},
        PRICE | {"oracle_price_quote": 0, "block_timestamp": at(50)},
        PRICE | {"oracle_price_quote": 9, "block_timestamp": at(61)},
    )

    assert column(result, "price_usd") == ["0.7"]
    assert result["priced_at"].to_list() == [at(30)]


def test_blocks_of_two_chains_are_not_compared() -> None:
    """Of three prices in one second that of the lowest chain counts that its last block told."""
    prices = (
        PRICE | {"block_number": 8},
        PRICE | {"block_number": 9, "oracle_price_quote": 6},
        PRICE | {"block_number": 400, "oracle_price_quote": 7, "chain_id": 2},
    )

    assert column(multiples(*prices), "price_usd") == ["6"]


def test_a_bridged_token_has_the_name_of_where_it_is_bought() -> None:
    """Its supply is read on chain 2, and only chain 1 knows the address."""
    result = multiples(PRICE, supplies=(SUPPLY | {"chain_id": 2},))

    assert column(result, "symbol") == ["Gov"]
    assert column(result, "market_cap_usd") == [3650.0]


# 511 and 219 tokens within reach: the 730 of the other tests, on two chains.
HERE = SUPPLY | {"supply_tokens": 700, "dead_tokens": 189}
THERE = SUPPLY | {"chain_id": 2, "token": "0xu", "supply_tokens": 300, "dead_tokens": 81}
GOV_THERE = GOV | {"chain_id": 2, "address": "0xu"}


def test_a_token_on_two_chains_is_one_token() -> None:
    """730 of them at 5 dollars are a year of the fees of both chains, not 0.7 and 0.3 of one."""
    result = multiples(PRICE, supplies=(HERE, THERE), named=(GOV, GOV_THERE))
    value = discounted_cash_flow(result.lazy(), discount_ratio=0.1, years=0).collect()

    assert result.select("symbol", "token_count").rows() == [("Gov", 2)]
    assert column(result, "supply_tokens") == ["1000"]
    assert column(result, "dead_tokens") == ["270"]
    assert column(result, "price_to_fees_years") == [1.0]
    assert column(value, "value_usd_per_token") == [5.0]
    assert column(value, "value_to_market_ratio") == [1.0]


def test_two_symbols_are_two_tokens() -> None:
    """So is one that has no symbol: nobody says what it is a part of."""
    other = GOV_THERE | {"symbol": "Other"}

    assert column(multiples(supplies=(HERE, THERE), named=(GOV, other)), "symbol") == [
        "Gov",
        "Other",
    ]
    assert column(multiples(supplies=(HERE, THERE)), "symbol") == ["0xu", "Gov"]


def test_a_part_that_was_not_read_leaves_the_whole_unknown() -> None:
    """The second chain is read from the second day on, and on the third it is not."""
    days = [HERE | {"block_timestamp": at(days=day)} for day in range(3)]
    late = THERE | {"block_timestamp": at(days=1)}

    result = multiples(supplies=(*days, late), named=(GOV, GOV_THERE))

    assert column(result, "supply_tokens") == ["700", "1000", None]
    assert column(result, "token_count") == [1, 2, 2]


def test_each_chain_counts_with_its_last_reading_of_the_day() -> None:
    """A later reading takes the place of an earlier one of its own chain alone."""
    early = HERE | {"supply_tokens": 9, "block_timestamp": at(), "block_number": 1}
    later = HERE | {"block_number": 2}

    result = multiples(supplies=(later, early, THERE), named=(GOV, GOV_THERE))

    assert column(result, "supply_tokens") == ["1000"]


def test_an_old_price_is_no_price() -> None:
    """A price of a minute ago counts when a minute is tolerated, and not below that."""
    assert column(multiples(PRICE, tolerance_seconds=60), "market_cap_usd") == [3650.0]
    old = multiples(PRICE, tolerance_seconds=59)
    assert column(old, "market_cap_usd") == [None]
    assert column(old, "price_to_fees_years") == [None]
    assert column(old, "priced_at") == [None]


def test_a_reading_on_a_day_without_fees_has_the_window_before_it() -> None:
    """Ten dollars yesterday are five a day over two days, and ten with ten more today."""
    tomorrow = SUPPLY | {"block_timestamp": at(days=1)}
    fees = (FEE, FEE | {"block_timestamp": at(days=1)})

    once = multiples(PRICE, supplies=(tomorrow,), window_days=2)
    twice = multiples(PRICE, supplies=(tomorrow,), fees=fees, window_days=2)

    assert column(once, "fees_annual_usd") == [1825.0]
    assert column(twice, "fees_annual_usd") == [3650.0]


def test_no_multiple_before_the_window_is_full() -> None:
    """One day of fees is no month of fees: null."""
    assert column(multiples(PRICE, window_days=30), "price_to_fees_years") == [None]


def test_no_income_has_no_multiple() -> None:
    """A price over nothing is not infinite but null."""
    nothing: dict[str, object] = dict.fromkeys(FEE, 0)

    assert column(multiples(PRICE, fees=(nothing,)), "price_to_fees_years") == [None]


def test_a_token_of_a_protocol_that_charges_nothing_has_a_market_value() -> None:
    """Of its income nothing is known: its row stays, and has no multiple."""
    result = multiples(PRICE, fees=())

    assert column(result, "market_cap_usd") == [3650.0]
    assert column(result, "fees_annual_usd") == [None]


def test_a_token_without_a_symbol_goes_by_its_name() -> None:
    """Where a venue names its token GOV, a price of GOV is its price."""
    named = SUPPLY | {"token": "GOV"}

    assert column(multiples(PRICE, supplies=(named,)), "market_cap_usd") == [3650.0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window_days": 0}, "window_days must be at least 1"),
        ({"tolerance_seconds": -1}, "tolerance_seconds must be at least 0"),
    ],
)
def test_a_window_and_a_tolerance_are_lengths(settings: dict[str, int], message: str) -> None:
    """Neither an empty window nor a negative tolerance is one."""
    with pytest.raises(ValueError, match=message):
        multiples(PRICE, **settings)  # type: ignore[arg-type]


# --- discounted income ----------------------------------------------------------------------------


def worth(**assumptions: float) -> pl.DataFrame:
    """Return what 365 dollars a year to holders are worth under these assumptions."""
    rows = {"fees": FEE, "token_supplies": SUPPLY, "tokens": GOV, "oracle_updates": PRICE}
    frames = {name: table(name, row) for name, row in rows.items()}
    return agreed("discounted_cash_flow", frames, **{"window_days": 1} | assumptions)


def test_a_perpetuity_is_income_over_its_rate() -> None:
    """365 dollars a year for ever at 10 % are 3,650: 5 a token, and what the market pays."""
    result = worth(discount_ratio=0.1, years=0)

    assert column(result, "value_usd") == [3650.0]
    assert column(result, "value_usd_per_token") == [5.0]
    assert column(result, "value_to_market_ratio") == [1.0]


def test_what_a_multiple_rests_on_is_a_setting_of_the_value() -> None:
    """One day of fees is no month of them, and a price of a minute ago is not one of 59 s."""
    assert column(worth(window_days=30), "value_usd") == [None]
    assert column(worth(tolerance_seconds=60), "market_cap_usd") == [3650.0]
    assert column(worth(tolerance_seconds=59), "market_cap_usd") == [None]


def test_years_without_growth_change_nothing() -> None:
    """A perpetuity is worth the same, however many of its years are counted one by one."""
    assert worth(discount_ratio=0.1, years=7)["value_usd"].item() == pytest.approx(3650)


def test_one_year_of_growth_is_one_year() -> None:
    """365 doubled and discounted by half is 365 * 4/3, and what follows is 4/3 of its value."""
    # q = 2 / 1.5; afterwards 730 for ever at 50 %, a year away.
    result = worth(growth_ratio=1.0, discount_ratio=0.5, years=1)

    assert result["value_usd"].item() == pytest.approx(365 * (4 / 3) * (1 + 2))


@given(rates, st.floats(0.06, 0.9), st.integers(0, 40))
def test_the_factor_is_the_sum_of_its_years(growth: float, discount: float, years: int) -> None:
    """Horner's rule gives what adding year by year gives."""
    q = (1 + growth) / (1 + discount)
    summed = sum(q**year for year in range(1, years + 1)) + q**years * 1.05 / (discount - 0.05)

    found = worth(
        growth_ratio=growth, discount_ratio=discount, years=years, terminal_growth_ratio=0.05
    )

    assert found["value_usd"].item() == pytest.approx(365 * summed)


@pytest.mark.parametrize(
    ("assumptions", "message"),
    [
        ({"discount_ratio": 0.05, "terminal_growth_ratio": 0.05}, "discount_ratio must be above"),
        ({"discount_ratio": 100.0}, "discount_ratio must be above"),
        ({"terminal_growth_ratio": -1.0}, "discount_ratio must be above"),
        ({"growth_ratio": 100.0}, "growth_ratio must be above -1"),
        ({"growth_ratio": -1.0}, "growth_ratio must be above -1"),
        ({"growth_ratio": float("nan")}, "growth_ratio must be above -1"),
        ({"years": -1}, "years must be at least 0"),
    ],
)
def test_impossible_assumptions_are_refused(assumptions: dict[str, float], message: str) -> None:
    """Growth for ever as fast as the discount is worth infinity, and income is not below zero."""
    with pytest.raises(UserError, match=message):
        worth(**assumptions)

"""Values of tokens at an oracle's price: which price, how exact, and when there is none."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import agreed
from handmade import at, column, load, table, units
from hypothesis import example, given
from hypothesis import strategies as st

from analytics.compute import compute
from analytics.errors import UserError

ONE = 10**18
USDC = {"address": "0xusdc", "symbol": "usdc", "decimals": 6, "known_by": "call"}
WETH = {"address": "0xweth", "symbol": "WETH", "decimals": 18, "known_by": "declaration"}
FEE = {"fee_token": "0xweth", "fee_tokens": 2, "fee_usd": None, "block_timestamp": at(100)}
ETH = {"asset": "ETH", "protocol": "chainlink", "feed": "0xagg"}


def price(source: Mapping[str, object], seconds: float, usd: object) -> dict[str, object]:
    """Return an update this long after 21:00."""
    return dict(source) | {"block_timestamp": at(seconds), "oracle_price_quote": usd}


def frames(
    *prices: Mapping[str, object], fee: Mapping[str, object] | None = None
) -> dict[str, pl.DataFrame]:
    """Return a fee of two WETH at second 100, unless changed, and these prices."""
    return {
        "fees": table("fees", FEE | dict(fee or {})),
        "tokens": table("tokens", USDC, WETH),
        "oracle_updates": table("oracle_updates", *prices),
    }


def valued(
    *prices: Mapping[str, object], fee: Mapping[str, object] | None = None, **settings: float | str
) -> pl.DataFrame:
    """Return the value of that fee."""
    return agreed("income_valuations", frames(*prices, fee=fee), **settings)


def test_an_amount_is_worth_its_price_of_then() -> None:
    """Two WETH are two ETH: at 3,000 dollars, told a minute before, 6,000."""
    result = valued(price(ETH, 40, 3000))

    assert column(result, "value_usd") == ["6000"]
    assert column(result, "age_seconds") == [60.0]
    assert column(result, "symbol") == ["WETH"]
    assert column(result, "symbol_known_by") == ["declaration"]


def test_a_value_names_the_update_its_price_was_told_by() -> None:
    """Source, transaction and kind of evidence of the price stand beside the value."""
    result = valued(price(ETH, 40, 3000) | {"tx_hash": "0xtold", "evidence": "state"})

    names = ("price_chain_id", "price_protocol", "price_feed", "price_tx_hash", "price_evidence")
    assert result.select(names).row(0) == (1, "chainlink", "0xagg", "0xtold", "state")
    assert column(result, "price_at") == [at(40)]


def test_a_price_after_the_event_is_never_used() -> None:
    """One second after the fee the price halves; before, nobody has told one."""
    assert column(valued(price(ETH, 0, 10), price(ETH, 101, 5)), "value_usd") == ["20"]
    assert column(valued(price(ETH, 101, 5)), "value_usd") == [None]


@pytest.mark.parametrize(("tolerance_seconds", "value"), [(100, "20"), (99, None)])
def test_no_price_is_near_enough_beyond_the_tolerance(
    tolerance_seconds: int, value: str | None
) -> None:
    """A price of 100 s counts within 100 s; else the value is unknown, and so is the price."""
    result = valued(price(ETH, 0, 10), tolerance_seconds=tolerance_seconds)

    assert column(result, "value_usd") == [value]
    assert column(result, "price_usd") == ["10" if value else None]


def test_of_one_second_the_nearest_source_counts() -> None:
    """The venue's own price, else one of its chain, else any; a later one comes before all."""
    own = price(ETH | {"protocol": "venue", "feed": "0xweth"}, 50, 1)
    near = price(ETH, 50, 2)
    far = price(ETH | {"chain_id": 0}, 50, 3)
    later = price(ETH | {"chain_id": 9}, 51, 4)

    assert column(valued(far, near, own), "value_usd") == ["2"]
    assert column(valued(far, near), "value_usd") == ["4"]
    assert column(valued(far), "value_usd") == ["6"]
    assert column(valued(far, near, own, later), "value_usd") == ["8"]


def test_a_dollar_is_not_assumed() -> None:
    """USDC that nobody prices is worth nothing known, unless a reader says it is at par."""
    fee = {"fee_token": "0xusdc"}

    assert column(valued(fee=fee), "value_usd") == [None]
    assert column(valued(fee=fee, par_symbols="DAI, usdc"), "value_usd") == ["2"]
    assert column(valued(fee=fee, par_symbols="usdc"), "price_evidence") == ["assumed"]


def test_a_measured_price_comes_before_an_assumed_one() -> None:
    """USDC at 0.9 is worth that, whatever a reader takes to be at par."""
    depegged = price({"asset": "USDC"}, 50, "0.9")

    result = valued(depegged, fee={"fee_token": "0xusdc"}, par_symbols="USDC")

    assert column(result, "value_usd") == ["1.8"]
    assert column(result, "price_evidence") == ["event"]


def test_what_is_told_in_dollars_is_worth_them() -> None:
    """A dollar is worth one, whatever a source says or a reader takes to be at par."""
    told = price({"asset": "USD"}, 50, "0.9")

    result = valued(told, fee={"fee_token": "USD"}, par_symbols="usd")

    names = ("symbol", "symbol_known_by", "price_usd", "price_evidence", "price_at", "value_usd")
    assert result.select(names).row(0) == ("USD", "declaration", 1, "denomination", None, 2)


def test_a_token_that_calls_itself_usd_is_no_dollar() -> None:
    """The currency is known by the column, where a token has its address."""
    named = USDC | {"symbol": "USD"}
    tables = frames(fee={"fee_token": "0xusdc"}) | {"tokens": table("tokens", named)}

    result = agreed("income_valuations", tables)

    assert column(result, "symbol") == ["USD"]
    assert column(result, "value_usd") == [None]


@pytest.mark.parametrize("currency", ["EUR", "GBP", "CHF", "ETH"])
def test_what_is_told_in_another_currency_is_worth_what_a_source_says(currency: str) -> None:
    """Two at 1.25 dollars are 2.5; of other words that are no address nothing is known."""
    told = price({"asset": currency}, 50, "1.25")
    other = price({"asset": "HYPE"}, 50, 40)

    assert column(valued(told, fee={"fee_token": currency}), "value_usd") == ["2.5"]
    assert column(valued(fee={"fee_token": currency}), "value_usd") == [None]
    assert column(valued(other, fee={"fee_token": "HYPE"}), "value_usd") == [None]


@pytest.mark.parametrize(
    "update",
    [
        price(ETH | {"quote": "EUR"}, 50, 10),
        price(ETH | {"asset": None}, 50, 10),
        price(ETH | {"asset": "STETH"}, 50, 10),
        price(ETH, 50, 0),
        price(ETH, 50, -1),
        price(ETH, 50, 5 * 10**19),
    ],
)
def test_without_a_sound_price_in_dollars_a_value_is_unknown(update: dict[str, object]) -> None:
    """Other quotes, other assets, prices of zero and values beyond all dollars give null."""
    assert column(valued(update), "value_usd") == [None]


def test_a_value_is_known_up_to_what_a_column_holds() -> None:
    """What still fits DECIMAL(38,18) with a margin has a value: twice 4.4e19."""
    assert column(valued(price(ETH, 50, 44 * 10**18)), "value_usd") == ["88000000000000000000"]


def test_a_token_nobody_named_has_no_value() -> None:
    """Without a symbol there is no asset to price."""
    result = valued(price(ETH, 0, 10), fee={"fee_token": "0xnobody"})

    assert column(result, "symbol") == [None]
    assert column(result, "value_usd") == [None]


def test_what_is_told_in_dollars_is_not_valued() -> None:
    """Neither a fee in dollars nor one of an unknown amount is asked for a price."""
    assert valued(price(ETH, 0, 10), fee={"fee_usd": 7}).is_empty()
    assert valued(price(ETH, 0, 10), fee={"fee_tokens": None}).is_empty()


def half_even(amount: int, usd: int) -> int:
    """Return the product of two numbers of units of 1e-18, rounded half to even at the last."""
    whole, rest = divmod(abs(amount) * usd, ONE)
    up = rest * 2 > ONE or (rest * 2 == ONE and whole % 2 == 1)
    return (whole + up) * (-1 if amount < 0 else 1)


@example(9_999_999_999_999_999_046_325_683_594, 999_999_999_999_999_940_395_355_225)
@given(
    st.integers(-(10**28), 10**28)
    | st.sampled_from([5 * 10**17, 15 * 10**17, -25 * 10**17, ONE - 1]),
    st.integers(1, 10**27) | st.sampled_from([1, 3, ONE - 1, ONE + 1]),
)
def test_a_value_is_exact_in_both_engines(amount: int, usd: int) -> None:
    """The product is exact to 38 digits, and only then rounded; SQL says the same."""
    result = valued(price(ETH, 0, units(usd)), fee={"fee_tokens": units(amount)})

    assert result["value_usd"].to_list() == [units(half_even(amount, usd))]


def test_fees_in_tokens_join_those_in_dollars() -> None:
    """One fee of 7 dollars, one of two WETH at 10, one without a price: 27 dollars are known."""
    fee, other = FEE | {"market": "BTC"}, FEE | {"market": "ETH"}
    tables = frames(price(ETH, 0, 10)) | {
        "fees": table("fees", fee | {"fee_usd": 7}, fee, fee | {"fee_token": "0xusdc"}, other)
    }

    result = agreed("fees_valued", tables)

    assert column(result, "told_usd") == ["7", "0"]
    assert column(result, "valued_usd") == ["20", "20"]
    assert column(result, "fees_usd") == ["27", "20"]
    assert result.select("fee_count", "valued_count", "unpriced_count").rows() == [
        (3, 1, 1),
        (1, 1, 0),
    ]


def test_nothing_to_value_is_zero_and_nothing_valued_is_unknown() -> None:
    """A fee of 7 dollars leaves nothing to value; one of a token without a price is worth n/k."""
    told = FEE | {"market": "BTC", "fee_tokens": None, "fee_usd": 7}
    tables = frames(price(ETH, 0, 10)) | {
        "fees": table("fees", told, FEE | {"fee_token": "0xusdc"})
    }

    result = agreed("fees_valued", tables).sort("market", nulls_last=True)

    assert column(result, "told_usd") == ["7", "0"]
    assert column(result, "valued_usd") == ["0", None]
    assert column(result, "fees_usd") == ["7", None]


def test_purchases_in_tokens_join_those_in_dollars() -> None:
    """5 dollars told, and one WETH at 10."""
    spent = {"spent_token": "0xweth", "spent_tokens": 1, "block_timestamp": at(1)}
    tables = frames(price(ETH, 0, 10)) | {
        "buybacks": table("buybacks", spent | {"spent_usd": 5}, spent)
    }

    result = agreed("buybacks_valued", tables)

    assert column(result, "spent_usd") == ["15"]
    assert column(result, "valued_usd") == ["10"]
    assert column(result, "unpriced_count") == [0]


def purchases(
    *bought: Mapping[str, object], prices: tuple[dict[str, object], ...] = ()
) -> pl.DataFrame:
    """Return what two ETH cost that were bought at second 100, with WETH at 10 and USDC at 0.5."""
    told = (price(ETH, 0, 10), price({"asset": "USDC"}, 0, "0.5"), *prices)
    own = {"bought_token": "0xweth", "bought_tokens": 2, "block_timestamp": at(100)}
    tables = frames(*told) | {"buybacks": table("buybacks", *(own | dict(each) for each in bought))}
    return agreed("buyback_prices", tables)


def test_a_purchase_is_held_against_the_price_of_then() -> None:
    """Two at 10 are worth 20: 25 dollars are a quarter too much, 18 a tenth less."""
    result = purchases({"spent_usd": 25}, {"spent_usd": 18, "log_index": 1})

    assert column(result, "value_usd") == ["20", "20"]
    assert column(result, "paid_price_usd") == [12.5, 9.0]
    assert column(result, "premium_bps") == [2500.0, -1000.0]
    assert column(result, "age_seconds") == [100.0, 100.0]


def test_a_purchase_in_tokens_costs_what_they_were_worth() -> None:
    """44 USDC at half a dollar are 22: a tenth above what an oracle said; told dollars stand."""
    usdc = {"spent_token": "0xusdc", "spent_tokens": 44}

    result = purchases(usdc, usdc | {"spent_usd": 20, "log_index": 1})

    assert column(result, "spent_usd") == ["22", "20"]
    assert column(result, "premium_bps") == [1000.0, 0.0]


def test_a_price_told_after_a_purchase_is_not_its_own() -> None:
    """The purchase may have moved it."""
    assert column(purchases({"spent_usd": 20}, prices=(price(ETH, 101, 11),)), "premium_bps") == [0]


@pytest.mark.parametrize(
    ("bought", "paid", "worth"),
    [
        ({}, None, "20"),
        ({"spent_token": "0xnobody", "spent_tokens": 1}, None, "20"),
        ({"spent_usd": 20, "bought_token": "0xnobody"}, 10.0, None),
        ({"spent_usd": 20, "bought_tokens": 0}, None, "0"),
    ],
)
def test_without_a_cost_or_a_price_a_premium_is_unknown(
    bought: dict[str, object], paid: float | None, worth: str | None
) -> None:
    """A purchase stays a row: burned without a cost, for a token without a price, or of nothing."""
    result = purchases(bought)

    assert column(result, "paid_price_usd") == [paid]
    assert column(result, "value_usd") == [worth]
    assert column(result, "premium_bps") == [None]


def flows_valued(*flows: Mapping[str, object]) -> dict[str, list[object]]:
    """
    Return the day of flows of WETH at 10 dollars, told before, and 20 from second 50 on; the log of
    the first one tells 99 WETH of the pool as well.
    """
    own = {"asset_token": "0xweth", "block_timestamp": at(1)}
    tables = frames(price(ETH, 0, 10), price(ETH, 50, 20)) | {
        "pool_flows": table("pool_flows", *({**own, "asset_tokens": 1, **flow} for flow in flows)),
        "pool_states": table("pool_states", own | {"assets_tokens": 99}),
    }
    result = agreed("net_flows_valued", tables)
    return {name: column(result, name) for name in result.columns}


def test_flows_count_at_their_price_of_then() -> None:
    """Three in at 10 and one out at 20 leave 10 dollars; a dividend is no flow."""
    told = flows_valued(
        {"kind": "deposit", "asset_tokens": 2},
        {"kind": "mint"},
        {"kind": "redemption", "block_timestamp": at(60)},
        {"kind": "dividend", "asset_tokens": 99},
    )

    assert (told["inflow_usd"], told["outflow_usd"], told["net_usd"]) == (["30"], ["20"], ["10"])
    assert (told["flow_count"], told["valued_count"], told["unpriced_count"]) == ([3], [3], [0])


def test_a_flow_without_a_value_leaves_the_net_unknown() -> None:
    """Of an unknown amount, or before any price: counted, not added; no flow that way is zero."""
    silent = flows_valued({"kind": "deposit"}, {"kind": "deposit", "asset_tokens": None})
    early = flows_valued({"kind": "withdrawal", "block_timestamp": at(-1)})

    assert (silent["inflow_usd"], silent["outflow_usd"], silent["net_usd"]) == (
        ["10"],
        ["0"],
        [None],
    )
    assert silent["unpriced_count"] == [1]
    assert (early["inflow_usd"], early["outflow_usd"], early["net_usd"]) == (["0"], [None], [None])


def test_pools_and_assets_stay_apart() -> None:
    """A row for each pool and each asset of a day."""
    told = flows_valued(
        {"kind": "deposit"},
        {"kind": "deposit", "pool": "0xother"},
        {"kind": "deposit", "asset_token": "0xusdc"},
        {"kind": "deposit", "block_timestamp": at(days=1)},
    )

    assert told["pool"] == ["0xother", "0xpool", "0xpool", "0xpool"]
    assert told["inflow_usd"] == ["10", None, "10", "20"]


def test_every_amount_of_a_loan_has_its_own_value() -> None:
    """Principal and a loss taken back in USDC at 0.5, collateral in WETH at 10."""
    event = {
        "asset_token": "0xusdc",
        "principal_tokens": 100,
        "loss_tokens": -4,
        "collateral_token": "0xweth",
        "collateral_tokens": 3,
        "block_timestamp": at(1),
    }
    tables = frames(price(ETH, 0, 10), price({"asset": "USDC"}, 0, "0.5")) | {
        "credit_events": table("credit_events", event)
    }

    result = agreed("pool_valuations", tables)

    assert dict(result.select("measure", pl.col("value_usd").cast(pl.Float64)).rows()) == {
        "collateral_tokens": 30.0,
        "loss_tokens": -2.0,
        "principal_tokens": 50.0,
    }


def test_flows_and_states_of_pools_are_valued() -> None:
    """A deposit of 10 USDC and assets of 20, at a dollar and a half."""
    known = {"asset_token": "0xusdc", "block_timestamp": at(1)}
    tables = frames(price({"asset": "USDC"}, 0, "1.5")) | {
        "pool_flows": table("pool_flows", known | {"kind": "deposit", "asset_tokens": 10}),
        "pool_states": table("pool_states", known | {"assets_tokens": 20}),
    }

    result = agreed("pool_valuations", tables)

    assert column(result, "fact") == ["pool_flows", "pool_states"]
    assert column(result, "value_usd") == ["15", "30"]


def test_a_share_is_worth_its_assets() -> None:
    """1.05 WETH a share, at 10 dollars: 10.5 dollars a share."""
    told = {"asset_token": "0xweth", "share_price_tokens": "1.05", "block_timestamp": at(1)}
    tables = frames(price(ETH, 0, 10)) | {"share_prices": table("share_prices", told)}

    result = agreed("share_valuations", tables)

    assert column(result, "value_usd") == ["10.5"]


# The last microsecond of 10 October, three hours after 21:00.
LAST = 3 * 3600 - 0.000001


def managed(
    *states: Mapping[str, object],
    shares: tuple[Mapping[str, object], ...] = (),
    prices: tuple[Mapping[str, object], ...] = (price(ETH, 0, 10), price(ETH, 50, 20)),
    **settings: float | str,
) -> pl.DataFrame:
    """Return what pools of WETH manage by day; WETH is at 10 dollars, and at 20 from 21:00:50."""
    own = {"asset_token": "0xweth", "block_timestamp": at(1)}
    tables = frames(*prices) | {
        "pool_states": table("pool_states", *(own | dict(state) for state in states)),
        "share_prices": table("share_prices", *(own | dict(share) for share in shares)),
    }
    return agreed("tvl_valued", tables, **settings)


def test_what_a_pool_manages_is_worth_the_price_at_the_end_of_the_day() -> None:
    """Three WETH told at 10 dollars are 60 at the end: the price of the evening counts."""
    result = managed({"assets_tokens": 3})

    assert column(result, "tvl_usd") == ["60"]
    assert column(result, "tvl_tokens") == ["3"]
    assert column(result, "age_seconds") == [pytest.approx(LAST - 50)]
    names = ("basis", "symbol", "price_usd", "price_protocol", "price_feed", "price_evidence")
    assert result.select(names).row(0) == ("state", "WETH", 20, "chainlink", "0xagg", "event")
    assert column(result, "price_at") == [at(50)]


def test_a_pool_of_pools_has_its_own_dollars() -> None:
    """Whoever adds pools up sees which of them are in others."""
    vault = {"pool": "0xvault", "part": "0xvault", "holds_pools": True}

    result = managed({"assets_tokens": 3}, vault | {"assets_tokens": 2})

    assert column(result, "tvl_usd") == ["60", "40"]
    assert column(result, "holds_pools") == [False, True]


def test_a_price_of_midnight_is_of_the_next_day() -> None:
    """A price of the day's last microsecond counts, one of the next moment does not."""
    midnight = price(ETH, 3 * 3600, 5)

    assert column(managed({"assets_tokens": 3}, prices=(midnight,)), "tvl_usd") == [None]
    last = price(ETH, LAST, 7)
    assert column(managed({"assets_tokens": 3}, prices=(last, midnight)), "tvl_usd") == ["21"]


def test_shares_are_worth_their_price_in_assets() -> None:
    """Where a pool does not tell its assets: 100 shares of 1.05 WETH at 20 dollars are 2,100."""
    result = managed(shares=({"share_price_tokens": "1.05", "supply_tokens": 100},))

    assert column(result, "basis") == ["shares"]
    assert column(result, "tvl_tokens") == ["105"]
    assert column(result, "tvl_usd") == ["2100"]


def test_shares_priced_in_dollars_need_no_oracle() -> None:
    """A fund of 100 shares of 1.05 dollars manages 105 of them."""
    told = {"share_price_tokens": "1.05", "supply_tokens": 100, "asset_token": "USD"}

    result = managed(shares=(told,), prices=())

    names = ("asset_token", "symbol", "tvl_usd", "price_evidence", "age_seconds")
    assert result.select(names).row(0) == ("USD", "USD", 105, "denomination", None)


def test_without_a_price_a_pool_is_not_worthless() -> None:
    """Nobody prices USDC: null, at par what a reader says; nothing managed is zero at any price."""
    usdc = {"assets_tokens": 3, "asset_token": "0xusdc"}

    assert column(managed(usdc), "tvl_usd") == [None]
    assert column(managed(usdc), "tvl_tokens") == ["3"]
    assert column(managed(usdc, par_symbols="usdc"), "tvl_usd") == ["3"]
    assert column(managed({"assets_tokens": 0}), "tvl_usd") == ["0"]
    assert column(managed({"assets_tokens": 0, "asset_token": "0xusdc"}), "tvl_usd") == [None]


def test_a_price_too_old_for_the_end_of_the_day_is_none() -> None:
    """The next evening the price is of 26 hours and 59 minutes ago; a reader may take it."""
    states = {"assets_tokens": 3, "block_timestamp": at(days=1)}

    assert column(managed(states), "tvl_usd") == [None]
    assert column(managed(states, tolerance_seconds=27 * 3600), "tvl_usd") == ["60"]


def test_days_and_pools_have_their_own_prices() -> None:
    """A day without a word of the pool has no row; each row has the price of its own evening."""
    day = {"block_timestamp": at(days=2), "assets_tokens": 4, "block_number": 2}
    later = price(ETH, 2 * 86_400, 30)

    result = managed(
        *({"assets_tokens": 3}, day, {"assets_tokens": 1, "pool": "0xother", "part": "0xother"}),
        prices=(price(ETH, 0, 10), later),
    )

    assert result["date"].to_list() == [at().date(), at().date(), at(days=2).date()]
    assert column(result, "tvl_usd") == ["10", "30", "120"]


def test_more_than_all_dollars_is_not_known() -> None:
    """What does not fit is null, and no error: shares times price, and tokens times dollars."""
    many = {"share_price_tokens": 10**10, "supply_tokens": 10**10}

    assert column(managed(shares=(many | {"supply_tokens": 9 * 10**9},)), "tvl_tokens") == [None]
    assert column(managed(shares=(many,)), "tvl_tokens") == [None]
    assert column(managed({"assets_tokens": 10**19}), "tvl_usd") == [None]


@given(st.integers(0, 10**27), st.integers(1, 10**24), st.integers(1, 10**22))
def test_shares_in_dollars_are_exact_in_both_engines(supply: int, share: int, usd: int) -> None:
    """Each of the two products is exact and rounded once; SQL says the same."""
    told = {"supply_tokens": units(supply), "share_price_tokens": units(share)}
    tables = frames(price(ETH, 0, units(usd))) | {
        "share_prices": table("share_prices", told | {"asset_token": "0xweth"}),
    }

    result = agreed("tvl_valued", tables)

    tokens = half_even(supply, share)
    assert result.select("tvl_tokens", "tvl_usd").row(0) == (
        units(tokens),
        units(half_even(tokens, usd)),
    )


METRICS_OF_PRICES = ("income_valuations", "pool_valuations", "share_valuations", "tvl_valued")


@pytest.mark.parametrize("metric", METRICS_OF_PRICES)
def test_a_negative_tolerance_is_refused(metric: str) -> None:
    """No price is younger than the event."""
    with pytest.raises(UserError, match="tolerance_seconds must be at least 0"):
        compute(metric, load(), tolerance_seconds=-1)

"""Depth by price impact: sizes worked out by hand, and against the contract's own arithmetic."""

from decimal import Decimal, localcontext

import polars as pl
import pytest
from handmade import at, column, table
from hypothesis import given
from hypothesis import strategies as st

from analytics.metrics.liquidity import impact_depth, impact_depth_change

TRILLION = 10**12
# One part in a million of a dollar for each dollar out of balance.
MILLIONTH = 1_000_000
Row = dict[str, object]


def opened(value: object, *, is_long: bool, unit: str = "usd") -> Row:
    """Return an event that says what is open on one side."""
    return {"is_long": is_long, f"open_interest_{unit}": value}


def factor(trillionths: object, *, positive: bool = False) -> Row:
    """Return a new factor, of trades away from balance unless it is positive."""
    return {"is_positive": positive, "factor_trillionths": trillionths}


def exponent(value: object, *, positive: bool | None = None) -> Row:
    """Return a new exponent, of both signs unless it is of one."""
    return {"is_positive": positive, "exponent": value}


SQUARE = (factor(MILLIONTH), factor(MILLIONTH, positive=True), exponent(2))


def found(
    stood: tuple[Row, ...],
    parameters: tuple[Row, ...] = SQUARE,
    prices: tuple[Row, ...] = (),
    *,
    move_bps: int = 200,
    bucket_seconds: int = 86_400,
) -> pl.DataFrame:
    """Return the depth of these books, of the market BTC of a token 0xbtc."""
    market = {"index_token": "0xbtc", "asset_class": "crypto", "known_by": "event"}
    return impact_depth(
        table("open_interest", *placed(stood)).lazy(),
        table("impact_parameters", *placed(parameters)).lazy(),
        table("markets", market).lazy(),
        table("oracle_updates", *prices).lazy(),
        move_bps=move_bps,
        bucket_seconds=bucket_seconds,
    ).collect()


def placed(rows: tuple[Row, ...]) -> list[Row]:
    """Return events that follow each other, a block each."""
    return [{"block_number": number} | row for number, row in enumerate(rows)]


def sizes(result: pl.DataFrame) -> list[object]:
    """Return the depth of both sides, short before long."""
    return result["depth_usd"].to_list()


def books(long: object, short: object, unit: str = "usd") -> tuple[Row, ...]:
    """Return what is open on both sides."""
    return (opened(long, is_long=True, unit=unit), opened(short, is_long=False, unit=unit))


def test_in_a_balanced_market_both_sides_are_as_deep() -> None:
    """A millionth of the size squared is 2 % of the size at 20,000 dollars."""
    result = found(books(7, 7))

    assert sizes(result) == [20_000.0, 20_000.0]
    assert column(result, "is_long") == [False, True]
    assert column(result, "ahead_usd") == [0.0, 0.0]
    assert column(result, "basis") == ["impact", "impact"]
    assert column(result, "factor_trillionths") == ["1000000", "1000000"]
    assert column(result, "exponent") == ["2", "2"]


def test_an_exponent_need_not_be_whole() -> None:
    """1e-4 of the size to 1.5 is 2 % of it where its root is 200."""
    half = (factor(TRILLION // 10_000), exponent("1.5"))

    assert sizes(found(books(5, 5), half)) == pytest.approx([40_000.0, 40_000.0])


def test_the_larger_side_is_shallower() -> None:
    """10,000 more make 15,000 of 5,000: 225 - 25 = 200 dollars, 2 % of the 10,000."""
    assert sizes(found(books(12_000, 7_000)))[1] == pytest.approx(10_000.0)


def test_between_squares_the_size_is_found_by_halving() -> None:
    """From 2,500 to 40,000: 1e-4 * (200**3 - 50**3) = 787.5 dollars, 2.1 % of 37,500."""
    half = (factor(TRILLION // 10_000), exponent("1.5"))

    assert sizes(found(books(2_500, 0), half, move_bps=210))[1] == pytest.approx(37_500.0)


def test_the_smaller_side_gets_balance_first() -> None:
    """38,000 of shorts balance 10,000, worth 24, and pay 784 for 28,000: 760, 2 % of them."""
    less = (factor(MILLIONTH), factor(240_000, positive=True), exponent(2))

    assert sizes(found(books(10_000, 0), less))[0] == pytest.approx(38_000.0)


def test_balance_brings_no_more_than_its_loss_costs() -> None:
    """A larger factor of trades towards balance counts as the other: 40,000 pay 900 - 100."""
    more = (factor(MILLIONTH), factor(3 * MILLIONTH, positive=True), exponent(2))

    assert sizes(found(books(10_000, 0), more))[0] == pytest.approx(40_000.0)


@pytest.mark.parametrize("long", [10_000, 10_001, 10**9])
def test_where_the_first_dollar_costs_too_much_there_is_no_depth(long: int) -> None:
    """Two millionths of each dollar that is ahead are 2 % from 10,000 on: zero, and known."""
    result = found(books(long, 0))

    assert sizes(result)[1] == 0.0
    assert column(result, "basis") == ["impact", "impact"]


def test_a_factor_of_zero_leaves_the_price_where_it_is() -> None:
    """No size costs 2 %: null, and said to be without bounds."""
    result = found(books(5, 3), (factor(0), exponent(2)))

    assert sizes(result) == [None, None]
    assert column(result, "basis") == ["unbounded", "unbounded"]


@pytest.mark.parametrize(
    ("stood", "parameters"),
    [
        (books(5, 3), (factor(MILLIONTH),)),
        (books(5, 3), (exponent(2),)),
        (books(5, 3), (factor(MILLIONTH), exponent(1))),
        (books(5, None), SQUARE),
        (books(5, 3)[:1], SQUARE),
        (books(5, 3), tuple(one | {"market": "ETH"} for one in SQUARE)),
    ],
)
def test_what_is_not_known_is_no_zero(stood: tuple[Row, ...], parameters: tuple[Row, ...]) -> None:
    """Without a factor, an exponent above 1 or one of the sides nobody can tell."""
    result = found(stood, parameters)

    assert sizes(result) == [None, None]
    assert column(result, "basis") == ["unknown", "unknown"]


def test_what_balance_brings_matters_to_the_smaller_side_alone() -> None:
    """Longs that are ahead never meet the factor of trades towards balance."""
    result = found(books(5_000, 0), (factor(MILLIONTH), exponent(2)))

    assert column(result, "basis") == ["unknown", "impact"]
    assert sizes(result)[1] == pytest.approx(10_000.0)


def test_an_exponent_with_a_sign_takes_the_place_of_one_for_both() -> None:
    """Whichever was said last: releases that know signs read no other."""
    own = exponent("1.5", positive=False)
    given = (factor(TRILLION // 10_000), own, exponent(2))

    assert sizes(found(books(5, 5), given)) == pytest.approx([40_000.0, 40_000.0])


def test_a_period_is_as_its_end() -> None:
    """Halved in the period, the factor counts for all of it; set after it, not at all."""
    later = {"block_timestamp": at(days=1)}
    given = (*SQUARE, factor(MILLIONTH // 2), factor(1) | {"block_timestamp": at(days=2)})

    result = found((*books(5, 5), *(one | later for one in books(9, 9))), given)

    assert sizes(result) == [40_000.0] * 4
    assert column(result, "bucket_at") == [at(-21 * 3600)] * 2 + [at(3 * 3600)] * 2


def test_before_the_first_parameter_nothing_is_known() -> None:
    """Of the period before it, though the parameter may have been in force."""
    later = tuple(one | {"block_timestamp": at(days=1)} for one in SQUARE)

    assert column(found(books(5, 5), later), "basis") == ["unknown", "unknown"]


TOKENS = (*books(3, 1, "tokens"), *books(10_000, 10_000))
IN_TOKENS: Row = {"market": "all", "is_in_tokens": True}


@pytest.mark.parametrize(
    ("said", "ahead"),
    [
        ((), 0.0),
        ((IN_TOKENS,), 5_000.0),
        ((IN_TOKENS, IN_TOKENS | {"is_in_tokens": False}), 0.0),
        (({"market": "all", "is_in_tokens": True, "protocol": "other"},), 0.0),
    ],
)
def test_a_venue_may_count_tokens(said: tuple[Row, ...], ahead: float) -> None:
    """Two tokens more at the last price, 2,500, however much was paid for them."""
    prices = (
        {"feed": "0xbtc", "oracle_price_quote": 1},
        {"feed": "0xbtc", "oracle_price_quote": 2_500},
        {"feed": "0xeth", "oracle_price_quote": 9},
        {"feed": "0xbtc", "oracle_price_quote": 8, "protocol": "other"},
    )

    result = found(TOKENS, (*SQUARE, *said), prices)

    assert column(result, "ahead_usd") == [-ahead, ahead]


def test_tokens_without_a_price_are_no_dollars() -> None:
    """The imbalance is not known."""
    assert column(found(TOKENS, (*SQUARE, IN_TOKENS)), "basis") == ["unknown", "unknown"]


def test_venues_without_such_parameters_have_no_rows() -> None:
    """Another protocol's open interest is not priced by this one's factors."""
    other = tuple(one | {"protocol": "other"} for one in books(5, 5))

    assert found(other).is_empty()
    assert found((*other, *books(5, 5))).height == 2


@pytest.mark.parametrize(
    ("move_bps", "bucket_seconds", "named"),
    [(0, 60, "move_bps"), (10_001, 60, "move_bps"), (200, 0, "bucket_seconds")],
)
def test_settings_have_bounds(move_bps: int, bucket_seconds: int, named: str) -> None:
    """A move of nothing has no size, and one of more than all is never paid."""
    with pytest.raises(ValueError, match=named):
        found(books(5, 5), move_bps=move_bps, bucket_seconds=bucket_seconds)


def test_depth_is_set_against_the_day_before() -> None:
    """Half the factor is twice the depth; an older day is what stood there, and none is no row."""
    days = [
        tuple(one | {"block_timestamp": at(days=day)} for one in books(5, 5)) for day in (0, 2, 3)
    ]
    halved = factor(MILLIONTH // 2) | {"block_timestamp": at(days=3)}
    result = found((*days[0], *days[1], *days[2]), (*SQUARE, halved))

    changes = impact_depth_change(result.lazy()).collect()

    assert column(changes, "before_at") == [at(-75_600)] * 2 + [at(-75_600, days=2)] * 2
    assert column(changes, "depth_before_usd") == [20_000.0] * 4
    assert column(changes, "depth_change_ratio") == [0.0, 0.0, 1.0, 1.0]
    assert column(changes, "is_long") == [False, True] * 2


def test_from_nothing_there_is_no_change() -> None:
    """A depth of zero, or one that is not known, has no ratio to what comes after it."""
    later = tuple(one | {"block_timestamp": at(days=1)} for one in books(5, 5))
    result = found((*books(10_000, 0), *later))

    changes = impact_depth_change(result.lazy()).collect()

    assert column(changes, "depth_before_usd") == [40_000.0, 0.0]
    assert column(changes, "depth_change_ratio") == [-0.5, None]


def charged(
    stood: tuple[Decimal, Decimal],
    size: Decimal,
    worse: tuple[Decimal, Decimal],
    better: tuple[Decimal, Decimal],
) -> Decimal:
    """Return the price impact of a trade on the first side, in dollars, as PricingUtils has it."""
    own, other = stood
    before, after = abs(own - other), abs(own + size - other)
    gained, lost = (min(better[0], worse[0]), better[1]), worse

    def applied(difference: Decimal, by: tuple[Decimal, Decimal]) -> Decimal:
        return by[0] / TRILLION * difference ** by[1] if difference else Decimal(0)

    with localcontext() as context:
        context.prec = 60
        is_same_side = (own <= other) == (own + size <= other)
        if not is_same_side:
            return applied(before, gained) - applied(after, lost)
        by = gained if after < before else lost
        return applied(before, by) - applied(after, by)


dollars = st.integers(0, 10**8).map(Decimal)
# As markets have them: 0.05 % to 50 % of a million dollars, at exponents above 1.
powers = st.integers(105, 300).map(lambda hundredths: Decimal(hundredths) / 100)
shares = st.integers(5, 5_000).map(lambda parts: Decimal(parts) / 10_000)


def priced(share: Decimal, power: Decimal) -> Decimal:
    """Return the factor, in trillionths at 18 places, by which a million costs this share."""
    with localcontext() as context:
        context.prec = 60
        return (share * TRILLION / Decimal(10**6) ** (power - 1)).quantize(Decimal("1e-18"))


# What is open on the side of the trade, and on the other one.
sides = st.tuples(dollars, dollars)
moves = st.integers(1, 1_000)


@given(sides, st.tuples(shares, powers), st.tuples(shares, powers), moves)
def test_the_size_that_is_found_costs_the_move(
    stood: tuple[Decimal, Decimal],
    worse: tuple[Decimal, Decimal],
    better: tuple[Decimal, Decimal],
    move_bps: int,
) -> None:
    """By the contract's own cases, with 60 digits; and where it is zero a dollar costs more."""
    told = (priced(*worse), priced(*better))
    parameters = (
        *(factor(told[0]), factor(told[1], positive=True)),
        *(exponent(worse[1], positive=False), exponent(better[1], positive=True)),
    )
    size = sizes(found(books(*stood), parameters, move_bps=move_bps))[1]

    traded = Decimal(str(size)) or Decimal(1)
    cost = charged(stood, traded, (told[0], worse[1]), (told[1], better[1]))
    paid_bps = float(-cost / traded * 10_000)
    # A double of 1e8 dollars has eight places left, and powers of it have fewer.
    slack = 1e-4 * float(1 + max(stood) / traded)
    assert paid_bps == pytest.approx(move_bps, rel=1e-5, abs=slack) or (
        size == 0 and paid_bps > move_bps
    )


@given(sides, st.tuples(shares, shares), powers, moves)
def test_a_larger_factor_is_never_more_depth(
    stood: tuple[Decimal, Decimal], both: tuple[Decimal, Decimal], power: Decimal, move_bps: int
) -> None:
    """Of trades away from balance, while what balance brings stays."""
    brings = factor(priced(Decimal("0.0005"), power), positive=True)

    deep, shallow = (
        found(
            books(*stood),
            (factor(priced(share, power)), brings, exponent(power)),
            move_bps=move_bps,
        )["depth_usd"]
        for share in sorted(both)
    )

    slack = 1e-6 * float(1 + sum(stood))
    assert (shallow <= deep * (1 + 1e-9) + slack).to_list() == [True, True]

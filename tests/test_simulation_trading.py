"""Trades on the simulated venue: who pays what, and who is closed by force."""

from dataclasses import replace

import pytest

from indexer.simulation.market import USD, Market, Position, Quote, Terms, Token, Trader
from indexer.simulation.trading import decreased, increased, is_liquidatable, is_thin, received

ETH = Token(b"E" * 20, "ETH", 18)
USDC = Token(b"U" * 20, "USDC", 6)
MARKET = Market(b"M" * 20, ETH, ETH, USDC, 1_000_000 * USD, 10**9 * USD)
TRADER = Trader(
    account=b"T" * 20,
    leverage=10,
    size_usd=50_000 * USD,
    home=0,
    is_stable=True,
    is_bull=True,
    affiliate=bytes(20),
    has_frontend=False,
)
PAR = Quote(10**24, 10**24)


def terms(dollars: int, *, time: int = 0, depth: int = 10**9, pays_funding: bool = False) -> Terms:
    """Return terms at a price of so many dollars, without a spread."""
    price = dollars * 10**12
    return Terms(time, Quote(price, price), PAR, depth * USD, pays_funding)


def opened(*, is_long: bool, deposit: int = 5_000, trader: Trader = TRADER) -> Position:
    """Return 50,000 dollars opened at 2,000 with so many dollars of margin."""
    empty = Position(MARKET, trader, USDC, is_long, b"K" * 32)
    return increased(empty, 50_000 * USD, deposit * 10**6, terms(2_000)).after


@pytest.mark.parametrize(("is_long", "sign"), [(True, 1), (False, -1)])
def test_a_rise_pays_longs_what_it_costs_shorts(is_long: bool, sign: int) -> None:
    """A tenth up on 25 ETH is 5,000 dollars, give or take the impact of the entry."""
    trade = decreased(opened(is_long=is_long), 50_000 * USD, terms(2_200))

    assert abs(trade.pnl_usd - sign * 5_000 * USD) < 10 * USD


@pytest.mark.parametrize("is_long", [True, False])
def test_a_thin_book_gives_a_worse_price(is_long: bool) -> None:
    """With a tenth of the depth the price moves ten times as far against the trader."""
    deep = decreased(opened(is_long=is_long), 50_000 * USD, terms(2_000))
    thin = decreased(opened(is_long=is_long), 50_000 * USD, terms(2_000, depth=10**8))

    against = 2_000 * 10**12
    moved = [(against - one.price) * (1 if is_long else -1) for one in (deep, thin)]
    assert moved[0] > 0
    assert abs(moved[1] - 10 * moved[0]) <= 10


def test_fees_are_shared_out_completely() -> None:
    """Receiver, pool, affiliate and user interface get all that the trader is charged."""
    referred = replace(TRADER, affiliate=b"A" * 20, has_frontend=True)
    position = opened(is_long=True, trader=referred)

    fees = decreased(position, 20_000 * USD, terms(2_000, time=86_400, pays_funding=True)).fees

    shared = fees.protocol + fees.borrow + fees.penalty
    assert fees.total == shared + fees.affiliate + fees.frontend + fees.funding
    assert fees.position == fees.protocol + fees.affiliate + fees.discount
    assert 0 < received(fees.protocol) < fees.protocol


def test_a_partial_close_keeps_the_rest_in_proportion() -> None:
    """Half of the size takes half of the tokens, and never more margin than there was."""
    position = opened(is_long=False)

    after = decreased(position, 25_000 * USD, terms(2_000)).after

    assert after.size_usd == 25_000 * USD
    assert after.size_tokens == position.size_tokens - position.size_tokens // 2
    assert 0 < after.margin < position.margin


def test_margin_that_cannot_pay_leaves_debt_and_no_fees() -> None:
    """A fall deeper than the margin is paid for by nobody, and no fee is collected."""
    trade = decreased(opened(is_long=True), 50_000 * USD, terms(1_600), is_liquidation=True)

    assert trade.unpaid_for == "pnl"
    assert trade.fees.total == 0 < trade.owed.total
    lost = -trade.pnl_usd - trade.impact_usd + trade.owed.total * PAR.low
    assert abs(trade.unpaid_usd - (lost - trade.before.margin * PAR.low)) <= PAR.low


def test_fees_can_be_what_the_margin_fails_at() -> None:
    """Where the loss alone is still covered, the step that fails is the fees."""
    trade = decreased(opened(is_long=True), 50_000 * USD, terms(1_802), is_liquidation=True)

    assert trade.unpaid_for == "fees"


@pytest.mark.parametrize(("dollars", "expected"), [(2_000, False), (1_850, False), (1_815, True)])
def test_a_position_is_liquidated_below_one_percent(dollars: int, expected: bool) -> None:
    """Ten times leverage survives a fall of 7 % and not one of more than 9 %."""
    position = opened(is_long=True)

    assert is_liquidatable(position, terms(dollars)) is expected


@pytest.mark.parametrize("dollars", range(1_800, 2_000, 5))
def test_the_quick_look_misses_nobody(dollars: int) -> None:
    """Whoever may be liquidated is thin."""
    position = opened(is_long=True)

    assert is_thin(position, terms(dollars)) or not is_liquidatable(position, terms(dollars))

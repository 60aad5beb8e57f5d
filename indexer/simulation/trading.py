"""
How trades on the simulated GMX v2 are priced: impact, fees, profit, margin.

Pure functions: they take a position and return the trade with the position after it. Rounding
favours the pool, as on chain.
"""

from dataclasses import replace

from indexer.simulation.market import Fees, Position, Terms, Trade, profit

PERCENT = 100
RECEIVED_PERCENT = 37  # of each fee; pools keep the rest
MIN_MARGIN_BPS = 100
PENALTY_BPS = 20
BPS = 10_000
_PER_BILLION = 10**9
_BORROW_RATE, _FUNDING_RATE = 12, 4  # of the size per second, 1e-9
_POSITION_FEE_BPS = 6
_MAX_IMPACT_BPS = 400
_MOST_FEES_BPS = 75  # of a liquidation after three days of borrowing


def received(fee: int) -> int:
    """Return the fee receiver's part of a fee."""
    return fee * RECEIVED_PERCENT // PERCENT


def increased(position: Position, size_usd: int, deposit: int, terms: Terms) -> Trade:
    """Return the trade that adds `size_usd` with `deposit` (smallest units) of collateral."""
    impact = _impact(size_usd, terms)
    worth = size_usd + impact if position.is_long else size_usd - impact
    tokens = worth // (terms.index.high if position.is_long else terms.index.low)
    fees = _fees(position, size_usd, terms)
    after = replace(
        position,
        size_usd=position.size_usd + size_usd,
        size_tokens=position.size_tokens + tokens,
        margin=position.margin + deposit - fees.total,
        settled_at=terms.time,
    )
    return Trade(
        before=position,
        after=after,
        terms=terms,
        fees=fees,
        owed=fees,
        is_increase=True,
        size_usd=size_usd,
        size_tokens=tokens,
        price=size_usd // tokens,
        impact_usd=impact,
    )


def decreased(
    position: Position, size_usd: int, terms: Terms, *, is_liquidation: bool = False
) -> Trade:
    """
    Return the trade that closes `size_usd` of a position.

    A close that the margin cannot pay for leaves the rest unpaid and pays no fees, and funding
    where it is the profit or loss that it could not pay for; ask `unpaid_for`.
    """
    is_whole = size_usd == position.size_usd
    tokens = position.size_tokens if is_whole else _part(position, size_usd)
    impact = _impact(size_usd, terms)
    pnl = profit(size_usd, tokens, terms.index, is_long=position.is_long)
    owed = _fees(position, size_usd, terms, is_liquidation=is_liquidation)
    loss = _ceiling(max(0, -pnl - impact), terms.worth.low)
    unpaid = max(0, loss + owed.total - position.margin)
    return Trade(
        before=position,
        after=_left(position, size_usd, tokens, loss + owed.total, terms.time),
        terms=terms,
        fees=Fees() if unpaid else owed,
        owed=owed,
        is_increase=False,
        size_usd=size_usd,
        size_tokens=tokens,
        price=_closing_price(position, impact // tokens, terms),
        impact_usd=impact,
        pnl_usd=pnl,
        unpaid_usd=unpaid * terms.worth.low,
        unpaid_for=_step(owed.funding, loss, position.margin) if unpaid else "",
    )


def _left(position: Position, size_usd: int, tokens: int, cost: int, time: int) -> Position:
    """Return the position after a close that cost so much of its collateral token."""
    withdrawn = position.margin * size_usd // position.size_usd
    is_whole = size_usd == position.size_usd
    return replace(
        position,
        size_usd=position.size_usd - size_usd,
        size_tokens=position.size_tokens - tokens,
        margin=0 if is_whole else max(0, position.margin - withdrawn - cost),
        settled_at=time,
    )


def _closing_price(position: Position, moved: int, terms: Terms) -> int:
    return terms.index.low + moved if position.is_long else terms.index.high - moved


def is_thin(position: Position, terms: Terms) -> bool:
    """Tell whether the margin is so small that `is_liquidatable` is worth asking."""
    left = position.margin * terms.worth.low + position.pnl_usd(terms.index)
    left += _impact(position.size_usd, terms)
    return left * BPS < position.size_usd * (MIN_MARGIN_BPS + _MOST_FEES_BPS)


def is_liquidatable(position: Position, terms: Terms) -> bool:
    """Tell whether less than the least margin would be left after closing everything."""
    trial = decreased(position, position.size_usd, terms, is_liquidation=True)
    cost = trial.owed.total * terms.worth.low - trial.pnl_usd - trial.impact_usd
    left = position.margin * terms.worth.low - cost
    return left < position.size_usd * MIN_MARGIN_BPS // BPS


def _fees(position: Position, size_usd: int, terms: Terms, *, is_liquidation: bool = False) -> Fees:
    price, trader = terms.worth.low, position.trader
    seconds = terms.time - position.settled_at if position.size_usd else 0
    fee = size_usd * _POSITION_FEE_BPS // BPS // price
    rebate = fee // 10 if any(trader.affiliate) else 0
    borrow_usd = position.size_usd * seconds * _BORROW_RATE // _PER_BILLION
    funding_usd = position.size_usd * seconds * _FUNDING_RATE // _PER_BILLION
    return Fees(
        position=fee,
        affiliate=rebate - rebate // 2,
        discount=rebate // 2,
        frontend=size_usd // BPS // price if trader.has_frontend else 0,
        borrow=borrow_usd // price,
        penalty=size_usd * PENALTY_BPS // BPS // price if is_liquidation else 0,
        funding=_ceiling(funding_usd, price) if terms.pays_funding else 0,
        borrow_usd=borrow_usd,
    )


def _impact(size_usd: int, terms: Terms) -> int:
    cost = size_usd * size_usd // terms.depth_usd
    return -min(cost, size_usd * _MAX_IMPACT_BPS // BPS)


def _part(position: Position, size_usd: int) -> int:
    tokens = position.size_tokens * size_usd
    # Rounding favours the pool, as on chain.
    return _ceiling(tokens, position.size_usd) if position.is_long else tokens // position.size_usd


def _step(funding: int, loss: int, margin: int) -> str:
    if funding > margin:
        return "funding"
    return "pnl" if funding + loss > margin else "fees"


def _ceiling(value: int, by: int) -> int:
    return -(-value // by)

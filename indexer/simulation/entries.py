"""What each GMX v2 trade, fee and price must become in the fact tables: the venue's own books."""

from collections.abc import Iterator
from dataclasses import replace

from indexer.simulation.emitter import PROVIDER
from indexer.simulation.ledger import Cell, Entry, exact, less, moment, text
from indexer.simulation.market import Market, Position, Quote, Token, Trade
from indexer.simulation.trading import received

PROTOCOL, VERSION = "gmx_v2", "2"
# Stakers get 27 of the fee receiver's 37 points, in the four digits the contracts store.
_STAKERS, _STAKERS_OF = 7_297, 4
_USD = 30


def _entry(table: str, /, **cells: Cell) -> Entry:
    return Entry(table, PROTOCOL, VERSION, cells)


def _index_price(price: int, market: Market, over: int = 1) -> Cell:
    return exact(price, _USD - market.index.decimals, over)


def _collateral(amount: int, trade: Trade) -> Cell:
    """Return an amount of the collateral token in dollars, at the lower price."""
    return exact(amount * trade.terms.worth.low, _USD)


def _whose(position: Position) -> dict[str, Cell]:
    return {
        "market": text(position.market.address),
        "account": text(position.trader.account),
        "position_id": text(position.key),
        "collateral_token": text(position.collateral.address),
        "is_long": position.is_long,
    }


def priced(token: Token, quote: Quote, seen_at: int) -> Entry:
    """Return the oracle update of one token of one keeper transaction."""
    places = _USD - token.decimals
    return _entry(
        "oracle_updates",
        feed=text(token.address),
        asset=token.asset,
        quote="USD",
        oracle_price_quote=exact(quote.low + quote.high, places, 2),
        oracle_price_min_quote=exact(quote.low, places),
        oracle_price_max_quote=exact(quote.high, places),
        observed_at=moment(seen_at),
        provider=text(PROVIDER),
    )


def changed(trade: Trade, cause: str) -> Entry:
    """Return the position change a trade makes."""
    after, sign = trade.after, 1 if trade.is_increase else -1
    decimals = after.market.index.decimals
    return _entry(
        "position_changes",
        **_whose(after),
        cause=cause,
        notional_delta_usd=exact(sign * trade.size_usd, _USD),
        size_delta_tokens=exact(sign * trade.size_tokens, decimals),
        collateral_delta_usd=_collateral(trade.margin_change, trade),
        execution_price_usd=_index_price(trade.price, after.market),
        realized_pnl_usd=None if trade.is_increase else exact(trade.pnl_usd, _USD),
        notional_usd=exact(after.size_usd, _USD),
        size_tokens=exact(after.size_tokens, decimals),
    )


def _cut(trade: Trade) -> dict[str, Cell]:
    market = trade.before.market
    return {
        **_whose(trade.before),
        "notional_usd": exact(trade.size_usd, _USD),
        "size_tokens": exact(trade.size_tokens, market.index.decimals),
        "execution_price_usd": _index_price(trade.price, market),
        "realized_pnl_usd": exact(trade.pnl_usd, _USD),
    }


def liquidated(trade: Trade) -> Entry:
    """Return the liquidation that a forced close is."""
    index = trade.terms.index
    return _entry(
        "liquidations",
        **_cut(trade),
        collateral_usd=_collateral(trade.before.margin, trade),
        mark_price_usd=_index_price(index.low + index.high, trade.before.market, 2),
        fee_usd=_collateral(trade.fees.penalty, trade),
        shortfall_usd=exact(trade.unpaid_usd, _USD),
        shortfall_basis="event",
        derivation="direct",
    )


def deleveraged(trade: Trade) -> Entry:
    """Return the ADL that a forced close of a winner is."""
    return _entry("adls", **_cut(trade), derivation="joined")


def adl_state(market: Market, factor: int, limit: int, *, is_long: bool) -> Entry:
    """Return that a side may be deleveraged; parts of 1e30."""
    return _entry(
        "adl_states",
        market=text(market.address),
        is_long=is_long,
        pnl_to_pool_ratio=exact(factor, _USD),
        max_pnl_to_pool_ratio=exact(limit, _USD),
        is_enabled=True,
    )


def unpaid(trade: Trade) -> Entry:
    """Return the bad debt of an insolvent close."""
    return _entry(
        "shortfalls",
        kind="bad_debt",
        market=text(trade.before.market.address),
        account=text(trade.before.trader.account),
        shortfall_usd=exact(trade.unpaid_usd, _USD),
    )


def open_interest(
    position: Position, change: tuple[int, int, int], now: tuple[int, int, int]
) -> tuple[Entry, Entry]:
    """Return a side's open interest after a trade, in dollars and in index tokens."""
    decimals = position.market.index.decimals
    side: dict[str, Cell] = {
        "market": text(position.market.address),
        "collateral_token": text(position.collateral.address),
        "is_long": position.is_long,
    }
    return (
        _entry(
            "open_interest",
            **side,
            open_interest_usd=exact(now[0], _USD),
            open_interest_delta_usd=exact(change[0], _USD),
        ),
        _entry(
            "open_interest",
            **side,
            open_interest_tokens=exact(now[1], decimals),
            open_interest_delta_tokens=exact(change[1], decimals),
        ),
    )


def charged(trade: Trade) -> Iterator[Entry]:
    """Yield the fees of a trade that are not zero: for the position, borrowing, liquidation."""
    fees, before = trade.fees, trade.before
    outside = fees.affiliate + fees.frontend  # supply side, out of the receiver's reach
    kinds = (
        ("position", fees.protocol, outside),
        ("borrow", fees.borrow, 0),
        ("liquidation", fees.penalty, 0),
    )
    for item, (kind, shared, beside) in enumerate(kinds):
        if shared + beside:
            parts = (shared + beside, received(shared))
            split = _split(before.collateral, parts, trade.terms.worth.low)
            account = text(before.trader.account)
            market = text(before.market.address)
            row = _entry("fees", market=market, account=account, fee_kind=kind, **split)
            yield replace(row, item=item)


def swapped(market: Market, token: Token, fee: int, price: int) -> Iterator[Entry]:
    """Yield the fee of a swap unless it is zero."""
    if fee:
        split = _split(token, (fee, received(fee)), price)
        yield _entry("fees", market=text(market.address), fee_kind="swap", **split)


def _split(token: Token, parts: tuple[int, int], price: int) -> dict[str, Cell]:
    fee, kept = parts
    whole = exact(fee * price, _USD)
    supply = exact((fee - kept) * price, _USD)
    holders = exact(kept * price * _STAKERS, _USD + _STAKERS_OF)
    return {
        "fee_token": text(token.address),
        "fee_tokens": exact(fee, token.decimals),
        "fee_usd": whole,
        "supply_side_usd": supply,
        "holders_usd": holders,
        "treasury_usd": less(whole, supply, holders),
        "split_basis": "policy",
    }


def funded(trade: Trade, funding: int) -> Iterator[Entry]:
    """Yield what the trader paid to the other side, in collateral, unless that is nothing."""
    if funding:
        yield _entry(
            "funding",
            market=text(trade.before.market.address),
            account=text(trade.before.trader.account),
            is_long=trade.before.is_long,
            paid_usd=_collateral(funding, trade),
        )


def bought_back(bought: Token, batch: int, spent: Token, paid: int, worth: Quote) -> Entry:
    """Return the purchase of the venue's own token."""
    return _entry(
        "buybacks",
        bought_token=text(bought.address),
        bought_tokens=exact(batch, bought.decimals),
        spent_token=text(spent.address),
        spent_tokens=exact(paid, spent.decimals),
        spent_usd=exact(paid * (worth.low + worth.high), _USD, 2),
        destination_kind="distribution",
    )

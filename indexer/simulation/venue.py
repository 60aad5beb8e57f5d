"""
The simulated GMX v2: positions, pools and keepers on Arbitrum, and the books about them.

Each method is one transaction of a keeper: it changes the state, emits the logs and enters the
rows. Rows are written from what happened, never from the logs.
"""

from dataclasses import dataclass

from eth_hash.auto import keccak

from indexer.simulation.book import Book
from indexer.simulation.emitter import (
    KEEPER,
    LIQUIDATION,
    MARKET_DECREASE,
    ORDER_HANDLER,
    Emitter,
)
from indexer.simulation.entries import (
    adl_state,
    bought_back,
    changed,
    charged,
    deleveraged,
    funded,
    liquidated,
    open_interest,
    priced,
    swapped,
    unpaid,
)
from indexer.simulation.ledger import Draft
from indexer.simulation.market import Market, Position, Token, Trade, Trader
from indexer.simulation.trading import decreased, increased, received

SWAP_FEE_BPS = 7
BUYBACK_BPS = 7_297
PENDING = -1


@dataclass(kw_only=True)
class Venue(Book):
    """
    The venue at work.

    Attributes:
        emitter: whose logs they are.
        bought: the token that buybacks buy.
        orders: how many there were.
    """

    emitter: Emitter
    bought: Token
    orders: int = 0

    # --- transactions -----------------------------------------------------------------------------

    def increase(self, position: Position, size_usd: int, deposit: int) -> Draft:
        """Open or add to a position with a deposit of collateral."""
        draft, key = self._execution(position)
        trade = increased(position, size_usd, deposit, self.terms(position))
        self._settle(draft, trade, key)
        draft.emit(self.emitter.increase(trade, key), changed(trade, "trade"))
        return self._executed(draft, position, key)

    def decrease(self, position: Position, size_usd: int) -> Draft | None:
        """Close a part or all; None where the margin could not pay and the order is cancelled."""
        trade = decreased(position, size_usd, self.terms(position))
        if trade.unpaid_usd:
            return None
        draft, key = self._execution(position)
        self._settle(draft, trade, key)
        draft.emit(self.emitter.decrease(trade, key, MARKET_DECREASE), changed(trade, "trade"))
        return self._executed(draft, position, key)

    def liquidate(self, position: Position) -> Draft:
        """Close everything because too little margin is left."""
        draft, key = self._execution(position, LIQUIDATION, position.size_usd)
        terms = self.terms(position)
        trade = decreased(position, position.size_usd, terms, is_liquidation=True)
        if trade.unpaid_usd:
            draft.emit(self.emitter.insolvent(trade, key), unpaid(trade))
            paid = trade.owed.funding if trade.unpaid_for == "pnl" else 0
            draft.emit(self.emitter.fees_due(trade, key), *funded(trade, paid))
        self._settle(draft, trade, key)
        draft.emit(
            self.emitter.decrease(trade, key, LIQUIDATION),
            changed(trade, "liquidation"),
            liquidated(trade),
        )
        return self._executed(draft, position, key)

    def deleverage(self, position: Position, size_usd: int) -> Draft:
        """Close a part of a profitable position because the pool could not pay them all."""
        draft, key = self._execution(position, MARKET_DECREASE, size_usd)
        trade = decreased(position, size_usd, self.terms(position))
        self._settle(draft, trade, key)
        draft.emit(
            self.emitter.decrease(trade, key, MARKET_DECREASE),
            changed(trade, "adl"),
            deleveraged(trade),
        )
        return self._executed(draft, position, key, is_adl=True)

    def announce_adl(self, market: Market, factor: int, limit: int, *, is_long: bool) -> Draft:
        """Say that one side's profit is too large for the pool; parts of 1e30."""
        draft = self._keeper(market)
        draft.emit(
            self.emitter.adl_state(market, factor, limit, is_long=is_long),
            adl_state(market, factor, limit, is_long=is_long),
        )
        return draft

    def swap(self, market: Market, token: Token, amount: int) -> Draft:
        """Swap `amount` of one of the pool's tokens for the other, at a fee."""
        draft = self._keeper(market)
        fee = amount * SWAP_FEE_BPS // 10_000
        parts = {
            "feeReceiverAmount": received(fee),
            "feeAmountForPool": fee - received(fee),
            "amountAfterFees": amount - fee,
            "uiFeeReceiverFactor": 0,
            "uiFeeAmount": 0,
        }
        price, key = self.quote(token).low, self._order_key()
        self._claim(draft, market, token, received(fee))
        draft.emit(
            self.emitter.swap_fees(market, token, price, key, parts),
            *swapped(market, token, fee, price),
        )
        return draft

    def cancel(self, trader: Trader) -> Draft:
        """Cancel an order, which changes nothing."""
        draft = Draft(KEEPER, ORDER_HANDLER)
        key = self._order_key()
        draft.emit(self.emitter.order_cancelled(trader.account, key, "price was not acceptable"))
        return draft

    def buy_back(self, spent: Token, batch: int) -> Draft | None:
        """Buy `batch` of the venue's token with stakers' part of the fees; None without enough."""
        paid = batch * self.quote(self.bought).high // self.quote(spent).low
        available = self.budget.get(spent.address, 0)
        if paid > available:
            return None
        draft = Draft(KEEPER, ORDER_HANDLER)
        for token in (self.bought, spent):
            self._price(draft, token)
        self.budget[spent.address] = available - paid
        draft.emit(
            self.emitter.buyback(spent, self.bought, batch, paid, available),
            bought_back(self.bought, batch, spent, paid, self.quote(spent)),
        )
        draft.emit(self.emitter.available(spent, self.bought, available - paid))
        return draft

    # --- parts of a transaction -------------------------------------------------------------------

    def _execution(
        self, position: Position, order_type: int = PENDING, size_usd: int = 0
    ) -> tuple[Draft, bytes]:
        draft = Draft(KEEPER, ORDER_HANDLER)
        key = self._order_key()
        if order_type != PENDING:  # a trader's own order was created before
            draft.emit(self.emitter.order_created(position, key, order_type, size_usd))
        for token in _distinct(position.market):
            self._price(draft, token)
        return draft, key

    def _keeper(self, market: Market) -> Draft:
        draft = Draft(KEEPER, ORDER_HANDLER)
        for token in _distinct(market):
            self._price(draft, token)
        return draft

    def _price(self, draft: Draft, token: Token) -> None:
        quote, seen_at = self.quote(token), self.time - 1
        draft.emit(self.emitter.price(token, quote, seen_at), priced(token, quote, seen_at))

    def _settle(self, draft: Draft, trade: Trade, key: bytes) -> None:
        self._resize(draft, trade)
        fees, before = trade.fees, trade.before
        paid = (*charged(trade), *funded(trade, fees.funding))
        draft.emit(self.emitter.fees_collected(trade, key), *paid)
        kept = received(fees.protocol) + received(fees.borrow) + received(fees.penalty)
        self._claim(draft, before.market, before.collateral, kept)
        self.positions.pop(before.key, None)
        if trade.after.size_usd:
            self.positions[before.key] = trade.after

    def _resize(self, draft: Draft, trade: Trade) -> None:
        before, after = trade.before, trade.after
        side = (before.market.address, before.collateral.address, before.is_long)
        changes = (
            after.size_usd - before.size_usd,
            after.size_tokens - before.size_tokens,
            after.margin - before.margin,
        )
        was = self.sizes.get(side, (0, 0, 0))
        now = (was[0] + changes[0], was[1] + changes[1], was[2] + changes[2])
        self.sizes[side] = now
        in_usd, in_tokens = open_interest(before, changes, now)
        total = self.emitter.total
        draft.emit(total("CollateralSumUpdated", before, changes[2], now[2]))
        draft.emit(total("OpenInterestUpdated", before, changes[0], now[0]), in_usd)
        draft.emit(total("OpenInterestInTokensUpdated", before, changes[1], now[1]), in_tokens)

    def _claim(self, draft: Draft, market: Market, token: Token, amount: int) -> None:
        if amount:
            total = self.claimable.get(token.address, 0) + amount
            self.claimable[token.address] = total
            part = amount * BUYBACK_BPS // 10_000
            self.budget[token.address] = self.budget.get(token.address, 0) + part
            draft.emit(self.emitter.claimable(market, token, amount, total))

    def _executed(
        self, draft: Draft, position: Position, key: bytes, *, is_adl: bool = False
    ) -> Draft:
        draft.emit(self.emitter.order_executed(position, key, is_adl=is_adl))
        draft.emit(self.emitter.execution_fee(10**14))
        return draft

    def _order_key(self) -> bytes:
        self.orders += 1
        return bytes(keccak(b"order %d" % self.orders))


def _distinct(market: Market) -> list[Token]:
    return list(
        {token.address: token for token in (market.index, market.long, market.short)}.values()
    )

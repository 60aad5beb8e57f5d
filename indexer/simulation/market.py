"""
What is traded on the simulated GMX v2, by whom, and what a trade was.

All dollars are integers of 1e-30, all amounts integers of a token's smallest unit, and a price is
1e-30 dollars per smallest unit, as on chain.
"""

from dataclasses import dataclass

USD = 10**30


@dataclass(frozen=True)
class Token:
    """
    A token the venue prices.

    Attributes:
        address: 20 bytes.
        asset: whose price it has, as feeds name it.
        decimals: of its smallest unit.
    """

    address: bytes
    asset: str
    decimals: int


@dataclass(frozen=True)
class Quote:
    """Lowest and highest price a keeper signed, 1e-30 dollars per smallest unit."""

    low: int
    high: int


@dataclass(frozen=True)
class Market:
    """
    One isolated pool.

    Attributes:
        address: 20 bytes.
        index: what positions are about.
        long: the pool's volatile token.
        short: the pool's stable token.
        pool_usd: its worth, 1e-30 dollars.
        depth_usd: the size that would move the price by all of itself, 1e-30 dollars.
    """

    address: bytes
    index: Token
    long: Token
    short: Token
    pool_usd: int
    depth_usd: int


@dataclass(frozen=True)
class Trader:
    """
    An account and its habits.

    Attributes:
        account: 20 bytes.
        leverage: size per collateral.
        size_usd: of its usual order, 1e-30 dollars.
        home: which market it mostly trades.
        is_stable: keeps its margin in the stable token.
        is_bull: mostly long.
        affiliate: who referred it, 20 bytes; zero for nobody.
        has_frontend: pays a user interface.
    """

    account: bytes
    leverage: int
    size_usd: int
    home: int
    is_stable: bool
    is_bull: bool
    affiliate: bytes
    has_frontend: bool


@dataclass(frozen=True)
class Position:
    """
    What a trader has open in one market, side and collateral token.

    Attributes:
        market: where.
        trader: who.
        collateral: what the margin is in.
        is_long: gains when the price rises.
        key: 32 bytes.
        size_usd: at entry prices, 1e-30 dollars.
        size_tokens: of the index token, smallest units.
        margin: collateral, smallest units.
        settled_at: when borrowing was last paid, seconds.
    """

    market: Market
    trader: Trader
    collateral: Token
    is_long: bool
    key: bytes
    size_usd: int = 0
    size_tokens: int = 0
    margin: int = 0
    settled_at: int = 0

    def pnl_usd(self, index: Quote) -> int:
        """Return profit or loss at this price, fees apart."""
        return profit(self.size_usd, self.size_tokens, index, is_long=self.is_long)


@dataclass(frozen=True)
class Terms:
    """
    What a trade meets.

    Attributes:
        time: seconds.
        index: price of the index token.
        worth: price of the collateral token.
        depth_usd: the size that would now move the price by all of itself, 1e-30 dollars.
        pays_funding: whether its side pays the other one.
    """

    time: int
    index: Quote
    worth: Quote
    depth_usd: int
    pays_funding: bool


@dataclass(frozen=True)
class Fees:
    """
    What a trade costs beside its price, in the collateral token's smallest units.

    Attributes:
        position: before rebates.
        affiliate: of it, to who referred the trader.
        discount: of it, never charged.
        frontend: to a user interface, on top.
        borrow: for the time since the last change.
        penalty: for being liquidated.
        funding: to traders of the other side.
        borrow_usd: `borrow` before it became tokens, 1e-30 dollars.
    """

    position: int = 0
    affiliate: int = 0
    discount: int = 0
    frontend: int = 0
    borrow: int = 0
    penalty: int = 0
    funding: int = 0
    borrow_usd: int = 0

    @property
    def protocol(self) -> int:
        """The position fee that pool and receiver share."""
        return self.position - self.affiliate - self.discount

    @property
    def total(self) -> int:
        """Everything taken from the margin."""
        charged = self.position - self.discount + self.frontend
        return charged + self.borrow + self.penalty + self.funding


@dataclass(frozen=True)
class Trade:
    """
    One executed order.

    Attributes:
        before: the position before it.
        after: the position after it.
        terms: what it met.
        fees: what was paid.
        owed: the fees of a close that could not pay them; else the same as `fees`.
        is_increase: opened or added.
        size_usd: change of the size, 1e-30 dollars, not negative.
        size_tokens: change of the size, smallest units, not negative.
        price: at execution, 1e-30 dollars per smallest unit.
        impact_usd: what the thin book cost, 1e-30 dollars, not positive.
        pnl_usd: realised, fees and impact apart; zero when increasing.
        unpaid_usd: what nobody paid for, 1e-30 dollars.
        unpaid_for: the step at which the margin ran out; "" where it did not.
    """

    before: Position
    after: Position
    terms: Terms
    fees: Fees
    owed: Fees
    is_increase: bool
    size_usd: int
    size_tokens: int
    price: int
    impact_usd: int
    pnl_usd: int = 0
    unpaid_usd: int = 0
    unpaid_for: str = ""

    @property
    def margin_change(self) -> int:
        """Collateral put in (positive) or taken off, smallest units."""
        return self.after.margin - self.before.margin


def profit(size_usd: int, size_tokens: int, index: Quote, *, is_long: bool) -> int:
    """Return what these tokens gained since they were worth `size_usd`, 1e-30 dollars."""
    if is_long:
        return size_tokens * index.low - size_usd
    return size_usd - size_tokens * index.high

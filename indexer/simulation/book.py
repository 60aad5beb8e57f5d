"""What is open on the simulated GMX v2, and at which prices keepers would trade it now."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from eth_hash.auto import keccak

from indexer.simulation.market import Market, Position, Quote, Terms, Token, Trader
from indexer.simulation.prices import Prices, depth
from indexer.simulation.scenarios import ONE, THREE_DAYS, Scenario
from indexer.simulation.trading import is_liquidatable, is_thin

SPREAD_PPM = 150

Side = tuple[bytes, bytes, bool]  # market, collateral token, long


@dataclass
class Book:
    """
    Everything the contracts would store.

    Attributes:
        markets: all of them.
        positions: open ones, by key, in order of opening.
        sizes: dollars and index tokens open, and collateral, by side.
        claimable: what the fee receiver got so far, by token address.
        budget: stakers' part of it that is not spent yet, by token address.
        time: seconds of the block being made.
        prices: at that time, 1e-8 USD.
        scenario: the script that thins the book.
    """

    markets: Sequence[Market]
    positions: dict[bytes, Position] = field(default_factory=dict)
    sizes: dict[Side, tuple[int, int, int]] = field(default_factory=dict)
    claimable: dict[bytes, int] = field(default_factory=dict)
    budget: dict[bytes, int] = field(default_factory=dict)
    time: int = 0
    prices: Prices = field(default_factory=dict)
    scenario: Scenario = THREE_DAYS

    def quote(self, token: Token) -> Quote:
        """Return what keepers sign for a token now."""
        price = self.prices[token.asset] * 10 ** (22 - token.decimals)
        half = 0 if token.asset == "USDC" else price * SPREAD_PPM // ONE // 2
        return Quote(price - half, price + half)

    def terms(self, position: Position) -> Terms:
        """Return what a trade of this position would meet now."""
        market = position.market
        longs, shorts = (self.open_usd(market, is_long=side) for side in (True, False))
        return Terms(
            self.time,
            self.quote(market.index),
            self.quote(position.collateral),
            market.depth_usd * depth(self.time, self.scenario) // ONE,
            position.is_long if longs >= shorts else not position.is_long,
        )

    def open_usd(self, market: Market, *, is_long: bool) -> int:
        """Return one side's open interest, 1e-30 dollars."""
        tokens = {market.long.address, market.short.address}
        sides = [(market.address, token, is_long) for token in sorted(tokens)]
        return sum(self.sizes.get(side, (0, 0, 0))[0] for side in sides)

    def held(self, market: Market, *, is_long: bool) -> list[Position]:
        """Return the open positions of one side."""
        return [
            position
            for position in self.positions.values()
            if position.market == market and position.is_long == is_long
        ]

    def profits(self) -> list[tuple[Market, bool, int]]:
        """Return market, long, and what that side would gain by closing, 1e-30 dollars."""
        index = {market.address: self.quote(market.index) for market in self.markets}
        gains = dict.fromkeys(product(index, (True, False)), 0)
        for one in self.positions.values():
            market = one.market.address
            gains[market, one.is_long] += one.pnl_usd(index[market])
        return [
            (market, is_long, gains[market.address, is_long])
            for market, is_long in product(self.markets, (True, False))
        ]

    def slot(self, trader: Trader, market: Market, collateral: Token, *, is_long: bool) -> Position:
        """Return the trader's position, or an empty one."""
        parts = trader.account + market.address + collateral.address + bytes([is_long])
        key = bytes(keccak(parts))
        return self.positions.get(key) or Position(market, trader, collateral, is_long, key)

    def endangered(self) -> list[Position]:
        """Return the positions that keepers may liquidate now."""
        terms: dict[Side, Terms] = {}
        found = []
        for one in self.positions.values():
            side = (one.market.address, one.collateral.address, one.is_long)
            if side not in terms:
                terms[side] = self.terms(one)
            if is_thin(one, terms[side]) and is_liquidatable(one, terms[side]):
                found.append(one)
        return found

"""Who trades on the simulated venue, and when: traders, liquidators, deleveragers, buyers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from indexer.simulation.ledger import Draft
from indexer.simulation.market import USD, Market, Position, Token, Trader
from indexer.simulation.prices import CALM_SECONDS
from indexer.simulation.scenarios import ONE, THREE_DAYS
from indexer.simulation.truth import Cut, Round, Truth
from indexer.simulation.venue import Venue

_LEVERAGES = (2, 3, 3, 5, 5, 8, 10, 10, 15, 20, 25, 30, 40, 50)
_SMALLEST, _LARGEST = 4_000, 380_000  # dollars
_SWAPS_PERCENT = 4
_BULLS_PERCENT = 62
_STABLE_PERCENT = 65
_HOME_PERCENT, _FAITHFUL_PERCENT = 90, 94
_FACTOR = 10**30
_ADL_ABOVE, _ADL_UNTIL = 15 * _FACTOR // 100, 10 * _FACTOR // 100
_LIQUIDATIONS_AT_ONCE = 2
_BUYBACK_EVERY = 8 * 3_600
_BATCH = 200 * 10**18
_BATCHES_AT_ONCE = 4


def traders(random: Random, count: int) -> list[Trader]:
    """Return accounts with habits of their own."""
    affiliates = [random.randbytes(20) for _ in range(3)]
    return [
        Trader(
            account=random.randbytes(20),
            leverage=random.choice(_LEVERAGES),
            size_usd=random.randrange(_SMALLEST, _LARGEST) * USD + random.randrange(USD),
            home=random.choice((0, 0, 0, 1, 1, 2)),
            is_stable=random.randrange(100) < _STABLE_PERCENT,
            is_bull=random.randrange(100) < _BULLS_PERCENT,
            affiliate=random.choice(affiliates) if random.randrange(4) == 0 else bytes(20),
            has_frontend=random.randrange(5) == 0,
        )
        for _ in range(count)
    ]


@dataclass
class Crowd:
    """
    Everyone who sends orders.

    Attributes:
        random: decides.
        traders: the accounts.
        deleveraging: markets and sides whose ADL was announced.
        truth: where they note what nobody sees on chain.
    """

    random: Random
    traders: Sequence[Trader]
    deleveraging: set[tuple[bytes, bool]] = field(default_factory=set)
    truth: Truth = field(default_factory=lambda: Truth(THREE_DAYS))

    def acts(self, venue: Venue) -> Iterator[Draft]:
        """Yield the transactions of the block that the venue is at."""
        yield from self._liquidations(venue)
        if venue.time % venue.scenario.keepers_seconds == 0:
            for market, is_long, gain in venue.profits():
                factor = gain * _FACTOR // market.pool_usd
                yield from self._deleveraging(venue, market, factor, is_long=is_long)
        yield from self._orders(venue)
        if (venue.time - venue.scenario.start) % _BUYBACK_EVERY == 0:
            yield from self._buybacks(venue)

    def _orders(self, venue: Venue) -> Iterator[Draft]:
        is_slow = venue.time % CALM_SECONDS == 0
        if is_slow and self.random.randrange(100) < _SWAPS_PERCENT:
            yield self._swap(venue)
        script = venue.scenario
        if self.random.randrange(100) < (script.orders_percent if is_slow else script.rush_percent):
            yield self._order(venue)

    def _order(self, venue: Venue) -> Draft:
        random = self.random
        trader = random.choice(self.traders)
        is_home = random.randrange(100) < _HOME_PERCENT
        market = venue.markets[trader.home] if is_home else random.choice(venue.markets)
        is_long = (random.randrange(100) < _FAITHFUL_PERCENT) == trader.is_bull
        collateral = market.short if trader.is_stable else market.long
        position = venue.slot(trader, market, collateral, is_long=is_long)
        if not position.size_usd:
            return self._add(venue, position, trader.size_usd)
        choice = random.randrange(100)
        if choice < 35:
            return self._add(venue, position, trader.size_usd // 3)
        part = 100 if choice >= 75 else random.randrange(10, 90)
        closed = venue.decrease(position, position.size_usd * part // 100)
        return closed or venue.cancel(trader)

    def _add(self, venue: Venue, position: Position, size_usd: int) -> Draft:
        if venue.time > venue.scenario.crash and venue.scenario.is_crash:  # once bitten
            size_usd //= 2
        worth = venue.quote(position.collateral).low
        deposit = size_usd // position.trader.leverage // worth
        fresh = position if position.size_usd else replace(position, settled_at=venue.time)
        return venue.increase(fresh, size_usd, deposit)

    def _swap(self, venue: Venue) -> Draft:
        market = self.random.choice(venue.markets)
        token = self.random.choice((market.long, market.short))
        dollars = self.random.randrange(500, 60_000) * USD
        return venue.swap(market, token, dollars // venue.quote(token).low)

    def _liquidations(self, venue: Venue) -> Iterator[Draft]:
        is_late = venue.time > venue.scenario.crash
        is_crowded = venue.time % CALM_SECONDS != 0 and is_late
        if is_crowded and venue.time % venue.scenario.keepers_seconds:
            return
        due = venue.endangered()
        closed = due[: _LIQUIDATIONS_AT_ONCE if is_late else len(due)]
        if closed:
            accounts = tuple(one.trader.account for one in closed)
            total = sum(one.size_usd for one in closed)
            self.truth.rounds.append(Round(venue.time, len(due), accounts, total))
        for position in closed:
            yield venue.liquidate(position)

    def _deleveraging(
        self, venue: Venue, market: Market, factor: int, *, is_long: bool
    ) -> Iterator[Draft]:
        key = (market.address, is_long)
        if factor < _ADL_UNTIL:
            self.deleveraging.discard(key)
            return
        if key not in self.deleveraging and factor > _ADL_ABOVE:
            self.deleveraging.add(key)
            yield venue.announce_adl(market, factor, _ADL_ABOVE, is_long=is_long)
        if key in self.deleveraging:
            yield self._cut(venue, market, factor, is_long=is_long)

    def _cut(self, venue: Venue, market: Market, factor: int, *, is_long: bool) -> Draft:
        index = venue.quote(market.index)
        held = venue.held(market, is_long=is_long)
        scores = [one.pnl_usd(index) * _FACTOR // one.size_usd for one in held]
        best = max(scores)
        winner = held[scores.index(best)]
        is_small = winner.size_usd < 20_000 * USD
        size = winner.size_usd if is_small else winner.size_usd // 2
        gain, taken = factor * market.pool_usd, winner.pnl_usd(index) * size // winner.size_usd
        self.truth.cuts.append(
            Cut(
                venue.time,
                market.address,
                is_long,
                winner.key,
                rank=1 + sum(score > best for score in scores),
                held=len(held),
                score_ppm=best * ONE // _FACTOR,
                gain_usd=gain // _FACTOR,
                allowed_usd=_ADL_UNTIL * market.pool_usd // _FACTOR,
                taken_usd=taken,
            )
        )
        return venue.deleverage(winner, size)

    def _buybacks(self, venue: Venue) -> Iterator[Draft]:
        tokens: dict[bytes, Token] = {}
        for market in venue.markets:
            tokens |= {token.address: token for token in (market.long, market.short)}
        for token in tokens.values():
            for _ in range(_BATCHES_AT_ONCE):
                bought = venue.buy_back(token, _BATCH)
                if bought is None:
                    break
                yield bought

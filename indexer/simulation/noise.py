"""Logs that belong to nobody's facts: what else happens on a chain beside the declared events."""

from collections.abc import Iterator
from random import Random

from indexer.simulation.emitter import KEEPER, ORDER_HANDLER
from indexer.simulation.encoding import plain
from indexer.simulation.ledger import Draft
from indexer.simulation.venue import Venue

_TRANSFER = "Transfer(address,address,uint256)"
_PERCENT = 12


def acts(random: Random, venue: Venue) -> Iterator[Draft]:
    """Yield a transaction of ERC-20 transfers now and then, and items no declaration reads."""
    if random.randrange(100) >= _PERCENT:
        return
    market = random.choice(venue.markets)
    draft = Draft(random.randbytes(20), market.short.address)
    for _ in range(random.randrange(1, 4)):
        parties = (random.randbytes(20), random.randbytes(20))
        draft.emit(plain(market.short.address, _TRANSFER, [random.randrange(10**12)], parties))
    yield draft
    if random.randrange(3) == 0:
        waiting = Draft(KEEPER, ORDER_HANDLER)
        waiting.emit(venue.emitter.execution_fee(random.randrange(10**15)))
        yield waiting

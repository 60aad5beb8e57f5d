"""Chainlink aggregators of one chain: an answer when the price moved, or when it is due."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from indexer.chains import Chain
from indexer.protocols import PROTOCOLS
from indexer.simulation.encoding import plain
from indexer.simulation.ledger import Draft, Entry, exact, moment, text
from indexer.simulation.prices import Prices
from indexer.simulation.scenarios import ONE, THREE_DAYS, Fault, Scenario
from indexer.simulation.truth import Reading, error_ppm

HEARTBEAT_SECONDS = 3_600
DEVIATION_BPS = 50
_LEAST_SECONDS = 30  # a round takes this long to agree
_ANSWER = "AnswerUpdated(int256,uint256,uint256)"
_TRANSMITTER = bytes.fromhex("51d00000000000000000000000000000007a4511")


@dataclass
class Feed:
    """
    One aggregator.

    Attributes:
        address: 20 bytes.
        asset: base symbol; the quote is USD, with 8 decimals.
        answer: the latest one, 1e-8 USD.
        posted_at: when, seconds.
        round_id: of the latest answer.
        seen: the price its nodes saw when they last looked, which is what they will post.
    """

    address: bytes
    asset: str
    answer: int = 0
    posted_at: int = 0
    round_id: int = 41_000
    seen: int = 0

    def acts(self, time: int, price: int, fault: Fault | None = None) -> Iterator[Draft]:
        """Yield the transaction that posts an answer, where one is due and no fault keeps it."""
        if fault is not None:
            frozen = self.seen or price
            price = frozen if fault.is_frozen else price * (ONE + fault.off_ppm) // ONE
        seen, self.seen = self.seen or price, price
        if fault is not None and fault.is_silent:
            return
        age = time - self.posted_at
        has_moved = abs(seen - self.answer) * 10_000 > DEVIATION_BPS * self.answer
        if age >= HEARTBEAT_SECONDS or (has_moved and age >= _LEAST_SECONDS):
            self.answer, self.posted_at, self.round_id = seen, time, self.round_id + 1
            yield self._posted()

    def _posted(self) -> Draft:
        draft = Draft(_TRANSMITTER, self.address)
        log = plain(self.address, _ANSWER, [self.posted_at], [self.answer, self.round_id])
        draft.emit(
            log,
            Entry(
                "oracle_updates",
                "chainlink",
                "1",
                {
                    "feed": text(self.address),
                    "asset": self.asset,
                    "quote": "USD",
                    "oracle_price_quote": exact(self.answer, 8),
                    "observed_at": moment(self.posted_at),
                    "round_id": str(self.round_id),
                    "provider": "chainlink",
                },
            ),
        )
        return draft


@dataclass
class Feeds:
    """
    The aggregators that post dollar prices of some assets on a chain.

    Attributes:
        chain: where.
        assets: base symbols; each must have a declared aggregator.
        scenario: the script of what is wrong with them.
        feeds: the aggregators.
    """

    chain: Chain
    assets: Sequence[str]
    scenario: Scenario = THREE_DAYS
    feeds: list[Feed] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the declared aggregators."""
        self.feeds = [Feed(_aggregator(self.chain, asset), asset) for asset in self.assets]

    def acts(self, time: int, prices: Prices) -> Iterator[Draft]:
        """Yield the transactions of one block."""
        for feed in self.feeds:
            yield from feed.acts(time, prices[feed.asset], self._fault(feed.asset, time))

    def readings(self, time: int, prices: Prices) -> list[Reading]:
        """Return how far the latest answers are from the prices."""
        return [
            Reading(time, feed.asset, error_ppm(feed.answer, prices[feed.asset]))
            for feed in self.feeds
        ]

    def _fault(self, asset: str, time: int) -> Fault | None:
        after = time - self.scenario.crash
        faults = (one for one in self.scenario.faults if one.asset == asset)
        return next((one for one in faults if one.first <= after < one.last), None)


def _aggregator(chain: Chain, asset: str) -> bytes:
    wanted = {"asset": asset, "quote": "USD", "decimals": 8}
    address = next(
        one.address
        for one in PROTOCOLS["chainlink"].contracts
        if one.chain == chain and one.says == wanted
    )
    return bytes.fromhex(address[2:])

"""What tokens that are bought back answer about their supply, and what a reader must make of it."""

from dataclasses import dataclass

from indexer.simulation.encoding import topic, word
from indexer.simulation.ledger import Cell, Entry, exact, text
from indexer.simulation.served import CallKey
from indexer.spec import DEAD_ADDRESS

_UNIT = 10**18


@dataclass(frozen=True)
class Supply:
    """
    A token of 18 decimals of which one more is minted each minute.

    Attributes:
        token: lower-case 0x address.
        protocol: whose declaration reads it.
        version: of that reading.
        dead_tokens: what lies at the dead address, whole tokens.
    """

    token: str
    protocol: str
    version: str
    dead_tokens: int

    def answers(self, number: int, time: int) -> dict[CallKey, str]:
        """Return what the token answers after block `number`, made at `time`."""
        dead = word(int(DEAD_ADDRESS, 16))
        told = {
            topic("totalSupply()")[:4]: self._supply(time),
            topic("balanceOf(address)")[:4] + dead: self.dead_tokens * _UNIT,
        }
        return {(number, self.token, text(sent)): text(word(value)) for sent, value in told.items()}

    def entry(self, time: int) -> Entry:
        """Return what a reader of this state must end up with."""
        cells: dict[str, Cell] = {
            "token": self.token,
            "supply_tokens": exact(self._supply(time), 18),
            "dead_tokens": exact(self.dead_tokens * _UNIT, 18),
        }
        return Entry("token_supplies", self.protocol, self.version, cells, evidence="state")

    def _supply(self, time: int) -> int:
        return (10_000_000 + time // 60 % 10**6) * _UNIT


AAVE = Supply("0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9", "aave", "3", 12)
GMX = Supply("0xfc5a1a6eb076a2c7ad06ed22c90d7e710e35ad0a", "gmx_v2", "2", 34)
SYRUP = Supply("0x643c4e15d7d62ad0abec4a9bd4b001aa3ef52d66", "maple", "2", 56)

"""What a share of the simulated pool is worth: lenders' money in and out, and interest earned."""

from dataclasses import dataclass

from indexer.simulation.encoding import topic, word
from indexer.simulation.ledger import Cell, Entry, exact, text
from indexer.simulation.served import CallKey

_START_SHARES = 1_700_000_000 * 10**6
_START_PPM = 1_137_400
_MANY = 10**18


@dataclass
class Shares:
    """
    The pool as an ERC-4626 vault.

    Attributes:
        pool: 20 bytes.
        asset: 20 bytes.
        decimals: of the asset and of the shares.
        supply: shares, smallest units.
        assets: what they are worth together, smallest units.
    """

    pool: bytes
    asset: bytes
    decimals: int
    supply: int = _START_SHARES
    assets: int = _START_SHARES * _START_PPM // 1_000_000

    def moved(self, assets: int, shares: int) -> None:
        """Enter a deposit; a withdrawal is below zero."""
        self.assets += assets
        self.supply += shares

    def earned(self, assets: int) -> None:
        """Enter interest, after fees."""
        self.assets += assets

    def answers(self, number: int) -> dict[CallKey, str]:
        """Return what the pool answers after block `number`."""
        told: dict[bytes, int | bytes] = {
            topic("convertToAssets(uint256)")[:4] + word(_MANY): self._worth(),
            topic("totalSupply()")[:4]: self.supply,
            topic("asset()")[:4]: self.asset,
            topic("totalAssets()")[:4]: self.assets,
            topic("unrealizedLosses()")[:4]: 0,
        }
        pool = text(self.pool)
        return {(number, pool, text(sent)): text(word(value)) for sent, value in told.items()}

    def entries(self) -> tuple[Entry, Entry]:
        """Return what a reader of this state must end up with, in the order of its reads."""
        pool: dict[str, Cell] = {"pool": text(self.pool), "asset_token": text(self.asset)}
        price: dict[str, Cell] = {
            "share_price_tokens": exact(self._worth(), 18),
            "supply_tokens": exact(self.supply, self.decimals),
        }
        state: dict[str, Cell] = {
            "part": text(self.pool),
            "assets_tokens": exact(self.assets, self.decimals),
            "unrealized_loss_tokens": exact(0, 0),
        }
        return (
            Entry("share_prices", "maple", "2", pool | price, evidence="state"),
            Entry("pool_states", "maple", "2", pool | state, evidence="state"),
        )

    def _worth(self) -> int:
        return _MANY * self.assets // self.supply

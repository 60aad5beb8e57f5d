"""A few traders who stayed with the simulated GMX v1: one Vault, sizes in dollars, no ADL."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from eth_hash.auto import keccak

from indexer.chains import ARBITRUM
from indexer.protocols import PROTOCOLS
from indexer.simulation.encoding import plain
from indexer.simulation.ledger import Draft, exact
from indexer.simulation.prices import Prices
from indexer.simulation.scenarios import THREE_DAYS, Scenario
from indexer.simulation.stakes import (
    Coin,
    Stake,
    borrow_rate,
    changed,
    charged,
    liquidated,
    open_interest,
    priced,
)
from indexer.simulation.transactions import Log

USD = 10**30
_PER_CENT_MILLION = 10**22  # a price of 1e-8 dollars in 1e-30 dollars
_FEE_BPS = 10
_LIQUIDATED_BELOW_BPS = 100
_HEARTBEAT_SECONDS = 10 * 60
_ROUTER = bytes.fromhex("b87a436B93fFE9D75c5cFA7bAcFff96430b09868")
_PRICE_FEED = bytes.fromhex("51d0000000000000000000000000000000f45701")
_KEEPER = bytes.fromhex("51d00000000000000000000000000000000ca9e1")
_KEY = "bytes32,address,address,address"
_CHANGE = f"({_KEY},uint256,uint256,bool,uint256,uint256)"
_LIQUIDATION = f"LiquidatePosition({_KEY},bool,uint256,uint256,uint256,int256,uint256)"


@dataclass
class Vault:
    """
    The Vault and its traders.

    Attributes:
        random: decides.
        scenario: how many trade, how often, and how exact prices are.
        stakes: open positions by key.
        rates: cumulative borrow rate by token, 1e-6.
        posted: latest price by asset, 1e-8 USD.
    """

    random: Random
    scenario: Scenario = THREE_DAYS
    stakes: dict[bytes, Stake] = field(default_factory=dict)
    rates: dict[bytes, int] = field(default_factory=dict)
    posted: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find the declared contracts, and make the traders."""
        self._vault, self._events = (_contract(name) for name in ("Vault", "FastPriceEvents"))
        self._coins = tuple(_coin(symbol) for symbol in ("WETH", "BTC"))
        self._stable = _coin("USDC")
        self._accounts = [self.random.randbytes(20) for _ in range(self.scenario.vault_traders)]

    def acts(self, time: int, prices: Prices) -> Iterator[Draft]:
        """Yield the transactions of one block."""
        for stake in list(self.stakes.values()):
            price = prices[stake.coin.asset] * _PER_CENT_MILLION
            left = stake.margin + stake.profit(price)
            if left < stake.size * _LIQUIDATED_BELOW_BPS // 10_000:
                yield self._liquidated(stake, prices)
        age = time - self.scenario.start
        if age % self.scenario.vault_act_seconds == 0:
            yield self._traded(prices)
        if self._has_moved(prices) or age % _HEARTBEAT_SECONDS == 0:
            yield self._priced(prices)

    def _has_moved(self, prices: Prices) -> bool:
        most = self.scenario.vault_deviation_bps
        return any(
            abs(prices[asset] - last) * 10_000 > most * last for asset, last in self.posted.items()
        )

    def _traded(self, prices: Prices) -> Draft:
        account, coin = self.random.choice(self._accounts), self.random.choice(self._coins)
        is_long = self.random.randrange(3) > 0
        margin_coin = coin if is_long else self._stable
        key = bytes(keccak(account + margin_coin.address + coin.address + bytes([is_long])))
        stake = self.stakes.get(key)
        if stake is None:
            price = prices[coin.asset] * _PER_CENT_MILLION
            empty = Stake(key, account, coin, margin_coin, is_long, 0, 0, price)
            return self._increased(empty, prices)
        whole = self.random.randrange(2) == 0
        return self._decreased(stake, stake.size if whole else stake.size // 2, prices)

    def _increased(self, stake: Stake, prices: Prices) -> Draft:
        draft, price = self._priced(prices), prices[stake.coin.asset] * _PER_CENT_MILLION
        size = self.random.randrange(2_000, 120_000) * USD + self.random.randrange(USD)
        margin = size // self.random.choice((2, 4, 8, 15, 30))
        fee = self._collected(draft, stake, size, prices)
        self.stakes[stake.key] = replace(stake, size=size, margin=margin - fee)
        draft.emit(
            self._change("IncreasePosition", stake, (margin, size, price, fee)),
            changed(stake, "trade", size, price, collateral_delta_usd=exact(margin - fee, 30)),
            open_interest(stake, size),
        )
        return draft

    def _decreased(self, stake: Stake, size: int, prices: Prices) -> Draft:
        draft, price = self._priced(prices), prices[stake.coin.asset] * _PER_CENT_MILLION
        profit = stake.profit(price) * size // stake.size
        margin = stake.margin * size // stake.size
        fee = self._collected(draft, stake, size, prices)
        pnl: list[int | bytes] = [stake.key, profit >= 0, abs(profit)]
        draft.emit(plain(self._vault, "UpdatePnl(bytes32,bool,uint256)", pnl))
        draft.emit(
            self._change("DecreasePosition", stake, (margin, size, price, fee)),
            changed(stake, "trade", -size, price, realized_pnl_usd=exact(profit, 30)),
            open_interest(stake, -size),
        )
        del self.stakes[stake.key]
        if size < stake.size:
            left = replace(stake, size=stake.size - size, margin=stake.margin - margin)
            self.stakes[stake.key] = left
        return draft

    def _liquidated(self, stake: Stake, prices: Prices) -> Draft:
        draft, price = self._priced(prices), prices[stake.coin.asset] * _PER_CENT_MILLION
        fee = self._collected(draft, stake, stake.size, prices)
        amounts = [stake.is_long, stake.size, stake.margin, 0, -stake.margin, price]
        emptied = {"collateral_delta_usd": exact(-stake.margin, 30), "notional_usd": exact(0, 0)}
        draft.emit(
            plain(self._vault, _LIQUIDATION, [*_place(stake), *amounts]),
            changed(stake, "liquidation", -stake.size, price, **emptied),
            liquidated(stake, price, fee),
            open_interest(stake, -stake.size),
        )
        del self.stakes[stake.key]
        return draft

    def _priced(self, prices: Prices) -> Draft:
        draft = Draft(_KEEPER, _ROUTER)
        for coin in self._coins:
            self.posted[coin.asset] = prices[coin.asset]
            price = prices[coin.asset] * _PER_CENT_MILLION
            update: list[int | bytes] = [coin.address, price, _PRICE_FEED]
            log = plain(self._events, "PriceUpdate(address,uint256,address)", update)
            draft.emit(log, priced(coin, price, _PRICE_FEED))
        return draft

    def _collected(self, draft: Draft, stake: Stake, size: int, prices: Prices) -> int:
        coin, fee = stake.margin_coin, size * _FEE_BPS // 10_000
        self.rates[coin.address] = rate = self.rates.get(coin.address, 480_000) + 3
        log = plain(self._vault, "UpdateFundingRate(address,uint256)", [coin.address, rate])
        draft.emit(log, borrow_rate(coin, rate))
        worth = prices[coin.asset] * _PER_CENT_MILLION
        in_tokens = fee * 10**coin.decimals // worth
        paid: list[int | bytes] = [coin.address, fee, in_tokens]
        log = plain(self._vault, "CollectMarginFees(address,uint256,uint256)", paid)
        draft.emit(log, charged(stake, fee, in_tokens))
        return fee

    def _change(self, name: str, stake: Stake, amounts: tuple[int, int, int, int]) -> Log:
        margin, size, price, fee = amounts
        data = [*_place(stake), margin, size, stake.is_long, price, fee]
        return plain(self._vault, name + _CHANGE, data)


def _place(stake: Stake) -> list[int | bytes]:
    return [stake.key, stake.account, stake.margin_coin.address, stake.coin.address]


def _contract(name: str) -> bytes:
    address = next(
        one.address
        for one in PROTOCOLS["gmx_v1"].contracts
        if one.chain == ARBITRUM and one.abi == f"gmx_v1/{name}"
    )
    return bytes.fromhex(address[2:])


def _coin(symbol: str) -> Coin:
    token = next(
        one for one in PROTOCOLS["gmx_v1"].tokens if (one.chain, one.symbol) == (ARBITRUM, symbol)
    )
    asset = {"WETH": "ETH"}.get(symbol, symbol)
    return Coin(bytes.fromhex(token.address[2:]), asset, token.decimals)

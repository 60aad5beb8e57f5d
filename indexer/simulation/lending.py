"""Aave borrowers on Ethereum who are liquidated in the crash, half of their debt at a time."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from indexer.chains import ETHEREUM
from indexer.protocols import PROTOCOLS
from indexer.simulation.encoding import plain
from indexer.simulation.ledger import Cell, Draft, Entry, exact, text
from indexer.simulation.market import Token
from indexer.simulation.prices import ASSETS, Prices

USDC = Token(bytes.fromhex("a0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"), "USDC", 6)
WETH = Token(bytes.fromhex("c02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"), "ETH", 18)
# No declaration knows this one: its decimals have to be asked for.
CBBTC = Token(bytes.fromhex("cbb7c0000ab88b473b1f5afd9ef808440eed33bf"), "BTC", 8)
_SYMBOLS = {USDC: "USDC", WETH: "WETH", CBBTC: "cbBTC"}
_BORROWERS = 44
_THRESHOLD_BPS = 8_300
_BONUS_BPS = 10_500
_LIQUIDATOR = bytes.fromhex("51d00000000000000000000000000000001191d8")
_CALL = "LiquidationCall(address,address,address,uint256,uint256,address,bool)"
_DECIMALS, _SYMBOL = "0x313ce567", "0x95d89b41"


@dataclass(frozen=True)
class Account:
    """A borrower: address, what is pledged (smallest units), what is owed (of USDC)."""

    address: bytes
    pledge: Token
    pledged: int
    owed: int


@dataclass
class Borrowers:
    """
    Everyone who owes USDC.

    Attributes:
        random: decides.
        accounts: still open.
    """

    random: Random
    accounts: list[Account] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Find the declared pool, and make the borrowers."""
        self._pool = bytes.fromhex(_pool()[2:])
        self.accounts = [self._account() for _ in range(_BORROWERS)]

    def _account(self) -> Account:
        pledge = self.random.choice((WETH, CBBTC))
        owed = self.random.randrange(20_000, 3_000_000) * 10**6
        loan_to_value_bps = self.random.randrange(3_500, 7_900)
        price = next(one.start for one in ASSETS if one.symbol == pledge.asset)
        pledged = owed * 10_000 // loan_to_value_bps * 10 ** (pledge.decimals + 2) // price
        return Account(self.random.randbytes(20), pledge, pledged, owed)

    def acts(self, prices: Prices) -> Iterator[Draft]:
        """Yield the liquidations of one block."""
        for place, account in enumerate(self.accounts):
            value = account.pledged * prices[account.pledge.asset]
            backed = value * _THRESHOLD_BPS // 10_000 // 10 ** (account.pledge.decimals + 2)
            if 0 < backed < account.owed:
                draft, self.accounts[place] = self._liquidated(account, prices)
                yield draft

    def _liquidated(self, account: Account, prices: Prices) -> tuple[Draft, Account]:
        pledge, repaid = account.pledge, account.owed // 2 + 1
        worth = repaid * 10 ** (pledge.decimals + 2) * _BONUS_BPS // 10_000
        seized = min(account.pledged, worth // prices[pledge.asset])
        draft = Draft(_LIQUIDATOR, self._pool)
        draft.emit(
            plain(
                self._pool,
                _CALL,
                [repaid, seized, _LIQUIDATOR, False],
                [pledge.address, USDC.address, account.address],
            ),
            *self._entries(account, repaid, seized),
        )
        left = replace(account, pledged=account.pledged - seized, owed=account.owed - repaid)
        return draft, left

    def _entries(self, account: Account, repaid: int, seized: int) -> tuple[Entry, Entry]:
        pool, owner = text(self._pool), text(account.address)
        token, amount = text(account.pledge.address), exact(seized, account.pledge.decimals)
        liquidation: dict[str, Cell] = {
            "kind": "liquidation",
            "pool": pool,
            "account": owner,
            "counterparty": text(_LIQUIDATOR),
            "asset_token": text(USDC.address),
            "principal_tokens": exact(repaid, USDC.decimals),
            "collateral_token": token,
            "collateral_tokens": amount,
        }
        withdrawal: dict[str, Cell] = {
            "kind": "withdrawal",
            "pool": pool,
            "account": owner,
            "asset_token": token,
            "asset_tokens": amount,
        }
        return (
            Entry("credit_events", "aave", "3", liquidation),
            Entry("pool_flows", "aave", "3", withdrawal),
        )


def token_answers() -> dict[tuple[int | None, str, str], str]:
    """Return what these tokens answer to `decimals()` and `symbol()`, in any block."""
    answers: dict[tuple[int | None, str, str], str] = {}
    for token, symbol in _SYMBOLS.items():
        name = symbol.encode("ascii")
        answers[None, text(token.address), _DECIMALS] = f"0x{token.decimals:064x}"
        answers[None, text(token.address), _SYMBOL] = (
            f"0x{32:064x}{len(name):064x}{name.hex():0<64}"
        )
    return answers


def _pool() -> str:
    found = [
        one.address
        for one in PROTOCOLS["aave"].contracts
        if one.chain == ETHEREUM and one.version == "3" and one.abi == "aave/Pool"
    ]
    return found[0]

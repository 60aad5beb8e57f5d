"""Positions of the simulated GMX v1, and what their changes become in the fact tables."""

from dataclasses import dataclass, replace

from indexer.simulation.ledger import Cell, Entry, exact, less, text

PROTOCOL, VERSION = "gmx_v1", "1"
_USD = 30


@dataclass(frozen=True)
class Coin:
    """A token of the pool: address, whose price it has, decimals."""

    address: bytes
    asset: str
    decimals: int


@dataclass(frozen=True)
class Stake:
    """
    An open position; dollars are 1e-30.

    Attributes:
        key: 32 bytes.
        account: 20 bytes.
        coin: the index token.
        margin_coin: what the collateral is in.
        is_long: gains when the price rises.
        size: dollars.
        margin: dollars at the time of the deposit.
        entry: average price, 1e-30 dollars.
    """

    key: bytes
    account: bytes
    coin: Coin
    margin_coin: Coin
    is_long: bool
    size: int
    margin: int
    entry: int

    def profit(self, price: int) -> int:
        """Return profit or loss at this price, dollars."""
        gain = self.size * (price - self.entry) // self.entry
        return gain if self.is_long else -gain


def _entry(table: str, /, **cells: Cell) -> Entry:
    return Entry(table, PROTOCOL, VERSION, cells)


def _whose(stake: Stake) -> dict[str, Cell]:
    return {
        "market": text(stake.coin.address),
        "account": text(stake.account),
        "position_id": text(stake.key),
        "is_long": stake.is_long,
        "collateral_token": text(stake.margin_coin.address),
    }


def changed(stake: Stake, cause: str, size: int, price: int, **more: Cell) -> Entry:
    """Return a position change that moves the size by so many dollars (signed), at this price."""
    return _entry(
        "position_changes",
        **_whose(stake),
        cause=cause,
        notional_delta_usd=exact(size, _USD),
        execution_price_usd=exact(price, _USD),
        **more,
    )


def open_interest(stake: Stake, change: int) -> Entry:
    """Return what a change of size means for its side."""
    row = _entry(
        "open_interest",
        market=text(stake.coin.address),
        is_long=stake.is_long,
        open_interest_delta_usd=exact(change, _USD),
    )
    return replace(row, evidence="derived")


def liquidated(stake: Stake, price: int, fee: int) -> Entry:
    """Return the liquidation of a whole position."""
    return _entry(
        "liquidations",
        **_whose(stake),
        notional_usd=exact(stake.size, _USD),
        collateral_usd=exact(stake.margin, _USD),
        mark_price_usd=exact(price, _USD),
        execution_price_usd=exact(price, _USD),
        fee_usd=exact(fee, _USD),
        shortfall_basis="none",
        derivation="direct",
    )


def charged(stake: Stake, fee: int, fee_tokens: int) -> Entry:
    """Return the margin fee of a change: 70 % to GLP, the rest to stakers."""
    whole, pool = exact(fee, _USD), exact(fee * 7, _USD + 1)
    return _entry(
        "fees",
        market=text(stake.coin.address),
        account=text(stake.account),
        fee_kind="margin",
        fee_token=text(stake.margin_coin.address),
        fee_tokens=exact(fee_tokens, stake.margin_coin.decimals),
        fee_usd=whole,
        supply_side_usd=pool,
        treasury_usd=exact(0, 0),
        holders_usd=less(whole, pool),
        split_basis="policy",
    )


def priced(coin: Coin, price: int, feed: bytes) -> Entry:
    """Return the price update of a token."""
    return _entry(
        "oracle_updates",
        feed=text(coin.address),
        asset=coin.asset,
        quote="USD",
        oracle_price_quote=exact(price, _USD),
        provider=text(feed),
    )


def borrow_rate(coin: Coin, cumulative: int) -> Entry:
    """Return a token's running borrow rate (1e-6): longs pay that of what they are long of."""
    return _entry(
        "funding",
        market=text(coin.address),
        collateral_token=text(coin.address),
        is_long=coin.asset != "USDC",
        funding_rate_cumulative_ratio=exact(cumulative, 6),
    )

"""
What GMX v2's EventEmitter logs about a trade: keys and their order as of the contracts of 2026.

Only the encoding of what happened; what it means is entered in `venue.py`, apart from this.
"""

from collections.abc import Mapping

from indexer.simulation.encoding import Blob, Items, Signed, keyed
from indexer.simulation.items import (
    NOBODY,
    charged_items,
    payer_items,
    penalty_items,
    position_items,
    rebates_items,
    whose_items,
)
from indexer.simulation.market import Fees, Market, Position, Quote, Token, Trade
from indexer.simulation.transactions import Log

ORACLE = bytes.fromhex("7F01614cA5198Ec979B1aAd1DAF0DE7e0a215BDF")
ORDER_HANDLER = bytes.fromhex("63492B775e30a9E6b4b4761c12605EB9d071d5e9")
DECREASE_EXECUTOR = bytes.fromhex("f7B962B085775A96A99E3dD38dfFf09D7e270088")
FEE_HANDLER = bytes.fromhex("7EB417637a3E6d1C19E6d69158c47610b7a5d9B3")
PROVIDER = bytes.fromhex("E1d5a068c5b75E0c7Ea1A9Fe8EA056f9356C6fFD")
KEEPER = bytes.fromhex("51d0000000000000000000000000000000ca9e00")
FEE_TYPE = bytes.fromhex("5151" * 16)

MARKET_DECREASE, LIQUIDATION, MARKET_INCREASE = 4, 7, 2
_ORDER_ZEROS = (
    *("initialCollateralDeltaAmount", "triggerPrice", "acceptablePrice", "executionFee"),
    *("callbackGasLimit", "minOutputAmount", "updatedAtTime", "validFromTime", "srcChainId"),
)


class Emitter:
    """Writes the logs of one EventEmitter."""

    def __init__(self, address: bytes) -> None:
        """
        Keep the address.

        Args:
            address: the EventEmitter, 20 bytes.
        """
        self.address = address

    def _log(self, sender: bytes, name: str, items: Items, *indexed: bytes) -> Log:
        return keyed(self.address, sender, name, items, indexed)

    def price(self, token: Token, quote: Quote, seen_at: int) -> Log:
        """OraclePriceUpdate, which every keeper transaction repeats per token."""
        items: Items = {
            "token": token.address,
            "provider": PROVIDER,
            "minPrice": quote.low,
            "maxPrice": quote.high,
            "timestamp": seen_at,
        }
        return self._log(ORACLE, "OraclePriceUpdate", items, token.address)

    def order_created(self, position: Position, key: bytes, order_type: int, size_usd: int) -> Log:
        """OrderCreated, as liquidation and ADL handlers make one themselves."""
        account, market = position.trader.account, position.market.address
        items: Items = {
            "account": account,
            "receiver": account,
            "callbackContract": NOBODY,
            "uiFeeReceiver": NOBODY,
            "market": market,
            "initialCollateralToken": position.collateral.address,
            "cancellationReceiver": NOBODY,
            "swapPath": (),
            "orderType": order_type,
            "decreasePositionSwapType": 1,
            "sizeDeltaUsd": size_usd,
            **dict.fromkeys(_ORDER_ZEROS, 0),
            "isLong": position.is_long,
            "shouldUnwrapNativeToken": False,
            "autoCancel": False,
            "key": key,
        }
        return self._log(ORDER_HANDLER, "OrderCreated", items, key, account)

    def order_executed(self, position: Position, key: bytes, *, is_adl: bool) -> Log:
        """OrderExecuted: the only place that tells an ADL from a trade."""
        account = position.trader.account
        items: Items = {"key": key, "account": account, "secondaryOrderType": int(is_adl)}
        return self._log(ORDER_HANDLER, "OrderExecuted", items, key, account)

    def order_cancelled(self, account: bytes, key: bytes, reason: str) -> Log:
        """OrderCancelled: an order that changed nothing."""
        items: Items = {"key": key, "account": account, "reason": reason, "reasonBytes": Blob(key)}
        return self._log(ORDER_HANDLER, "OrderCancelled", items, key, account)

    def increase(self, trade: Trade, key: bytes) -> Log:
        """PositionIncrease, with the position as it is afterwards."""
        items: Items = {
            **position_items(trade),
            "sizeDeltaUsd": trade.size_usd,
            "sizeDeltaInTokens": trade.size_tokens,
            "orderType": MARKET_INCREASE,
            "increasedAtTime": trade.terms.time,
            "collateralDeltaAmount": Signed(trade.margin_change),
            "pendingPriceImpactUsd": Signed(trade.impact_usd),
            "pendingPriceImpactAmount": Signed(0),
            **whose_items(trade, key),
        }
        return self._log(ORDER_HANDLER, "PositionIncrease", items, trade.before.trader.account)

    def decrease(self, trade: Trade, key: bytes, order_type: int) -> Log:
        """PositionDecrease, for trades, liquidations and ADLs alike."""
        items: Items = {
            **position_items(trade),
            "sizeDeltaUsd": trade.size_usd,
            "sizeDeltaInTokens": trade.size_tokens,
            "collateralDeltaAmount": -trade.margin_change,
            "values.priceImpactDiffUsd": 0,
            "orderType": order_type,
            "decreasedAtTime": trade.terms.time,
            "priceImpactUsd": Signed(trade.impact_usd),
            "basePnlUsd": Signed(trade.pnl_usd),
            "uncappedBasePnlUsd": Signed(trade.pnl_usd),
            "proportionalPendingImpactUsd": Signed(0),
            "totalImpactUsd": Signed(trade.impact_usd),
            **whose_items(trade, key),
        }
        return self._log(DECREASE_EXECUTOR, "PositionDecrease", items, trade.before.trader.account)

    def fees_collected(self, trade: Trade, key: bytes) -> Log:
        """PositionFeesCollected: what was paid."""
        return self._fees("PositionFeesCollected", trade, trade.fees, key)

    def fees_due(self, trade: Trade, key: bytes) -> Log:
        """PositionFeesInfo: what an insolvent close would have paid."""
        return self._fees("PositionFeesInfo", trade, trade.owed, key)

    def _fees(self, name: str, trade: Trade, fees: Fees, key: bytes) -> Log:
        market = trade.before.market.address
        items: Items = {
            **payer_items(trade, fees, key),
            **charged_items(fees),
            **rebates_items(fees),
            **penalty_items(fees),
            "isIncrease": trade.is_increase,
        }
        sender = ORDER_HANDLER if trade.is_increase else DECREASE_EXECUTOR
        return self._log(sender, name, items, market)

    def insolvent(self, trade: Trade, key: bytes) -> Log:
        """InsolventClose: the margin ran out."""
        items: Items = {
            "orderKey": key,
            "positionCollateralAmount": trade.before.margin,
            "remainingCostUsd": trade.unpaid_usd,
            "basePnlUsd": Signed(trade.pnl_usd),
            "step": trade.unpaid_for,
        }
        return self._log(DECREASE_EXECUTOR, "InsolventClose", items)

    def total(self, name: str, position: Position, change: int, total: int) -> Log:
        """OpenInterestUpdated, OpenInterestInTokensUpdated or CollateralSumUpdated."""
        market = position.market.address
        items: Items = {
            "market": market,
            "collateralToken": position.collateral.address,
            "isLong": position.is_long,
            "delta": Signed(change),
            "nextValue": total,
        }
        return self._log(ORDER_HANDLER, name, items, market)

    def claimable(self, market: Market, token: Token, change: int, total: int) -> Log:
        """ClaimableFeeAmountUpdated: what waits for the fee handler."""
        items: Items = {
            "market": market.address,
            "token": token.address,
            "delta": change,
            "nextValue": total,
            "feeType": FEE_TYPE,
        }
        return self._log(
            ORDER_HANDLER, "ClaimableFeeAmountUpdated", items, market.address, FEE_TYPE
        )

    def adl_state(self, market: Market, factor: int, limit: int, *, is_long: bool) -> Log:
        """AdlStateUpdated: one side's profit is too large for the pool."""
        items: Items = {
            "pnlToPoolFactor": Signed(factor),
            "maxPnlFactor": limit,
            "isLong": is_long,
            "shouldEnableAdl": True,
        }
        return self._log(ORDER_HANDLER, "AdlStateUpdated", items, market.address)

    def execution_fee(self, amount: int) -> Log:
        """KeeperExecutionFee: gas, which is nobody's revenue."""
        items: Items = {"keeper": KEEPER, "executionFeeAmount": amount}
        return self._log(ORDER_HANDLER, "KeeperExecutionFee", items, KEEPER)

    def swap_fees(
        self, market: Market, token: Token, price: int, key: bytes, parts: Mapping[str, int]
    ) -> Log:
        """SwapFeesCollected; parts are feeReceiverAmount, feeAmountForPool and so on."""
        items: Items = {
            "tradeKey": key,
            "swapFeeType": FEE_TYPE,
            "uiFeeReceiver": NOBODY,
            "market": market.address,
            "token": token.address,
            "tokenPrice": price,
            **parts,
        }
        return self._log(ORDER_HANDLER, "SwapFeesCollected", items, market.address)

    def buyback(self, spent: Token, bought: Token, batch: int, paid: int, available: int) -> Log:
        """BuybackFees: `batch` of the bought token came in for `paid` of the fee token."""
        items: Items = {
            "feeToken": spent.address,
            "buybackToken": bought.address,
            "batchSize": batch,
            "buybackAmount": paid,
            "availableFeeAmount": available,
        }
        return self._log(FEE_HANDLER, "BuybackFees", items)

    def available(self, spent: Token, bought: Token, left: int) -> Log:
        """SetAvailableFeeAmount: what is left to spend."""
        items: Items = {
            "feeToken": spent.address,
            "buybackToken": bought.address,
            "availableFeeAmount": left,
        }
        return self._log(FEE_HANDLER, "SetAvailableFeeAmount", items)

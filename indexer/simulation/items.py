"""The items of GMX v2's position events, in the order of the contracts of 2026."""

from indexer.simulation.market import Fees, Trade
from indexer.simulation.trading import received

NOBODY = bytes(20)
NOTHING = bytes(32)
FACTOR = 10**30
RECEIVER_FACTOR = 37 * 10**28

_SIZE_ZEROS = (
    *("borrowingFactor", "fundingFeeAmountPerSize"),
    *("longTokenClaimableFundingAmountPerSize", "shortTokenClaimableFundingAmountPerSize"),
)
_FUNDING_ZEROS = (
    *("claimableLongTokenAmount", "claimableShortTokenAmount", "latestFundingFeeAmountPerSize"),
    "latestLongTokenClaimableFundingAmountPerSize",
    "latestShortTokenClaimableFundingAmountPerSize",
)


def position_items(trade: Trade) -> dict[str, bytes | int]:
    """Return the size after a trade, and its prices."""
    before, after, terms = trade.before, trade.after, trade.terms
    return {
        "account": before.trader.account,
        "market": before.market.address,
        "collateralToken": before.collateral.address,
        "sizeInUsd": after.size_usd,
        "sizeInTokens": after.size_tokens,
        "collateralAmount": after.margin,
        **dict.fromkeys(_SIZE_ZEROS, 0),
        "executionPrice": trade.price,
        "indexTokenPrice.max": terms.index.high,
        "indexTokenPrice.min": terms.index.low,
        "collateralTokenPrice.max": terms.worth.high,
        "collateralTokenPrice.min": terms.worth.low,
    }


def whose_items(trade: Trade, key: bytes) -> dict[str, bool | bytes]:
    """Return the side, the order and the position of a trade."""
    return {"isLong": trade.before.is_long, "orderKey": key, "positionKey": trade.before.key}


def payer_items(trade: Trade, fees: Fees, key: bytes) -> dict[str, bytes | int]:
    """Return who pays the fees of a trade, and in what."""
    before, worth = trade.before, trade.terms.worth
    return {
        "orderKey": key,
        "positionKey": before.key,
        "referralCode": NOTHING,
        "market": before.market.address,
        "collateralToken": before.collateral.address,
        "affiliate": before.trader.affiliate,
        "trader": before.trader.account,
        "uiFeeReceiver": NOBODY,
        "collateralTokenPrice.min": worth.low,
        "collateralTokenPrice.max": worth.high,
        "tradeSizeUsd": trade.size_usd,
        "fundingFeeAmount": fees.funding,
    }


def charged_items(fees: Fees) -> dict[str, int]:
    """Return the fees, and how pool and receiver share them."""
    to_receiver = received(fees.protocol) + received(fees.borrow) + received(fees.penalty)
    shared = fees.protocol + fees.borrow + fees.penalty
    return {
        **dict.fromkeys(_FUNDING_ZEROS, 0),
        "borrowingFeeUsd": fees.borrow_usd,
        "borrowingFeeAmount": fees.borrow,
        "borrowingFeeReceiverFactor": RECEIVER_FACTOR,
        "borrowingFeeAmountForFeeReceiver": received(fees.borrow),
        "positionFeeFactor": 6 * FACTOR // 10_000,
        "protocolFeeAmount": fees.protocol,
        "positionFeeReceiverFactor": RECEIVER_FACTOR,
        "feeReceiverAmount": to_receiver,
        "feeAmountForPool": shared - to_receiver,
        "positionFeeAmountForPool": fees.protocol - received(fees.protocol),
        "positionFeeAmount": fees.position,
        "totalCostAmount": fees.total,
        "uiFeeReceiverFactor": FACTOR // 10_000,
        "uiFeeAmount": fees.frontend,
    }


def rebates_items(fees: Fees) -> dict[str, int]:
    """Return what referrals give back; nothing where there is no referral."""
    if not fees.affiliate:
        return {}
    return {
        "referral.totalRebateFactor": FACTOR // 10,
        "referral.adjustedAffiliateRewardFactor": FACTOR // 2,
        "referral.traderDiscountFactor": FACTOR // 2,
        "referral.totalRebateAmount": fees.affiliate + fees.discount,
        "referral.traderDiscountAmount": fees.discount,
        "referral.affiliateRewardAmount": fees.affiliate,
    }


def penalty_items(fees: Fees) -> dict[str, int]:
    """Return the fee for being liquidated; nothing where there is none."""
    if not fees.penalty:
        return {}
    return {
        "liquidationFeeAmount": fees.penalty,
        "liquidationFeeReceiverFactor": RECEIVER_FACTOR,
        "liquidationFeeAmountForFeeReceiver": received(fees.penalty),
    }

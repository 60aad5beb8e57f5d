"""Contracts, the shapes of MarketUpdated, and what a settlement leaves behind."""

from indexer.spec import Neg, Sum

PERPS, BUYBACK = "synthetix_v3/PerpsMarketProxy", "synthetix_v3/BuybackSnx"
SNX = "0x22e6966b799c4d5b13be962e1d117b56327fda66"  # on Base, bridged
HOME_SNX = "0xC011a73ee8576Fb46F5E1c5751cA3B9Fe0af2a6F"
MARKET_UPDATED = (
    "MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256,uint128)",
    "MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256)",  # until about Feb 2024
)

OLD = Sum(("newSize", Neg("sizeDelta")))
BY_ACCOUNT = {"accountId": "accountId"}

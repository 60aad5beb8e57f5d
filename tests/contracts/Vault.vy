# pragma version ~=0.4.3
"""
@title  The events of a GMX v1 Vault
@notice Emits what the Vault emits, in its order and between the transfers of collateral; every
        number is the caller's. No position is kept.
"""

interface Token:
    def transfer(to: address, amount: uint256) -> bool: nonpayable

event IncreasePosition:
    key: bytes32
    account: address
    collateralToken: address
    indexToken: address
    collateralDelta: uint256
    sizeDelta: uint256
    isLong: bool
    price: uint256
    fee: uint256

event DecreasePosition:
    key: bytes32
    account: address
    collateralToken: address
    indexToken: address
    collateralDelta: uint256
    sizeDelta: uint256
    isLong: bool
    price: uint256
    fee: uint256

event LiquidatePosition:
    key: bytes32
    account: address
    collateralToken: address
    indexToken: address
    isLong: bool
    size: uint256
    collateral: uint256
    reserveAmount: uint256
    realisedPnl: int256
    markPrice: uint256

event UpdatePnl:
    key: bytes32
    hasProfit: bool
    delta: uint256

event CollectMarginFees:
    token: address
    feeUsd: uint256
    feeTokens: uint256

struct Position:
    key: bytes32
    account: address
    collateral_token: address
    index_token: address
    is_long: bool
    collateral: uint256
    size: uint256
    price: uint256
    fee_usd: uint256
    fee_tokens: uint256


@external
def increase(p: Position):
    extcall Token(p.collateral_token).transfer(self, p.fee_tokens)
    log CollectMarginFees(token=p.collateral_token, feeUsd=p.fee_usd, feeTokens=p.fee_tokens)
    log IncreasePosition(
        key=p.key,
        account=p.account,
        collateralToken=p.collateral_token,
        indexToken=p.index_token,
        collateralDelta=p.collateral,
        sizeDelta=p.size,
        isLong=p.is_long,
        price=p.price,
        fee=p.fee_usd,
    )


@external
def decrease(p: Position, has_profit: bool, profit_or_loss: uint256):
    log CollectMarginFees(token=p.collateral_token, feeUsd=p.fee_usd, feeTokens=p.fee_tokens)
    log UpdatePnl(key=p.key, hasProfit=has_profit, delta=profit_or_loss)
    log DecreasePosition(
        key=p.key,
        account=p.account,
        collateralToken=p.collateral_token,
        indexToken=p.index_token,
        collateralDelta=p.collateral,
        sizeDelta=p.size,
        isLong=p.is_long,
        price=p.price,
        fee=p.fee_usd,
    )
    extcall Token(p.collateral_token).transfer(p.account, p.fee_tokens)


@external
def liquidate(p: Position, reserve: uint256, realised: int256):
    log CollectMarginFees(token=p.collateral_token, feeUsd=p.fee_usd, feeTokens=p.fee_tokens)
    log LiquidatePosition(
        key=p.key,
        account=p.account,
        collateralToken=p.collateral_token,
        indexToken=p.index_token,
        isLong=p.is_long,
        size=p.size,
        collateral=p.collateral,
        reserveAmount=reserve,
        realisedPnl=realised,
        markPrice=p.price,
    )
    extcall Token(p.collateral_token).transfer(p.account, p.fee_tokens)

"""
Ethena: USDe, minted for collateral that is hedged elsewhere, and sUSDe, which its rewards go to.

Contracts  https://docs.ethena.fi/technical-reference/key-addresses; all are read from
           block 18,500,000 of November 2023, which is older: sUSDe is of block 18,571,359.
Split      what sUSDe receives is supply side. What the hedges earn is made off the chain, so the
           fees themselves, and what the treasury keeps, are not known.
Units      USDe and sUSDe wad 1e18, collateral in its own decimals. Dollars are USDe at par, an
           assumption. https://github.com/DefiLlama/dimension-adapters (fees/ethena.ts)

Events of the deployed contracts differ from the audited source: RewardsReceived has one argument
that is not indexed, and Mint and Redeem of the first minter index the three parties, where that
source indexes collateral and amounts under the same topic. Read the wrong way round, an address
would be an amount that fits no column: such a log is refused.
A withdrawal of sUSDe is logged when its cooldown starts, with the silo as receiver; the USDe leave
days later. Rewards vest over eight hours; totalAssets is without what has not vested.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    Amount,
    Call,
    Condition,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Fixed,
    Nonzero,
    OfContract,
    Protocol,
    Quotient,
    Read,
    Seconds,
    Token,
    Value,
)

STAKED = "ethena/StakedUSDeV2"
USDE = "0x4c9edd5852cd905f086c759e8383e09bff1e68b3"
SUSDE = "0x9d39a5de30e57443bff2a8307a4256c8797a3497"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
RESERVE_FUND = "0x2b5ab59163a6e93b4486f6055d33ca4a115dd4d5"
START = 18_500_000

STAKE: dict[str, Value] = {
    "pool": Emitter(),
    "account": "owner",
    "asset_token": Const(USDE),
    "asset_tokens": Fixed("assets", 18),
    "share_tokens": Fixed("shares", 18),
}
MINTED: dict[str, Value] = {
    "pool": Const(USDE),
    "account": "beneficiary",
    "asset_token": "collateral_asset",
    "asset_tokens": Amount("collateral_amount", "collateral_asset"),
    "share_tokens": Fixed("usde_amount", 18),
}
RESERVED: dict[str, Value] = {
    "market": Const(USDE),
    "asset_token": Emitter(),
    "shortfall_tokens": Amount("value", Emitter()),
}
INTO: Condition = Equals("to", OfContract("wallet"))
OUT_OF: Condition = Equals("from", OfContract("wallet"))

PROTOCOL = Protocol(
    slug="ethena",
    name="Ethena",
    kind="yield",
    methodology=(
        "Mints and redemptions of USDe count collateral and USDe as both minters log them. "
        "Deposits and withdrawals are those of sUSDe, the latter when their cooldown starts. Its "
        "share price is totalAssets over totalSupply, read once a day, without rewards that have "
        "not vested. Rewards are what sUSDe received, at par; the fees they come from are not "
        "known. What enters and leaves the reserve fund in USDe, USDT and USDC counts as "
        "insurance, which is assumed: what the fund changes into other assets, and back, is "
        "among it."
    ),
    left_out=(
        "Fees and revenue: hedges earn on exchanges and with custodians, not on the chain.",
        "The spread of a mint or redemption: it needs the collateral's price at that moment.",
        "LockedAmountRedistributed: shares of a restricted account that change hands, or are "
        "burnt, and what they were worth is then the others': in their share price.",
        "What the reserve fund holds in other assets: funds of treasuries since 2024, mostly USDtb "
        "since 2025.",
        "Wallets that pass rewards on: what reaches sUSDe is counted, once.",
        "USDe and sUSDe on other chains: bridged, not minted.",
    ),
    untold_shares="those of a restricted account can be destroyed for the good of the others",
    contracts=(
        Contract(ETHEREUM, STAKED, SUSDE, START),
        Contract(
            chain=ETHEREUM,
            abi="ethena/EthenaMinting",
            address="0x2CC440b721d2CaFd6D64908D6d8C4aCC57F8Afc3",
            from_block=START,
        ),
        Contract(
            chain=ETHEREUM,
            abi="ethena/EthenaMintingV2",
            address="0xe3490297a08d6fC8Da46Edb7B6142E4F461b62D3",
            from_block=START,
            version="2",
        ),
        *(
            Contract(
                chain=ETHEREUM,
                abi="erc20/Token",
                address=token,
                from_block=START,
                says={"wallet": RESERVE_FUND},
                only={side: (RESERVE_FUND,)},
            )
            for token in (USDE, USDT, USDC)
            for side in ("to", "from")
        ),
    ),
    events=(
        *(
            Event(STAKED, name, "pool_flows", {**STAKE, "kind": Const(kind)})
            for name, kind in (("Deposit", "deposit"), ("Withdraw", "withdrawal"))
        ),
        Event(
            abi=STAKED,
            name="RewardsReceived",
            into="fees",
            columns={
                "market": Emitter(),
                "fee_kind": Const("interest"),
                "fee_token": Const(USDE),
                "supply_side_usd": Fixed("amount", 18),
                "split_basis": Const("none"),
            },
            evidence="assumed",
        ),
        *(
            Event(abi, name, "pool_flows", {**MINTED, "kind": Const(kind)})
            for abi in ("ethena/EthenaMinting", "ethena/EthenaMintingV2")
            for name, kind in (("Mint", "mint"), ("Redeem", "redemption"))
        ),
        # Whoever likes may move nothing of the fund's, or into it: tokens log that as well.
        *(
            Event(
                abi="erc20/Token",
                name="Transfer",
                into="shortfalls",
                columns={**RESERVED, "kind": Const(kind), "account": other},
                where=(Nonzero("value"), side),
                evidence="assumed",
            )
            for kind, side, other in (
                ("insurance_in", INTO, "from"),
                ("insurance_out", OUT_OF, "to"),
            )
        ),
    ),
    reads=(
        Read(
            name="share_price",
            abi=STAKED,
            calls=(Call("totalAssets"), Call("totalSupply")),
            every=Seconds(86_400),
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": Const(USDE),
                "share_price_tokens": Fixed(Quotient("totalAssets", "totalSupply"), 0),
                "supply_tokens": Fixed("totalSupply", 18),
            },
        ),
    ),
    tokens=(
        Token(ETHEREUM, USDE, "USDE", 18),
        Token(ETHEREUM, SUSDE, "SUSDE", 18),
        Token(ETHEREUM, USDT, "USDT", 6),
        Token(ETHEREUM, USDC, "USDC", 6),
    ),
)

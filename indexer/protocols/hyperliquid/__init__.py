"""
Hyperliquid: an order book on HyperCore; HyperEVM beside it can read its state, and logs none of it.

Contracts  the precompiles of HyperEVM answer for HyperCore; a call is its arguments without a
           selector. https://github.com/hyperliquid-dev/hyper-evm-lib/blob/main/src/PrecompileLib.sol
           Bridge2 on Arbitrum holds the dollars; when it was made is not known, so it is read from
           the first block of Nitro on. https://github.com/hyperliquid-dex/contracts
Units      a perp's prices are integers of 10^(szDecimals - 6) dollars; szDecimals and the coin's
           name are read in the same block, so nothing is assumed about either. The bridge counts
           USDC, 1e6; HYPE is token 150 and counts 1e8.
Split      of what perps charge, after a builder's and a deployer's part (HIP-3): 97 % to the
           Assistance Fund until 2025-08-30, 99 % from then on, the rest to HLP.
           https://github.com/DefiLlama/dimension-adapters/blob/master/helpers/hyperliquid.ts
Perps      by index: 0 BTC, 1 ETH, 5 SOL, 159 HYPE; a feed is the precompile and the index.
Files      fills, see `fills`: nodes write them, and whoever has them imports them.

Nodes keep precompiles' state for recent blocks only, unless they are archives.
"""

from indexer.chains import ARBITRUM, HYPERCORE, HYPEREVM
from indexer.protocols.hyperliquid.fills import ASSISTANCE_FUND, FILLS
from indexer.spec import (
    Account,
    Amount,
    Blocks,
    Call,
    Const,
    Contract,
    DecimalsSaid,
    Event,
    Fixed,
    Int,
    Nonzero,
    OfContract,
    Policy,
    Protocol,
    Read,
    Token,
    listed,
)

ABI = "hyperliquid/Precompiles"
SUPPLY = "hyperliquid/Supply"
HYPE = 150
SPOT_BALANCE = "0x0000000000000000000000000000000000000801"
HYPE_SUPPLY = "0x000000000000000000000000000000000000080d"
MARK_PRICE = "0x0000000000000000000000000000000000000806"
ORACLE_PRICE = "0x0000000000000000000000000000000000000807"
PERP_INFO = "0x000000000000000000000000000000000000080a"
PERPS = (0, 1, 5, 159)
BRIDGE_ABI = "hyperliquid/Bridge2"
BRIDGE = "0x2Df1c51E09aECF9cacB7bc98cB1742757f163dF7"
USDC = "0xaf88d065e77c8cC2239327C5EDb3A432268e5831"
NITRO = 22_207_818
SPLIT = "https://github.com/DefiLlama/dimension-adapters/blob/master/helpers/hyperliquid.ts"

PROTOCOL = Protocol(
    slug="hyperliquid",
    name="Hyperliquid",
    kind="perp",
    methodology=(
        "Oracle and mark prices of a few perps, as HyperEVM's precompiles state them every 3,600 "
        "blocks; so are the supply of HYPE, from which burned tokens are taken off, and what the "
        "Assistance Fund holds (`pool_states`), which counts as treasury. Deposits are transfers "
        "of USDC to the bridge on Arbitrum, withdrawals what it finalized; requests queue, and are "
        "removed where a dispute invalidates them. Everything else is from fills that the user "
        "brings: position changes of both sides of each trade, those of a backstop's vault as "
        "takeovers and those that end a delisted market as settlements; liquidations one-sided, "
        "of the liquidated account alone; ADLs of the account that was cut, and for its "
        "counterpart, a vault or a trader, no liquidation as well; fees as charged, rebates below "
        "zero, split by policy where a perp of the main exchange charges USDC; buybacks are "
        "purchases of HYPE by the Assistance Fund, with what it then holds beside each, so that a "
        "purchase that is missing shows. Nothing else proves that files are complete."
    ),
    contracts=(
        *(
            Contract(
                HYPEREVM,
                ABI,
                ORACLE_PRICE,
                0,
                says={
                    "perp": perp,
                    "feed": f"{ORACLE_PRICE}/{perp}",
                    "mark_feed": f"{MARK_PRICE}/{perp}",
                },
            )
            for perp in PERPS
        ),
        Contract(HYPEREVM, SUPPLY, HYPE_SUPPLY, 0),
        Contract(ARBITRUM, BRIDGE_ABI, BRIDGE, NITRO),
        Contract(ARBITRUM, "erc20/Token", USDC, NITRO, only={"to": (BRIDGE.lower(),)}),
    ),
    events=(
        Event(
            abi="erc20/Token",
            name="Transfer",
            into="pool_flows",
            columns={
                "kind": Const("deposit"),
                "pool": "to",
                "account": "from",
                "asset_token": Const(USDC.lower()),
                "asset_tokens": Amount("value", Const(USDC.lower())),
            },
            where=(Nonzero("value"),),
            is_confirmed=True,
        ),
        *(
            Event(
                abi=BRIDGE_ABI,
                name=name,
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": Const(BRIDGE.lower()),
                    "account": user,
                    "asset_token": Const(USDC.lower()),
                    "asset_tokens": Amount(usd, Const(USDC.lower())),
                },
                is_confirmed=name == "FinalizedWithdrawal",
            )
            for name, kind, user, usd in (
                ("RequestedWithdrawal", "withdrawal_request", "user", "usd"),
                ("FinalizedWithdrawal", "withdrawal", "user", "usd"),
                (
                    "InvalidatedWithdrawal",
                    "withdrawal_request_removed",
                    "withdrawal.user",
                    "withdrawal.usd",
                ),
            )
        ),
    ),
    reads=(
        *(
            Read(
                name=name,
                abi=ABI,
                calls=(
                    Call(function, (OfContract("perp"),), price, has_selector=False),
                    Call("perpAssetInfo", (OfContract("perp"),), PERP_INFO, has_selector=False),
                ),
                every=Blocks(3_600),
                into="oracle_updates",
                columns={
                    "feed": feed,
                    "asset": "perpAssetInfo.coin",
                    "quote": Const("USD"),
                    "oracle_price_quote": Fixed(
                        function, DecimalsSaid("perpAssetInfo.szDecimals", plus=6, times=-1)
                    ),
                    "provider": Const(provider),
                },
            )
            for name, function, price, feed, provider in (
                ("oracle_price", "oraclePx", None, OfContract("feed"), "hyperliquid"),
                ("mark_price", "markPx", MARK_PRICE, OfContract("mark_feed"), "hyperliquid mark"),
            )
        ),
        Read(
            name="supply",
            abi=SUPPLY,
            calls=(Call("tokenSupply", (Int(HYPE),), has_selector=False),),
            every=Blocks(3_600),
            into="token_supplies",
            columns={
                "token": Const("HYPE"),
                "supply_tokens": Fixed("tokenSupply.totalSupply", 8),
                # HyperCore takes what is burned off the total: the supply holds nothing dead.
                "dead_tokens": Fixed(Int(0), 0),
            },
        ),
        Read(
            name="assistance_fund",
            abi=SUPPLY,
            calls=(
                Call(
                    "spotBalance",
                    (Const(ASSISTANCE_FUND), Int(HYPE)),
                    SPOT_BALANCE,
                    has_selector=False,
                ),
            ),
            every=Blocks(3_600),
            into="pool_states",
            columns={
                "pool": Const(ASSISTANCE_FUND),
                "part": Const(ASSISTANCE_FUND),
                "asset_token": Const("HYPE"),
                "assets_tokens": Fixed("spotBalance.total", 8),
            },
        ),
    ),
    entries=FILLS,
    policies=(
        Policy("holders_share", "0.97", "2023-01-01", SPLIT, "documentation"),
        Policy("holders_share", "0.99", "2025-08-30", SPLIT, "documentation"),
    ),
    tokens=(Token(ARBITRUM, USDC, "USDC", 6),),
    accounts=tuple(
        Account(HYPERCORE, row["address"], row["name"], row["source"])
        for row in listed("hyperliquid_accounts")
    ),
    left_out=(
        "Prices of other perps than four: which index is which coin is stated for those alone.",
        "Open interest and funding: fills tell changes of positions, not what was open before.",
        "Liquidations of traders whose position an ADL took without a vault between: that trade is "
        "the ADL, and `adls.counterparty` names them.",
        "The collateral behind a position: fills do not carry it, ledger updates are not read.",
        "How fees of spot and of outcomes are split, and of perps that others deploy (HIP-3) where "
        "a fill does not tell the deployer's part: such fees carry no split.",
        "What referrers get of fees: no fill tells it, and the split is published of all of them.",
        "The transaction of fills of a TWAP order: both sides of each have a hash of zeros.",
        "Answers of userFills that were asked for with aggregateByTime: several trades stand under "
        "the number of one, and count again beside a file that tells them apart.",
        "Dollars of fees in other tokens than USDC, and of HYPE bought for USDT0, USDH or USDE: "
        "tokens are counted.",
        "Priority fees of orders (`priorityGas` of a fill), which are burned in HYPE: in what unit "
        "nodes write them is not confirmed.",
        "Burned tokens of buybacks: the vote of December 2025 to count them so is no burn; they go "
        "to the fund, which is called treasury.",
        "Deposits to the first bridge, in bridged USDC, and by CoreDepositWallet on HyperEVM.",
        "Deposit of the bridge: the transfer that it tells of is read, and plain transfers log "
        "none.",
        "FailedWithdrawal: it names a message and an error, and moves nothing; what validators, "
        "lockers and finalizers do; FailedPermitDeposit.",
        "RawAction of CoreWriter: an intent of a contract; whether HyperCore carried it out is not "
        "implied, and no log says it.",
    ),
)

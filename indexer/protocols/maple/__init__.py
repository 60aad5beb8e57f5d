"""
Maple v2: pools lend to institutions through fixed-term and open-term loan managers.

Contracts  https://github.com/maple-labs/address-registry: loans, managers, pool managers,
           strategies and auctions are announced by their factories, pools by the deployers and by
           their managers. First blocks on Base are not confirmed, so its windows start at 0.
           https://github.com/maple-labs/pool-v2 for what pool managers say when they are born.
Split      Lenders' net interest and the pool delegate's fees are supply side; platform fees are
           treasury. Open-term claims carry gross interest, although their field says net; fixed-
           term distributions are net, with management fees in an event of their own.
           https://github.com/maple-labs/maple-core-v2
Buyback    https://community.maple.finance/t/mip-013-fee-buyback-mechanism/355 and its successors:
           a share of what the protocol keeps; 20 % from 2025, 25 % from July 2025 (MIP-019), by
           tiers of monthly revenue from July 2026 (MIP-021; the lowest tier is assumed).
Units      amounts in the pool's asset, pool shares in the same decimals.
Price      convertToAssets of each pool, at the first block of each UTC day: gross of unrealised
           losses, as depositors enter. Who leaves gets (assets - unrealised losses) / shares:
           `pool_states` of the same block has both.

A loan's asset, borrower and lender come from its Initialized event (`markets`), so a loan's events
need it; a manager's pool comes from the manager's own. `pool` is the pool, else the lender, else
the loan itself. Dollars are the asset's at par, USDC and USDT only. `loss_tokens` of a default is
after the delegate's cover; recoveries are already taken off it.
"""

from indexer.chains import ETHEREUM
from indexer.protocols.maple.fees import FEES
from indexer.protocols.maple.loans import LOANS
from indexer.protocols.maple.markets import MARKETS, UPGRADES
from indexer.protocols.maple.pools import DEFAULTS, FLOWS, SHORTFALLS
from indexer.protocols.maple.states import READS, STATES
from indexer.spec import (
    TOKEN_SUPPLY,
    Contract,
    Discover,
    Market,
    Policy,
    Protocol,
    Token,
    chain_of,
    listed,
)

FACTORIES = listed("maple_factories")
KNOWN_POOLS = listed("maple_pools")
DEPLOYERS = (
    ("ethereum", "0x9322fCbb9cf9F04728AD9CB62c80a12615FF9aDc", 16_186_377),
    ("ethereum", "0x87826F821AF105802064785A3905C794eF259D5C", 16_186_377),
    ("ethereum", "0x12fB5dbBDB06ab973f047cC46D6bB33ba4d03b96", 16_186_377),
    ("ethereum", "0xdaF005B31B10F33EE42cEB1A4b983434FE947488", 16_186_377),
    ("base", "0x02A609c8Cbb387E7882836C534bcd738E0E48FbF", 0),
    ("base", "0x12fB5dbBDB06ab973f047cC46D6bB33ba4d03b96", 0),
)
FEE_MANAGERS = (
    ("ethereum", "0xFeACa6A5703E6F9DE0ebE0975C93AE34c00523F2", 16_126_990),
    ("base", "0xc4D7807a5571887F7b50182d072f4fF4654099b0", 0),
)
SYRUP = "0x643C4E15d7d62Ad0aBeC4a9BD4b001aA3Ef52d66"
SYRUP_START = 20_735_662  # of stSYRUP; its own is not confirmed
MIPS = "https://community.maple.finance/t/"
HOLDERS = "holders_share_of_revenue"

PROTOCOL = Protocol(
    slug="maple",
    name="Maple",
    kind="credit",
    methodology=(
        "Credit events are what loans, pool managers and auctions log; a default's loss is net of "
        "the delegate's cover, and a call is no default. Collateral is what borrowers post and "
        "take back, and an impaired strategy is an impairment of its pool. Interest is gross, "
        "split into lenders and delegate (supply side) and platform (treasury), which is paid its "
        "fees also of what a default recovers or cover pays; dollars are USDC and USDT at par. "
        "Requests to withdraw queue and are no flows. Principal outstanding and unrealised losses "
        "are what managers log, absolute. Share prices are read from the pools once a day, before "
        "unrealised losses. Syrup loans are open-term with collateral held off chain: no auction "
        "on chain can occur and margin calls are invisible, so none having been seen says nothing "
        "of them."
    ),
    left_out=(
        "PaymentMade's third value from v4 on, and its service fees of open-term loans: the fee "
        "manager or the loan's manager logs the same.",
        "PrincipalReturned: it is part of PaymentMade.",
        "FundsDrawnDown, FundsReturned and FundsClaimed: a borrower takes what Funded lent and "
        "leaves what PaymentMade pays, and its lender takes that.",
        "Impairments and calls that a payment ends, or new terms of an open-term loan: the loan "
        "logs no removal; what is unrealised from then on is in UnrealizedLossesUpdated.",
        "Cover that V100 managers paid, until they became V200: they log none, and the loss of "
        "their defaults is before it.",
        "What a refinancing pays or lends at once, as a payment or a loan: the loan logs its new "
        "terms alone. The manager's claim has the interest, as a fee, and its principal the rest.",
        "ExpectedClaim, FundsPulled and PoolManager V100's LoanImpaired and LoanFunded: other "
        "events tell the same money or the same impairment.",
        "How the proceeds of a fixed-term auction are shared: the manager logs nothing then, and "
        "transfers of the asset cannot be asked for by managers that are yet to be announced.",
        "The pool of loans made before v5: nothing they log names their lender for good; the loan "
        "itself stands in.",
        "Requests to withdraw that a delegate removes: the queue names neither owner nor shares.",
        "RequestProcessed of the queues: the pool's Withdraw tells the same exit.",
        "CoverWithdrawn: a delegate takes his cover back, which covers nothing.",
        "StrategyDeactivated and StrategyReactivated: whether a strategy that comes back had been "
        "impaired or deactivated is state. An impaired strategy is read and never removed from the "
        "impaired; what is unrealised in it is read once a day.",
        "VestingScheduleUpdated of stSYRUP: when rewards end, and neither their amount nor how "
        "much of them was bought.",
        "Money between pools and strategies: it does not leave the pool; what strategies hold is "
        "read once a day.",
        "The split of loans before v4: Maple v1 pools made it, and v1 itself is not covered.",
        "The SYRUP buyback, unless settings name its wallet (`[[wallets]]`): purchases are over "
        "the counter and no wallet is published; the rates that were decided are policies. SYRUP's "
        "supply is read from the first block of stSYRUP (September 2024) on: its own first block "
        "is not published.",
        "Strategies and syrup pools on other chains than Ethereum: none is announced there.",
    ),
    contracts=(
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi="maple/ProxyFactory",
                address=row["address"],
                from_block=int(row["from_block"]),
                version="2",
                says={"child_abi": row["child_abi"]},
            )
            for row in FACTORIES
        ),
        *(
            Contract(chain_of(chain), "maple/PoolDeployer", address, block, version="2")
            for chain, address, block in DEPLOYERS
        ),
        *(
            Contract(chain_of(chain), "maple/LoanFeeManager", address, block, version="2")
            for chain, address, block in FEE_MANAGERS
        ),
        Contract(ETHEREUM, "erc20/Token", SYRUP, SYRUP_START, version="2"),
    ),
    discoveries=(
        Discover(abi="maple/ProxyFactory", name="InstanceDeployed", child="instance"),
        Discover("maple/PoolDeployer", "PoolDeployed", child="pool_", child_abi="maple/Pool"),
        Discover("maple/PoolManager", "Initialized", child="pool_", child_abi="maple/Pool"),
    ),
    events=(*MARKETS, *LOANS, *DEFAULTS, *SHORTFALLS, *FLOWS, *STATES, *FEES, UPGRADES),
    reads=(*READS, TOKEN_SUPPLY),
    policies=(
        Policy(
            HOLDERS, "0.2", "2025-01-01", MIPS + "mip-013-fee-buyback-mechanism/355", "governance"
        ),
        Policy(
            HOLDERS, "0.25", "2025-07-01", "MIP-019, https://community.maple.finance", "governance"
        ),
        Policy(HOLDERS, "0.1", "2026-07-01", "MIP-021, https://community.maple.finance", "assumed"),
    ),
    tokens=(
        *(
            Token(chain_of(row["chain"]), row["asset"], row["asset_symbol"], int(row["decimals"]))
            for row in KNOWN_POOLS
        ),
        *(
            Token(chain_of(row["chain"]), row["pool"], row["symbol"], int(row["decimals"]))
            for row in KNOWN_POOLS
        ),
        Token(ETHEREUM, SYRUP.lower(), "SYRUP", 18),
    ),
    markets=tuple(
        Market(
            chain_of(row["chain"]),
            row["pool"],
            row["symbol"],
            index_token=row["asset"],
            asset_class="credit",
        )
        for row in KNOWN_POOLS
    ),
)

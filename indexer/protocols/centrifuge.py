"""
Centrifuge: pools of credit whose shares are tokens on many chains, in three generations.

Contracts  v2 (Liquidity Pools): https://github.com/centrifuge/liquidity-pools (deployments), first
           block of Arbitrum the lower of two that are told. v3.0 and v3.1:
           https://github.com/centrifuge/protocol (env), at the same addresses on every chain; first
           blocks are the spoke's; of v3.0 on Plume the deployment's, the lower of two.
Split      none: management fees accrue off chain, inside the price.
Units      prices 1e18, in the pool's currency per share; shares and assets in their own decimals.
Ids        a share class (v3) or tranche (v2) is sixteen bytes; its token is announced by the spoke
           or the pool manager, and is the pool of every row of its chain. A hub may know classes of
           which its chain has no token: its prices are those of the class itself.

v2 vaults are found through DeployVault; Deposit and Withdraw are claims of money and shares that
an epoch settled before. They share their topics with every ERC-4626 vault. In v3 shares are made
and destroyed by the balance sheet, for whoever is to claim them. A token that has moved to the next
generation keeps its address and so its pool; rows of both carry their version.
"""

from indexer.chains import ARBITRUM, BASE, CELO, ETHEREUM
from indexer.spec import (
    Amount,
    Const,
    Contract,
    Discover,
    Emitter,
    Event,
    Fixed,
    IsTrue,
    Not,
    OfMarket,
    Protocol,
    Time,
    Value,
    chain_of,
    listed,
)

MANAGER = "centrifuge/PoolManager"
VAULT = "centrifuge/Vault"
SPOKE = "centrifuge/Spoke"
SHEET = "centrifuge/BalanceSheet"
CLASSES = "centrifuge/ShareClassManager"
HOLDINGS = "centrifuge/Holdings"

MANAGERS_V2 = (
    (ETHEREUM, "0x91808b5e2f6d7483d41a681034d7c9dbb64b9e29", 20_432_393),
    (BASE, "0x7f192f34499ddb2be06c4754cff2a21c4b056994", 17_854_404),
    (ARBITRUM, "0x91808b5e2f6d7483d41a681034d7c9dbb64b9e29", 161_607_032),
    # At the address of Base's manager Celo has its gateway.
    (CELO, "0xa3ce97352c1469884eef3547ec9362329fe78cf0", 26_965_681),
)
V3 = (
    ("3.0", SPOKE, "0xd30da1d7f964e5f6c2d9fe2aaa97517f6b23fa2b"),
    ("3.0", SHEET, "0xbcc8d02d409e439d98453c0b1ffa398dffb31fda"),
    ("3.0", CLASSES, "0xe88e712d60bfd23048dbc677feb44e2145f2cdf4"),
    ("3.0", HOLDINGS, "0x0261fa29b3f2784af17874428b58d971b6652c47"),
    ("3.1", SPOKE, "0xec3582fcdc34078a4b7a8c75a5a3ae46f48525ab"),
    ("3.1", SHEET, "0x12a110ce5f0fc871cc72bc7ecaf35cf39dd0f43e"),
    ("3.1", CLASSES, "0xaffc269c8fe18ee9c7ddb22301ac2c2507d69bef"),
    ("3.1", HOLDINGS, "0x3f0c8d8d2637881c3f6d8531f51a47c2094c918d"),
)

KNOWN: dict[str, Value] = {"asset_class": Const("credit"), "known_by": Const("event")}
TRANCHE_TOKEN = OfMarket("trancheId", "index_token")
CLASS_TOKEN = OfMarket("scId", "index_token")
VAULT_ASSET = OfMarket(Emitter(), "index_token")
VAULT_SHARE = OfMarket(Emitter(), "parent")

V2_EVENTS = (
    Event(
        abi=MANAGER,
        name="DeployTranche",
        into="markets",
        columns={"market": "trancheId", "index_token": "tranche", "parent": "poolId", **KNOWN},
    ),
    Event(
        # The vault's parent is the token of its tranche, which DeployTranche announced before.
        abi=MANAGER,
        name="DeployVault",
        into="markets",
        columns={"market": "vault", "index_token": "asset", "parent": TRANCHE_TOKEN, **KNOWN},
    ),
    Event(
        abi=MANAGER,
        name="PriceUpdate",
        into="share_prices",
        columns={
            "pool": TRANCHE_TOKEN,
            "asset_token": "asset",
            "share_price_tokens": Fixed("price", 18),
            "nav_at": Time("computedAt"),
        },
    ),
    *(
        Event(
            abi=VAULT,
            name=name,
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": VAULT_SHARE,
                "account": "owner",
                "asset_token": VAULT_ASSET,
                "asset_tokens": Amount("assets", VAULT_ASSET),
                "share_tokens": Amount("shares", VAULT_SHARE),
            },
            version="2",
        )
        for name, kind in (("Deposit", "deposit"), ("Withdraw", "withdrawal"))
    ),
)

# Prices widened, issues gained a sender: each generation has its own topics.
SPOKE_PRICES = (
    "UpdateSharePrice(uint64,bytes16,uint256,uint64)",
    "UpdateSharePrice(uint64,bytes16,uint128,uint64)",
)
SHARES = (
    ("Issue(uint64,bytes16,address,uint128,uint128)", "mint", "to"),
    ("Issue(uint64,bytes16,address,address,uint128,uint128)", "mint", "to"),
    ("Revoke(uint64,bytes16,address,uint128,uint128)", "redemption", "from"),
    ("Revoke(uint64,bytes16,address,address,uint128,uint128)", "redemption", "from"),
)

V3_EVENTS = (
    Event(
        abi=SPOKE,
        name="AddShareClass",
        into="markets",
        columns={"market": "scId", "index_token": "token", "parent": "poolId", **KNOWN},
    ),
    *(
        Event(
            abi=SPOKE,
            name=name,
            into="share_prices",
            columns={
                "pool": CLASS_TOKEN,
                "share_price_tokens": Fixed("price", 18),
                "nav_at": Time("computedAt"),
            },
        )
        for name in SPOKE_PRICES
    ),
    Event(
        abi=CLASSES,
        name="UpdateShareClass",
        into="share_prices",
        columns={"pool": "scId", "share_price_tokens": Fixed("navPoolPerShare", 18)},
    ),
    Event(
        abi=CLASSES,
        name="UpdatePricePoolPerShare",
        into="share_prices",
        columns={
            "pool": "scId",
            "share_price_tokens": Fixed("price", 18),
            "nav_at": Time("computedAt"),
        },
    ),
    *(
        Event(
            abi=SHEET,
            name=name,
            into="pool_flows",
            columns={
                "kind": Const(kind),
                "pool": CLASS_TOKEN,
                "account": account,
                "share_tokens": Amount("shares", CLASS_TOKEN),
            },
        )
        for name, kind, account in SHARES
    ),
    Event(
        abi=HOLDINGS,
        name="Update",
        into="credit_events",
        columns={"kind": Const("impairment"), "pool": "scId", "loan": "assetId"},
        where=(Not(IsTrue("isPositive")),),
        evidence="derived",
    ),
)

PROTOCOL = Protocol(
    slug="centrifuge",
    name="Centrifuge",
    kind="rwa",
    methodology=(
        "Share prices are those a chain's vaults use (PriceUpdate, UpdateSharePrice; the pool is "
        "the share's token) and those the hub sets (UpdateShareClass, UpdatePricePoolPerShare; the "
        "pool is the share class): both are told, and differ while a message is on its way. Flows "
        "of v2 are claims at its vaults, with assets and shares; of v3 shares that the balance "
        "sheet issues and revokes. An impairment is a holding that was valued down (derived): "
        "there is no event of a default, and the amount is in units that no log tells."
    ),
    left_out=(
        "Requests (DepositRequest, RedeemRequest) and their cancelling: nothing has moved yet.",
        "Approvals, issues and claims that the hub's request manager logs: the balance sheet "
        "issues the same shares; the assets of an epoch are not told beside them.",
        "Shares that move between chains (InitiateTransferShares, ExecuteTransferShares, "
        "TransferTrancheTokens): nobody buys or redeems them.",
        "Assets that managers move in and out of a pool (Deposit and Withdraw of the balance "
        "sheet): investments, not flows of investors.",
        "Prices of assets (UpdateAssetPrice): the pool's currency is in no log.",
        "Net asset values (NAVManager, SimplePriceManager) and values of holdings (Increase, "
        "Decrease): their decimals are the pool's, which no log tells; the price follows.",
        "Whether a holding is a liability: Initialize says it of pool, class and asset together, "
        "by which nothing can be looked up here. One that is valued down is the pool's gain, and "
        "reads as an impairment; one that is valued up is a loss, and is not read.",
        "Names of share classes that the hub logs: they would hide the token of the class.",
        "Management fees (0.25 and 0.5 % a year are assumed elsewhere): they accrue off chain.",
        "Liquidity Pools before v2 (November 2023 until they moved to it): what the release on "
        "chain logs when it deploys one is not confirmed.",
        "Tinlake, its pools on Ethereum before these, and their write-offs: each has contracts of "
        "its own, with other events.",
        "v1 on Centrifuge's own chain, chains that are not EVM chains, and v3.1 on X Layer, a "
        "chain that is not read.",
    ),
    contracts=(
        *(
            Contract(chain, MANAGER, address, block, version="2")
            for chain, address, block in MANAGERS_V2
        ),
        *(
            Contract(
                chain_of(row["chain"]), abi, address, int(row["from_block"]), version=generation
            )
            for row in listed("centrifuge_deployments")
            for generation, abi, address in V3
            if generation == row["generation"]
        ),
    ),
    discoveries=(Discover(MANAGER, "DeployVault", child="vault", child_abi=VAULT),),
    events=(*V2_EVENTS, *V3_EVENTS),
)

"""
Aave v1, v2 and v3: pooled lending; anyone repays an unhealthy account's debt for its collateral.

Contracts  https://github.com/aave-dao/aave-address-book (core, Lido, EtherFi and Horizon pools;
           AaveV1.sol for v1; configurators and Collectors; the finance committee's Safe). Celo,
           Linea, MegaETH, Monad, Soneium, Sonic and zkSync start with their registries of pools
           (https://github.com/aave/protocol-subgraphs, config), Metis and Mantle with their ACL
           managers (https://github.com/aave-dao/aave-permissions-book, helpers/configs/networks),
           which are older than the pools. The further Ethereum pools start with the first v3 pool,
           which is older than they are; v1 opened in January 2020, after block 9,200,000. The
           configurators on Arbitrum, Avalanche, Optimism and Polygon start where v3.0.2 replaced
           every aToken in one transaction, as ATokenUpgraded says
           (https://github.com/bgd-labs/proposal-3.0.2-upgrade): by logs of these transactions in
           https://github.com/Daovouslabs/Docs (plug-ins/web3-search/datasets, by chain), a
           secondary source.
Split      what MintedToTreasury and a liquidation's transfer carry is the treasury's whole. The
           first has the treasury's part of flash loans in it too, by a share that governance moved,
           and all of it since v3.4: https://governance.aave.com/t/arfc-bgd-aave-v3-4/21572
Units      amounts in the token's own decimals, indexes ray 1e27, transfers of aTokens scaled by
           the index. https://github.com/aave-dao/aave-v3-origin
           https://github.com/aave/aave-protocol

`debtToCover` is what was repaid; `liquidatedCollateralAmount` is without the protocol's
liquidation fee (v3), which reaches the Collector as aTokens of the account just before. Bad debt is
DeficitCreated (v3.3 and later); before it, none was logged. What the treasury takes of interest
and of flash loans is MintedToTreasury, which lags what accrues: it is logged when somebody asks for
it. A pool has one share price per reserve, the liquidity index: what a scaled aToken is worth.
"""

from indexer.chains import ETHEREUM
from indexer.protocols.aave.buybacks import BOUGHT, BUYBACKS, BUYER
from indexer.protocols.aave.first import FIRST, POOL_V1
from indexer.protocols.aave.pools import (
    ANNOUNCED,
    CONFIGURATOR,
    FEES,
    FLOWS,
    LOANS,
    POOL,
    RECEIPT,
    UPGRADES,
)
from indexer.spec import TOKEN_SUPPLY, Contract, Discover, Protocol, Token, chain_of, listed

POOLS = listed("aave")

PROTOCOL = Protocol(
    slug="aave",
    name="Aave",
    kind="credit",
    methodology=(
        "Liquidations are LiquidationCall of the v1, v2 and v3 pools: debt repaid and collateral "
        "received by the liquidator, in tokens. Loans and repayments are Borrow and Repay, flows "
        "Deposit or Supply, Withdraw and the collateral that a liquidation pays out. Bad debt is "
        "DeficitCreated, from v3.3 on, and what the DAO repays of it DeficitCovered. Share prices "
        "are the reserves' liquidity indexes. Fees are the treasury's part of v3's interest and "
        "flash loans when it takes it, premiums of v1's flash loans, v1's origination fees when "
        "they are paid, and the treasury's part of liquidations in v3, from release 3.0.1 on: all "
        "in tokens, without dollars. Buybacks are AAVE that arrives in the finance committee's "
        "Safe from outside the DAO, which holds it; AAVE's supply is read at the first block of "
        "each UTC day."
    ),
    left_out=(
        "v4: its hubs and spokes log reserve ids, and which token an id means is state.",
        "SparkLend: another protocol, declared as spark.",
        "v2's AMM and Arc markets and the pools on Fantom and Harmony, which were wound up; those "
        "on Plasma and X Layer, chains that are not read; Tydro on Ink, a white label of Aave's.",
        "Deposits that repay their owner's debt (useATokens) or that a liquidator takes over: no "
        "money moves; the debt is read.",
        "Who withdraws through a gateway, as ether is, or an adapter: Withdraw names the contract, "
        "which has the owner's aTokens for that moment; deposits name their owner.",
        "Interest that borrowers pay and depositors earn: it accrues in indexes, and the scaled "
        "debt it is multiplied with is state.",
        "Premiums of v2 flash loans: the event states a premium also where the loan was turned "
        "into debt and none was paid.",
        "Premiums of v3 flash loans: what the treasury gets of one, all of it since v3.4, is in "
        "MintedToTreasury again; which part that was before, configurators say only when it moves "
        "(FlashloanPremiumToProtocolUpdated).",
        "The treasury's part of v2's interest: minted at each update, without a log of the pool.",
        "Interest on GHO before v3.4: its own aToken handed it to the treasury, and is not read.",
        "The treasury's part of v3's liquidations on Arbitrum, Avalanche, Optimism and Polygon "
        "before release 3.0.2 (May 2023): the aTokens of the first release logged transfers "
        "unscaled. v2 takes none.",
        "Bad debt before v3.3: none is logged.",
        "SVR proceeds: ether that arrives without an event.",
        "What bought AAVE cost: the transfer into the Safe says what came, not what was paid.",
    ),
    contracts=(
        BUYER,
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi=POOL,
                address=row["address"],
                from_block=int(row["from_block"]),
                version=row["version"],
            )
            for row in POOLS
        ),
        Contract(ETHEREUM, POOL_V1, "0x398eC7346DcD622eDc5ae82352F02bE94C62d119", 9_200_000),
        *(
            Contract(
                chain=chain_of(row["chain"]),
                abi=CONFIGURATOR,
                address=row["configurator"],
                from_block=int(row["configurator_from"] or row["from_block"]),
                version=row["version"],
                says={
                    "pool": row["address"].lower(),
                    "collector": row["collector"].lower(),
                },
            )
            for row in POOLS
            if row["configurator"]
        ),
    ),
    discoveries=tuple(Discover(CONFIGURATOR, name, token, RECEIPT) for name, token in ANNOUNCED),
    events=(*FLOWS, *LOANS, *FEES, *FIRST, *BUYBACKS, *UPGRADES),
    reads=(TOKEN_SUPPLY,),
    tokens=(Token(ETHEREUM, "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee", "ETH", 18), BOUGHT),
)

"""
Maple v2: pools lend to institutions through fixed-term and open-term loan managers.

Contracts  https://github.com/maple-labs/address-registry: loans, managers and pool managers are
           announced by their factories, pools by the deployers. First blocks on Base are not
           confirmed, so its windows start at 0.
Split      Lenders' net interest and the pool delegate's fees are supply side; platform fees are
           treasury. Open-term claims carry gross interest, although their field says net; fixed-
           term distributions are net, with management fees in an event of their own.
           https://github.com/maple-labs/maple-core-v2
Units      amounts in the pool's asset, pool shares in the same decimals.
Price      convertToAssets of each pool, at the first block of each UTC day: gross of unrealised
           losses, as depositors enter; who leaves gets convertToExitAssets, which is not read.

A loan's asset and lender come from its Initialized event (`markets`), so a loan's events need it;
`pool` is the lender, else the loan itself. Dollars are the asset's at par, USDC and USDT only.
`loss_tokens` of a default is after the delegate's cover; recoveries are already taken off it.
Left out: service fees repeated in PaymentMade from v4 on; PrincipalReturned (part of PaymentMade);
principal outstanding (PrincipalOutUpdated fits no table yet); proceeds of fixed-term auctions (the
manager logs nothing); refinancings; withdrawal queues; strategies without a declared asset; the
split of loans before v4, which Maple v1 pools made; the SYRUP buyback (no wallet is published).
"""

from indexer.protocols.maple.fees import FEES
from indexer.protocols.maple.loans import LOANS
from indexer.protocols.maple.pools import POOLS, PRICES
from indexer.spec import Contract, Discover, Market, Protocol, Token, chain_of, listed

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
STRATEGIES = (
    "0x560B3A85Af1cEF113BB60105d0Cf21e1d05F91d4",  # syrupUSDC, Aave
    "0x859C9980931fa0A63765fD8EF2e29918Af5b038C",  # syrupUSDC, Sky
)
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

PROTOCOL = Protocol(
    slug="maple",
    name="Maple",
    kind="credit",
    methodology=(
        "Credit events are what loans and pool managers log; a default's loss is net of the "
        "delegate's cover. Interest is gross, split into lenders and delegate (supply side) and "
        "platform (treasury); dollars are USDC and USDT at par. Share prices are read from the "
        "pools once a day, before unrealised losses. Principal outstanding and fixed-term "
        "recoveries are left out."
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
        *(
            Contract(
                chain=chain_of("ethereum"),
                abi="maple/Strategy",
                address=address,
                from_block=21_995_795,
                version="2",
                says={"asset": USDC},
            )
            for address in STRATEGIES
        ),
    ),
    discoveries=(
        Discover(abi="maple/ProxyFactory", name="InstanceDeployed", child="instance"),
        Discover("maple/PoolDeployer", "PoolDeployed", child="pool_", child_abi="maple/Pool"),
    ),
    events=(*LOANS, *POOLS, *FEES),
    reads=PRICES,
    tokens=(
        *(
            Token(chain_of(row["chain"]), row["asset"], row["asset_symbol"], int(row["decimals"]))
            for row in KNOWN_POOLS
        ),
        *(
            Token(chain_of(row["chain"]), row["pool"], row["symbol"], int(row["decimals"]))
            for row in KNOWN_POOLS
        ),
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

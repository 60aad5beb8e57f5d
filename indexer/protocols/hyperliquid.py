"""
Hyperliquid: an order book on HyperCore; HyperEVM beside it can read its state, and logs none of it.

Contracts  none. The precompiles at 0x0801 to 0x0813 answer for HyperCore; a call is its arguments
           without a selector.
           https://github.com/hyperliquid-dev/hyper-evm-lib/blob/main/src/PrecompileLib.sol
Units      a perp's prices are integers of 10^(szDecimals - 6) dollars; szDecimals and the coin's
           name are read in the same block, so nothing is assumed about either.
Perps      by index: 0 BTC, 1 ETH, 5 SOL, 159 HYPE; a feed is the precompile and the index.

Left out: the mark price (0x0806), which is the venue's own and no oracle; positions and margin,
which need an account; trades, liquidations, ADLs, fees and buybacks, which no EVM log tells.
Nodes keep precompiles' state for recent blocks only, unless they are archives.
"""

from indexer.chains import HYPEREVM
from indexer.spec import (
    Blocks,
    Call,
    Const,
    Contract,
    DecimalsSaid,
    Fixed,
    OfContract,
    Protocol,
    Read,
)

ABI = "hyperliquid/Precompiles"
ORACLE_PRICE = "0x0000000000000000000000000000000000000807"
PERP_INFO = "0x000000000000000000000000000000000000080a"
PERPS = (0, 1, 5, 159)

PROTOCOL = Protocol(
    slug="hyperliquid",
    name="Hyperliquid",
    kind="perp",
    methodology=(
        "Oracle prices of a few perps, as HyperEVM's precompile states them every 3,600 blocks. "
        "Nothing else of Hyperliquid can be read from an EVM chain."
    ),
    contracts=tuple(
        Contract(
            HYPEREVM, ABI, ORACLE_PRICE, 0, says={"perp": perp, "feed": f"{ORACLE_PRICE}/{perp}"}
        )
        for perp in PERPS
    ),
    events=(),
    reads=(
        Read(
            name="oracle_price",
            abi=ABI,
            calls=(
                Call("oraclePx", (OfContract("perp"),), has_selector=False),
                Call("perpAssetInfo", (OfContract("perp"),), PERP_INFO, has_selector=False),
            ),
            every=Blocks(3_600),
            into="oracle_updates",
            columns={
                "feed": OfContract("feed"),
                "asset": "perpAssetInfo.coin",
                "quote": Const("USD"),
                "oracle_price_quote": Fixed(
                    "oraclePx", DecimalsSaid("perpAssetInfo.szDecimals", plus=6, times=-1)
                ),
                "provider": Const("hyperliquid"),
            },
        ),
    ),
)

"""
Pendle v2: yield is split from principal and traded until it is paid out.

Contracts  factories as in @pendle/core-v2 6.11.0 (deployments/<chain>-core.json); they announce
           markets and yield tokens. First blocks are not confirmed, so windows start at 0; that of
           PENDLE, which is older than v2, at about v2's beginning. The limit router has one address
           on all chains.
Split      a swap's fee is netSyFee, of which netSyToReserve is the protocol's; the rest stays with
           the market's liquidity. A limit order's fee is the protocol's whole.
           https://github.com/pendle-finance/pendle-core-v2-public
Units      fees in standardized yield (SY), in its own decimals; rewards in theirs.

No event of a market names its SY: the yield contract's creation says which SY a principal token
has, the market's creation which principal token.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    TOKEN_SUPPLY,
    Amount,
    Const,
    Contract,
    Discover,
    Emitter,
    Event,
    Nonzero,
    OfMarket,
    Protocol,
    Token,
    Value,
    chain_of,
    listed,
)

MARKETS = "pendle/MarketFactory"
PENDLE = "0x808507121b80c02388fad14726482e061b8da827"
YIELDS = "pendle/YieldContractFactory"
MARKET_CREATIONS = (
    "CreateNewMarket(address,address,int256,int256)",
    "CreateNewMarket(address,address,int256,int256,uint256)",
)
OWN_SY = OfMarket(Emitter(), "index_token")
FILLED_SY = OfMarket("YT", "index_token")
NEW: dict[str, Value] = {"asset_class": Const("crypto"), "known_by": Const("event")}
FEE: dict[str, Value] = {"market": Emitter(), "split_basis": Const("none")}

PROTOCOL = Protocol(
    slug="pendle",
    name="Pendle",
    kind="yield",
    methodology=(
        "Fees are what markets charge for swaps, what takers of limit orders pay and what yield "
        "tokens keep of interest and rewards, in the tokens they are taken in; dollars and their "
        "split need the price of each SY and are not known. A market's SY is found through its "
        "principal token, a limit order's through its yield token."
    ),
    left_out=(
        "Dollars, and with them the split of fees: no event prices SY.",
        "The protocol's part of swap fees (netSyToReserve): `fees` splits dollars only.",
        "Buybacks for holders of sPENDLE, unless the settings name a wallet (`[[wallets]]`): the "
        "programme's are not known. PENDLE's supply is read.",
        "WithdrawFeeToTreasury: code before v2 logged it. What an expired yield token keeps for "
        "the treasury it logs as the other fees.",
        "Chains that perpscope does not know, such as Plasma and X Layer.",
    ),
    contracts=(
        *(
            Contract(chain_of(row["chain"]), row["abi"], row["address"], 0)
            for row in listed("pendle_factories")
        ),
        Contract(ETHEREUM, "erc20/Token", PENDLE, 16_000_000),
    ),
    discoveries=(
        Discover(YIELDS, "CreateYieldContract", "YT", "pendle/YieldToken"),
        *(Discover(MARKETS, name, "market", "pendle/Market") for name in MARKET_CREATIONS),
    ),
    events=(
        *(
            Event(
                abi=YIELDS,
                name="CreateYieldContract",
                into="markets",
                columns={**NEW, "market": token, "index_token": "SY"},
            )
            for token in ("PT", "YT")
        ),
        *(
            Event(
                abi=MARKETS,
                name=name,
                into="markets",
                columns={
                    **NEW,
                    "market": "market",
                    "index_token": OfMarket("PT", "index_token"),
                    "parent": "PT",
                },
            )
            for name in MARKET_CREATIONS
        ),
        Event(
            abi="pendle/Market",
            name="Swap",
            into="fees",
            columns={
                **FEE,
                "account": "caller",
                "fee_kind": Const("swap"),
                "fee_token": OWN_SY,
                "fee_tokens": Amount("netSyFee", OWN_SY),
            },
        ),
        Event(
            # What fills a limit order pays the fee, in SY whatever the order is paid in.
            abi="pendle/LimitRouter",
            name="OrderFilledV2",
            into="fees",
            columns={
                "market": "YT",
                "account": "taker",
                "fee_kind": Const("swap"),
                "fee_token": FILLED_SY,
                "fee_tokens": Amount("feeAmount", FILLED_SY),
                "split_basis": Const("none"),
            },
            where=(Nonzero("feeAmount"),),
        ),
        Event(
            abi="pendle/YieldToken",
            name="CollectInterestFee",
            into="fees",
            columns={
                **FEE,
                "fee_kind": Const("interest"),
                "fee_token": OWN_SY,
                "fee_tokens": Amount("amountInterestFee", OWN_SY),
            },
            where=(Nonzero("amountInterestFee"),),
        ),
        Event(
            abi="pendle/YieldToken",
            name="CollectRewardFee",
            into="fees",
            columns={
                **FEE,
                "fee_kind": Const("interest"),
                "fee_token": "rewardToken",
                "fee_tokens": Amount("amountRewardFee", "rewardToken"),
            },
            where=(Nonzero("amountRewardFee"),),
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    tokens=(Token(ETHEREUM, PENDLE, "PENDLE", 18),),
)

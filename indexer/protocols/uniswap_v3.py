"""
Uniswap v3: pools that hold liquidity in ranges of price; here as prices of reference.

Contracts  pools of https://github.com/Uniswap/v3-core that reports compare prices with; each was
           checked against tokens that moved in recorded swaps. All start with the factory on
           Ethereum, block 12,369,621, which is older than they are.
           https://github.com/Uniswap/v3-subgraph
Split      none: a pool keeps a part for the protocol that no swap tells (since its SetFeeProtocol
           after 2025-12-27, first a quarter of fees of 0.01 and 0.05 % and a sixth of others:
           https://github.com/Uniswap/protocol-fees).
Units      amounts in each token's own decimals, positive where the pool received; the root of the
           price times 2**96, in smallest units of token1 per token0; fees in millionths.

Price, liquidity and tick of a Swap are those after it. Burn moves what was provided to what may be
collected, and Collect pays it out with the fees: withdrawals are counted at Burn, once. A Burn of
nothing is a poke. Liquidity is the root of token0 times token1, so in whole tokens it has the mean
of both tokens' decimals; where that mean is no whole number a pool cannot be listed. The mean
price is of thirty minutes, as the pool's own ticks add up: `observe` is asked for two moments, and
its two arrays of two are declared as the eight words they always take. It lags what swaps say, so
it is a feed of its own, the pool's address and `:mean`.
"""

from indexer.spec import (
    Call,
    Condition,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    IsNegative,
    Neg,
    Nonzero,
    Not,
    OfContract,
    Product,
    Protocol,
    Read,
    Seconds,
    SqrtPrice,
    Sum,
    TickPrice,
    Token,
    Value,
    When,
    chain_of,
    listed,
)

POOL = "uniswap_v3/Pool"
POOLS = listed("uniswap_v3_pools")
FACTORY_START = 12_369_621
HALF_HOUR = 1_800

TOKENS = (OfContract("token0"), OfContract("token1"))
PLACES = (OfContract("decimals0"), OfContract("decimals1"))
AMOUNTS = ("amount0", "amount1")
IS_TOKEN0 = Equals(OfContract("of"), "token0")

PRICED: dict[str, Value] = {
    "asset": OfContract("asset"),
    "quote": OfContract("quote"),
}
TICKS = Sum(("observe.tickNow", Neg("observe.tickThen")))
STANDING: dict[str, Value] = {
    "pool": Emitter(),
    "token0": OfContract("token0"),
    "token1": OfContract("token1"),
    "tick": "tick",
    "price_quote": SqrtPrice("sqrtPriceX96", *PLACES),
}
RANGE: dict[str, Value] = {
    "pool": Emitter(),
    "account": "owner",
    "token0": OfContract("token0"),
    "token1": OfContract("token1"),
    "tick_lower": "tickLower",
    "tick_upper": "tickUpper",
    "lower_price_quote": TickPrice("tickLower", 1, *PLACES, is_end=True),
    "upper_price_quote": TickPrice("tickUpper", 1, *PLACES, is_end=True),
}
PAID_IN: dict[str, Condition] = {amount: Not(IsNegative(amount)) for amount in AMOUNTS}

PROTOCOL = Protocol(
    slug="uniswap_v3",
    name="Uniswap v3",
    kind="dex",
    methodology=(
        "Prices of the listed pools: after each Swap, and as the mean of thirty minutes that the "
        "pool itself states, read every hour. Flows are Mint and Burn, one row per token; the "
        "same logs are changes of liquidity over a range of prices, and Initialize and Swap say "
        "where the pool stands, which together give its depth. Fees "
        "are what swaps paid in, times the pool's rate, and what flash loans paid, in tokens."
    ),
    left_out=(
        "Pools that are not listed: factories announce hundreds of thousands, and the tokens of "
        "most have no price.",
        "Who provides through the position manager, as most do: to a pool the manager is the "
        "owner of all their ranges.",
        "Amounts that were swapped: no table holds trades of tokens; a fee is their rate of it.",
        "The protocol's part of fees: which pools keep one, and how much, is state. The UNI that "
        "are burned for it since December 2025 are read as uniswap.",
        "Fees that are paid out (Collect, CollectProtocol): they were counted when they were "
        "charged, and Collect pays back liquidity as well; SetFeeProtocol, whose part is state "
        "until it is called.",
        "PoolCreated of the factory: see the pools that are not listed.",
        "Pools on other chains: no source here lists any, and none of their tokens is confirmed.",
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi=POOL,
            address=row["pool"],
            from_block=FACTORY_START,
            version="3",
            says={
                "token0": row["token0"],
                "token1": row["token1"],
                "decimals0": int(row["decimals0"]),
                "decimals1": int(row["decimals1"]),
                "liquidity_decimals": int(row["liquidity_decimals"]),
                "fee": int(row["fee"]),
                "of": row["of"],
                "asset": row["asset"],
                "quote": row["quote"],
                "mean_feed": f"{row['pool'].lower()}:mean",
            },
        )
        for row in POOLS
    ),
    events=(
        Event(
            abi=POOL,
            name="Swap",
            into="oracle_updates",
            columns={
                **PRICED,
                "feed": Emitter(),
                "oracle_price_quote": When(
                    IS_TOKEN0,
                    SqrtPrice("sqrtPriceX96", *PLACES),
                    SqrtPrice("sqrtPriceX96", *PLACES, "token1"),
                ),
                "provider": Const("uniswap_v3"),
            },
            is_confirmed=True,
        ),
        *(
            Event(
                abi=POOL,
                name="Swap",
                into="fees",
                columns={
                    "market": Emitter(),
                    "account": "recipient",
                    "fee_kind": Const("swap"),
                    "fee_token": token,
                    "fee_tokens": Fixed(Product(amount, OfContract("fee")), places, 1_000_000),
                    "split_basis": Const("none"),
                },
                where=(PAID_IN[amount], Nonzero(amount)),
                is_confirmed=True,
            )
            for amount, token, places in zip(AMOUNTS, TOKENS, PLACES, strict=True)
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": Emitter(),
                    "account": "owner",
                    "asset_token": token,
                    "asset_tokens": Fixed(amount, places),
                },
                where=(Nonzero(amount),),
                is_confirmed=True,
            )
            for name, kind in (("Mint", "deposit"), ("Burn", "withdrawal"))
            for amount, token, places in zip(AMOUNTS, TOKENS, PLACES, strict=True)
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="pool_liquidity",
                columns={
                    **STANDING,
                    "kind": Const(kind),
                    "liquidity_tokens": Fixed(active, OfContract("liquidity_decimals")),
                },
                is_confirmed=True,
            )
            for name, kind, active in (
                ("Initialize", "start", Int(0)),
                ("Swap", "swap", "liquidity"),
            )
        ),
        *(
            Event(
                abi=POOL,
                name=name,
                into="pool_liquidity",
                columns={
                    **RANGE,
                    "kind": Const(kind),
                    "liquidity_delta_tokens": Fixed(change, OfContract("liquidity_decimals")),
                },
                where=(Nonzero("amount"),),
                is_confirmed=True,
            )
            for name, kind, change in (
                ("Mint", "added", "amount"),
                ("Burn", "removed", Neg("amount")),
            )
        ),
        *(
            Event(
                abi=POOL,
                name="Flash",
                into="fees",
                columns={
                    "market": Emitter(),
                    "account": "recipient",
                    "fee_kind": Const("flash_loan"),
                    "fee_token": token,
                    "fee_tokens": Fixed(paid, places),
                    "split_basis": Const("none"),
                },
                where=(Nonzero(paid),),
            )
            for paid, token, places in zip(("paid0", "paid1"), TOKENS, PLACES, strict=True)
        ),
    ),
    reads=(
        Read(
            name="mean_price",
            abi=POOL,
            calls=(Call("observe", ((Int(HALF_HOUR), Int(0)),)),),
            every=Seconds(3_600),
            into="oracle_updates",
            columns={
                **PRICED,
                "feed": OfContract("mean_feed"),
                "oracle_price_quote": When(
                    IS_TOKEN0,
                    TickPrice(TICKS, HALF_HOUR, *PLACES),
                    TickPrice(TICKS, HALF_HOUR, *PLACES, "token1"),
                ),
                "provider": Const("uniswap_v3_mean"),
            },
            version="3",
        ),
    ),
    tokens=tuple(
        Token(
            chain_of(row["chain"]),
            row[f"token{place}"],
            row[f"symbol{place}"],
            int(row[f"decimals{place}"]),
        )
        for row in POOLS
        for place in ("0", "1")
    ),
)

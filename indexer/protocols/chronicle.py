"""
Chronicle: Schnorr-signed prices, poked at once or optimistically; medians before them.

Contracts  those in production of chronicleprotocol/oracle-suite (config/config-contracts.hcl), by
           pair; medians that MakerDAO had ended by then (AAVE, BAL, BAT, COMP, KNC, LRC, MANA, UNI,
           USDT and ZRX), in makerdao/oracles-v2 (omnia/config/relayer.conf); those on Ethereum
           since, whose names end in a number, as deficollective/defiscan
           (src/content/protocols/chronicle/ethereum.md) lists them by the name that each is
           verified under: USDC, USDT, USDS, sUSDS, WBTC, WETH and wstETH as an integrator has them
           too, ETH, BTC, MKR and wstETH in dollars as Chronicle or Sky's spells name them. METH on
           Mantle and WSTETH on Unichain by https://docs.chroniclelabs.org (docs/Products/
           DeFiOracle/feeds.md). First blocks are not known: windows start at 0.
Split      none.
Units      prices in 18 decimals; age is the unix second at which the price was computed, of a
           median that of its block.
Due        expirations and spreads of the same configuration: of optimistic pokes where there are
           any, since they come first.

Reading a price on chain takes a permission; the events are public. An optimistic poke counts on
chain only after its challenge period of 1,200 s, and not at all if it is challenged: its rows have
the version "optimistic".
"""

from indexer.spec import (
    Const,
    Contract,
    Emitter,
    Event,
    Feed,
    Fixed,
    OfContract,
    Protocol,
    Time,
    Value,
    chain_of,
    listed,
)

CONTRACTS = listed("chronicle")
NAMED: dict[str, Value] = {
    "feed": Emitter(),
    "asset": OfContract("asset"),
    "quote": OfContract("quote"),
    "provider": Const("chronicle"),
}

PROTOCOL = Protocol(
    slug="chronicle",
    name="Chronicle",
    kind="oracle",
    methodology=(
        "Oracle updates are pokes of the listed Scribes and medians, in 18 decimals. Optimistic "
        "pokes are rows of the version optimistic when they are posted, 20 minutes before the "
        "chain can read them; that some are challenged is not taken off."
    ),
    left_out=(
        "Challenges of optimistic pokes: what they take back fits no column.",
        "Polygon zkEVM, and the rate of the DAI savings rate, which has no quote.",
        "Later contracts that single integrators name, such as Dolomite on Arbitrum, Berachain and "
        "Mantle: Chronicle lists them on its dashboard only. LIDO_LST_2DAYS, a rate.",
        "Net asset values and reserves of funds (Proof of Asset): Chronicle publishes the routers "
        "that are asked for them, not the contracts behind them, which are poked.",
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi=f"chronicle/{row['contract']}",
            address=row["address"],
            from_block=0,
            version="median" if row["contract"] == "Median" else "scribe",
            says={"asset": row["asset"], "quote": row["quote"]},
        )
        for row in CONTRACTS
    ),
    events=(
        Event(
            abi="chronicle/Scribe",
            name="Poked",
            into="oracle_updates",
            columns={
                **NAMED,
                "oracle_price_quote": Fixed("val", 18),
                "observed_at": Time("age"),
            },
        ),
        Event(
            abi="chronicle/Scribe",
            name="OpPoked",
            into="oracle_updates",
            columns={
                **NAMED,
                "oracle_price_quote": Fixed("pokeData.val", 18),
                "observed_at": Time("pokeData.age"),
            },
            version="optimistic",
        ),
        Event(
            abi="chronicle/Median",
            name="LogMedianPrice",
            into="oracle_updates",
            columns={
                **NAMED,
                "oracle_price_quote": Fixed("val", 18),
                "observed_at": Time("age"),
            },
            is_confirmed=True,
        ),
    ),
    feeds=tuple(
        Feed(
            chain=chain_of(row["chain"]),
            feed=row["address"],
            name=row["name"],
            asset=row["asset"],
            quote=row["quote"],
            kind=row["kind"],
            heartbeat_seconds=int(row["heartbeat_seconds"]) if row["heartbeat_seconds"] else None,
            threshold_bps=int(row["threshold_bps"]) if row["threshold_bps"] else None,
            source="chronicleprotocol/oracle-suite" if row["heartbeat_seconds"] else None,
            basis="documentation" if row["heartbeat_seconds"] else None,
        )
        for row in CONTRACTS
    ),
)

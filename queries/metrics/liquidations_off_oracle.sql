-- question: Which liquidations happened while the venue's oracle was off another source?
-- reads:    liquidations, markets, oracle_updates
-- grain:    one row per liquidation and source of another protocol beyond the threshold
-- units:    *_usd US dollars; *_quote quote currency; deviation_bps venue against reference, signed
-- param:    threshold_bps natural 50 (a difference above this, either way, is off)
-- param:    tolerance_seconds natural 3600 (how old either price may be and still count)
-- twin of:  analytics.metrics.oracle_use.liquidations_off_oracle
with

-- part: market_sources

-- part: current_updates

current_prices as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        block_timestamp,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_quote
    from current_updates
    where asset is not null
    group by all

),

asked as (

    select
        liquidations.block_timestamp,
        liquidations.block_number,
        liquidations.log_index,
        liquidations.item_index,
        liquidations.tx_hash,
        liquidations.chain_id,
        liquidations.protocol,
        liquidations.market,
        liquidations.account,
        liquidations.is_long,
        liquidations.notional_usd,
        own.asset,
        own.quote,
        own.feed,
        others.chain_id as reference_chain_id,
        others.protocol as reference_protocol,
        others.feed as reference_feed
    from liquidations
    inner join own_sources as own using (chain_id, protocol, market)
    inner join sources as others
        on
            own.asset = others.asset
            and own.quote = others.quote
            and own.protocol != others.protocol
    where liquidations.block_timestamp < coalesce(own.used_until, 'infinity')

),

used as (

    select
        asked.*,
        prices.price_quote as oracle_price_quote,
        prices.block_timestamp as price_at
    from asked
    asof inner join current_prices as prices
        on
            asked.asset = prices.asset
            and asked.quote = prices.quote
            and asked.chain_id = prices.chain_id
            and asked.protocol = prices.protocol
            and asked.feed = prices.feed
            and asked.block_timestamp >= prices.block_timestamp

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
compared as (

    select
        used.* exclude (price_at),
        prices.price_quote as reference_price_quote,
        used.price_at,
        prices.block_timestamp as reference_at,
        case
            when prices.price_quote > 0
                then
                    (used.oracle_price_quote - prices.price_quote)::varchar::double
                    / prices.price_quote::varchar::double
                    * 10000
        end as deviation_bps
    from used
    asof inner join current_prices as prices
        on
            used.asset = prices.asset
            and used.quote = prices.quote
            and used.reference_chain_id = prices.chain_id
            and used.reference_protocol = prices.protocol
            and used.reference_feed = prices.feed
            and used.block_timestamp >= prices.block_timestamp

)

select *
from compared
where
    abs(deviation_bps) > $threshold_bps
    and price_at >= block_timestamp - to_seconds($tolerance_seconds)
    and reference_at >= block_timestamp - to_seconds($tolerance_seconds)
order by
    block_timestamp,
    chain_id,
    block_number,
    log_index,
    item_index,
    tx_hash,
    protocol,
    asset,
    quote,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed

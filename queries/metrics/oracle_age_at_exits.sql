-- question: How old was the venue's own price when it liquidated or deleveraged a position?
-- reads:    liquidations, adls, markets, oracle_updates
-- grain:    one row per exit and feed of the venue that prices the market's asset
-- units:    notional_usd US dollars; oracle_price_quote quote currency; age_seconds seconds
-- twin of:  analytics.metrics.oracle_use.oracle_age_at_exits
with

-- part: market_sources

exits as (

    select
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        'liquidation' as cause,
        chain_id,
        protocol,
        market,
        account,
        is_long,
        notional_usd
    from liquidations
    union all
    select
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        'adl' as cause,
        chain_id,
        protocol,
        market,
        account,
        is_long,
        notional_usd
    from adls

),

priced as (

    select
        exits.*,
        own_sources.asset,
        own_sources.quote,
        own_sources.feed
    from exits
    inner join own_sources using (chain_id, protocol, market)
    where exits.block_timestamp < coalesce(own_sources.used_until, 'infinity')

)

select
    priced.*,
    prices.price_quote as oracle_price_quote,
    prices.block_timestamp as price_at,
    prices.seen_at,
    (epoch_us(priced.block_timestamp) - epoch_us(prices.seen_at))::double
    / 1000000 as age_seconds
from priced
asof inner join prices
    on
        priced.asset = prices.asset
        and priced.quote = prices.quote
        and priced.chain_id = prices.chain_id
        and priced.protocol = prices.protocol
        and priced.feed = prices.feed
        and priced.block_timestamp >= prices.block_timestamp
order by
    priced.block_timestamp,
    priced.chain_id,
    priced.block_number,
    priced.log_index,
    priced.item_index,
    priced.tx_hash,
    priced.cause,
    priced.protocol,
    priced.asset,
    priced.quote,
    priced.feed

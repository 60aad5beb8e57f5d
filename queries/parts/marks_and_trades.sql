-- question: Where did the markets of ADLs stand, by their events and by the feeds of their venue?
-- reads:    adls, liquidations, position_changes, oracle_updates, markets
-- grain:    the steps `marks` and `trades`: one row per market and moment with a price
-- units:    price_usd US dollars per token
with

cut_markets as (

    select distinct
        chain_id,
        protocol,
        version,
        market
    from adls

),

assets as (

    select
        chain_id,
        protocol,
        market,
        max(upper(symbol)) as asset,
        max(index_token) as index_token
    from markets
    group by all

),

-- A venue may price two tokens of one asset; the market's own index token is the one it used.
own_prices as (

    select
        cut_markets.chain_id,
        cut_markets.protocol,
        cut_markets.version,
        cut_markets.market,
        updates.block_timestamp,
        updates.block_number,
        updates.log_index,
        updates.item_index,
        updates.tx_hash,
        false as is_event,
        updates.oracle_price_quote as price_usd
    from cut_markets
    inner join assets using (chain_id, protocol, market)
    inner join oracle_updates as updates
        on
            cut_markets.chain_id = updates.chain_id
            and cut_markets.protocol = updates.protocol
            and assets.asset = updates.asset
            and updates.quote = 'USD'
    qualify
        coalesce(updates.feed = assets.index_token, false)
        or not coalesce(
            bool_or(updates.feed = assets.index_token) over (
                partition by cut_markets.chain_id, cut_markets.protocol, cut_markets.market
            ),
            false
        )

),

told_marks as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        true as is_event,
        mark_price_usd as price_usd
    from liquidations
    where mark_price_usd is not null
    union all
    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        is_event,
        price_usd
    from own_prices

),

told_trades as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        true as is_event,
        execution_price_usd as price_usd
    from position_changes
    where cause = 'trade' and execution_price_usd is not null
    union all
    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        is_event,
        price_usd
    from own_prices

),

-- Of several prices of one moment the last stands, of two in one place the market's own event.
marks as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp as seen_at,
        last(
            price_usd
            order by block_number, log_index, item_index, tx_hash, is_event
        ) as price_usd
    from told_marks
    group by all

),

trades as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp as seen_at,
        last(
            price_usd
            order by block_number, log_index, item_index, tx_hash, is_event
        ) as price_usd
    from told_trades
    group by all

)

select *
from marks
union all
select *
from trades

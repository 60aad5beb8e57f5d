-- question: Where did the market of each ADL stand then, and after its wave?
-- reads:    adls, liquidations, position_changes, oracle_updates, markets
-- grain:    one row per ADL
-- units:    the step `priced`: *_price_usd US dollars per token, null without one near; the step
--           `spans`: first and last ADL of each wave
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    horizon_milliseconds natural 0 (how long after a wave the later price is taken)
-- param:    tolerance_seconds natural 5 (how old a price may be when it is used, inclusive)
with

-- part: numbered_adls

spans as (

    select
        protocol,
        wave,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at
    from numbered
    group by all

),

asked as (

    select
        numbered.*,
        spans.last_at + to_milliseconds($horizon_milliseconds) as asked_at
    from numbered
    inner join spans using (protocol, wave)

),

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

-- A venue may price two tokens of one asset, or have a second price to check with: the feed of the
-- market's own index token, or of its own number, is the one it uses from when it first speaks.
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
        coalesce(updates.feed in (assets.market, assets.index_token), false)
        or updates.block_timestamp < coalesce(
            min(
                case
                    when updates.feed in (assets.market, assets.index_token)
                        then updates.block_timestamp
                end
            ) over (partition by cut_markets.chain_id, cut_markets.protocol, cut_markets.market),
            'infinity'
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

),

priced as (

    select
        asked.*,
        case
            when asked.block_timestamp - to_seconds($tolerance_seconds) <= marks.seen_at
                then marks.price_usd
        end as mark_price_usd,
        case
            when asked.asked_at - to_seconds($tolerance_seconds) <= trades.seen_at
                then trades.price_usd
        end as later_price_usd
    from asked
    asof left join marks
        on
            asked.chain_id = marks.chain_id
            and asked.protocol = marks.protocol
            and asked.version = marks.version
            and asked.market = marks.market
            and asked.block_timestamp >= marks.seen_at
    asof left join trades
        on
            asked.chain_id = trades.chain_id
            and asked.protocol = trades.protocol
            and asked.version = trades.version
            and asked.market = trades.market
            and asked.asked_at >= trades.seen_at

)

select *
from priced

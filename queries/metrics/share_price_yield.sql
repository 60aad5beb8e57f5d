-- question: What did a share earn over the days before, as a yearly rate?
-- reads:    share_prices
-- grain:    one row per UTC day with a price, chain, protocol, pool and asset
-- units:    *_price_tokens assets per share; elapsed_seconds between the two prices; yield_* 0.05 =
--           5 % a year of 365 days, of values true at least half a window apart; reset_count steps
--           that are a new denomination
-- param:    window_days count 30 (how far back to look for the earlier price)
-- param:    reset_ratio magnitude 0.5 (the largest step that is still a yield or a loss, 0.5 = 50 %)
-- twin of:  analytics.metrics.yields.share_price_yield
with

-- A price by a fund's terms says nothing of what a share earned.
daily as (

    select
        block_timestamp::date as date,
        chain_id,
        protocol,
        pool,
        asset_token,
        coalesce(asset_token, '') as asset,
        max_by(
            share_price_tokens,
            row(block_number, log_index < 0, log_index, item_index, tx_hash)
        ) as share_price_tokens,
        max_by(
            coalesce(nav_at, block_timestamp),
            row(block_number, log_index < 0, log_index, item_index, tx_hash)
        ) as valid_at
    from share_prices
    where evidence != 'assumed'
    group by all

),

steps as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        asset,
        share_price_tokens,
        valid_at,
        lag(share_price_tokens) over (
            partition by chain_id, protocol, pool, asset_token order by date
        ) as step_from
    from daily

),

prices as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        asset,
        share_price_tokens,
        valid_at,
        (date - to_days($window_days::integer))::date as back,
        sum(
            case
                when
                    step_from > 0
                    and abs(
                        (share_price_tokens - step_from)::varchar::double
                        / step_from::varchar::double
                    ) > $reset_ratio
                    then 1
                else 0
            end
        ) over (
            partition by chain_id, protocol, pool, asset_token
            order by date
            rows between unbounded preceding and current row
        ) as resets
    from steps

),

pairs as (

    select
        later.date,
        later.chain_id,
        later.protocol,
        later.pool,
        later.asset_token,
        later.share_price_tokens,
        earlier.share_price_tokens as earlier_price_tokens,
        case
            when epoch_us(later.valid_at) - epoch_us(earlier.valid_at) >= 1000000
                then (epoch_us(later.valid_at) - epoch_us(earlier.valid_at)) // 1000000
        end as elapsed_seconds,
        (later.resets - earlier.resets)::bigint as reset_count
    from prices as later
    asof left join prices as earlier
        on
            later.chain_id = earlier.chain_id
            and later.protocol = earlier.protocol
            and later.pool = earlier.pool
            and later.asset = earlier.asset
            and later.back >= earlier.date

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
grown as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        share_price_tokens,
        earlier_price_tokens,
        elapsed_seconds,
        reset_count,
        case
            when
                earlier_price_tokens > 0
                and reset_count = 0
                and 2 * elapsed_seconds >= $window_days * 86400
                then share_price_tokens::varchar::double / earlier_price_tokens::varchar::double
        end as growth,
        31536000 / elapsed_seconds as times
    from pairs

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    share_price_tokens,
    earlier_price_tokens,
    elapsed_seconds,
    reset_count,
    (growth - 1) * times as yield_simple_ratio,
    pow(growth, times) - 1 as yield_compounded_ratio
from grown
order by date, chain_id, protocol, pool, asset_token

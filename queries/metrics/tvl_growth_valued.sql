-- question: How much more does a protocol manage than a year before, in dollars over all its pools?
-- reads:    pool_states, share_prices, tokens, oracle_updates
-- grain:    one row per protocol and UTC day on which any of its pools told something, without pools
--           that hold shares of others
-- units:    *_usd US dollars: tvl_usd null while a pool has no value, known_usd of those that have
--           one; growth_ratio 9 = ten times as much; revaluation_usd of the tokens of then,
--           quantity_change_usd at the prices of now; younger pools first spoke after earlier_date;
--           oldest_days days since the pool spoke that was silent for the longest and is not empty
-- param:    window_days count 365 (how far back to look for the earlier day)
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.growth.tvl_growth_valued
with

-- part: pool_amounts

-- What is in shares of other pools is counted there.
counted as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        amount_tokens
    from pool_amounts
    where not holds_pools

),

days as (

    select distinct
        protocol,
        date,
        (date - to_days($window_days::integer))::date as back
    from counted

),

spans as (

    select
        later.protocol,
        later.date,
        earlier.date as earlier_date
    from days as later
    asof left join days as earlier
        on later.protocol = earlier.protocol and later.back >= earlier.date

),

pools as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        coalesce(asset_token, '') as asset,
        min(date) as first_on
    from counted
    group by all

),

pool_spans as (

    select
        spans.date,
        spans.earlier_date,
        pools.chain_id,
        pools.protocol,
        pools.pool,
        pools.asset_token,
        pools.asset,
        pools.first_on
    from spans
    inner join pools on spans.protocol = pools.protocol and spans.date >= pools.first_on

),

stood as (

    select
        pool_spans.date,
        pool_spans.earlier_date,
        pool_spans.chain_id,
        pool_spans.protocol,
        pool_spans.pool,
        pool_spans.asset_token,
        pool_spans.asset,
        told.date as told_on,
        told.amount_tokens,
        pool_spans.first_on > pool_spans.earlier_date as is_young
    from pool_spans
    asof inner join counted as told
        on
            pool_spans.chain_id = told.chain_id
            and pool_spans.protocol = told.protocol
            and pool_spans.pool = told.pool
            and pool_spans.asset = coalesce(told.asset_token, '')
            and pool_spans.date >= told.date

),

-- What stood then is valued at the prices of now as well.
amounts as ( -- noqa: ST03

    select
        date,
        chain_id,
        protocol,
        asset_token as token,
        date::timestamp + to_microseconds(86399999999) as block_timestamp,
        amount_tokens,
        told_on,
        is_young,
        false as is_then
    from stood
    union all
    select
        stood.date,
        stood.chain_id,
        stood.protocol,
        stood.asset_token as token,
        stood.date::timestamp + to_microseconds(86399999999) as block_timestamp,
        earlier.amount_tokens,
        stood.told_on,
        stood.is_young,
        true as is_then
    from stood
    inner join stood as earlier
        on
            stood.earlier_date = earlier.date
            and stood.chain_id = earlier.chain_id
            and stood.protocol = earlier.protocol
            and stood.pool = earlier.pool
            and stood.asset = earlier.asset

),

-- part: amount_prices

-- part: amount_values

-- Nothing is worth nothing at any price.
worth as (

    select
        date,
        protocol,
        told_on,
        is_young,
        is_then,
        coalesce(amount_tokens = 0, false) as is_empty,
        case when is_empty then 0 else value_usd end as value_usd
    from values_usd

),

totals as (

    select
        protocol,
        date,
        count(*) filter (where not is_then) as pool_count,
        count(*) filter (where not is_then and value_usd is null) as unpriced_count,
        sum(value_usd) filter (where not is_then) as known_usd,
        case when unpriced_count = 0 then known_usd end as tvl_usd,
        max(date_diff('day', told_on, date)) filter (
            where not is_then and not is_empty
        ) as oldest_days,
        case
            when count(*) filter (where is_then and value_usd is null) = 0
                then coalesce(sum(value_usd) filter (where is_then), 0)
        end as then_usd,
        count(*) filter (where not is_then and is_young) as younger_count,
        case
            when count(*) filter (where not is_then and is_young and value_usd is null) = 0
                then coalesce(sum(value_usd) filter (where not is_then and is_young), 0)
        end as younger_usd
    from worth
    group by protocol, date

)

select
    later.protocol,
    later.date,
    later.tvl_usd,
    later.known_usd,
    later.pool_count,
    later.unpriced_count,
    later.oldest_days,
    spans.earlier_date,
    earlier.tvl_usd as earlier_tvl_usd,
    case
        when earlier.tvl_usd > 0
            then
                (later.tvl_usd - earlier.tvl_usd)::varchar::double
                / earlier.tvl_usd::varchar::double
    end as growth_ratio,
    later.then_usd - earlier.tvl_usd as revaluation_usd,
    case
        when spans.earlier_date is not null then later.tvl_usd - later.then_usd
    end as quantity_change_usd,
    case when spans.earlier_date is not null then later.younger_count end as younger_count,
    case when spans.earlier_date is not null then later.younger_usd end as younger_usd
from totals as later
inner join spans on later.protocol = spans.protocol and later.date = spans.date
left join totals as earlier
    on spans.protocol = earlier.protocol and spans.earlier_date = earlier.date
order by later.protocol, later.date

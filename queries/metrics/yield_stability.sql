-- question: How steadily did a pool's share price grow through an event, beside the days before?
-- reads:    share_prices
-- grain:    one row per chain, protocol, pool, asset and period (before, event) with a price
-- units:    *_ratio 0.01 = 1 %, changes per day, spread over the days between two prices; *_count
--           prices, or changes from one day with a price to the next
-- param:    event_start text 2025-10-10T00:00:00 (first moment of the event, UTC)
-- param:    event_end text 2025-10-12T00:00:00 (the first moment after it, UTC)
-- param:    before_days count 30 (how many days before the event it is compared with)
-- twin of:  analytics.metrics.yields.yield_stability
with

-- A price by a fund's terms would be steady whatever happened.
prices as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        share_price_tokens,
        block_timestamp::date as date,
        case
            when block_timestamp < $event_start::timestamp then 'before' else 'event'
        end as period,
        row(block_number, log_index < 0, log_index, item_index, tx_hash) as place
    from share_prices
    where
        evidence != 'assumed'
        and block_timestamp >= $event_start::timestamp - to_days($before_days::integer)
        and block_timestamp < $event_end::timestamp

),

daily as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        date,
        max_by(share_price_tokens, place) as share_price_tokens,
        count(*) as price_count
    from prices
    group by all

),

steps as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        date,
        price_count,
        share_price_tokens,
        lag(share_price_tokens) over by_day as step_from,
        greatest(date - lag(date) over by_day, 1) as day_count
    from daily
    window
        by_day as (
            partition by chain_id, protocol, pool, asset_token order by date, period
        )

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
changes as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        date,
        price_count,
        case
            when step_from > 0
                then
                    (share_price_tokens - step_from)::varchar::double
                    / step_from::varchar::double
                    / day_count
        end as change
    from steps

),

-- A list keeps its order, so that doubles are added in the order of days.
means as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        sum(price_count)::bigint as price_count,
        count(change) as change_count,
        list_sum(list(change order by date) filter (where change is not null))
        / count(change) as mean_change_ratio
    from changes
    group by all

),

deviations as (

    select
        means.chain_id,
        means.protocol,
        means.pool,
        means.asset_token,
        means.period,
        list_sum(
            list(
                (changes.change - means.mean_change_ratio)
                * (changes.change - means.mean_change_ratio)
                order by changes.date
            ) filter (where changes.change is not null)
        ) as squares
    from changes
    inner join means
        on
            changes.chain_id = means.chain_id
            and changes.protocol = means.protocol
            and changes.pool = means.pool
            and changes.asset_token is not distinct from means.asset_token
            and changes.period = means.period
    group by all

),

neighbours as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        place,
        share_price_tokens,
        lag(share_price_tokens) over (
            partition by chain_id, protocol, pool, asset_token order by period, place
        ) as step_from
    from prices

),

peaks as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        share_price_tokens,
        max(greatest(share_price_tokens, step_from)) over (
            partition by chain_id, protocol, pool, asset_token, period
            order by place
            rows between unbounded preceding and current row
        ) as peak_tokens
    from neighbours

),

drawdowns as (

    select
        chain_id,
        protocol,
        pool,
        asset_token,
        period,
        min(
            case
                when peak_tokens > 0
                    then
                        (share_price_tokens - peak_tokens)::varchar::double
                        / peak_tokens::varchar::double
            end
        ) as worst_drawdown_ratio
    from peaks
    group by all

)

select
    means.chain_id,
    means.protocol,
    means.pool,
    means.asset_token,
    means.period,
    means.price_count,
    means.change_count,
    means.mean_change_ratio,
    drawdowns.worst_drawdown_ratio,
    case
        when means.change_count > 1 then sqrt(deviations.squares / (means.change_count - 1))
    end as sd_change_ratio
from means
left join deviations
    on
        means.chain_id = deviations.chain_id
        and means.protocol = deviations.protocol
        and means.pool = deviations.pool
        and means.asset_token is not distinct from deviations.asset_token
        and means.period = deviations.period
left join drawdowns
    on
        means.chain_id = drawdowns.chain_id
        and means.protocol = drawdowns.protocol
        and means.pool = drawdowns.pool
        and means.asset_token is not distinct from drawdowns.asset_token
        and means.period = drawdowns.period
order by means.chain_id, means.protocol, means.pool, means.asset_token, means.period

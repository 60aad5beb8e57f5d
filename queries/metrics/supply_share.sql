-- question: What part of its supply does a protocol buy back, and what is left of it after issuance?
-- reads:    buybacks, token_supplies
-- grain:    one row per protocol, token and UTC day with a reading of the supply; chain_id of the reading
-- units:    *_tokens whole tokens, sums over the window; *_ratio 0.01 = 1 %
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- twin of:  analytics.metrics.buybacks.supply_share
with

readings as (

    select
        protocol,
        chain_id,
        token,
        block_timestamp::date as date,
        supply_tokens,
        dead_tokens,
        supply_tokens - dead_tokens as reach
    from token_supplies
    qualify row_number() over (
            partition by protocol, token, block_timestamp::date
            order by
                block_timestamp desc,
                chain_id desc,
                block_number desc,
                log_index desc,
                item_index desc,
                tx_hash desc
        ) = 1

),

-- A burn on another chain does not lower what is read on this one.
seen_on as (

    select distinct
        protocol,
        token,
        chain_id,
        true as is_seen
    from readings

),

flows as (

    select
        buybacks.protocol,
        buybacks.bought_token as token,
        buybacks.block_timestamp::date as date,
        buybacks.bought_tokens,
        coalesce(buybacks.burned_tokens, 0) as burned_tokens,
        case when seen_on.is_seen then coalesce(buybacks.burned_tokens, 0) else 0 end as seen_tokens
    from buybacks
    left join seen_on
        on
            buybacks.protocol = seen_on.protocol
            and buybacks.bought_token = seen_on.token
            and buybacks.chain_id = seen_on.chain_id
    union all
    select
        protocol,
        token,
        date,
        0 as bought_tokens,
        0 as burned_tokens,
        0 as seen_tokens
    from readings

),

daily as (

    select
        protocol,
        token,
        date,
        sum(bought_tokens) as bought_tokens,
        sum(burned_tokens) as burned_tokens,
        sum(seen_tokens) as seen_tokens,
        to_days($window_days - 1) as reach_back
    from flows
    group by all

),

summed as (

    select
        protocol,
        token,
        date,
        sum(bought_tokens) over days as bought_tokens,
        sum(burned_tokens) over days as burned_tokens,
        sum(seen_tokens) over days as seen_tokens,
        (date - to_days($window_days))::date as begins_on
    from daily
    window days as (
        partition by protocol, token
        order by date
        range between reach_back preceding and current row
    )

),

compared as (

    select
        summed.date,
        readings.chain_id,
        summed.protocol,
        summed.token,
        summed.bought_tokens,
        summed.burned_tokens,
        readings.supply_tokens,
        readings.dead_tokens,
        readings.reach - begun.reach + summed.seen_tokens as issued_tokens
    from summed
    inner join readings
        on
            summed.protocol = readings.protocol
            and summed.token = readings.token
            and summed.date = readings.date
    left join readings as begun
        on
            summed.protocol = begun.protocol
            and summed.token = begun.token
            and summed.begins_on = begun.date

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    *,
    case
        when supply_tokens > 0
            then bought_tokens::varchar::double / supply_tokens::varchar::double
    end as supply_share_gross_ratio,
    case
        when supply_tokens > 0
            then (bought_tokens - issued_tokens)::varchar::double / supply_tokens::varchar::double
    end as supply_share_net_ratio
from compared
order by date, protocol, token

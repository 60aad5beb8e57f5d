-- question: How much of its tokens does a pool exchange until its price has moved by so much?
-- reads:    pool_liquidity
-- grain:    one row per chain, protocol, version, pool, period with a state and direction
-- units:    *_tokens whole tokens; liquidity_tokens the root of token0 times token1, active;
--           price_quote token1 per token0. basis: ranges where the pool is known from its start,
--           active where its active liquidity is taken to last over the whole move
-- param:    move_bps natural 200 (how far the price moves, 0 to 1,000,000)
-- param:    bucket_seconds count 86400 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.liquidity.depth
with

events as (

    select
        chain_id,
        protocol,
        version,
        pool,
        block_timestamp,
        token0,
        token1,
        tick_lower,
        tick_upper,
        lower_price_quote,
        upper_price_quote,
        liquidity_delta_tokens,
        tick,
        price_quote,
        liquidity_tokens,
        row_number() over (
            partition by chain_id, protocol, version, pool
            order by block_number, log_index, item_index, tx_hash
        ) as place
    from pool_liquidity

),

starts as (

    select distinct
        chain_id,
        protocol,
        version,
        pool
    from pool_liquidity
    where kind = 'start'

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
moments as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        token0,
        token1,
        tick,
        price_quote,
        liquidity_tokens,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        sqrt(greatest(price_quote, 0)::varchar::double) as from_root
    from events
    where tick is not null
    qualify
        row_number() over (
            partition by chain_id, protocol, version, pool, bucket_at
            order by place desc
        ) = 1
        and price_quote > 0
        and liquidity_tokens is not null

),

sides as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        token0,
        token1,
        tick,
        price_quote,
        liquidity_tokens,
        bucket_at,
        from_root,
        'down' as direction,
        from_root * sqrt(10000 / (10000 + $move_bps)::double) as last_root
    from moments
    union all
    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        token0,
        token1,
        tick,
        price_quote,
        liquidity_tokens,
        bucket_at,
        from_root,
        'up' as direction,
        from_root * sqrt((10000 + $move_bps) / 10000::double) as last_root
    from moments

),

changes as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        tick_lower as end_tick,
        lower_price_quote as end_price_quote,
        liquidity_delta_tokens as net
    from events
    union all
    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        tick_upper as end_tick,
        upper_price_quote as end_price_quote,
        -liquidity_delta_tokens as net
    from events

),

-- By how much liquidity changes, upward, at each end of a range, after each event.
ends as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        end_tick,
        end_price_quote,
        sum(sum(net)) over (
            partition by chain_id, protocol, version, pool, end_tick, end_price_quote
            order by place
            rows between unbounded preceding and current row
        ) as net
    from changes
    where end_tick is not null and end_price_quote is not null and net is not null
    group by chain_id, protocol, version, pool, place, end_tick, end_price_quote

),

places as (

    select distinct
        chain_id,
        protocol,
        version,
        pool,
        end_tick,
        end_price_quote,
        sqrt(end_price_quote::varchar::double) as end_root
    from ends

),

met as (

    select
        sides.chain_id,
        sides.protocol,
        sides.version,
        sides.pool,
        sides.place,
        sides.direction,
        sides.from_root,
        sides.last_root,
        places.end_tick,
        places.end_price_quote,
        places.end_root
    from sides
    inner join places
        on
            sides.chain_id = places.chain_id
            and sides.protocol = places.protocol
            and sides.version = places.version
            and sides.pool = places.pool
            and case sides.direction
                when 'up' then sides.tick < places.end_tick and sides.last_root > places.end_root
                else sides.tick >= places.end_tick and sides.last_root < places.end_root
            end

),

-- Where each move begins, and which ends of ranges it meets. A price on the very end of a range
-- may be off it by its last digit.
points as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        direction,
        from_root,
        last_root,
        liquidity_tokens as change,
        null as step_tick,
        null as step_price
    from sides
    union all
    select
        met.chain_id,
        met.protocol,
        met.version,
        met.pool,
        met.place,
        met.direction,
        case met.direction
            when 'up' then greatest(met.from_root, met.end_root)
            else least(met.from_root, met.end_root)
        end as from_root,
        met.last_root,
        case met.direction when 'up' then ends.net else -ends.net end as change,
        case met.direction when 'up' then met.end_tick else -met.end_tick end as step_tick,
        case met.direction
            when 'up' then met.end_price_quote
            else -met.end_price_quote
        end as step_price
    from met
    asof inner join ends
        on
            met.chain_id = ends.chain_id
            and met.protocol = ends.protocol
            and met.version = ends.version
            and met.pool = ends.pool
            and met.end_tick = ends.end_tick
            and met.end_price_quote = ends.end_price_quote
            and met.place >= ends.place
    where ends.net != 0

),

stretches as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        direction,
        step_tick,
        step_price,
        from_root,
        sum(change) over (
            move rows between unbounded preceding and current row
        ) as liquidity,
        lead(from_root, 1, last_root) over move as to_root
    from points
    window move as (
        partition by chain_id, protocol, version, pool, place, direction
        order by step_tick nulls first, step_price nulls first
    )

),

-- A sum of floats depends on the order, and that of a list keeps it.
walked as (

    select
        chain_id,
        protocol,
        version,
        pool,
        place,
        direction,
        min(liquidity) as least,
        list_sum(
            list(
                liquidity::varchar::double * abs(1 / to_root - 1 / from_root)
                order by step_tick nulls first, step_price nulls first
            )
        ) as walked_token0,
        list_sum(
            list(
                liquidity::varchar::double * abs(to_root - from_root)
                order by step_tick nulls first, step_price nulls first
            )
        ) as walked_token1
    from stretches
    group by all

)

select
    sides.chain_id,
    sides.protocol,
    sides.version,
    sides.pool,
    sides.bucket_at,
    sides.direction,
    sides.token0,
    sides.token1,
    sides.price_quote,
    sides.liquidity_tokens,
    case
        when starts.pool is not null and walked.least >= 0 then 'ranges'
        else 'active'
    end as basis,
    case
        when starts.pool is not null and walked.least >= 0 then walked.walked_token0
        else
            sides.liquidity_tokens::varchar::double
            * abs(1 / sides.last_root - 1 / sides.from_root)
    end as token0_tokens,
    case
        when starts.pool is not null and walked.least >= 0 then walked.walked_token1
        else sides.liquidity_tokens::varchar::double * abs(sides.last_root - sides.from_root)
    end as token1_tokens
from sides
inner join walked
    on
        sides.chain_id = walked.chain_id
        and sides.protocol = walked.protocol
        and sides.version = walked.version
        and sides.pool = walked.pool
        and sides.place = walked.place
        and sides.direction = walked.direction
left join starts
    on
        sides.chain_id = starts.chain_id
        and sides.protocol = starts.protocol
        and sides.version = starts.version
        and sides.pool = starts.pool
order by
    sides.chain_id,
    sides.protocol,
    sides.version,
    sides.pool,
    sides.bucket_at,
    sides.direction

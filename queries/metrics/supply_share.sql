-- question: What part of its supply does a protocol buy back, and what is left of it after issuance?
-- reads:    buybacks, declared_facts, token_supplies
-- grain:    one row per protocol, token and UTC day with a reading of the supply; chain_id of the reading
-- units:    *_tokens whole tokens, sums over the window, of purchases null where nothing that is
--           indexed could tell of them; *_ratio 0.01 = 1 %
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- twin of:  analytics.metrics.buybacks.supply_share
with

-- part: buyers

readings as (

    select
        protocol,
        chain_id,
        token,
        block_timestamp::date as date,
        block_number,
        supply_tokens,
        dead_tokens
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
burned as (

    select
        protocol,
        chain_id,
        bought_token as token,
        block_number,
        sum(coalesce(burned_tokens, 0)) over (
            partition by protocol, chain_id, bought_token
            order by block_number
        ) as burned_tokens
    from buybacks

),

-- All that is within reach or was burned: a day's reading is before most of what the day burns.
made as (

    select
        readings.*,
        readings.supply_tokens - readings.dead_tokens + coalesce(burned.burned_tokens, 0) as made
    from readings
    asof left join burned
        on
            readings.protocol = burned.protocol
            and readings.chain_id = burned.chain_id
            and readings.token = burned.token
            and readings.block_number >= burned.block_number

),

flows as (

    select
        protocol,
        bought_token as token,
        block_timestamp::date as date,
        bought_tokens,
        coalesce(burned_tokens, 0) as burned_tokens
    from buybacks
    union all
    select
        protocol,
        token,
        date,
        0 as bought_tokens,
        0 as burned_tokens
    from readings

),

daily as (

    select
        protocol,
        token,
        date,
        sum(bought_tokens) as bought_tokens,
        sum(burned_tokens) as burned_tokens,
        to_days($window_days - 1) as reach_back
    from flows
    group by all

),

summed as (

    select
        protocol,
        token,
        date,
        case
            when protocol in (select buyers.protocol from buyers) then sum(bought_tokens) over days
        end as bought_tokens,
        case
            when protocol in (select buyers.protocol from buyers) then sum(burned_tokens) over days
        end as burned_tokens,
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
        made.chain_id,
        summed.protocol,
        summed.token,
        summed.bought_tokens,
        summed.burned_tokens,
        made.supply_tokens,
        made.dead_tokens,
        case when summed.bought_tokens is not null then made.made - begun.made end as issued_tokens
    from summed
    inner join made
        on
            summed.protocol = made.protocol
            and summed.token = made.token
            and summed.date = made.date
    left join made as begun
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

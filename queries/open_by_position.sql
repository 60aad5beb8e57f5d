-- question: How much is open where a closing names its position and not how much it closed?
-- reads:    position_changes
-- past:     position_changes
-- grain:    one row per chain, protocol, market and side; the side is null for positions whose
--           opening is not stored
-- units:    open_tokens base units, open_usd US dollars at the prices of the openings, both
--           approximate: what was opened times the part that no closing took off, to 15 digits;
--           each null while an opening of what is open is not stored or does not say it
-- param:    until timestamp 9999-12-31T00:00:00 (last moment counted, UTC, inclusive)
with

-- An opening says market, side and size; a closing a part of what was left.
positions as (

    select
        chain_id,
        protocol,
        position_id,
        any_value(market) as market,
        any_value(is_long) as is_long,
        case
            when bool_and(size_delta_tokens is not null) filter (where closed_ratio is null)
                then sum(size_delta_tokens) filter (where size_delta_tokens > 0)::double
        end as opened_tokens,
        case
            when bool_and(notional_delta_usd is not null) filter (where closed_ratio is null)
                then sum(notional_delta_usd) filter (where notional_delta_usd > 0)::double
        end as opened_usd,
        coalesce(product(1 - closed_ratio::double), 1) as left_ratio,
        bool_or(closed_ratio is not null) as is_told_by_part
    from position_changes
    where position_id is not null and block_timestamp <= $until
    group by chain_id, protocol, position_id

),

-- Venues that close by part, their positions that are still whole as well.
venues as (

    select distinct
        chain_id,
        protocol
    from positions
    where is_told_by_part

)

select
    chain_id,
    protocol,
    market,
    is_long,
    count(*) filter (where left_ratio > 0) as open_positions,
    count(*) filter (where left_ratio = 0) as closed_positions,
    case
        when bool_and(opened_tokens is not null or left_ratio = 0)
            then coalesce(sum(opened_tokens * left_ratio), 0)
    end as open_tokens,
    case
        when bool_and(opened_usd is not null or left_ratio = 0)
            then coalesce(sum(opened_usd * left_ratio), 0)
    end as open_usd
from positions
inner join venues using (chain_id, protocol)
group by chain_id, protocol, market, is_long
order by chain_id, protocol, market, is_long nulls last

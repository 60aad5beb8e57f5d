-- question: What did each wave of ADLs take from the winners, need to take, and leave unpaid?
-- reads:    adls, liquidations, position_changes, oracle_updates, markets
-- grain:    one row per protocol and wave, every wave
-- units:    deficit_usd, capacity_usd US dollars, null while one is unknown; the other *_usd US
--           dollars in millionths, null while an ADL is unmarked or unpriced; ratios 1 = as much
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    horizon_milliseconds natural 0 (how long after a wave the later price is taken)
-- param:    tolerance_seconds natural 5 (how old a price may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_budget.adl_budget
with

-- part: priced_adls

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
products as (

    select
        protocol,
        wave,
        chain_id,
        account,
        realized_pnl_usd,
        abs(mark_price_usd - execution_price_usd)::varchar::double
        * size_tokens::varchar::double as needed_usd,
        case
            when account is null then null
            when is_long
                then (later_price_usd - execution_price_usd)::varchar::double
            when not is_long
                then (execution_price_usd - later_price_usd)::varchar::double
        end
        * size_tokens::varchar::double as lost_usd
    from priced

),

-- Millionths of a dollar are whole numbers: their sums do not depend on the order of the rows.
millionths as (

    select
        protocol,
        wave,
        chain_id,
        account,
        realized_pnl_usd,
        floor(needed_usd * 1000000 + 0.5)::hugeint as needed,
        floor(lost_usd * 1000000 + 0.5)::hugeint as lost
    from products

),

winners as (

    select
        protocol,
        wave,
        count(*) as adl_count,
        count(*) - count(needed) as unmarked_count,
        count(*) - count(lost) as unpriced_count,
        sum(needed) as needed,
        case when count(*) = count(lost) then greatest(sum(lost), 0) end as lost,
        case
            when account is not null and count(*) = count(realized_pnl_usd)
                then greatest(sum(realized_pnl_usd), 0)
        end as profit_usd
    from millionths
    group by protocol, wave, chain_id, account

),

sums as (

    select
        protocol,
        wave,
        sum(adl_count)::bigint as adl_count,
        sum(unmarked_count)::bigint as unmarked_count,
        sum(unpriced_count)::bigint as unpriced_count,
        case when count(*) = count(profit_usd) then sum(profit_usd) end as capacity_usd,
        case
            when sum(unmarked_count) = 0 then sum(needed)::varchar::double / 1000000
        end as needed_budget_usd,
        case
            when sum(unpriced_count) = 0 then sum(lost)::varchar::double / 1000000
        end as haircut_usd
    from winners
    group by all

),

unpaid as (

    select
        spans.protocol,
        spans.wave,
        case
            when count(events.protocol) = count(events.shortfall_usd)
                then coalesce(sum(events.shortfall_usd), 0)
        end as deficit_usd
    from spans
    left join liquidations as events
        on
            spans.protocol = events.protocol
            and events.block_timestamp between spans.first_at and spans.last_at
    group by all

)

select
    spans.protocol,
    spans.wave,
    spans.first_at,
    spans.last_at,
    sums.adl_count,
    sums.unmarked_count,
    sums.unpriced_count,
    unpaid.deficit_usd,
    sums.capacity_usd,
    sums.needed_budget_usd,
    sums.haircut_usd,
    case
        when sums.haircut_usd >= sums.needed_budget_usd
            then sums.haircut_usd - sums.needed_budget_usd
        when sums.haircut_usd < sums.needed_budget_usd then 0
    end as overshoot_usd,
    case
        when sums.haircut_usd <= sums.needed_budget_usd
            then sums.needed_budget_usd - sums.haircut_usd
        when sums.haircut_usd > sums.needed_budget_usd then 0
    end as under_coverage_usd,
    case
        when sums.capacity_usd > 0 then sums.haircut_usd / sums.capacity_usd::varchar::double
    end as haircut_ratio,
    case
        when unpaid.deficit_usd > 0 then sums.haircut_usd / unpaid.deficit_usd::varchar::double
    end as severity_ratio
from spans
inner join sums using (protocol, wave)
inner join unpaid using (protocol, wave)
order by spans.protocol, spans.wave

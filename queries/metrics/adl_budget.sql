-- question: What did each wave of ADLs take from the winners, need to take, and leave unpaid?
-- reads:    adls, liquidations, position_changes, oracle_updates, markets
-- grain:    one row per protocol and wave, every wave
-- units:    deficit_usd, capacity_usd US dollars, null while one is unknown; the other *_usd US
--           dollars in millionths, null while an ADL is unmarked or unpriced; ratios 1 = as much
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    horizon_milliseconds integer 0 (how long after a wave the later price is taken)
-- param:    tolerance_seconds integer 5 (how old a price may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_budget.adl_budget
with

silences as (

    select
        chain_id,
        protocol,
        version,
        market,
        account,
        is_long,
        size_tokens,
        execution_price_usd,
        realized_pnl_usd,
        block_timestamp,
        epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series) as silence
    from adls
    window series as (partition by protocol order by block_timestamp)

),

numbered as (

    select
        chain_id,
        protocol,
        version,
        market,
        account,
        is_long,
        size_tokens,
        execution_price_usd,
        realized_pnl_usd,
        block_timestamp,
        1 + count(case when silence > $gap_milliseconds::bigint * 1000 then 1 end) over (
            partition by protocol order by block_timestamp
        ) as wave
    from silences

),

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
        numbered.chain_id,
        numbered.protocol,
        numbered.version,
        numbered.market,
        numbered.wave,
        numbered.account,
        numbered.is_long,
        numbered.size_tokens,
        numbered.execution_price_usd,
        numbered.realized_pnl_usd,
        numbered.block_timestamp,
        spans.last_at + to_milliseconds($horizon_milliseconds) as asked_at
    from numbered
    inner join spans using (protocol, wave)

),

-- part: marks_and_trades

priced as (

    select
        asked.protocol,
        asked.wave,
        asked.account,
        asked.is_long,
        asked.size_tokens,
        asked.execution_price_usd,
        asked.realized_pnl_usd,
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

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
products as (

    select
        protocol,
        wave,
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
    group by protocol, wave, account

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

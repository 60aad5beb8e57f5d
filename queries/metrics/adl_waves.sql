-- question: In which waves were positions deleveraged, and beside which liquidations?
-- reads:    adls, liquidations
-- grain:    one row per protocol and wave, every wave
-- units:    notional_usd, realized_pnl_usd US dollars, sums of what is known, null when nothing is;
--           the other *_usd zero without a liquidation, null when one is unknown; shares and ratios
--           null while a notional is unknown
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- twin of:  analytics.metrics.adl_waves.adl_waves
with

-- part: numbered_adls

cut as (

    select
        protocol,
        wave,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at,
        count(*) as adl_count,
        nullif(
            count(distinct row(chain_id, account)) filter (where account is not null), 0
        ) as account_count,
        count(distinct row(chain_id, market)) as market_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        sum(notional_usd) as notional_usd,
        sum(realized_pnl_usd) as realized_pnl_usd
    from numbered
    group by all

),

liquidated as (

    select
        cut.protocol,
        cut.wave,
        count(*) as liquidation_count,
        count(events.liquidator) as backstop_count,
        case
            when count(*) = count(events.notional_usd) then sum(events.notional_usd)
        end as liquidated_usd,
        case
            when count(events.liquidator) = 0 then 0
            when
                count(events.liquidator)
                = count(events.notional_usd) filter (where events.liquidator is not null)
                then sum(events.notional_usd) filter (where events.liquidator is not null)
        end as taken_over_usd
    from cut
    inner join liquidations as events
        on
            cut.protocol = events.protocol
            and events.block_timestamp between cut.first_at and cut.last_at
    group by all

),

beside as (

    select
        cut.protocol,
        cut.wave,
        cut.first_at,
        cut.last_at,
        cut.adl_count,
        cut.account_count,
        cut.market_count,
        cut.unknown_notional_count,
        cut.notional_usd,
        cut.realized_pnl_usd,
        sum(cut.notional_usd) over venue as venue_usd,
        sum(cut.unknown_notional_count) over venue as venue_unknown_count,
        coalesce(liquidated.liquidation_count, 0) as liquidation_count,
        coalesce(liquidated.backstop_count, 0) as backstop_count,
        case
            when liquidated.liquidation_count is null then 0 else liquidated.liquidated_usd
        end as liquidation_notional_usd,
        case
            when liquidated.liquidation_count is null then 0 else liquidated.taken_over_usd
        end as backstop_notional_usd
    from cut
    left join liquidated using (protocol, wave)
    window venue as (partition by cut.protocol)

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    protocol,
    wave,
    first_at,
    last_at,
    adl_count,
    account_count,
    market_count,
    unknown_notional_count,
    notional_usd,
    realized_pnl_usd,
    liquidation_count,
    backstop_count,
    liquidation_notional_usd,
    backstop_notional_usd,
    (epoch_us(last_at) - epoch_us(first_at)) / 1000000 as length_seconds,
    case
        when venue_unknown_count = 0 and venue_usd > 0
            then notional_usd::varchar::double / venue_usd::varchar::double
    end as notional_share,
    case
        when unknown_notional_count = 0 and liquidation_notional_usd > 0
            then notional_usd::varchar::double / liquidation_notional_usd::varchar::double
    end as adl_to_liquidation_ratio,
    case
        when unknown_notional_count = 0 and backstop_notional_usd > 0
            then notional_usd::varchar::double / backstop_notional_usd::varchar::double
    end as adl_to_backstop_ratio
from beside
order by protocol, wave

-- question: In which waves were positions liquidated, and how large was each?
-- reads:    liquidations
-- grain:    one row per protocol and wave, every wave
-- units:    notional_usd US dollars, a sum of what is known, null when nothing is; notional_share
--           1 = all of the protocol's, null while a notional is unknown
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- twin of:  analytics.metrics.liquidation_shape.liquidation_waves
with

silences as (

    select
        protocol,
        chain_id,
        market,
        account,
        notional_usd,
        block_timestamp,
        epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series) as silence
    from liquidations
    window series as (partition by protocol order by block_timestamp)

),

numbered as (

    select
        protocol,
        chain_id,
        market,
        account,
        notional_usd,
        block_timestamp,
        1 + count(case when silence > $gap_milliseconds::bigint * 1000 then 1 end) over (
            partition by protocol order by block_timestamp
        ) as wave
    from silences

),

sums as (

    select
        protocol,
        wave,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at,
        count(*) as liquidation_count,
        nullif(
            count(distinct row(chain_id, account)) filter (where account is not null), 0
        ) as account_count,
        count(distinct row(chain_id, market)) as market_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        sum(notional_usd) as notional_usd
    from numbered
    group by all

),

beside as (

    select
        protocol,
        wave,
        first_at,
        last_at,
        liquidation_count,
        account_count,
        market_count,
        unknown_notional_count,
        notional_usd,
        sum(notional_usd) over (partition by protocol) as venue_usd,
        sum(unknown_notional_count) over (partition by protocol) as venue_unknown_count
    from sums

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    * exclude (venue_usd, venue_unknown_count),
    (epoch_us(last_at) - epoch_us(first_at)) / 1000000 as length_seconds,
    case
        when venue_unknown_count = 0 and venue_usd > 0
            then notional_usd::varchar::double / venue_usd::varchar::double
    end as notional_share
from beside
order by protocol, wave

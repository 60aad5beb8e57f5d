-- question: How many years of fees, revenue and holders' revenue is a token's market value?
-- reads:    fees, token_supplies, tokens, oracle_updates
-- grain:    one row per protocol, symbol and UTC day with a reading of the supply
-- units:    *_tokens whole tokens on all chains where they are read; price_usd US dollars per
--           token; *_usd US dollars, *_annual_usd a year; *_years of income at that rate
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- param:    tolerance_seconds natural 86400 (oldest price that still counts, inclusive)
-- twin of:  analytics.metrics.multiples.price_multiples
with

-- part: priced_supplies

-- A reading charges nothing: these zeros are true, and give its day a window.
flows as (

    select
        protocol,
        block_timestamp::date as date,
        fee_usd as fees_usd,
        fee_usd - supply_side_usd as revenue_usd,
        holders_usd,
        block_timestamp::date as charged_on
    from fees
    union all
    select
        protocol,
        date,
        0 as fees_usd,
        0 as revenue_usd,
        0 as holders_usd,
        null as charged_on
    from supplies

),

daily as (

    select
        protocol,
        date,
        sum(fees_usd) as fees_usd,
        sum(revenue_usd) as revenue_usd,
        sum(holders_usd) as holders_usd,
        count(*) - count(fees_usd) as fees_unknown,
        count(*) - count(revenue_usd) as revenue_unknown,
        count(*) - count(holders_usd) as holders_unknown,
        min(charged_on) as charged_on,
        to_days($window_days - 1) as reach
    from flows
    group by all

),

summed as (

    select
        protocol,
        date,
        case when sum(fees_unknown) over days = 0 then sum(fees_usd) over days end as fees_usd,
        case
            when sum(revenue_unknown) over days = 0 then sum(revenue_usd) over days
        end as revenue_usd,
        case
            when sum(holders_unknown) over days = 0 then sum(holders_usd) over days
        end as holders_usd,
        date - min(charged_on) over (partition by protocol) + 1 >= $window_days as is_full
    from daily
    window days as (
        partition by protocol
        order by date
        range between reach preceding and current row
    )

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
compared as (

    select
        priced.protocol,
        priced.symbol,
        priced.date,
        priced.token_count,
        priced.supply_tokens,
        priced.dead_tokens,
        priced.price_usd,
        priced.priced_at,
        (priced.supply_tokens - priced.dead_tokens)::varchar::double
        * priced.price_usd::varchar::double as market_cap_usd,
        case
            when summed.is_full then summed.fees_usd::varchar::double * 365 / $window_days
        end as fees_annual_usd,
        case
            when summed.is_full then summed.revenue_usd::varchar::double * 365 / $window_days
        end as revenue_annual_usd,
        case
            when summed.is_full then summed.holders_usd::varchar::double * 365 / $window_days
        end as holders_annual_usd
    from priced
    left join summed on priced.protocol = summed.protocol and priced.date = summed.date

)

select
    *,
    case when fees_annual_usd > 0 then market_cap_usd / fees_annual_usd end as price_to_fees_years,
    case
        when revenue_annual_usd > 0 then market_cap_usd / revenue_annual_usd
    end as price_to_revenue_years,
    case
        when holders_annual_usd > 0 then market_cap_usd / holders_annual_usd
    end as price_to_holders_revenue_years
from compared
order by protocol, symbol, date

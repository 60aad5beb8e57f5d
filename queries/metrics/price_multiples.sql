-- question: How many years of fees, revenue and holders' revenue is a token's market value?
-- reads:    fees, token_supplies, tokens, oracle_updates
-- grain:    one row per protocol, symbol and UTC day with a reading of the supply
-- units:    *_tokens whole tokens on all chains where they are read; price_usd US dollars per
--           token; *_usd US dollars, *_annual_usd a year; *_years of income at that rate
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- param:    tolerance_seconds natural 86400 (oldest price that still counts, inclusive)
-- twin of:  analytics.metrics.multiples.price_multiples
with

-- part: market_values

multiples as (

    select
        protocol,
        symbol,
        date,
        token_count,
        supply_tokens,
        dead_tokens,
        price_usd,
        priced_at,
        market_cap_usd,
        fees_annual_usd,
        revenue_annual_usd,
        holders_annual_usd,
        case
            when fees_annual_usd > 0 then market_cap_usd / fees_annual_usd
        end as price_to_fees_years,
        case
            when revenue_annual_usd > 0 then market_cap_usd / revenue_annual_usd
        end as price_to_revenue_years,
        case
            when holders_annual_usd > 0 then market_cap_usd / holders_annual_usd
        end as price_to_holders_revenue_years
    from market_values

)

select *
from multiples
order by protocol, symbol, date

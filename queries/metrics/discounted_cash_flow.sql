-- question: What is a protocol's income to token holders worth today, under stated assumptions?
-- reads:    fees, token_supplies, tokens, oracle_updates
-- grain:    one row per protocol, symbol and UTC day with a reading of the supply
-- units:    *_usd US dollars, *_annual_usd a year; value_usd_per_token US dollars per token;
--           value_to_market_ratio 1 = fairly priced
-- param:    growth_ratio number 0.0 (growth of income in each of the first years, 0.1 = 10 %)
-- param:    discount_ratio number 0.15 (what a year costs, 0.15 = 15 %)
-- param:    years natural 5 (how many years grow at growth_ratio)
-- param:    terminal_growth_ratio number 0.0 (growth of income in every later year)
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- param:    tolerance_seconds natural 86400 (oldest price that still counts, inclusive)
-- twin of:  analytics.metrics.multiples.discounted_cash_flow
with recursive

-- The value of what follows, a year earlier with each step: Horner's rule.
followed as (

    select
        0 as step,
        ((1 + $terminal_growth_ratio) / ($discount_ratio - $terminal_growth_ratio))::double
            as years_worth
    union all
    select
        step + 1 as step,
        (1 + $growth_ratio) / (1 + $discount_ratio) * (1 + years_worth) as years_worth
    from followed
    where step < $years

),

-- part: market_values

worth as (

    select
        market_values.protocol,
        market_values.symbol,
        market_values.date,
        market_values.holders_annual_usd,
        market_values.market_cap_usd,
        market_values.supply_tokens - market_values.dead_tokens as reach_tokens,
        market_values.holders_annual_usd * followed.years_worth as value_usd
    from market_values
    inner join followed on followed.step = $years

)

select
    protocol,
    symbol,
    date,
    holders_annual_usd,
    market_cap_usd,
    value_usd,
    case
        when reach_tokens > 0 then value_usd / reach_tokens::varchar::double
    end as value_usd_per_token,
    case when market_cap_usd > 0 then value_usd / market_cap_usd end as value_to_market_ratio
from worth
order by protocol, symbol, date

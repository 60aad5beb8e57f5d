-- question: What does a protocol's policy promise to spend on its token, what is spent, what burns?
-- reads:    buybacks, declared_facts, fees, policies
-- grain:    one row per protocol and UTC day with a fee or a purchase
-- units:    *_usd US dollars, null when any part is unknown, also where nothing that is indexed
--           could tell of it; *_tokens whole tokens, a sum of what is known; *_ratio 0.25 = 25 %
-- twin of:  analytics.metrics.programmes.buyback_columns
with

-- part: programme_days

told as (

    select -- noqa: ST06
        protocol,
        date,
        fees_usd,
        revenue_usd,
        holders_usd,
        fee_count,
        spent_usd,
        burned_tokens,
        buyback_count,
        case
            when of_revenue is not null then 'holders_share_of_revenue'
            when of_fees is not null then 'holders_share'
            else 'split'
        end as policy_kind,
        coalesce(of_revenue, of_fees) as policy_ratio,
        coalesce(bought_share, 1)::decimal(38, 18) as buyback_share_ratio,
        policy_usd
    from programme_days

)

select *
from told
order by protocol, date

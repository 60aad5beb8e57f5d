-- question: Did each protocol spend on its token what its policy promises of its income?
-- reads:    buybacks, declared_facts, fees, policies
-- grain:    one row per protocol with a fee or a purchase; --from and --to say of which time
-- units:    *_usd US dollars, of all days, null when a part of any is unknown: what was earned, set aside
--           by the split of fees, promised (policy_usd) and spent; *_ratio 1 = 100 %, null while
--           unknown or where nothing was promised or earned; burned_tokens whole tokens, a sum of what
--           is known, null when no purchase tells; *_count UTC days or purchases. What is spent in a
--           day was mostly earned before it: a window of weeks says more than one of days
with

-- part: programme_days
sums as (

    select
        protocol,
        min(date) as first_date,
        max(date) as last_date,
        count(*) as day_count,
        case when count(*) = count(revenue_usd) then sum(revenue_usd) end as revenue_usd,
        case when count(*) = count(holders_usd) then sum(holders_usd) end as holders_usd,
        case
            when count(*) = count(policy_usd) then sum(policy_usd order by date)
        end as policy_usd,
        case when count(*) = count(spent_usd) then sum(spent_usd) end as spent_usd,
        -- That a day without purchases burned nothing says nothing of those that do not tell.
        case
            when sum(buyback_count) > 0 then sum(burned_tokens) filter (where buyback_count > 0)
            else sum(burned_tokens)
        end as burned_tokens,
        sum(buyback_count)::bigint as buyback_count
    from programme_days
    group by all

)

select
    *,
    spent_usd::varchar::double / nullif(policy_usd, 0) as spent_to_policy_ratio,
    spent_usd::varchar::double / nullif(revenue_usd, 0)::varchar::double as spent_to_revenue_ratio
from sums
order by protocol

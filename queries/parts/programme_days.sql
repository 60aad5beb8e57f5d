-- question: What does a policy promise of each day's income, and what is spent and burned?
-- reads:    buybacks, declared_facts, fees, policies
-- grain:    one row per protocol and UTC day with a fee or a purchase
-- units:    as in metrics/buyback_columns; rates in force, 1 = 100 %: of_revenue of what the protocol
--           keeps, of_fees, bought_share of what is spent on holders
with

charged as (

    select
        protocol,
        block_timestamp::date as date,
        case when count(*) = count(fee_usd) then sum(fee_usd) end as fees_usd,
        case
            when count(*) = count(fee_usd - supply_side_usd) then sum(fee_usd - supply_side_usd)
        end as revenue_usd,
        case when count(*) = count(holders_usd) then sum(holders_usd) end as holders_usd,
        count(*) as fee_count
    from fees
    group by all

),

bought as (

    select
        protocol,
        block_timestamp::date as date,
        case when count(*) = count(spent_usd) then sum(spent_usd) end as spent_usd,
        sum(burned_tokens) as burned_tokens,
        count(*) as buyback_count
    from buybacks
    group by all

),

-- part: tellers

-- A day without fees has none, and one without purchases spent nothing, where they are told.
days as (

    select
        coalesce(charged.protocol, bought.protocol) as protocol,
        coalesce(charged.date, bought.date) as date,
        case
            when charged.fee_count > 0 then charged.fees_usd
            when earners.protocol is not null then 0
        end as fees_usd,
        case
            when charged.fee_count > 0 then charged.revenue_usd
            when earners.protocol is not null then 0
        end as revenue_usd,
        case
            when charged.fee_count > 0 then charged.holders_usd
            when earners.protocol is not null then 0
        end as holders_usd,
        case
            when bought.buyback_count > 0 then bought.spent_usd
            when buyers.protocol is not null then 0
        end as spent_usd,
        case
            when bought.buyback_count > 0 then bought.burned_tokens
            when buyers.protocol is not null then 0
        end as burned_tokens,
        case
            when charged.fee_count > 0 then charged.fee_count
            when earners.protocol is not null then 0
        end as fee_count,
        case
            when bought.buyback_count > 0 then bought.buyback_count
            when buyers.protocol is not null then 0
        end as buyback_count
    from charged
    full join bought on charged.protocol = bought.protocol and charged.date = bought.date
    left join earners on coalesce(charged.protocol, bought.protocol) = earners.protocol
    left join buyers on coalesce(charged.protocol, bought.protocol) = buyers.protocol

),

in_force as (

    select
        days.protocol,
        days.date,
        policies.kind,
        arg_max(policies.value, (policies.valid_from, policies.value)) as rate
    from days
    inner join policies
        on
            days.protocol = policies.protocol
            and days.date >= policies.valid_from::date
            and days.date < coalesce(policies.valid_to::date, 'infinity'::date)
    group by all

),

rates as (

    select
        protocol,
        date,
        any_value(rate) filter (where kind = 'holders_share_of_revenue') as of_revenue,
        any_value(rate) filter (where kind = 'holders_share') as of_fees,
        any_value(rate) filter (where kind = 'buyback_share') as bought_share
    from in_force
    group by all

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
programme_days as (

    select
        days.protocol,
        days.date,
        days.fees_usd,
        days.revenue_usd,
        days.holders_usd,
        days.fee_count,
        days.spent_usd,
        days.burned_tokens,
        days.buyback_count,
        rates.of_revenue,
        rates.of_fees,
        rates.bought_share,
        case
            when rates.of_revenue is not null and days.holders_usd is not null
                then days.revenue_usd::varchar::double * rates.of_revenue::varchar::double
            else days.holders_usd::varchar::double
        end * coalesce(rates.bought_share, 1)::varchar::double as policy_usd
    from days
    left join rates on days.protocol = rates.protocol and days.date = rates.date

)

select *
from programme_days

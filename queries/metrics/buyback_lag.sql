-- question: How many days after it was earned is revenue spent on the token?
-- reads:    buybacks, declared_facts, fees
-- grain:    one row per protocol with a purchase and lag in days that leaves a pair of days
-- units:    *_usd US dollars over the days where both are known; *_ratio 0.25 = 25 %;
--           spent_rank_correlation -1 to 1
-- param:    most_lag_days natural 30 (the longest lag tried, in days)
-- param:    least_days count 10 (how many pairs of days a correlation needs)
-- twin of:  analytics.metrics.programmes.buyback_lag
with

-- part: tellers

earned as (

    select
        protocol,
        block_timestamp::date as date,
        fee_usd - supply_side_usd as revenue_usd
    from fees
    where protocol in (select buybacks.protocol from buybacks)

),

spent as (

    select
        protocol,
        block_timestamp::date as date,
        spent_usd
    from buybacks

),

days as (

    select
        protocol,
        date
    from earned
    union all
    select
        protocol,
        date
    from spent

),

spans as (

    select
        protocol,
        min(date) as first_on,
        max(date) as last_on
    from days
    group by all

),

calendar as (

    select
        protocol,
        unnest(generate_series(first_on, last_on, interval 1 day))::date as date
    from spans

),

-- A day without a row earned or spent nothing.
earned_days as (

    select
        calendar.protocol,
        calendar.date,
        case
            when count(earned.date) = count(earned.revenue_usd)
                then coalesce(sum(earned.revenue_usd), 0)
        end as revenue_usd
    from calendar
    left join earned on calendar.protocol = earned.protocol and calendar.date = earned.date
    group by all

),

spent_days as (

    select
        calendar.protocol,
        calendar.date,
        case
            when count(spent.date) = count(spent.spent_usd) then coalesce(sum(spent.spent_usd), 0)
        end as spent_usd
    from calendar
    left join spent on calendar.protocol = spent.protocol and calendar.date = spent.date
    group by all

),

-- Twice the average rank is a whole number: ties share the middle of their places.
ranked as (

    select
        spent_days.protocol,
        spent_days.spent_usd,
        earned_days.revenue_usd,
        spent_days.date - earned_days.date as lag_days,
        2 * rank() over by_spent + count(*) over same_spent - 1 as spent_rank,
        2 * rank() over by_earned + count(*) over same_earned - 1 as earned_rank
    from spent_days
    inner join earned_days
        on
            spent_days.protocol = earned_days.protocol
            and spent_days.date - earned_days.date between 0 and $most_lag_days
    where
        spent_days.spent_usd is not null
        and earned_days.revenue_usd is not null
        and spent_days.protocol in (select earners.protocol from earners)
    window
        by_spent as (
            partition by spent_days.protocol, spent_days.date - earned_days.date
            order by spent_days.spent_usd
        ),
        same_spent as (
            partition by
                spent_days.protocol,
                spent_days.date - earned_days.date,
                spent_days.spent_usd
        ),
        by_earned as (
            partition by spent_days.protocol, spent_days.date - earned_days.date
            order by earned_days.revenue_usd
        ),
        same_earned as (
            partition by
                spent_days.protocol,
                spent_days.date - earned_days.date,
                earned_days.revenue_usd
        )

),

summed as (

    select
        protocol,
        lag_days,
        count(*) as day_count,
        sum(spent_usd) as spent_usd,
        sum(revenue_usd) as revenue_usd,
        count(*) * sum(spent_rank * earned_rank) - sum(spent_rank) * sum(earned_rank) as together,
        count(*) * sum(spent_rank * spent_rank) - sum(spent_rank) * sum(spent_rank) as of_spent,
        count(*) * sum(earned_rank * earned_rank) - sum(earned_rank) * sum(earned_rank) as of_earned
    from ranked
    group by all

),

correlated as (

    select
        protocol,
        lag_days,
        day_count,
        spent_usd,
        revenue_usd,
        case
            when day_count >= $least_days and of_spent::double * of_earned::double > 0
                then together::double / sqrt(of_spent::double * of_earned::double)
        end as spent_rank_correlation
    from summed

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    protocol,
    lag_days,
    day_count,
    spent_usd,
    revenue_usd,
    spent_rank_correlation,
    case
        when revenue_usd > 0 then spent_usd::varchar::double / revenue_usd::varchar::double
    end as buyback_ratio,
    spent_rank_correlation is not null
    and row_number() over (
        partition by protocol
        order by spent_rank_correlation desc nulls last, lag_days asc
    ) = 1 as is_best
from correlated
order by protocol, lag_days

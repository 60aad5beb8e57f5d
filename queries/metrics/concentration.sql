-- question: How much of what was liquidated, deleveraged or is open belongs to few accounts?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per chain, protocol and exposure (deleveraged, liquidated, open)
-- units:    notional_usd US dollars of the accounts counted; *_share 0.5 = half of it; gini 1 = all
--           with one; unknown_count rows or positions without an account or a notional
-- twin of:  analytics.metrics.concentration.concentration
with

-- part: ordered_changes

-- What a first change lowers was opened before it.
-- A closing may tell neither side nor collateral, and a position may turn to the other side: they
-- tell positions without a name apart. A venue's next release closes what an earlier one opened: no
-- version.
positions as (

    select
        chain_id,
        protocol,
        market,
        account,
        position_id,
        case when position_id is null then is_long end as own_side,
        case when position_id is null then collateral_token end as own_collateral,
        last(
            notional_usd order by block_number, progress, log_index, item_index, tx_hash
        ) as told_usd,
        coalesce(
            last(size_tokens order by block_number, progress, log_index, item_index, tx_hash),
            case
                when
                    count(*) = count(size_delta_tokens)
                    and first(
                        size_delta_tokens
                        order by block_number, progress, log_index, item_index, tx_hash
                    ) >= 0
                    then sum(size_delta_tokens)
            end
        ) as left_tokens,
        last(
            execution_price_usd order by block_number, progress, log_index, item_index, tx_hash
        ) as price_usd,
        case
            when
                count(*) = count(notional_delta_usd)
                and first(
                    notional_delta_usd
                    order by block_number, progress, log_index, item_index, tx_hash
                ) > -0.01
                then sum(notional_delta_usd)
        end as summed_usd
    from ordered
    group by all

),

-- Changes at different prices do not add up to what is left: the sum is the last resort.
remains as (

    select
        chain_id,
        protocol,
        account,
        coalesce(
            told_usd,
            case when left_tokens = 0 then 0 end,
            (
                floor(
                    left_tokens::varchar::double * price_usd::varchar::double * 1000000 + 0.5
                )::hugeint * 0.000001
            )::decimal(38, 18),
            -- What cut-off digits of many changes leave is nothing.
            case when abs(summed_usd) < 0.01 then 0 else summed_usd end
        ) as left_usd
    from positions

),

holdings as (

    select
        chain_id,
        protocol,
        'liquidated' as exposure,
        account,
        notional_usd
    from liquidations
    union all
    select
        chain_id,
        protocol,
        'deleveraged' as exposure,
        account,
        notional_usd
    from adls
    union all
    select
        chain_id,
        protocol,
        'open' as exposure,
        account,
        -- Below zero the opening was not indexed.
        case when left_usd > -0.01 then left_usd end as notional_usd
    from remains

),

everyone as (

    select
        chain_id,
        protocol,
        exposure,
        count(*) filter (where account is null or notional_usd is null) as unknown_count
    from holdings
    group by all

),

owners as (

    select
        chain_id,
        protocol,
        exposure,
        account,
        sum(notional_usd) as notional_usd
    from holdings
    where account is not null and notional_usd is not null
    group by all
    having sum(notional_usd) > 0

),

ranked as (

    select
        chain_id,
        protocol,
        exposure,
        notional_usd,
        row_number() over largest as place,
        sum(notional_usd) over largest as running_usd,
        sum(notional_usd) over (partition by chain_id, protocol, exposure) as total_usd
    from owners
    window largest as (
        partition by chain_id, protocol, exposure
        order by notional_usd desc, account asc
        rows between unbounded preceding and current row
    )

),

-- In descending order Σ (2 i - n - 1) x_i is 2 Σ running sums - Σ of n totals - the total.
summed as (

    select
        chain_id,
        protocol,
        exposure,
        count(*) as account_count,
        max(total_usd) as notional_usd,
        sum(notional_usd) filter (where place <= 1) as top_1_usd,
        sum(notional_usd) filter (where place <= 10) as top_10_usd,
        sum(notional_usd) filter (where place <= 100) as top_100_usd,
        sum(total_usd) as even_usd,
        sum(running_usd) + sum(running_usd) - sum(total_usd) - max(total_usd) as uneven_usd
    from ranked
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    everyone.chain_id,
    everyone.protocol,
    everyone.exposure,
    everyone.unknown_count,
    case
        when everyone.unknown_count > 0 then summed.account_count
        else coalesce(summed.account_count, 0)
    end as account_count,
    case
        when everyone.unknown_count > 0 then summed.notional_usd
        else coalesce(summed.notional_usd, 0)
    end as notional_usd,
    summed.top_1_usd::varchar::double / summed.notional_usd::varchar::double as top_1_share,
    summed.top_10_usd::varchar::double / summed.notional_usd::varchar::double as top_10_share,
    summed.top_100_usd::varchar::double / summed.notional_usd::varchar::double as top_100_share,
    summed.uneven_usd::varchar::double / summed.even_usd::varchar::double as gini
from everyone
left join summed using (chain_id, protocol, exposure)
order by everyone.chain_id, everyone.protocol, everyone.exposure

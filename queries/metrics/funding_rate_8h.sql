-- question: What does a position pay of its notional in eight hours?
-- reads:    funding
-- grain:    one row per market, collateral and side with a rate of its own, basis and period
-- units:    funding_rate_8h 0.0001 = 0.01 %, > 0: the side named pays, or longs where none is
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.funding.funding_rate_8h
with

-- part: funding_rates

ends as (

    select
        chain_id,
        protocol,
        version,
        market,
        collateral_token,
        is_long,
        basis,
        bucket_at,
        count(*) as update_count,
        last(
            rate
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ) as rate,
        max(block_timestamp) as told_at,
        max(run) as run
    from rates
    group by all

),

steps as (

    select
        chain_id,
        protocol,
        version,
        market,
        collateral_token,
        is_long,
        basis,
        bucket_at,
        update_count,
        rate,
        case when run = lag(run) over series then rate - lag(rate) over series end as rise,
        case
            when basis = 'index' and run = lag(run) over series
                then epoch_us(told_at) - epoch_us(lag(told_at) over series)
        end as elapsed
    from ends
    window series as (
        partition by chain_id, protocol, version, market, collateral_token, is_long, basis
        order by bucket_at
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    chain_id,
    protocol,
    version,
    market,
    collateral_token,
    is_long,
    basis,
    bucket_at,
    update_count,
    elapsed::double / 1000000 as elapsed_seconds,
    case basis
        when 'index' then rise::varchar::double * 28800000000 / elapsed
        else rate::varchar::double / 3
    end as funding_rate_8h
from steps
order by chain_id, protocol, version, market, collateral_token, is_long, basis, bucket_at

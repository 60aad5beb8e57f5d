-- question: What has holding a position cost since the venue's first rate?
-- reads:    funding
-- grain:    one row per market, collateral and side with a rate of its own, basis and period
-- units:    carry_ratio 0.01 = 1 % of the notional, simple, > 0: the side named has paid, or
--           longs where none is
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.funding.funding_carry
with

-- part: funding_rates

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
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        first_value(block_timestamp) over begun as since_at,
        rate - first_value(rate) over begun as rise,
        coalesce(lag(held) over series, 0)
        * coalesce(
            epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series), 0
        ) as step
    from rates
    window
        series as (
            partition by chain_id, protocol, version, market, collateral_token, is_long, basis
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ),
        begun as (
            partition by chain_id, protocol, version, market, collateral_token, is_long, basis, run
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        )

),

carried as (

    select
        chain_id,
        protocol,
        version,
        market,
        collateral_token,
        is_long,
        basis,
        bucket_at,
        since_at,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        rise,
        sum(step) over (
            partition by chain_id, protocol, version, market, collateral_token, is_long, basis
            order by block_timestamp, block_number, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        ) as accrued
    from steps

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
    since_at,
    block_timestamp as until_at,
    case basis
        when 'index' then rise::varchar::double
        else accrued::varchar::double / 86400000000
    end as carry_ratio
from carried
qualify
    row_number() over (
        partition by
            chain_id, protocol, version, market, collateral_token, is_long, basis, bucket_at
        order by
            block_timestamp desc, block_number desc,
            log_index desc, item_index desc, tx_hash desc
    ) = 1
order by chain_id, protocol, version, market, collateral_token, is_long, basis, bucket_at

-- question: Which rates, announced or as an index that grows, did a venue tell, and when?
-- reads:    funding
-- grain:    one row per event and basis
-- units:    rate a day where announced (held until the next), else the index since it began; 0.01 =
--           1 % of the notional; run counts how often the index began again
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
with

told as (

    select
        chain_id,
        protocol,
        version,
        market,
        collateral_token,
        is_long,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        unnest(['announced', 'index']) as basis,
        unnest([funding_rate_daily_ratio, funding_rate_cumulative_ratio]) as rate,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at
    from funding

),

-- An index that is back at zero has begun again.
compared as (

    select
        chain_id,
        protocol,
        version,
        market,
        collateral_token,
        is_long,
        basis,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        rate,
        bucket_at,
        case basis when 'announced' then rate else 0 end as held,
        coalesce(basis = 'index' and rate = 0 and lag(rate) over series <> 0, false) as is_new
    from told
    where rate is not null
    window series as (
        partition by chain_id, protocol, version, market, collateral_token, is_long, basis
        order by block_timestamp, block_number, log_index, item_index, tx_hash
    )

),

rates as (

    select
        chain_id,
        protocol,
        version,
        market,
        collateral_token,
        is_long,
        basis,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        rate,
        held,
        bucket_at,
        count(case when is_new then 1 end) over (
            partition by chain_id, protocol, version, market, collateral_token, is_long, basis
            order by block_timestamp, block_number, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        ) as run
    from compared

)

select *
from rates

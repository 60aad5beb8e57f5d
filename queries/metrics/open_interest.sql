-- question: What is open on each side of a market at the end of each period?
-- reads:    open_interest
-- grain:    one row per chain, protocol, version, market and period with an event
-- units:    *_usd US dollars, *_tokens base units; null before the first event of a side,
--           which is zero where the other has told changes alone
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.open_interest.open_interest
with

-- part: open_interest_sides

totals as (

    select
        chain_id,
        protocol,
        version,
        market,
        bucket_at,
        basis,
        open_interest_long_usd,
        open_interest_short_usd,
        open_interest_long_tokens,
        open_interest_short_tokens,
        open_interest_long_usd + open_interest_short_usd as open_interest_total_usd,
        open_interest_long_usd - open_interest_short_usd as open_interest_skew_usd,
        open_interest_long_tokens + open_interest_short_tokens as open_interest_total_tokens,
        open_interest_long_tokens - open_interest_short_tokens as open_interest_skew_tokens
    from sides

)

select *
from totals
order by chain_id, protocol, version, market, bucket_at

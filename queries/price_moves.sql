-- question: How far did each asset fall in a window, and how much of it came back?
-- reads:    oracle_updates
-- grain:    one row per asset, quote and source with prices above zero in the window; others count
--           for nothing, nor does what was read at a block in it and seen before it
-- units:    *_quote quote currency; *_ratio 0.1 = 10 %: fall = lowest price / first - 1, never above
--           zero, recovery = share of that fall regained by the last price, null without a fall
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    asset text null (only this asset)
with

-- part: unpriced

moves as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        count(*) as update_count,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at,
        first(
            oracle_price_quote
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ) as first_quote,
        min(oracle_price_quote) as lowest_quote,
        max(oracle_price_quote) as highest_quote,
        last(
            oracle_price_quote
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ) as last_quote
    from oracle_updates
    where
        quote not in (select unpriced.quote from unpriced)
        and oracle_price_quote > 0
        and block_timestamp between $since and $until
        and (log_index >= 0 or coalesce(observed_at >= $since, true))
        and ($asset is null or asset = $asset)
    group by all

)

select
    *,
    (lowest_quote - first_quote)::varchar::double / first_quote::varchar::double as fall_ratio,
    case
        when first_quote > lowest_quote
            then
                (last_quote - lowest_quote)::varchar::double
                / (first_quote - lowest_quote)::varchar::double
    end as recovery_ratio
from moves
order by fall_ratio nulls last, asset, quote, chain_id, protocol, feed

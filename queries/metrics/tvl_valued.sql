-- question: What does a pool manage at the end of a day, in dollars at the price of then?
-- reads:    pool_states, share_prices, tokens, oracle_updates
-- grain:    one row per UTC day with a word of the pool, chain, protocol, pool and asset
-- units:    tvl_tokens whole tokens of the asset; *_usd US dollars by an oracle's price, or as
--           told in dollars, null without one; age_seconds from the price to the end of the day;
--           basis state or shares; holds_pools as in `tvl`: not to be added to what other pools have
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.tvl_valued
with

-- part: pool_amounts

amounts as ( -- noqa: ST03

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        asset_token as token,
        basis,
        holds_pools,
        amount_tokens,
        date::timestamp + to_microseconds(86399999999) as block_timestamp
    from pool_amounts

),

-- part: amount_prices

-- part: amount_values

valued as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        basis,
        holds_pools,
        symbol,
        symbol_known_by,
        amount_tokens as tvl_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
        age_seconds,
        value_usd as tvl_usd
    from values_usd

)

select *
from valued
order by date, chain_id, protocol, pool, asset_token

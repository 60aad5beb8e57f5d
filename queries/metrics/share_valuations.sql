-- question: What was one share of a pool worth whenever its price in assets was told?
-- reads:    share_prices, tokens, oracle_updates
-- grain:    one row per reading of a share's price
-- units:    *_tokens assets per share; value_usd US dollars per share, null without a price near
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.share_valuations
with

amounts as ( -- noqa: ST03

    select
        'share_prices' as fact,
        'share_price_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        share_price_tokens as amount_tokens
    from share_prices
    where share_price_tokens is not null

),

-- part: amount_prices

-- part: amount_values

valued as (

    select
        fact,
        measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        token,
        symbol,
        symbol_known_by,
        amount_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
        age_seconds,
        value_usd
    from values_usd

)

select *
from valued
order by
    fact,
    measure,
    chain_id,
    protocol,
    version,
    block_number,
    log_index,
    item_index,
    tx_hash

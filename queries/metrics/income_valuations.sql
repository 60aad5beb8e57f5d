-- question: What were fees and buybacks told in tokens only worth when they were paid?
-- reads:    fees, buybacks, tokens, oracle_updates
-- grain:    one row per event whose dollars are not told
-- units:    *_tokens whole tokens; *_usd US dollars, null where no price is near enough
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.income_valuations
with

amounts as ( -- noqa: ST03

    select
        'fees' as fact,
        'fee_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        fee_token as token,
        fee_tokens as amount_tokens
    from fees
    where fee_usd is null and fee_tokens is not null
    union all
    select
        'buybacks' as fact,
        'spent_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        spent_token as token,
        spent_tokens as amount_tokens
    from buybacks
    where spent_usd is null and spent_tokens is not null

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

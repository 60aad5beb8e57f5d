-- question: What was every amount of a loan or a pool worth at its moment?
-- reads:    credit_events, pool_flows, pool_states, tokens, oracle_updates
-- grain:    one row per event and amount
-- units:    *_tokens whole tokens; *_usd US dollars, null where no price is near enough
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.pool_valuations
with

told as (

    select
        'credit_events' as fact,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        unnest(
            ['principal_tokens', 'interest_tokens', 'paid_tokens', 'loss_tokens']
        ) as measure,
        unnest([principal_tokens, interest_tokens, paid_tokens, loss_tokens]) as amount_tokens
    from credit_events
    union all
    select
        'credit_events' as fact,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        collateral_token as token,
        'collateral_tokens' as measure,
        collateral_tokens as amount_tokens
    from credit_events
    union all
    select
        'pool_flows' as fact,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        'asset_tokens' as measure,
        asset_tokens as amount_tokens
    from pool_flows
    union all
    select
        'pool_states' as fact,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        unnest(
            ['assets_tokens', 'principal_tokens', 'unrealized_loss_tokens']
        ) as measure,
        unnest([assets_tokens, principal_tokens, unrealized_loss_tokens]) as amount_tokens
    from pool_states

),

amounts as ( -- noqa: ST03

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
        amount_tokens
    from told
    where amount_tokens is not null

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

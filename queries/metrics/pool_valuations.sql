-- question: What was every amount of a loan or a pool worth at its moment?
-- reads:    credit_events, pool_flows, pool_states, tokens, oracle_updates
-- grain:    one row per event and amount
-- units:    *_tokens whole tokens; *_usd US dollars, null where no price is near enough
-- param:    tolerance_seconds integer 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.pool_valuations
with

amounts as ( -- noqa: ST03

    select
        'credit_events' as fact,
        'principal_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        principal_tokens as amount_tokens
    from credit_events
    where principal_tokens is not null
    union all
    select
        'credit_events' as fact,
        'interest_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        interest_tokens as amount_tokens
    from credit_events
    where interest_tokens is not null
    union all
    select
        'credit_events' as fact,
        'paid_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        paid_tokens as amount_tokens
    from credit_events
    where paid_tokens is not null
    union all
    select
        'credit_events' as fact,
        'loss_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        loss_tokens as amount_tokens
    from credit_events
    where loss_tokens is not null
    union all
    select
        'credit_events' as fact,
        'collateral_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        collateral_token as token,
        collateral_tokens as amount_tokens
    from credit_events
    where collateral_tokens is not null
    union all
    select
        'pool_flows' as fact,
        'asset_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        asset_tokens as amount_tokens
    from pool_flows
    where asset_tokens is not null
    union all
    select
        'pool_states' as fact,
        'assets_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        assets_tokens as amount_tokens
    from pool_states
    where assets_tokens is not null
    union all
    select
        'pool_states' as fact,
        'principal_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        principal_tokens as amount_tokens
    from pool_states
    where principal_tokens is not null
    union all
    select
        'pool_states' as fact,
        'unrealized_loss_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        unrealized_loss_tokens as amount_tokens
    from pool_states
    where unrealized_loss_tokens is not null

),

-- part: amount_prices

sized as (

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
        case
            when
                price_usd > 0
                and abs(price_usd::varchar::double * amount_tokens::varchar::double) < 9e19
                then abs(amount_tokens)
        end as size_tokens
    from priced

),

-- A product of two DECIMAL(38,18) has 36 places: in whole and broken parts it is exact.
units as (

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
        trunc(size_tokens)::hugeint as whole_tokens,
        ((size_tokens - trunc(size_tokens)) * 1000000000000000000)::hugeint as broken_tokens,
        trunc(price_usd)::hugeint as whole_usd,
        ((price_usd - trunc(price_usd)) * 1000000000000000000)::hugeint as broken_usd,
        whole_tokens * whole_usd * 1000000000000000000
        + whole_tokens * broken_usd
        + broken_tokens * whole_usd
        + broken_tokens * broken_usd // 1000000000000000000 as cut_units,
        broken_tokens * broken_usd % 1000000000000000000 as rest,
        cut_units
        + case
            when rest > 500000000000000000 then 1
            when rest = 500000000000000000 then cut_units % 2
            else 0
        end as value_units
    from sized

)

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
    (epoch_us(block_timestamp) - epoch_us(price_at))::double / 1000000 as age_seconds,
    sign(amount_tokens) * (
        (value_units // 1000000000000000000)::decimal(38, 18)
        + (value_units % 1000000000000000000)::decimal(18, 0)
        * 0.000000000000000001::decimal(18, 18)
    ) as value_usd
from units
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

-- question: What was closed by force, whatever protocol did it, and what bad debt stood beside it?
-- reads:    adls, credit_events, liquidations, shortfalls, tokens, oracle_updates
-- grain:    one row per forced exit and event of bad debt
-- units:    the step `closes`: notional_usd US dollars, zero of bad debt; bad_debt_usd zero of exits
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
with

events as (

    select
        'liquidation' as kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        market,
        account,
        notional_usd as told_usd,
        null::varchar as token,
        null::decimal(38, 18) as amount_tokens
    from liquidations
    union all
    select
        'adl' as kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        market,
        account,
        notional_usd as told_usd,
        null as token,
        null as amount_tokens
    from adls
    union all
    select
        'lending_liquidation' as kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        pool as market,
        account,
        null as told_usd,
        asset_token as token,
        principal_tokens as amount_tokens
    from credit_events
    where kind = 'liquidation'
    union all
    select
        'bad_debt' as kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        market,
        account,
        shortfall_usd as told_usd,
        asset_token as token,
        shortfall_tokens as amount_tokens
    from shortfalls
    where kind = 'bad_debt'

),

amounts as ( -- noqa: ST03

    select events.*
    from events
    where events.told_usd is null and events.amount_tokens is not null

),

-- part: amount_prices

-- part: amount_values

amounts_usd as (

    select
        kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        market,
        account,
        told_usd as amount_usd
    from events
    where told_usd is not null or amount_tokens is null
    union all
    select
        kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        market,
        account,
        value_usd as amount_usd
    from values_usd

),

closes as (

    select
        amounts_usd.*,
        amounts_usd.kind = 'bad_debt' as is_debt,
        case when is_debt then 0 else amounts_usd.amount_usd end as notional_usd,
        case when is_debt then amounts_usd.amount_usd else 0 end as bad_debt_usd
    from amounts_usd

)

select *
from closes

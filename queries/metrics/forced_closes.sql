-- question: What was closed by force, whatever protocol did it, and what bad debt stood beside it?
-- reads:    adls, credit_events, liquidations, shortfalls, tokens, oracle_updates
-- grain:    one row per forced exit and event of bad debt
-- units:    notional_usd US dollars closed, of a loan the debt repaid, zero of bad debt; bad_debt_usd
--           zero of exits; null where no price is near enough
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.sessions.forced_closes
with

-- part: forced_closes

told as (

    select
        block_timestamp,
        kind,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        market,
        account,
        notional_usd,
        bad_debt_usd
    from closes

)

select *
from told
order by
    block_timestamp,
    kind,
    chain_id,
    protocol,
    version,
    block_number,
    log_index,
    item_index,
    tx_hash

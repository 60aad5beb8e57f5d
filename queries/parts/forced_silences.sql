-- question: How long had nothing been closed by force, of whatever protocol, before each forced exit?
-- reads:    adls, credit_events, liquidations, shortfalls, tokens, oracle_updates
-- grain:    one row per forced exit; bad debt is none
-- units:    the step `silences`: silence microseconds since the exit before, null of the first one;
--           notional_usd, bad_debt_usd as in the step `closes`
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
with

-- part: forced_closes

silences as (

    select
        chain_id,
        protocol,
        kind,
        account,
        block_timestamp,
        notional_usd,
        bad_debt_usd,
        epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series) as silence
    from closes
    where kind != 'bad_debt'
    window series as (order by block_timestamp)

)

select *
from silences

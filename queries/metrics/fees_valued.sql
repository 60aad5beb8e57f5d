-- question: What did users pay a protocol in a day, fees in tokens at their price then?
-- reads:    fees, tokens, oracle_updates
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars: told, valued at an oracle's price (null where no price is near any
--           of the fees in tokens), and both (null where nothing is known)
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.fees_valued
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

),

-- part: amount_prices

-- part: amount_values

events as (

    select
        fees.block_timestamp::date as date,
        fees.chain_id,
        fees.protocol,
        fees.version,
        fees.market,
        fees.fee_kind,
        fees.fee_usd,
        values_usd.value_usd,
        coalesce(fees.fee_usd, values_usd.value_usd) as both_usd
    from fees
    left join values_usd using (
        chain_id, protocol, version, block_number, log_index, item_index, tx_hash
    )

)

select
    date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    sum(both_usd) as fees_usd,
    coalesce(sum(fee_usd), 0) as told_usd,
    case
        when count(value_usd) > 0 or count(fee_usd) = count(*) then coalesce(sum(value_usd), 0)
    end as valued_usd,
    count(*) as fee_count,
    count(value_usd) as valued_count,
    count(*) - count(both_usd) as unpriced_count
from events
group by all
order by date, chain_id, protocol, version, market, fee_kind

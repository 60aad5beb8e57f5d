-- question: What did a protocol pay for its token in a day, tokens at their price then?
-- reads:    buybacks, tokens, oracle_updates
-- grain:    one row per UTC day, chain, protocol, version, destination kind, bought and spent token
-- units:    *_usd US dollars: told, valued at an oracle's price (null where no price is near any
--           of the purchases in tokens), and both (null where nothing is known)
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.buybacks_valued
with

amounts as ( -- noqa: ST03

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

events as (

    select
        buybacks.block_timestamp::date as date,
        buybacks.chain_id,
        buybacks.protocol,
        buybacks.version,
        buybacks.destination_kind,
        buybacks.bought_token,
        buybacks.spent_token,
        buybacks.spent_usd,
        values_usd.value_usd,
        coalesce(buybacks.spent_usd, values_usd.value_usd) as both_usd
    from buybacks
    left join values_usd using (
        chain_id, protocol, version, block_number, log_index, item_index, tx_hash
    )

)

select
    date,
    chain_id,
    protocol,
    version,
    destination_kind,
    bought_token,
    spent_token,
    sum(both_usd) as spent_usd,
    coalesce(sum(spent_usd), 0) as told_usd,
    case
        when count(value_usd) > 0 or count(spent_usd) = count(*) then coalesce(sum(value_usd), 0)
    end as valued_usd,
    count(*) as buyback_count,
    count(value_usd) as valued_count,
    count(*) - count(both_usd) as unpriced_count
from events
group by all
order by date, chain_id, protocol, version, destination_kind, bought_token, spent_token

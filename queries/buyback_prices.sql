-- question: At what price was each purchase of a token made, and what did an oracle say then?
-- reads:    buybacks, oracle_updates, tokens
-- past:     oracle_updates
-- grain:    one row per purchase, earliest first
-- units:    spent_usd US dollars, bought_tokens whole tokens; paid_price_usd and price_usd US dollars per
--           token: what was spent, and the latest that an oracle told for the token's symbol up to
--           that second, age_seconds old; paid_over_bps 1 = 0.01 %, above zero where more was paid;
--           each null while unknown
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    tolerance_seconds natural 3600 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
with

amounts as ( -- noqa: ST03

    select
        protocol,
        chain_id,
        bought_token as token,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        bought_tokens,
        spent_usd,
        destination_kind
    from buybacks
    where block_timestamp between $since and $until

),

-- part: amount_prices
paid as (

    select
        block_timestamp,
        protocol,
        chain_id,
        symbol,
        destination_kind,
        bought_tokens,
        spent_usd,
        price_usd,
        price_protocol,
        price_evidence,
        age_seconds,
        tx_hash,
        block_number,
        log_index,
        item_index,
        spent_usd::varchar::double / nullif(bought_tokens, 0)::varchar::double as paid_price_usd
    from priced

)

select
    * exclude (block_number, log_index, item_index),
    (paid_price_usd / nullif(price_usd, 0)::varchar::double - 1) * 10000 as paid_over_bps
from paid
order by block_timestamp, chain_id, protocol, block_number, log_index, item_index, tx_hash

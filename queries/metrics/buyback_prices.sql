-- question: What did a protocol pay for its own token, beside what an oracle said it is worth?
-- reads:    buybacks, tokens, oracle_updates
-- grain:    one row per purchase
-- units:    *_tokens whole tokens; *_usd US dollars, price_usd and paid_price_usd per token, null
--           where no price is near enough; premium_bps > 0: more was paid than the oracle said
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.buyback_prices
with

amounts as ( -- noqa: ST03

    select
        'bought_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        bought_token as token,
        bought_tokens as amount_tokens
    from buybacks
    union all
    select
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

spent as (

    select
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        value_usd
    from values_usd
    where measure = 'spent_tokens'

),

paid as (

    select
        buybacks.chain_id,
        buybacks.protocol,
        buybacks.version,
        buybacks.block_number,
        buybacks.log_index,
        buybacks.item_index,
        buybacks.tx_hash,
        coalesce(buybacks.spent_usd, spent.value_usd) as spent_usd
    from buybacks
    left join spent using (
        chain_id, protocol, version, block_number, log_index, item_index, tx_hash
    )

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    chain_id,
    protocol,
    version,
    block_number,
    log_index,
    item_index,
    tx_hash,
    bought.block_timestamp,
    bought.token as bought_token,
    bought.symbol,
    bought.amount_tokens as bought_tokens,
    paid.spent_usd,
    bought.price_usd,
    bought.price_chain_id,
    bought.price_protocol,
    bought.price_feed,
    bought.price_at,
    bought.price_tx_hash,
    bought.price_evidence,
    bought.age_seconds,
    bought.value_usd,
    case
        when bought.amount_tokens > 0
            then paid.spent_usd::varchar::double / bought.amount_tokens::varchar::double
    end as paid_price_usd,
    case
        when bought.value_usd > 0
            then
                (paid.spent_usd - bought.value_usd)::varchar::double
                / bought.value_usd::varchar::double
                * 10000
    end as premium_bps
from values_usd as bought
inner join paid using (chain_id, protocol, version, block_number, log_index, item_index, tx_hash)
where bought.measure = 'bought_tokens'
order by chain_id, protocol, version, block_number, log_index, item_index, tx_hash

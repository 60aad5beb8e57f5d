-- question: What was bought back, at what price, and where did it go: burnt, kept or paid out?
-- reads:    buybacks, tokens
-- grain:    one row per protocol, chain, bought token and kind of destination
-- units:    *_tokens whole tokens; *_usd US dollars, sums of what is known, null when nothing is;
--           average_price_usd US dollars per token, only over purchases whose cost is known
-- twin of:  analytics.metrics.buybacks.buybacks_by_destination
with

symbols as (

    select
        chain_id,
        address,
        max(symbol) as symbol
    from tokens
    group by all

),

bought as (

    select
        protocol,
        chain_id,
        bought_token,
        destination_kind,
        count(*) as buyback_count,
        sum(bought_tokens) as bought_tokens,
        sum(burned_tokens) as burned_tokens,
        sum(spent_usd) as spent_usd,
        sum(bought_tokens) filter (where spent_usd is not null) as priced_tokens,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at
    from buybacks
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    bought.* exclude (priced_tokens),
    symbols.symbol,
    case
        when bought.priced_tokens > 0
            then bought.spent_usd::varchar::double / bought.priced_tokens::varchar::double
    end as average_price_usd
from bought
left join symbols on bought.chain_id = symbols.chain_id and bought.bought_token = symbols.address
order by bought.protocol, bought.chain_id, bought.bought_token, bought.destination_kind

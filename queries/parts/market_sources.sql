-- question: Which oracle feeds tell the price of a market to its own venue?
-- reads:    oracle_updates, markets
-- grain:    one row per market and feed of its own venue for its asset
-- units:    the step `prices`: price_quote in the quote currency; the steps `sources`, `own_sources`:
--           used_until is null where a feed is still the one that the venue uses
with

assets as (

    select
        chain_id,
        protocol,
        market,
        max(upper(symbol)) as asset,
        max(index_token) as index_token
    from markets
    group by all

),

prices as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        block_timestamp,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_quote,
        last(
            coalesce(observed_at, block_timestamp)
            order by block_number, log_index, item_index, tx_hash
        ) as seen_at
    from oracle_updates
    where asset is not null
    group by all

),

sources as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        min(block_timestamp) as first_at
    from prices
    group by all

),

-- A venue may price two tokens of one asset, or have a second price to check with: the feed of the
-- market's own index token, or of its own number, is the one it uses from when it first speaks.
own_sources as (

    select
        assets.chain_id,
        assets.protocol,
        assets.market,
        sources.asset,
        sources.quote,
        sources.feed,
        coalesce(sources.feed in (assets.market, assets.index_token), false) as is_own,
        case
            when not is_own
                then
                    min(case when is_own then sources.first_at end) over (
                        partition by assets.chain_id, assets.protocol, assets.market
                    )
        end as used_until
    from assets
    inner join sources using (chain_id, protocol, asset)

)

select *
from own_sources

-- question: Which oracle feeds tell the price of a market to its own venue?
-- reads:    oracle_updates, markets
-- grain:    one row per market and feed of its own venue for its asset
-- units:    the step `prices`: price_quote in the quote currency; the steps `sources`, `own_sources`
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

    select distinct
        asset,
        quote,
        chain_id,
        protocol,
        feed
    from prices

),

-- A venue may price two tokens of one asset, or have a second price to check with: the feed of the
-- market's own index token, or of its own number, is the one it used.
own_sources as (

    select
        assets.chain_id,
        assets.protocol,
        assets.market,
        sources.asset,
        sources.quote,
        sources.feed
    from assets
    inner join sources using (chain_id, protocol, asset)
    qualify
        coalesce(sources.feed in (assets.market, assets.index_token), false)
        or not coalesce(
            bool_or(sources.feed in (assets.market, assets.index_token)) over (
                partition by assets.chain_id, assets.protocol, assets.market
            ),
            false
        )

)

select *
from own_sources

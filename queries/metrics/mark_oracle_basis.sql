-- question: How far are a venue's marks and executions from each oracle of the market's asset?
-- reads:    position_changes, liquidations, markets, oracle_updates
-- grain:    one row per market, kind of price, oracle source in USD and period with a price
-- units:    *_bps 1 = 0.01 % of the oracle's price, signed
-- param:    tolerance_seconds natural 3600 (how old the oracle's price may be and still count)
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.oracle_use.mark_oracle_basis
with

assets as (

    select
        chain_id,
        protocol,
        market,
        max(upper(symbol)) as asset
    from markets
    group by all

),

-- part: current_updates

prices as (

    select
        asset,
        chain_id as reference_chain_id,
        protocol as reference_protocol,
        feed as reference_feed,
        block_timestamp as reference_at,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as reference_price_usd
    from current_updates
    where
        asset is not null
        and quote = 'USD'
    group by all

),

sources as (

    select distinct
        asset,
        reference_chain_id,
        reference_protocol,
        reference_feed
    from prices

),

told as (

    select
        chain_id,
        protocol,
        market,
        block_timestamp,
        'execution' as price_kind,
        execution_price_usd as price_usd
    from position_changes
    where execution_price_usd is not null
    union all
    select
        chain_id,
        protocol,
        market,
        block_timestamp,
        'mark' as price_kind,
        mark_price_usd as price_usd
    from liquidations
    where mark_price_usd is not null

),

asked as (

    select
        told.*,
        sources.asset,
        sources.reference_chain_id,
        sources.reference_protocol,
        sources.reference_feed
    from told
    inner join assets using (chain_id, protocol, market)
    inner join sources on assets.asset = sources.asset

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
compared as (

    select
        asked.chain_id,
        asked.protocol,
        asked.market,
        asked.asset,
        asked.price_kind,
        asked.reference_chain_id,
        asked.reference_protocol,
        asked.reference_feed,
        time_bucket(
            to_seconds($bucket_seconds), asked.block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        (asked.price_usd - prices.reference_price_usd)::varchar::double
        / prices.reference_price_usd::varchar::double
        * 10000 as basis_bps,
        prices.reference_at >= asked.block_timestamp - to_seconds($tolerance_seconds)
        and prices.reference_price_usd > 0 as is_comparable
    from asked
    asof inner join prices
        on
            asked.asset = prices.asset
            and asked.reference_chain_id = prices.reference_chain_id
            and asked.reference_protocol = prices.reference_protocol
            and asked.reference_feed = prices.reference_feed
            and asked.block_timestamp >= prices.reference_at

)

select
    chain_id,
    protocol,
    market,
    asset,
    price_kind,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    bucket_at,
    count(*) as price_count,
    min(basis_bps) as low_basis_bps,
    quantile_disc(basis_bps, 0.5) as mid_basis_bps,
    max(basis_bps) as high_basis_bps
from compared
where is_comparable
group by all
order by
    chain_id,
    protocol,
    market,
    asset,
    price_kind,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    bucket_at

-- question: By how much does one source repeat later what another one said?
-- reads:    oracle_updates
-- grain:    one row per source and other source of the same asset and quote that both moved
-- units:    lag_seconds > 0: the source is later than the reference; *_ratio 1 = moves alike
-- param:    grid_seconds count 60 (length of a cell, counted from 1970-01-01 UTC)
-- param:    max_lag_seconds natural 600 (how far the lag is looked for, either way)
-- twin of:  analytics.metrics.oracles.oracle_update_lag
with

-- part: unpriced

cells as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        epoch_us(block_timestamp) // ($grid_seconds::bigint * 1000000) as cell,
        last(
            oracle_price_quote
            order by block_timestamp, block_number, log_index, item_index, tx_hash
        ) as price_quote
    from oracle_updates
    where
        asset is not null
        and oracle_price_quote > 0
        and quote not in (select unpriced.quote from unpriced)
    group by all

),

steps as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        cell,
        price_quote,
        lag(price_quote) over source as price_before_quote,
        min(cell) over whole as first_cell,
        max(cell) over whole as last_cell
    from cells
    window
        source as (partition by asset, quote, chain_id, protocol, feed order by cell),
        whole as (partition by asset, quote, chain_id, protocol, feed)

),

-- Moves are whole billionths: their products add up exactly, in any order.
moves as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        cell,
        first_cell,
        last_cell,
        coalesce(
            trunc(
                (price_quote - price_before_quote)::varchar::double
                / (price_quote::varchar::double + price_before_quote::varchar::double)
                * 2000000000
            )::bigint,
            0
        ) as move
    from steps

),

sources as (

    select distinct
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        first_cell,
        last_cell
    from moves

),

spans as (

    select
        sources.asset,
        sources.quote,
        sources.chain_id,
        sources.protocol,
        sources.feed,
        others.chain_id as reference_chain_id,
        others.protocol as reference_protocol,
        others.feed as reference_feed,
        greatest(sources.first_cell, others.first_cell) as from_cell,
        least(sources.last_cell, others.last_cell) as to_cell
    from sources
    inner join sources as others
        on
            sources.asset = others.asset
            and sources.quote = others.quote
            and (sources.chain_id, sources.protocol, sources.feed)
            != (others.chain_id, others.protocol, others.feed)

),

own as (

    select
        spans.asset,
        spans.quote,
        spans.chain_id,
        spans.protocol,
        spans.feed,
        spans.reference_chain_id,
        spans.reference_protocol,
        spans.reference_feed,
        moves.cell,
        moves.move
    from spans
    inner join moves using (asset, quote, chain_id, protocol, feed)
    where moves.move != 0 and moves.cell between spans.from_cell and spans.to_cell

),

-- Seen from the other side, a source is the reference of those it is compared with.
strengths as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        sqrt(sum(move::hugeint * move)::varchar::double) as root,
        count(*) as move_count
    from own
    group by all

),

at_lags as (

    select
        own.asset,
        own.quote,
        own.chain_id,
        own.protocol,
        own.feed,
        own.reference_chain_id,
        own.reference_protocol,
        own.reference_feed,
        own.cell - others.cell as lag_cells,
        sum(own.move::hugeint * others.move) as product
    from own
    inner join own as others
        on
            own.asset = others.asset
            and own.quote = others.quote
            and own.reference_chain_id = others.chain_id
            and own.reference_protocol = others.protocol
            and own.reference_feed = others.feed
            and own.chain_id = others.reference_chain_id
            and own.protocol = others.reference_protocol
            and own.feed = others.reference_feed
            and abs(own.cell - others.cell) <= $max_lag_seconds // $grid_seconds
    group by all

),

best as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        first(lag_cells order by product desc, abs(lag_cells) asc, lag_cells desc) as lag_cells,
        max(product) as product,
        max(product) filter (where lag_cells = 0) as unlagged
    from at_lags
    group by all

)

-- Text to double rounds once; a huge integer to double rounds twice in DuckDB.
select
    strengths.asset,
    strengths.quote,
    strengths.chain_id,
    strengths.protocol,
    strengths.feed,
    strengths.reference_chain_id,
    strengths.reference_protocol,
    strengths.reference_feed,
    strengths.move_count,
    others.move_count as reference_move_count,
    case when best.product > 0 then best.lag_cells * $grid_seconds::bigint end as lag_seconds,
    case
        when best.product > 0
            then best.product::varchar::double / (strengths.root * others.root)
    end as correlation_ratio,
    coalesce(best.unlagged, 0)::varchar::double
    / (strengths.root * others.root) as unlagged_correlation_ratio
from strengths
inner join strengths as others
    on
        strengths.asset = others.asset
        and strengths.quote = others.quote
        and strengths.chain_id = others.reference_chain_id
        and strengths.protocol = others.reference_protocol
        and strengths.feed = others.reference_feed
        and strengths.reference_chain_id = others.chain_id
        and strengths.reference_protocol = others.protocol
        and strengths.reference_feed = others.feed
left join best
    on
        strengths.asset = best.asset
        and strengths.quote = best.quote
        and strengths.chain_id = best.chain_id
        and strengths.protocol = best.protocol
        and strengths.feed = best.feed
        and strengths.reference_chain_id = best.reference_chain_id
        and strengths.reference_protocol = best.reference_protocol
        and strengths.reference_feed = best.reference_feed
order by
    strengths.asset,
    strengths.quote,
    strengths.chain_id,
    strengths.protocol,
    strengths.feed,
    strengths.reference_chain_id,
    strengths.reference_protocol,
    strengths.reference_feed

-- question: How far was each of some pairs of sources apart, and for how long?
-- reads:    -
-- grain:    one row per row of the step `pairs` and moment at which either source spoke in `prices`
-- units:    the step `stretches`: deviation_bps 1 = 0.01 % of the reference, signed, null where
--           that is not above zero; from moment_at to until_at, while both prices were fresh
-- param:    tolerance_seconds natural 3600 (how old either price may get and still count)
with

-- A difference can change whenever either source speaks.
moments as (

    select
        pairs.*,
        prices.block_timestamp as moment_at
    from pairs
    inner join prices
        on
            pairs.asset = prices.asset
            and pairs.quote = prices.quote
            and pairs.chain_id = prices.chain_id
            and pairs.protocol = prices.protocol
            and pairs.feed = prices.feed
    union
    select
        pairs.*,
        prices.block_timestamp as moment_at
    from pairs
    inner join prices
        on
            pairs.asset = prices.asset
            and pairs.quote = prices.quote
            and pairs.reference_chain_id = prices.chain_id
            and pairs.reference_protocol = prices.protocol
            and pairs.reference_feed = prices.feed

),

own as (

    select
        moments.*,
        prices.price_quote,
        prices.block_timestamp as price_at
    from moments
    asof inner join prices
        on
            moments.asset = prices.asset
            and moments.quote = prices.quote
            and moments.chain_id = prices.chain_id
            and moments.protocol = prices.protocol
            and moments.feed = prices.feed
            and moments.moment_at >= prices.block_timestamp

),

compared as (

    select
        own.*,
        prices.price_quote as reference_price_quote,
        least(own.price_at, prices.block_timestamp)
        + to_seconds($tolerance_seconds) as fresh_until
    from own
    asof inner join prices
        on
            own.asset = prices.asset
            and own.quote = prices.quote
            and own.reference_chain_id = prices.chain_id
            and own.reference_protocol = prices.protocol
            and own.reference_feed = prices.feed
            and own.moment_at >= prices.block_timestamp

),

-- The last difference of a pair has no end in the data and lasts for no time.
stretches as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        moment_at,
        least(
            fresh_until,
            lead(moment_at, 1, moment_at) over (
                partition by
                    asset, quote,
                    chain_id, protocol, feed,
                    reference_chain_id, reference_protocol, reference_feed
                order by moment_at
            )
        ) as until_at,
        case
            when reference_price_quote > 0
                then
                    (price_quote - reference_price_quote)::varchar::double
                    / reference_price_quote::varchar::double
                    * 10000
        end as deviation_bps
    from compared

)

select *
from stretches

-- question: What does a pool manage at the end of a day, in dollars at the price of then?
-- reads:    pool_states, share_prices, tokens, oracle_updates
-- grain:    one row per UTC day with a word of the pool, chain, protocol, pool and asset
-- units:    tvl_tokens whole tokens of the asset; *_usd US dollars by an oracle's price, or as
--           told in dollars, null without one; age_seconds from the price to the end of the day;
--           basis state or shares
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.tvl_valued
with

-- part: pool_days

-- A product of two DECIMAL(38,18) has 36 places: in whole and broken parts it is exact.
held as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        assets_tokens,
        share_price_tokens,
        supply_tokens,
        case
            when
                abs(share_price_tokens::varchar::double * supply_tokens::varchar::double) < 9e19
                then abs(supply_tokens)
        end as sized_tokens,
        abs(share_price_tokens) as factor,
        trunc(sized_tokens)::hugeint as whole_tokens,
        ((sized_tokens - trunc(sized_tokens)) * 1000000000000000000)::hugeint as broken_tokens,
        trunc(factor)::hugeint as whole_factor,
        ((factor - trunc(factor)) * 1000000000000000000)::hugeint as broken_factor,
        whole_tokens * whole_factor * 1000000000000000000
        + whole_tokens * broken_factor
        + broken_tokens * whole_factor
        + broken_tokens * broken_factor // 1000000000000000000 as cut_units,
        broken_tokens * broken_factor % 1000000000000000000 as rest,
        cut_units
        + case
            when rest > 500000000000000000 then 1
            when rest = 500000000000000000 then cut_units % 2
            else 0
        end as shares_units
    from managed

),

amounts as ( -- noqa: ST03

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        asset_token as token,
        case when assets_tokens is null then 'shares' else 'state' end as basis,
        date::timestamp + to_microseconds(86399999999) as block_timestamp,
        coalesce(
            assets_tokens,
            sign(share_price_tokens) * sign(supply_tokens) * (
                (shares_units // 1000000000000000000)::decimal(38, 18)
                + (shares_units % 1000000000000000000)::decimal(18, 0)
                * 0.000000000000000001::decimal(18, 18)
            )
        ) as amount_tokens
    from held

),

-- part: amount_prices

-- part: amount_values

valued as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        basis,
        symbol,
        symbol_known_by,
        amount_tokens as tvl_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
        age_seconds,
        value_usd as tvl_usd
    from values_usd

)

select *
from valued
order by date, chain_id, protocol, pool, asset_token

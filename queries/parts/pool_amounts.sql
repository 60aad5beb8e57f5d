-- question: What does a pool manage at the end of a day, exactly?
-- reads:    pool_states, share_prices
-- grain:    one row per UTC day with either, chain, protocol, pool and asset
-- units:    the step `pool_amounts`: amount_tokens whole tokens of the asset, null where a product is
--           more than fits; basis state or shares; holds_pools as in `pool_days`
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
        holds_pools,
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

pool_amounts as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        holds_pools,
        case when assets_tokens is null then 'shares' else 'state' end as basis,
        coalesce(
            assets_tokens,
            sign(share_price_tokens) * sign(supply_tokens) * (
                (shares_units // 1000000000000000000)::decimal(38, 18)
                + (shares_units % 1000000000000000000)::decimal(18, 0)
                * 0.000000000000000001::decimal(18, 18)
            )
        ) as amount_tokens
    from held

)

select *
from pool_amounts

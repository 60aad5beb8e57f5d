-- question: What are amounts of tokens worth, exactly, at the prices beside them?
-- reads:    -
-- grain:    one row per row of the step `priced`
-- units:    the step `values_usd`: value_usd US dollars
with

sized as (

    select
        priced.*,
        case
            when
                priced.price_usd > 0
                and abs(
                    priced.price_usd::varchar::double * priced.amount_tokens::varchar::double
                ) < 9e19
                then abs(priced.amount_tokens)
        end as size_tokens
    from priced

),

-- A product of two DECIMAL(38,18) has 36 places: in whole and broken parts it is exact.
units as (

    select
        sized.*,
        trunc(sized.size_tokens)::hugeint as whole_tokens,
        (
            (sized.size_tokens - trunc(sized.size_tokens)) * 1000000000000000000
        )::hugeint as broken_tokens,
        trunc(sized.price_usd)::hugeint as whole_usd,
        (
            (sized.price_usd - trunc(sized.price_usd)) * 1000000000000000000
        )::hugeint as broken_usd,
        whole_tokens * whole_usd * 1000000000000000000
        + whole_tokens * broken_usd
        + broken_tokens * whole_usd
        + broken_tokens * broken_usd // 1000000000000000000 as cut_units,
        broken_tokens * broken_usd % 1000000000000000000 as rest,
        cut_units
        + case
            when rest > 500000000000000000 then 1
            when rest = 500000000000000000 then cut_units % 2
            else 0
        end as value_units
    from sized

),

values_usd as (

    select
        units.*,
        sign(units.amount_tokens) * (
            (units.value_units // 1000000000000000000)::decimal(38, 18)
            + (units.value_units % 1000000000000000000)::decimal(18, 0)
            * 0.000000000000000001::decimal(18, 18)
        ) as value_usd
    from units

)

select *
from values_usd

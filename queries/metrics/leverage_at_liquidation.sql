-- question: How leveraged were positions when they were liquidated?
-- reads:    liquidations
-- grain:    one row per chain, protocol, version and market
-- units:    *_leverage notional over posted collateral; p95 is the ceil(0.95 n)-th smallest;
--           *_count positions, known those with both and a positive collateral
-- twin of:  analytics.metrics.exposure.leverage_at_liquidation
with

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
leverages as (

    select
        chain_id,
        protocol,
        version,
        market,
        case
            when collateral_usd > 0
                then notional_usd::varchar::double / collateral_usd::varchar::double
        end as leverage
    from liquidations

),

ranked as (

    select
        chain_id,
        protocol,
        version,
        market,
        count(*) as liquidation_count,
        count(leverage) as known_count,
        list(leverage order by leverage) filter (where leverage is not null) as ascending
    from leverages
    group by all

)

select
    chain_id,
    protocol,
    version,
    market,
    liquidation_count,
    known_count,
    list_extract(ascending, (known_count * 50 + 99) // 100) as median_leverage,
    list_extract(ascending, (known_count * 95 + 99) // 100) as p95_leverage,
    list_extract(ascending, (known_count * 99 + 99) // 100) as p99_leverage,
    list_extract(ascending, known_count) as highest_leverage
from ranked
order by chain_id, protocol, version, market

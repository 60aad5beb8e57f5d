-- question: What is a token worth on all chains where it is read, beside its protocol's income?
-- reads:    fees, token_supplies, tokens, oracle_updates
-- grain:    one row per protocol, symbol and UTC day with a reading of the supply
-- units:    the step `market_values`: *_tokens whole tokens, null while one that was read before has
--           no reading of the day; price_usd US dollars per token, null without one near;
--           market_cap_usd US dollars, *_annual_usd a year
-- param:    window_days count 30 (length of the window in UTC days, the day itself included)
-- param:    tolerance_seconds natural 86400 (oldest price that still counts, inclusive)
with

readings as (

    select
        protocol,
        chain_id,
        token,
        block_timestamp::date as date,
        block_timestamp,
        supply_tokens,
        dead_tokens
    from token_supplies
    qualify row_number() over (
            partition by protocol, chain_id, token, block_timestamp::date
            order by block_number desc, log_index desc, item_index desc, tx_hash desc
        ) = 1

),

symbols as (

    select
        chain_id,
        address,
        max(symbol) as symbol
    from tokens
    group by all

),

-- A token that was bridged to where it is bought is named where it is bought.
elsewhere as (

    select
        address,
        max(symbol) as symbol
    from tokens
    group by all

),

named as (

    select
        readings.protocol,
        readings.date,
        readings.block_timestamp,
        readings.supply_tokens,
        readings.dead_tokens,
        coalesce(symbols.symbol, elsewhere.symbol, readings.token) as symbol,
        readings.date = min(readings.date) over own as is_first
    from readings
    left join symbols
        on readings.chain_id = symbols.chain_id and readings.token = symbols.address
    left join elsewhere on readings.token = elsewhere.address
    window own as (partition by readings.protocol, readings.chain_id, readings.token)

),

added as (

    select
        protocol,
        symbol,
        date,
        max(block_timestamp) as block_timestamp,
        sum(supply_tokens) as supply_tokens,
        sum(dead_tokens) as dead_tokens,
        count(*) as read_count,
        count(*) filter (where is_first) as first_count
    from named
    group by all

),

counted as (

    select
        protocol,
        symbol,
        date,
        block_timestamp,
        supply_tokens,
        dead_tokens,
        read_count,
        sum(first_count) over (partition by protocol, symbol order by date)::bigint as token_count
    from added

),

supplies as (

    select
        protocol,
        symbol,
        date,
        block_timestamp,
        token_count,
        upper(symbol) as asset,
        case when read_count = token_count then supply_tokens end as supply_tokens,
        case when read_count = token_count then dead_tokens end as dead_tokens
    from counted

),

-- A reading charges nothing: these zeros are true, and give its day a window.
charges as ( -- noqa: ST03

    select
        protocol,
        block_timestamp::date as date,
        fee_usd as fees_usd,
        fee_usd - supply_side_usd as revenue_usd,
        holders_usd,
        block_timestamp::date as charged_on
    from fees
    union all
    select
        protocol,
        date,
        0 as fees_usd,
        0 as revenue_usd,
        0 as holders_usd,
        null as charged_on
    from supplies

),

-- part: income_windows

-- part: current_updates

-- Of one chain the last of several prices in one second; blocks of two cannot be compared.
prices as (

    select
        asset,
        block_timestamp,
        oracle_price_quote
    from current_updates
    where
        quote = 'USD'
        and oracle_price_quote > 0
        and asset is not null
    qualify row_number() over (
            partition by asset, block_timestamp
            order by
                chain_id asc,
                block_number desc,
                log_index desc,
                item_index desc,
                tx_hash desc
        ) = 1

),

priced as (

    select
        supplies.protocol,
        supplies.symbol,
        supplies.date,
        supplies.token_count,
        supplies.supply_tokens,
        supplies.dead_tokens,
        case
            when
                supplies.block_timestamp - prices.block_timestamp
                <= to_microseconds($tolerance_seconds::bigint * 1000000)
                then prices.oracle_price_quote
        end as price_usd,
        case
            when
                supplies.block_timestamp - prices.block_timestamp
                <= to_microseconds($tolerance_seconds::bigint * 1000000)
                then prices.block_timestamp
        end as priced_at
    from supplies
    asof left join prices
        on
            supplies.asset = prices.asset
            and supplies.block_timestamp >= prices.block_timestamp

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
market_values as (

    select
        priced.protocol,
        priced.symbol,
        priced.date,
        priced.token_count,
        priced.supply_tokens,
        priced.dead_tokens,
        priced.price_usd,
        priced.priced_at,
        (priced.supply_tokens - priced.dead_tokens)::varchar::double
        * priced.price_usd::varchar::double as market_cap_usd,
        case
            when summed.is_full then summed.fees_usd::varchar::double * 365 / $window_days
        end as fees_annual_usd,
        case
            when summed.is_full then summed.revenue_usd::varchar::double * 365 / $window_days
        end as revenue_annual_usd,
        case
            when summed.is_full then summed.holders_usd::varchar::double * 365 / $window_days
        end as holders_annual_usd
    from priced
    left join summed on priced.protocol = summed.protocol and priced.date = summed.date

)

select *
from market_values

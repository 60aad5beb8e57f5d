-- question: What does a pool manage at the end of a day, in dollars at the price of then?
-- reads:    pool_states, share_prices, tokens, oracle_updates
-- grain:    one row per UTC day with a word of the pool, chain, protocol, pool and asset
-- units:    tvl_tokens whole tokens of the asset; *_usd US dollars by an oracle's price, null
--           without one; age_seconds from the price to the end of the day; basis state or shares
-- param:    tolerance_seconds integer 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.tvl_valued
with

-- part: pool_days

levels as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        sum(change) over so_far as assets_tokens,
        last_value(share_price_tokens ignore nulls) over so_far as share_price_tokens,
        last_value(supply_tokens ignore nulls) over so_far as supply_tokens
    from daily
    window so_far as (
        partition by chain_id, protocol, pool, asset_token
        order by date
        rows between unbounded preceding and current row
    )

),

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
    from levels

),

managed as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        asset_token as token,
        case when assets_tokens is null then 'shares' else 'state' end as basis,
        date::timestamp + to_microseconds(86399999999) as day_end,
        coalesce(
            assets_tokens,
            sign(share_price_tokens) * sign(supply_tokens) * (
                (shares_units // 1000000000000000000)::decimal(38, 18)
                + (shares_units % 1000000000000000000)::decimal(18, 0)
                * 0.000000000000000001::decimal(18, 18)
            )
        ) as tvl_tokens
    from held

),

-- What a contract calls itself may be a lie: it is said how the symbol is known.
symbols as (

    select
        chain_id,
        address as token,
        max(upper(symbol)) as symbol,
        max(known_by) as symbol_known_by
    from tokens
    group by all

),

-- These contracts give one coin of their chain for each of theirs, and take it back.
named as (

    select
        managed.*,
        symbols.symbol,
        symbols.symbol_known_by,
        case symbols.symbol
            when 'WETH' then 'ETH'
            when 'WBNB' then 'BNB'
            when 'WAVAX' then 'AVAX'
            when 'WMATIC' then 'MATIC'
            when 'WPOL' then 'POL'
            when 'WHYPE' then 'HYPE'
            else symbols.symbol
        end as asset
    from managed
    left join symbols using (chain_id, token)

),

-- part: dollar_prices

timed as (

    select
        named.*,
        case
            when
                epoch_us(named.day_end) - epoch_us(moments.price_at)
                <= $tolerance_seconds::bigint * 1000000
                then moments.price_at
        end as latest_at
    from named
    asof left join moments
        on named.asset = moments.asset and named.day_end >= moments.price_at

),

-- Of several sources in one second the protocol's own counts, then one of its chain.
priced as (

    select
        timed.* exclude (asset, latest_at),
        prices.price_chain_id,
        prices.price_protocol,
        prices.price_feed,
        prices.price_at,
        prices.price_tx_hash,
        prices.price_at is null
        and list_contains(
            string_split(replace(upper($par_symbols), ' ', ''), ','), timed.symbol
        ) as is_at_par,
        case when is_at_par then 1::decimal(38, 18) else prices.price_usd end as price_usd,
        case when is_at_par then 'assumed' else prices.price_evidence end as price_evidence
    from timed
    left join prices on timed.asset = prices.asset and timed.latest_at = prices.price_at
    qualify
        row_number() over (
            partition by timed.date, timed.chain_id, timed.protocol, timed.pool, timed.asset_token
            order by
                (
                    timed.chain_id = prices.price_chain_id
                    and timed.protocol = prices.price_protocol
                ) desc,
                (timed.chain_id = prices.price_chain_id) desc,
                prices.price_chain_id asc,
                prices.price_protocol asc,
                prices.price_feed asc
        ) = 1

),

sized as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        basis,
        symbol,
        symbol_known_by,
        tvl_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
        (epoch_us(day_end) - epoch_us(price_at))::double / 1000000 as age_seconds,
        case
            when
                price_usd > 0
                and abs(price_usd::varchar::double * tvl_tokens::varchar::double) < 9e19
                then abs(tvl_tokens)
        end as size_tokens
    from priced

),

units as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        basis,
        symbol,
        symbol_known_by,
        tvl_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
        age_seconds,
        trunc(size_tokens)::hugeint as whole_tokens,
        ((size_tokens - trunc(size_tokens)) * 1000000000000000000)::hugeint as broken_tokens,
        trunc(price_usd)::hugeint as whole_usd,
        ((price_usd - trunc(price_usd)) * 1000000000000000000)::hugeint as broken_usd,
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

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    basis,
    symbol,
    symbol_known_by,
    tvl_tokens,
    price_usd,
    price_chain_id,
    price_protocol,
    price_feed,
    price_at,
    price_tx_hash,
    price_evidence,
    age_seconds,
    sign(tvl_tokens) * (
        (value_units // 1000000000000000000)::decimal(38, 18)
        + (value_units % 1000000000000000000)::decimal(18, 0)
        * 0.000000000000000001::decimal(18, 18)
    ) as tvl_usd
from units
order by date, chain_id, protocol, pool, asset_token

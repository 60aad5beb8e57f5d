-- question: How much money entered and left a pool in a day, at its price then?
-- reads:    pool_flows, tokens, oracle_updates
-- grain:    one row per UTC day with a flow, chain, protocol, pool and asset
-- units:    *_usd US dollars by an oracle's price; in and out sums of what is known, net null while
--           any value is unknown; *_count flows
-- param:    tolerance_seconds integer 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.net_flows_valued
with

amounts as (

    select
        'pool_flows' as fact,
        'asset_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        asset_tokens as amount_tokens
    from pool_flows
    where asset_tokens is not null

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
        amounts.*,
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
    from amounts
    left join symbols using (chain_id, token)

),

-- part: dollar_prices

timed as (

    select
        named.*,
        case
            when
                epoch_us(named.block_timestamp) - epoch_us(moments.price_at)
                <= $tolerance_seconds::bigint * 1000000
                then moments.price_at
        end as latest_at
    from named
    asof left join moments
        on named.asset = moments.asset and named.block_timestamp >= moments.price_at

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
            partition by
                timed.fact, timed.measure, timed.chain_id, timed.protocol, timed.version,
                timed.block_number, timed.log_index, timed.item_index, timed.tx_hash
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
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        amount_tokens,
        price_usd,
        case
            when
                price_usd > 0
                and abs(price_usd::varchar::double * amount_tokens::varchar::double) < 9e19
                then abs(amount_tokens)
        end as size_tokens
    from priced

),

-- A product of two DECIMAL(38,18) has 36 places: in whole and broken parts it is exact.
units as (

    select
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        amount_tokens,
        price_usd,
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

),

values_usd as (

    select
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        sign(amount_tokens) * (
            (value_units // 1000000000000000000)::decimal(38, 18)
            + (value_units % 1000000000000000000)::decimal(18, 0)
            * 0.000000000000000001::decimal(18, 18)
        ) as value_usd
    from units

),

flows as (

    select
        pool_flows.block_timestamp::date as date,
        pool_flows.chain_id,
        pool_flows.protocol,
        pool_flows.pool,
        pool_flows.asset_token,
        pool_flows.kind,
        values_usd.value_usd,
        pool_flows.kind in ('deposit', 'mint') as is_in
    from pool_flows
    left join values_usd using (
        chain_id, protocol, version, block_number, log_index, item_index, tx_hash
    )

),

daily as (

    select
        date,
        chain_id,
        protocol,
        pool,
        asset_token,
        count(*) filter (where is_in) as inflow_count,
        count(*) filter (where not is_in) as outflow_count,
        sum(value_usd) filter (where is_in) as usd_in,
        sum(value_usd) filter (where not is_in) as usd_out,
        count(*) as flow_count,
        count(value_usd) as valued_count,
        count(*) - count(value_usd) as unpriced_count
    from flows
    where kind in ('deposit', 'mint', 'withdrawal', 'redemption')
    group by all

)

select
    date,
    chain_id,
    protocol,
    pool,
    asset_token,
    flow_count,
    valued_count,
    unpriced_count,
    case when inflow_count = 0 then 0 else usd_in end as inflow_usd,
    case when outflow_count = 0 then 0 else usd_out end as outflow_usd,
    case
        when valued_count = flow_count then coalesce(usd_in, 0) - coalesce(usd_out, 0)
    end as net_usd
from daily
order by date, chain_id, protocol, pool, asset_token

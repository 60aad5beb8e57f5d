-- question: What was every amount of a loan or a pool worth at its moment?
-- reads:    credit_events, pool_flows, pool_states, tokens, oracle_updates
-- grain:    one row per event and amount
-- units:    *_tokens whole tokens; *_usd US dollars, null where no price is near enough
-- param:    tolerance_seconds integer 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.pool_valuations
with

amounts as (

    select
        'credit_events' as fact,
        'principal_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        principal_tokens as amount_tokens
    from credit_events
    where principal_tokens is not null
    union all
    select
        'credit_events' as fact,
        'interest_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        interest_tokens as amount_tokens
    from credit_events
    where interest_tokens is not null
    union all
    select
        'credit_events' as fact,
        'paid_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        paid_tokens as amount_tokens
    from credit_events
    where paid_tokens is not null
    union all
    select
        'credit_events' as fact,
        'loss_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        loss_tokens as amount_tokens
    from credit_events
    where loss_tokens is not null
    union all
    select
        'credit_events' as fact,
        'collateral_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        collateral_token as token,
        collateral_tokens as amount_tokens
    from credit_events
    where collateral_tokens is not null
    union all
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
    union all
    select
        'pool_states' as fact,
        'assets_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        assets_tokens as amount_tokens
    from pool_states
    where assets_tokens is not null
    union all
    select
        'pool_states' as fact,
        'principal_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        principal_tokens as amount_tokens
    from pool_states
    where principal_tokens is not null
    union all
    select
        'pool_states' as fact,
        'unrealized_loss_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        asset_token as token,
        unrealized_loss_tokens as amount_tokens
    from pool_states
    where unrealized_loss_tokens is not null

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
        fact,
        measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        token,
        symbol,
        symbol_known_by,
        amount_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
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
        fact,
        measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        token,
        symbol,
        symbol_known_by,
        amount_tokens,
        price_usd,
        price_chain_id,
        price_protocol,
        price_feed,
        price_at,
        price_tx_hash,
        price_evidence,
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
    fact,
    measure,
    chain_id,
    protocol,
    version,
    block_number,
    log_index,
    item_index,
    tx_hash,
    block_timestamp,
    token,
    symbol,
    symbol_known_by,
    amount_tokens,
    price_usd,
    price_chain_id,
    price_protocol,
    price_feed,
    price_at,
    price_tx_hash,
    price_evidence,
    (epoch_us(block_timestamp) - epoch_us(price_at))::double / 1000000 as age_seconds,
    sign(amount_tokens) * (
        (value_units // 1000000000000000000)::decimal(38, 18)
        + (value_units % 1000000000000000000)::decimal(18, 0)
        * 0.000000000000000001::decimal(18, 18)
    ) as value_usd
from units
order by
    fact,
    measure,
    chain_id,
    protocol,
    version,
    block_number,
    log_index,
    item_index,
    tx_hash

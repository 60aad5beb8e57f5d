-- question: What did users pay a protocol in a day, fees in tokens at their price then?
-- reads:    fees, tokens, oracle_updates
-- grain:    one row per UTC day, chain, protocol, version, market and fee kind
-- units:    *_usd US dollars: told, valued at an oracle's price, and both; null when none is known
-- param:    tolerance_seconds integer 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- twin of:  analytics.metrics.valuation.fees_valued
with

amounts as (

    select
        'fees' as fact,
        'fee_tokens' as measure,
        chain_id,
        protocol,
        version,
        block_number,
        log_index,
        item_index,
        tx_hash,
        block_timestamp,
        fee_token as token,
        fee_tokens as amount_tokens
    from fees
    where fee_usd is null and fee_tokens is not null

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

events as (

    select
        fees.block_timestamp::date as date,
        fees.chain_id,
        fees.protocol,
        fees.version,
        fees.market,
        fees.fee_kind,
        fees.fee_usd,
        values_usd.value_usd,
        coalesce(fees.fee_usd, values_usd.value_usd) as both_usd
    from fees
    left join values_usd using (
        chain_id, protocol, version, block_number, log_index, item_index, tx_hash
    )

)

select
    date,
    chain_id,
    protocol,
    version,
    market,
    fee_kind,
    sum(both_usd) as fees_usd,
    sum(fee_usd) as told_usd,
    sum(value_usd) as valued_usd,
    count(*) as fee_count,
    count(value_usd) as valued_count,
    count(*) - count(both_usd) as unpriced_count
from events
group by all
order by date, chain_id, protocol, version, market, fee_kind

-- question: What was each of some amounts of tokens worth a token, by which source?
-- reads:    tokens, oracle_updates
-- grain:    one row per row of the step `amounts`
-- units:    the step `priced`: price_usd US dollars per whole token; age_seconds of that price
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
with

-- What a contract calls itself may be a lie: it is said how the symbol is known. A currency is no
-- token, and its own symbol.
symbols as (

    select
        chain_id,
        address as token,
        max(upper(symbol)) as symbol,
        max(known_by) as symbol_known_by
    from tokens
    group by all
    union all
    select distinct
        chain_id,
        token,
        token as symbol,
        'declaration' as symbol_known_by
    from amounts
    where token in ('USD', 'EUR', 'GBP', 'CHF', 'ETH')

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
        end as asset,
        row_number() over () as amount_row
    from amounts
    left join symbols using (chain_id, token)

),

-- part: current_updates

prices as (

    select
        asset,
        chain_id as price_chain_id,
        protocol as price_protocol,
        feed as price_feed,
        block_timestamp as price_at,
        last(
            oracle_price_quote
            order by block_number, log_index, item_index, tx_hash
        ) as price_usd,
        last(
            tx_hash
            order by block_number, log_index, item_index, tx_hash
        ) as price_tx_hash,
        last(
            evidence
            order by block_number, log_index, item_index, tx_hash
        ) as price_evidence
    from current_updates
    where
        asset != 'USD'
        and quote = 'USD'
    group by all

),

moments as (

    select distinct
        asset,
        price_at
    from prices

),

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

-- Of several sources in one second the protocol's own counts, then one of its chain. A dollar is
-- known by the token, not by its symbol: a contract may call itself USD.
priced as (

    select
        timed.* exclude (amount_row, asset, latest_at),
        prices.price_chain_id,
        prices.price_protocol,
        prices.price_feed,
        prices.price_at,
        prices.price_tx_hash,
        (epoch_us(timed.block_timestamp) - epoch_us(prices.price_at))::double
        / 1000000 as age_seconds,
        prices.price_at is null
        and list_contains(
            string_split(replace(upper($par_symbols), ' ', ''), ','), timed.symbol
        ) as is_at_par,
        coalesce(timed.token = 'USD', false) as is_dollar,
        case
            when is_dollar or is_at_par then 1::decimal(38, 18)
            else prices.price_usd
        end as price_usd,
        case
            when is_dollar then 'denomination'
            when is_at_par then 'assumed'
            else prices.price_evidence
        end as price_evidence
    from timed
    left join prices on timed.asset = prices.asset and timed.latest_at = prices.price_at
    qualify
        row_number() over (
            partition by timed.amount_row
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

)

select *
from priced

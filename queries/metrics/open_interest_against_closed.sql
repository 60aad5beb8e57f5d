-- question: Is the change of open interest explained by the positions opened and closed meanwhile?
-- reads:    open_interest, position_changes
-- grain:    one row per chain, protocol, market and period with either; versions are added
-- units:    *_usd US dollars, both sides added; unexplained_usd = open interest change - (opened -
--           closed), null while either is unknown; unknown_count changes without a notional
-- param:    bucket_seconds count 3600 (length of a period, counted from 1970-01-01 UTC)
-- twin of:  analytics.metrics.exposure.open_interest_against_closed
with

moves as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        collateral_token,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        open_interest_usd,
        open_interest_delta_usd,
        sum(coalesce(open_interest_delta_usd, 0)) over (
            partition by chain_id, protocol, version, market, is_long, collateral_token
            order by block_number, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        ) as moved_usd
    from open_interest

),

-- The first absolute value of a series is a level, not a change, unless the event says the change.
-- Less what moved so far, levels differ by what no change told.
steps as (

    select
        chain_id,
        protocol,
        market,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        coalesce(open_interest_usd, open_interest_delta_usd) as told_usd,
        case
            when open_interest_usd is null and open_interest_delta_usd is null then 0
            else
                coalesce(
                    open_interest_delta_usd,
                    open_interest_usd - moved_usd
                    - lag(open_interest_usd - moved_usd ignore nulls) over (
                        partition by
                            chain_id, protocol, version, market, is_long, collateral_token
                        order by block_number, log_index, item_index, tx_hash
                    )
                )
        end as change_usd
    from moves

),

trades as (

    select
        chain_id,
        protocol,
        market,
        notional_delta_usd,
        time_bucket(
            to_seconds($bucket_seconds), block_timestamp, timestamp '1970-01-01'
        ) as bucket_at,
        case
            when notional_delta_usd > 0 then 'opened'
            when cause in ('trade', 'liquidation', 'adl') then cause
            else 'other'
        end as way
    from position_changes

),

told as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        case when count(told_usd) > 0 then coalesce(sum(change_usd), 0) end as known_usd,
        count(*) - count(change_usd) as unknown_steps,
        null as opened_usd,
        null as closed_by_trade_usd,
        null as closed_by_liquidation_usd,
        null as closed_by_adl_usd,
        null as closed_by_other_usd,
        null as unknown_count
    from steps
    group by all
    union all
    select
        chain_id,
        protocol,
        market,
        bucket_at,
        null as known_usd,
        null as unknown_steps,
        sum(notional_delta_usd) filter (where way = 'opened') as opened_usd,
        -sum(notional_delta_usd) filter (where way = 'trade') as closed_by_trade_usd,
        -sum(notional_delta_usd) filter (where way = 'liquidation') as closed_by_liquidation_usd,
        -sum(notional_delta_usd) filter (where way = 'adl') as closed_by_adl_usd,
        -sum(notional_delta_usd) filter (where way = 'other') as closed_by_other_usd,
        count(*) - count(notional_delta_usd) as unknown_count
    from trades
    group by all

),

periods as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        sum(known_usd) as known_usd,
        coalesce(sum(unknown_steps), 0) as unknown_steps,
        coalesce(sum(opened_usd), 0) as opened_usd,
        coalesce(sum(closed_by_trade_usd), 0) as closed_by_trade_usd,
        coalesce(sum(closed_by_liquidation_usd), 0) as closed_by_liquidation_usd,
        coalesce(sum(closed_by_adl_usd), 0) as closed_by_adl_usd,
        coalesce(sum(closed_by_other_usd), 0) as closed_by_other_usd,
        sum(unknown_count)::bigint as unknown_count
    from told
    group by all

),

-- Where a market tells a thing at all, a period without it had none. Who tells base units alone
-- tells no dollars.
filled as (

    select
        chain_id,
        protocol,
        market,
        bucket_at,
        opened_usd,
        closed_by_trade_usd,
        closed_by_liquidation_usd,
        closed_by_adl_usd,
        closed_by_other_usd,
        coalesce(unknown_count, 0) as unknown_count,
        count(unknown_count) over whole > 0 as has_trades,
        case
            when count(known_usd) over whole > 0 and unknown_steps = 0
                then coalesce(known_usd, 0)
        end as open_interest_change_usd
    from periods
    window whole as (partition by chain_id, protocol, market)

)

select
    chain_id,
    protocol,
    market,
    bucket_at,
    open_interest_change_usd,
    case when has_trades then opened_usd end as opened_usd,
    case when has_trades then closed_by_trade_usd end as closed_by_trade_usd,
    case when has_trades then closed_by_liquidation_usd end as closed_by_liquidation_usd,
    case when has_trades then closed_by_adl_usd end as closed_by_adl_usd,
    case when has_trades then closed_by_other_usd end as closed_by_other_usd,
    case when has_trades then unknown_count end as unknown_count,
    case
        when has_trades and unknown_count = 0
            then
                open_interest_change_usd - opened_usd + closed_by_trade_usd
                + closed_by_liquidation_usd + closed_by_adl_usd + closed_by_other_usd
    end as unexplained_usd
from filled
order by chain_id, protocol, market, bucket_at

-- question: Is the fall of open interest explained by the positions that were closed?
-- reads:    open_interest, position_changes
-- grain:    one row per chain, protocol and market with a change in the window
-- units:    *_usd US dollars, both sides added; unexplained_usd = open interest change - (opened -
--           closed), null while either is unknown
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
with

-- The first absolute value of a series is a level, not a change, unless the event says the change.
steps as (

    select
        chain_id,
        protocol,
        market,
        block_timestamp,
        case
            when open_interest_delta_usd is null and open_interest_usd is not null
                then
                    open_interest_usd - lag(open_interest_usd ignore nulls) over (
                        partition by
                            chain_id, protocol, version, market, is_long, collateral_token
                        order by block_number, log_index, item_index, tx_hash
                    )
            else open_interest_delta_usd
        end as change_usd
    from open_interest

),

moved as (

    select
        chain_id,
        protocol,
        market,
        sum(change_usd) as open_interest_change_usd
    from steps
    where block_timestamp between $since and $until
    group by all

),

traded as (

    select
        chain_id,
        protocol,
        market,
        sum(case when notional_delta_usd > 0 then notional_delta_usd else 0 end) as opened_usd,
        -sum(
            case when cause = 'trade' and notional_delta_usd < 0 then notional_delta_usd else 0 end
        ) as closed_by_trade_usd,
        -sum(
            case
                when cause = 'liquidation' and notional_delta_usd < 0 then notional_delta_usd else 0
            end
        ) as closed_by_liquidation_usd,
        -sum(
            case when cause = 'adl' and notional_delta_usd < 0 then notional_delta_usd else 0 end
        ) as closed_by_adl_usd,
        case
            when count(*) = count(notional_delta_usd) then sum(notional_delta_usd)
        end as net_usd,
        count(*) - count(notional_delta_usd) as unknown_count
    from position_changes
    where block_timestamp between $since and $until
    group by all

)

select
    chain_id,
    protocol,
    market,
    moved.open_interest_change_usd,
    traded.opened_usd,
    traded.closed_by_trade_usd,
    traded.closed_by_liquidation_usd,
    traded.closed_by_adl_usd,
    traded.unknown_count,
    moved.open_interest_change_usd - traded.net_usd as unexplained_usd
from moved
full join traded using (chain_id, protocol, market)
order by moved.open_interest_change_usd nulls last, chain_id, protocol, market

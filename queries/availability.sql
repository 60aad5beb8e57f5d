-- question: Is a zero of a protocol measured, or has nobody looked, or did looking fail?
-- reads:    adl_states, adls, balances, blocks, buybacks, coverage, credit_events, declared_facts,
--           fees, funding, impact_parameters, imports, liquidations, open_interest, oracle_updates,
--           pool_flows, pool_liquidity, pool_states, position_changes, reads, rejects,
--           share_prices, shortfalls, token_supplies, upgrades
-- grain:    one row per chain, protocol and table of facts that its declaration fills
-- units:    *_count rows; state: available (also where nothing happened: a measured zero), stale (the
--           last reading is older than two of its intervals), not_collected (no block is covered, no
--           read was asked of what reads alone tell, or no endpoint has the state any more),
--           source_error (no row, and what was said could not be read; or the contract refused),
--           not_applicable (no contract was there); covered_at the last moment of a covered block or
--           imported file, up to the end
-- param:    until timestamp 9999-12-31T00:00:00 (last moment looked at, UTC, inclusive)
with

happened as (

    select
        chain_id,
        protocol,
        'position_changes' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from position_changes
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'liquidations' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from liquidations
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'adls' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from adls
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'adl_states' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from adl_states
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'oracle_updates' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from oracle_updates
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'open_interest' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from open_interest
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'impact_parameters' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from impact_parameters
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'funding' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from funding
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'fees' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from fees
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'buybacks' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from buybacks
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'balances' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from balances
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'token_supplies' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from token_supplies
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'credit_events' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from credit_events
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'pool_flows' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from pool_flows
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'share_prices' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from share_prices
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'pool_states' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from pool_states
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'pool_liquidity' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from pool_liquidity
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'shortfalls' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from shortfalls
    where block_timestamp <= $until
    group by all
    union all
    select
        chain_id,
        protocol,
        'upgrades' as fact,
        count(*) as row_count,
        max(block_timestamp) as last_at
    from upgrades
    where block_timestamp <= $until
    group by all

),

lost as (

    select
        chain_id,
        protocol,
        fact,
        count(*) as reject_count
    from rejects
    group by all

),

-- What could not even be decoded might have been a row of any table.
unread as (

    select distinct
        chain_id,
        protocol
    from rejects
    where fact is null

),

-- part: covered_moments

-- What became of a read the last time it was asked: the worst of its answers at that block.
newest as (

    select
        chain_id,
        protocol,
        read,
        max(block_number) as block_number
    from reads
    where block_timestamp <= $until
    group by all

),

asked as (

    select
        newest.chain_id,
        newest.protocol,
        newest.read,
        max(
            case reads.state
                when 'source_error' then 3 when 'not_collected' then 2 when 'not_applicable' then 1
                else 0
            end
        ) as badness
    from newest
    inner join reads
        on
            newest.chain_id = reads.chain_id
            and newest.protocol = reads.protocol
            and newest.read = reads.read
            and newest.block_number = reads.block_number
    group by all

),

filled as (

    select
        declared.chain_id,
        declared.protocol,
        declared.fact,
        bool_or(declared.read is null) as has_events,
        max(declared.every_seconds) as every_seconds,
        max(asked.badness) as badness
    from declared_facts as declared
    left join asked
        on
            declared.chain_id = asked.chain_id
            and declared.protocol = asked.protocol
            and declared.read = asked.read
    group by all

)

select
    filled.chain_id,
    filled.protocol,
    filled.fact,
    happened.last_at,
    covered.covered_at,
    case
        when covered.protocol is null then 'not_collected'
        when filled.badness = 3 then 'source_error'
        when filled.badness = 2 then 'not_collected'
        when
            coalesce(happened.row_count, 0) = 0
            and (lost.reject_count > 0 or filled.has_events and unread.protocol is not null)
            then 'source_error'
        when
            not filled.has_events
            and filled.badness is null
            and coalesce(happened.row_count, 0) = 0
            then 'not_collected'
        when filled.badness = 1 and coalesce(happened.row_count, 0) = 0 then 'not_applicable'
        when
            not filled.has_events
            and date_diff('second', happened.last_at, covered.covered_at)
            > 2 * filled.every_seconds
            then 'stale'
        else 'available'
    end as state,
    coalesce(happened.row_count, 0) as row_count,
    coalesce(lost.reject_count, 0) as reject_count
from filled
left join happened using (chain_id, protocol, fact)
left join lost using (chain_id, protocol, fact)
left join unread using (chain_id, protocol)
left join covered using (chain_id, protocol)
order by filled.chain_id, filled.protocol, filled.fact

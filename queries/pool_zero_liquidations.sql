-- question: Did the loans of a pool really go without liquidation, default, seizure and impairment?
-- reads:    blocks, coverage, credit_events, declared_facts, markets, pool_states, rejects
-- past:     pool_states
-- grain:    one row per chain, protocol and pool that was announced, or that a loan, manager or auction
--           belongs to
-- units:    *_count events, contracts or logs, an event for its pool and for the pool of its loan;
--           *_tokens whole tokens of the pool's asset, the highest that was logged or read in the
--           window or stood when it began, null when none was told. reject_count: logs of the
--           protocol in these blocks that could not be read and might have told a loss. is_covered:
--           every block from the last one known at or before the window to the first one at or after
--           it is indexed. is_told: something that is indexed tells of the protocol's credit events.
--           is_proven: covered, told, nothing unread, nothing happened, and no unrealised loss stood;
--           null where only the loss is not known. Loans are counted whose factory announced them; a
--           loan whose lender nobody named is a pool of its own. It does not speak of collateral that
--           is held off chain
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    protocol text null (only this protocol)
-- param:    pool text null (only this pool, 0x hex)
with

bounds as (

    select
        chain_id,
        max(number) filter (where timestamp <= $since) as from_block,
        min(number) filter (where timestamp >= $until) as to_block
    from blocks
    where timestamp is not null
    group by all

),

inside as (

    select
        coverage.chain_id,
        coverage.protocol,
        bounds.to_block - bounds.from_block + 1 as window_blocks,
        greatest(coverage.from_block, bounds.from_block) as part_from_block,
        least(coverage.to_block, bounds.to_block) as part_to_block
    from coverage
    left join bounds using (chain_id)

),

proven as (

    select
        chain_id,
        protocol,
        window_blocks,
        sum(
            case when part_from_block <= part_to_block then part_to_block - part_from_block + 1 end
        )::bigint as covered_blocks
    from inside
    group by all

),

-- A loan belongs to a manager, a manager or an auction to a pool.
members as (

    select
        own.chain_id,
        own.protocol,
        own.market,
        coalesce(mother.parent, own.parent, own.market) as pool,
        own.borrower is not null as is_loan,
        own.borrower is null and own.long_token is not null as is_auction
    from markets as own
    left join markets as mother
        on
            own.chain_id = mother.chain_id
            and own.protocol = mother.protocol
            and own.parent = mother.market
    left join bounds on own.chain_id = bounds.chain_id
    where
        own.asset_class = 'credit'
        and coalesce(own.block_number <= bounds.to_block, true)

),

pools as (

    select
        chain_id,
        protocol,
        pool,
        count(*) filter (where is_loan) as loan_count,
        count(*) filter (where is_auction) as auction_count
    from members
    where
        ($protocol is null or protocol = $protocol)
        and ($pool is null or pool = $pool)
    group by all

),

-- An event is of a pool that it names, itself or by a member, and of the pool of its loan: a fund
-- that lends to a pool of another kind writes that one down, and a class of shares stands for its
-- pool.
homes as (

    select
        chain_id,
        protocol,
        market,
        pool
    from members
    union
    select
        chain_id,
        protocol,
        pool as market,
        pool
    from members

),

happened as (

    select
        chain_id,
        protocol,
        pool,
        loan,
        kind,
        row(block_number, log_index, item_index, tx_hash) as place
    from credit_events
    where block_timestamp between $since and $until

),

touched as (

    select
        happened.chain_id,
        happened.protocol,
        homes.pool,
        happened.kind,
        happened.place
    from happened
    inner join homes
        on
            happened.chain_id = homes.chain_id
            and happened.protocol = homes.protocol
            and happened.pool = homes.market
    union
    select
        happened.chain_id,
        happened.protocol,
        homes.pool,
        happened.kind,
        happened.place
    from happened
    inner join homes
        on
            happened.chain_id = homes.chain_id
            and happened.protocol = homes.protocol
            and happened.loan = homes.market

),

events as (

    select
        chain_id,
        protocol,
        pool,
        count(*) filter (where kind = 'liquidation') as liquidation_count,
        count(*) filter (where kind = 'default') as default_count,
        count(*) filter (
            where kind in ('repossession', 'collateral_sale', 'seizure')
        ) as seizure_count,
        count(*) filter (where kind = 'impairment') as impairment_count,
        count(*) filter (where kind = 'call') as call_count
    from touched
    group by all

),

-- A row tells some figures of a part; what is read at a block has a log index below zero and comes
-- after what the block logged.
losses as (

    select
        chain_id,
        protocol,
        pool,
        unrealized_loss_tokens,
        block_timestamp >= $since
        or row_number() over (
            partition by chain_id, protocol, pool, part, block_timestamp >= $since
            order by
                block_number desc,
                log_index < 0 desc,
                log_index desc,
                item_index desc,
                tx_hash desc
        ) = 1 as is_standing
    from pool_states
    where unrealized_loss_tokens is not null and block_timestamp <= $until

),

states as (

    select
        chain_id,
        protocol,
        pool,
        max(unrealized_loss_tokens) as unrealized_loss_tokens
    from losses
    where is_standing
    group by all

),

-- An unread state may have told an unrealised loss.
unread as (

    select
        rejects.chain_id,
        rejects.protocol,
        count(*) as reject_count
    from rejects
    inner join bounds using (chain_id)
    where
        rejects.block_number between bounds.from_block and bounds.to_block
        and coalesce(rejects.fact, 'credit_events')
        in ('credit_events', 'liquidations', 'pool_states')
    group by all

),

tellers as (

    select
        chain_id,
        protocol
    from declared_facts
    where fact = 'credit_events'
    union
    select
        chain_id,
        protocol
    from credit_events

),

counted as (

    select
        pools.*,
        states.unrealized_loss_tokens,
        coalesce(events.liquidation_count, 0) as liquidation_count,
        coalesce(events.default_count, 0) as default_count,
        coalesce(events.seizure_count, 0) as seizure_count,
        coalesce(events.impairment_count, 0) as impairment_count,
        coalesce(events.call_count, 0) as call_count,
        coalesce(unread.reject_count, 0) as reject_count,
        coalesce(proven.covered_blocks = proven.window_blocks, false) as is_covered,
        tellers.protocol is not null as is_told
    from pools
    left join events using (chain_id, protocol, pool)
    left join states using (chain_id, protocol, pool)
    left join unread using (chain_id, protocol)
    left join proven using (chain_id, protocol)
    left join tellers using (chain_id, protocol)

)

select
    counted.*,
    counted.is_covered
    and counted.is_told
    and counted.reject_count = 0
    and counted.liquidation_count
    + counted.default_count
    + counted.seizure_count
    + counted.impairment_count = 0
    and counted.unrealized_loss_tokens = 0 as is_proven
from counted
order by counted.chain_id, counted.protocol, counted.pool

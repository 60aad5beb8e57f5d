-- question: Which contracts were given other code, and how many of their events fell silent?
-- reads:    coverage, logs, upgrades
-- grain:    one row per upgrade
-- units:    *_count logs of the contract in blocks that the protocol covers, before and after that of
--           the upgrade, none that tells of an upgrade in either; of the first code of a contract
--           logs_before_count is 0, as it is where nothing before is stored.
--           silent_events_count kinds of events (topic0) of which the contract logged at_least in as
--           many blocks before as are covered since, and none since: what went on as it was would do
--           that once in 2 ** at_least; silent_topics are theirs, hex, null of none; begun_events_count
--           kinds that it never logged before, and may log instead. What it logs under a signature
--           that no declaration names is in neither
-- param:    at_least count 10 (logs of an event before, for its silence to be told)
with

changed as (

    select
        upgrades.chain_id,
        upgrades.protocol,
        upgrades.contract,
        upgrades.release,
        upgrades.implementation,
        upgrades.block_number,
        upgrades.block_timestamp,
        upgrades.tx_hash,
        upgrades.log_index,
        upgrades.item_index,
        unhex(substr(upgrades.contract, 3)) as address,
        unhex(substr(upgrades.tx_hash, 3)) as transaction,
        sum(
            greatest(
                0,
                coverage.to_block - greatest(coverage.from_block, upgrades.block_number + 1) + 1
            )
        ) as blocks_since
    from upgrades
    left join coverage using (chain_id, protocol)
    group by all

),

-- What tells of an upgrade is none of what can fall silent with it.
told as (

    select
        changed.chain_id,
        changed.protocol,
        changed.tx_hash,
        changed.log_index,
        changed.item_index,
        logs.topic0,
        count(*) filter (where logs.block_number < changed.block_number) as before_count,
        count(*) filter (where logs.block_number > changed.block_number) as since_count,
        count(*) filter (
            where
            logs.block_number < changed.block_number
            and logs.block_number >= changed.block_number - changed.blocks_since
        ) as lately_count
    from changed
    inner join logs
        on changed.chain_id = logs.chain_id and changed.address = logs.address
    inner join coverage
        on
            changed.chain_id = coverage.chain_id
            and changed.protocol = coverage.protocol
            and logs.block_number between coverage.from_block and coverage.to_block
    anti join changed as telling
        on
            logs.chain_id = telling.chain_id
            and logs.tx_hash = telling.transaction
            and logs.log_index = telling.log_index
    group by all

),

counted as (

    select
        chain_id,
        protocol,
        tx_hash,
        log_index,
        item_index,
        sum(before_count) as before_count,
        sum(since_count) as since_count,
        count(*) filter (where lately_count >= $at_least and since_count = 0) as silent_count,
        string_agg('0x' || lower(hex(topic0)), ', ' order by topic0) filter (
            where lately_count >= $at_least and since_count = 0
        ) as silent_topics,
        count(*) filter (where before_count = 0 and since_count > 0) as begun_count
    from told
    group by all

)

select
    changed.chain_id,
    changed.protocol,
    changed.contract,
    changed.release,
    changed.implementation,
    changed.block_number,
    changed.block_timestamp,
    changed.tx_hash,
    counted.silent_topics,
    coalesce(counted.before_count, 0)::bigint as logs_before_count,
    coalesce(counted.since_count, 0)::bigint as logs_after_count,
    coalesce(counted.silent_count, 0) as silent_events_count,
    coalesce(counted.begun_count, 0) as begun_events_count
from changed
left join counted using (chain_id, protocol, tx_hash, log_index, item_index)
order by
    changed.chain_id, changed.protocol, changed.block_number, changed.log_index, changed.item_index

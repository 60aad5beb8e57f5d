-- question: Where was something found wrong that later checks of the same depth have not cleared?
-- reads:    audits
-- grain:    one row per failed audit; no row means that nothing is known to be wrong
-- units:    block numbers, inclusive at both ends; level: linked, bloom, receipts
with

ranked as (

    select
        chain_id,
        protocol,
        from_block,
        to_block,
        level,
        verdict,
        detail,
        audited_at,
        list_position(['linked', 'bloom', 'receipts'], level) as depth
    from audits

),

failed as (

    select
        chain_id,
        protocol,
        from_block,
        to_block,
        level,
        detail,
        audited_at,
        depth,
        row_number() over (
            order by chain_id, protocol, from_block, audited_at, level, to_block, detail
        ) as place
    from ranked
    where verdict = 'failed'

),

cleared as (

    select
        failed.place,
        later.from_block,
        later.to_block
    from failed
    inner join ranked as later
        on
            failed.chain_id = later.chain_id
            and failed.protocol = later.protocol
            and failed.audited_at < later.audited_at
            and failed.depth <= later.depth
            and failed.from_block <= later.to_block
            and failed.to_block >= later.from_block
    where later.verdict <> 'failed'

),

-- All of a range is cleared where its first block is, and each behind a stretch that was cleared.
borders as (

    select
        place,
        from_block as block
    from failed

    union

    select
        cleared.place,
        cleared.to_block + 1 as block
    from cleared
    inner join failed using (place)
    where cleared.to_block < failed.to_block

),

standing as (

    select distinct borders.place
    from borders
    where
        not exists (
            select 1
            from cleared
            where
                cleared.place = borders.place
                and borders.block between cleared.from_block and cleared.to_block
        )

)

select
    failed.chain_id,
    failed.protocol,
    failed.from_block,
    failed.to_block,
    failed.level,
    failed.detail,
    failed.audited_at
from failed
inner join standing using (place)
order by failed.place

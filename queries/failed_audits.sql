-- question: Where was something found wrong that no later check as telling has cleared?
-- reads:    audits
-- grain:    one row per failed audit; no row means that nothing is known to be wrong
-- units:    block numbers, inclusive at both ends; level: linked, bloom, receipts, agreed
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
        case
            when level = 'agreed' then ['agreed']
            when level = 'linked' then ['linked']
            when level = 'bloom' then ['linked', 'bloom']
            -- What receipts prove, unless a waiver took something from it, settles words.
            when detail = '' then ['linked', 'bloom', 'receipts', 'agreed']
            else ['linked', 'bloom', 'receipts']
        end as clears
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
            and list_contains(later.clears, failed.level)
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

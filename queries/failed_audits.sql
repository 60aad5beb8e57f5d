-- question: Where was something found wrong that no later check of the same depth has cleared?
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

)

select
    failed.chain_id,
    failed.protocol,
    failed.from_block,
    failed.to_block,
    failed.level,
    failed.detail,
    failed.audited_at
from ranked as failed
where
    failed.verdict = 'failed'
    and not exists (
        select 1
        from ranked as later
        where
            later.chain_id = failed.chain_id
            and later.protocol = failed.protocol
            and later.verdict <> 'failed'
            and later.audited_at > failed.audited_at
            and later.depth >= failed.depth
            and later.from_block <= failed.from_block
            and later.to_block >= failed.to_block
    )
order by failed.chain_id, failed.protocol, failed.from_block, failed.audited_at

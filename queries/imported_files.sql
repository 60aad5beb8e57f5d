-- question: Which files were imported, and what did each of them add?
-- reads:    imports
-- grain:    one row per file, in the order of its entries
-- units:    *_at UTC; entries_* fills or trades; rejects rows that were refused
-- param:    protocol text null (only this protocol)
select
    chain_id,
    protocol,
    file,
    kind,
    about,
    entries_read,
    entries_used,
    rejects,
    from_at,
    to_at,
    sha256,
    imported_at
from imports
where $protocol is null or protocol = $protocol
order by chain_id asc, protocol asc, from_at asc nulls last, file asc, sha256 asc

-- question: Which updates were news when they were told?
-- reads:    oracle_updates
-- grain:    one row per update
-- units:    the step `current_updates`: as in oracle_updates
-- param:    tolerance_seconds natural 3600 (how long before it was read a price may be seen, inclusive)
with

-- What was read at a block, with a log index below zero, may be the answer of a feed long dead.
current_updates as (

    select oracle_updates.*
    from oracle_updates
    where
        oracle_updates.log_index >= 0
        or coalesce(
            oracle_updates.observed_at
            >= oracle_updates.block_timestamp - to_seconds($tolerance_seconds),
            true
        )

)

select *
from current_updates

-- question: In which order did the changes of a position come where trades have none?
-- reads:    position_changes
-- grain:    one row per change
-- units:    the step `ordered`: progress orders the changes of one block, null where the chain does
with

-- A venue that is no EVM chain numbers its trades in no order: in one moment of a side, what is taken
-- off leaves less with each, what is added more.
ordered as (

    select
        position_changes.*,
        case
            when position_changes.chain_id >= 0 then null
            when position_changes.size_delta_tokens < 0 then -position_changes.size_tokens
            else position_changes.size_tokens
        end as progress
    from position_changes

)

select *
from ordered

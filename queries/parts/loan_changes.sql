-- question: By how much did each event change what was lent?
-- reads:    credit_events
-- grain:    one row per loan funded, payment, liquidation and default
-- units:    change in whole tokens of the asset, null where the event does not tell it
with

-- A payment of interest alone repays nothing; a liquidation without an amount is only set going.
loan_changes as (

    select
        block_timestamp,
        chain_id,
        protocol,
        pool,
        account,
        asset_token,
        kind = 'funded' as is_funded,
        case kind
            when 'funded' then principal_tokens
            when 'default' then -loss_tokens
            when 'liquidation' then -coalesce(principal_tokens, 0)
            else
                case
                    when
                        principal_tokens is null
                        and interest_tokens is not null
                        and paid_tokens is null
                        then 0
                    else -principal_tokens
                end
        end as change
    from credit_events
    where kind in ('funded', 'payment', 'liquidation', 'default')

)

select *
from loan_changes

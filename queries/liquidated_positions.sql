-- question: How large were the positions whose liquidations say neither side nor size?
-- reads:    liquidations, position_changes
-- past:     position_changes
-- grain:    one row per liquidation without a notional that names its position
-- units:    notional_usd US dollars at the prices of the openings and size_tokens base units, both
--           approximate, to 15 digits: what was opened times the part that was left before; each
--           null where no opening is stored or one does not say it. collateral_usd US dollars, as logged
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
with

silent as (

    select
        chain_id,
        protocol,
        position_id,
        tx_hash,
        log_index,
        block_number,
        block_timestamp,
        market,
        account,
        collateral_usd,
        derivation
    from liquidations
    where
        notional_usd is null
        and position_id is not null
        and block_timestamp between $since and $until

)

select
    silent.chain_id,
    silent.protocol,
    silent.market,
    silent.account,
    silent.position_id,
    silent.collateral_usd,
    silent.derivation,
    silent.block_timestamp,
    silent.tx_hash,
    silent.log_index,
    any_value(changes.is_long) as is_long,
    case
        when bool_and(changes.notional_delta_usd is not null or changes.closed_ratio is not null)
            then sum(changes.notional_delta_usd) filter (where changes.notional_delta_usd > 0)
    end::double
    * coalesce(product(1 - changes.closed_ratio::double), 1) as notional_usd,
    case
        when bool_and(changes.size_delta_tokens is not null or changes.closed_ratio is not null)
            then sum(changes.size_delta_tokens) filter (where changes.size_delta_tokens > 0)
    end::double
    * coalesce(product(1 - changes.closed_ratio::double), 1) as size_tokens
from silent
left join position_changes as changes
    on
        silent.chain_id = changes.chain_id
        and silent.protocol = changes.protocol
        and silent.position_id = changes.position_id
        and (changes.block_number, changes.log_index) < (silent.block_number, silent.log_index)
group by all
order by silent.block_timestamp asc, silent.chain_id asc, silent.tx_hash asc, silent.log_index asc

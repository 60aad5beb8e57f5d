-- question: How large was each position after each of its changes, and what was it opened at?
-- reads:    position_changes
-- grain:    one row per change of a position
-- units:    sizes in base units, money in whole millionths of a dollar
with

-- part: ordered_changes

-- A run of a position ends where it is closed. Millionths of a dollar are whole numbers.
changes as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        size_tokens,
        size_delta_tokens,
        collateral_delta_usd,
        notional_delta_usd,
        notional_usd,
        progress,
        coalesce(
            execution_price_usd is null
            or size_delta_tokens is null
            or (size_delta_tokens < 0 and realized_pnl_usd is null),
            true
        ) as is_silent,
        coalesce(
            floor(
                size_delta_tokens::varchar::double
                * execution_price_usd::varchar::double
                * 1000000
                + 0.5
            )::hugeint
            + case when is_long then 1 else -1 end
            * coalesce(floor(realized_pnl_usd::varchar::double * 1000000 + 0.5)::hugeint, 0),
            0
        ) as spent,
        count(case when size_tokens = 0 then 1 end) over so_far
        - case when size_tokens = 0 then 1 else 0 end as run,
        lead(block_timestamp) over history as until
    from ordered
    where is_long is not null
    window
        history as (
            partition by
                chain_id,
                protocol,
                version,
                market,
                is_long,
                account,
                collateral_token,
                position_id
            order by block_number, progress, log_index, item_index, tx_hash
        ),
        so_far as (
            partition by
                chain_id,
                protocol,
                version,
                market,
                is_long,
                account,
                collateral_token,
                position_id
            order by block_number, progress, log_index, item_index, tx_hash
            rows between unbounded preceding and current row
        )

),

running as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        block_timestamp,
        until,
        size_tokens,
        notional_usd,
        count(case when is_silent then 1 end) over so_far as silent,
        sum(spent) over so_far as spent,
        sum(coalesce(size_delta_tokens, 0)) over so_far as balance,
        count(case when collateral_delta_usd is null then 1 end) over so_far as unknown_margins,
        sum(coalesce(collateral_delta_usd, 0)) over so_far as margin_usd,
        count(case when notional_delta_usd is null then 1 end) over so_far as unknown_notionals,
        sum(coalesce(notional_delta_usd, 0)) over so_far as balance_usd
    from changes
    window so_far as (
        partition by
            chain_id,
            protocol,
            version,
            market,
            is_long,
            account,
            collateral_token,
            position_id,
            run
        order by block_number, progress, log_index, item_index, tx_hash
        rows between unbounded preceding and current row
    )

),

histories as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        block_timestamp,
        until,
        size_tokens,
        -- Dollars that add up to what is left are dollars at entry; at other prices they do not.
        case
            when unknown_notionals = 0 and abs(balance_usd - notional_usd) < 0.01
                then floor(notional_usd::varchar::double * 1000000 + 0.5)::hugeint
            when silent = 0 and balance = size_tokens then spent
        end as entry,
        case
            when unknown_margins = 0
                then floor(margin_usd::varchar::double * 1000000 + 0.5)::hugeint
        end as margin
    from running

)

select *
from histories

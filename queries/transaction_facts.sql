-- question: What did one transaction do, in every table?
-- reads:    adl_states, adls, balances, buybacks, credit_events, fees, funding, impact_parameters,
--           liquidations, open_interest, oracle_updates, pool_flows, pool_liquidity,
--           pool_states, position_changes, share_prices, shortfalls, token_supplies,
--           upgrades
-- grain:    one row per fact of the transaction, in the order of its logs
-- units:    amount in the unit named beside it, the first of several that is known
-- param:    tx_hash transaction required (the transaction, 0x hex)
with

facts as (

    select
        'position_changes' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        account,
        coalesce(notional_delta_usd, size_delta_tokens, closed_ratio) as amount,
        case
            when notional_delta_usd is not null then 'notional_delta_usd'
            when size_delta_tokens is not null then 'size_delta_tokens'
            when closed_ratio is not null then 'closed_ratio'
            else 'notional_delta_usd'
        end as unit
    from position_changes
    union all
    select
        'liquidations' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        account,
        coalesce(notional_usd, size_tokens) as amount,
        case
            when notional_usd is not null then 'notional_usd'
            when size_tokens is not null then 'size_tokens'
            else 'notional_usd'
        end as unit
    from liquidations
    union all
    select
        'adls' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        account,
        coalesce(notional_usd, size_tokens) as amount,
        case
            when notional_usd is not null then 'notional_usd'
            when size_tokens is not null then 'size_tokens'
            else 'notional_usd'
        end as unit
    from adls
    union all
    select
        'oracle_updates' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        feed as subject,
        null as account,
        oracle_price_quote as amount,
        'oracle_price_quote' as unit
    from oracle_updates
    union all
    select
        'open_interest' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        null as account,
        coalesce(
            open_interest_delta_usd,
            open_interest_delta_tokens,
            open_interest_usd,
            open_interest_tokens
        ) as amount,
        case
            when open_interest_delta_usd is not null then 'open_interest_delta_usd'
            when open_interest_delta_tokens is not null then 'open_interest_delta_tokens'
            when open_interest_usd is not null then 'open_interest_usd'
            when open_interest_tokens is not null then 'open_interest_tokens'
            else 'open_interest_delta_usd'
        end as unit
    from open_interest
    union all
    select
        'funding' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        account,
        coalesce(paid_usd, funding_rate_daily_ratio, funding_rate_cumulative_ratio) as amount,
        case
            when paid_usd is not null then 'paid_usd'
            when funding_rate_daily_ratio is not null then 'funding_rate_daily_ratio'
            when funding_rate_cumulative_ratio is not null then 'funding_rate_cumulative_ratio'
            else 'paid_usd'
        end as unit
    from funding
    union all
    select
        'adl_states' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        null as account,
        pnl_to_pool_ratio as amount,
        'pnl_to_pool_ratio' as unit
    from adl_states
    union all
    select
        'impact_parameters' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        null as account,
        coalesce(factor_trillionths, exponent) as amount,
        case
            when factor_trillionths is not null then 'factor_trillionths'
            when exponent is not null then 'exponent'
            else 'is_in_tokens'
        end as unit
    from impact_parameters
    union all
    select
        'fees' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        account,
        coalesce(fee_usd, fee_tokens) as amount,
        case
            when fee_usd is not null then 'fee_usd'
            when fee_tokens is not null then 'fee_tokens'
            else 'fee_usd'
        end as unit
    from fees
    union all
    select
        'buybacks' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        bought_token as subject,
        null as account,
        bought_tokens as amount,
        'bought_tokens' as unit
    from buybacks
    union all
    select
        'balances' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        token as subject,
        account,
        coalesce(balance_tokens, delta_tokens) as amount,
        case
            when balance_tokens is not null then 'balance_tokens'
            when delta_tokens is not null then 'delta_tokens'
            else 'balance_tokens'
        end as unit
    from balances
    union all
    select
        'token_supplies' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        token as subject,
        null as account,
        supply_tokens as amount,
        'supply_tokens' as unit
    from token_supplies
    union all
    select
        'credit_events' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        pool as subject,
        account,
        coalesce(
            principal_tokens, paid_tokens, interest_tokens, loss_tokens, collateral_tokens
        ) as amount,
        case
            when principal_tokens is not null then 'principal_tokens'
            when paid_tokens is not null then 'paid_tokens'
            when interest_tokens is not null then 'interest_tokens'
            when loss_tokens is not null then 'loss_tokens'
            when collateral_tokens is not null then 'collateral_tokens'
            else 'principal_tokens'
        end as unit
    from credit_events
    union all
    select
        'pool_flows' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        pool as subject,
        account,
        coalesce(asset_tokens, share_tokens) as amount,
        case
            when asset_tokens is not null then 'asset_tokens'
            when share_tokens is not null then 'share_tokens'
            else 'asset_tokens'
        end as unit
    from pool_flows
    union all
    select
        'share_prices' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        pool as subject,
        null as account,
        share_price_tokens as amount,
        'share_price_tokens' as unit
    from share_prices
    union all
    select
        'pool_states' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        part as subject,
        null as account,
        coalesce(principal_tokens, assets_tokens, unrealized_loss_tokens) as amount,
        case
            when principal_tokens is not null then 'principal_tokens'
            when assets_tokens is not null then 'assets_tokens'
            else 'unrealized_loss_tokens'
        end as unit
    from pool_states
    union all
    select
        'pool_liquidity' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        pool as subject,
        account,
        coalesce(liquidity_delta_tokens, liquidity_tokens) as amount,
        case
            when liquidity_delta_tokens is null then 'liquidity_tokens'
            else 'liquidity_delta_tokens'
        end as unit
    from pool_liquidity
    union all
    select
        'shortfalls' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        market as subject,
        account,
        coalesce(shortfall_usd, shortfall_tokens) as amount,
        case
            when shortfall_usd is not null then 'shortfall_usd'
            when shortfall_tokens is not null then 'shortfall_tokens'
            else 'shortfall_usd'
        end as unit
    from shortfalls
    union all
    select
        'upgrades' as fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        contract as subject,
        implementation as account,
        null as amount,
        null as unit
    from upgrades

)

select *
from facts
where tx_hash = $tx_hash
order by chain_id, block_number, log_index, fact, item_index

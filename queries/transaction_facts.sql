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
        [
            row('notional_delta_usd', notional_delta_usd),
            row('size_delta_tokens', size_delta_tokens),
            row('closed_ratio', closed_ratio)
        ] as amounts
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
        [row('notional_usd', notional_usd), row('size_tokens', size_tokens)] as amounts
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
        [row('notional_usd', notional_usd), row('size_tokens', size_tokens)] as amounts
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
        [row('oracle_price_quote', oracle_price_quote)] as amounts
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
        [
            row('open_interest_delta_usd', open_interest_delta_usd),
            row('open_interest_delta_tokens', open_interest_delta_tokens),
            row('open_interest_usd', open_interest_usd),
            row('open_interest_tokens', open_interest_tokens)
        ] as amounts
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
        [
            row('paid_usd', paid_usd),
            row('funding_rate_daily_ratio', funding_rate_daily_ratio),
            row('funding_rate_cumulative_ratio', funding_rate_cumulative_ratio)
        ] as amounts
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
        [row('pnl_to_pool_ratio', pnl_to_pool_ratio)] as amounts
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
        [
            row('is_in_tokens', null),
            row('factor_trillionths', factor_trillionths),
            row('exponent', exponent)
        ] as amounts
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
        [row('fee_usd', fee_usd), row('fee_tokens', fee_tokens)] as amounts
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
        [row('bought_tokens', bought_tokens)] as amounts
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
        [row('balance_tokens', balance_tokens), row('delta_tokens', delta_tokens)] as amounts
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
        [row('supply_tokens', supply_tokens)] as amounts
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
        [
            row('principal_tokens', principal_tokens),
            row('paid_tokens', paid_tokens),
            row('interest_tokens', interest_tokens),
            row('loss_tokens', loss_tokens),
            row('collateral_tokens', collateral_tokens)
        ] as amounts
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
        [row('asset_tokens', asset_tokens), row('share_tokens', share_tokens)] as amounts
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
        [row('share_price_tokens', share_price_tokens)] as amounts
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
        [
            row('principal_tokens', principal_tokens),
            row('assets_tokens', assets_tokens),
            row('unrealized_loss_tokens', unrealized_loss_tokens)
        ] as amounts
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
        [
            row('liquidity_delta_tokens', liquidity_delta_tokens),
            row('liquidity_tokens', liquidity_tokens)
        ] as amounts
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
        [row('shortfall_usd', shortfall_usd), row('shortfall_tokens', shortfall_tokens)] as amounts
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
        [] as amounts
    from upgrades

),

-- Of what is not known the first unit is named.
told as (

    select
        fact,
        chain_id,
        block_number,
        log_index,
        item_index,
        tx_hash,
        protocol,
        subject,
        account,
        list_filter(amounts, lambda each: each[2] is not null)[1] as known,
        known[2] as amount,
        coalesce(known[1], amounts[1][1]) as unit
    from facts
    where tx_hash = $tx_hash

)

select * exclude (known)
from told
order by chain_id, block_number, log_index, fact, item_index

-- question: What does each table rest on: events, state that was read, derivation, or less?
-- reads:    position_changes, liquidations, adls, adl_states, oracle_updates, open_interest,
--           impact_parameters, funding, fees, buybacks, balances, token_supplies,
--           credit_events, pool_flows, share_prices, pool_states, pool_liquidity, shortfalls,
--           upgrades
-- grain:    one row per protocol, table and evidence
-- units:    *_count rows; row_ratio 1 = all rows of the protocol in the table
with evidence_by_table as (
    select
        protocol,
        'position_changes' as fact,
        evidence
    from position_changes
    union all
    select
        protocol,
        'liquidations' as fact,
        evidence
    from liquidations
    union all
    select
        protocol,
        'adls' as fact,
        evidence
    from adls
    union all
    select
        protocol,
        'adl_states' as fact,
        evidence
    from adl_states
    union all
    select
        protocol,
        'oracle_updates' as fact,
        evidence
    from oracle_updates
    union all
    select
        protocol,
        'open_interest' as fact,
        evidence
    from open_interest
    union all
    select
        protocol,
        'impact_parameters' as fact,
        evidence
    from impact_parameters
    union all
    select
        protocol,
        'funding' as fact,
        evidence
    from funding
    union all
    select
        protocol,
        'fees' as fact,
        evidence
    from fees
    union all
    select
        protocol,
        'buybacks' as fact,
        evidence
    from buybacks
    union all
    select
        protocol,
        'balances' as fact,
        evidence
    from balances
    union all
    select
        protocol,
        'token_supplies' as fact,
        evidence
    from token_supplies
    union all
    select
        protocol,
        'credit_events' as fact,
        evidence
    from credit_events
    union all
    select
        protocol,
        'pool_flows' as fact,
        evidence
    from pool_flows
    union all
    select
        protocol,
        'share_prices' as fact,
        evidence
    from share_prices
    union all
    select
        protocol,
        'pool_states' as fact,
        evidence
    from pool_states
    union all
    select
        protocol,
        'pool_liquidity' as fact,
        evidence
    from pool_liquidity
    union all
    select
        protocol,
        'shortfalls' as fact,
        evidence
    from shortfalls
    union all
    select
        protocol,
        'upgrades' as fact,
        evidence
    from upgrades
),

counted as (
    select
        protocol,
        fact,
        evidence,
        count(*) as row_count
    from evidence_by_table
    group by all
)

select
    protocol,
    fact,
    evidence,
    row_count,
    row_count / sum(row_count) over (partition by protocol, fact) as row_ratio
from counted
order by protocol, fact, evidence

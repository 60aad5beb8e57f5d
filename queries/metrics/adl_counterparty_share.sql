-- question: For whose losses were profitable positions cut, and who are they?
-- reads:    accounts, adls
-- grain:    one row per chain, protocol and counterparty
-- units:    notional_usd US dollars, a sum of what is known, null when nothing is; notional_share
--           1 = all of the chain's and protocol's, null while a notional is unknown
-- twin of:  analytics.metrics.adl_accounts.adl_counterparty_share
with

cut as (

    select
        chain_id,
        protocol,
        counterparty,
        count(*) as adl_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        sum(notional_usd) as notional_usd
    from adls
    group by all

),

names as (

    select
        chain_id,
        protocol,
        account,
        min(name) as name
    from accounts
    group by all

),

shared as (

    select
        cut.chain_id,
        cut.protocol,
        cut.counterparty,
        names.name,
        cut.adl_count,
        cut.unknown_notional_count,
        cut.notional_usd,
        sum(cut.notional_usd) over venue as venue_usd,
        sum(cut.unknown_notional_count) over venue as venue_unknown_count
    from cut
    left join names
        on
            cut.chain_id = names.chain_id
            and cut.protocol = names.protocol
            and cut.counterparty = names.account
    window venue as (partition by cut.chain_id, cut.protocol)

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    * exclude (venue_usd, venue_unknown_count),
    case
        when venue_unknown_count = 0 and venue_usd > 0
            then notional_usd::varchar::double / venue_usd::varchar::double
    end as notional_share
from shared
order by chain_id asc, protocol asc, counterparty asc nulls first

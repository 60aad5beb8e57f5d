-- question: Whose losses were profitable positions cut for, and who are they?
-- reads:    accounts, adls
-- grain:    one row per chain, protocol and counterparty, largest notional first
-- units:    notional_usd US dollars, a sum of what is known, null when nothing is;
--           notional_share 1 = all of the protocol's, null while a notional is unknown
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
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
    where block_timestamp between $since and $until
    group by all

),

shared as (

    select
        chain_id,
        protocol,
        counterparty,
        adl_count,
        unknown_notional_count,
        notional_usd,
        sum(notional_usd) over venue as venue_usd,
        sum(unknown_notional_count) over venue as venue_unknown_count
    from cut
    window venue as (partition by chain_id, protocol)

)

select
    shared.chain_id,
    shared.protocol,
    shared.counterparty,
    accounts.name,
    shared.adl_count,
    shared.unknown_notional_count,
    shared.notional_usd,
    case
        when shared.venue_unknown_count = 0 and shared.venue_usd > 0
            then shared.notional_usd::varchar::double / shared.venue_usd::varchar::double
    end as notional_share
from shared
left join accounts
    on
        shared.chain_id = accounts.chain_id
        and shared.protocol = accounts.protocol
        and shared.counterparty = accounts.account
order by
    shared.notional_usd desc nulls last,
    shared.chain_id asc,
    shared.protocol asc,
    shared.counterparty asc

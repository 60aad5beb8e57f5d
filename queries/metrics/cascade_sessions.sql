-- question: Which forced exits were of one cascade, across protocols, and who had which part?
-- reads:    adls, credit_events, liquidations, shortfalls, tokens, oracle_updates
-- grain:    one row per session, protocol and kind (liquidation, adl, lending_liquidation, bad_debt)
-- units:    notional_usd, bad_debt_usd US dollars, sums of what is known, null when nothing is;
--           lag_seconds after the session's first exit; notional_share 1 = all of the session's,
--           null while a notional of it is unknown
-- param:    tolerance_seconds natural 90000 (how old a price may be and still count, inclusive)
-- param:    par_symbols text - (symbols worth a dollar where no price is near, with commas; - none)
-- param:    gap_seconds count 60 (the longest silence within a session, inclusive)
-- twin of:  analytics.metrics.sessions.cascade_sessions
with

-- part: forced_silences

exits as (

    select
        chain_id,
        protocol,
        kind,
        account,
        block_timestamp,
        notional_usd,
        bad_debt_usd,
        1 + count(case when silence > $gap_seconds::bigint * 1000000 then 1 end) over (
            order by block_timestamp
        ) as session
    from silences

),

spans as (

    select
        session,
        min(block_timestamp) as began_at,
        max(block_timestamp) as ended_at,
        count(distinct protocol) as protocol_count,
        count(*) - count(notional_usd) as unknown_notional_count,
        sum(notional_usd) as session_usd
    from exits
    group by all

),

members as (

    select
        chain_id,
        protocol,
        kind,
        account,
        block_timestamp,
        notional_usd,
        bad_debt_usd,
        session
    from exits
    union all
    select
        closes.chain_id,
        closes.protocol,
        closes.kind,
        closes.account,
        closes.block_timestamp,
        closes.notional_usd,
        closes.bad_debt_usd,
        spans.session
    from closes
    inner join spans
        on
            closes.block_timestamp >= spans.began_at
            and closes.block_timestamp <= spans.ended_at
    where closes.kind = 'bad_debt'

),

sums as (

    select
        session,
        protocol,
        kind,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at,
        count(*) as event_count,
        nullif(
            count(distinct row(chain_id, account)) filter (where account is not null), 0
        ) as account_count,
        count(*) - count(notional_usd + bad_debt_usd) as unknown_count,
        sum(notional_usd) as notional_usd,
        sum(bad_debt_usd) as bad_debt_usd
    from members
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    sums.session,
    sums.protocol,
    sums.kind,
    sums.first_at,
    sums.last_at,
    sums.event_count,
    sums.account_count,
    sums.unknown_count,
    sums.notional_usd,
    sums.bad_debt_usd,
    spans.protocol_count,
    (epoch_us(sums.first_at) - epoch_us(spans.began_at)) / 1000000 as lag_seconds,
    (epoch_us(spans.ended_at) - epoch_us(spans.began_at)) / 1000000 as session_seconds,
    case
        when spans.unknown_notional_count = 0 and spans.session_usd > 0
            then sums.notional_usd::varchar::double / spans.session_usd::varchar::double
    end as notional_share
from sums
inner join spans on sums.session = spans.session
order by sums.session, sums.first_at, sums.protocol, sums.kind

-- question: How much of what an ADL took away did its owner take again?
-- reads:    adls, position_changes
-- grain:    one row per chain, protocol, version, market, account, side and wave it was cut in
-- units:    *_tokens base units, null when a size is unknown, or no trade of the venue is told;
--           undo_ratio 1 = all of it
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    window_seconds count 3600 (how long after its last cut an owner is watched, inclusive)
-- twin of:  analytics.metrics.adl_accounts.adl_undo
with

-- part: numbered_adls

cut as (

    select
        chain_id,
        protocol,
        version,
        market,
        account,
        is_long,
        wave,
        min(block_timestamp) as first_at,
        max(block_timestamp) as last_at,
        count(*) as adl_count,
        case when count(*) = count(size_tokens) then sum(size_tokens) end as cut_tokens
    from numbered
    where account is not null and is_long is not null
    group by all

),

added as (

    select
        chain_id,
        protocol,
        version,
        market,
        account,
        is_long,
        block_timestamp,
        size_delta_tokens
    from position_changes
    where cause = 'trade' and coalesce(size_delta_tokens > 0, true)

),

tellers as (

    select distinct
        chain_id,
        protocol,
        true as is_told
    from position_changes
    where cause = 'trade'

),

regained as (

    select
        cut.chain_id,
        cut.protocol,
        cut.version,
        cut.market,
        cut.account,
        cut.is_long,
        cut.wave,
        cut.first_at,
        cut.last_at,
        cut.adl_count,
        cut.cut_tokens,
        case
            when
                bool_or(tellers.is_told)
                and count(added.block_timestamp) = count(added.size_delta_tokens)
                then coalesce(sum(added.size_delta_tokens), 0)
        end as regained_tokens
    from cut
    left join added
        on
            cut.chain_id = added.chain_id
            and cut.protocol = added.protocol
            and cut.version = added.version
            and cut.market = added.market
            and cut.account = added.account
            and cut.is_long = added.is_long
            and cut.first_at < added.block_timestamp
            and cut.last_at + to_seconds($window_seconds) >= added.block_timestamp
    left join tellers
        on cut.chain_id = tellers.chain_id and cut.protocol = tellers.protocol
    group by all

)

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
select
    *,
    case
        when cut_tokens > 0 and regained_tokens is not null
            then
                least(regained_tokens, cut_tokens)::varchar::double / cut_tokens::varchar::double
    end as undo_ratio
from regained
order by chain_id, protocol, version, market, account, is_long, wave

-- question: What could winners still win after a wave of ADLs, against what losers owed?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per chain, protocol, version, market and wave
-- units:    mark_price_usd, gains_usd, deficit_usd US dollars; ptsr, pmr, needed_ratio 1 = as much;
--           all but the price null while a position is not known
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    tolerance_seconds integer 5 (how old a mark may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_solvency.adl_solvency
with

-- part: position_histories

-- Of several prices of one moment the last stands.
marks as (

    select
        chain_id,
        protocol,
        version,
        market,
        block_timestamp as seen_at,
        last(
            mark_price_usd
            order by block_number, log_index, item_index, tx_hash
        ) as price_usd
    from liquidations
    where mark_price_usd is not null
    group by all

),

silences as (

    select
        chain_id,
        protocol,
        version,
        market,
        execution_price_usd,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        epoch_us(block_timestamp) - epoch_us(lag(block_timestamp) over series) as silence
    from adls
    window series as (partition by protocol order by block_timestamp)

),

numbered as (

    select
        chain_id,
        protocol,
        version,
        market,
        execution_price_usd,
        block_timestamp,
        block_number,
        log_index,
        item_index,
        tx_hash,
        1 + count(case when silence > $gap_milliseconds::bigint * 1000 then 1 end) over (
            partition by protocol order by block_timestamp
        ) as wave
    from silences

),

cuts as (

    select
        chain_id,
        protocol,
        version,
        market,
        wave,
        max(block_timestamp) as last_at,
        last(
            execution_price_usd
            order by block_number, log_index, item_index, tx_hash
        ) filter (where execution_price_usd is not null) as cut_price_usd
    from numbered
    group by all

),

ends as (

    select
        cuts.chain_id,
        cuts.protocol,
        cuts.version,
        cuts.market,
        cuts.wave,
        cuts.last_at,
        coalesce(
            case
                when cuts.last_at - to_seconds($tolerance_seconds) <= marks.seen_at
                    then marks.price_usd
            end,
            cuts.cut_price_usd
        ) as mark_price_usd
    from cuts
    asof left join marks
        on
            cuts.chain_id = marks.chain_id
            and cuts.protocol = marks.protocol
            and cuts.version = marks.version
            and cuts.market = marks.market
            and cuts.last_at >= marks.seen_at

),

positions as (

    select
        histories.chain_id,
        histories.protocol,
        histories.version,
        histories.market,
        histories.is_long,
        ends.wave,
        floor(
            histories.size_tokens::varchar::double
            * ends.mark_price_usd::varchar::double
            * 1000000
            + 0.5
        )::hugeint as value,
        -- Dollars that add up to what is left are dollars at entry; at other prices they do not.
        case
            when
                histories.unknown_notionals = 0
                and abs(histories.balance_usd - histories.notional_usd) < 0.01
                then floor(histories.notional_usd::varchar::double * 1000000 + 0.5)::hugeint
            when histories.silent = 0 and histories.balance = histories.size_tokens
                then histories.entry
        end as entry,
        case
            when histories.unknown_margins = 0
                then floor(histories.margin_usd::varchar::double * 1000000 + 0.5)::hugeint
        end as margin
    from histories
    inner join ends
        on
            histories.chain_id = ends.chain_id
            and histories.protocol = ends.protocol
            and histories.version = ends.version
            and histories.market = ends.market
            and histories.block_timestamp <= ends.last_at
            and (histories.until is null or histories.until > ends.last_at)
    where histories.size_tokens > 0

),

gains as (

    select
        chain_id,
        protocol,
        version,
        market,
        wave,
        margin,
        case
            when entry > 0 and is_long then value - entry
            when entry > 0 then entry - value
        end as gain
    from positions

),

sums as (

    select
        chain_id,
        protocol,
        version,
        market,
        wave,
        count(*) as open_count,
        count(margin + gain) as known_count,
        sum(greatest(0, gain))::varchar::double as gains,
        sum(greatest(0, -(margin + gain)))::varchar::double as owed,
        max(greatest(0, gain))::varchar::double as largest_gain,
        max(greatest(0, -(margin + gain)))::varchar::double as largest_owed
    from gains
    group by all

),

counted as (

    select
        ends.chain_id,
        ends.protocol,
        ends.version,
        ends.market,
        ends.wave,
        ends.last_at,
        ends.mark_price_usd,
        coalesce(sums.open_count, 0) as open_count,
        coalesce(sums.known_count, 0) as known_count,
        coalesce(sums.open_count = sums.known_count, true) as is_known,
        case when is_known then coalesce(sums.gains, 0) end as gains,
        case when is_known then coalesce(sums.owed, 0) end as owed,
        case when is_known then coalesce(sums.largest_gain, 0) end as largest_gain,
        case when is_known then coalesce(sums.largest_owed, 0) end as largest_owed
    from ends
    left join sums using (chain_id, protocol, version, market, wave)

)

select
    chain_id,
    protocol,
    version,
    market,
    wave,
    last_at,
    mark_price_usd,
    open_count,
    known_count,
    gains / 1000000 as gains_usd,
    owed / 1000000 as deficit_usd,
    case when owed > 0 then gains / owed end as ptsr,
    case when largest_owed > 0 then largest_gain / largest_owed end as pmr,
    case when gains > 0 then least(owed, gains) / gains end as needed_ratio
from counted
order by chain_id, protocol, version, market, wave

-- question: What did losers owe beyond their equity over an episode of ADLs, each position once?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per protocol with an ADL
-- units:    *_count waves or positions; deficit_usd US dollars, null while a position is not known
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    tolerance_seconds integer 5 (how old a mark may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_solvency.adl_deficits
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
        histories.account,
        histories.collateral_token,
        histories.position_id,
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

-- A position that stands below zero after nine waves owes once.
owing as (

    select
        protocol,
        count(*) = count(
            case
                when entry > 0 and is_long then margin + value - entry
                when entry > 0 then margin + entry - value
            end
        ) as is_known,
        greatest(
            0,
            -min(
                case
                    when entry > 0 and is_long then margin + value - entry
                    when entry > 0 then margin + entry - value
                end
            )
        ) as owed
    from positions
    group by
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id

),

sums as (

    select
        protocol,
        count(*) as position_count,
        count(*) filter (where is_known) as known_count,
        count(*) filter (where is_known and owed > 0) as owing_count,
        sum(owed)::varchar::double / 1000000 as owed_usd
    from owing
    group by all

),

spans as (

    select
        protocol,
        count(distinct wave) as wave_count
    from ends
    group by all

)

select
    spans.protocol,
    spans.wave_count,
    coalesce(sums.position_count, 0) as position_count,
    coalesce(sums.known_count, 0) as known_count,
    coalesce(sums.owing_count, 0) as owing_count,
    case
        when sums.position_count is null then 0
        when sums.position_count = sums.known_count then sums.owed_usd
    end as deficit_usd
from spans
left join sums using (protocol)
order by spans.protocol

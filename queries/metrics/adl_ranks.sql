-- question: Which place did each position that was cut have among those open on its side?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per chain, protocol, version, market, side, moment and position that was cut
-- units:    mark_price_usd, entry_usd US dollars; size_tokens base units before the cut;
--           profit_ratio 1 = as much as the entry; leverage 1 = as much as the equity; place_* 1 is
--           cut first; all null where they do not follow from the history
-- param:    tolerance_seconds natural 60 (how old a mark may be when it is used, inclusive)
-- twin of:  analytics.metrics.adl_ranks.adl_ranks
with

-- part: position_histories

-- part: liquidation_marks

cuts as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        block_timestamp as cut_at,
        first(
            execution_price_usd
            order by block_number, log_index, item_index, tx_hash
        ) filter (where execution_price_usd is not null) as cut_price_usd
    from adls
    where account is not null and is_long is not null
    group by all

),

moments as (

    select
        cuts.chain_id,
        cuts.protocol,
        cuts.version,
        cuts.market,
        cuts.is_long,
        cuts.cut_at,
        coalesce(
            case
                when cuts.cut_at - to_seconds($tolerance_seconds) <= marks.seen_at
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
            and cuts.cut_at >= marks.seen_at

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
        histories.entry,
        histories.margin,
        moments.cut_at,
        moments.mark_price_usd,
        histories.size_tokens,
        floor(
            histories.size_tokens::varchar::double
            * moments.mark_price_usd::varchar::double
            * 1000000
            + 0.5
        )::hugeint as value
    from histories
    inner join moments
        on
            histories.chain_id = moments.chain_id
            and histories.protocol = moments.protocol
            and histories.version = moments.version
            and histories.market = moments.market
            and histories.is_long = moments.is_long
            and histories.block_timestamp < moments.cut_at
            and (histories.until is null or histories.until >= moments.cut_at)
    where histories.size_tokens > 0

),

gains as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        cut_at,
        mark_price_usd,
        size_tokens,
        value,
        margin,
        case when entry > 0 then entry end as entry,
        case
            when entry > 0 and is_long then value - entry
            when entry > 0 then entry - value
        end as gain
    from positions

),

figures as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        cut_at,
        mark_price_usd,
        size_tokens,
        entry::varchar::double / 1000000 as entry_usd,
        value::varchar::double / entry::varchar::double as rise,
        entry::varchar::double / value::varchar::double as fall,
        value > 0 as is_scored,
        case when value > 0 then gain::varchar::double / entry::varchar::double end as profit_ratio,
        case
            when margin + gain > 0
                then value::varchar::double / (margin + gain)::varchar::double
        end as leverage
    from gains

),

scores as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        cut_at,
        mark_price_usd,
        size_tokens,
        entry_usd,
        profit_ratio,
        leverage,
        case when is_scored then rise * leverage end as documented,
        case
            when is_scored and is_long then rise * leverage
            when is_scored then fall * leverage
        end as side_aware,
        case
            when profit_ratio > 0 then profit_ratio * leverage
            else profit_ratio / leverage
        end as bitmex
    from figures

),

ranked as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        account,
        collateral_token,
        position_id,
        cut_at,
        mark_price_usd,
        size_tokens,
        entry_usd,
        profit_ratio,
        leverage,
        case
            when profit_ratio is not null
                then rank() over (side order by profit_ratio desc nulls last)
        end as place_profit,
        case
            when documented is not null
                then rank() over (side order by documented desc nulls last)
        end as place_documented,
        case
            when side_aware is not null
                then rank() over (side order by side_aware desc nulls last)
        end as place_side_aware,
        case
            when bitmex is not null
                then rank() over (side order by bitmex desc nulls last)
        end as place_bitmex,
        count(*) over side as open_count,
        count(profit_ratio) over side as profit_count,
        count(bitmex) over side as leverage_count
    from scores
    window side as (partition by chain_id, protocol, version, market, is_long, cut_at)

),

counts as (

    select distinct
        chain_id,
        protocol,
        version,
        market,
        is_long,
        cut_at,
        open_count,
        profit_count,
        leverage_count
    from ranked

),

cut as (

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
        count(*) as adl_count
    from adls
    where account is not null and is_long is not null
    group by all

)

select
    cut.chain_id,
    cut.protocol,
    cut.version,
    cut.market,
    cut.is_long,
    cut.account,
    cut.collateral_token,
    cut.position_id,
    cut.block_timestamp,
    cut.adl_count,
    ranked.mark_price_usd,
    ranked.size_tokens,
    ranked.entry_usd,
    ranked.profit_ratio,
    ranked.leverage,
    ranked.place_profit,
    ranked.place_documented,
    ranked.place_side_aware,
    ranked.place_bitmex,
    coalesce(counts.open_count, 0) as open_count,
    coalesce(counts.profit_count, 0) as profit_count,
    coalesce(counts.leverage_count, 0) as leverage_count
from cut
left join counts
    on
        cut.chain_id = counts.chain_id
        and cut.protocol = counts.protocol
        and cut.version = counts.version
        and cut.market = counts.market
        and cut.is_long = counts.is_long
        and cut.block_timestamp = counts.cut_at
left join ranked
    on
        cut.chain_id = ranked.chain_id
        and cut.protocol = ranked.protocol
        and cut.version = ranked.version
        and cut.market = ranked.market
        and cut.is_long = ranked.is_long
        and cut.account = ranked.account
        and cut.block_timestamp = ranked.cut_at
        and cut.collateral_token is not distinct from ranked.collateral_token
        and cut.position_id is not distinct from ranked.position_id
order by
    cut.chain_id asc,
    cut.protocol asc,
    cut.version asc,
    cut.market asc,
    cut.is_long asc,
    cut.block_timestamp asc,
    cut.account asc,
    cut.collateral_token asc nulls first,
    cut.position_id asc nulls first

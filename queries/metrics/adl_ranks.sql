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

moments as materialized (

    select
        cuts.chain_id,
        cuts.protocol,
        cuts.version,
        cuts.market,
        cuts.is_long,
        cuts.cut_at,
        row_number() over () as number,
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

-- All scores at all moments are more than can be held: they are computed twice, those of what was
-- cut, and all to count how many lie between them.
positions as not materialized (

    select
        moments.number,
        histories.is_long,
        histories.account,
        histories.collateral_token,
        histories.position_id,
        histories.margin,
        moments.mark_price_usd,
        histories.size_tokens,
        case when histories.entry > 0 then histories.entry end as entry,
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

gains as not materialized (

    select
        number,
        is_long,
        account,
        collateral_token,
        position_id,
        mark_price_usd,
        size_tokens,
        entry,
        value,
        margin,
        case when is_long then value - entry else entry - value end as gain
    from positions

),

figures as not materialized (

    select
        number,
        is_long,
        account,
        collateral_token,
        position_id,
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

scores as not materialized (

    select
        number,
        account,
        collateral_token,
        position_id,
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

cut as (

    select
        moments.number,
        adls.chain_id,
        adls.protocol,
        adls.version,
        adls.market,
        adls.is_long,
        adls.account,
        adls.collateral_token,
        adls.position_id,
        adls.block_timestamp,
        count(*) as adl_count
    from adls
    inner join moments
        on
            adls.chain_id = moments.chain_id
            and adls.protocol = moments.protocol
            and adls.version = moments.version
            and adls.market = moments.market
            and adls.is_long = moments.is_long
            and adls.block_timestamp = moments.cut_at
    where adls.account is not null
    group by all

),

own as (

    select
        cut.number,
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
        scores.mark_price_usd,
        scores.size_tokens,
        scores.entry_usd,
        scores.profit_ratio,
        scores.leverage,
        scores.documented,
        scores.side_aware,
        scores.bitmex
    from cut
    left join scores
        on
            cut.number = scores.number
            and cut.account = scores.account
            and cut.collateral_token is not distinct from scores.collateral_token
            and cut.position_id is not distinct from scores.position_id

),

steps as (

    select
        number,
        coalesce(list(profit_ratio) filter (where profit_ratio is not null), []) as profit,
        coalesce(list(documented) filter (where documented is not null), []) as documented,
        coalesce(list(side_aware) filter (where side_aware is not null), []) as side_aware,
        coalesce(list(bitmex) filter (where bitmex is not null), []) as bitmex
    from own
    group by number

),

-- A histogram counts what is above one step and not above the next, and what is above the last.
counts as (

    select
        scores.number,
        count(*) as open_count,
        count(scores.profit_ratio) as profit_count,
        count(scores.bitmex) as leverage_count,
        histogram(scores.profit_ratio, steps.profit) as profit,
        histogram(scores.documented, steps.documented) as documented,
        histogram(scores.side_aware, steps.side_aware) as side_aware,
        histogram(scores.bitmex, steps.bitmex) as bitmex
    from scores
    inner join steps on scores.number = steps.number
    group by scores.number

),

formulas as (

    select
        number,
        unnest(['profit', 'documented', 'side_aware', 'bitmex']) as formula,
        unnest([profit, documented, side_aware, bitmex]) as counted
    from counts

),

between_steps as (

    select
        number,
        formula,
        unnest(map_keys(counted)) as score,
        unnest(map_values(counted)) as counted
    from formulas

),

places as (

    select
        number,
        formula,
        score,
        (
            1 + sum(counted) over (partition by number, formula order by score desc) - counted
        )::bigint as place
    from between_steps

)

select
    own.chain_id,
    own.protocol,
    own.version,
    own.market,
    own.is_long,
    own.account,
    own.collateral_token,
    own.position_id,
    own.block_timestamp,
    own.adl_count,
    own.mark_price_usd,
    own.size_tokens,
    own.entry_usd,
    own.profit_ratio,
    own.leverage,
    profit.place as place_profit,
    documented.place as place_documented,
    side_aware.place as place_side_aware,
    bitmex.place as place_bitmex,
    coalesce(counts.open_count, 0) as open_count,
    coalesce(counts.profit_count, 0) as profit_count,
    coalesce(counts.leverage_count, 0) as leverage_count
from own
left join counts on own.number = counts.number
left join places as profit
    on
        own.number = profit.number
        and own.profit_ratio = profit.score
        and profit.formula = 'profit'
left join places as documented
    on
        own.number = documented.number
        and own.documented = documented.score
        and documented.formula = 'documented'
left join places as side_aware
    on
        own.number = side_aware.number
        and own.side_aware = side_aware.score
        and side_aware.formula = 'side_aware'
left join places as bitmex
    on
        own.number = bitmex.number
        and own.bitmex = bitmex.score
        and bitmex.formula = 'bitmex'
order by
    own.chain_id asc,
    own.protocol asc,
    own.version asc,
    own.market asc,
    own.is_long asc,
    own.block_timestamp asc,
    own.account asc,
    own.collateral_token asc nulls first,
    own.position_id asc nulls first

-- question: What did each winner lose to a wave of ADLs, and what in a queue or if all gave alike?
-- reads:    adls, liquidations, position_changes, oracle_updates, markets
-- grain:    one row per chain, protocol, version, market, side, wave and position that was cut or had
--           a profit
-- units:    *_usd US dollars in millionths, null while not known; haircut_ratio 1 = all of the gain;
--           overshoot below zero: gave less than the rule asks; *_count ADLs of the position, and
--           open positions of the side
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    horizon_milliseconds natural 0 (how long after a wave the later price is taken)
-- param:    tolerance_seconds natural 5 (how old a price may be when it is used, inclusive)
-- param:    rank text bitmex (the place in the queue: profit, documented, side_aware, bitmex)
-- twin of:  analytics.metrics.adl_allocation.adl_allocation
with

-- part: position_histories

-- part: priced_adls

-- Text to double rounds once; decimal to double rounds twice in DuckDB. Millionths of a dollar are
-- whole numbers: their sums do not depend on the order of the rows.
products as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        wave,
        account,
        collateral_token,
        position_id,
        block_timestamp,
        floor(
            abs(mark_price_usd - execution_price_usd)::varchar::double
            * size_tokens::varchar::double
            * 1000000
            + 0.5
        )::hugeint as needed,
        floor(
            case
                when is_long
                    then (later_price_usd - execution_price_usd)::varchar::double
                else (execution_price_usd - later_price_usd)::varchar::double
            end
            * size_tokens::varchar::double
            * 1000000
            + 0.5
        )::hugeint as lost
    from priced

),

sides as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        wave,
        min(block_timestamp) as cut_at,
        case when count(*) = count(needed) then sum(needed) end as budget
    from products
    group by all

),

cuts as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        wave,
        account,
        collateral_token,
        position_id,
        count(*) as adl_count,
        case when count(*) = count(lost) then greatest(sum(lost), 0) end as haircut
    from products
    where account is not null
    group by all

),

moments as (

    select
        sides.chain_id,
        sides.protocol,
        sides.version,
        sides.market,
        sides.is_long,
        sides.wave,
        sides.cut_at,
        case
            when sides.cut_at - to_seconds($tolerance_seconds) <= marks.seen_at
                then marks.price_usd
        end as mark_price_usd
    from sides
    asof left join marks
        on
            sides.chain_id = marks.chain_id
            and sides.protocol = marks.protocol
            and sides.version = marks.version
            and sides.market = marks.market
            and sides.cut_at >= marks.seen_at

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
        moments.wave,
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
    where histories.size_tokens > 0 or histories.size_tokens is null

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
        wave,
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
        wave,
        gain,
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

places as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        wave,
        account,
        collateral_token,
        position_id,
        gain,
        true as is_open,
        case
            when $rank = 'profit' then profit_ratio
            when $rank = 'documented' and is_scored then rise * leverage
            when $rank = 'side_aware' and is_scored and is_long then rise * leverage
            when $rank = 'side_aware' and is_scored then fall * leverage
            when $rank = 'bitmex' and profit_ratio > 0 then profit_ratio * leverage
            when $rank = 'bitmex' then profit_ratio / leverage
        end as score
    from figures

),

everyone as (

    select
        places.gain,
        places.is_open,
        places.score,
        coalesce(places.chain_id, cuts.chain_id) as chain_id,
        coalesce(places.protocol, cuts.protocol) as protocol,
        coalesce(places.version, cuts.version) as version,
        coalesce(places.market, cuts.market) as market,
        coalesce(places.is_long, cuts.is_long) as is_long,
        coalesce(places.wave, cuts.wave) as wave,
        coalesce(places.account, cuts.account) as account,
        coalesce(places.collateral_token, cuts.collateral_token) as collateral_token,
        coalesce(places.position_id, cuts.position_id) as position_id,
        coalesce(cuts.adl_count, 0) as adl_count,
        case when cuts.adl_count is null then 0 else cuts.haircut end as haircut,
        case when places.gain is not null then greatest(places.gain, 0) end as won
    from places
    full join cuts
        on
            places.chain_id = cuts.chain_id
            and places.protocol = cuts.protocol
            and places.version = cuts.version
            and places.market = cuts.market
            and places.is_long = cuts.is_long
            and places.wave = cuts.wave
            and places.account = cuts.account
            and places.collateral_token is not distinct from cuts.collateral_token
            and places.position_id is not distinct from cuts.position_id

),

in_line as (

    select
        chain_id,
        protocol,
        version,
        market,
        is_long,
        wave,
        account,
        collateral_token,
        position_id,
        gain,
        adl_count,
        haircut,
        won,
        count(is_open) over side as open_count,
        count(gain) over side as known_count,
        count(case when gain > 0 and score is null then 1 end) over side as unplaced_count,
        count(*) over side as every_count,
        sum(won) over side as capacity,
        sum(won) over (
            partition by chain_id, protocol, version, market, is_long, wave
            order by
                score desc nulls last,
                account asc,
                collateral_token asc nulls first,
                position_id asc nulls first
            rows between unbounded preceding and current row
        ) - won as ahead
    from everyone
    window side as (partition by chain_id, protocol, version, market, is_long, wave)

),

-- Where one does not tell its gain, or was cut and not open before, nobody's part is known.
allocated as (

    select
        in_line.chain_id,
        in_line.protocol,
        in_line.version,
        in_line.market,
        in_line.is_long,
        in_line.wave,
        in_line.account,
        in_line.collateral_token,
        in_line.position_id,
        sides.cut_at as first_at,
        in_line.adl_count,
        in_line.gain,
        in_line.haircut,
        in_line.won,
        sides.budget,
        in_line.open_count,
        in_line.known_count,
        in_line.unplaced_count,
        case when in_line.known_count = in_line.every_count then in_line.capacity end as capacity,
        case
            when
                in_line.known_count = in_line.every_count
                and in_line.unplaced_count = 0
                and sides.budget is not null
                then least(in_line.won, greatest(sides.budget - in_line.ahead, 0))
        end as queue,
        case
            when in_line.known_count != in_line.every_count or sides.budget is null then null
            when in_line.capacity > 0
                then
                    least(sides.budget, in_line.capacity)::varchar::double
                    / in_line.capacity::varchar::double
            else 0
        end as part
    from in_line
    inner join sides using (chain_id, protocol, version, market, is_long, wave)
    where in_line.adl_count > 0 or in_line.gain > 0

)

select
    chain_id,
    protocol,
    version,
    market,
    is_long,
    wave,
    account,
    collateral_token,
    position_id,
    first_at,
    adl_count,
    open_count,
    known_count,
    unplaced_count,
    gain::varchar::double / 1000000 as gain_usd,
    haircut::varchar::double / 1000000 as haircut_usd,
    case when won > 0 then haircut::varchar::double / won::varchar::double end as haircut_ratio,
    queue::varchar::double / 1000000 as queue_usd,
    won::varchar::double / 1000000 * part as pro_rata_usd,
    (haircut - queue)::varchar::double / 1000000 as overshoot_queue_usd,
    haircut::varchar::double / 1000000
    - won::varchar::double / 1000000 * part as overshoot_pro_rata_usd,
    budget::varchar::double / 1000000 as budget_usd,
    capacity::varchar::double / 1000000 as capacity_usd
from allocated
order by
    chain_id asc,
    protocol asc,
    version asc,
    market asc,
    is_long asc,
    wave asc,
    account asc,
    collateral_token asc nulls first,
    position_id asc nulls first

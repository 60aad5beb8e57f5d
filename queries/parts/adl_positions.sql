-- question: Which positions were open after each wave of ADLs in their market, and worth what?
-- reads:    adls, liquidations, position_changes
-- grain:    one row per wave, market and position that was open after the wave's last ADL there
-- units:    the steps `ends` (mark_price_usd US dollars), `positions` (millionths of US dollars)
--           and `venues`, which tell any position
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
-- param:    tolerance_seconds natural 5 (how old a mark may be when it is used, inclusive)
with

-- part: position_histories

-- part: liquidation_marks

-- part: numbered_adls

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
        histories.entry,
        histories.margin,
        ends.wave,
        floor(
            histories.size_tokens::varchar::double
            * ends.mark_price_usd::varchar::double
            * 1000000
            + 0.5
        )::hugeint as value
    from histories
    inner join ends
        on
            histories.chain_id = ends.chain_id
            and histories.protocol = ends.protocol
            and histories.version = ends.version
            and histories.market = ends.market
            and histories.block_timestamp <= ends.last_at
            and (histories.until is null or histories.until > ends.last_at)
    where histories.size_tokens > 0 or histories.size_tokens is null

),

-- Of a venue that tells positions, none that is open is a zero.
venues as (

    select distinct
        chain_id,
        protocol,
        true as is_told
    from histories

)

select positions.*
from positions
inner join venues using (chain_id, protocol)

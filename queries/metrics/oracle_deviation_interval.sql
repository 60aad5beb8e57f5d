-- question: How far is each source from every other one on average, and how sure is that?
-- reads:    oracle_updates
-- grain:    one row per source and other source of the same asset and quote with a sample
-- units:    *_bps 1 = 0.01 %, the mean signed; *_count samples
-- param:    grid_seconds count 60 (time between two samples, counted from 1970-01-01 UTC)
-- param:    tolerance_seconds natural 3600 (how old either price may be when it is looked at)
-- param:    block_count count 10 (how many blocks of neighbours make up the samples)
-- twin of:  analytics.metrics.oracle_intervals.oracle_deviation_interval
with

-- part: comparable_updates

placed as (

    select
        updates.*,
        $grid_seconds::bigint * 1000000 as cell_length,
        epoch_us(updates.block_timestamp) as told_at,
        (told_at + cell_length - 1) // cell_length as cell
    from updates

),

spoken as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        cell,
        cell_length,
        last(
            oracle_price_quote
            order by told_at, block_number, log_index, item_index, tx_hash
        ) as price_quote,
        max(told_at) as told_at
    from placed
    group by all

),

lasting as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        price_quote,
        unnest(
            range(
                cell,
                least(
                    (told_at + $tolerance_seconds::bigint * 1000000) // cell_length + 1,
                    coalesce(
                        lead(cell) over (
                            partition by asset, quote, chain_id, protocol, feed order by cell
                        ),
                        9223372036854775807
                    )
                )
            )
        ) as cell
    from spoken

),

ends as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        min(cell) as first_cell,
        max(told_at // cell_length) as last_cell
    from spoken
    group by all

),

spans as (

    select
        ends.asset,
        ends.quote,
        ends.chain_id,
        ends.protocol,
        ends.feed,
        others.chain_id as reference_chain_id,
        others.protocol as reference_protocol,
        others.feed as reference_feed,
        greatest(ends.first_cell, others.first_cell) as from_cell,
        greatest(ends.last_cell, others.last_cell) as to_cell
    from ends
    inner join ends as others
        on
            ends.asset = others.asset
            and ends.quote = others.quote
            and (ends.chain_id, ends.protocol, ends.feed)
            != (others.chain_id, others.protocol, others.feed)

),

-- Text to double rounds once; decimal to double rounds twice in DuckDB.
compared as (

    select
        spans.*,
        lasting.cell,
        case
            when others.price_quote > 0
                then
                    (lasting.price_quote - others.price_quote)::varchar::double
                    / others.price_quote::varchar::double
                    * 10000
        end as deviation_bps
    from spans
    inner join lasting
        on
            spans.asset = lasting.asset
            and spans.quote = lasting.quote
            and spans.chain_id = lasting.chain_id
            and spans.protocol = lasting.protocol
            and spans.feed = lasting.feed
            and spans.to_cell >= lasting.cell
    inner join lasting as others
        on
            spans.asset = others.asset
            and spans.quote = others.quote
            and spans.reference_chain_id = others.chain_id
            and spans.reference_protocol = others.protocol
            and spans.reference_feed = others.feed
            and lasting.cell = others.cell

),

-- Whole thousandths: their sums and squares add up exactly, in any order.
samples as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        to_cell - from_cell + 1 as span_count,
        floor(deviation_bps * 1000 + 0.5e0)::bigint as thousandths,
        row_number() over (
            partition by
                asset, quote,
                chain_id, protocol, feed,
                reference_chain_id, reference_protocol, reference_feed
            order by cell
        ) - 1 as place
    from compared
    where abs(deviation_bps) <= 100000

),

pairs as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        count(*) as sample_count,
        max(span_count) - count(*) as unsampled_count,
        (count(*) + $block_count - 1) // $block_count as block_sample_count,
        sum(thousandths)::bigint as total,
        min(thousandths)
        + (sum(thousandths) - count(*) * min(thousandths))::bigint // count(*) as whole_mean
    from samples
    group by all

),

-- Of what lies above the mean's whole part: `rest` is what is left of it over all samples.
sums as (

    select
        pairs.*,
        samples.place,
        samples.thousandths - pairs.whole_mean as above,
        pairs.total - pairs.whole_mean * pairs.sample_count as rest,
        sum(above) over (
            partition by
                pairs.asset, pairs.quote,
                pairs.chain_id, pairs.protocol, pairs.feed,
                pairs.reference_chain_id, pairs.reference_protocol, pairs.reference_feed
            order by samples.place
            rows between unbounded preceding and current row
        )::bigint
        - above as above_before
    from samples
    inner join pairs using (
        asset, quote,
        chain_id, protocol, feed,
        reference_chain_id, reference_protocol, reference_feed
    )

),

-- A block that ends beyond the last sample goes on with the first one.
drawn as (

    select
        sums.*,
        later.above_before
        - sums.above_before
        + case
            when sums.place + sums.block_sample_count >= sums.sample_count then sums.rest else 0
        end as block
    from sums
    inner join sums as later
        on
            sums.asset = later.asset
            and sums.quote = later.quote
            and sums.chain_id = later.chain_id
            and sums.protocol = later.protocol
            and sums.feed = later.feed
            and sums.reference_chain_id = later.reference_chain_id
            and sums.reference_protocol = later.reference_protocol
            and sums.reference_feed = later.reference_feed
            and (sums.place + sums.block_sample_count) % sums.sample_count = later.place

),

squared as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        sample_count,
        unsampled_count,
        block_sample_count,
        total,
        rest::hugeint * rest as rest_square,
        sum(above::hugeint * above) as squares,
        sum(block::hugeint * block) as block_squares
    from drawn
    group by all

),

-- Text to double rounds once; a huge integer to double rounds twice in DuckDB.
roots as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        sample_count,
        unsampled_count,
        block_sample_count,
        total::double / (sample_count * 1000) as mean_deviation_bps,
        sqrt(
            (
                block_squares
                - rest_square * block_sample_count * block_sample_count // sample_count
            )::varchar::double
            / block_sample_count
        )
        / (sample_count * 1000) as standard_error_bps,
        sqrt((squares - rest_square // sample_count)::varchar::double)
        / (sample_count * 1000) as naive_standard_error_bps,
        block_sample_count / sample_count as part
    from squared

),

errors as (

    select
        asset,
        quote,
        chain_id,
        protocol,
        feed,
        reference_chain_id,
        reference_protocol,
        reference_feed,
        sample_count,
        unsampled_count,
        block_sample_count,
        mean_deviation_bps,
        standard_error_bps,
        naive_standard_error_bps,
        case
            when naive_standard_error_bps > 0 then standard_error_bps / naive_standard_error_bps
        end as standard_error_ratio,
        (1.96e0 + part * (2.9694e0 + part * (0.4160e0 - part * 0.5324e0)))
        * standard_error_bps as width
    from roots

),

told as (

    select
        errors.*,
        errors.block_sample_count >= 4
        and coalesce(
            errors.standard_error_ratio * errors.standard_error_ratio * 4
            <= errors.block_sample_count,
            true
        ) as is_told
    from errors

)

select
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed,
    sample_count,
    unsampled_count,
    block_sample_count,
    mean_deviation_bps,
    standard_error_bps,
    naive_standard_error_bps,
    standard_error_ratio,
    case when is_told then mean_deviation_bps - width end as interval_low_bps,
    case when is_told then mean_deviation_bps + width end as interval_high_bps
from told
order by
    asset,
    quote,
    chain_id,
    protocol,
    feed,
    reference_chain_id,
    reference_protocol,
    reference_feed

-- question: Which wave of ADLs of its protocol did each ADL belong to?
-- reads:    adls
-- grain:    one row per ADL
-- units:    the step `numbered`: wave 1 is the first of its protocol
-- param:    gap_milliseconds count 5000 (the longest silence within a wave)
with

silences as (

    select
        adls.*,
        epoch_us(adls.block_timestamp)
        - epoch_us(lag(adls.block_timestamp) over series) as silence
    from adls
    window series as (partition by adls.protocol order by adls.block_timestamp)

),

numbered as (

    select
        silences.*,
        1
        + count(
            case when silences.silence > $gap_milliseconds::bigint * 1000 then 1 end
        ) over (
            partition by silences.protocol
            order by silences.block_timestamp
        ) as wave
    from silences

)

select *
from numbered

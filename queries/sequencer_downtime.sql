-- question: When was a chain's sequencer down, and until when was no price to be trusted?
-- reads:    oracle_updates
-- past:     oracle_updates
-- grain:    one row per time that a sequencer's uptime feed said up to the window's end that it is
--           down, unless prices were to be trusted again before the window
-- units:    down_at and up_at when the feed says it was, which may be before it was told; down_seconds
--           seconds, null while it is not known to be up again; update_count prices of the window
--           that the chain was told from then until they were to be trusted
-- param:    since timestamp 1970-01-01T00:00:00 (first moment of the window, UTC, inclusive)
-- param:    until timestamp 9999-12-31T00:00:00 (last moment of the window, UTC, inclusive)
-- param:    grace_seconds natural 3600 (how long after it is up again prices are not trusted)
with

-- part: unpriced

statuses as (

    select
        chain_id,
        asset,
        oracle_price_quote > 0 as is_down,
        coalesce(observed_at, block_timestamp) as changed_at
    from oracle_updates
    where
        quote = 'DOWN'
        and block_timestamp <= $until

),

-- A feed repeats its status, and several contracts may tell the same.
changes as (

    select
        chain_id,
        asset,
        is_down,
        changed_at
    from statuses
    qualify
        lag(is_down) over (
            partition by chain_id, asset order by changed_at, is_down
        ) is distinct from is_down

),

spells as (

    select
        chain_id,
        asset,
        is_down,
        changed_at as down_at,
        lead(changed_at) over (partition by chain_id, asset order by changed_at, is_down) as up_at
    from changes

),

untrusted as (

    select
        chain_id,
        asset as sequencer,
        down_at,
        up_at,
        (epoch_us(up_at) - epoch_us(down_at)) / 1000000 as down_seconds,
        up_at + to_seconds($grace_seconds) as trusted_at
    from spells
    where is_down and coalesce(trusted_at > $since, true)

)

select
    untrusted.*,
    (
        select count(*)
        from oracle_updates as prices
        where
            prices.chain_id = untrusted.chain_id
            and prices.quote not in (select unpriced.quote from unpriced)
            and prices.block_timestamp between $since and $until
            and prices.block_timestamp >= untrusted.down_at
            and (
                untrusted.trusted_at is null
                or prices.block_timestamp < untrusted.trusted_at
            )
    ) as update_count
from untrusted
order by untrusted.down_at, untrusted.chain_id

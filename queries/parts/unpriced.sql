-- question: Which words stand in place of a quote where a feed tells no price?
-- reads:    -
-- grain:    one row per word
-- units:    the step `unpriced`: DOWN, HEALTH and STATUS are states, AUM, COUNT, MARKET CAP and
--           RESERVES amounts, INDEX, LEVEL, PERCENT, RATE and RATIO statistics; of UNSTATED nobody
--           says what it is
with

-- NAV and SHARE PRICE are none of them: what a share is worth moves and compares as a price does.
unpriced as (

    select
        unnest(
            [
                'AUM', 'COUNT', 'DOWN', 'HEALTH', 'INDEX', 'LEVEL', 'MARKET CAP', 'PERCENT',
                'RATE', 'RATIO', 'RESERVES', 'STATUS', 'UNSTATED'
            ]
        ) as quote

)

select *
from unpriced

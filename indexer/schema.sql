-- Every table and every unit: the whole contract between indexer and analytics.
--
-- *_usd     US dollars, exact to 1e-18, truncated toward zero below that.
-- *_tokens  whole tokens (already divided by the token's decimals), same exactness.
-- *_quote   units of the price's own quote currency, same exactness.
-- *_ratio   1 = 100 %.            *_bps  1 = 0.01 %.
-- Null is "not known", zero is "measured zero". Times are UTC. Ranges are inclusive at both ends.
-- Addresses and hashes are lower-case 0x hex in facts, raw bytes in `logs`, `orphans`, `blocks`
-- and `reads`.
-- A venue that is no EVM chain has a negative chain_id. Its rows come from files: `tx_hash` is the
-- venue's own hash or id, `block_number` its height, or, where not every file of it tells one,
-- milliseconds since 1970; `log_index` and `item_index` hold the number of the trade, of which
-- `item_index` keeps two bits for the side and the part (`item_index // 4` is the trade's).
-- No primary keys: a range is deleted and inserted in one transaction, so the same statements
-- run on DuckLake.
-- Whoever writes opens the file alone, for moments. A writer that waits for readers holds a lock
-- (flock) on <database>.turn; readers that let it go first keep it from waiting for ever.

create table schema_version (
    version integer not null,
    created_by varchar not null -- perpscope version that made the file
);

-- The copy for readers that was published last (`storage.snapshot`); at most one row. A copy says
-- which one it is.
create table snapshots (
    number bigint not null, -- rises by one with each publication
    published_at timestamp not null,
    is_copy boolean not null -- true in a copy, false in the database it was made of
);

-- Raw and bookkeeping ---------------------------------------------------------------------

create table logs (
    chain_id bigint not null,
    block_number bigint not null,
    tx_index integer not null,
    log_index integer not null, -- restarts inside a block on some chains; identity is (tx_hash, log_index)
    block_hash blob not null,
    tx_hash blob not null,
    address blob not null,
    topic0 blob,
    topic1 blob,
    topic2 blob,
    topic3 blob,
    data blob not null
);

create table blocks (
    chain_id bigint not null,
    number bigint not null,
    hash blob not null,
    parent_hash blob not null,
    timestamp timestamp, -- null where the node could not say
    logs_bloom blob      -- null where the node gave none
);

-- Closed block intervals that are completely indexed; gaps are computed from it, never guessed.
create table coverage (
    chain_id bigint not null,
    protocol varchar not null,
    from_block bigint not null,
    to_block bigint not null,
    declaration_digest varchar not null, -- of the declaration, then / and of which logs it reads
    finality varchar not null, -- latest, safe, finalized: how final to_block was when it was fetched
    finality_reason varchar, -- how that is known: the node's tag, or the age by block time
    proof varchar not null,    -- fetched, bloom, receipts, waived
    waiver varchar,            -- why the chain forbids proof, or a higher one; null where it does not
    logs_digest varchar not null, -- sum mod 2^256 of each block's sha256 over its logs of this protocol
    to_block_hash varchar not null
);

-- Which logs a declaration reads, so that a later one can tell what is new to it.
create table reaches (
    chain_id bigint not null,
    protocol varchar not null,
    reach varchar not null,   -- what stands behind the / in declaration_digest
    emitter varchar not null, -- address of a contract, or child:<abi> for what factories announce
    from_block bigint,
    to_block bigint,
    topic0 varchar not null, -- without 0x, as digests are
    topic1 varchar -- hash of the key, where one envelope carries many events; or what else is asked of
                   -- topics, where a contract is read in part
);

-- Logs that matched a declaration and could not become a fact. Nothing is dropped silently. Of an
-- entry of a file, `tx_hash` is the file and the line, `log_index` the line.
create table rejects (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    tx_hash varchar not null,
    protocol varchar not null,
    event varchar not null,
    fact varchar, -- the table the row was meant for; null when the log itself could not be decoded
    reason varchar not null
);

-- State that was asked for, pinned to a block by its hash: one row per call, whatever came of it.
-- Facts are derived from it again as they are from `logs`. A fact that was read carries the block's
-- hash as `tx_hash` and a `log_index` below zero: -1 is what the protocol read first at that block.
create table reads (
    chain_id bigint not null,
    protocol varchar not null,
    read varchar not null, -- which of the protocol's reads
    block_number bigint not null,
    log_index integer not null, -- of the fact that its calls make together
    block_hash blob not null,
    block_timestamp timestamp not null,
    call varchar not null, -- the function
    address blob not null, -- who was asked
    input blob not null,
    answer blob, -- null where there is none
    -- available; not_applicable: no contract was there; source_error: the contract refused;
    -- not_collected: no endpoint has the block's state any more, and the next run asks again
    state varchar not null,
    detail varchar -- why there is no answer
);

-- What `verify` and `repair` found. A failed one is healed where a later one of its protocol and
-- level did not fail, or one of a higher level: linked, bloom, receipts. An `agreed` one, for which
-- every endpoint was asked alone, heals only its like, and is healed by receipts without a waiver.
create table audits (
    chain_id bigint not null,
    protocol varchar not null,
    from_block bigint not null,
    to_block bigint not null,
    level varchar not null,   -- linked, bloom, receipts, agreed
    verdict varchar not null, -- passed, failed, waived
    detail varchar not null,  -- what is wrong, or why it cannot be told; empty when passed
    audited_at timestamp not null
);

-- Raw logs that a reorg or a repair took out of the chain, kept after their replacement landed.
create table orphans (
    chain_id bigint not null,
    block_number bigint not null,
    tx_index integer not null,
    log_index integer not null,
    block_hash blob not null,
    tx_hash blob not null,
    address blob not null,
    topic0 blob,
    topic1 blob,
    topic2 blob,
    topic3 blob,
    data blob not null,
    reason varchar not null
);

-- Fee splits and buyback rates over time, as the declarations state them.
create table policies (
    protocol varchar not null,
    -- supply_side_share, treasury_share, holders_share: of fees; holders_share_of_revenue: of what the
    -- protocol keeps; buyback_share: of what it spends on its holders, what buys its token
    kind varchar not null,
    value decimal(38, 18) not null, -- 1 = 100 %
    valid_from timestamp not null,
    valid_to timestamp, -- null while in force
    source varchar not null,
    basis varchar not null -- event, governance, documentation, assumed
);

-- Children announced by factory events, and the block they were born in.
create table contracts (
    chain_id bigint not null,
    protocol varchar not null,
    abi varchar not null,
    address varchar not null,
    from_block bigint not null,
    parent varchar not null,
    tx_hash varchar not null,
    log_index integer not null
);

create table tokens (
    chain_id bigint not null,
    address varchar not null,
    symbol varchar,
    decimals integer not null,
    known_by varchar not null -- declaration, call, event
);

create table markets (
    chain_id bigint not null,
    protocol varchar not null,
    market varchar not null,
    symbol varchar,
    index_token varchar, -- what `size_tokens` of the market counts; null where the venue has none
    long_token varchar, -- of a loan: what secures it
    short_token varchar,
    parent varchar, -- what the market belongs to: the manager of a loan, the pool of a manager
    borrower varchar, -- who owes, where the market is a loan or a pool of one borrower
    asset_class varchar not null, -- crypto, fx, equity, commodity, credit, unknown
    quote varchar, -- what its prices are in, upper case; null where that is not said
    known_by varchar not null,
    block_number bigint -- that announced it; null where the declaration states it
);

-- What feeds of oracles are called and how often they ought to speak, as the declarations state it.
create table feeds (
    chain_id bigint not null,
    protocol varchar not null,
    feed varchar not null, -- as in `oracle_updates`
    name varchar not null, -- ETH/USD, with what tells it from others of the pair: ETH/USD SVR
    asset varchar not null, -- upper case
    -- upper case; DOWN counts how far a sequencer is down: 0 up, 1 down. NAV, RESERVES, LEVEL and
    -- others say what is counted where no currency is stated
    quote varchar not null,
    -- price, capped, exchange_rate, calculated, uptime; nav, bounded_nav, share_price, reserves,
    -- market_cap, series, count, health, status, unstated: no price in a stated currency
    kind varchar not null,
    proxy varchar, -- the contract that others ask for the feed, where it is another and known
    heartbeat_seconds integer, -- an update is due when the last one is this old; null: not known
    threshold_bps integer, -- an update is due when the price moved this far; null: not known
    source varchar, -- where heartbeat and threshold are stated
    basis varchar -- event, governance, documentation, assumed; null where neither is known
);

-- Which tables of facts a protocol's declaration fills on a chain. One that is here and has no rows
-- of the protocol is empty; one that is not is none of what is read of it.
create table declared_facts (
    chain_id bigint not null,
    protocol varchar not null,
    fact varchar not null, -- the table
    read varchar,          -- the read that fills it; null where events do
    every_seconds integer  -- how often it is read; null where blocks are counted, or nothing is read
);

-- Protocols whose shares are made or destroyed without a flow as well, as their declarations state
-- it: a difference between what there are and what was minted and burned says nothing.
create table untold_shares (
    chain_id bigint not null,
    protocol varchar not null,
    reason varchar not null -- what does it
);

-- Accounts whose owner is known: vaults and funds of a venue, wallets that the settings name.
create table accounts (
    chain_id bigint not null,
    protocol varchar not null,
    account varchar not null,
    name varchar not null,
    source varchar not null
);

-- Where a chain's rows came from; `kind` is what every report must show.
create table origins (
    chain_id bigint not null,
    client_version varchar not null, -- the node's web3_clientVersion; files for imported ones
    kind varchar not null            -- node, recorded, simulated, imported
);

-- Files that were brought. What a venue that is no EVM chain says rests on them, and on nothing
-- that could prove them complete.
create table imports (
    chain_id bigint not null,
    protocol varchar not null,
    file varchar not null,   -- its name, without folders
    sha256 varchar not null, -- of its bytes, compressed as they are
    kind varchar not null,   -- node_fills_by_block, node_fills, user_fills, fills, trades
    about varchar,           -- the account or market it is of, where it does not say so itself
    entries_read bigint not null,
    entries_used bigint not null, -- told something that was not stored before
    rejects bigint not null, -- rows of `rejects` that its entries left
    from_at timestamp,       -- the first and the last moment of its entries; null without one
    to_at timestamp,
    imported_at timestamp not null,
    declaration_digest varchar -- of what its entries are read as; null where an older perpscope did not say
);

-- Facts -----------------------------------------------------------------------------------
-- Each starts with the same eight columns and ends with `evidence`:
-- event, state, derived, offchain, assumed.
-- `item_index` tells apart rows that one log puts into one table. `reads` says what `tx_hash` and
-- `log_index` are of a row that no log tells.

create table position_changes (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null,
    account varchar not null,
    position_id varchar,
    -- trade, liquidation, adl; takeover, by who liquidated it; settlement, of a market that closed
    cause varchar not null,
    is_long boolean,
    collateral_token varchar,
    notional_delta_usd decimal(38, 18), -- > 0 increases exposure, for longs and shorts
    size_delta_tokens decimal(38, 18),  -- > 0 increases exposure, for longs and shorts
    collateral_delta_usd decimal(38, 18),
    execution_price_usd decimal(38, 18),
    realized_pnl_usd decimal(38, 18),   -- the trader's; null where nothing was realised or it is not known
    notional_usd decimal(38, 18),       -- after the change
    size_tokens decimal(38, 18),        -- after the change, unsigned
    closed_ratio decimal(38, 18),       -- of the position, where the venue says that and no size
    evidence varchar not null
);

create table liquidations (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null,
    account varchar, -- null where the venue does not say
    position_id varchar,
    liquidator varchar, -- who took the position over, or the keeper who closed it; null: unknown
    is_long boolean,
    collateral_token varchar,
    notional_usd decimal(38, 18),   -- one-sided, >= 0
    size_tokens decimal(38, 18),    -- >= 0
    collateral_usd decimal(38, 18), -- >= 0
    mark_price_usd decimal(38, 18),
    execution_price_usd decimal(38, 18),
    realized_pnl_usd decimal(38, 18),
    fee_usd decimal(38, 18),
    shortfall_usd decimal(38, 18),   -- bad debt, >= 0
    shortfall_basis varchar not null, -- event, computed, none
    derivation varchar not null,     -- direct, joined, inferred
    evidence varchar not null
);

create table adls (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null,
    account varchar, -- whose position was cut; null where the venue does not say
    position_id varchar,
    is_long boolean,
    collateral_token varchar,
    notional_usd decimal(38, 18), -- closed by this ADL, >= 0
    size_tokens decimal(38, 18),
    execution_price_usd decimal(38, 18),
    realized_pnl_usd decimal(38, 18), -- normally positive: the profitable side is cut
    counterparty varchar, -- whose loss it was for, where the venue says it
    derivation varchar not null,
    evidence varchar not null
);

-- Whether a market's winners may be deleveraged, as the venue decides it from their profit.
create table adl_states (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null,
    is_long boolean not null, -- whose profit it is
    pnl_to_pool_ratio decimal(38, 18),     -- unrealised profit of the side / what the pool has for it
    max_pnl_to_pool_ratio decimal(38, 18), -- above it deleveraging begins
    is_enabled boolean not null,
    evidence varchar not null
);

create table oracle_updates (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    feed varchar not null,   -- the aggregator, the oracle's own id, or the token a venue prices
    asset varchar,           -- base symbol, upper case; null while unknown
    quote varchar not null,  -- quote symbol, upper case
    oracle_price_quote decimal(38, 18) not null, -- mid where the venue posts a spread
    oracle_price_min_quote decimal(38, 18),
    oracle_price_max_quote decimal(38, 18),
    observed_at timestamp,   -- when the source says it saw the price
    round_id varchar,
    provider varchar,
    evidence varchar not null
);

create table open_interest (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null,
    collateral_token varchar, -- part of the key where the venue keeps one figure per collateral
    is_long boolean not null,
    open_interest_usd decimal(38, 18),       -- absolute after the event, where the venue says it
    open_interest_tokens decimal(38, 18),    -- absolute, base units
    open_interest_delta_usd decimal(38, 18), -- change by the event
    open_interest_delta_tokens decimal(38, 18),
    evidence varchar not null
);

-- By what a venue computes the price impact of a trade, where it follows from how far the market is
-- out of balance: factor * imbalance ** exponent. A row says one of them, in force from then on.
create table impact_parameters (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null, -- all: of every market of the protocol on the chain
    is_positive boolean, -- of trades that bring the market nearer to balance; null: of both
    -- 1e-12 dollars ** (1 - exponent): small enough for every place that the venue has
    factor_trillionths decimal(38, 18),
    exponent decimal(38, 18),
    -- whether what is out of balance is tokens at their price, or dollars as they were opened
    is_in_tokens boolean,
    evidence varchar not null
);

create table funding (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar not null,
    account varchar,
    collateral_token varchar, -- part of the key where the venue keeps one rate per collateral
    is_long boolean,
    funding_rate_daily_ratio decimal(38, 18),      -- > 0: longs pay shorts
    -- venue's running index, differences are rates; it rises while the side named pays, or longs where
    -- none is
    funding_rate_cumulative_ratio decimal(38, 18),
    paid_usd decimal(38, 18),                      -- > 0: the account paid
    evidence varchar not null
);

create table fees (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    market varchar,
    account varchar,
    -- position, borrow, liquidation, swap, margin, order, interest, origination, service, management,
    -- subscription, redemption, penalty, flash_loan; auction: of a place in a chain's order; sequencer:
    -- what a chain's vaults pay out; reserve: what a lending pool keeps of interest, when it
    -- takes it
    fee_kind varchar not null,
    fee_token varchar,
    fee_tokens decimal(38, 18),
    -- = supply_side_usd + treasury_usd + holders_usd; < 0 where it is paid back; null while no price
    -- is known, and where an event tells a part alone
    fee_usd decimal(38, 18),
    supply_side_usd decimal(38, 18),
    treasury_usd decimal(38, 18),
    holders_usd decimal(38, 18),
    split_basis varchar not null, -- event, policy, none
    evidence varchar not null
);

create table buybacks (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    bought_token varchar not null,
    bought_tokens decimal(38, 18) not null,
    spent_token varchar,
    spent_tokens decimal(38, 18),
    spent_usd decimal(38, 18),
    burned_tokens decimal(38, 18), -- destroyed, or sent to where nobody can take them from
    destination_kind varchar not null, -- zero_burn, dead_burn, treasury, distribution, mixed
    evidence varchar not null
);

-- What an account that buys for a protocol holds, each time that it trades.
create table balances (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    account varchar not null,
    token varchar not null,
    delta_tokens decimal(38, 18), -- < 0: given away
    balance_tokens decimal(38, 18), -- after it
    evidence varchar not null
);

create table token_supplies (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    token varchar not null,
    supply_tokens decimal(38, 18) not null, -- as the token counts it, what is out of reach included
    dead_tokens decimal(38, 18) not null,   -- of it, where nobody can take it from: the dead address
    evidence varchar not null
);

create table credit_events (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    -- funded, payment, refinanced; call, call_removed; impairment, impairment_removed; default,
    -- repossession, collateral_sale, recovery, liquidation; seizure: collateral that a liquidation
    -- takes, where an event of its own tells; collateral_posted, collateral_removed: by the
    -- borrower; auction_restart, auction_removed: of a liquidation, without amounts
    kind varchar not null,
    pool varchar not null, -- pool, market or manager the loan belongs to
    loan varchar,
    account varchar,       -- borrower
    counterparty varchar,  -- liquidator or lender
    asset_token varchar,   -- what principal and interest are counted in
    principal_tokens decimal(38, 18),
    interest_tokens decimal(38, 18),
    paid_tokens decimal(38, 18), -- principal and interest in one, where the venue does not split them
    loss_tokens decimal(38, 18), -- of an impairment: written down, < 0 where it is removed
    collateral_token varchar,
    collateral_tokens decimal(38, 18),
    evidence varchar not null
);

create table pool_flows (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    -- deposit, withdrawal, mint, redemption, dividend (paid in shares): money moved;
    -- withdrawal_request, withdrawal_request_removed: it only queues
    kind varchar not null,
    pool varchar not null,
    account varchar not null,
    asset_token varchar, -- as in share_prices
    asset_tokens decimal(38, 18), -- null where only shares are told, as by a token that mints or a request
    share_tokens decimal(38, 18), -- < 0 of a dividend that takes shares away
    evidence varchar not null
);

create table share_prices (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    pool varchar not null,
    -- what the price is in: a token, or a currency where it is no token's: USD, EUR, GBP, CHF, ETH
    -- (ether); null where that is not known
    asset_token varchar,
    share_price_tokens decimal(38, 18) not null, -- assets per share
    supply_tokens decimal(38, 18),
    nav_at timestamp,
    evidence varchar not null
);

-- What pools and their parts hold, absolute after the event or at the block.
create table pool_states (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    pool varchar not null,
    part varchar not null, -- whose figures these are: the pool itself, or a manager or strategy of it
    asset_token varchar, -- as in share_prices
    assets_tokens decimal(38, 18), -- all that is managed, cash and loans
    -- true where that is shares of other pools of the protocol, which tell of it as well; null elsewhere
    holds_pools boolean,
    principal_tokens decimal(38, 18), -- lent and neither repaid nor written off
    unrealized_loss_tokens decimal(38, 18), -- >= 0
    status varchar, -- in the venue's words: active, warning, default
    evidence varchar not null
);

-- What pools with ranges of price say of their liquidity: two sorts of rows. Prices are token1 per
-- token0; liquidity is the root of token0 times token1, in whole tokens of both.
create table pool_liquidity (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    -- start (the pool got its first price), swap: how the pool stands after it;
    -- added, removed: a change of one range
    kind varchar not null,
    pool varchar not null,
    account varchar, -- whose range it is
    token0 varchar,
    token1 varchar,
    tick_lower integer, -- the first tick of the range
    tick_upper integer, -- the first tick above it
    lower_price_quote decimal(38, 18), -- at both ends; null where it is more than fits here
    upper_price_quote decimal(38, 18),
    liquidity_delta_tokens decimal(38, 18), -- < 0 where it was removed
    tick integer, -- where the pool stands
    price_quote decimal(38, 18),
    liquidity_tokens decimal(38, 18), -- of all ranges that hold the tick
    evidence varchar not null
);

create table shortfalls (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    kind varchar not null, -- bad_debt, insurance_in, insurance_out; debt_queued: may yet be covered
    market varchar,
    account varchar,
    asset_token varchar,
    shortfall_tokens decimal(38, 18),
    shortfall_usd decimal(38, 18),
    evidence varchar not null
);

-- What code a contract that is a proxy stands before, each time that it is set; the first row of one
-- that is seen from its birth on is no change. Events of new code that no declaration names are not
-- read.
create table upgrades (
    chain_id bigint not null,
    block_number bigint not null,
    log_index integer not null,
    item_index integer not null,
    tx_hash varchar not null,
    block_timestamp timestamp not null,
    protocol varchar not null,
    version varchar not null,
    contract varchar not null, -- the proxy, which need not be who tells
    implementation varchar, -- null where it is not told, and of a diamond, whose code is many contracts
    release varchar, -- the venue's number of the code; null where it tells none
    evidence varchar not null
);

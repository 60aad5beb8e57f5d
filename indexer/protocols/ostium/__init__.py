"""
Ostium: synthetic leveraged trades on metals, indices, currencies and crypto against one USDC vault.

Contracts  https://pypi.org/project/ostium-python-sdk/3.3.1/ and
           https://github.com/0xOstium/smart-contracts-public, of which release 1.5.0 (8390ce4,
           2026-05-07) is read in a copy, https://github.com/AlexEmets/whitespace
           (contracts/src/vendor/ostium, 1f5d3a9), a secondary source. The SDK knows one contract
           of the testnet that logs. First blocks are not established, so all are read from 0;
           DefiLlama, a secondary source, begins on 2025-04-16. The vault's second version took
           Deposit and Withdraw away in block 457,238,658 (2026-04-28):
           https://pypi.org/project/web3-ethereum-defi/1.2/ (vault_protocol/gains), a secondary
           source.
Split      Events name the recipient: dev and oracle fees are the protocol's, opening and
           liquidation fees and rollover the vault's (OstiumTradingCallbacks.sol), builder fees a
           front end's; DefiLlama books the first two so as well:
           https://github.com/DefiLlama/dimension-adapters/tree/master/fees/ostium
Units      USDC and fees 1e6; prices 1e18, in the quote of the pair, which is not always dollars;
           leverage 1e2; sizes 1e18 of dollars by the price; percentageClosed 1e4 is all; the price
           of a vault share 1e18; cumulative funding 1e18 of the notional (OstiumPairInfos.sol,
           getTradeFundingFeePure). Dollars are USDC, as the venue counts them.

In the vault, opening fees raise the share price. Rollover is not sent anywhere: traders lose it to
the vault. Liquidation fees raised the share price at first, and are a loss of traders like others
since about September 2025 (https://github.com/pashov/audits, Ostium of 2025-09-14, H-03), in
release 1.5.0, too. Such losses fill a buffer below the depositors, who get of them only while there
is none; since the second version the market maker, "Ostium affiliates and strategic partners"
(https://docs.ostium.com/vault/overview), may take out what the buffer has. It bears the first loss,
so that what it gets is supply side here; nothing in these contracts makes it the treasury's.

A price of zero is a market that is closed (OstiumPrivatePriceUpKeep.sol). A testnet's rows are of
play money.
"""

from indexer.chains import ARBITRUM, ARBITRUM_SEPOLIA
from indexer.protocols.ostium.fees import FEES, FUNDING
from indexer.protocols.ostium.trades import (
    CALLBACKS,
    PAIR_INFOS,
    PRICES,
    TRADES,
    TRADING,
    VAULT,
)
from indexer.spec import (
    Ascii,
    Const,
    Contract,
    Emitter,
    Event,
    Fixed,
    Nonzero,
    OfContract,
    OfMarket,
    Protocol,
    Token,
    Value,
)

PAIRS = "ostium/PairsStorage"
USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831"
TEST_USDC = "0xe73b11fb1e3eeee8af2a23079a4410fe1b370548"
CONTRACTS = (
    (CALLBACKS, "0x7720fC8c8680bF4a1Af99d44c6c265a74e9742a9"),
    (TRADING, "0x6D0bA1f9996DBD8885827e1b2e8f6593e7702411"),
    (PAIR_INFOS, "0x3890243A8fc091C626ED26c087A028B46Bc9d66C"),
    (PAIRS, "0x260E349F643f12797fDc6f8c9d3df211D5577823"),
    (VAULT, "0x20D419a8e12C45f88fDA7c5760bb6923Cee27F98"),
)
PRICE_SOURCES = (
    ("0x52B2a78E12b09B66C6c8ce291D653D40bAb77f0c", "chainlink"),
    ("0xB71ec9eBD8145daCaCF6724363143cb5667A3d36", "ostium"),
)
FLOW: dict[str, Value] = {
    "pool": Emitter(),
    "account": "owner",
    "asset_token": OfContract("usdc"),
}
ASSETS: dict[str, Value] = {"asset_tokens": Fixed("assets", 6)}
SHARES: dict[str, Value] = {"share_tokens": Fixed("shares", 6)}
FLOWS = (
    ("Deposit", "deposit", {**ASSETS, **SHARES}),
    ("Withdraw", "withdrawal", {**ASSETS, **SHARES}),
    ("DepositClaimedV2", "deposit", SHARES),
    ("WithdrawClaimedV2", "withdrawal", ASSETS),
)

PROTOCOL = Protocol(
    slug="ostium",
    name="Ostium",
    kind="perp",
    methodology=(
        "Position changes are openings (notional = collateral x leverage, size in units of the "
        "base), closings and moves of collateral. A closing logs no side and no size: it carries "
        "the part it closed and the id of its opening, which has both. Liquidations are "
        "LimitCloseExecuted of order type 2, and, inferred, market closings that pay the vault a "
        "liquidation fee or, of the second form, leave nothing (that form says of a liquidation "
        "what became its fee, as if the trader had got it); their collateral is what the vault "
        "received. "
        "Fees are one row per recipient as the events name it; refunds of oracle fees are below "
        "zero. Funding is what a trade paid or got when it closed, and an index of each side. "
        "Oracle prices are those that executed orders received. Share prices and pool flows are "
        "the vault's, and so is the supply of shares, which its settlements tell; since its second "
        "version (2026-04-28) a flow is what its owner claims: the shares of a deposit, the USDC "
        "of a withdrawal."
    ),
    left_out=(
        "Open interest: no event, and a closing says neither side nor size, so that a running sum "
        "of what events say would only rise; it follows from position changes joined on "
        "position_id (queries/open_by_position.sql).",
        "Notional, size and side of liquidations (queries/liquidated_positions.sql), profit of "
        "other closings: they need the opening.",
        "Execution prices and sizes of pairs that are not quoted in dollars: no event has the "
        "dollar's price in their quote.",
        "First blocks: not established, so every contract is read from block 0.",
        "Replacements of contracts that the registry announces: it names them by role, and what "
        "they log is not known before somebody reads it.",
        "The price impact as a fee: the events give it in percent, and it is part of the price, "
        "so that traders lose it to the vault. A secondary source books it as the protocol's since "
        "2026-04-28.",
        "The oracle fee of collateral that is removed: it is taken and logged nowhere "
        "(OstiumTrading.sol, removeCollateral).",
        "Who gets CloseFeeCharged, and what it takes of a wiped-out trade's collateral: not "
        "established.",
        "Cumulative rollover (AccRolloverFeesStored and its V2): a side has one index, that of "
        "funding. The first event of cumulative funding (AccFundingFeesStored): its scale is not "
        "confirmed.",
        "RolloverFeePaid, which release 1.5.0 declares and never logs, and RolloverFeesInjected: "
        "whether they repeat the rollover of a closing or add to it is not established.",
        "Who owns a locked deposit (DepositLocked): the vault holds its shares, so its owner here.",
        "Requests to the vault and what takes them back (WithdrawRequested, DepositRequestedV2 and "
        "so on): a flow is read when it is claimed.",
        "The assets of a deposit and the shares of a withdrawal of the vault's second version: a "
        "claim says one of the two, and at what price it was settled an earlier transaction.",
        "What the vault holds in all (totalAssets of SettlementExecuted): the buffer below the "
        "depositors, who own what their shares are worth, and requests that wait are in it. The "
        "supply of shares before there were settlements: no event that is read says it.",
        "The market maker of the vault's second version (MMDeposit, MMWithdraw): its money has no "
        "shares.",
        "Which part of the vault gets rollover and liquidation fees, depositors or the buffer "
        "below them, which is the market maker's since the second version: no event of theirs "
        "says whether there is one. A secondary source books both as the protocol's since then.",
        "Vault flows from July 2026 on include an exploit that a secondary source notes; they "
        "are as logged.",
        "The testnet but for its Trading contract: no other address is published.",
        "Bad debt, ADL and buybacks: no event, or none at all.",
    ),
    contracts=(
        *(Contract(ARBITRUM, abi, address, 0, says={"usdc": USDC}) for abi, address in CONTRACTS),
        *(
            Contract(ARBITRUM, PRICES, address, 0, says={"provider": provider})
            for address, provider in PRICE_SOURCES
        ),
        Contract(
            chain=ARBITRUM_SEPOLIA,
            abi=TRADING,
            address="0x2A9B9c988393f46a2537B0ff11E98c2C15a95afe",
            from_block=0,
            says={"usdc": TEST_USDC},
        ),
    ),
    events=(
        Event(
            abi=PAIRS,
            name="PairAdded",
            into="markets",
            columns={
                "market": "index",
                "symbol": Ascii("from"),
                "quote": Ascii("to"),
                "asset_class": Const("unknown"),
                "known_by": Const("event"),
            },
        ),
        *TRADES,
        *FEES,
        *FUNDING,
        Event(
            abi=PRICES,
            name="PriceReceived",
            into="oracle_updates",
            columns={
                "feed": "pairIndex",
                "asset": OfMarket("pairIndex", "symbol"),
                "quote": OfMarket("pairIndex", "quote"),
                "oracle_price_quote": Fixed("price", 18),
                "round_id": "orderId",
                "provider": OfContract("provider"),
            },
            where=(Nonzero("price"),),
        ),
        *(
            Event(VAULT, name, "pool_flows", {**FLOW, **amounts, "kind": Const(kind)})
            for name, kind, amounts in FLOWS
        ),
        Event(
            abi=VAULT,
            name="ShareToAssetsPriceUpdated",
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": OfContract("usdc"),
                "share_price_tokens": Fixed("value", 18),
            },
        ),
        Event(
            abi=VAULT,
            name="SettlementExecuted",
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": OfContract("usdc"),
                "share_price_tokens": Fixed("shareToAssetsPrice", 18),
                "supply_tokens": Fixed("totalSupply", 6),
            },
        ),
    ),
    tokens=(
        Token(ARBITRUM, USDC, "USDC", 6),
        Token(ARBITRUM_SEPOLIA, TEST_USDC, "USDC", 6),
    ),
)

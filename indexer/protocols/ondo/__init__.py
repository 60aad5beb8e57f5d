"""
Ondo: OUSG, shares of a treasury fund, and USDY, a note whose price follows a daily rate.

Contracts  https://docs.ondo.finance/addresses; generations of managers and oracles, and their
           first blocks where stated, from https://github.com/code-423n4/2024-03-ondo-finance
           (deployments/mainnet, mainnet_prod, mantle) and tradingstrategy-ai/web3-ethereum-defi.
           The first manager of OUSG, and what it logs: https://github.com/code-423n4/2023-01-ondo
           (contracts/cash/CashManager.sol), the audited source; its address is in
           https://github.com/decentri-fi/defi-hub (OUSGStakingMarketProvider). First blocks of it,
           of the instant managers and of the first oracle of OUSG are not known: their windows
           start with the token. The events of the managers since 2025 are those of the verified
           BaseRWAManager.
Split      none known: what is charged goes to an address that the issuer sets.
Units      OUSG, USDY and their prices 1e18; the first manager of OUSG counts USDC 1e6; fees since
           2025 are dollars 1e18.

OUSG is minted for rOUSG as well, its rebasing form: what counts is always the OUSG behind it, never
the rOUSG, of which a share is a ten-thousandth. From 2025 on a flow in rOUSG logs a Subscription or
a Redemption and an event of its own with the same amounts: only the former is read. USDY's oracle
logs ranges, set ahead of time, from which it computes a price for each day: the price is asked for.
"""

from indexer.chains import ETHEREUM, MANTLE
from indexer.protocols.ondo.flows import CASH_MANAGER, FLOWS, HUB, V1, V2
from indexer.protocols.ondo.prices import DAILY, PRICES
from indexer.spec import Contract, Protocol, Token

USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
OUSG = "0x1b19c19393e2d034d8ff31ff34c81252fcbbee92"
USDY = "0x96f6ef951840721adbf46ac996b59e0235cb985c"
USDY_MANTLE = "0x5be26527e817998a7206475496fde1e68957c5a6"
OUSG_DEPLOYED = 16_234_210
USDY_DEPLOYED = 17_672_244
# First blocks of the oracles that are asked; what was logged before them counts until then.
USDY_ORACLE_DEPLOYED = 18_485_028
SECOND_ORACLE_DEPLOYED = 22_141_383

PROTOCOL = Protocol(
    slug="ondo",
    name="Ondo",
    kind="rwa",
    methodology=(
        "Mints and redemptions are what the managers complete: the first of OUSG by epochs, hubs "
        "that answer requests, and instant managers of two generations; shares are OUSG or USDY "
        "also where rOUSG or rUSDY is handed out. Money is what an investor received, or paid with "
        "the fee; by epochs and at hubs what was paid is without it. Fees are those of the same "
        "logs, of requests and of what an epoch's redemptions were charged together, in USDC or, "
        "since 2025, in dollars. Share prices are in dollars and of one source at a time: logged "
        "by the first oracle of OUSG and the pricer of USDY, then asked for once a day, with the "
        "supply, of USDY's oracle and, for OUSG since 2025, of the common one."
    ),
    left_out=(
        "Ranges of USDY's oracle (RangeSet, RangeOverriden): they are set ahead of time and a "
        "price is a power of their rate; the day's price is read instead.",
        "Prices the external check passed over (ChainlinkPriceIgnored): the share price stays.",
        "Prices of OUSG's first manager (MintExchangeRateSet): of an epoch, without its days; and "
        "shares it gave back instead of money (RefundIssued), which had left with a request.",
        "Prices of RWAOracleRateCheck (RWAPriceSet): no source states which fund one is of, nor "
        "where.",
        "InstantSubscriptionRebasingUSDY and InstantSubscriptionRebasingOUSG: the same call logs "
        "Subscription, which is read; what differs is the form in which shares are handed out.",
        "Prices of the pricer of OUSG: it repeats its oracle; corrections (PriceUpdated) name no "
        "moment.",
        "Fees of deposits that arrive off chain (DepositProofAdded): what was charged is no USDC; "
        "and of redemptions at USDY's hub: its RedemptionCompleted does not tell them.",
        "Requests (MintRequested, RedemptionRequested) as flows: money and shares move when they "
        "are completed; redemptions that end off chain (RedemptionRequestedServicedOffChain).",
        "rOUSG and rUSDY as tokens (TransferShares): a rebasing form of shares counted already.",
        "Redemptions of BUIDL by the manager (MinimumBUIDLRedemption): its own treasury.",
        "The fund's 0.15 % a year on OUSG: waived, by documentation only, and no log.",
        "Tokens on Polygon, Arbitrum, Plume, Sei and chains that are not EVM chains: they are "
        "bridged, minted here for what is burned there, and no manager is confirmed there.",
        "OMMF: its manager logs like the others, but the fund was never confirmed to be open.",
    ),
    untold_shares="bridges make and destroy them, a request destroys what is paid for days later",
    contracts=(
        Contract(
            ETHEREUM,
            CASH_MANAGER,
            "0x3501883a646f1f8417bcb62162372550954d618f",
            OUSG_DEPLOYED,
            version="epochs",
            says={"token": OUSG, "asset": USDC},
        ),
        Contract(
            ETHEREUM,
            HUB,
            "0x25a103a1d6aec5967c1a4fe2039cdc514886b97e",
            17_721_123,
            version="hub",
            says={"token": USDY, "asset": USDC},
        ),
        Contract(
            ETHEREUM,
            HUB,
            "0xf16c188c2d411627d39655a60409ec6707d3d5e8",
            18_742_790,
            version="hub",
            says={"token": OUSG, "asset": USDC},
        ),
        Contract(
            ETHEREUM,
            V1,
            "0x2826989983e3a66f0622132d019c2ae173eb6a43",
            OUSG_DEPLOYED,
            version="instant 1",
            says={"token": OUSG, "asset": USDC},
        ),
        Contract(
            ETHEREUM,
            V2,
            "0x93358db73b6cd4b98d89c8f5f230e81a95c2643a",
            OUSG_DEPLOYED,
            version="instant 2",
            says={"token": OUSG},
        ),
        Contract(
            ETHEREUM,
            V2,
            "0xa42613c243b67bf6194ac327795b926b4b491f15",
            USDY_DEPLOYED,
            version="instant 2",
            says={"token": USDY},
        ),
        Contract(
            ETHEREUM,
            "ondo/LegacyOracle",
            "0x0502c5ae08e7cd64fe1aeda7d6e229413ecc6abe",
            OUSG_DEPLOYED,
            to_block=22_141_382,
            version="oracle 1",
            says={"token": OUSG},
        ),
        Contract(
            ETHEREUM,
            "ondo/Pricer",
            "0x7fb0228c6338da4ec948df7b6a8e22ad2bb2bfb5",
            17_672_215,
            to_block=18_485_027,
            version="pricer",
            says={"token": USDY},
        ),
        Contract(
            ETHEREUM,
            "ondo/UsdyOracle",
            "0xa0219aa5b31e65bc920b5b6dfb8edf0988121de0",
            USDY_ORACLE_DEPLOYED,
            version="oracle",
            says={"token": USDY},
        ),
        Contract(
            MANTLE,
            "ondo/UsdyOracle",
            "0xa96abbe61afedeb0d14a20440ae7100d9ab4882f",
            17_331_223,
            version="oracle",
            says={"token": USDY_MANTLE},
        ),
        Contract(
            ETHEREUM,
            "ondo/Oracle",
            "0x9cad45a8bf0ed41ff33074449b357c7a1fab4094",
            SECOND_ORACLE_DEPLOYED,
            version="oracle 2",
            says={"token": OUSG},
        ),
    ),
    events=(*FLOWS, *PRICES),
    reads=DAILY,
    tokens=(
        Token(ETHEREUM, OUSG, "OUSG", 18),
        Token(ETHEREUM, USDY, "USDY", 18),
        Token(MANTLE, USDY_MANTLE, "USDY", 18),
        Token(ETHEREUM, USDC, "USDC", 6),
    ),
)

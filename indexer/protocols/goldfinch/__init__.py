"""
Goldfinch: a senior pool and backers lend USDC to businesses, each through a loan of its own.

Contracts  https://github.com/goldfinch-eng/mono, packages/protocol/deployments: all behind proxies.
           Loans (tranched pools, later callable loans) are announced by the factory.
Split      the reserve's part of interest is treasury, as the loan's payment says; so are the fees
           for leaving the senior pool. https://github.com/goldfinch-eng/mono, ILoan.sol: `interest`
           includes `reserve`, and `remaining` is what of the payment was not applied.
Units      USDC has 6 decimals, FIDU 18; the senior pool's share price is in 1e18.

The senior pool is a lender of the loans, so its own deposits into them, its withdrawals and what it
calls InterestCollected and PrincipalCollected are the same money a second time. Dollars are USDC at
par. The first generation (version 1) lent from one pool to credit lines.
"""

from indexer.chains import ETHEREUM
from indexer.protocols.goldfinch.lenders import FIDU, FLOWS
from indexer.protocols.goldfinch.loans import (
    DESK,
    IMPAIRMENTS,
    IN_USDC,
    LEGACY,
    LEGACY_POOL,
    LOAN,
    LOANS,
    SENIOR,
    SENIOR_POOL,
    USDC,
)
from indexer.spec import (
    Call,
    Contract,
    Discover,
    Emitter,
    Fixed,
    Market,
    Protocol,
    Read,
    Seconds,
    Token,
    upgraded,
)

FACTORY = "0xd20508E1E971b80EE172c73517905bfFfcBD87f9"
CREDIT_DESK = "0xD52dc1615c843c30F2e4668E101c0938e6007220"

PROTOCOL = Protocol(
    slug="goldfinch",
    name="Goldfinch",
    kind="credit",
    methodology=(
        "A loan is a contract of its own: drawn down, paid back in principal and gross interest, "
        "called. The reserve's part of interest and the fees for leaving the senior pool are "
        "treasury, the rest of interest supply side; dollars are USDC at par. Flows are those of "
        "people: what the senior pool lends on is not counted again. Write-downs of the senior "
        "pool are impairments, and what is taken back of them has a loss below zero. The senior "
        "pool's share price, loans and write-downs are read once a day."
    ),
    left_out=(
        "InterestCollected, PrincipalCollected and InvestmentMade of the senior pool, its own "
        "deposits into loans and PoolTokens' events: the same money a second time.",
        "ReserveFundsCollected: PaymentApplied, InterestCollected and WithdrawalMade tell it.",
        "PaymentApplied's remaining: it is unapplied payment, not debt.",
        "Defaults: being late beyond grace is a status, and nothing logs it.",
        "Losses of backers, and tranche share prices (SharePriceUpdated): what a tranche may "
        "withdraw per unit is not what it is worth, and nothing else tells.",
        "EpochEnded: what it allocates is withdrawn, and told, later.",
        "The share price of version 1 and its money at Compound: when the pool moved to the senior "
        "pool no event says. Nor does one say what a credit line still owed when it became a loan "
        "of version 2: it stays lent by version 1, and the loan is paid back without being drawn.",
        "Shortfalls: nothing is written off for good.",
        "goldfinch-prime on Base: another product.",
        "Staking and GFI: rewards, not credit.",
    ),
    untold_shares="the end of an epoch destroys what queued, and who queued withdraws later",
    contracts=(
        Contract(ETHEREUM, "goldfinch/Factory", FACTORY, 11_370_655, version="2"),
        Contract(ETHEREUM, SENIOR, SENIOR_POOL, 13_096_000, version="2"),
        Contract(ETHEREUM, LEGACY, LEGACY_POOL, 11_370_642, version="1"),
        Contract(ETHEREUM, DESK, CREDIT_DESK, 11_370_661, version="1"),
    ),
    discoveries=(
        Discover("goldfinch/Factory", "PoolCreated", child="pool", child_abi=LOAN),
        Discover("goldfinch/Factory", "CallableLoanCreated", child="loan", child_abi=LOAN),
    ),
    events=(
        *LOANS,
        *IMPAIRMENTS,
        *FLOWS,
        *upgraded(
            *("goldfinch/Factory", SENIOR, LEGACY, DESK),
            name="ProxyImplementationUpdated",
            implementation="newImplementation",
            is_confirmed=True,
        ),
    ),
    reads=(
        Read(
            name="share_price",
            abi=SENIOR,
            calls=(Call("sharePrice"), Call("totalSupply", to=FIDU)),
            every=Seconds(86_400),
            into="share_prices",
            columns={
                **IN_USDC,
                "pool": Emitter(),
                "share_price_tokens": Fixed("sharePrice", 18),
                "supply_tokens": Fixed("totalSupply", 18),
            },
        ),
        Read(
            name="state",
            abi=SENIOR,
            calls=(Call("assets"), Call("totalLoansOutstanding"), Call("totalWritedowns")),
            every=Seconds(86_400),
            into="pool_states",
            columns={
                **IN_USDC,
                "pool": Emitter(),
                "part": Emitter(),
                "assets_tokens": Fixed("assets", 6),
                "principal_tokens": Fixed("totalLoansOutstanding", 6),
                "unrealized_loss_tokens": Fixed("totalWritedowns", 6),
            },
        ),
    ),
    tokens=(Token(ETHEREUM, USDC, "USDC", 6), Token(ETHEREUM, FIDU, "FIDU", 18)),
    markets=(
        Market(ETHEREUM, SENIOR_POOL, "FIDU", index_token=USDC, asset_class="credit"),
        Market(ETHEREUM, LEGACY_POOL, "FIDU v1", index_token=USDC, asset_class="credit"),
    ),
)

"""
TrueFi: pools of one stablecoin each lend without collateral; stakers of TRU stand in for defaults.

Contracts  https://github.com/trusttoken/contracts-pre22, deployments-mainnet.json: the proxies.
           Pools and loans are announced by their factories, the agencies that lend and draw by the
           pools that name them. None can log before the factories, so windows start with these,
           whose first blocks are messari/subgraphs' (truefi).
Split      the stakers' part of interest has no event: it is what a lender reclaimed from a loan
           less what it had just repaid to the pool, both in FixedTermLoanAgency.sol; the joining
           fee goes to a pool's beneficiary (treasury).
Units      amounts in the pool's token, pool shares in the same decimals; TRU has 8.
Price      poolValue() / totalSupply() of each pool, at the first block of each UTC day: loans that
           defaulted count in full until they are written off.

A loan's pool and token come from what its lender logs when it funds it, a debt's from the default
that made it or the pool that got it. Dollars are the stablecoins at par. The first generation
(version 1) is one pool of TUSD with a lender of its own, which says a loan less the borrower's fee.
"""

from indexer.chains import ETHEREUM
from indexer.protocols.truefi.loans import (
    AGENCY,
    DEBT,
    FEES,
    FIRST_LENDER,
    LENDER,
    LOAN,
    LOANS,
    MARKETS,
    POOL,
)
from indexer.protocols.truefi.pools import DEFAULTS, FLOWS, LIQUIDATOR, READS, SAFU, TRU
from indexer.spec import Contract, Discover, Market, Protocol, Token, listed, upgraded

POOLS = listed("truefi_pools")
FIRST, SECOND = 11_280_381, 12_467_595
FACTORY = "truefi/LoanFactory"
FIRST_CONTRACTS = (
    (FACTORY, "0x4ACE6dE67E9a9EDFf5c2d0a584390Fb5394119e7"),
    (FIRST_LENDER, "0x16d02Dc67EB237C387023339356b25d1D54b0922"),
)
CONTRACTS = (
    ("truefi/PoolFactory", "0x1391D9223E08845e536157995085fE0Cef8Bd393"),
    (FACTORY, "0x69d844fB5928d0e7Bc530cC6325A88e53d6685BC"),
    (LENDER, "0xa606dd423dF7dFb65Efe14ab66f5fDEBf62FF583"),
    (LIQUIDATOR, "0x7aC899754Dd042024bb168fd5c9a07420F444Bdf"),
    (SAFU, "0x1eA63189eB1F4c109B10Cf6567f328C826AA6151"),
)
# The factory's pools take their code from a reference that they share.
PROXIES = ("truefi/PoolFactory", FACTORY, FIRST_LENDER, LENDER, LIQUIDATOR, SAFU)

PROTOCOL = Protocol(
    slug="truefi",
    name="TrueFi",
    kind="credit",
    methodology=(
        "Loans are funded by a lender and repaid in principal and interest at once; the stakers' "
        "part of interest (fee kind reserve) is what the lender kept between loan and pool. Credit "
        "lines pay interest and principal apart. A default of an old loan has no amount, that of a "
        "new one its unpaid debt, that of a credit line one debt to each pool it owes, interest "
        "included; what a debt repays is recovery. TRU taken from stakers is a liquidation of the "
        "pool whose loan it stands in for, or, taken for several debts at once, of the liquidator; "
        "what the SAFU pays to a pool is insurance, what it still owes bad debt until the pool "
        "reclaims it. Joining fees are treasury. Share prices are pool value over supply, read "
        "once a day; dollars are stablecoins at par."
    ),
    left_out=(
        "Interest of lenders: a loan's event has principal and interest in one (`paid_tokens`); "
        "over its life it is what was reclaimed less what was funded.",
        "Draws on credit lines: the pool's Borrow names the agency, not the borrower, and tells "
        "loans as well.",
        "The pools' Borrow and Repaid, Settled, Withdrawn and Redeemed of loans, their Liquidated "
        "and that of debts, and the SAFU's Reclaimed: other events tell the same money or the same "
        "default.",
        "Liquidated of three arguments in a first source of the SAFU: not known to be deployed.",
        "The value of defaulted debt that liquidations name: in which unit differs by generation.",
        "Private pools: other events, of which no source was at hand in full.",
        "Fees of the first pool: what it collected is of who joined and, in its first releases, of "
        "borrowers too, whose fee later went to stakers, as shares. Its liquidator: no address is "
        "known, and no amount is in its event.",
        "Managed portfolios and their bullet loans: no event says which token a portfolio lends. "
        "Asset vaults and automated lines of credit: factories are known, what they announce logs "
        "under ABIs no source here has.",
    ),
    contracts=(
        *(Contract(ETHEREUM, abi, address, FIRST) for abi, address in FIRST_CONTRACTS),
        *(Contract(ETHEREUM, abi, address, SECOND, version="2") for abi, address in CONTRACTS),
        *(
            Contract(ETHEREUM, POOL, row["pool"], int(row["from_block"]), version=row["version"])
            for row in POOLS
        ),
    ),
    discoveries=(
        Discover("truefi/PoolFactory", "PoolCreated", child="pool", child_abi=POOL),
        Discover(FACTORY, "LoanTokenCreated", child="loanToken", child_abi=LOAN),
        Discover(FACTORY, "DebtTokenCreated", child="debtToken", child_abi=DEBT),
        Discover(POOL, "FixedTermLoanAgencyChanged", child="newFTLAgency", child_abi=LENDER),
        Discover(POOL, "CreditAgencyChanged", child="newCreditAgency", child_abi=AGENCY),
    ),
    events=(*MARKETS, *LOANS, *FEES, *FLOWS, *DEFAULTS, *upgraded(*PROXIES)),
    reads=READS,
    tokens=(
        *(
            Token(ETHEREUM, row["asset"], row["asset_symbol"], int(row["decimals"]))
            for row in POOLS
        ),
        *(Token(ETHEREUM, row["pool"], row["symbol"], int(row["decimals"])) for row in POOLS),
        Token(ETHEREUM, TRU, "TRU", 8),
    ),
    markets=tuple(
        Market(ETHEREUM, row["pool"], row["symbol"], index_token=row["asset"], asset_class="credit")
        for row in POOLS
    ),
)
